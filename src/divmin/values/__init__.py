"""Values of divergences between given laws: exact where that is possible, with the error and the route."""

from divmin.values.descent import Descent, descend
from divmin.values.grid import Landscape, landscape
from divmin.values.law_of_d import Pushforward, pushforward
from divmin.values.question import exact
from divmin.values.record import Route, Value
from divmin.values.search import fit
from divmin.values.stationary import Fit, Stationary

__all__ = [
    "Descent",
    "Fit",
    "Landscape",
    "Pushforward",
    "Route",
    "Stationary",
    "Value",
    "descend",
    "exact",
    "fit",
    "landscape",
    "pushforward",
]
