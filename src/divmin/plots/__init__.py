"""Pictures of records: every function draws numbers that somebody else computed."""

from divmin.plots.diagnosis import draw_accuracy, draw_gradients, draw_loss, draw_ratios, save_contest, save_sheet
from divmin.plots.divergence import draw_curvature, draw_s, draw_weight, save_curves
from divmin.plots.estimate import draw_calibration, draw_estimates, save_estimates
from divmin.plots.explanation import draw_cost, draw_link, draw_pull, save_explanations
from divmin.plots.film import save_film
from divmin.plots.history import (
    draw_evaluations,
    draw_log_ratios,
    draw_losses,
    draw_progress,
    save_history,
    save_progress,
)
from divmin.plots.interpolations import draw_paths, save_interpolations
from divmin.plots.landscape import draw_landscape, save_landscapes
from divmin.plots.monitor import draw_bounds, draw_price, draw_pushforward, draw_signal, save_monitor
from divmin.plots.profile import draw_costs, draw_densities, save_profile
from divmin.plots.samples import Window, draw_cloud, draw_grid, save_samples, window

__all__ = [
    "save_monitor",
    "draw_signal",
    "draw_pushforward",
    "draw_price",
    "draw_bounds",
    "Window",
    "draw_accuracy",
    "draw_calibration",
    "draw_cloud",
    "draw_cost",
    "draw_costs",
    "draw_curvature",
    "draw_densities",
    "draw_estimates",
    "draw_gradients",
    "draw_evaluations",
    "draw_grid",
    "draw_landscape",
    "draw_link",
    "draw_log_ratios",
    "draw_loss",
    "draw_losses",
    "draw_paths",
    "draw_progress",
    "draw_pull",
    "draw_ratios",
    "draw_s",
    "draw_weight",
    "save_contest",
    "save_curves",
    "save_estimates",
    "save_explanations",
    "save_film",
    "save_history",
    "save_interpolations",
    "save_landscapes",
    "save_profile",
    "save_progress",
    "save_samples",
    "save_sheet",
    "window",
]
