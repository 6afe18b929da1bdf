"""Estimates from samples against known truths: bias, spread and error of each method, task by task.

python benchmarks/estimation.py densratio rubenstein --repeats 20
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from references import Estimator, installed, kde, knn
from scipy import stats

import divmin as dm
from divmin.data import load
from divmin.errors import counted
from divmin.plots import save_estimates

Draw = Callable[[np.random.Generator], tuple[np.ndarray, np.ndarray]]
PE = "chi2_model_denominator"  # the Pearson divergence PE of densratio is half of it


@dataclass(frozen=True)
class Case:
    """Samples with known divergences: expression to truth."""

    name: str
    draw: Draw
    truths: dict[str, float]


# --- truths ------------------------------------------------------------------------------------------------------------------


def gaussian_truths(mean_p, cov_p, mean_q, cov_q) -> dict[str, float]:
    """KL, chi2_model_denominator and squared Hellinger between two normal laws, by their closed forms."""
    mean_p, mean_q = np.atleast_1d(mean_p), np.atleast_1d(mean_q)
    cov_p, cov_q = np.atleast_2d(cov_p), np.atleast_2d(cov_q)

    def log_power(t: float) -> float:  # log of the integral of p^t q^(1-t)
        precision = t * np.linalg.inv(cov_p) + (1 - t) * np.linalg.inv(cov_q)
        if np.linalg.eigvalsh(precision).min() <= 0:
            return math.inf
        mix, gap = (1 - t) * cov_p + t * cov_q, mean_p - mean_q
        logs = [np.linalg.slogdet(each)[1] for each in (cov_p, cov_q, mix)]
        return 0.5 * ((1 - t) * logs[0] + t * logs[1] - logs[2] - t * (1 - t) * gap @ np.linalg.solve(mix, gap))

    gap = mean_q - mean_p
    kl = 0.5 * (
        np.trace(np.linalg.solve(cov_q, cov_p))
        + gap @ np.linalg.solve(cov_q, gap)
        - len(gap)
        + np.linalg.slogdet(cov_q)[1]
        - np.linalg.slogdet(cov_p)[1]
    )
    return {"kl": float(kl), PE: math.expm1(log_power(2.0)), "squared_hellinger": -math.expm1(log_power(0.5))}


def normal(name: str, p: tuple, q: tuple, n: int, m: int, columns: int = 1) -> Case:
    """Isotropic normal laws (mean, standard deviation)."""
    eye = np.eye(columns)
    truths = gaussian_truths(p[0] * np.ones(columns), p[1] ** 2 * eye, q[0] * np.ones(columns), q[1] ** 2 * eye)
    return Case(name, lambda r: (r.normal(*p, (n, columns)), r.normal(*q, (m, columns))), truths)


def rubenstein(columns: int, strength: float, n: int) -> Case:
    """Q = N(b, A A' + I/4) as x against P = N(0, I) as y; A0 and b0 are drawn with seed 0 and have norm 1."""
    random = np.random.default_rng(0)
    a0, b0 = random.normal(size=(columns, 20)), random.normal(size=columns)
    a = np.eye(columns, 20) / 2 + strength * a0 / np.linalg.norm(a0)
    b, cov = strength * b0 / np.linalg.norm(b0), a @ a.T + np.eye(columns) / 4
    root = np.linalg.cholesky(cov)

    def draw(r: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        return b + r.normal(size=(n, columns)) @ root.T, r.normal(size=(n, columns))

    truths = gaussian_truths(b, cov, np.zeros(columns), np.eye(columns))
    return Case(f"rubenstein d={columns} lambda={strength:g} N={n}", draw, truths)


def correlated(pairs: int, information: float, n: int, cubed: bool = False) -> Case:
    """Pairs (x_i, y_i) of correlation r, r^2 = 1 - e^(-2 MI/pairs), against independent ones."""
    r = math.sqrt(1 - math.exp(-2 * information / pairs))

    def draw(random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        def two() -> tuple[np.ndarray, np.ndarray]:
            first, noise = random.normal(size=(2, n, pairs))
            second = r * first + math.sqrt(1 - r * r) * noise
            return first, second**3 if cubed else second

        first, second = two()
        return np.hstack([first, second]), np.hstack([two()[0], two()[1]])

    return Case(
        f"{2 * pairs} columns, MI {information:g}{', cubed' if cubed else ''}, n={n}", draw, {"kl": information}
    )


@dataclass(frozen=True)
class Law:
    """A law of one column: its log-density, and how to draw from it."""

    log_density: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray]


def student(freedom: float) -> Law:
    return Law(stats.t(freedom).logpdf, lambda r, size: r.standard_t(freedom, size))


def log_normal(mean: float, spread: float) -> Law:
    law = stats.lognorm(spread, scale=math.exp(mean))
    return Law(law.logpdf, lambda r, size: r.lognormal(mean, spread, size))


def mixture(*parts: tuple[float, float]) -> Law:
    """Normal laws (mean, standard deviation) that are equally likely."""
    means, spreads = np.array(parts).T

    def log_density(z: np.ndarray) -> np.ndarray:
        return np.logaddexp.reduce([stats.norm(*part).logpdf(z) for part in parts], axis=0) - math.log(len(parts))

    def draw(r: np.random.Generator, size: tuple[int, int]) -> np.ndarray:
        which = r.integers(len(parts), size=size)
        return r.normal(means[which], spreads[which])

    return Law(log_density, draw)


def independent(name: str, p: Law, q: Law, n: int, columns: int = 1, span: tuple[float, float] = (-40, 40)) -> Case:
    """Independent columns of one law each; truths by quadrature over one column, where they add up or multiply."""
    z = np.linspace(*span, 2_000_001)[1:-1]
    log_p, log_q = p.log_density(z), q.log_density(z)
    kl = np.trapezoid(np.exp(log_p) * (log_p - log_q), z)
    square, root = (np.trapezoid(np.exp(t * log_p + (1 - t) * log_q), z) for t in (2, 0.5))
    truths = {"kl": columns * kl, PE: square**columns - 1, "squared_hellinger": 1 - root**columns}
    return Case(name, lambda r: (p.draw(r, (n, columns)), q.draw(r, (n, columns))), truths)


# --- running -----------------------------------------------------------------------------------------------------------------


def ours(method: str, folds: int = 5) -> Callable[[dict[str, float], np.ndarray, np.ndarray, int], dict[str, tuple]]:
    def run(truths: dict[str, float], x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, tuple]:
        ratio = dm.fit_ratio(x, y, method=method, seed=seed, folds=folds)
        found = {f: ratio.divergence(f) for f in truths}
        return {f: (each.value, each.interval, f"{each.method}, {each.kind}") for f, each in found.items()}

    return run


def theirs(estimator: Estimator):
    def run(truths: dict[str, float], x: np.ndarray, y: np.ndarray, seed: int) -> dict[str, tuple]:
        return {f: (estimator(dm.divergence(f), x, y, seed), None, "") for f in truths}

    return run


BASELINES = {"kde": theirs(kde), "knn(5) plain": theirs(knn)}


def compare(case: Case, entries: dict[str, Callable], repeats: int) -> dict[tuple[str, str], float]:
    """Print a line for each method and divergence; return the root mean squared errors."""
    print(f"\n{case.name}, {repeats} repeats")
    print(f"  {'method':<26}{'divergence':<24}{'truth':>9}{'mean':>10}{'sd':>10}{'rmse':>9}{'covered':>9}{'s':>7}  by")
    errors = {}
    for name, run in entries.items():
        rows: dict[str, list] = {f: [] for f in case.truths}
        started = time.perf_counter()
        for repeat in range(repeats):
            x, y = case.draw(np.random.default_rng([repeat, 11]))
            for f, row in run(case.truths, x, y, repeat).items():
                rows[f].append(row)
        seconds = (time.perf_counter() - started) / repeats
        for f, found in rows.items():
            values, truth = np.array([row[0] for row in found]), case.truths[f]
            inside = [row[1][0] <= truth <= row[1][1] for row in found if row[1]]
            covered = f"{np.mean(inside):9.2f}" if inside else f"{'-':>9}"
            counts = Counter(row[2] for row in found if row[2])
            by = "; ".join(f"{text} ({count})" for text, count in counts.most_common(2))
            with np.errstate(invalid="ignore"):  # where the truth or an estimate is infinite
                errors[name, f], spread = float(np.sqrt(np.mean((values - truth) ** 2))), values.std()
            print(
                f"  {name:<26}{f:<24}{truth:>9.4g} {values.mean():>9.4g} {spread:>9.3g}{errors[name, f]:>9.3g}"
                f"{covered}{seconds:>7.1f}  {by}",
                flush=True,
            )
    return errors


# --- the tasks ---------------------------------------------------------------------------------------------------------------


def densratio(repeats: int) -> None:
    print("published by densratio's README (one sample each): KL .839, PE .964; KL .621, PE .654 (PE is half of chi2)")
    for case in (
        normal("N(1, 1/8) against N(1, 1/2), standard deviations", (1, 1 / 8), (1, 1 / 2), 200, 200),
        normal("2-D N(1, I/8) against N(1, I/2)", (1, 8**-0.5), (1, 2**-0.5), 3000, 3000, 2),
    ):
        compare(case, {"auto": ours("auto")}, repeats)


def rubenstein_task(repeats: int) -> None:
    against_all(
        repeats, *(rubenstein(columns, strength, 500) for columns in (1, 4, 16) for strength in (-1.0, 0.5, 1.5))
    )


def staircase(repeats: int) -> None:
    print(
        "256,000 samples a set, as many pairs as 4,000 steps of batches of 64 see; 2 folds, so that a fit has half of them"
    )
    for cubed in (False, True):
        for information in (2, 4, 6, 8, 10):
            case = correlated(20, information, 256_000, cubed)
            compare(case, {"neural": ours("neural", folds=2)}, repeats)


def telescoping(repeats: int) -> None:
    print("100,000 samples a set, 2 folds, so that a fit has half of them")
    for pairs, information in ((20, 10), (40, 20)):
        case = correlated(pairs, information, 100_000)
        entries = {name: ours(name, folds=2) for name in ("quadratic", "telescoping(quadratic, 6)")}
        compare(case, entries, repeats)


def far_apart(repeats: int) -> None:
    for case in (
        normal("N(-5, 1) against N(5, 1)", (-5, 1), (5, 1), 500, 500),
        normal("N(-1, .08) against N(2, .15)", (-1, 0.08), (2, 0.15), 500, 500),
    ):
        kl_alone = Case(case.name, case.draw, {"kl": case.truths["kl"]})
        compare(kl_alone, {"auto": ours("auto"), **BASELINES}, repeats)


def peers(repeats: int) -> None:
    against_all(
        repeats,
        normal("1-D, n = m = 200", (1, 1 / 8), (1, 1 / 2), 200, 200),
        normal("1-D, n = 200, m = 1200", (1, 1 / 8), (1, 1 / 2), 200, 1200),
        normal("2-D, n = m = 1000", (1, 8**-0.5), (1, 2**-0.5), 1000, 1000, 2),
    )


def others(repeats: int) -> None:
    print("none of these laws is normal, and no rule of auto was chosen on them")
    two, wide = mixture((-1.5, 0.6), (1.5, 0.6)), mixture((0, 1.6))
    against_all(
        repeats,
        independent(
            "N(0, 1) against Student's t of 3 degrees, n = m = 500", mixture((0, 1)), student(3), 500, span=(-400, 400)
        ),
        independent("two bumps against a normal law, n = m = 500", two, wide, 500),
        independent("log-normal laws, n = m = 500", log_normal(0, 0.5), log_normal(0.4, 0.6), 500, span=(0, 100)),
        independent("two bumps in each of 4 columns, n = m = 1000", two, wide, 1000, 4),
    )


def against_all(repeats: int, *cases: Case) -> None:
    """`auto` and every other entry; how many times the error of the best one `auto` has."""
    found = {name: theirs(estimator) for name, estimator in installed().items()}
    named = ("gaussian", "quadratic", "kernel", "kliep", "ulsif", "knn")
    entries = {"auto": ours("auto"), **{name: ours(name) for name in named}, **BASELINES, **found}
    for case in cases:
        if OPTIONS.only and not any(text in case.name for text in OPTIONS.only):
            continue
        errors = compare(case, {k: v for k, v in entries.items() if k in (OPTIONS.entries or entries)}, repeats)
        for f in case.truths:
            own = "auto" if ("auto", f) in errors else "gaussian"
            others = [(value, name) for (name, g), value in errors.items() if g == f and name != own and value >= 0]
            if others and (own, f) in errors:
                best = min(others)
                print(
                    f"  {f}: {own} has {errors[own, f] / best[0]:.2f} times the error of the best other entry, {best[1]}"
                )


def rates(repeats: int) -> None:
    plain = {"knn(5) plain": theirs(knn)}
    for columns, entries in ((1, {name: ours(name) for name in ("gaussian", "quadratic", "knn")} | plain), (4, plain)):
        sizes, errors = (250, 1000, 4000), []
        for n in sizes:
            case = normal(f"{columns} columns, KL 1/2, n = m = {n}", (columns**-0.5, 1), (0, 1), n, n, columns)
            errors.append(compare(Case(case.name, case.draw, {"kl": 0.5}), entries, repeats))
        for name in entries:
            slope = np.polyfit(np.log(sizes), np.log([each[name, "kl"] for each in errors]), 1)[0]
            print(f"  {name}, {columns} columns: error falls like n^{slope:.2f}")


def coverage(repeats: int) -> None:
    names = ("gaussian", "logistic", "quadratic")
    for case, methods in (
        (normal("N(.5, 1) against N(0, 1), n = m = 200", (0.5, 1), (0, 1), 200, 200), names),
        (normal("N(1, 1) against N(0, 1), n = 200, m = 600", (1, 1), (0, 1), 200, 600), names),
        (normal("N(0, 1) against N(.3, 1.4), n = m = 300", (0, 1), (0.3, 1.4), 300, 300), ("gaussian", "quadratic")),
        (normal("N(0, 1) twice, n = m = 200", (0, 1), (0, 1), 200, 200), names),
    ):
        compare(case, {name: ours(name) for name in methods}, repeats)


def real(repeats: int) -> None:
    from sklearn.datasets import load_digits

    random = np.random.default_rng(0)
    images, labels = load_digits(return_X_y=True)
    report("digits, 0-4 against 5-9", images[labels < 5], images[labels >= 5])
    report("digits, two random halves", *np.array_split(random.permutation(images), 2))
    source = load(OPTIONS.mnist)
    labels = source.labels.numpy()
    images = source.batch(torch.arange(source.size)).flatten(1).numpy()
    report("MNIST, 0-4 against 5-9", images[labels < 5], images[labels >= 5])
    report("MNIST, two random halves", *np.array_split(random.permutation(images), 2))


def report(name: str, x: np.ndarray, y: np.ndarray) -> None:
    """Every divergence of the catalogue, and calibration; for one law in both sets, every interval should cover 0."""
    ratio = dm.fit_ratio(x, y)
    found = list({each.divergence: each for each in map(ratio.divergence, dm.divergences())}.values())
    print(f"\n{name}\n{ratio}")
    for each in found:
        print(each.headline)
    covering = [each for each in found if each.interval[0] <= 0 <= each.interval[1]]
    print(f"  {len(covering)} of {len(found)} intervals cover 0")
    print(ratio.calibration(bins=6), flush=True)
    if OPTIONS.plots:
        few = [
            each
            for each in found
            if each.divergence in ("kl", "reverse_kl", "js", "squared_hellinger", "total_variation")
        ]
        save_estimates(
            few, ratio.calibration(), Path(OPTIONS.plots) / f"{name.replace(', ', ' ').replace(' ', '-')}.png"
        )


OPTIONS = argparse.Namespace()
TASKS: dict[str, Callable[[int], None]] = {
    "densratio": densratio,
    "rubenstein": rubenstein_task,
    "staircase": staircase,
    "telescoping": telescoping,
    "far": far_apart,
    "peers": peers,
    "others": others,
    "rates": rates,
    "coverage": coverage,
    "real": real,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", choices=[[], *TASKS], help="which; all when none is named")
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument(
        "--mnist", default="hub:ylecun/mnist:test", help="pictures with labels, for `real`: a Parquet file, or the hub"
    )
    parser.add_argument(
        "--entries", nargs="*", help="which entries of rubenstein, peers and others; all when none is named"
    )
    parser.add_argument(
        "--only", nargs="*", help="cases of rubenstein, peers and others whose name has one of these texts"
    )
    parser.add_argument("--plots", default="", help="a folder for the pictures of `real`")
    arguments = parser.parse_args(namespace=OPTIONS)
    print(f"PyTorch {torch.__version__}, NumPy {np.__version__}, {counted(torch.get_num_threads(), 'thread')}")
    for name in arguments.tasks or TASKS:
        TASKS[name](arguments.repeats)


if __name__ == "__main__":
    main()
