"""`divmin show NAME-OR-EXPRESSION`: what is known about one divergence."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

from divmin.cli.plugins import add_import, load
from divmin.family import Divergence, divergence
from divmin.family.recognise import recognise
from divmin.files import check_picture
from divmin.grammar import parse, with_numbers, write
from divmin.progress import waiting

AT = (-8.0, -4.0, -1.0, 0.0, 1.0, 4.0, 8.0)


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "examples:\n  divmin show js\n  divmin show 'soften(reverse(kl))' --plot curves.png\n"
        "  divmin show 'u*log(u) - u + 1' --json"
    )
    parser.add_argument("divergence", help="a name, an expression such as 0.5*kl + 0.5*rkl, or f(u) itself")
    parser.add_argument(
        "--plot", metavar="FILE", type=Path, help="draw f'', the weight and s to a .png, .svg or .pdf file"
    )
    add_import(parser)
    parser.add_argument("--json", action="store_true", help="print a record for programs")


def run(arguments: argparse.Namespace) -> int:
    load(arguments.imports)
    check_picture(arguments.plot)
    with waiting("working out the functions of this divergence"):
        f = divergence(arguments.divergence)
        record = describe(f)
    if arguments.plot:
        from divmin.family.curves import curves
        from divmin.plots import save_curves

        save_curves(curves([f]), arguments.plot)
        record["plot"] = str(arguments.plot)
    print(json.dumps(record, indent=2, allow_nan=False) if arguments.json else _text(record, f))
    return 0


def describe(f: Divergence) -> dict[str, Any]:
    """The properties as plain values; an infinity is the text "inf" or "-inf"."""
    found = recognise(f)
    tails = f.tails
    return {
        "name": f.name,
        "expression": f.expression,
        "summary": found.entry.summary if found else None,
        "aliases": list(found.entry.aliases) if found else [],
        "source": found.entry.source if found else None,
        "f": write(with_numbers(parse(found.entry.f), dict(zip(found.entry.parameters, found.parameters, strict=True))))
        if found
        else None,
        "factor": found.factor if found else None,
        "latex": f.formula,
        "scale": f.scale if f.smooth else None,
        "smooth": f.smooth,
        "symmetric": f.symmetric,
        "tails": {key: _plain(getattr(tails, key)) for key in ("R", "S", "C", "D", "confidence")},
        "left_bounded": f.left_bounded,
        "right_bounded": f.right_bounded,
        "bounded": f.bounded,
        "sup": _plain(f.sup),
        "character": f.character,
        "d": list(AT),
        "s": [_plain(f.s(d)) for d in AT],
        "weight": [_plain(f.weight(d)) for d in AT] if f.smooth else None,
        "d2f": [_plain(f.d2f(math.exp(d))) for d in AT] if f.smooth else None,
    }


def _plain(value: float | None) -> float | str | None:
    return value if value is None or math.isfinite(value) else str(value)


def _text(record: dict[str, Any], f: Divergence) -> str:
    tails = f.tails
    how = "" if tails.confidence is None else f", measured to +-{tails.confidence:.1g}"
    lines = [record["name"] + (f"   ({record['expression']})" if record["expression"] != record["name"] else "")]
    if record["summary"]:
        lines.append(record["summary"])
    factor = "" if record["factor"] in (None, 1) else f"{record['factor']:.9g} times "
    rows = {
        "f(u)": f"{factor}{record['f']}" if record["f"] else record["expression"],
        "scale f''(1)": "none: f has a kink" if not f.smooth else f"{f.scale:.12g}",
        "tail weights (R, S)": f"{tails}{how}",
        "tail constants (C, D)": f"({tails.C:.6g}, {tails.D:.6g})",
        "left (fakes)": "bounded" if f.left_bounded else "unbounded",
        "right (missed data)": "bounded" if f.right_bounded else "unbounded",
        "supremum of D": "inf" if math.isinf(f.sup) else f"{f.sup:.12g} nats, reached on disjoint supports",
        "symmetric": "yes" if record["symmetric"] else "no",
        "character": record["character"],
        "aliases": ", ".join(record["aliases"]) or "none",
        "source": record["source"] or "your own",
    }
    lines += [f"  {key:<22}{value}" for key, value in rows.items()]
    lines.append(f"  {'d (nats)':<22}" + "".join(f"{d:>11g}" for d in AT))
    for key in ("s", "weight", "d2f"):
        if record[key] is not None:
            values = "".join(f"{float(value):>11.4g}" for value in record[key])
            label = "f'' at e^d" if key == "d2f" else key
            lines.append(f"  {label:<22}{values}")
    if "plot" in record:
        lines.append(f"  {'plot':<22}{record['plot']}")
    return "\n".join(lines)
