"""Pictures of records: every function draws numbers that somebody else computed."""

from divmin.plots.divergence import draw_curvature, draw_s, draw_weight, save_curves
from divmin.plots.estimate import draw_calibration, draw_estimates, save_estimates
from divmin.plots.explanation import draw_cost, draw_link, draw_pull, save_explanations
from divmin.plots.history import draw_log_ratios, draw_losses, save_history
from divmin.plots.landscape import draw_landscape, save_landscapes
from divmin.plots.profile import draw_costs, draw_densities, save_profile
from divmin.plots.samples import draw_cloud, draw_grid, save_samples

__all__ = [
    "draw_calibration",
    "draw_cloud",
    "draw_cost",
    "draw_costs",
    "draw_curvature",
    "draw_densities",
    "draw_estimates",
    "draw_grid",
    "draw_landscape",
    "draw_link",
    "draw_log_ratios",
    "draw_losses",
    "draw_pull",
    "draw_s",
    "draw_weight",
    "save_curves",
    "save_estimates",
    "save_explanations",
    "save_history",
    "save_landscapes",
    "save_profile",
    "save_samples",
]
