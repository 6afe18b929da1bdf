"""What the law tests draw: members, composites of the algebra, and pairs of discrete distributions."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

import divmin as dm
from divmin import Divergence

COMPOSITES = (
    "reverse(js)",
    "reverse(softened_kl)",
    "0.5*kl + 0.5*rkl",
    "soften(reverse(kl))",
    "soften(js)",
    "skew(jeffreys, 0.3)",
    "skew(reverse(skew_kl(0.3)), 0.7)",
    "nonsaturating(squared_hellinger)",
    "nonsaturating(nonsaturating(js))",
    "nonsaturating(soften(kl))",
    "symmetrize(skew(kl, 0.2))",
    "canonical(triangular + 3*kl)",
    "2*reverse(nonsaturating(igog)) + js/4",
    "u^4 - 4*u + 3",
)
MEMBERS = tuple(dm.divergences())
KINKED = tuple(name for name in MEMBERS if not dm.divergence(name).smooth)
SMOOTH = tuple(name for name in MEMBERS if name not in KINKED) + COMPOSITES
EVERYTHING = SMOOTH + KINKED + ("soften(total_variation)", "total_variation + js", "reverse(hockey_stick(3))")


def float64(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def pair(seed: int, size: int = 12, spread: float = 1.5) -> tuple[Tensor, Tensor]:
    """Two probability vectors without zeros."""
    draw = torch.Generator().manual_seed(seed)
    p, q = (spread * torch.randn(2, size, dtype=torch.float64, generator=draw)).softmax(-1)
    return p, q


def value(f: Divergence, p: Tensor, q: Tensor) -> Tensor:
    """D_f(p, q) = sum of max(p, q) s(log p/q) over discrete distributions without zeros."""
    return (torch.maximum(p, q) * f.s((p / q).log())).sum()


def expressions() -> st.SearchStrategy[str]:
    """Random text of the algebra over a few smooth members, small enough that nothing overflows at |d| = 20."""
    names = st.sampled_from(
        ["kl", "rkl", "js", "hellinger", "triangular", "igog", "power(0.3)", "skew_kl(0.2)", "gjs(0.7)"]
    )
    factor = st.sampled_from(["0.25", "2", "1/3"])

    def grow(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("reverse({})".format, inner),
            st.builds("soften({})".format, inner),
            st.builds("symmetrize({})".format, inner),
            st.builds("canonical({})".format, inner),
            st.builds("nonsaturating({})".format, inner),
            st.builds("skew({}, {})".format, inner, st.sampled_from(["0.1", "0.35", "pi=0.6"])),
            st.builds("{}*({})".format, factor, inner),
            st.builds("({} + {})".format, inner, inner),
        )

    return st.recursive(names, grow, max_leaves=3)
