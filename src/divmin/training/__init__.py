"""Training: a configuration in, a run folder out."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from divmin.training.config import TrainConfig as TrainConfig
    from divmin.training.critic import TrainedCritic as TrainedCritic
    from divmin.training.critic import load_critic as load_critic
    from divmin.training.finite import NotFiniteError as NotFiniteError
    from divmin.training.job import rehearse as rehearse
    from divmin.training.judge import Judge as Judge
    from divmin.training.judge import Verdict as Verdict
    from divmin.training.launch import first_process as first_process
    from divmin.training.parts import losses as losses
    from divmin.training.probes import Probe as Probe
    from divmin.training.probes import View as View
    from divmin.training.record import Record as Record
    from divmin.training.run import Run as Run
    from divmin.training.sampler import Sampler as Sampler
    from divmin.training.sampler import load as load
    from divmin.training.single import gradients as gradients
    from divmin.training.start import resume as resume
    from divmin.training.start import train as train

# Where each name lives. They are imported on first use: a list of runs, or the help of a command, needs no torch. A name that
# is also that of a module cannot stand here, since the module would take its place.
_HOMES = {
    "TrainConfig": "config",
    "TrainedCritic": "critic",
    "load_critic": "critic",
    "NotFiniteError": "finite",
    "Judge": "judge",
    "Verdict": "judge",
    "rehearse": "job",
    "first_process": "launch",
    "losses": "parts",
    "Probe": "probes",
    "View": "probes",
    "Record": "record",
    "Run": "run",
    "Sampler": "sampler",
    "load": "sampler",
    "gradients": "single",
    "resume": "start",
    "train": "start",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"divmin.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'divmin.training' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(__all__)
