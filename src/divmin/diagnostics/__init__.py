"""Diagnostics of a critic and of what reaches the generator, for anyone's training loop."""

from divmin.diagnostics.balance import Balance, Drift, Trend
from divmin.diagnostics.findings import Finding
from divmin.diagnostics.monitor import Monitor
from divmin.diagnostics.report import Critic, Curve, Report
from divmin.diagnostics.signal import Signal
from divmin.diagnostics.support import Dimension, Support, intrinsic_dimension
from divmin.diagnostics.writers import JsonLines, TensorBoard, WandB

__all__ = [
    "Balance",
    "Critic",
    "Curve",
    "Dimension",
    "Drift",
    "Finding",
    "JsonLines",
    "Monitor",
    "Report",
    "Signal",
    "Support",
    "TensorBoard",
    "Trend",
    "WandB",
    "intrinsic_dimension",
]
