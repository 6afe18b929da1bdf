"""`divmin explain RECIPE`: what a recipe, or any pair of losses, minimises."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from divmin.cli.plugins import add_import, attribute, check_registered, described, load
from divmin.errors import DivminError
from divmin.explanation import Explanation, explain
from divmin.files import check_picture
from divmin.objectives import Recipe, Relativistic
from divmin.progress import waiting

EXAMPLES = """examples:
  divmin explain nonsaturating
  divmin explain 'lsgan(-1, 1, 0)' --plot lsgan.png
  divmin explain minimax --compare nonsaturating huszar 'fgan(kl)' --plot four.png
  divmin explain --critic-real 'softplus(-c)' --critic-fake 'softplus(c)' --generator 'softplus(-c)'
  divmin explain --reward 'log(D)'            # adversarial imitation
  divmin explain --sampled-loss k3            # a KL penalty, samples fixed
  divmin explain --weight 'u/(1 + u)'         # distillation by h(r)
  divmin explain losses.py:pair --import losses.py
text stands in c (the critic's raw output) or D = sigmoid(c); in d = log p/q or u = p/q for weights and sampled losses
MODULE:NAME is a recipe, ((loss_on_real, loss_on_fake), generator), (loss_on_real, loss_on_fake, generator), or a function of
no arguments that returns one of them; losses are functions of c, or text
from Python only: rpgan for given data, dm.explain("rpgan", p=, q=) with distributions, or log_ratios="""

EXPECTED = (
    "a recipe, ((loss_on_real, loss_on_fake), generator), (loss_on_real, loss_on_fake, generator), or a function of no arguments "
    "that returns one of them"
)

WIDEST = 1000  # columns, in which no name of a table is broken

# What follows these is text that may begin with a minus.
TEXT_FLAGS = ("--critic-real", "--critic-fake", "--generator", "--weight", "--reward", "--sampled-loss")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.epilog = EXAMPLES
    parser.add_argument("recipe", nargs="?", help="a recipe, or MODULE:NAME of an imported module")
    parser.add_argument("--critic-real", metavar="TEXT", help="what the critic pays on data, in c")
    parser.add_argument("--critic-fake", metavar="TEXT", help="what the critic pays on model samples, in c")
    parser.add_argument("--generator", metavar="TEXT", help="what the generator pays on model samples, in c")
    parser.add_argument("--weight", metavar="TEXT", help="a generator weight, in u or d, in the place of a recipe")
    parser.add_argument("--reward", metavar="TEXT", help="a reward of adversarial imitation, in c or D")
    parser.add_argument(
        "--sampled-loss", metavar="TEXT", help="k1, k2, k3, or text in d such as d^2/2, averaged over model samples"
    )
    parser.add_argument(
        "--samples",
        metavar="HOW",
        help="how --sampled-loss is differentiated: fixed (default), reparameterised or reward",
    )
    parser.add_argument(
        "--penalty", nargs="+", default=[], metavar="NAME", help="regularisers to say something about: r1, gp ..."
    )
    parser.add_argument(
        "--compare", nargs="+", default=[], metavar="RECIPE", help="further recipes, or MODULE:NAME, side by side"
    )
    parser.add_argument(
        "--plot", metavar="FILE", type=Path, help="draw link, pull and cost to a .png, .svg or .pdf file"
    )
    parser.add_argument("--json", action="store_true", help="print records for programs")
    add_import(parser, ", and MODULE:NAME explained")


def run(arguments: argparse.Namespace) -> int:
    modules = load(arguments.imports)
    check_picture(arguments.plot)
    with waiting("working out what is minimised"):
        others = [lambda text=text: _named(text, modules, arguments.penalty) for text in arguments.compare]
        found = [make() for make in (_first(arguments, modules), *others)]
    if arguments.plot:
        from divmin.explanation.curves import lines
        from divmin.plots import save_explanations

        caption = f"{found[0].subject}: {found[0].sentence}" if len(found) == 1 else ""
        span = max(each.span for each in found)
        save_explanations(lines(found, span=span, points=round(40 * span) + 1), arguments.plot, caption=caption)
    if arguments.json:
        records = [each.to_record() for each in found]
        print(json.dumps(records if arguments.compare else records[0], indent=2, allow_nan=False))
        return 0
    if arguments.compare:
        _table(found)
    else:
        print(found[0])
    if arguments.plot:
        print(f"picture: {arguments.plot}")
    return 0


def _first(arguments: argparse.Namespace, modules: dict[str, Any]) -> Callable[[], Explanation]:
    """What answers the question that was asked."""
    penalty = arguments.penalty
    if arguments.samples is not None and arguments.sampled_loss is None:
        raise DivminError(
            "--samples says how --sampled-loss is differentiated: give --sampled-loss, or leave --samples out"
        )
    critic = (arguments.critic_real, arguments.critic_fake)
    given: dict[str, Callable[[], Explanation]] = {}
    if arguments.recipe is not None:
        given["a recipe"] = lambda: _named(arguments.recipe, modules, penalty)
    if any(each is not None for each in (*critic, arguments.generator)):
        given["losses"] = lambda: _losses(*critic, arguments.generator, penalty)
    if arguments.weight is not None:
        given["--weight"] = lambda: explain(weight=arguments.weight, penalty=penalty)
    if arguments.reward is not None:
        given["--reward"] = lambda: explain(reward=arguments.reward, penalty=penalty)
    if arguments.sampled_loss is not None:
        given["--sampled-loss"] = lambda: explain(
            sampled_loss=arguments.sampled_loss, samples=arguments.samples, penalty=penalty
        )
    if len(given) != 1:
        got = " and ".join(given) or "nothing"
        raise DivminError(f"explain needs one thing, such as a recipe; got {got} (see divmin explain --help)")
    return next(iter(given.values()))


def _losses(real: str | None, fake: str | None, generator: str | None, penalty: list[str]) -> Explanation:
    flags = {"--critic-real": real, "--critic-fake": fake, "--generator": generator}
    missing = [flag for flag, text in flags.items() if text is None]
    if missing:
        raise DivminError(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing: a game has three losses"
        )
    assert real is not None
    assert fake is not None
    return explain(critic=(real, fake), generator=generator, penalty=penalty)


def _named(text: str, modules: dict[str, Any], penalty: list[str]) -> Explanation:
    """A recipe by name, or an object of the user's: a recipe, three losses, or a function that returns either."""
    if ":" not in text:
        check_registered(text, modules, f"explain a pair of its losses with {text}:NAME")
        return explain(text, penalty=penalty)
    thing = attribute(text, modules)
    if callable(thing) and not isinstance(thing, Recipe | Relativistic):
        try:
            thing = thing()
        except DivminError:
            raise
        except (Exception, SystemExit) as error:  # whatever the user's code raises
            raise DivminError(f"{text}() failed: {described(error)}; expected {EXPECTED}") from error
    if isinstance(thing, Recipe | Relativistic):
        return explain(thing, penalty=penalty)
    match thing:
        case ((real, fake), generator) | (real, fake, generator):
            return replace(explain(critic=(real, fake), generator=generator, penalty=penalty), subject=text)
        case (critic, generator) if callable(critic) and callable(generator):
            raise DivminError(
                f"{text} is a pair of functions; if they are losses of whole batches, ask dm.audit(critic_loss, generator_loss) in "
                f"Python; expected {EXPECTED}"
            )
    size = f" of {len(thing)}" if isinstance(thing, tuple | list) else ""
    raise DivminError(f"{text} is of type {type(thing).__name__}{size}; expected {EXPECTED}")


def _table(found: list[Explanation]) -> None:
    """A row a recipe where whole names fit into the terminal, else a block a recipe."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    rows = [_row(each) for each in found]
    table = Table(box=box.SIMPLE, title="what each minimises with its best critic")
    for heading in rows[0]:
        table.add_column(heading, no_wrap=True)
    for row in rows:
        table.add_row(*row.values())
    console = Console()
    if Console(width=WIDEST).measure(table).maximum <= console.width:
        console.print(table)
    else:
        for row in rows:
            console.print(
                "\n".join(f"  {key:<16}{value}" if key != "recipe" else value for key, value in row.items()),
                soft_wrap=True,
            )
        console.print()
    for each in found:
        console.print(f"{each.subject}: {each.sentence}", markup=False, highlight=False, soft_wrap=True)


def _row(found: Explanation) -> dict[str, str]:
    saturation = found.saturation
    return {
        "recipe": found.subject,
        "minimises": found.formula_name,
        "(R, S)": str(found.tails) if found.tails else "-",
        "pull on fakes": saturation.left.partition(",")[0] if saturation else "-",
        "on missed data": saturation.right.partition(",")[0] if saturation else "-",
        "pushed away": ", ".join(map(str, found.region_pushed_away)) or "nowhere",
    }
