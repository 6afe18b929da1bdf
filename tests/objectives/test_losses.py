"""Losses of critic outputs: what they equal, how they are reduced, and where other libraries lose digits or gradients."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import softplus

import divmin as dm
from divmin.errors import NotSmoothError

WIDE = torch.cat([torch.linspace(-100, 100, 41), torch.tensor([0.0, -1e-6, 1e4, -1e4])])


def scores(seed: int, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)).to(dtype)


def close(got: Tensor, wanted: Tensor) -> None:
    """Equal but for a few roundings of 1, which is what a loss needs."""
    torch.testing.assert_close(got, wanted, rtol=4e-16, atol=4e-16)


def slope(loss: Tensor, at: Tensor) -> Tensor:
    return torch.autograd.grad(loss, at)[0]


# --- the named recipes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize(
    ("name", "generator"),
    [("minimax", lambda c: -softplus(c)), ("nonsaturating", lambda c: softplus(-c)), ("huszar", lambda c: -c)],
)
def test_logistic_recipes_are_softplus_to_the_last_bit(name, generator, dtype) -> None:  # type: ignore[no-untyped-def]
    r, real, fake = dm.recipe(name), WIDE.to(dtype), WIDE.flip(0)[3:].to(dtype)
    assert torch.equal(r.critic_loss(real, fake), softplus(-real).mean() + softplus(fake).mean())
    assert torch.equal(r.generator_loss(fake), generator(fake).mean())
    parts = r.critic_loss(real, fake, reduction="none")
    assert torch.equal(parts[0], softplus(-real))
    assert torch.equal(parts[1], softplus(fake))
    assert torch.equal(r.generator_loss(fake, reduction="none"), generator(fake))


def test_pairs_of_divergences() -> None:
    kl, js, real, fake = dm.divergence("kl"), dm.divergence("js"), scores(0, 8), scores(1, 5)
    fgan, other, mixed = dm.recipe("fgan(kl)"), dm.recipe("fgan(kl, nonsaturating)"), dm.recipe("hybrid(kl, js)")
    for r in (fgan, other):
        close(r.critic_loss(real, fake), kl.b(fake).mean() - kl.a(real).mean())
    close(mixed.critic_loss(real, fake), js.b(fake).mean() - js.a(real).mean())
    for r, wanted in ((fgan, -kl.b(fake)), (other, -kl.a(fake)), (mixed, -kl.b(fake))):
        close(r.generator_loss(fake, reduction="none"), wanted)
    assert [r.minimises.name for r in (fgan, other, mixed)] == ["kl", "reverse_kl", "kl"]


@pytest.mark.parametrize("critic", ["js", "4*js", "minimax"])
def test_the_f_gan_of_js_is_the_minimax_game(critic: str) -> None:
    """Half the logistic game, up to the constant that makes a(0) = b(0) = 0."""
    real, fake = scores(2, 9).requires_grad_(), scores(3, 9).requires_grad_()
    factor = {"js": 2.0, "4*js": 0.5, "minimax": 1.0}[critic]
    r = dm.recipe(critic if critic == "minimax" else f"fgan({critic})")
    got = factor * r.critic_loss(real, fake)
    wanted = dm.recipe("minimax").critic_loss(real, fake)
    for one, two in zip(torch.autograd.grad(got, (real, fake)), torch.autograd.grad(wanted, (real, fake)), strict=True):
        torch.testing.assert_close(one, two)
    if critic != "minimax":
        assert got.item() == pytest.approx(wanted.item() - 2 * math.log(2))


def test_the_registry_lists_recipes_that_can_be_read() -> None:
    assert {
        "minimax",
        "nonsaturating",
        "huszar",
        "fgan",
        "hybrid",
        "poole",
        "exact",
        "lsgan",
        "hinge",
        "wgan",
        "rpgan",
    } <= set(dm.recipes())
    for name, named in dm.recipes().items():
        assert named.name == name
        assert named.summary and named.source and "critic: " in named.formula
        for text in named.examples or (name,):
            r = dm.recipe(text)
            compared = {"real": scores(0, 4)} if r.needs_real else {}
            assert math.isfinite(float(r.critic_loss(scores(0, 4), scores(1, 4))))
            assert math.isfinite(float(r.generator_loss(scores(1, 4), **compared)))
            assert dm.recipe(r) is r
            # What it is called can be read back, and is the same thing.
            again = dm.recipe(r.name)
            assert again.critic_loss(scores(0, 4), scores(1, 4)) == r.critic_loss(scores(0, 4), scores(1, 4))
            assert again.generator_loss(scores(1, 4), **compared) == r.generator_loss(scores(1, 4), **compared)
        for alias in named.aliases:
            assert dm.recipe(named.example.replace(name, alias, 1)).name == dm.recipe(named.example).name
    assert dm.recipe("NonSaturating").name == "nonsaturating"
    assert dm.recipe("fgan(skew(kl, 0.3), ns)").minimises == dm.divergence("skew(kl, 0.3)").nonsaturating()


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("nonsaturatin", "did you mean nonsaturating"),
        ("", "ends where"),
        ("minimax(kl)", "no arguments"),
        ("fgan", "takes a divergence"),
        ("fgan()", "takes a divergence"),
        ("fgan(kl, js)", "only be nonsaturating"),
        ("fgan(kl, ns, ns)", "3 arguments"),
        ("fgan(f=kl)", "takes a divergence"),
        ("lsgan(0, 1, 2, 3)", "takes 3 number"),
        ("lsgan(reel=1)", "'reel' does not fit"),
        ("poole(tv)", "cannot train"),
        ("poole(kl, affine=u)", "must be a number"),
        ("exact()", "takes one divergence"),
        ("smoothed(nonsaturating, 0.1, 0.9)", "0 <= fake < real <= 1"),
        ("smoothed(rpgan)", "one loss a sample"),
        ("smoothed(0.9)", "not a recipe"),
        ("clipped(minimax, -1)", "above 0"),
        ("epsilon(hinge)", "softplus"),
        ("drift(wgan, 0)", "above 0"),
        ("rpgan(kl)", "no arguments"),
        ("fgan(kll)", "did you mean"),
        ("fgan(3)", "not a divergence"),
        ("hybrid(kl)", "takes two"),
        ("kl + js", "not a recipe"),
        ("2", "not a recipe"),
        ("minimax)", "unexpected"),
    ],
)
def test_wrong_recipes_are_one_line(text: str, hint: str) -> None:
    with pytest.raises(dm.DivminError, match=hint) as caught:
        dm.recipe(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", ["fgan(tv)", "fgan(hockey_stick(3))", "hybrid(tv, js)", "hybrid(js, tv)", "fgan(soften(tv))"]
)
def test_what_has_kinks_cannot_train(text: str) -> None:
    with pytest.raises(NotSmoothError, match="cannot train"):
        dm.recipe(text)


# --- reductions -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["minimax", "nonsaturating", "huszar", "fgan(kl)", "hybrid(srkl, js)"])
def test_reductions_weights_and_lists(name: str) -> None:
    r, real, fake = dm.recipe(name), scores(4, 3, 2), scores(5, 7)
    one, other = r.critic_loss(real, fake, reduction="none")
    assert (one.shape, other.shape) == (real.shape, fake.shape)
    assert torch.equal(r.critic_loss(real, fake), one.mean() + other.mean())
    assert torch.equal(r.critic_loss(real, fake, reduction="sum"), one.sum() + other.sum())
    assert torch.equal(r.generator_loss(fake, reduction="sum"), r.generator_loss(fake, reduction="none").sum())
    # a whole weight counts a sample as often
    times = torch.tensor([1, 3, 0, 2, 1, 1, 2])
    repeated = fake.repeat_interleave(times)
    weighted = r.critic_loss(real, fake, weight_fake=times.double())
    torch.testing.assert_close(weighted, r.critic_loss(real, repeated), rtol=1e-14, atol=1e-15)
    torch.testing.assert_close(r.generator_loss(fake, weight=times.double()), r.generator_loss(repeated))
    doubled = r.critic_loss(real, fake, weight_real=torch.full((3, 2), 2.0, dtype=torch.float64))
    torch.testing.assert_close(doubled, r.critic_loss(real, fake))
    # several critics: the mean of their losses
    pair = r.critic_loss([real, 2 * real], [fake, -fake])
    torch.testing.assert_close(pair, (r.critic_loss(real, fake) + r.critic_loss(2 * real, -fake)) / 2)
    torch.testing.assert_close(r.generator_loss([fake, -fake]), (r.generator_loss(fake) + r.generator_loss(-fake)) / 2)


def test_batches_of_two_sizes_are_two_means() -> None:
    """Not one mean over both: dividing by the wrong size is a known slip."""
    r, real, fake = dm.recipe("minimax"), torch.zeros(2), torch.zeros(1000)
    assert float(r.critic_loss(real, fake)) == pytest.approx(2 * math.log(2))


@pytest.mark.parametrize(
    ("call", "hint"),
    [
        (lambda r: r.critic_loss(torch.zeros(0), torch.zeros(3)), "real scores is empty"),
        (lambda r: r.critic_loss(torch.zeros(3), torch.zeros(0)), "fake scores is empty"),
        (lambda r: r.generator_loss([]), "list of fake scores is empty"),
        (lambda r: r.generator_loss(torch.zeros(3), reduction="avg"), "unknown reduction 'avg'"),
        (lambda r: r.generator_loss(torch.zeros(3), weight=torch.ones(2)), r"\(2,\) for fake scores of shape \(3,\)"),
        (lambda r: r.critic_loss(torch.zeros(3), torch.zeros(3), weight_real=torch.ones(3, 1)), "real scores"),
        (
            lambda r: r.critic_loss(torch.tensor([1.0, math.nan, math.inf]), torch.zeros(3), check_finite=True),
            "2 of 3 real scores are not finite",
        ),
        (lambda r: r.generator_loss(torch.tensor([math.nan]), check_finite=True), "1 of 1 fake scores are not finite"),
    ],
)
def test_bad_batches_are_one_line(call, hint) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(dm.DivminError, match=hint) as caught:
        call(dm.recipe("minimax"))
    assert "\n" not in str(caught.value)


# --- digits and gradients that get lost elsewhere ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["minimax", "nonsaturating", "huszar"])
@pytest.mark.parametrize(("dtype", "logit"), [(torch.float32, 30.0), (torch.float16, 18.0), (torch.float16, 10.0)])
def test_gradients_of_confident_critics_survive(name: str, dtype: torch.dtype, logit: float) -> None:
    """softplus saturates to x beyond a threshold elsewhere; log(sigmoid + 1e-8) and clipping lose these as well."""
    r = dm.recipe(name)
    for sign in (-1, 1):
        c = torch.tensor([sign * logit], dtype=dtype, requires_grad=True)
        exact = torch.tensor([sign * logit], dtype=torch.float64, requires_grad=True)
        tiny = torch.finfo(dtype).smallest_normal * torch.finfo(dtype).eps
        for loss in (r.generator_loss, lambda x, r=r: r.critic_loss(x, torch.zeros_like(x)),
                     lambda x, r=r: r.critic_loss(torch.zeros_like(x), x)):  # fmt: skip
            got, true = float(slope(loss(c), c)), float(slope(loss(exact), exact))
            assert got == pytest.approx(true, rel=2 * torch.finfo(dtype).eps, abs=tiny)
            assert (got != 0) == (abs(true) > tiny)


def test_the_nonsaturating_gradient_is_whole_on_rejected_samples() -> None:
    """-log(sigmoid(c) + 1e-8) has 1e-5 of it at c = -30, and clipping the ratio at 11.5 nats has none."""
    c = torch.tensor([-30.0, -90.0], requires_grad=True)
    assert slope(dm.recipe("nonsaturating").generator_loss(c, reduction="sum"), c).tolist() == [-1.0, -1.0]


@pytest.mark.parametrize("name", [name for name, each in dm.divergences().items() if each.smooth])
def test_f_gans_do_not_overflow_through_their_activations(name: str) -> None:
    """Hellinger at 18, GAN at 17: composing an activation with a conjugate overflows; a(d) and b(d) do not."""
    r, f = dm.recipe(f"fgan({name})"), dm.divergence(name)
    for d in (17.0, 18.0, 25.0, -17.0, -25.0):
        c = torch.tensor([d], requires_grad=True)
        loss = r.critic_loss(c, c)
        assert loss.isfinite()
        assert slope(loss, c).isfinite().all()
        critic = torch.tensor([d], dtype=torch.float64)
        assert r.generator_loss(c).item() == pytest.approx(-float(f.b(critic)), rel=1e-5)
        assert float(slope(r.generator_loss(c), c)) == pytest.approx(-float(f.weight(critic)), rel=1e-5)


def test_values_that_are_wrong_elsewhere() -> None:
    """Jensen-Shannon off by one at log u = 17 and NaN at 100 in float32; triangular and arithmetic-geometric NaN at 90."""
    for name in ("js", "triangular", "arithmetic_geometric"):
        f = dm.divergence(name)
        for d in (17.0, 90.0, 100.0, -17.0, -90.0, -100.0):
            assert float(f.s(torch.tensor(d))) == pytest.approx(f.s(d), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["float16", "bfloat16"])
def test_sixteen_bit_scores_are_read_in_float32(dtype: torch.dtype) -> None:
    r, c = dm.recipe("nonsaturating"), scores(6, 1000, dtype=dtype).requires_grad_()
    loss = r.generator_loss(c)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(r.generator_loss(c.detach().float()).item())
    got = slope(loss, c)
    assert got.dtype == dtype
    assert got.count_nonzero() == 1000
