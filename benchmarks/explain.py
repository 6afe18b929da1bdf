"""How long an explanation takes: by name with a closed form, and of callables, by numbers alone. Caches are emptied before each.

python benchmarks/explain.py

The aims: numbers alone under 2 s, with a closed form under 10 s.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from sympy.core.cache import clear_cache
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

import divmin as dm
from divmin.explanation.questions import _remembered
from divmin.explanation.symbolic import closed_form
from divmin.family.recognise import recognise
from divmin.objectives import Recipe


def bce(target: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda c: binary_cross_entropy_with_logits(c, torch.full_like(c, target))


CALLABLES = {
    "softplus, torch": (lambda c: softplus(-c), softplus, lambda c: softplus(-c)),
    "BCE with mean": (bce(1.0), bce(0.0), bce(1.0)),
    "log(sigmoid + eps), mean": (
        lambda c: -(c.sigmoid() + 1e-8).log().mean(),
        lambda c: -(1 - c.sigmoid() + 1e-8).log().mean(),
        lambda c: -(c.sigmoid() + 1e-8).log().mean(),
    ),
    "without a name": (lambda c: softplus(-c) + 0.1 * c**2, softplus, lambda c: softplus(-c)),
    "hinge, torch": (lambda c: (1 - c).relu(), lambda c: (1 + c).relu(), lambda c: -c),
    "hinge, plain Python": (lambda c: max(0, 1 - c), lambda c: max(0, 1 + c), lambda c: -c),
    "hinge, NumPy": (lambda c: np.maximum(0, 1 - c), lambda c: np.maximum(0, 1 + c), lambda c: -c),
    "hinge, math": (
        lambda c: math.fabs(1 - c) if c < 1 else 0.0,
        lambda c: math.fabs(1 + c) if c > -1 else 0.0,
        lambda c: math.copysign(c, -c),
    ),
    "softplus, math": (
        lambda c: math.log1p(math.exp(-c)),
        lambda c: math.log1p(math.exp(c)),
        lambda c: math.log1p(math.exp(-c)),
    ),
}


def seconds(work: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        _remembered.cache_clear()
        recognise.cache_clear()
        clear_cache()
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    dm.explain("minimax")  # imports
    rows = []
    for name, losses in CALLABLES.items():
        taken = seconds(lambda one=losses: dm.explain(critic=one[:2], generator=one[2]), options.rounds)
        rows.append({"what": name, "kind": "numbers alone", "seconds": taken, "at_most": 2.0})
    examples = [text for named in dm.recipes().values() for text in (named.examples or (named.name,))]
    for text in [
        *examples,
        "fgan(u^2)",
        "fgan(u^2, nonsaturating)",
    ]:  # a and b of an f as text are integrated numerically
        recipe = dm.recipe(text)
        if not isinstance(recipe, Recipe):
            continue
        taken = seconds(lambda one=text: dm.explain(one), options.rounds)
        rows.append({"what": text, "kind": "recipe", "seconds": taken, "at_most": 10.0})
        taken = seconds(lambda one=recipe: closed_form(one), options.rounds)
        rows.append({"what": text, "kind": "its closed form", "seconds": taken, "at_most": 10.0})
    if options.json:
        print(json.dumps(rows, indent=2))
        return
    for kind in ("numbers alone", "recipe", "its closed form"):
        of_kind = sorted((row for row in rows if row["kind"] == kind), key=lambda row: -float(row["seconds"]))
        median = statistics.median(float(row["seconds"]) for row in of_kind)
        print(
            f"{kind}: {len(of_kind)} cases, median {median:.2f} s, at most {of_kind[0]['at_most']:.0f} s wanted; the slowest:"
        )
        for row in of_kind[:7]:
            print(f"    {row['what']:<40}{row['seconds']:6.2f} s")


if __name__ == "__main__":
    main()
