"""The one small language of expressions: numbers, names, calls and arithmetic, parsed into a tree and nothing else.

Divergences ("0.5*kl + 0.5*rkl"), functions of u ("u*log(u) - u + 1") and recipes ("fgan(kl, nonsaturating)") are all written
in it, and laws ("0.5*normal(0, 1) + 0.5*normal(3, 1)"), which have lists too. Text becomes a tree of the records below; what a
name means is decided by whoever walks the tree, from a fixed table. Nothing is ever evaluated as Python.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from divmin.errors import DivminError, counted

LONGEST, DEEPEST = 2000, 60
LIST = "[]"  # [1, 2] is a call of this name, which no text can spell: whoever knows no lists says that it is unknown


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Name:
    text: str


@dataclass(frozen=True)
class Call:
    name: str
    arguments: tuple[Node, ...]
    keywords: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Binary:
    operator: str  # + - * / ^
    left: Node
    right: Node


@dataclass(frozen=True)
class Negative:
    operand: Node


Node = Number | Name | Call | Binary | Negative

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_][A-Za-z_0-9]*)"
    r"|(?P<symbol>\*\*|[-+*/^(),=\[\]]))"
)
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
_BINDING = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
_UNARY = 3  # -u^2 is -(u^2), -u*v is (-u)*v


def parse(text: str, *, lists: bool = False) -> Node:
    """Parse an expression.

    Args:
        text: at most 2,000 characters, nested at most 60 deep; `**` and `^` are both powers.
        lists: whether [1, 2] may stand in it; it becomes a call of the name `LIST`.

    Returns:
        The tree.

    Raises:
        DivminError: with the position of the first thing that does not fit.

    Example:
        >>> parse("2*kl")
        Binary(operator='*', left=Number(value=2.0), right=Name(text='kl'))
    """
    if not isinstance(text, str):
        raise DivminError(f"expected an expression as text; got {type(text).__name__}")
    if len(text) > LONGEST:
        raise DivminError(f"the expression has {len(text)} characters; at most {LONGEST} are read")
    parser = _Parser(text, lists)
    node = parser.expression(0, 0)
    if parser.token is not None:
        raise parser.error(f"unexpected '{parser.token}'")
    return node


def listed(text: str) -> list[str]:
    """The parts of a text between commas that stand outside of parentheses and brackets.

    Raises:
        DivminError: an empty part.

    Example:
        >>> listed("kl, skew(js, 0.3)")
        ['kl', 'skew(js, 0.3)']
    """
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += letter
    if not all(part.strip() for part in parts):
        raise DivminError(f"{text!r}: expected names or expressions with commas between, as in kl,js")
    return [part.strip() for part in parts]


def names(node: Node) -> set[str]:
    """Every name in a tree that is not the name of a call.

    Example:
        >>> sorted(names(parse("skew(kl, 0.3) + js")))
        ['js', 'kl']
    """
    match node:
        case Name(text):
            return {text}
        case Binary(_, left, right):
            return names(left) | names(right)
        case Negative(operand):
            return names(operand)
        case Call(_, arguments, keywords):
            return set().union(*map(names, arguments), *(names(value) for _, value in keywords))
        case Number():
            return set()


def number(node: Node) -> float | None:
    """The value of a tree that is only numbers and arithmetic, else None.

    Example:
        >>> number(parse("-1/4"))
        -0.25
    """
    match node:
        case Number(value):
            return value
        case Negative(operand):
            inner = number(operand)
            return None if inner is None else -inner
        case Binary(symbol, left, right):
            x, y = number(left), number(right)
            if x is None or y is None:
                return None
            try:
                value = float(_ARITHMETIC[symbol](x, y))
            except (ArithmeticError, TypeError) as error:
                raise DivminError(f"{plain(x)} {symbol} {plain(y)} is not a finite real number") from error
            if not math.isfinite(value):
                raise DivminError(f"{plain(x)} {symbol} {plain(y)} is not a finite real number")
            return value
    return None


def bound(call: Call, defaults: Mapping[str, float | None], skip: int = 0) -> list[float]:
    """The numeric arguments of a call, by position or by name.

    Args:
        call: what was written.
        defaults: every parameter with its default, None for one that must be given.
        skip: how many arguments stand before the numbers.

    Raises:
        DivminError: too many or missing arguments, unknown names, or something that is not a number.

    Example:
        >>> bound(parse("lsgan(-1, generator=0)"), {"fake": 0.0, "real": 1.0, "generator": 1.0})
        [-1.0, 1.0, 0.0]
    """
    placed = call.arguments[skip:]
    names = list(defaults)
    wanted = f"{call.name} takes {counted(len(names), 'number')}" + (f" ({', '.join(names)})" if names else "")
    if len(placed) > len(names):
        raise DivminError(f"{wanted}; got {len(placed)}")
    given: dict[str, Node] = dict(zip(names, placed, strict=False))
    for keyword, node in call.keywords:
        if keyword not in defaults or keyword in given:
            raise DivminError(f"{wanted}; '{keyword}' does not fit")
        given[keyword] = node
    values = [number(given[name]) if name in given else default for name, default in defaults.items()]
    wrong = [
        write(given[name]) if name in given else "nothing" for name, x in zip(names, values, strict=True) if x is None
    ]
    if wrong:
        raise DivminError(f"{wanted}; each must be a number, got {', '.join(wrong)}")
    return [value for value in values if value is not None]


def with_numbers(node: Node, values: Mapping[str, float]) -> Node:
    """A tree with numbers in the place of some names.

    Example:
        >>> write(with_numbers(parse("u^t - t*(u - 1)"), {"t": -2.0}))
        'u^(-2) - -2*(u - 1)'
    """
    match node:
        case Name(text) if text in values:
            return Number(values[text]) if values[text] >= 0 else Negative(Number(-values[text]))
        case Call(name, arguments, keywords):
            put = tuple(with_numbers(each, values) for each in arguments)
            return Call(name, put, tuple((key, with_numbers(value, values)) for key, value in keywords))
        case Binary(symbol, left, right):
            return Binary(symbol, with_numbers(left, values), with_numbers(right, values))
        case Negative(operand):
            return Negative(with_numbers(operand, values))
    return node


def plain(x: float) -> str:
    """The shortest text that reads back as the same number; whole numbers without a point.

    Example:
        >>> plain(2.0), plain(0.1)
        ('2', '0.1')
    """
    return str(int(x)) if abs(x) < 1e15 and x == int(x) else repr(float(x))


def times(factor: float, text: str) -> str:
    """A multiple of an expression as text; the factor 1 is not written.

    Example:
        >>> times(0.5, "kl"), times(2, "u^2 + 1")
        ('0.5*kl', '2*(u^2 + 1)')
    """
    inner = f"({text})" if set(" +-/*^") & set(re.sub(r"\([^()]*\)", "", text)) else text
    return text if factor == 1 else f"{plain(factor)}*{inner}"


def write(node: Node, floor: int = 0) -> str:
    """A tree as text again, with no more parentheses than it needs.

    Example:
        >>> write(parse("((u*log(u)) - (u + 1)*2) ^ 2"))
        '(u*log(u) - (u + 1)*2)^2'
    """
    match node:
        case Number(value):
            return plain(value)
        case Name(text):
            return text
        case Call(name, arguments, keywords):
            start, end = ("[", "]") if name == LIST else (f"{name}(", ")")
            return f"{start}{', '.join([*map(write, arguments), *(f'{k}={write(v)}' for k, v in keywords)])}{end}"
        case Negative(operand):
            text, level = f"-{write(operand, _UNARY)}", _UNARY
        case Binary(symbol, left, right):
            level = _BINDING[symbol]
            glue = f" {symbol} " if level == 1 else symbol
            # equal strength: the left side of + - * / needs no parentheses, nor does the right side of a power
            text = f"{write(left, level - (symbol != '^'))}{glue}{write(right, level - (symbol == '^'))}"
    return f"({text})" if level <= floor else text


class _Parser:
    def __init__(self, text: str, lists: bool) -> None:
        self.text, self.position, self.start = text, 0, 0
        self.lists = lists
        self.token: str | None = None
        self.kind: str | None = None
        self.advance()

    def advance(self) -> None:
        rest = self.text[self.position :]
        self.start = self.position + len(rest) - len(rest.lstrip())
        if not rest.strip():
            self.token = self.kind = None
            return
        match = _TOKEN.match(self.text, self.position)
        if match is None:
            raise self.error(f"unexpected '{self.text[self.start]}'")
        self.kind = match.lastgroup
        self.token = match[self.kind] if self.kind else None
        if self.token == "**":
            self.token = "^"
        self.position = match.end()

    def error(self, what: str) -> DivminError:
        return DivminError(f"cannot read '{self.text.strip()}': {what} at position {self.start + 1}")

    def expect(self, symbol: str) -> None:
        if self.token != symbol:
            raise self.error(f"expected '{symbol}', got {self.shown}")
        self.advance()

    @property
    def shown(self) -> str:
        return "the end" if self.token is None else f"'{self.token}'"

    def expression(self, floor: int, depth: int) -> Node:
        """Precedence climbing: read an operand, then every operator that binds tighter than `floor`."""
        if depth > DEEPEST:
            raise self.error(f"nested more than {DEEPEST} deep")
        left = self.operand(depth + 1)
        length = 0
        while self.token in _BINDING and _BINDING[self.token] > floor:
            length += 1
            if length > 2 * DEEPEST:
                raise self.error(f"more than {2 * DEEPEST} terms in a row")
            symbol = self.token
            self.advance()
            # The right side of a power binds to the right and may carry a sign: u^-2^2 is u^(-(2^2)).
            right = self.expression(_BINDING[symbol] - (symbol == "^"), depth + 1)
            left = Binary(symbol, left, right)
        return left

    def operand(self, depth: int) -> Node:
        token, kind = self.token, self.kind
        if token is None:
            raise self.error("the expression ends where a name or number should stand")
        if kind == "number":
            value = float(token)
            if not math.isfinite(value):
                raise self.error(f"{token} is too large a number")
            self.advance()
            return Number(value)
        if kind == "name":
            self.advance()
            return self.call(token, depth) if self.token == "(" else Name(token)
        if token in "+-":
            self.advance()
            inner = self.expression(_UNARY, depth)
            return Negative(inner) if token == "-" else inner
        if token == "(":
            self.advance()
            inner = self.expression(0, depth)
            self.expect(")")
            return inner
        if token == "[" and self.lists:
            return self.call(LIST, depth)
        raise self.error(f"unexpected '{token}'")

    def call(self, name: str, depth: int) -> Call:
        start, end = ("[", "]") if name == LIST else ("(", ")")
        self.expect(start)
        arguments: list[Node] = []
        keywords: list[tuple[str, Node]] = []
        while self.token != end:
            value = self.expression(0, depth)
            if self.token == "=" and isinstance(value, Name) and name != LIST:
                self.advance()
                keywords.append((value.text, self.expression(0, depth)))
            elif keywords:
                raise self.error("an argument without a name after one with a name")
            else:
                arguments.append(value)
            if self.token not in (",", end):
                raise self.error(f"expected ',' or '{end}', got {self.shown}")
            if self.token == ",":
                self.advance()
        self.advance()
        return Call(name, tuple(arguments), tuple(keywords))
