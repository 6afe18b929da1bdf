"""Laws as text: every name gives the law that torch has, mixtures and products are what they say, and garbage is one line."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import distributions as td

import divmin as dm
from divmin.data import Density, densities
from divmin.grammar import plain
from divmin.values.compound import Mixed, Product, dimension, discrete, draw, log_density
from divmin.values.kinds import ALIASES, KINDS, SEQUENCES, Kind
from divmin.values.precise import parameters
from divmin.values.text import MOST

# text -> torch's own object, whose values and samples it must have
TORCH: dict[str, tuple[type[td.Distribution], tuple[float, ...]]] = {
    "normal(0.1, 2)": (td.Normal, (0.1, 2)), "laplace(0.1, 2)": (td.Laplace, (0.1, 2)),
    "cauchy(0.1, 2)": (td.Cauchy, (0.1, 2)), "student_t(3, 0.1, 2)": (td.StudentT, (3, 0.1, 2)),
    "gumbel(0.1, 2)": (td.Gumbel, (0.1, 2)), "uniform(0.1, 2)": (td.Uniform, (0.1, 2)),
    "exponential(0.7)": (td.Exponential, (0.7,)), "gamma(3, 0.7)": (td.Gamma, (3, 0.7)),
    "inverse_gamma(3, 0.7)": (td.InverseGamma, (3, 0.7)), "chi2(3)": (td.Chi2, (3,)),
    "log_normal(0.1, 0.7)": (td.LogNormal, (0.1, 0.7)), "weibull(0.7, 3)": (td.Weibull, (0.7, 3)),
    "pareto(0.7, 3)": (td.Pareto, (0.7, 3)), "half_normal(0.7)": (td.HalfNormal, (0.7,)),
    "half_cauchy(0.7)": (td.HalfCauchy, (0.7,)), "fisher_snedecor(3, 7)": (td.FisherSnedecor, (3, 7)),
    "beta(3, 0.7)": (td.Beta, (3, 0.7)), "kumaraswamy(3, 0.7)": (td.Kumaraswamy, (3, 0.7)),
    "continuous_bernoulli(0.3)": (td.ContinuousBernoulli, (0.3,)), "von_mises(0.1, 2)": (td.VonMises, (0.1, 2)),
    "bernoulli(0.3)": (td.Bernoulli, (0.3,)), "binomial(10, 0.3)": (td.Binomial, (10, 0.3)),
    "geometric(0.3)": (td.Geometric, (0.3,)), "negative_binomial(3, 0.3)": (td.NegativeBinomial, (3, 0.3)),
    "poisson(2.5)": (td.Poisson, (2.5,)),
}  # fmt: skip
PAIRS = [
    ("js", "0.9*normal(0, 1) + 0.1*student_t(3)", "student_t(2)"),
    ("js", "0.5*poisson(3) + 0.5*geometric(0.2)", "poisson(4)"),
    ("kl", "0.5*uniform(0, 1) + 0.5*exponential(1)", "exponential(1)"),
    ("kl", "0.5*uniform(0, 1) + 0.5*uniform(1, 2)", "0.5*uniform(0, 3) + 0.5*uniform(0, 2)"),
    ("js", "von_mises(0, 2)", "0.5*von_mises(0, 1) + 0.5*normal(0, 1)"),
    ("js", "0.5*normal([0, 0], 1) + 0.5*normal([1, 1], [[1, 0.3], [0.3, 2]])", "normal(0, 1)^2"),
]


def t(*values: Any) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64) for value in values]


def same(one: Any, other: Any) -> None:
    """Two torch distributions of one type with the same parameters."""
    assert type(one) is type(other)
    if isinstance(one, td.Independent):
        return same(one.base_dist, other.base_dist)
    if isinstance(one, td.MixtureSameFamily):
        same(one.mixture_distribution, other.mixture_distribution)
        return same(one.component_distribution, other.component_distribution)
    mine, theirs = parameters(one), parameters(other)
    assert mine.keys() == theirs.keys()
    for name, value in mine.items():
        assert value.dtype == torch.float64
        torch.testing.assert_close(value, torch.as_tensor(theirs[name], dtype=torch.float64), rtol=0, atol=0)
    return None


def test_every_name_is_tried() -> None:
    assert {text.partition("(")[0] for text in TORCH} == set(KINDS)


@pytest.mark.parametrize("text", TORCH)
def test_a_name_is_the_law_of_torch(text: str) -> None:
    family, values = TORCH[text]
    wanted = family(*t(*values))
    law = dm.law(text)
    assert isinstance(law, td.Distribution)
    same(law, wanted)
    x = wanted.sample((20,))
    torch.testing.assert_close(law.log_prob(x), wanted.log_prob(x), rtol=0, atol=0)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_parameters_by_name(kind: Kind) -> None:
    for names in (kind.takes, kind.takes.values()):  # ours, and torch's
        written = ", ".join(f"{name}={plain(x)}" for name, x in reversed([*zip(names, kind.example, strict=True)]))
        same(dm.law(f"{kind.name}({written})"), dm.law(kind.shown))
    camel = "".join(part.capitalize() for part in kind.name.split("_"))
    same(dm.law(kind.shown.replace(kind.name, camel)), dm.law(kind.shown))
    if len(kind.defaults) < len(kind.takes):
        with pytest.raises(dm.DivminError) as caught:
            dm.law(kind.name)
        assert f"{kind.usage} needs" in str(caught.value) and kind.shown in str(caught.value)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_example_has_values(kind: Kind) -> None:
    assert dm.exact("js", kind.shown, kind.shown).value == 0
    assert dm.exact("js", kind.shown, f"0.5*{kind.shown} + 0.5*{TORCH_NEAR.get(kind.name, kind.shown)}").value >= 0


TORCH_NEAR = {text.partition("(")[0]: text for text in TORCH if not text.startswith(("uniform", "pareto"))}


def test_numbers_are_arithmetic() -> None:
    same(dm.law("normal(-1/3, sqrt(2))"), td.Normal(*t(-1 / 3, math.sqrt(2))))
    same(dm.law("uniform(-pi, 2*pi)"), td.Uniform(*t(-math.pi, 2 * math.pi)))
    same(dm.law("gamma(1e1, 2.5e-1)"), td.Gamma(*t(10.0, 0.25)))
    same(dm.law("student_t(3, scale=2)"), td.StudentT(*t(3.0, 0.0, 2.0)))
    for alias, name in ALIASES.items():
        same(dm.law(KINDS[name].shown.replace(name, alias)), dm.law(KINDS[name].shown))


def test_more_dimensions() -> None:
    same(dm.law("normal([0, 0], [1, 2])"), td.Independent(td.Normal(*t([0, 0], [1, 2])), 1))
    same(dm.law("normal([0, 0], 2)"), td.Independent(td.Normal(*t([0, 0], [2, 2])), 1))
    covariance = [[1, 0.3], [0.3, 2]]
    same(dm.law("normal([0, 0], [[1, .3], [.3, 2]])"), td.MultivariateNormal(*t([0, 0], covariance)))
    same(dm.law("product(normal(0, 1), normal(1, 2))"), td.Independent(td.Normal(*t([0, 1], [1, 2])), 1))
    same(dm.law("normal(0, 1)^20"), td.Independent(td.Normal(*t([0.0] * 20, [1.0] * 20)), 1))
    same(dm.law("product(normal(0, 1)^2, normal(1, 2))"), td.Independent(td.Normal(*t([0, 0, 1], [1, 1, 2])), 1))
    same(dm.law("normal([3], 1)^1"), td.Normal(*t(3.0, 1.0)))
    joint = dm.law("product(normal(1, 3), normal([0, 0], [[1, 0.3], [0.3, 2]]))")
    assert isinstance(joint, td.MultivariateNormal)
    torch.testing.assert_close(joint.covariance_matrix, torch.block_diag(*t([[9.0]], covariance)))
    both = dm.law("product(normal(0, 1), laplace(0, 1))")
    assert isinstance(both, Product) and both.dim == 2
    x = torch.randn(5, 2, dtype=torch.float64)
    wanted = td.Normal(*t(0, 1)).log_prob(x[:, 0]) + td.Laplace(*t(0, 1)).log_prob(x[:, 1])
    torch.testing.assert_close(both.log_prob(x), wanted)
    assert dimension(dm.law("categorical(0.5, 0.5)^2")) == 2


def test_mixtures() -> None:
    same(
        dm.law("0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)"),
        td.MixtureSameFamily(td.Categorical(*t([0.75, 0.25])), td.Normal(*t([-1, 1.2], [0.5, 0.5]))),
    )
    same(
        dm.law("(normal(0, 1) + normal(1, 1))/2"),
        td.MixtureSameFamily(td.Categorical(*t([0.5, 0.5])), td.Normal(*t([0, 1], [1, 1]))),
    )
    nested = dm.law("0.5*(0.5*poisson(1) + 0.5*poisson(2)) + poisson(3)*0.5")
    same(nested, td.MixtureSameFamily(td.Categorical(*t([0.25, 0.25, 0.5])), td.Poisson(*t([1, 2, 3]))))
    spread = dm.law("0.5*ring(sigma=0.2) + 0.5*normal([0, 0], [1, 1])")
    assert isinstance(spread, Mixed) and spread.dim == 2
    lengths = dm.law("0.5*categorical(0.5, 0.5) + 0.5*categorical(0.2, 0.3, 0.5)")
    assert dm.exact("kl", lengths, "categorical(0.35, 0.4, 0.25)").value == pytest.approx(0, abs=1e-15)
    triples = "1/3*normal(0, 1) + 1/3*laplace(0, 1) + 1/3*cauchy(0, 1)"
    assert dm.exact("js", triples, triples).value == 0


@pytest.mark.parametrize(("f", "p", "q"), PAIRS, ids=[f"{p} | {q}" for _, p, q in PAIRS])
def test_samples_agree_with_the_exact_value(f: str, p: str, q: str) -> None:
    wanted = dm.exact(f, p, q)
    found = dm.exact(f, p, q, samples=20000, seed=3)
    assert abs(found.value - wanted.value) < 4 * found.error + wanted.error


def test_log_density_and_samples_of_our_own_laws() -> None:
    for text in ("0.9*normal(0, 1) + 0.1*student_t(3)", "0.5*poisson(3) + 0.5*binomial(4, 0.5)"):
        law = dm.law(text)
        assert isinstance(law, Mixed)
        samples = draw(law, 2000, torch.Generator().manual_seed(0))
        assert samples.shape == (2000, 1) and torch.equal(law.sample(2000, seed=5), law.sample(2000, seed=5))
        x = torch.arange(4, dtype=torch.float64)[:, None]
        parts = torch.stack([log_density(part, x) for part in law.parts])
        torch.testing.assert_close(law.log_prob(x), (parts + law.weights.log()[:, None]).logsumexp(0))
        assert discrete(law) == ("poisson" in text)


def test_what_else_has_a_name() -> None:
    assert dm.law("ring(sigma=0.1)") == densities()["ring"](sigma=0.1)
    assert dm.law("two_moons") == densities()["two_moons"]()
    torch.testing.assert_close(dm.law("[3, 1]"), t([0.75, 0.25])[0])
    torch.testing.assert_close(dm.law("probs(1/3, 2/3)"), t([1 / 3, 2 / 3])[0])
    assert dm.law("[[0.5, 0.25], [0.25, 0]]").shape == (2, 2)  # type: ignore[union-attr]
    same(dm.law("categorical(0.2, 0.8)"), td.Categorical(*t([0.2, 0.8])))
    same(dm.law("dirichlet(1, 2, 3)"), td.Dirichlet(*t([1, 2, 3])))
    for each in SEQUENCES.values():
        dm.law(each.shown)
    law = td.Normal(0.0, 1.0)
    assert dm.law(law) is law


def test_names_for_numbers_are_differentiable() -> None:
    (m,) = t(1.5)
    m.requires_grad_()
    dm.exact("kl", dm.law("normal(m, s)", m=m, s=2), "normal(0, 2)").tensor.backward()
    assert float(m.grad) == pytest.approx(1.5 / 4)  # type: ignore[arg-type]
    (w,) = t(0.3)
    w.requires_grad_()

    def found(weight: float | torch.Tensor) -> torch.Tensor:
        return dm.exact("js", dm.law("w*normal(0, 1) + (1 - w)*student_t(3)", w=weight), "cauchy(0, 1)").tensor

    (slope,) = torch.autograd.grad(found(w), w)
    near = [float(found(0.3 + h)) for h in (-1e-4, 1e-4)]
    assert float(slope) == pytest.approx((near[1] - near[0]) / 2e-4, rel=1e-6)


def test_exact_takes_texts() -> None:
    assert dm.exact("kl", "normal(0, 1)", "normal(1, 1)").value == 0.5
    assert dm.exact("total_variation", "[3, 1]", [0.5, 0.5]).value == pytest.approx(0.25)
    assert dm.exact("kl", "normal(0, 1)^3", td.Independent(td.Normal(*t([1, 1, 1], [1, 1, 1])), 1)).value == 1.5
    found = dm.exact("js", "product(normal(0, 1), student_t(5))", "normal(0, 1)^2", samples=2000)
    assert 0 < found.value < 0.1


WRONG = {
    "norml(0, 1)": "did you mean normal?",
    "rin": "did you mean ring?",
    "wishart(3)": "docs/values.md",
    "normal": "normal(mean, scale) needs mean and scale: write for example normal(0, 1)",
    "normal(0)": "needs scale",
    "normal(0, 1, 2)": "takes 2 parameters; got 3",
    "normal(0, scael=1)": "did you mean scale?",
    "normal(0, 1, scale=2)": "got scale twice",
    "gamma(shape=1, shape=2, rate=1)": "twice",
    "normal(0, -1)": "scale is -1: expected a number above 0",
    "normal(0, 0)": "expected a number above 0",
    "normal(a, 1)": "takes numbers, or lists of them; got a",
    "normal(0, normal(0, 1))": "takes numbers",
    "bernoulli(1.5)": "a number from 0 to 1",
    "negative_binomial(3, 1)": "a number from 0, below 1",
    "binomial(2.5, 0.5)": "a whole number, 0 or more",
    "geometric(0)": "p above 0",
    "uniform(1, 0)": "low below high",
    "normal([0, 0], [1, 2, 3])": "lists of 2 and 3 numbers",
    "normal([0, 0], [[1, 0.3], [0.2, 1]])": "not symmetric",
    "normal([0, 0], [[1, 3], [3, 1]])": "not positive definite",
    "normal([0, 0, 0], [[1, 0], [0, 1]])": "2 x 2 covariance",
    "normal([[0, 0], [1, 1]], 1)": "list of lists",
    "normal([0, [1]], 1)": "rows of several lengths",
    "normal([], 1)": "numbers with commas",
    "normal(0, 1/0)": "not a finite real number",
    "normal(0, (-8)^(1/3))": "not a finite real number",
    "normal(0, 1e200^2)": "not a finite real number",
    "normal(0, 1) + normal(1, 1)": "add up to 2: expected 1",
    "0.5*normal(0, 1) + 0.4*normal(1, 1)": "add up to 0.9",
    "2*normal(0, 1)": "add up to 2",
    "0*normal(0, 1) + 1*normal(1, 1)": "expected positive",
    "2*normal(0, 1) - 1*normal(1, 1)": "subtracts a law",
    "-normal(0, 1)": "subtracts a law",
    "1 + normal(0, 1)": "is a number, not a law",
    "normal(0, 1)*normal(0, 1)": "cannot stand here",
    "normal(0, 1)^2.5": "whole number from 1",
    "normal(0, 1)^100000": "whole number from 1",
    "0.5*normal(0, 1) + 0.5*normal(0, 1)^2": "1 and 2 dimensions",
    "0.5*normal(0, 1) + 0.5*poisson(3)": "discrete and continuous",
    "0.5*[0.5, 0.5] + 0.5*[1, 0]": "categorical(...)",
    "product()": "product takes laws",
    "product(1, 2)": "is a number, not a law",
    "ring(0.1)": "sigma=...",
    "ring(sigm=0.1)": "did you mean sigma?",
    "ring(sigma=normal(0, 1))": "is not a number",
    "[0.5, 0.4]": "add up to 0.9",
    "[1, -1]": "negative",
    "[]": "numbers with commas",
    "categorical(0.5, 0.4)": "add up to 0.9",
    "categorical([[0.5, 0.5]])": "is a table",
    "dirichlet(1)": "at least 2 numbers",
    "dirichlet(1, -1)": "above 0",
    "3": "is a number, not a law",
    "": "the expression ends",
    "normal(0, 1": "expected ',' or ')'",
    "__import__('os').system('ls')": "cannot read",
    "[x for x in (1, 2)]": "cannot read",
}  # fmt: skip


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_said_in_one_line(text: str) -> None:
    with pytest.raises(dm.DivminError) as caught:
        dm.law(text)
    said = str(caught.value)
    assert WRONG[text] in said and "\n" not in said and "Tensor" not in said


@pytest.mark.parametrize(
    ("p", "q", "said"),
    [
        ("[3, 1]", "bernoulli(0.5)", "categorical(...)"),
        ("normal(0, 1)", "poisson(3)", "have no ratio"),
        ("normal(0, 1)", "normal(0, 1)^2", "one space"),
        ("binomial(1e9, 0.5)", "binomial(1e9, 0.4)", "outcomes is too long"),
        ("laplace(0, 1)^3", "normal(0, 1)^3", "samples=100000"),
    ],
)
def test_laws_that_do_not_fit_together(p: str, q: str, said: str) -> None:
    with pytest.raises(dm.DivminError, match=said.replace("(", r"\(").replace(")", r"\)")):
        dm.exact("js", p, q)
    with pytest.raises(dm.DivminError, match="give one of them"):
        dm.exact("js", "normal(0, 1)", "normal(1, 1)", route="closed form", samples=10)


# --- Hypothesis --------------------------------------------------------------------------------------------------------------


def read(text: str) -> None:
    """A law, or a DivminError; anything else that is raised fails the test."""
    with contextlib.suppress(dm.DivminError):
        assert isinstance(dm.law(text), td.Distribution | Density | torch.Tensor)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, Kind, list[float]]:
    kind = draw(st.sampled_from([each for each in KINDS.values() if each.name not in ("uniform", "binomial")]))
    return kind.name, kind, [draw(st.floats(0.01, 0.99)) for _ in kind.takes]


@given(written(), st.booleans())
def test_text_and_law_are_the_same_thing(case: tuple[str, Kind, list[float]], by_name: bool) -> None:
    name, kind, values = case
    parts = [f"{key}={x!r}" if by_name else repr(x) for key, x in zip(kind.takes, values, strict=True)]
    law = dm.law(f"{name}({', '.join(parts)})")
    same(law, kind.family(**dict(zip(kind.takes.values(), t(*values), strict=True))))


PIECES = [
    "normal", "normal(0, 1)", "student_t(3)", "poisson(2)", "product", "ring", "probs", "categorical", "dirichlet", "0.5*", "(",
    "uniform(0, 1)", "[", "]", ",", "+", "-", "*", "/", "^", "=", "scale=", "pi", "sqrt", "max", "0", "1", "2", "0.5", "1e308",
    "-1", ")", " ", "u", "é", "'", "[0, 0]", "[[1, 0], [0, 1]]",
]  # fmt: skip


@settings(max_examples=400)
@given(st.one_of(st.lists(st.sampled_from(PIECES), max_size=12).map("".join), st.text(max_size=30)))
def test_garbage_is_a_law_or_one_line(text: str) -> None:
    read(text)


@settings(max_examples=100)
@given(
    st.sampled_from(list(KINDS.values())),
    st.lists(st.sampled_from(["0", "-1", "1", "2", "0.5", "1e300", "1e-300", "1e308", "[1, 2]", "[[1, 2], [2, 1]]"]), max_size=4),
)  # fmt: skip
def test_any_parameters_are_a_law_or_one_line(kind: Kind, values: list[str]) -> None:
    read(f"{kind.name}({', '.join(values)})")


def test_parameters_are_checked_also_after_torch_compile_has_switched_that_off() -> None:
    before = torch.distributions.Distribution._validate_args
    torch.distributions.Distribution.set_default_validate_args(False)
    try:
        for text in ("uniform(1, 0)", "geometric(0)"):
            with pytest.raises(dm.DivminError):
                dm.law(text)
        with pytest.raises(dm.DivminError, match="does not take"):
            dm.landscape("js", dm.law("normal(0, 1)"), torch.distributions.Normal, {"loc": [0.0], "scale": [-1.0]})
    finally:
        torch.distributions.Distribution.set_default_validate_args(before)


def test_the_limit_of_copies_is_documented() -> None:
    document = (Path(__file__).parent.parent.parent / "docs" / "values.md").read_text()
    assert f"independent copies, at most {MOST:,}" in document
    assert dimension(dm.law(f"normal(0, 1)^{MOST}")) == MOST
    with pytest.raises(dm.DivminError, match=f"from 1 to {MOST:,}"):
        dm.law(f"normal(0, 1)^{MOST + 1}")
