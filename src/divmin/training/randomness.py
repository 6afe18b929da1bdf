"""Random states: one seed for each purpose, and the global generators kept apart from the caller's.

Networks draw dropout masks from PyTorch's global generators and take no other. A run therefore seeds those itself,
gives the caller's states back when it ends, and stores its own in the checkpoint. Python's and NumPy's generators are
not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from divmin.errors import DivminError


def derive(seed: int, purpose: str) -> int:
    """A seed for one purpose, unrelated to those for the others.

    >>> derive(0, "noise") == derive(0, "noise"), derive(0, "noise") == derive(0, "dropout")
    (True, False)
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}".encode()).digest()[:8], "big") >> 1


def seeded(seed: int, purpose: str) -> torch.Generator:
    """A generator on the CPU, so that the same numbers come on every device.

    >>> bool(torch.rand(1, generator=seeded(0, "z")) == torch.rand(1, generator=seeded(0, "z")))
    True
    """
    generator = torch.Generator()
    generator.manual_seed(derive(seed, purpose))
    return generator


def capture(device: torch.device) -> dict[str, Tensor]:
    """The states of the global generators that networks on `device` can draw from.

    >>> list(capture(torch.device("cpu")))
    ['cpu']
    """
    states = {"cpu": torch.get_rng_state()}
    if device.type != "cpu":
        states[device.type] = torch.get_device_module(device).get_rng_state()
    return states


def restore(states: Mapping[str, Tensor], device: torch.device) -> None:
    """The inverse of `capture`; a state of a device other than `device` is of no use here and stays out."""
    try:
        torch.set_rng_state(states["cpu"])
        if device.type in states and device.type != "cpu":
            torch.get_device_module(device).set_rng_state(states[device.type])
    except (KeyError, TypeError, RuntimeError) as error:
        raise DivminError("the stored random states cannot be used: the checkpoint is damaged") from error


@contextmanager
def undisturbed(device: torch.device) -> Iterator[None]:
    """Give the global generators back as they were.

    >>> before = torch.get_rng_state()
    >>> with undisturbed(torch.device("cpu")):
    ...     _ = torch.rand(3)
    >>> torch.equal(before, torch.get_rng_state())
    True
    """
    states = capture(device)
    try:
        yield
    finally:
        restore(states, device)


def seed_global(seed: int, device: torch.device) -> None:
    """Seed the global generators that networks on `device` draw from, and no others."""
    torch.default_generator.manual_seed(derive(seed, "dropout"))
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(derive(seed, "dropout"))
