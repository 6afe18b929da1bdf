"""Adversarial losses as pure functions of critic outputs, and the recipes that pair them."""

# In the order of the theory, which is the order in which recipes are listed.
# isort: off
from divmin.objectives import logistic
from divmin.objectives.fgan import fgan, hybrid
from divmin.objectives.poole import exact, poole
from divmin.objectives import likelihood, least_squares, margin, comparing, modifiers

# isort: on
from divmin.objectives.base import Recipe
from divmin.objectives.own import Own
from divmin.objectives.registry import AnyRecipe, Named, recipe, recipes, register, register_fixed
from divmin.objectives.relativistic import Relativistic
from divmin.objectives.terms import Written

__all__ = [
    "AnyRecipe",
    "Named",
    "Own",
    "Recipe",
    "Relativistic",
    "Written",
    "comparing",
    "exact",
    "fgan",
    "hybrid",
    "least_squares",
    "likelihood",
    "logistic",
    "margin",
    "modifiers",
    "poole",
    "recipe",
    "recipes",
    "register",
    "register_fixed",
]
