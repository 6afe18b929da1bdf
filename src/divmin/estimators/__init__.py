"""Divergences from samples: a log-ratio is learned from two sets, and every divergence is read from it with an interval.

What takes longest to import, torch and scipy.stats, is imported where it is used: the command line says no without them.
"""

from __future__ import annotations

from divmin.estimators import additive as additive
from divmin.estimators import classifier as classifier
from divmin.estimators import counts as counts
from divmin.estimators import gaussian as gaussian
from divmin.estimators import kernel as kernel
from divmin.estimators import kliep as kliep
from divmin.estimators import kmm as kmm
from divmin.estimators import knn as knn
from divmin.estimators import logistic as logistic
from divmin.estimators import lsif as lsif
from divmin.estimators import neural as neural
from divmin.estimators import telescoping as telescoping
from divmin.estimators import variational as variational
from divmin.estimators.calibration import Bin as Bin
from divmin.estimators.calibration import Calibration as Calibration
from divmin.estimators.method import Entry as Entry
from divmin.estimators.method import Laws as Laws
from divmin.estimators.method import LogRatio as LogRatio
from divmin.estimators.method import Method as Method
from divmin.estimators.method import method as method
from divmin.estimators.method import methods as methods
from divmin.estimators.method import register as register
from divmin.estimators.method import register_numbers as register_numbers
from divmin.estimators.ratio import Ratio as Ratio
from divmin.estimators.ratio import estimate as estimate
from divmin.estimators.ratio import fit_ratio as fit_ratio
from divmin.estimators.record import Estimate as Estimate
from divmin.estimators.record import Tried as Tried
from divmin.estimators.two_sample import TwoSampleTest as TwoSampleTest
from divmin.estimators.two_sample import two_sample_test as two_sample_test
