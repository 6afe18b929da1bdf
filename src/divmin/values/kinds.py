"""The laws that have a name in text: what they take, in which order, and which distribution of torch they are."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, distributions
from torch.distributions import Distribution, constraints

from divmin.errors import DivminError, counted, suggest
from divmin.grammar import plain
from divmin.values.atoms import probabilities

# what a parameter of torch must be, in words
WORDS = {
    constraints.real: "a number",
    constraints.positive: "a number above 0",
    constraints.nonnegative: "a number, 0 or more",
    constraints.unit_interval: "a number from 0 to 1",
    constraints.nonnegative_integer: "a whole number, 0 or more",
}


@dataclass(frozen=True)
class Kind:
    """A family of laws with a name.

    Args:
        name: in snake case.
        family: of torch.
        takes: its parameters in order, from the name here to the name in torch; both are understood.
        example: parameters of one of its laws.
        defaults: of parameters that may be left out.
        needs: what its parameters must be that the limits of each do not say.
    """

    name: str
    family: type[Any]
    takes: Mapping[str, str]
    example: tuple[float, ...]
    defaults: Mapping[str, float] = field(default_factory=dict)
    needs: str = "other parameters"

    @property
    def usage(self) -> str:
        """How it is written: name(parameter, parameter=default)."""
        return f"{self.name}({', '.join(key + self._default(key) for key in self.takes)})"

    def _default(self, key: str) -> str:
        return f"={plain(self.defaults[key])}" if key in self.defaults else ""

    @property
    def shown(self) -> str:
        """An example as text."""
        return f"{self.name}({', '.join(map(plain, self.example))})"

    def bound(self, placed: list[Tensor], named: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Values by parameter, from those by position and by name, with defaults.

        Raises:
            DivminError: too many or missing ones, or a name that does not fit.
        """
        if len(placed) > len(self.takes):
            raise DivminError(f"{self.usage} takes {counted(len(self.takes), 'parameter')}; got {len(placed)}")
        values = dict(zip(self.takes, placed, strict=False))
        spelt = {torchs: ours for ours, torchs in self.takes.items()} | {ours: ours for ours in self.takes}
        for key, value in named.items():
            if key not in spelt:
                raise DivminError(f"{self.usage} has no parameter '{key}': {suggest(key, list(spelt))}")
            if spelt[key] in values:
                raise DivminError(f"{self.usage} got {key} twice: give it once")
            values[spelt[key]] = value
        missing = [key for key in self.takes if key not in values and key not in self.defaults]
        if missing:
            raise DivminError(f"{self.usage} needs {' and '.join(missing)}: write for example {self.shown}")
        defaults = {key: torch.tensor(value, dtype=torch.float64) for key, value in self.defaults.items()}
        return {key: values.get(key, defaults.get(key)) for key in self.takes}  # type: ignore[misc]

    def law(self, values: dict[str, Tensor]) -> Distribution:
        """The law with these float64 parameters: lists of n of them make n independent laws beside each other.

        Raises:
            DivminError: parameters out of range, or lists of several lengths.
        """
        *_, last = values
        if self.name == "normal" and values[last].dim() == 2:
            return _with_covariance(self.usage, values["mean"], values[last])
        sizes = {value.shape for value in values.values() if value.dim()}
        if any(len(size) > 1 for size in sizes):
            raise DivminError(f"{self.usage} got a list of lists: only the second parameter of normal may be a matrix")
        if len(sizes) > 1:
            lengths = " and ".join(str(len(value)) for value in values.values() if value.dim())
            raise DivminError(f"{self.usage} got lists of {lengths} numbers: expected one length")
        limits = self.family.arg_constraints  # a property where they depend on each other, as for uniform
        for key, value in values.items():
            limit = limits.get(self.takes[key]) if isinstance(limits, Mapping) else constraints.real
            _check(f"{self.usage}: {key}", value, limit)
        (size,) = sizes or {torch.Size()}
        shape = () if size.numel() == 1 else size
        given = {
            self.takes[key]: value.expand(shape) if not value.dim() else value.reshape(shape)
            for key, value in values.items()
        }
        try:
            made = self.family(**given, validate_args=True)  # torch.compile switches it off for the whole process
        except ValueError as error:  # what torch says of parameters that do not go together, as low > high
            got = ", ".join(f"{key} = {_written(value)}" for key, value in values.items())
            raise DivminError(f"{self.usage} does not exist for {got}: expected {self.needs}") from error
        return distributions.Independent(made, 1) if shape else made


def _check(what: str, value: Tensor, constraint: Any) -> None:
    constraint = constraints.real if constraints.is_dependent(constraint) else constraint
    if not bool(value.detach().isfinite().all()) or not bool(constraint.check(value.detach()).all()):
        low, high = getattr(constraint, "lower_bound", None), getattr(constraint, "upper_bound", None)
        ends = ", ".join(f"{word} {end:g}" for word, end in (("from", low), ("below", high)) if end is not None)
        raise DivminError(f"{what} is {_written(value)}: expected {WORDS.get(constraint, f'a number {ends}')}")


def _written(value: Tensor) -> str:
    numbers = [plain(each) if math.isfinite(each) else str(each) for each in value.detach().reshape(-1).tolist()]
    return f"[{', '.join(numbers)}]" if value.dim() else numbers[0]


def _with_covariance(usage: str, mean: Tensor, covariance: Tensor) -> Distribution:
    n = len(covariance)
    if covariance.shape != (n, n) or (mean.dim() and mean.shape != (n,)):
        shape = " x ".join(map(str, covariance.shape))
        raise DivminError(
            f"{usage} got a mean of {mean.numel()} and a {shape} covariance: expected n and n x n numbers"
        )
    matrix = covariance.detach()
    if not bool((matrix == matrix.mT).all()):
        raise DivminError(f"{usage} got a covariance that is not symmetric: expected [[a, c], [c, b]]")
    if bool(torch.linalg.cholesky_ex(matrix).info) or not bool(mean.detach().isfinite().all()):
        raise DivminError(f"{usage} got a covariance that is not positive definite: a variance would be 0 or less")
    return distributions.MultivariateNormal(mean.expand(n), covariance_matrix=covariance)


KINDS: dict[str, Kind] = {
    each.name: each
    for each in (
        Kind("normal", distributions.Normal, {"mean": "loc", "scale": "scale"}, (0, 1)),
        Kind("laplace", distributions.Laplace, {"loc": "loc", "scale": "scale"}, (0, 1)),
        Kind("cauchy", distributions.Cauchy, {"loc": "loc", "scale": "scale"}, (0, 1)),
        Kind(
            "student_t",
            distributions.StudentT,
            {"df": "df", "loc": "loc", "scale": "scale"},
            (3, 0, 1),
            {"loc": 0.0, "scale": 1.0},
        ),
        Kind("gumbel", distributions.Gumbel, {"loc": "loc", "scale": "scale"}, (0, 1)),
        Kind("uniform", distributions.Uniform, {"low": "low", "high": "high"}, (0, 1), needs="low below high"),
        Kind("exponential", distributions.Exponential, {"rate": "rate"}, (2,)),
        Kind("gamma", distributions.Gamma, {"shape": "concentration", "rate": "rate"}, (2, 1)),
        Kind("inverse_gamma", distributions.InverseGamma, {"shape": "concentration", "rate": "rate"}, (2, 1)),
        Kind("chi2", distributions.Chi2, {"df": "df"}, (3,)),
        Kind("log_normal", distributions.LogNormal, {"loc": "loc", "scale": "scale"}, (0, 1)),
        Kind("weibull", distributions.Weibull, {"scale": "scale", "shape": "concentration"}, (1, 1.5)),
        Kind("pareto", distributions.Pareto, {"scale": "scale", "alpha": "alpha"}, (1, 3)),
        Kind("half_normal", distributions.HalfNormal, {"scale": "scale"}, (1,)),
        Kind("half_cauchy", distributions.HalfCauchy, {"scale": "scale"}, (1,)),
        Kind("fisher_snedecor", distributions.FisherSnedecor, {"df1": "df1", "df2": "df2"}, (3, 8)),
        Kind("beta", distributions.Beta, {"a": "concentration1", "b": "concentration0"}, (2, 3)),
        Kind("kumaraswamy", distributions.Kumaraswamy, {"a": "concentration1", "b": "concentration0"}, (2, 3)),
        Kind("continuous_bernoulli", distributions.ContinuousBernoulli, {"p": "probs"}, (0.3,)),
        Kind("von_mises", distributions.VonMises, {"loc": "loc", "concentration": "concentration"}, (0, 2)),
        Kind("bernoulli", distributions.Bernoulli, {"p": "probs"}, (0.3,)),
        Kind("binomial", distributions.Binomial, {"n": "total_count", "p": "probs"}, (10, 0.3)),
        Kind("geometric", distributions.Geometric, {"p": "probs"}, (0.3,), needs="p above 0"),
        Kind("negative_binomial", distributions.NegativeBinomial, {"n": "total_count", "p": "probs"}, (3, 0.4)),
        Kind("poisson", distributions.Poisson, {"rate": "rate"}, (4,)),
    )
}  # fmt: skip


@dataclass(frozen=True)
class Sequence:
    """A law that is made of any number of numbers."""

    name: str
    make: Callable[[Tensor, str], Distribution | Tensor]  # from the numbers, and the text that errors quote
    example: tuple[float, ...]

    @property
    def usage(self) -> str:
        return f"{self.name}(a, b, ...)"

    @property
    def shown(self) -> str:
        return f"{self.name}({', '.join(map(plain, self.example))})"


def _categorical(values: Tensor, text: str) -> Distribution:
    if values.dim() != 1:
        raise DivminError(f"{text} is a table: expected categorical(a, b, ...)")
    return distributions.Categorical(probabilities(values, text))


def _dirichlet(values: Tensor, text: str) -> Distribution:
    if values.dim() != 1 or len(values) < 2:
        raise DivminError(f"{text} needs at least 2 numbers: write for example dirichlet(1, 2, 3)")
    _check("dirichlet(a, b, ...): a concentration", values, constraints.positive)
    return distributions.Dirichlet(values)


SEQUENCES: dict[str, Sequence] = {
    each.name: each
    for each in (
        Sequence("categorical", _categorical, (0.2, 0.3, 0.5)),
        Sequence("dirichlet", _dirichlet, (1, 2, 3)),
        Sequence("probs", probabilities, (0.2, 0.3, 0.5)),
    )
}
ALIASES = {"gaussian": "normal", "student": "student_t", "chi_squared": "chi2"}
