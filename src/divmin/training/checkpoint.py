"""A checkpoint: one file of tensors and plain values, from which a run goes on bit for bit."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from divmin.errors import DivminError
from divmin.files import write_atomically
from divmin.training.judge import Best
from divmin.training.randomness import restore
from divmin.training.run import BEST, CHECKPOINT, checkpoint_path, kept, writing
from divmin.training.state import State
from divmin.version import __version__

FORMAT, VERSION = "divmin checkpoint", 2
NETWORKS = ("generator", "critic", "average")
OPTIMIZERS = ("generator_optimizer", "critic_optimizer")
CONTENT: dict[str, type] = {
    "config": str,
    "supplied": list,
    "shape": list,
    "latent": int,
    "step": int,
    "samples": int,
    "seconds": float,
    "seconds_at_record": float,
    **dict.fromkeys((*NETWORKS, *OPTIMIZERS), dict),
    "scaler": dict,
    "random": list,
    "best": dict,
    "noise": Tensor,
    "critic_rows": Tensor,
    "generator_rows": Tensor,
}


def payload(
    state: State, *, about: Mapping[str, Any], precision: Any, random: Sequence[Mapping[str, Tensor]]
) -> dict[str, Any]:
    """What a checkpoint of this state holds.

    Args:
        state: what changes.
        about: what does not: config (JSON text), supplied, shape, size and fingerprint of the data, latent, and the run's name.
        precision: Fabric's precision plugin, which holds the gradient scaler.
        random: the states of the global generators, of every process.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "divmin": __version__,
        **about,
        "step": state.step,
        "samples": state.samples,
        "seconds": state.seconds,
        "seconds_at_record": state.seconds_at_record,
        **{name: network.state_dict() for name, network in state.networks.items()},
        **{name: getattr(state, name).state_dict() for name in OPTIMIZERS},
        "scaler": precision.state_dict(),
        "random": list(random),
        "best": asdict(state.best),
        "noise": state.noise.get_state(),
        # A slice would be stored with the whole buffer behind it.
        "critic_rows": state.critic_rows.rows.clone(),
        "generator_rows": state.generator_rows.rows.clone(),
    }


def save(folder: Path, content: Mapping[str, Any], *, keep: int = 1) -> None:
    """Write the checkpoint of a run, whole or not at all, and a copy beside the copies of the last `keep` - 1 before.

    Args:
        folder: the run folder.
        content: see `payload`.
        keep: checkpoints to keep; 1 keeps no copies.
    """
    paths = [folder / CHECKPOINT] if keep == 1 else [checkpoint_path(folder, content["step"]), folder / CHECKPOINT]
    write(folder, content, *paths)
    with writing(folder):
        for path in kept(folder)[:-keep]:
            path.unlink()


def write(folder: Path, content: Mapping[str, Any], *paths: Path) -> None:
    """Write content to files of a run, each whole or not at all."""
    # Through memory, because torch.save hides a full disk behind an error of its own.
    memory = io.BytesIO()
    torch.save(dict(content), memory)
    with writing(folder):
        for path in paths:
            write_atomically(path, lambda stream: stream.write(memory.getbuffer()))


def read(path: Path) -> dict[str, Any]:
    """Read and check a checkpoint file; tensors arrive on the CPU.

    Raises:
        DivminError: the file is absent, truncated, damaged, foreign or of another format version.
    """
    try:
        if not zipfile.is_zipfile(path):
            path.open("rb").close()
            raise DivminError(f"{path} is not a divmin checkpoint, or it is truncated")
        # torch.load does not compare checksums.
        with zipfile.ZipFile(path) as archive:
            if (bad := archive.testzip()) is not None:
                raise DivminError(f"{path} is damaged: the checksum of {bad} is wrong")
        payload = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise DivminError(
            f"{path} does not exist: no checkpoint was written there; give a folder that divmin train wrote"
        ) from error
    except OSError as error:
        raise DivminError(f"cannot read {path}: {error.strerror or error}") from error
    except DivminError:
        raise
    except Exception as error:
        # Foreign bytes can fail anywhere inside the zip reader and the unpickler, with almost any exception.
        raise DivminError(f"{path} is not a divmin checkpoint, or it is damaged ({type(error).__name__})") from error
    if not isinstance(payload, dict) or payload.get("format") != FORMAT:
        raise DivminError(f"{path} is not a divmin checkpoint")
    if payload.get("version") != VERSION:
        raise DivminError(
            f"{path} has format version {payload.get('version')}, this divmin {__version__} reads version {VERSION}:"
            f" use divmin {payload.get('divmin')}, which wrote it"
        )
    for key, kind in CONTENT.items():
        if not isinstance(payload.get(key), kind):
            raise DivminError(f"{path} is damaged: {key} is missing or is not {kind.__name__}")
    return payload


def apply(
    payload: Mapping[str, Any], state: State, *, precision: Any, device: torch.device, rank: int, where: Path
) -> None:
    """Put a checkpoint's content into a state made by `begin`; `where` names the file in errors.

    The random states are those of the process `rank`; a process that the run did not have before keeps its own.
    """
    for name, module in state.networks.items():
        if name not in payload:
            raise DivminError(f"{where} has no {name}: it was written by a run of losses that need none")
        fill(module, payload[name], name=name, where=where)
    try:
        for name in OPTIMIZERS:
            optimizer = getattr(state, name)
            # The settings are those of the configuration, which may have been changed; only the moments are the file's.
            settings = [{key: group[key] for key in ("lr", "betas")} for group in optimizer.param_groups]
            optimizer.load_state_dict(payload[name])
            for group, own in zip(optimizer.param_groups, settings, strict=True):
                group.update(own)
        precision.load_state_dict(payload["scaler"])
        state.noise.set_state(payload["noise"])
        state.critic_rows.restore(payload["critic_rows"])
        state.generator_rows.restore(payload["generator_rows"])
        if rank < len(payload["random"]):
            restore(payload["random"][rank], device)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise DivminError(f"{where} does not fit this run: {' '.join(str(error).split())}") from error
    state.step, state.samples = payload["step"], payload["samples"]
    state.seconds, state.seconds_at_record = payload["seconds"], payload["seconds_at_record"]
    state.best = Best(**payload["best"])
    state.saved_step = state.step


def without_rows(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A checkpoint that has not recorded anything in its interval."""
    return {**payload, **{name: payload[name][:0] for name in ("critic_rows", "generator_rows")}}


def give_up_best(folder: Path, state: State) -> None:
    """Remove a best checkpoint of a later step, which the run will not have; the search for the best then begins anew.

    After a kill the same steps follow and the same best is found again.
    """
    path = folder / BEST
    if not path.exists():
        return
    try:
        later = read(path)["step"] > state.step
    except DivminError:
        later = True  # what cannot be read is the best of nothing
    if later:
        with writing(folder):
            path.unlink()
        state.best = Best()


def fill(module: nn.Module, values: Mapping[str, Tensor], *, name: str, where: Path) -> None:
    """Load the stored values of a network, or say in one line how it differs from the one that was stored.

    Args:
        module: the network to fill.
        values: its stored state.
        name: what to call it in an error.
        where: the file.
    """
    wanted = module.state_dict()
    found = {key: list(value.shape) if isinstance(value, Tensor) else value for key, value in values.items()}
    expected = {key: list(value.shape) for key, value in wanted.items()}
    differing = [
        key
        for key in (*expected, *(key for key in found if key not in expected))
        if found.get(key) != expected.get(key)
    ]
    if differing:
        key = differing[0]
        more = f", and {len(differing) - 1} more" if len(differing) > 1 else ""
        raise DivminError(
            f"{where} holds another {name}: {key} is {found.get(key, 'absent')} there"
            f" and {expected.get(key, 'absent')} here{more}; use the model that it was trained with"
        )
    module.load_state_dict(dict(values))
