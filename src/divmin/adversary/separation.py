"""How well log-ratios tell data from samples: loss, accuracy and the area under the curve."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import rankdata

from divmin.estimators.samples import Floats

BLIND = 2 * math.log(2)  # the logistic loss of D = 1/2


@dataclass(frozen=True)
class Separation:
    """What held-out log-ratios tell apart.

    Args:
        loss: the logistic loss E_p[log(1 + e^-d)] + E_q[log(1 + e^d)]: 2 log 2 at D = 1/2, 0 for a perfect critic.
        accuracy: the share with the right sign of d, both sides weighing the same; 1/2 by guessing.
        auc: the chance that d is higher on a data sample than on one of the generator; 1/2 by guessing.
        auc_stderr: its standard error.
        n: data and samples.
    """

    loss: float
    accuracy: float
    auc: float
    auc_stderr: float
    n: tuple[int, int]

    @property
    def blind(self) -> bool:
        """Whether the area under the curve is no more than that of guessing, within two standard errors."""
        return self.auc <= 0.5 + 2 * self.auc_stderr

    def to_record(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "auc": self.auc,
            "auc_stderr": self.auc_stderr,
            "n": list(self.n),
        }

    def __str__(self) -> str:
        return (
            f"accuracy {percent(self.accuracy)}, AUC {self.auc:.4g} +- {self.auc_stderr:.2g}, "
            f"loss {self.loss:.4g} ({percent(self.loss / BLIND)} of 2 log 2)"
        )


def separation(real: Floats, fake: Floats) -> Separation:
    """Read off log-ratios how well they tell the two sets apart.

    Args:
        real: d of data [n].
        fake: d of samples [m].

    Returns:
        Loss, accuracy, and the area under the curve with DeLong's standard error.

    Example:
        >>> separation(np.array([1.0, 2.0, -1.0]), np.array([-2.0, 0.5, -3.0])).auc.__round__(3)
        0.889

    Source: DeLong, DeLong and Clarke-Pearson 1988 for the standard error.
    """
    x, y = np.asarray(real, dtype=np.float64), np.asarray(fake, dtype=np.float64)
    n, m = len(x), len(y)
    # the share of the other set below each one, ties counted half
    ranks = rankdata(np.concatenate([x, y]))
    over, under = (ranks[:n] - rankdata(x)) / m, 1 - (ranks[n:] - rankdata(y)) / n
    spread = over.var(ddof=1) / n + under.var(ddof=1) / m if min(n, m) > 1 else math.inf
    right = [np.mean((d > 0) + 0.5 * (d == 0)) for d in (x, -y)]
    loss = np.logaddexp(0.0, -x).mean() + np.logaddexp(0.0, y).mean()
    # where no datum is out of order DeLong's error is 0; one that might have been is worth about 1/(12 n m)
    return Separation(
        float(loss), float(np.mean(right)), float(over.mean()), math.sqrt(spread + 1 / (12 * n * m)), (n, m)
    )


def percent(share: float) -> str:
    """A share in words that never call it 100% or 0% when it is not.

    >>> percent(1.0), percent(0.99996), percent(0.0001), percent(0.873)
    ('100%', '99.996%', '0.01%', '87.3%')
    """
    near = min(share, 1 - share)
    digits = 1 if near <= 0 else min(12, max(1, -math.floor(math.log10(100 * near))))
    return f"{100 * share:.{digits}f}".rstrip("0").rstrip(".") + "%"
