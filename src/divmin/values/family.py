"""A family of laws as text, such as "normal(loc, scale)": which of its names are free, and what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.distributions import Distribution, constraints

from divmin.errors import DivminError
from divmin.functions import evaluate
from divmin.grammar import LIST, Binary, Call, Name, Negative, Node, parse
from divmin.values.kinds import KINDS, Kind
from divmin.values.text import CONSTANTS, is_law, known_name, law

Place = tuple[Kind | None, str]  # a law and its parameter by its name in torch; no law for a name within arithmetic


@dataclass(frozen=True)
class Family:
    """Laws by their free parameters, called as a class of torch is.

    Args:
        text: of the law.
        node: its tree.
        arg_constraints: what each free name may be, in the order in which the names stand in the text.
        roles: the parameter of a law on the whole line that each name is, by its name in torch.
    """

    text: str
    node: Node = field(repr=False)
    arg_constraints: Mapping[str, Any]
    roles: Mapping[str, str]

    def __call__(self, **values: Tensor) -> Any:
        """The law at one value of every name; for a law with a name, also the laws at tensors of one shape.

        Raises:
            TypeError: other names than the free ones.
            DivminError: values that no law has.
        """
        if set(values) != set(self.arg_constraints):
            raise TypeError(f"{self.text} has the free names {', '.join(self.arg_constraints)}")
        shape = torch.broadcast_shapes(*(value.shape for value in values.values()))
        kind = _kind(self.node)
        if kind and shape:
            return self._batch(kind, values, shape)
        return law(self.text, **{name: value.reshape(()) for name, value in values.items()})

    def _batch(self, kind: Kind, values: Mapping[str, Tensor], shape: torch.Size) -> Distribution:
        known = {**CONSTANTS, **values}

        def read(node: Node) -> Tensor:
            return torch.as_tensor(evaluate(node, known), dtype=torch.float64).expand(shape)

        assert isinstance(self.node, Call)
        bound = kind.bound([read(each) for each in self.node.arguments], {k: read(v) for k, v in self.node.keywords})
        made: Distribution = kind.family(
            **{kind.takes[key]: value.expand(shape) for key, value in bound.items()}, validate_args=True
        )
        return made


def family(text: str) -> Family:
    """The family that a text with free names means.

    Args:
        text: a law as `divmin.law` reads it, with names where numbers would stand.

    Raises:
        DivminError: text that cannot be read, or without a free name.

    Example:
        >>> found = family("normal(m, 2*s)")
        >>> found.arg_constraints
        {'m': Real(), 's': Real()}
        >>> family("normal(m, s)").arg_constraints["s"], family("normal(m, s)").roles
        (GreaterThan(lower_bound=0.0), {'m': 'loc', 's': 'scale'})
    """
    node = parse(text, lists=True)
    found = _free(node)
    if not found:
        raise DivminError(
            f"'{text}' has no free name to search over: write names for numbers, as in normal(loc, scale)"
        )
    kind = _kind(node)
    whole = kind is not None and kind.family.support is constraints.real
    single = {name: places[0][1] for name, places in found.items() if len(places) == 1}
    return Family(
        text.strip(),
        node,
        {name: _limit(places) for name, places in found.items()},
        {name: role for name, role in single.items() if whole and role},
    )


def free_names(text: str) -> list[str]:
    """The names in a text that stand for no law and no known number.

    Example:
        >>> free_names("w*normal(0, 1) + (1 - w)*normal(pi, s)")
        ['w', 's']
    """
    return list(_free(parse(text, lists=True)))


def _kind(node: Node) -> Kind | None:
    """The law with a name that a whole tree is, if its parameters are numbers and no lists."""
    if not isinstance(node, Call) or any(isinstance(each, Call) and each.name == LIST for each in node.arguments):
        return None
    return KINDS.get(known_name(node.name))


def _limit(places: list[Place]) -> Any:
    """What a name may be: the first limit other than a number of the parameters that it stands for alone."""
    for kind, role in places:
        limits = kind.family.arg_constraints if kind else {}  # a property where they depend on each other
        limit = limits.get(role, constraints.real) if isinstance(limits, Mapping) else constraints.real
        if not constraints.is_dependent(limit) and limit is not constraints.real:
            return limit
    return constraints.real


def _free(node: Node) -> dict[str, list[Place]]:
    """Every free name with the places where it stands, in the order of the text."""
    found: dict[str, list[Place]] = {}
    _collect(node, (None, ""), found)
    return found


def _collect(node: Node, place: Place, found: dict[str, list[Place]]) -> None:
    nowhere: Place = (None, "")
    match node:
        case Name(name):
            if name not in CONSTANTS and not is_law(name):
                found.setdefault(name, []).append(place)
        case Binary(_, left, right):
            _collect(left, nowhere, found)
            _collect(right, nowhere, found)
        case Negative(operand):
            _collect(operand, nowhere, found)
        case Call(name, arguments, keywords):
            kind = KINDS.get(known_name(name))
            takes = list(kind.takes.values()) if kind else []
            for i, each in enumerate(arguments):
                _collect(each, (kind, takes[i]) if i < len(takes) else nowhere, found)
            for key, each in keywords:
                _collect(each, (kind, kind.takes.get(key, key)) if kind else nowhere, found)
