"""Theorems 3.1 and 3.2: noise gives densities, and a gradient that pulls samples towards data; corollary 3.2: 2 grad JS."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from divmin.papers import Cost, Found, Item, Table, Work, register
from divmin.papers.arjovsky import noise_in_the_plane
from divmin.papers.expected import Expected, at_least, at_most, near
from divmin.papers.item import largest
from divmin.papers.sources import ARJOVSKY
from divmin.plots.style import line_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from torch import Tensor
    from torch.distributions import Distribution

    from divmin.papers.arjovsky.noise import Nodes

Floats = NDArray[np.float64]
CASES = ("atoms", "normal laws")


@dataclass(frozen=True)
class Settings:
    """Data against g(z) = mu + e^tau z, both with noise N(0, sigma^2).

    Args:
        models: (mu, tau, sigma) at which both sides are compared.
        noises: sigma of the curves.
        path: mu of the curves, at tau = 0.
        little: noise that is too thin to help.
    """

    models: tuple[tuple[float, float, float], ...] = ((0.6, 0.0, 0.5), (-1.2, 0.4, 0.8), (2.5, -0.5, 1.5))
    noises: tuple[float, ...] = (0.05, 0.2, 0.5, 1.0)
    path: tuple[float, ...] = tuple(np.linspace(-4, 4, 161).tolist())
    little: float = 0.005


SETTINGS = Settings()


def expectations() -> dict[str, Expected]:
    """Both sides of each statement, and what becomes of the gradient without noise."""
    wanted: dict[str, Expected] = {}
    for name in (
        "atoms, normal noise",
        "uniform law, normal noise",
        "uniform law, Cauchy noise",
        "normal law, normal noise",
    ):
        wanted[f"{name}: largest relative difference of densities"] = at_most(
            1e-11, source="theorem 3.1 and corollary 3.1"
        )
    wanted["atoms in the plane, normal noise: largest relative difference of densities"] = at_most(
        1e-12, source="corollary 3.1, noise of any covariance"
    )
    wanted["Cauchy noise in the plane: its mass"] = near(1, 1e-8, source="corollary 3.1, 1/|x|^(d + 1)")
    for case in CASES:
        wanted[f"{case}: largest difference of both sides of theorem 3.2"] = at_most(1e-11, source="theorem 3.2")
        wanted[f"{case}: largest difference of both sides of corollary 3.2"] = at_most(1e-11, source="corollary 3.2")
        wanted[f"{case}: least distance of the gradients without and with noise on samples"] = at_least(
            0.01, source="why corollary 3.2 asks for noise on both"
        )
        wanted[f"{case}: least sign of (b - a)(p - q), with noise"] = at_least(
            0, source="theorem 3.2: b > a where data with noise are denser"
        )
    wanted["atoms, little noise: log 2 - JS"] = near(0, 1e-12, source="section 2")
    wanted["atoms, little noise: largest slope of JS"] = near(0, 1e-12, source="section 2")
    wanted["atoms, most noise: least slope of JS by mu on [1, 4]"] = at_least(0.01, source="section 3")
    return wanted


def compute(settings: Settings, work: Work) -> Found:
    numbers, rows = densities() | noise_in_the_plane.corollary(), []
    for case in CASES:
        threes, corollaries, apart, signs = [], [], [], []
        for mu, tau, sigma in work.each(case, settings.models):
            pair = Pair.of(case, mu, tau, sigma)
            felt, told = pair.felt(noisy=False), pair.pulls()
            smooth, js = pair.felt(noisy=True), 2 * pair.js_slope()
            threes.append(felt - told)
            corollaries.append(smooth - js)
            apart.append(float(np.linalg.norm(felt - js)))
            signs.append(pair.sign(np.array(settings.path)))
            rows.append(
                (case, f"{mu:g}, {tau:g}, {sigma:g}", *(f"{each[0]:.8f}, {each[1]:.8f}" for each in (felt, smooth)))
            )
        numbers[f"{case}: largest difference of both sides of theorem 3.2"] = largest(threes)
        numbers[f"{case}: largest difference of both sides of corollary 3.2"] = largest(corollaries)
        numbers[f"{case}: least distance of the gradients without and with noise on samples"] = min(apart)
        numbers[f"{case}: least sign of (b - a)(p - q), with noise"] = min(signs)
    little = Pair.of("atoms", 0.6, 0.0, settings.little)
    numbers["atoms, little noise: log 2 - JS"] = math.log(2) - little.js()
    numbers["atoms, little noise: largest slope of JS"] = largest(little.js_slope())
    js = np.array([[Pair.of("atoms", mu, 0.0, sigma).js() for mu in settings.path] for sigma in settings.noises])
    path = np.array(settings.path)
    slopes = np.diff(js[-1]) / np.diff(path)
    numbers["atoms, most noise: least slope of JS by mu on [1, 4]"] = float(slopes[path[:-1] >= 1].min())
    heads = ("laws", "mu, tau, sigma", "gradient by mu and tau", "with noise on samples: 2 grad JS")
    return Found(numbers, {"mu": path, "js": js, "noise": np.array(settings.noises)}, (Table(heads, tuple(rows)),))


def densities() -> dict[str, float]:
    """Theorem 3.1 beside closed forms."""
    import torch
    from torch.distributions import Normal

    from divmin.papers.arjovsky.noise import cauchy_noise, moved, normal_noise, standard_normal, uniform

    x, zero, s = torch.linspace(-3, 3, 121, dtype=torch.float64), torch.zeros((), dtype=torch.float64), 0.5
    pair = Pair.of("atoms", 0.6, 0.0, s)

    def below(e: Tensor) -> Tensor:  # the chance of noise below e; torch's own has no digits left far below 0
        return (-e / (s * math.sqrt(2))).erfc() / 2

    told = {
        "atoms, normal noise": (pair.data.density(x, normal_noise(s)), pair.noisy_data.log_prob(x).exp()),
        "uniform law, normal noise": (
            uniform(0, 1).density(x, normal_noise(s)),
            below(torch.where(x > 0.5, 1 - x, x)) - below(torch.where(x > 0.5, -x, x - 1)),
        ),
        "uniform law, Cauchy noise": (
            uniform(0, 1).density(x, cauchy_noise(s)),
            ((x / s).atan() - ((x - 1) / s).atan()) / torch.pi,
        ),
        "normal law, normal noise": (
            moved(standard_normal(), 0.3, 1.1).density(x, normal_noise(s)),
            Normal(zero + 0.3, math.hypot(1.1, s)).log_prob(x).exp(),
        ),
    }
    return {
        f"{name}: largest relative difference of densities": largest(by_nodes / closed - 1)
        for name, (by_nodes, closed) in told.items()
    }


@dataclass(frozen=True)
class Pair:
    """Data and a model with the same noise; densities by nodes, and as laws in closed form.

    Args:
        data, z: without noise.
        noisy_data: with it.
        spread: the variance of z around each of its means, where z is normal and not a set of atoms.
        theta: mu and tau, with a graph.
        sigma: of the noise.
    """

    data: Nodes
    z: Nodes
    noisy_data: Distribution
    spread: float
    theta: Tensor
    sigma: float

    @classmethod
    def of(cls, case: str, mu: float, tau: float, sigma: float) -> Pair:
        """Three atoms against two, or two normal laws against one."""
        import torch

        from divmin.papers.arjovsky.noise import atoms, joined, moved, standard_normal

        theta = torch.tensor([mu, tau], dtype=torch.float64, requires_grad=True)
        if case == "atoms":
            at, share = (-1.0, 0.2, 1.5), (0.5, 0.3, 0.2)
            noisy = mixture(torch.tensor(at, dtype=torch.float64), sigma, torch.tensor(share, dtype=torch.float64))
            return cls(atoms(at, share), atoms((-1.0, 1.0)), noisy, 0.0, theta, sigma)
        parts = ((0.7, -1.0, 0.5), (0.3, 2.0, 0.5))
        noisy = mixture(
            torch.tensor([mean for _, mean, _ in parts], dtype=torch.float64),
            torch.tensor([math.hypot(s, sigma) for _, _, s in parts], dtype=torch.float64),
            torch.tensor([share for share, _, _ in parts], dtype=torch.float64),
        )
        nodes = joined(tuple((share, moved(standard_normal(), mean, s)) for share, mean, s in parts))
        return cls(nodes, standard_normal(), noisy, 1.0, theta, sigma)

    def noisy_model(self, theta: Tensor) -> Distribution:
        """The law of mu + e^tau z + noise."""
        from torch.distributions import Normal

        size = theta[1].exp()
        if self.spread:
            return Normal(theta[0], (size**2 * self.spread + self.sigma**2).sqrt())
        return mixture(theta[0] + size * self.z.at, self.sigma, self.z.weight)

    def js(self) -> float:
        """JS between both with noise."""
        from divmin.values import exact

        return exact("js", self.noisy_data, self.noisy_model(self.theta.detach())).value

    def js_slope(self) -> Floats:
        """Its gradient by mu and tau."""
        import torch

        from divmin.values import exact

        value = exact("js", self.noisy_data, self.noisy_model(self.theta)).tensor
        return np.asarray(torch.autograd.grad(value, self.theta)[0])

    def felt(self, *, noisy: bool) -> Floats:
        """The gradient of E log(1 - D*(g(z))), or with noise on g(z) too; D* is held, and best for laws with noise."""
        import torch

        from divmin.objectives import recipe
        from divmin.papers.arjovsky.noise import standard_normal

        e = standard_normal()
        x, weight = self.theta[0] + self.theta[1].exp() * self.z.at, self.z.weight
        if noisy:
            x, weight = x[:, None] + self.sigma * e.at, weight[:, None] * e.weight
        d = self.noisy_data.log_prob(x) - self.noisy_model(self.theta.detach()).log_prob(x)
        loss = recipe("minimax").generator_loss(d, reduction="none")
        assert isinstance(loss, torch.Tensor)
        return np.asarray(torch.autograd.grad((weight * loss).sum(), self.theta)[0])

    def pulls(self) -> Floats:
        """The right side of theorem 3.2, by nodes."""
        import torch

        from divmin.papers.arjovsky.noise import normal_noise

        model, noise, size = self.model(), normal_noise(self.sigma), math.exp(float(self.theta[1].detach()))
        x = model.at
        a, b = self.factors(x)
        slope = 2 * (a * self.data.pulled(x, noise) - b * model.pulled(x, noise))
        by = torch.stack([torch.ones_like(x), size * self.z.at])  # dg/dmu and dg/dtau
        return np.asarray((by * slope * model.weight).sum(1))

    def model(self) -> Nodes:
        """The law of mu + e^tau z by nodes, without noise."""
        from divmin.papers.arjovsky.noise import moved

        return moved(self.z, float(self.theta[0].detach()), math.exp(float(self.theta[1].detach())))

    def factors(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """a and b of theorem 3.2, by nodes: what weighs the pull towards data, and that away from samples."""
        from divmin.papers.arjovsky.noise import normal_noise

        noise = normal_noise(self.sigma)
        p, q = self.data.density(x, noise), self.model().density(x, noise)
        a = 1 / (2 * self.sigma**2) / (p + q)
        return a, a * p / q

    def sign(self, x: Floats) -> float:
        """The least sign of (b - a)(p - q), p and q by closed forms: -1 if it is anywhere the other way round."""
        import torch

        at = torch.from_numpy(x)
        a, b = self.factors(at)
        p, q = (law.log_prob(at) for law in (self.noisy_data, self.noisy_model(self.theta.detach())))
        return float(((b - a).sign() * (p - q).sign()).min())


def mixture(means: Tensor, scales: Tensor | float, weights: Tensor) -> Distribution:
    """A mixture of normal laws."""
    import torch
    from torch.distributions import Categorical, MixtureSameFamily, Normal

    return MixtureSameFamily(
        Categorical(weights), Normal(means, torch.as_tensor(scales, dtype=torch.float64).expand(means.shape))
    )


def draw(found: Found, figure: Figure) -> None:
    ax = figure.add_subplot()
    for i, sigma in enumerate(found.arrays["noise"]):
        colour, dash = line_style(i)
        label = rf"noise $\sigma$ = {sigma:g}"
        ax.plot(found.arrays["mu"], found.arrays["js"][i], color=colour, linestyle=dash, label=label)
    ax.set(
        xlabel=r"$\mu$ of the model's atoms $\mu \pm 1$; data at -1, 0.2 and 1.5", ylabel="JS with noise on both (nats)"
    )
    ax.set_yticks([0, 0.2, 0.4, 0.6, math.log(2)], ["0", "0.2", "0.4", "0.6", "log 2"])
    ax.legend()


register(
    Item(
        name="arjovsky-theorem-3-2",
        paper=ARJOVSKY,
        title="Theorems 3.1 and 3.2: what noise on the critic's inputs does",
        claim="Noise turns any law into a density. With noise on the critic's inputs the generator's gradient pulls samples "
        "towards data; with noise on its own samples too, it is the gradient of 2 JS between both laws with noise.",
        settings=SETTINGS,
        quick=Settings(path=tuple(np.linspace(-4, 4, 41).tolist())),
        cost=Cost(quick=2, full=10),
        expected=expectations(),
        compute=compute,
        draw=draw,
        size=(6.5, 4.0),
        caption="JS between three atoms and two, with noise on both: thin noise leaves it flat at log 2 wherever no atoms meet; "
        "the more noise, the smoother and the farther it slopes towards the data.",
        slips=(
            "The text around theorem 3.2 has it the wrong way round which of a and b is larger: b = a P_(r+e) / P_(g+e), so b > a "
            "exactly where data with noise are denser than samples with noise.",
        ),
    )
)
