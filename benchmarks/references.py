"""What estimates are measured against: plain textbook estimators, and peers where they are installed."""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import gaussian_kde

from divmin.family import Divergence

Estimator = Callable[[Divergence, np.ndarray, np.ndarray, int], float]
PEERS = ("densratio", "infomeasure", "sbi", "torch_mist")


def kde(f: Divergence, x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """Kernel densities by Scott's rule, read by the split estimator."""
    p, q = gaussian_kde(x.T), gaussian_kde(y.T)

    def d(z: np.ndarray) -> np.ndarray:
        return p.logpdf(z.T) - q.logpdf(z.T)

    return _split(f, d(x), d(y))


def knn(f: Divergence, x: np.ndarray, y: np.ndarray, seed: int, k: int = 5) -> float:
    """Distances to the fifth neighbour, a sample not being its own neighbour (Wang, Kulkarni and Verdu 2009)."""
    n, m, columns = len(x), len(y), x.shape[1]
    trees = cKDTree(x), cKDTree(y)

    def radius(z: np.ndarray, tree: cKDTree, own: bool) -> np.ndarray:
        return tree.query(z, k=[k + own])[0][:, 0]

    d_x = columns * np.log(radius(x, trees[1], False) / radius(x, trees[0], True)) + np.log(m / (n - 1))
    d_y = columns * np.log(radius(y, trees[1], True) / radius(y, trees[0], False)) + np.log((m - 1) / n)
    if f.name == "kl":
        return float(d_x.mean())
    return _split(f, d_x, d_y)


def _split(f: Divergence, d_x: np.ndarray, d_y: np.ndarray) -> float:
    return float(np.where(d_x > 0, f.s(d_x), 0).mean() + np.where(d_y < 0, f.s(d_y), 0).mean())


def densratio(f: Divergence, x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """densratio's default, read as its README does: KL by the mean log-ratio on x, PE from the ratios."""
    from densratio import densratio as fit

    fitted = fit(x, y, verbose=False)
    u_x, u_y = fitted.compute_density_ratio(x), fitted.compute_density_ratio(y)
    if f.name == "kl":
        return float(np.log(u_x).mean())
    return float(np.mean((u_y - 1) ** 2)) if f.name == "chi2_model_denominator" else _split(f, np.log(u_x), np.log(u_y))


def infomeasure(f: Divergence, x: np.ndarray, y: np.ndarray, seed: int) -> float:
    """infomeasure's k-NN estimate, which it has for KL alone; NaN for others."""
    from infomeasure import kld

    return float(kld(x, y, approach="metric", k=4)) if f.name == "kl" else np.nan


def installed() -> dict[str, Estimator]:
    """Peers that can be run here; what cannot is said in a line each."""
    adapters: dict[str, Estimator] = {"densratio": densratio, "infomeasure": infomeasure}
    found = {}
    for name in PEERS:
        try:
            importlib.import_module(name)
        except ImportError:
            print(f"{name}: skipped, not installed")
            continue
        if name in adapters:
            found[name] = adapters[name]
        else:
            print(f"{name}: skipped, estimates mutual information or needs a training loop of its own; no adapter here")
    return found
