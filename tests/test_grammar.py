"""The language of expressions: what is read, what is refused in one line, and that text and tree are the same thing."""

from __future__ import annotations

import math
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import divmin as dm
from divmin.grammar import (
    DEEPEST,
    LONGEST,
    Binary,
    Call,
    Name,
    Negative,
    Node,
    Number,
    names,
    number,
    parse,
    plain,
    times,
    write,
)

PIECES = [
    "kl", "js", "rkl", "u", "log", "reverse", "soften", "skew", "power", "gjs", "u*log(u)", "fgan", "pi", "=", "+", "-",
    "*", "/", "^", "**", "(", ")", ",", " ", "0", "0.3", "1e5", "2", "-1", "1e999", ".", "abs(", "exp(", "tv", "é", "\n", "'",
]  # fmt: skip
LETTERS = string.ascii_letters + "_"


def trees() -> st.SearchStrategy[Node]:
    identifiers = st.builds(str.__add__, st.sampled_from(LETTERS), st.text(LETTERS + string.digits, max_size=4))
    leaves = st.one_of(
        st.floats(0, 1e300, allow_nan=False).map(Number),
        st.integers(0, 10**6).map(lambda n: Number(float(n))),
        identifiers.map(Name),
    )

    def grow(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
        keywords = st.lists(st.tuples(identifiers, inner), max_size=2).map(tuple)
        return st.one_of(
            st.builds(Binary, st.sampled_from("+-*/^"), inner, inner),
            inner.map(Negative),
            st.builds(Call, identifiers, st.lists(inner, max_size=3).map(tuple), keywords),
        )

    return st.recursive(leaves, grow, max_leaves=12)


@settings(max_examples=300)
@given(trees())
def test_text_and_tree_are_the_same_thing(node: Node) -> None:
    assert parse(write(node)) == node


def refused_or_read(text: str) -> None:
    messages = []
    for read in (parse, dm.divergence, dm.recipe):
        try:
            read(text)
        except dm.DivminError as error:
            messages.append(str(error))
    assert all(len(message.splitlines()) == 1 for message in messages)


@settings(max_examples=300)
@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    refused_or_read(text)


@settings(max_examples=250)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_any_mixture_of_pieces_is_read_or_refused(text: str) -> None:
    refused_or_read(text)


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("1 + 2*3", Binary("+", Number(1), Binary("*", Number(2), Number(3)))),
        ("1 - 2 - 3", Binary("-", Binary("-", Number(1), Number(2)), Number(3))),
        ("2^3^2", Binary("^", Number(2), Binary("^", Number(3), Number(2)))),
        ("2**3", Binary("^", Number(2), Number(3))),
        ("-u^2", Negative(Binary("^", Name("u"), Number(2)))),
        ("-u*v", Binary("*", Negative(Name("u")), Name("v"))),
        ("u^-2", Binary("^", Name("u"), Negative(Number(2)))),
        ("8/4/2", Binary("/", Binary("/", Number(8), Number(4)), Number(2))),
        ("+u", Name("u")),
        (".5e1", Number(5.0)),
        (" skew( kl ,pi = 0.3 ) ", Call("skew", (Name("kl"),), (("pi", Number(0.3)),))),
        ("f()", Call("f", ())),
    ],
)
def test_trees(text: str, tree: Node) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "ends where a name or number should stand"),
        ("kl +", "ends where"),
        ("(kl", r"expected '\)', got the end"),
        ("kl)", r"unexpected '\)' at position 3"),
        ("kl js", "unexpected 'js' at position 4"),
        ("2 $ 3", r"unexpected '\$' at position 3"),
        ("skew(kl 0.3)", r"expected ',' or '\)', got '0.3'"),
        ("skew(pi=0.3, kl)", "without a name after one with a name"),
        ("kl == js", "unexpected '='"),
        ("1e999", "too large a number"),
        ("__import__('os')", "unexpected"),
        ("().__class__", "unexpected"),
    ],
)
def test_what_does_not_fit_is_said_with_its_position(text: str, what: str) -> None:
    with pytest.raises(dm.DivminError, match=what):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 500 + "kl" + ")" * 500,
        "-" * 500 + "1",
        "^".join(["2"] * 400),
        "+".join(["kl"] * 400),
        "f(" * 300 + "1" + ")" * 300,
        "x" * (LONGEST + 1),
        "1" * 400,
    ],
    ids=["parentheses", "signs", "powers", "sum", "calls", "long", "digits"],
)
def test_depth_and_length_are_limited(text: str) -> None:
    with pytest.raises(dm.DivminError) as caught:
        dm.divergence(text)
    assert "\n" not in str(caught.value)


def test_what_fits_the_limits_is_read() -> None:
    assert parse("(" * (DEEPEST - 2) + "kl" + ")" * (DEEPEST - 2)) == Name("kl")
    assert names(parse("+".join(["kl"] * 100))) == {"kl"}


@pytest.mark.parametrize(
    "text", ["__import__", "os.system(1)", "lambda: 1", "open(kl)", "exec(u)", "kl.scale", "kl[0]", "u if u else u"]
)
def test_python_is_not_evaluated(text: str) -> None:
    with pytest.raises(dm.DivminError):
        dm.divergence(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("kll", "unknown divergence 'kll': did you mean kl"),
        ("reverse_lk", "did you mean reverse_kl"),
        ("power", "needs alpha: write for example power"),
        ("power()", "each must be a number"),
        ("power(kl)", "each must be a number"),
        ("power(1, 2)", r"takes 1 number \(alpha\); got 2"),
        ("power(beta=2)", "'beta' does not fit"),
        ("power(1000)", r"\|alpha\| <= 100; got 1000"),
        ("gjs(1.5)", "0 <= pi <= 1; got 1.5"),
        ("kl(3)", "takes 0 number"),
        ("skew(kl)", "each must be a number"),
        ("skew(kl, 1)", "0 <= pi < 1; got 1"),
        ("skew(0.3, kl)", "needs a divergence first"),
        ("reverse()", "needs a divergence"),
        ("reverse(2)", "needs a divergence first"),
        ("revers(kl)", "unknown function 'revers'.*did you mean reverse"),
        ("kl - js", "'-' cannot stand here"),
        ("-kl", "only positive multiples"),
        ("kl*js", "cannot stand here"),
        ("2/kl", "cannot stand here"),
        ("kl^2", "cannot stand here"),
        ("kl + 1", "cannot stand here"),
        ("0*kl", "positive finite number only; got 0"),
        ("-2*kl", "positive finite number only; got -2"),
        ("kl/0", "by 0"),
        ("3", "is a number, not a divergence"),
        ("1/0", "not a finite real number"),
        ("(-8)^0.5", "not a finite real number"),
        ("10^400", "not a finite real number"),
        ("9^9^9^9*kl", "not a finite real number"),
        ("sin(u)", "unknown function 'sin'"),
        ("log(u, 2)", "takes one argument"),
        ("t_power(0)", "zero everywhere"),
    ],
)
def test_the_obvious_mistakes_have_an_answer(text: str, hint: str) -> None:
    with pytest.raises(dm.DivminError, match=hint) as caught:
        dm.divergence(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("what", [None, 3, ["kl"], b"kl"])
def test_other_types_are_refused(what: object) -> None:
    with pytest.raises(dm.DivminError, match="expected an expression as text"):
        dm.divergence(what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text", ["2^3^2", "(2^3)^2", "1 - (2 - 3)", "8/4/2", "8/(4/2)", "-u^2", "(-u)^2", "u^(-2)", "f(1 + 2, pi=3)"]
)
def test_no_more_parentheses_than_needed(text: str) -> None:
    assert write(parse(text)) == text


def test_numbers() -> None:
    assert number(parse("-(1 + 2)*3/4^0.5")) == -4.5
    assert number(parse("2*kl")) is None
    assert number(parse("-kl")) is None
    assert [plain(x) for x in (2.0, 0.1, -3.0, 1e15, 1e-9, math.inf, math.nan)] == [
        "2", "0.1", "-3", "1000000000000000.0", "1e-09", "inf", "nan",
    ]  # fmt: skip


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_reads_back(x: float) -> None:
    assert float(plain(x)) == x


def test_times() -> None:
    assert times(1, "kl + js") == "kl + js"
    assert times(2, "kl + js") == "2*(kl + js)"
    assert times(0.5, "skew(kl, 0.3)") == "0.5*skew(kl, 0.3)"
    assert times(3, "skew(kl, 0.3) + js") == "3*(skew(kl, 0.3) + js)"
