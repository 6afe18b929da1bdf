"""`divmin.values.descend`: where gradient descent of a divergence leads from given parameters, as a flow in continuous time.

dz/dt = -grad D(z),     z the parameters, by their logarithm where they are positive
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Distribution, biject_to, constraints

from divmin.errors import DivminError
from divmin.family import Divergence
from divmin.family import divergence as named_divergence
from divmin.values import model as _model

ROUND, ROUNDS = 64.0, 8  # the time of the first round, and how often as much as before is added
RELATIVE, ABSOLUTE = 1e-4, 1e-8  # of every step
TOLERANCE = 1e-8  # relative, of the integrals
SETTLED = 1e-8


@dataclass(frozen=True)
class Descent:
    """Paths of the gradient flow of D_f(p, q(. ; theta)), one for each start.

    Args:
        times: at which the paths are known [t]; the unit is that of 1/D.
        paths: the values of each parameter [starts, t].
        values: D at the ends [starts], nats.
        slopes: the largest derivative that is left at each end [starts], in free coordinates.
        divergence: the name of f.
    """

    times: NDArray[np.float64] = field(repr=False)
    paths: dict[str, NDArray[np.float64]] = field(repr=False)
    values: NDArray[np.float64]
    slopes: NDArray[np.float64]
    divergence: str

    @property
    def ends(self) -> dict[str, NDArray[np.float64]]:
        """The last value of each parameter [starts]."""
        return {name: path[:, -1] for name, path in self.paths.items()}

    @property
    def settled(self) -> bool:
        """Whether every path has come to rest."""
        return bool((self.slopes <= SETTLED).all())


def descend(
    f: str | Divergence,
    p: Any,
    family: str | Callable[..., Distribution],
    starts: Mapping[str, Any],
    *,
    time: float | None = None,
) -> Descent:
    """Follow the gradient of the divergence downhill, as a generator does whose critic is always the best one.

        dz/dt = -grad D(z) = E_q[b(d) grad log q]

    Args:
        f: a divergence, its name, or an expression.
        p: the data, a law as `exact` takes it.
        family: makes a torch distribution from its parameters by name; a class such as torch.distributions.Normal, or a text
            with free names, also says which of them are positive. Those move by their logarithm.
        starts: the values of each parameter where paths begin, equally many for all.
        time: how long to follow; None until all derivatives are below 1e-8, or for about 8,000 units of time.

    Returns:
        The paths.

    Raises:
        DivminError: no starts, or parameters at which D or its derivatives are not finite.

    Example:
        >>> found = descend("js", "0.75*normal(-1, 0.5) + 0.25*normal(1.2, 0.5)", "normal(m, s)", {"m": [2], "s": [1]})
        >>> [round(float(end[0]), 6) for end in found.ends.values()], found.settled
        ([-0.469617, 1.040026], True)

    Source: Shannon et al., section 11 and eq. 35.
    """
    from scipy.integrate import solve_ivp  # takes a while to import

    f = f if isinstance(f, Divergence) else named_divergence(f)
    p, made = _model.read(p, family)
    names, columns = _model.parameters(starts)
    if len({len(column) for column in columns}) != 1:
        raise DivminError(f"starts have {[len(column) for column in columns]} values: expected equally many for all")
    known: Mapping[str, Any] = getattr(made, "arg_constraints", {})
    transforms = [biject_to(known.get(name, constraints.real)) for name in names]
    z = torch.stack([to.inv(column) for to, column in zip(transforms, columns, strict=True)], -1)
    if not bool(z.isfinite().all()):
        raise DivminError(f"starts are {dict(starts)}: outside of what the parameters may be")

    def theta(z: Tensor) -> Tensor:
        return torch.stack([to(part) for to, part in zip(transforms, z.unbind(-1), strict=True)], -1)

    def field_at(z: Tensor) -> tuple[Tensor, Tensor]:
        """D and its gradient in z."""
        with torch.enable_grad():
            at = z.detach().requires_grad_()
            moved = theta(at)
            found = _model.field(f, p, made, names, moved.detach(), True, tolerance=TOLERANCE)
            assert found.gradients is not None
            (slope,) = torch.autograd.grad((moved * found.gradients).sum(), at)
        if not bool(slope.isfinite().all()):
            raise DivminError(f"{f.name} has no gradient on the way: it is infinite there")
        return found.values, slope

    def velocity(t: float, y: NDArray[np.float64]) -> NDArray[np.float64]:
        out: NDArray[np.float64] = -field_at(torch.from_numpy(y.reshape(z.shape).copy()))[1].reshape(-1).numpy()
        return out

    # Paths do not know of each other, so that the Jacobian is a band.
    band = {"lband": len(names) - 1, "uband": len(names) - 1}
    times, ways, now = [np.zeros(1)], [z.reshape(-1, 1).numpy()], 0.0
    for k in range(1 if time is not None else ROUNDS):
        span = (now, now + (time if time is not None else ROUND * 2**k))
        part = solve_ivp(velocity, span, ways[-1][:, -1], method="LSODA", rtol=RELATIVE, atol=ABSOLUTE, **band)
        if not part.success:
            raise DivminError(f"the flow of {f.name} cannot be followed beyond t = {part.t[-1]:.4g}: {part.message}")
        times.append(part.t[1:])
        ways.append(part.y[:, 1:])
        now = span[1]
        values, slope = field_at(torch.from_numpy(part.y[:, -1].reshape(z.shape).copy()))
        if float(slope.abs().max()) <= SETTLED:
            break
    every = torch.from_numpy(np.concatenate(ways, 1).reshape(*z.shape, -1).copy())
    paths = {name: to(every[:, i]).numpy() for i, (name, to) in enumerate(zip(names, transforms, strict=True))}
    return Descent(np.concatenate(times), paths, values.numpy(), slope.abs().amax(1).numpy(), f.name)
