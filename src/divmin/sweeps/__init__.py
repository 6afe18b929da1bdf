"""Sweeps: many runs that differ in a few settings, trained one by one or side by side, and what they say together."""

from divmin.sweeps.outcome import Outcome
from divmin.sweeps.plan import grid, read_seeds, read_values
from divmin.sweeps.run import sweep
from divmin.sweeps.table import Line, Mean, metrics_of, table

__all__ = ["Line", "Mean", "Outcome", "grid", "metrics_of", "read_seeds", "read_values", "sweep", "table"]
