"""Values of divergences between given laws: exact where that is possible, with the error and the route."""

from divmin.values.question import exact
from divmin.values.record import Route, Value

__all__ = ["Route", "Value", "exact"]
