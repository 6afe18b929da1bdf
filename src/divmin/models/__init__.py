"""Architectures: a generator and a critic in one file each, found by name."""

from __future__ import annotations

from divmin.models.base import Model as Model
from divmin.models.base import Pair as Pair
from divmin.models.base import build as build
from divmin.models.base import models as models
from divmin.models.base import register as register
from divmin.models.dcgan import DCGANCritic as DCGANCritic
from divmin.models.dcgan import DCGANGenerator as DCGANGenerator
from divmin.models.dcgan import dcgan as dcgan
from divmin.models.mlp import MLPCritic as MLPCritic
from divmin.models.mlp import MLPGenerator as MLPGenerator
from divmin.models.mlp import mlp as mlp
