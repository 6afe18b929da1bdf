"""Losses as records: text, f at the critic's ratio, modifiers, and games over differences."""

from __future__ import annotations

import math

import mpmath
import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid, softplus

import divmin as dm
from divmin.objectives import Recipe, Relativistic, Written
from divmin.objectives.terms import Bound, Minus, Valued, derivative

C = torch.tensor([-90.0, -20.0, -3.0, -0.4, 0.0, 1e-3, 0.7, 5.0, 30.0, 90.0], dtype=torch.float64)


def slope(value: Tensor, at: Tensor, **how: bool) -> Tensor:
    return torch.autograd.grad(value.sum(), at, **how)[0]


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("softplus(-c)", lambda c: softplus(-c)),
        ("-log(D)", lambda c: -logsigmoid(c)),
        ("log(1 - D)", lambda c: logsigmoid(-c)),
        ("(c - 1)^2/2", lambda c: (c - 1) ** 2 / 2),
        ("max(1 - c, 0)", lambda c: (1 - c).relu()),
        ("min(c, 0)", lambda c: c.clamp(max=0)),
        ("clamp(c, -2, 3)", lambda c: c.clamp(-2, 3)),
        ("abs(c)*sign(c)", lambda c: c),
        ("tanh(c)", torch.tanh),
        ("sqrt(c^2 + 1) + exp(1)", lambda c: (c**2 + 1).sqrt() + math.e),
        ("D*(1 - D)", lambda c: c.sigmoid() * (1 - c.sigmoid())),
        ("max(0, 1 + c)", lambda c: (1 + c).relu()),
        ("min(2, c)", lambda c: c.clamp(max=2)),
    ],
)
def test_text_is_what_it_says(text: str, means) -> None:  # type: ignore[no-untyped-def]
    torch.testing.assert_close(Written(text)(C), means(C))
    assert Written(str(Written(text)))(C).equal(Written(text)(C))


@pytest.mark.parametrize("text", ["3", "x", "c + x", "nosuch(c)", "c(1)", "softplus()", "clamp(c, 1)", "c c", ""])
def test_text_that_is_no_loss(text: str) -> None:
    with pytest.raises(dm.DivminError) as caught:
        Written(text)
    assert "\n" not in str(caught.value)


MEMBERS = [
    "kl",
    "reverse_kl",
    "js",
    "chi2_data_denominator",
    "chi2_model_denominator",
    "jeffreys",
    "igog",
    "skew_kl(0.3)",
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["float64", "float32"])
@pytest.mark.parametrize("affine", [0.0, 1.0, -1.0, -0.25])
@pytest.mark.parametrize("name", MEMBERS)
def test_f_at_the_critics_ratio(name: str, affine: float, dtype: torch.dtype) -> None:
    """Value and slope of f(e^c) + affine (e^c - 1) against 200 digits, to a few roundings of its largest part."""
    from references import U, f_of_u  # tests/family

    from divmin.family.catalogue import entry

    found = entry(name.partition("(")[0])
    values = tuple(float(x) for x in name.partition("(")[2].rstrip(")").split(",") if x)
    f = f_of_u(found, values)
    import sympy

    value, rate = (sympy.lambdify(U, each, "mpmath") for each in (f, sympy.diff(f, U)))
    c = C.to(dtype).requires_grad_()
    got = Valued(dm.divergence(name), affine)(c)
    steep = slope(got, c)
    assert not got.isnan().any()
    assert not steep.isnan().any()
    limits = torch.finfo(dtype)
    with mpmath.workdps(200):
        for x, one, other in zip(C.to(dtype).tolist(), got.tolist(), steep.tolist(), strict=True):
            u = mpmath.exp(mpmath.mpf(x))
            for exact, mine, size in (
                (value(u) + affine * (u - 1), one, abs(value(u)) + abs(affine) * (u + 1) + abs(u * rate(u)) + 1),
                (u * (rate(u) + affine), other, abs(u * rate(u)) + abs(affine) * u),
            ):
                if size < limits.max / 8:
                    assert abs(mine - exact) <= 64 * limits.eps * size, (x, mine, exact)


@pytest.mark.parametrize(
    ("name", "exact"), [("reverse_kl", lambda c: -c), ("igog", lambda c: softplus(-c) - math.log(2))]
)
def test_published_forms_whose_largest_parts_cancel(name: str, exact) -> None:  # type: ignore[no-untyped-def]
    """-log u and log(1 + 1/u): finite, with slopes good to ten digits, at any output."""
    r = dm.recipe(f"poole({name})")
    assert isinstance(r, Recipe)
    for dtype in (torch.float32, torch.float64):
        c = torch.tensor([-1e4, -50.0, -1.0, 0.5, 10.0, 17.9, 18.1, 30.0, 90.0, 1e4], dtype=dtype).requires_grad_()
        got, wanted = r.generator(c), exact(c)
        torch.testing.assert_close(got, wanted, rtol=1e-6, atol=1e-6)
        limits = torch.finfo(dtype)
        torch.testing.assert_close(slope(got, c), slope(wanted, c), rtol=max(1e-10, 4 * limits.eps), atol=1e-40)


def test_f_at_the_critics_ratio_twice_differentiated_and_traced() -> None:
    term = Valued(dm.divergence("js"), 0.3)
    c = C[C.abs() < 30].clone().requires_grad_()
    curved = slope(slope(term(c), c, create_graph=True), c)
    step = 1e-5
    at = c.detach()
    numeric = (slope_of(term, at + step) - slope_of(term, at - step)) / (2 * step)
    torch.testing.assert_close(curved, numeric, rtol=1e-5, atol=1e-8)
    traced = torch.func.vmap(term)(at.reshape(-1, 1)).reshape(-1)
    torch.testing.assert_close(traced, term(at))


def slope_of(term: Valued, at: Tensor) -> Tensor:
    at = at.clone().requires_grad_()
    return slope(term(at), at)


# --- modifiers ------------------------------------------------------------------------------------------------------------


def of(text: str) -> Recipe:
    r = dm.recipe(text)
    assert isinstance(r, Recipe)
    return r


def test_smoothed_labels_are_soft_targets() -> None:
    r = of("smoothed(nonsaturating, 0.9, 0.2)")
    c = torch.linspace(-6, 6, 25, dtype=torch.float64)
    for term, label in ((r.real, 0.9), (r.fake, 0.2)):
        wanted = binary_cross_entropy_with_logits(c, torch.full_like(c, label), reduction="none")
        torch.testing.assert_close(term(c), wanted)
    assert of("smoothed(hinge)").fake == of("hinge").fake


def test_other_modifiers() -> None:
    c = torch.linspace(-30, 30, 61, dtype=torch.float64)
    eps = of("epsilon(nonsaturating, 1e-3)")
    torch.testing.assert_close(eps.real(c), -(c.sigmoid() + 1e-3).log())
    torch.testing.assert_close(eps.fake(c), -(1 - c.sigmoid() + 1e-3).log())
    torch.testing.assert_close(eps.generator(c), -(c.sigmoid() + 1e-3).log())
    cut = of("clipped(fgan(kl), 4)")
    torch.testing.assert_close(cut.fake(c), of("fgan(kl)").fake(c.clamp(-4, 4)))
    drift = of("drift(wgan, 0.1)")
    torch.testing.assert_close(drift.real(c), -c + 0.1 * c**2)
    torch.testing.assert_close(drift.fake(c), c)
    for r in (eps, cut, drift):
        assert r.minimises is None


# --- relativistic ---------------------------------------------------------------------------------------------------------


def scores(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def relativistic(name: str) -> Relativistic:
    r = dm.recipe(name)
    assert isinstance(r, Relativistic)
    return r


def test_pairing_and_average_are_their_formulas() -> None:
    real, fake = scores(0, 6), scores(1, 6)
    pairing, average = relativistic("rpgan"), relativistic("ragan")
    torch.testing.assert_close(pairing.critic_loss(real, fake), softplus(fake - real).mean())
    torch.testing.assert_close(pairing.generator_loss(fake, real=real), softplus(real - fake).mean())
    wanted = softplus(-(real - fake.mean())).mean() + softplus(fake - real.mean()).mean()
    torch.testing.assert_close(average.critic_loss(real, fake), wanted)
    wanted = softplus(-(fake - real.mean())).mean() + softplus(real - fake.mean()).mean()
    torch.testing.assert_close(average.generator_loss(fake, real=real), wanted)
    assert average.critic_loss(scores(0, 4), scores(1, 9)).shape == ()  # the sides may differ in size


def test_reductions_lists_and_refusals_of_pairs() -> None:
    r, real, fake = relativistic("rpgan"), scores(2, 5), scores(3, 5)
    each = r.critic_loss(real, fake, reduction="none")
    assert each.shape == real.shape
    assert torch.equal(each.sum(), r.critic_loss(real, fake, reduction="sum"))
    both = r.critic_loss([real, real], [fake, 2 * fake])
    torch.testing.assert_close(both, (r.critic_loss(real, fake) + r.critic_loss(real, 2 * fake)) / 2)
    half = r.critic_loss(real.half(), fake.half())
    assert half.dtype == torch.float32
    for call, says in (
        (lambda: r.generator_loss(fake), "real=scores_of_data"),
        (lambda: r.critic_loss(real, fake[:3]), "batches of one shape"),
        (lambda: r.critic_loss([real], [fake, fake]), "two lists"),
        (lambda: r.critic_loss([real], fake), "two tensors"),
        (lambda: r.critic_loss(real[:0], fake[:0]), "is empty"),
        (lambda: r.critic_loss(real * math.nan, fake, check_finite=True), "not finite"),
        (lambda: r.critic_loss(real, fake, reduction="median"), "unknown reduction"),
        (lambda: relativistic("ragan").critic_loss(real, fake, reduction="sum"), "only reduction is mean"),
    ):
        with pytest.raises(dm.DivminError, match=says):
            call()


@pytest.mark.parametrize("name", [name for name, f in dm.divergences().items() if f.smooth])
@pytest.mark.parametrize("k", [0, 1])
def test_derivatives_of_terms_are_those_of_autograd(name: str, k: int) -> None:
    term = Minus(Bound(dm.divergence(name), k))
    own = derivative(term)
    assert own is not None
    c = torch.linspace(-20, 20, 81, dtype=torch.float64, requires_grad=True)
    (wanted,) = torch.autograd.grad(term(c).sum(), c, create_graph=True)
    got = own(c)
    torch.testing.assert_close(got, wanted, rtol=1e-13, atol=0)
    if got.requires_grad and wanted.requires_grad:  # not a constant
        (one,), (other,) = (torch.autograd.grad(each.sum(), c, retain_graph=True) for each in (got, wanted))
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-300)
    assert derivative(Bound(dm.divergence("tv"), k)) is None
