"""Any classifier in the manner of scikit-learn: its log-odds, less the log of the class sizes, are the log-ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from divmin.errors import DivminError
from divmin.estimators.method import LogRatio, register_numbers, written
from divmin.estimators.samples import Floats


@dataclass(frozen=True)
class Classifier:
    """A copy of the given classifier is fitted; where its chances are exactly 0 or 1 they are read as 1/(2 N + 2) off."""

    classifier: Any

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        from sklearn.base import clone

        fitted = clone(self.classifier)
        if "random_state" in fitted.get_params():
            fitted.set_params(random_state=seed)
        _train(fitted, x, y, x_weights, y_weights)
        offset, least = np.log(x_weights.sum() / y_weights.sum()), 1 / (2 * (len(x) + len(y)) + 2)

        def log_ratio(z: Floats) -> Floats:
            with np.errstate(divide="ignore"):
                log = np.log(fitted.predict_proba(z).astype(np.float64))
            low = np.isneginf(log)  # an exact 0 is a count of nothing, not a claim that it is impossible
            log = np.where(low, np.log(least), np.where(low[:, ::-1], np.log1p(-least), log))
            d: Floats = log[:, 1] - log[:, 0] - offset
            return d

        return log_ratio

    def __str__(self) -> str:
        return type(self.classifier).__name__


@dataclass(frozen=True)
class Trees:
    """Gradient-boosted trees on the logistic loss, stopped early on a tenth of the samples."""

    rounds: int = 200
    leaves: int = 8

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        from sklearn.ensemble import HistGradientBoostingClassifier

        fitted = HistGradientBoostingClassifier(
            max_iter=self.rounds, learning_rate=0.06, max_leaf_nodes=self.leaves, early_stopping=True, random_state=seed
        )
        _train(fitted, x, y, x_weights, y_weights)
        offset = np.log(x_weights.sum() / y_weights.sum())

        def log_ratio(z: Floats) -> Floats:
            d: Floats = fitted.decision_function(z) - offset
            return d

        return log_ratio

    def __str__(self) -> str:
        return written("trees", self)


def _train(classifier: Any, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats) -> None:
    z, label = np.concatenate([x, y]), (np.arange(len(x) + len(y)) < len(x)).astype(int)
    weights = np.concatenate([x_weights, y_weights])
    if np.ptp(weights) == 0:
        classifier.fit(z, label)
        return
    try:
        classifier.fit(z, label, sample_weight=weights)
    except TypeError as error:
        raise DivminError(f"{type(classifier).__name__} takes no sample weights: leave weights= out") from error


register_numbers("trees", Trees, "gradient-boosted trees on the logistic loss", "Friedman 2001; scikit-learn")
