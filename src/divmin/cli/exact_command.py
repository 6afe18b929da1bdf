"""`divmin exact F P Q`: divergences between two given laws."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from divmin.cli.columns import aligned
from divmin.cli.plugins import add_import, load
from divmin.cli.searching import search
from divmin.errors import DivminError
from divmin.family import divergence
from divmin.files import check_picture
from divmin.grammar import listed
from divmin.progress import waiting
from divmin.values import Route, Value, exact
from divmin.values.family import free_names
from divmin.values.text import law

EXAMPLES = """examples:
  divmin exact js '0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)' 'normal(0, 1)' --plot js.png
  divmin exact kl,rkl,'skew(kl, 0.3)' 'gamma(2, 1)' 'log_normal(0, 1)'
  divmin exact js 'normal([0, 0], [[1, 0.3], [0.3, 2]])' 'normal(0, 1)^2' --json
  divmin exact hellinger '0.9*normal(0, 1) + 0.1*student_t(3)' 'cauchy(0, 1)'
  divmin exact kl 'poisson(4)' 'negative_binomial(4, 0.5)'
  divmin exact tv '[3, 1, 0]' '[0.5, 0.25, 0.25]'
  divmin exact js 'laplace(0, 1)^3' 'normal(0, 1)^3' --samples 100000 --seed 1
  divmin exact js,srkl '0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)' 'normal(loc, scale)' --fit --plot landscape.png
  divmin exact kl 'gamma(2, 4)' 'exponential(r)' --fit --box r=0.5:8 --json
P is the data, Q the model. A law is a name with parameters, a mixture 0.75*A + 0.25*B, product(A, B), A^3, a density such as
ring(sigma=0.1), probabilities or counts in brackets; docs/values.md has all names. f that begins with a minus goes after --"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument("divergences", metavar="F", help="names, expressions or f(u), with commas between")
    parser.add_argument("data", metavar="P", help="the law of the data, such as 'normal(0, 1)'")
    parser.add_argument("model", metavar="Q", help="the law of the model")
    routes = ", ".join(f"'{route.value}'" for route in Route if route is not Route.SAMPLING)
    parser.add_argument("--route", metavar="ROUTE", help=f"one way to compute it and no other: {routes}")
    parser.add_argument("--samples", type=int, metavar="N", help="a Monte Carlo value from N samples of each law")
    parser.add_argument("--seed", type=int, default=0, help="of these samples (default 0)")
    parser.add_argument(
        "--plot", metavar="FILE", type=Path, help="draw p, q and what every place costs to a .png, .svg or .pdf file"
    )
    parser.add_argument(
        "--fit",
        action="store_true",
        help="find all minima and saddles over the free names in Q, as in 'normal(loc, scale)'; "
        "--plot then draws the landscape of one or two of them",
    )
    parser.add_argument(
        "--box",
        action="append",
        default=[],
        metavar="NAME=LOW:HIGH",
        help="where --fit searches, for each free name; may be left out for locations and scales",
    )
    parser.add_argument("--json", action="store_true", help="print a record for programs")
    add_import(parser)


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    members = [divergence(text) for text in listed(arguments.divergences)]
    _check(arguments)
    if arguments.fit:
        return search(arguments, members)
    p, q = law(arguments.data), law(arguments.model)
    with waiting("integrating"):
        found = [exact(f, p, q, route=arguments.route, samples=arguments.samples, seed=arguments.seed) for f in members]
    if arguments.plot:
        from divmin.plots import save_profile
        from divmin.values.profile import profile

        title = f"p = {arguments.data}\nq = {arguments.model}"
        save_profile(profile(members, p, q), arguments.plot, values=found, title=title)
    if arguments.json:
        record: dict[str, Any] = {
            "p": arguments.data,
            "q": arguments.model,
            "values": [each.to_dict() for each in found],
            "plot": str(arguments.plot) if arguments.plot else None,
        }
        print(json.dumps(record, indent=2, allow_nan=False))
        return 0
    print("\n".join(_table(found)))
    if arguments.plot:
        print(f"picture: {arguments.plot}")
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raises:
    DivminError: flags that do not go together, a picture that cannot be written, or free names in a model of which one law is
        asked.
    """
    check_picture(arguments.plot)
    if arguments.fit and (arguments.route or arguments.samples is not None):
        raise DivminError("--fit finds its own way: leave --route and --samples out")
    if arguments.fit:
        return
    free = free_names(arguments.model)
    if arguments.box:
        raise DivminError("--box says where --fit searches: give --fit, or leave --box out")
    if free and not free_names(arguments.data):
        raise DivminError(
            f"'{arguments.model}' has names for numbers, {' and '.join(free)}: give values, or --fit to search over them"
        )


def _table(found: list[Value]) -> list[str]:
    """A line a divergence."""
    error = "standard error" if found[0].route is Route.SAMPLING else "error at most"
    heading = ("divergence", "nats", error, "route")
    rows = [(each.divergence, each.digits, f"{each.error:.1g}", each.route.value) for each in found]
    return aligned([heading, *rows])
