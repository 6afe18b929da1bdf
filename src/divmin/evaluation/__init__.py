"""Judging samples of a generator against data: distances, manifolds, modes and divergences, with their settings beside them."""

from __future__ import annotations

from divmin.evaluation import inception as inception
from divmin.evaluation.classifier import Classifier as Classifier
from divmin.evaluation.classifier import Settings as Settings
from divmin.evaluation.classifier import classify as classify
from divmin.evaluation.curve import of_curve as of_curve
from divmin.evaluation.distances import frechet as frechet
from divmin.evaluation.distances import kernel as kernel
from divmin.evaluation.divergences import CriticReading as CriticReading
from divmin.evaluation.divergences import from_critic as from_critic
from divmin.evaluation.divergences import log_ratios as log_ratios
from divmin.evaluation.diversity import colour_entropy as colour_entropy
from divmin.evaluation.diversity import hue_share as hue_share
from divmin.evaluation.diversity import mean_distance as mean_distance
from divmin.evaluation.diversity import sharpness as sharpness
from divmin.evaluation.energy import energy as energy
from divmin.evaluation.evaluate import assess as assess
from divmin.evaluation.evaluate import compare as compare
from divmin.evaluation.evaluate import evaluate as evaluate
from divmin.evaluation.evaluate import evaluate_view as evaluate_view
from divmin.evaluation.extractor import Extractor as Extractor
from divmin.evaluation.extractor import extractor as extractor
from divmin.evaluation.extractor import extractors as extractors
from divmin.evaluation.extractor import register_extractor as register_extractor
from divmin.evaluation.manifold import Manifold as Manifold
from divmin.evaluation.manifold import manifold as manifold
from divmin.evaluation.metric import Metric as Metric
from divmin.evaluation.metric import metrics as metrics
from divmin.evaluation.metric import register_metric as register_metric
from divmin.evaluation.modes import ModeCoverage as ModeCoverage
from divmin.evaluation.modes import Modes as Modes
from divmin.evaluation.modes import mode_coverage as mode_coverage
from divmin.evaluation.modes import mode_histogram as mode_histogram
from divmin.evaluation.modes import of_classes as of_classes
from divmin.evaluation.modes import of_mixture as of_mixture
from divmin.evaluation.modes import stacked as stacked
from divmin.evaluation.record import Evaluation as Evaluation
from divmin.evaluation.record import Number as Number
from divmin.evaluation.record import best as best
