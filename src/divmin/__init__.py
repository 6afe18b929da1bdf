"""divmin: train generative models by the divergence you choose, and know which one you got.

p is the data, q the model, d = log p/q in nats; a higher critic output means more real.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from divmin.version import __version__ as __version__

if TYPE_CHECKING:
    from divmin import data as data
    from divmin.diagnosis import Diagnosis as Diagnosis
    from divmin.diagnosis import diagnose as diagnose
    from divmin.diagnostics import Monitor as Monitor
    from divmin.errors import DivminError as DivminError
    from divmin.estimators import Estimate as Estimate
    from divmin.estimators import Ratio as Ratio
    from divmin.estimators import estimate as estimate
    from divmin.estimators import fit_ratio as fit_ratio
    from divmin.estimators import two_sample_test as two_sample_test
    from divmin.experiment import resume as resume
    from divmin.experiment import train as train
    from divmin.explanation import Audit as Audit
    from divmin.explanation import Explanation as Explanation
    from divmin.explanation import audit as audit
    from divmin.explanation import explain as explain
    from divmin.family import Divergence as Divergence
    from divmin.family import Tails as Tails
    from divmin.family import divergence as divergence
    from divmin.family import divergences as divergences
    from divmin.family import from_curvature as from_curvature
    from divmin.family import from_f as from_f
    from divmin.judgement import evaluate as evaluate
    from divmin.objectives import Own as Own
    from divmin.objectives import Recipe as Recipe
    from divmin.objectives import recipe as recipe
    from divmin.objectives import recipes as recipes
    from divmin.overview import runs as runs
    from divmin.pages import report as report
    from divmin.reproduction import reproduce as reproduce
    from divmin.sweeps import sweep as sweep
    from divmin.training import TrainConfig as TrainConfig
    from divmin.training import load as load
    from divmin.values import Fit as Fit
    from divmin.values import Landscape as Landscape
    from divmin.values import Pushforward as Pushforward
    from divmin.values import Value as Value
    from divmin.values import exact as exact
    from divmin.values import fit as fit
    from divmin.values import landscape as landscape
    from divmin.values import pushforward as pushforward
    from divmin.values.text import law as law

# Where each public name lives. They are imported on first use: the command line's help and list need no torch.
_HOMES = {
    "Divergence": "divmin.family",
    "Tails": "divmin.family",
    "divergence": "divmin.family",
    "divergences": "divmin.family",
    "from_curvature": "divmin.family",
    "from_f": "divmin.family",
    "DivminError": "divmin.errors",
    "Monitor": "divmin.diagnostics",
    "Audit": "divmin.explanation",
    "Explanation": "divmin.explanation",
    "audit": "divmin.explanation",
    "explain": "divmin.explanation",
    "Own": "divmin.objectives",
    "Recipe": "divmin.objectives",
    "recipe": "divmin.objectives",
    "recipes": "divmin.objectives",
    "Value": "divmin.values",
    "exact": "divmin.values",
    "Landscape": "divmin.values",
    "landscape": "divmin.values",
    "Fit": "divmin.values",
    "fit": "divmin.values",
    "Pushforward": "divmin.values",
    "pushforward": "divmin.values",
    "law": "divmin.values.text",
    "Estimate": "divmin.estimators",
    "Ratio": "divmin.estimators",
    "estimate": "divmin.estimators",
    "fit_ratio": "divmin.estimators",
    "two_sample_test": "divmin.estimators",
    "TrainConfig": "divmin.training",
    "load": "divmin.training",
    "train": "divmin.experiment",
    "resume": "divmin.experiment",
    "evaluate": "divmin.judgement",
    "Diagnosis": "divmin.diagnosis",
    "diagnose": "divmin.diagnosis",
    "runs": "divmin.overview",
    "report": "divmin.pages",
    "reproduce": "divmin.reproduction",
    "sweep": "divmin.sweeps",
}
_ROOMS = (
    "adversary",
    "data",
    "diagnostics",
    "estimators",
    "evaluation",
    "explanation",
    "family",
    "objectives",
    "models",
    "papers",
    "training",
    "values",
    "plots",
    "loggers",
    "sweeps",
)

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _ROOMS:
        return importlib.import_module(f"divmin.{name}")
    raise AttributeError(f"module 'divmin' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*__all__, *_ROOMS})
