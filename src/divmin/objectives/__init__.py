"""Adversarial losses as pure functions of critic outputs, and the recipes that pair them."""

from divmin.objectives.base import Recipe
from divmin.objectives.named import Named, fgan, hybrid, recipe, recipes, register

__all__ = ["Named", "Recipe", "fgan", "hybrid", "recipe", "recipes", "register"]
