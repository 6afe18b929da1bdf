"""What a model is trained on: densities that know their logarithm, and sets of images, each named by a line of text."""

from __future__ import annotations

from divmin.data.arrays import ArraySource as ArraySource
from divmin.data.arrays import ByteSource as ByteSource
from divmin.data.arrays import from_array as from_array
from divmin.data.assemble import PictureSource as PictureSource
from divmin.data.base import Source as Source
from divmin.data.base import index_stream as index_stream
from divmin.data.curves import Circles as Circles
from divmin.data.curves import Spiral as Spiral
from divmin.data.curves import SwissRoll as SwissRoll
from divmin.data.curves import TwoMoons as TwoMoons
from divmin.data.density import Density as Density
from divmin.data.density import DensitySource as DensitySource
from divmin.data.flat import Checkerboard as Checkerboard
from divmin.data.flat import Uniform as Uniform
from divmin.data.form import Form as Form
from divmin.data.labels import Labelled as Labelled
from divmin.data.load import load as load
from divmin.data.load import sources as sources
from divmin.data.mixture import Mixture as Mixture
from divmin.data.noisy_curve import NoisyCurve as NoisyCurve
from divmin.data.pinwheel import Pinwheel as Pinwheel
from divmin.data.registry import DensityEntry as DensityEntry
from divmin.data.registry import densities as densities
from divmin.data.registry import register_density as register_density
from divmin.data.sets import Asked as Asked
from divmin.data.sets import SetEntry as SetEntry
from divmin.data.sets import register_set as register_set
from divmin.data.sets import sets as sets
from divmin.data.stacked import StackedSource as StackedSource
from divmin.data.tables import read_samples as read_samples
