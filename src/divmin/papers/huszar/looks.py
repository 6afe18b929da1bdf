"""What a run in the plane looks like on the way: samples of fixed z, and the critic with its slope on a grid."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from divmin.papers.work import save_arrays

if TYPE_CHECKING:
    from torch import Tensor, nn

    from divmin.training import Probe, View

Looks = dict[str, NDArray[Any]]
KEPT = 16  # rows of z that are kept, to see that they stay the same


@dataclass(frozen=True)
class Recorder:
    """Writes a file a look; a look that is repeated after an interruption writes the same file again.

    Args:
        folder: where the files lie.
        every: generator steps between looks.
        samples: of the generator in each.
        grid: points [m, 2] where the critic is asked.
    """

    folder: Path
    every: int
    samples: int
    grid: NDArray[np.float32]

    def probe(self) -> Probe:
        from divmin.training import Probe

        return Probe(self.every, self.look)

    def look(self, view: View) -> None:
        import torch

        z = view.noise(self.samples)
        scores, slopes = scores_and_slopes(view.critic, torch.from_numpy(self.grid))
        arrays = {
            "step": np.array(view.step),
            "z": z[:KEPT].numpy(),
            "samples": view.sample(z).numpy(),
            "scores": scores.numpy(),
            "slopes": slopes.numpy(),
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        save_arrays(self.folder / f"{view.step:08d}.npz", arrays)

    def read(self) -> Looks:
        """All looks, stacked in the order of their steps."""
        found = []
        for path in sorted(self.folder.glob("*.npz")):
            with np.load(path, allow_pickle=False) as file:
                found.append({name: file[name] for name in file.files})
        return {name: np.stack([each[name] for each in found]) for name in found[0]}


def scores_and_slopes(critic: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    """V [m] at points [m, k] and its gradient by the point [m, k], on the CPU; the critic's weights collect nothing."""
    import torch

    device = next(critic.parameters()).device
    at = x.to(device).requires_grad_()
    with torch.enable_grad():
        scores = critic(at).flatten()
        (slopes,) = torch.autograd.grad(scores.sum(), at)
    return scores.detach().cpu(), slopes.cpu()
