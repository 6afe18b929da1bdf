"""Architectures: a generator, a critic and mostly an encoder in one file each, found by name."""

from __future__ import annotations

from divmin.models.ali import ALICritic as ALICritic
from divmin.models.ali import ALIEncoder as ALIEncoder
from divmin.models.ali import ALIGenerator as ALIGenerator
from divmin.models.base import FeatureCritic as FeatureCritic
from divmin.models.base import Pair as Pair
from divmin.models.berger import BergerCritic as BergerCritic
from divmin.models.berger import BergerEncoder as BergerEncoder
from divmin.models.berger import BergerGenerator as BergerGenerator
from divmin.models.dcgan import DCGANCritic as DCGANCritic
from divmin.models.dcgan import DCGANEncoder as DCGANEncoder
from divmin.models.dcgan import DCGANGenerator as DCGANGenerator
from divmin.models.layered import LayeredCritic as LayeredCritic
from divmin.models.mlp import MLPCritic as MLPCritic
from divmin.models.mlp import MLPEncoder as MLPEncoder
from divmin.models.mlp import MLPGenerator as MLPGenerator
from divmin.models.outline import Layer as Layer
from divmin.models.outline import outline as outline
from divmin.models.packing import pack as pack
from divmin.models.packing import packed as packed
from divmin.models.registry import Model as Model
from divmin.models.registry import Parameters as Parameters
from divmin.models.registry import build as build
from divmin.models.registry import count as count
from divmin.models.registry import models as models
from divmin.models.registry import register as register
from divmin.models.resnet import ResNetCritic as ResNetCritic
from divmin.models.resnet import ResNetGenerator as ResNetGenerator
from divmin.models.spectral import spectral_norm as spectral_norm
