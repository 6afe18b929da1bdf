"""From text to a law: names with parameters, mixtures, products, densities of dm.data, and probabilities."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor
from torch.distributions import Distribution

from divmin.data import Density, densities
from divmin.errors import DivminError, suggest
from divmin.functions import evaluate, table
from divmin.grammar import LIST, Binary, Call, Name, Negative, Node, names, parse, plain, write
from divmin.values.atoms import OFF, probabilities
from divmin.values.combine import mixture, product
from divmin.values.compound import Given
from divmin.values.kinds import ALIASES, KINDS, SEQUENCES, Kind

PRODUCT = "product"
MOST = 1000  # copies of a law beside each other
CONSTANTS = {"pi": torch.tensor(math.pi, dtype=torch.float64)}


def law(what: str | Distribution | Density, **values: float | Tensor) -> Distribution | Density | Tensor:
    """The law that a text names.

    Args:
        what: a name with parameters (`student_t(3)`, `gamma(shape=2, rate=1)`), a normal law in any dimension
            (`normal([0, 0], [[1, 0.3], [0.3, 2]])`), independent laws (`product(normal(0, 1), laplace(0, 1))`,
            `normal(0, 1)^20`), a mixture (`0.75*normal(-1, 0.5) + 0.25*cauchy(0, 1)`), a density of dm.data
            (`ring(sigma=0.1)`), probabilities or counts (`[0.5, 0.5]`, `probs(0.5, 0.5)`). Numbers may be
            arithmetic: 1/3, sqrt(2), pi. A law is returned as it is.
        values: numbers for further names in the text; the law is differentiable in those that are tensors.

    Returns:
        A torch distribution in float64, or a density; for probabilities and counts a float64 tensor that adds up to 1.

    Raises:
        DivminError: one line, for text that cannot be read, unknown names, and parameters out of range.

    Example:
        >>> import divmin as dm
        >>> dm.law("student_t(3)").df
        tensor(3., dtype=torch.float64)
        >>> print(dm.exact("kl", dm.law("normal(m, 1)", m=1.0), dm.law("normal(0, 1)")))
        kl = 0.5 nats (closed form, error at most 2e-15)
    """
    if isinstance(what, Distribution | Density):
        return what
    node = parse(what, lists=True)
    given = {name: torch.as_tensor(value, dtype=torch.float64) for name, value in values.items()}
    return _Reading(what.strip(), {**CONSTANTS, **given}).meant(node)


@dataclass(frozen=True)
class _Reading:
    """A walk over the tree of one text, which errors quote, with what its names stand for."""

    text: str
    values: Mapping[str, Tensor]

    def meant(self, node: Node) -> Given | Tensor:
        """The law of a whole tree, or its probabilities."""
        name = known_name(node.name) if isinstance(node, Call) else ""
        if isinstance(node, Call) and name in (LIST, "probs"):
            return probabilities(self.numbers(node), write(node))
        return self.whole(node)

    def whole(self, node: Node) -> Given:
        """A law by itself: a mixture whose weights add up to 1."""
        weights, parts = zip(*self.terms(node), strict=True)
        if any(not weight > 0 for weight in weights):
            raise DivminError(f"the weights in '{self.text}' are {self.shown(weights)}: expected positive numbers")
        total = float(sum(weight.detach() for weight in weights))
        if not abs(total - 1) <= OFF:
            example = "as in 0.75*normal(-1, 1) + 0.25*normal(2, 1)"
            raise DivminError(f"the weights in '{self.text}' add up to {plain(round(total, 9))}: expected 1, {example}")
        return parts[0] if len(parts) == 1 else mixture(torch.stack(weights) / sum(weights), parts)

    def terms(self, node: Node) -> list[tuple[Tensor, Given]]:
        """The weighted laws that a tree adds up."""
        if self.is_number(node):
            raise DivminError(f"'{write(node)}' is a number, not a law: expected for example normal(0, 1)")
        match node:
            case Binary("+", left, right):
                return self.terms(left) + self.terms(right)
            case Binary("*", left, right) if self.is_number(left):
                return self.weighted(self.number(left), right)
            case Binary("*", left, right) if self.is_number(right):
                return self.weighted(self.number(right), left)
            case Binary("/", left, right) if self.is_number(right):
                return self.weighted(1 / self.number(right), left)
            case Binary("^", left, right) if self.is_number(right):
                return [(_ONE, self.copies(left, self.number(right)))]
            case Binary("-") | Negative():
                raise DivminError(f"'{self.text}' subtracts a law: only laws with positive weights can be added")
            case Binary(symbol):
                raise DivminError(
                    f"in '{self.text}', '{symbol}' cannot stand here: laws can be added with weights, as in "
                    "0.5*A + 0.5*B, and repeated, as in A^3; product(A, B) sets them beside each other"
                )
            case Name(name):
                return [(_ONE, self.called(Call(name, ())))]
            case Call():
                return [(_ONE, self.called(node))]
        raise AssertionError(node)

    def weighted(self, weight: Tensor, node: Node) -> list[tuple[Tensor, Given]]:
        return [(weight * each, part) for each, part in self.terms(node)]

    def copies(self, node: Node, count: Tensor) -> Given:
        n = float(count)
        if not (1 <= n <= MOST and n == int(n)):
            raise DivminError(
                f"'{self.text}' repeats a law {plain(n)} times: expected a whole number from 1 to {MOST:,}"
            )
        one = self.whole(node)
        return product([one] * int(n)) if n > 1 else one

    def called(self, call: Call) -> Given:
        """The law of a name with what follows it in parentheses."""
        name = known_name(call.name)
        if name in KINDS:
            return self.of_kind(KINDS[name], call)
        if name == PRODUCT:
            if call.keywords or not call.arguments:
                raise DivminError("product takes laws: write for example product(normal(0, 1), laplace(0, 1))")
            parts = [self.whole(each) for each in call.arguments]
            return product(parts) if len(parts) > 1 else parts[0]
        if name in (LIST, "probs"):
            raise DivminError(
                f"'{write(call)}' are probabilities, not a law: write categorical(...) where it is a part of '{self.text}'"
            )
        if name in SEQUENCES:
            return cast(Distribution, SEQUENCES[name].make(self.numbers(call), write(call)))
        if name in densities():
            return self.of_data(name, call)
        known = (*KINDS, *SEQUENCES, PRODUCT, *(each for each in densities() if each not in KINDS))
        near = suggest(name, known)
        raise DivminError(f"unknown law '{call.name}' in '{self.text}': {near if near.startswith('did') else _SOME}")

    def of_kind(self, kind: Kind, call: Call) -> Given:
        def read(node: Node) -> Tensor:
            if isinstance(node, Call) and node.name == LIST:
                return self.numbers(node)
            if not self.is_number(node):
                raise DivminError(f"{kind.usage} takes numbers, or lists of them; got {write(node)}")
            return self.number(node)

        doubled = len({key for key, _ in call.keywords}) < len(call.keywords)
        if doubled:
            raise DivminError(f"{write(call)} gives a parameter twice: give it once")
        named = {key: read(node) for key, node in call.keywords}
        return kind.law(kind.bound([read(node) for node in call.arguments], named))

    def of_data(self, name: str, call: Call) -> Density:
        accepted = [*inspect.signature(densities()[name].make).parameters]
        if call.arguments:
            usage = f"{name}({', '.join(f'{key}=...' for key in accepted)})"
            raise DivminError(f"{write(call)} gives a parameter without its name: write {usage}")
        found = {key: float(self.number(node)) for key, node in call.keywords}
        return densities()[name](**{key: int(x) if x.is_integer() else x for key, x in found.items()})

    # --- numbers -----------------------------------------------------------------------------------------------------------

    def is_number(self, node: Node) -> bool:
        """Whether a tree is arithmetic with numbers, functions and names that stand for numbers."""
        return names(node) <= set(self.values) and _calls(node) <= set(table())

    def number(self, node: Node) -> Tensor:
        """The number that a tree means, a float64 tensor without dimensions."""
        if not self.is_number(node):
            raise DivminError(f"'{write(node)}' in '{self.text}' is not a number, as 2, 1/3, sqrt(2) and pi are")
        try:
            found = evaluate(node, self.values)
            value = torch.as_tensor(found, dtype=torch.float64)
        except (ArithmeticError, TypeError, RuntimeError) as error:  # 1/0, 1e300^2, (-8)^(1/3), which is complex
            raise DivminError(f"'{write(node)}' in '{self.text}' is not a finite real number") from error
        if value.dim() or not bool(value.isfinite()):
            raise DivminError(f"'{write(node)}' in '{self.text}' is not a finite real number")
        return value

    def numbers(self, call: Call) -> Tensor:
        """The numbers in a list, or in the parentheses of a call: [n], or a table of rows of one length."""
        arguments: Sequence[Node] = call.arguments
        if call.keywords or not arguments:
            raise DivminError(f"'{write(call)}' in '{self.text}': expected numbers with commas between")
        if len(arguments) == 1 and call.name != LIST and isinstance(arguments[0], Call) and arguments[0].name == LIST:
            return self.numbers(arguments[0])  # probs([0.5, 0.5])
        rows = [
            self.numbers(each) if isinstance(each, Call) and each.name == LIST else self.number(each)
            for each in arguments
        ]
        if len({row.shape for row in rows}) > 1:
            raise DivminError(f"'{write(call)}' in '{self.text}' has rows of several lengths: expected one length")
        return torch.stack(rows)

    @staticmethod
    def shown(weights: Sequence[Tensor]) -> str:
        return ", ".join(plain(float(weight.detach())) for weight in weights)


_ONE = torch.ones((), dtype=torch.float64)
_SOME = "laws are normal, laplace, student_t, gamma, poisson, ring ..., all in docs/values.md"


def known_name(name: str) -> str:
    """A name as it is registered, from snake case, CamelCase or an alias."""
    if name in densities() and name.lower() not in KINDS:
        return name
    plainest = name.lower().replace("_", "")
    found = {each.replace("_", ""): each for each in (*KINDS, *SEQUENCES, PRODUCT)}
    aliased = {key.replace("_", ""): each for key, each in ALIASES.items()}
    return (found | aliased).get(plainest, name)


def _calls(node: Node) -> set[str]:
    """The names of all calls in a tree."""
    match node:
        case Call(name, arguments, keywords):
            return {name}.union(*map(_calls, arguments), *(_calls(value) for _, value in keywords))
        case Binary(_, left, right):
            return _calls(left) | _calls(right)
        case Negative(operand):
            return _calls(operand)
    return set()


def is_law(name: str) -> bool:
    """Whether a name is that of a law or a density."""
    known = known_name(name)
    return known in (*KINDS, *SEQUENCES, PRODUCT) or known in densities()
