"""From text to a divergence: names and aliases, families with parameters, the algebra, and f(u) itself."""

from __future__ import annotations

from collections.abc import Callable

from divmin.errors import DivminError, suggest
from divmin.family.base import Divergence
from divmin.family.catalogue import entries, entry
from divmin.grammar import Binary, Call, Name, Negative, Node, bound, names, number, parse, write

# name -> (number of numeric parameters, what it does)
OPERATIONS: dict[str, tuple[int, Callable[..., Divergence]]] = {
    "reverse": (0, lambda f, *x: f.reverse(*x)),
    "symmetrize": (0, lambda f, *x: f.symmetrize(*x)),
    "symmetrise": (0, lambda f, *x: f.symmetrize(*x)),
    "soften": (0, lambda f, *x: f.soften(*x)),
    "skew": (1, lambda f, *x: f.skew(*x)),
    "canonical": (0, lambda f, *x: f.canonical(*x)),
    "nonsaturating": (0, lambda f, *x: f.nonsaturating(*x)),
}


def divergence(what: str | Divergence) -> Divergence:
    """The divergence with this name, alias or expression.

    Args:
        what: a name (`divmin list`), a family with parameters (`power(0.3)`), an expression of the algebra
            (`soften(reverse(kl))`, `0.5*kl + 0.5*rkl`, `skew(js, 0.3)`), or a function of u (`u*log(u) - u + 1`).
            A Divergence is returned as it is.

    Returns:
        A frozen Divergence; names carry their textbook scale, `.scale` = f''(1).

    Raises:
        DivminError: one line, for text that cannot be read, unknown names and functions that are not convex.

    Example:
        >>> f = divergence("soften(reverse(kl))")
        >>> f.name, str(f.tails), f.scale
        ('softened_reverse_kl', '(2, 0)', 1.0)
    """
    if isinstance(what, Divergence):
        return what
    return build(parse(what), what)


def build(node: Node, text: str) -> Divergence:
    """The divergence that a tree means; `text` is quoted in errors."""
    value = _value(node, text)
    if not isinstance(value, Divergence):
        raise DivminError(f"'{text.strip()}' is a number, not a divergence")
    return value


def _value(node: Node, text: str) -> Divergence | float:
    if (value := number(node)) is not None:
        return value
    if "u" in names(node):
        from divmin.family.text import from_text, is_function_of_u

        if is_function_of_u(node):
            return from_text(write(node))
    match node:
        case Name(name):
            return _named(name)
        case Negative():
            raise DivminError(
                f"'{text.strip()}' subtracts a divergence; only positive multiples and sums are divergences"
            )
        case Binary(operator, left, right):
            return _combined(operator, _value(left, text), _value(right, text), text)
        case Call():
            return _called(node, text)
    raise AssertionError(node)


def _named(name: str) -> Divergence:
    found = entry(name)
    if found.parameters:
        example = found.spelling(found.examples[-1])
        raise DivminError(f"{found.name} needs {', '.join(found.parameters)}: write for example {example}")
    return found.build()


def _called(node: Call, text: str) -> Divergence:
    name = node.name.lower()
    if name not in OPERATIONS:
        known = (*OPERATIONS, *(key for key, each in entries().items() if each.parameters))
        try:
            found = entry(name)
        except DivminError:
            raise DivminError(f"unknown function '{node.name}' in '{text.strip()}': {suggest(name, known)}") from None
        return found.build(*bound(Call(found.name, node.arguments, node.keywords), dict.fromkeys(found.parameters)))
    count, operation = OPERATIONS[name]
    if not node.arguments:
        raise DivminError(f"{name}(...) needs a divergence")
    inner = _value(node.arguments[0], text)
    if not isinstance(inner, Divergence):
        raise DivminError(f"{name}(...) needs a divergence first; got a number in '{text.strip()}'")
    return operation(inner, *bound(node, dict.fromkeys(("pi",)[:count]), skip=1))


def _combined(operator: str, left: Divergence | float, right: Divergence | float, text: str) -> Divergence:
    match operator, left, right:
        case "+", Divergence(), Divergence():
            return left + right
        case "*", float(), Divergence():
            return left * right
        case "*", Divergence(), float():
            return right * left
        case "/", Divergence(), float():
            return left / right
    raise DivminError(
        f"in '{text.strip()}', '{operator}' cannot stand here: divergences can be added, and multiplied or divided by numbers"
    )
