"""Pictures of records: every function draws numbers that somebody else computed."""

from divmin.plots.divergence import draw_curvature, draw_s, draw_weight, save_curves
from divmin.plots.estimate import draw_calibration, draw_estimates, save_estimates
from divmin.plots.explanation import draw_cost, draw_link, draw_pull, save_explanations
from divmin.plots.film import save_film
from divmin.plots.history import draw_evaluations, draw_log_ratios, draw_losses, save_history
from divmin.plots.interpolations import draw_paths, save_interpolations
from divmin.plots.landscape import draw_landscape, save_landscapes
from divmin.plots.profile import draw_costs, draw_densities, save_profile
from divmin.plots.samples import Window, draw_cloud, draw_grid, save_samples, window

__all__ = [
    "Window",
    "draw_calibration",
    "draw_cloud",
    "draw_cost",
    "draw_costs",
    "draw_curvature",
    "draw_densities",
    "draw_estimates",
    "draw_evaluations",
    "draw_grid",
    "draw_landscape",
    "draw_link",
    "draw_log_ratios",
    "draw_losses",
    "draw_paths",
    "draw_pull",
    "draw_s",
    "draw_weight",
    "save_curves",
    "save_estimates",
    "save_explanations",
    "save_film",
    "save_history",
    "save_interpolations",
    "save_landscapes",
    "save_profile",
    "save_samples",
    "window",
]
