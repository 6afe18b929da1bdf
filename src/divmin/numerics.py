"""Stable functions of a log-ratio, and the two mechanisms under every formula: dtypes and exact slopes.

Only tensor methods are used, so that `divmin list` need not import torch; the two functions that do need it say so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from divmin.errors import DivminError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Array = TypeVar("Array")  # a tensor, a NumPy array or a Python number: whatever comes in goes out
Kernel = Callable[["Tensor"], "Tensor"]


# --- dtypes -------------------------------------------------------------------------------------------------------------


def apply(kernel: Kernel, x: Array) -> Array:
    """Run a float32/float64 tensor function on a tensor of any float dtype, a NumPy array or a number.

    16-bit tensors are computed in float32 and rounded once at the end; integers are read as float64.
    """
    import torch

    if isinstance(x, torch.Tensor):
        if x.dtype in (torch.float16, torch.bfloat16):
            return kernel(x.float()).to(x.dtype)  # type: ignore[return-value]
        if not x.is_floating_point():
            raise DivminError(
                f"a log-ratio or ratio tensor must be of a float dtype; got {x.dtype}: call .float() first"
            )
        return kernel(x)  # type: ignore[return-value]
    if isinstance(x, bool) or (not hasattr(x, "__float__") and not hasattr(x, "__array__")):
        raise DivminError(f"expected a tensor, a NumPy array or a number; got {type(x).__name__}")
    if isinstance(x, int | float):
        return float(kernel(torch.tensor(float(x), dtype=torch.float64)))  # type: ignore[return-value]
    import numpy as np

    array = np.asarray(x)
    if array.dtype.kind == "c":  # NumPy would drop the imaginary part
        raise DivminError(f"expected real numbers; got an array of {array.dtype}")
    dtype = array.dtype if array.dtype in (np.float16, np.float32, np.float64) else np.dtype(np.float64)
    try:
        values = torch.from_numpy(np.array(array, dtype=dtype))
    except (TypeError, ValueError) as error:
        raise DivminError(f"expected real numbers; got an array of {array.dtype}") from error
    out = apply(kernel, values).numpy()
    return out if isinstance(x, np.ndarray) else dtype.type(out)  # type: ignore[return-value]


def smooth(x: Tensor, value: Kernel, slope: Kernel) -> Tensor:
    """`value(x)` whose derivative is `slope(x)`, exactly, to any order that `slope` itself can be differentiated.

    Autograd through a formula inherits its cancellations and its 0 * inf; here the derivative is a formula of its own.
    """
    from divmin.slopes import WithSlope

    return WithSlope.apply(x, value, slope)  # type: ignore[no-any-return]


def together(x: Tensor, both: Callable[[Tensor], tuple[Tensor, Tensor]], slope: Kernel) -> Tensor:
    """As `smooth`, with value and slope from one evaluation; `slope` alone serves what differentiates the derivative.

    Where PyTorch transforms or traces the program, which fuses or batches such things itself, use `smooth`.
    """
    from divmin.slopes import Together

    return Together.apply(x, both, slope)  # type: ignore[no-any-return]


# --- exponentials -------------------------------------------------------------------------------------------------------


def exp_times(c: float, d: Tensor, gain: float = 1.0, c_low: float = 0.0) -> Tensor:
    """gain * exp(c d) to a few ulp, also where rounding the product c d alone would cost |c d| of them.

    Args:
        c: the rate.
        d: any tensor.
        gain: a positive factor.
        c_low: what c lost when it was rounded.

    Example:
        >>> import torch
        >>> float(exp_times(3, torch.tensor(100.0, dtype=torch.float64))) == math.exp(300)
        True
    """
    if c == 0:
        return d.clamp(0, 0).add_(gain)  # NaN stays NaN
    product, error = _exact_product(*((c, c_low) if gain >= 1 else (c / 2, c_low / 2)), d)
    out = product.exp_() if error is None else product.exp_().mul_(error.add_(1))
    # a small gain is put between two halves, because exp(c d) may overflow where gain * exp(c d) does not
    return out if gain == 1 else out.mul_(gain) if gain > 1 else (out * gain).mul_(out)


def expm1_times(c: float, d: Tensor, gain: float = 1.0, c_low: float = 0.0) -> Tensor:
    """gain * expm1(c d) / c, the integral of gain * exp(c x) from 0 to d: gain * d at c = 0, and continuous there."""
    if c == 0:
        return d * gain
    size = gain / c
    product, error = _exact_product(*((c, c_low) if abs(size) >= 1 else (c / 2, c_low / 2)), d)
    out = product.expm1_()
    if error is not None:
        out = out * (1 + error) + error  # expm1(x + e) = expm1(x) + e + e expm1(x), in an order that keeps inf an inf
    if abs(size) < 1:
        return (out * size).mul_(out.add_(2))  # expm1(2x) = expm1(x) (expm1(x) + 2)
    return out if size == 1 else out.mul_(size)


def _exact_product(c: float, c_low: float, d: Tensor) -> tuple[Tensor, Tensor | None]:
    """(c + c_low) d as a rounded product and its rounding error; no error for powers of two.

    torch adds a multiple with one rounding (a fused multiply-add) wherever the processor can, so that c d - round(c d) is
    exact; on a processor without it the error reads 0, and the accuracy is that of the plain product.
    """
    if c_low == 0 and math.frexp(abs(c))[0] == 0.5:
        return d * c, None
    d = d.clamp(-2e4 / abs(c), 2e4 / abs(c))  # beyond, every exp has over- or underflowed; keeps inf - inf away
    high = c if d.element_size() == 8 else _to_float32(c)
    product = d * high
    return product, product.sub(d, alpha=high).neg_().add_(d, alpha=(c - high) + c_low)


def minus(x: float, k: int) -> tuple[float, float]:
    """x - k as a rounded difference and what the rounding lost.

    Example:
        >>> minus(0.25, 1), minus(1e-20, 1)
        ((-0.75, 0.0), (-1.0, 1e-20))
    """
    high = x - k
    back = high - x
    return high, (x - (high - back)) + (-k - back)


def _to_float32(c: float) -> float:
    """c rounded to 24 binary digits."""
    mantissa, exponent = math.frexp(c)
    return math.ldexp(round(math.ldexp(mantissa, 24)), exponent - 24)


def log_mix(c: float, rest: float, x: Tensor) -> Tensor:
    """log(c e^x + rest), where rest = 1 - c: relative accuracy near x = 0, no overflow at any x.

    Both shares are given, because the small one of them cannot be recovered from the other.

    Example:
        >>> import torch
        >>> log_mix(0.5, 0.5, torch.tensor([-1e4, 0.0, 1e-8, 1e4], dtype=torch.float64))
        tensor([-6.9315e-01,  0.0000e+00,  5.0000e-09,  9.9993e+03], dtype=torch.float64)
    """
    if c == rest:
        return _half_drop(x).add_(x.clamp(min=0.0))
    # Above the cut the slope is 1 to the last digit; up to it e^x does not overflow, and positive terms do not cancel.
    below, above = x.clamp(max=80.0), (x - 80.0).clamp_(min=0.0)
    if rest >= 0.25:
        return below.expm1_().mul_(c).log1p_().add_(above)
    shift = below.expm1().mul_(c)
    plain = below.exp_().mul_(c).add_(rest)  # far below 0 the plain sum is exact, and 1 + shift is not
    return shift.log1p().where(shift > -0.5, plain.log()).add_(above)


def log_share(c: float, rest: float, x: Tensor) -> Tensor:
    """x - log(c e^x + rest): log p/m at x = log p/q, for the mixture m = c p + rest q.

    Example:
        >>> import torch
        >>> log_share(0.5, 0.5, torch.tensor([-1e4, 0.0, 1e4]))
        tensor([-9.9993e+03,  0.0000e+00,  6.9315e-01])
    """
    if c == rest:
        return x.clamp(max=0.0).sub_(_half_drop(x))
    return log_mix(rest, c, -x).neg_()


def _half_drop(x: Tensor) -> Tensor:
    """log((1 + e^-|x|)/2): from -|x|/2 near 0 to -log 2, nothing cancels and nothing overflows."""
    return x.abs().neg_().expm1_().mul_(0.5).log1p_()


def exp_second_difference(beta: float, t: Tensor, gain: float = 1.0) -> Tensor:
    """gain (e^(beta t) - 1 - beta (e^t - 1)) / (beta (beta - 1)) for t <= 0, continuous in beta through 0 and 1.

    This is t^2 times the second divided difference of exp at the nodes 0, beta t, t. Close nodes take the Taylor series, distant
    ones the difference of two first differences over the widest pair, which never cancels.
    """
    finite = t.clamp(min=-1e5)  # so that e^-inf * inf below is the 0 that it should be
    if beta < 0:
        size = gain / (1 - beta)
        far = expm1_times(1, t, size) - expm1_times(beta, t, size)
    elif beta <= 1:
        far = exp_times(beta, finite) * expm1_times(1 - beta, finite, gain) - expm1_times(beta, t, gain)
    else:
        far = (t.exp() * expm1_times(beta - 1, finite) - expm1_times(1, t)) * (gain / beta)
    reach = max(1.0, abs(beta), abs(1 - beta))
    near_t = t.clamp(min=-1 / reach)
    near, h = 0.0 * near_t, [1.0]
    for _ in range(19):
        h.append(h[-1] * beta + 1)  # complete homogeneous polynomials in (beta, 1)
    for n in reversed(range(20)):
        near = near * near_t + h[n] / math.factorial(n + 2)
    return (near * near_t * near_t * gain).where(t > -1 / reach, far)


# --- integrals ----------------------------------------------------------------------------------------------------------


# Gauss-Legendre nodes and weights on [0, 1]; a test compares them with NumPy's.
NODES = (
    0.0034357004074525377,
    0.018014036361043106,
    0.04388278587433705,
    0.0804415140888906,
    0.1268340467699246,
    0.1819731596367425,
    0.24456649902458646,
    0.3131469556422902,
    0.38610707442917747,
    0.46173673943325133,
    0.5382632605667487,
    0.6138929255708225,
    0.6868530443577098,
    0.7554335009754135,
    0.8180268403632576,
    0.8731659532300754,
    0.9195584859111094,
    0.956117214125663,
    0.9819859636389568,
    0.9965642995925474,
)
WEIGHTS = (
    0.008807003569576059,
    0.02030071490019347,
    0.031336024167054534,
    0.04163837078835238,
    0.05096505990862022,
    0.059097265980759206,
    0.06584431922458832,
    0.07104805465919102,
    0.07458649323630187,
    0.07637669356536292,
    0.07637669356536292,
    0.07458649323630187,
    0.07104805465919102,
    0.06584431922458832,
    0.059097265980759206,
    0.05096505990862022,
    0.04163837078835238,
    0.031336024167054534,
    0.02030071490019347,
    0.008807003569576059,
)


def integrate(integrand: Callable[[Tensor], Tensor], d: Tensor) -> Tensor:
    """The integral of a smooth positive function from 0 to each entry of d, by Gauss-Legendre panels.

    Panels grow away from both ends, where integrands such as e^(c x) have their mass. Computed in float64 where the device has it.

    Args:
        integrand: x of shape [20, panels, *d.shape] to values of the same shape.
        d: the upper ends, finite; entries beyond 1e30 (1e5 while torch.compile or torch.func trace) are read as that.
    """
    import torch

    from divmin.slopes import values_are_known

    wide = d if d.dtype == torch.float64 or d.device.type == "mps" else d.double()
    known = values_are_known()
    furthest = 1e30 if known else 1e5
    end = wide.clamp(-furthest, furthest)
    half = end.abs() / 2
    reach = furthest / 2
    if known:
        reach = float(half.detach().masked_fill(half.isnan(), 0).max()) if half.numel() else 0.0
    panels: list[tuple[float, float]] = []
    edge = 0.0
    while edge < reach or not panels:
        panels.append((edge, edge + (1 if edge == 0 else 2 if edge < 40 else edge)))
        edge = panels[-1][1]
    column = (-1,) + (1,) * (end.dim() + 1)
    at = torch.tensor(NODES, dtype=end.dtype, device=end.device).reshape(column)
    mass = torch.tensor(WEIGHTS, dtype=end.dtype, device=end.device).reshape(column)
    total = torch.zeros_like(end)
    # One panel after the other saves memory; all at once is one formula to trace instead of thirty.
    for group in [[panel] for panel in panels] if known else [panels]:
        low = torch.stack([half.clamp(max=left) for left, _ in group])
        width = torch.stack([half.clamp(max=right) for _, right in group]) - low
        x = (low + width * at) * end.sign()
        values = ((integrand(x) + integrand(end - x)) * mass).sum(0)
        total = total + (values * width).masked_fill(width == 0, 0.0).sum(
            0
        )  # past the end of a short range: 0, not NaN
    return (total * end.sign()).to(d.dtype)


def float64(values: list[float] | float) -> torch.Tensor:
    """Numbers as a float64 tensor: for the few points at which a divergence is compared, named or measured."""
    import torch

    return torch.tensor(values, dtype=torch.float64)
