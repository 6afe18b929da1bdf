"""What a recipe, or any pair of losses, minimises: the best critic, the effective divergence, the verdict."""

from divmin.explanation.black_box import Audit, Finding, audit
from divmin.explanation.questions import explain
from divmin.explanation.record import Explanation, Interval, Link, Mass, Near, Saturation

__all__ = ["Audit", "Explanation", "Finding", "Interval", "Link", "Mass", "Near", "Saturation", "audit", "explain"]
