"""Inception-v3 features, those of the published FID and KID, when the library and its weights are there.

Nothing is fetched: the weights are a file that the user has put where torch.hub keeps its files, or named in DIVMIN_INCEPTION.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import torch
from torch import Tensor, nn

from divmin.data import Source
from divmin.errors import DivminError
from divmin.evaluation.extractor import Extractor, Track, register_extractor

FEATURES = 2048
FILE = "weights-inception-2015-12-05-6726825d.pth"
DIGEST = "6726825d"  # the first digits of the file's SHA-256, as its name says
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{FILE}"
PREPROCESSING = (
    "[-1, 1] to bytes, grey to three channels, bilinear with antialiasing to 299 x 299, last pooling layer of Inception-v3 "
    f"({FILE.removesuffix('.pth')})"
)


@register_extractor(
    "inception", "Inception-v3, for numbers comparable with published FID; needs divmin[inception] and its weights"
)
def inception(source: Source, seed: int = 0, track: Track = iter) -> Extractor:
    """The 2048 numbers of the last pooling layer for images of 1 or 3 channels.

    Raises:
        DivminError: samples that are no such images, the library or the weights absent, a file of other weights.
    """
    if len(source.shape) != 3 or source.shape[0] not in (1, 3):
        raise DivminError(
            f"inception needs images of 1 or 3 channels; {source.name} has samples of shape {source.shape}"
        )
    network = build(weights_file())

    def features(images: Tensor) -> Tensor:
        return network(to_bytes(images))  # type: ignore[no-any-return]

    return Extractor("inception", PREPROCESSING, FEATURES, features)


def to_bytes(images: Tensor) -> Tensor:
    """Images [n, 1 or 3, height, width] in [-1, 1] as uint8 [n, 3, height, width], rounded as a picture file would be.

    Example:
        >>> to_bytes(torch.tensor([[[[-1.0, 1.0]]]]))[0, :, 0].tolist()
        [[0, 255], [0, 255], [0, 255]]
    """
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.expand(-1, 3, -1, -1)


def weights_file() -> Path:
    """The file of weights, checked to be the published one.

    Raises:
        DivminError: no file, or another.
    """
    named = os.environ.get("DIVMIN_INCEPTION")
    path = Path(named).expanduser() if named else Path(torch.hub.get_dir()) / "checkpoints" / FILE
    if not path.is_file():
        raise DivminError(
            f"inception needs its weights, and there is no file {path}: fetch {URL} and put it there, "
            "or name it in DIVMIN_INCEPTION; "
            "or take another extractor: classifier, pixels"
        )
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not digest.startswith(DIGEST):
        raise DivminError(
            f"{path} is damaged or holds other weights (SHA-256 {digest[:8]}..., expected {DIGEST}...): fetch {URL}"
        )
    return path


def build(path: Path) -> nn.Module:
    """The network with the weights of a checked file.

    Raises:
        DivminError: torch-fidelity is absent or cannot be imported here, or the file has code in it.
    """
    try:
        import torch_fidelity  # noqa: F401
        from torchmetrics.image.fid import NoTrainInceptionV3
    # A torchvision that was built for another torch ends in a RuntimeError.
    except (ImportError, RuntimeError) as error:
        line = " ".join(str(error).split())
        raise DivminError(
            f"inception needs torch-fidelity, and a torchvision built for this torch: pip install 'divmin[inception]' ({line})"
        ) from error
    try:
        # The library would load anything that pickle loads; what this call accepts holds no code.
        torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # foreign bytes fail in many ways
        raise DivminError(f"{path} is no file of weights: fetch {URL}") from error
    network: nn.Module = NoTrainInceptionV3("inception-v3-compat", [str(FEATURES)], str(path))
    return network
