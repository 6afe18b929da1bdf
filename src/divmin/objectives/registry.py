"""The registry of recipes: what text stands for which pair of losses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from divmin.errors import DivminError, suggest
from divmin.family import Divergence
from divmin.family.expression import build as build_divergence
from divmin.family.expression import divergence
from divmin.grammar import Binary, Call, Name, Node, parse, write
from divmin.objectives.base import Recipe
from divmin.objectives.relativistic import Relativistic
from divmin.objectives.terms import Written

AnyRecipe = Recipe | Relativistic


@dataclass(frozen=True)
class Named:
    """A recipe of the registry: how it is written, and how a call of it becomes a recipe."""

    usage: str
    make: Callable[[Call], AnyRecipe]
    summary: str
    source: str
    aliases: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()  # the first is the one that stands for the family

    @property
    def name(self) -> str:
        return self.usage.partition("(")[0]

    @property
    def example(self) -> str:
        """Text that makes one."""
        return self.examples[0] if self.examples else self.name

    @property
    def formula(self) -> str:
        """The losses of its example, per sample, in the critic's output c."""
        one = recipe(self.example)
        text = f"critic: {one.real} on data, {one.fake} on samples; generator: {one.generator}"
        return text + (f" - ({one.likelihood}) log q on data" if isinstance(one, Recipe) and one.likelihood else "")


_named: dict[str, Named] = {}


def register(named: Named) -> None:
    """Add a recipe under its name and aliases; a taken name is an error."""
    for name in (named.name, *named.aliases):
        if name in _named:
            raise DivminError(f"the recipe name '{name}' is taken by {_named[name].usage}")
        _named[name] = named


def register_fixed(
    name: str,
    real: str,
    fake: str,
    generator: str,
    summary: str,
    source: str,
    *,
    minimises: str | None = None,
    likelihood: str | None = None,
    aliases: tuple[str, ...] = (),
) -> None:
    """Add a recipe without parameters whose losses are text in the critic's output c.

    Args:
        name: its name.
        real, fake: what the critic pays on data and on model samples.
        generator: what the generator pays on model samples.
        summary, source: one line each.
        minimises: the divergence, where it is known.
        likelihood: G of the term -E_p[G log q], for losses that have one.
        aliases: further names.
    """

    def make(call: Call) -> Recipe:
        if call.arguments or call.keywords:
            raise DivminError(f"{name} takes no arguments; got {len(call.arguments) + len(call.keywords)}")
        known = None if minimises is None else divergence(minimises)
        data_term = None if likelihood is None else Written(likelihood)
        return Recipe(name, Written(real), Written(fake), Written(generator), known, summary, data_term)

    register(Named(name, make, summary, source, aliases))


def recipes() -> dict[str, Named]:
    """The registry of recipes: name to usage, formula, summary and source.

    Returns:
        A new dict without the aliases, in the order of registration.

    Example:
        >>> recipes()["fgan"].usage
        'fgan(f)'
    """
    return {named.name: named for name, named in _named.items() if name == named.name}


def recipe(what: str | AnyRecipe) -> AnyRecipe:
    """The recipe that a text stands for.

    Args:
        what: "minimax", "nonsaturating", "fgan(kl)", "fgan(kl, nonsaturating)", "hybrid(srkl, js)", "lsgan(-1, 1, 0)",
            "smoothed(nonsaturating, 0.9)", ... with any expression of the catalogue in the place of a divergence and any
            recipe in the place of a recipe. A recipe is returned as it is.

    Returns:
        A frozen Recipe, or a Relativistic one.

    Raises:
        DivminError: one line, naming the nearest known recipe.

    Example:
        >>> recipe("nonsaturating").minimises.name
        '0.5*softened_reverse_kl'
    """
    if isinstance(what, Recipe | Relativistic):
        return what
    return build(parse(what))


def build(node: Node) -> AnyRecipe:
    """The recipe that a tree means."""
    match node:
        case Binary("-", Name(first), Name()) if first.lower() in _named:
            raise DivminError(
                f"'{write(node)}' is a subtraction, not a recipe; what is added to {first} has a name of its own, as in `divmin "
                f"explain {first} --penalty gp`"
            )
    if not isinstance(node, Name | Call):
        raise DivminError(f"'{write(node)}' is not a recipe; expected a name such as nonsaturating or fgan(kl)")
    call = Call(node.text, ()) if isinstance(node, Name) else node
    name = call.name.lower()
    if name not in _named:
        raise DivminError(f"unknown recipe '{name}': {suggest(name, tuple(_named))}; `divmin list --recipes` shows all")
    return _named[name].make(Call(_named[name].name, call.arguments, call.keywords))


def divergence_of(call: Call, place: int = 0) -> Divergence:
    """The divergence that stands at a place of a call."""
    node = call.arguments[place]
    return build_divergence(node, write(node))


def recipe_of(call: Call) -> Recipe:
    """The recipe that stands first in a call, whose terms can be taken apart."""
    if not call.arguments:
        raise DivminError(f"{call.name}(...) needs a recipe first, as in {call.name}(nonsaturating)")
    inner = build(call.arguments[0])
    if not isinstance(inner, Recipe):
        raise DivminError(f"{call.name}(...) needs a recipe with one loss a sample; {inner.name} compares samples")
    return inner
