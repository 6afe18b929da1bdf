"""Every architecture at sizes that it makes, small enough to be quick."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from divmin.models import Model, Pair, build, models


@dataclass(frozen=True)
class Case:
    model: Model
    shape: tuple[int, ...]
    width: int = 8
    latent: int = 5

    def build(self, *, seed: int = 0, packing: int = 1, encoder: bool = False) -> Pair:
        return build(
            self.model.name,
            shape=self.shape,
            latent=self.latent,
            width=self.width,
            seed=seed,
            packing=packing,
            encoder=encoder,
        )

    def noise(self, n: int, seed: int = 0) -> Tensor:
        return torch.randn(n, self.latent, generator=torch.Generator().manual_seed(seed))

    def samples(self, n: int, seed: int = 0) -> Tensor:
        return torch.rand(n, *self.shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1

    def __str__(self) -> str:
        return f"{self.model.name}-{'x'.join(map(str, self.shape))}"


def cases(model: Model) -> list[Case]:
    if model.sizes is None:
        return [Case(model, shape) for shape in ((2,), (1, 8, 8), (3, 6, 4))]
    sizes = (8, 13, 28, 64) if len(model.sizes) > 5 else model.sizes
    return [Case(model, (channels, size, size)) for channels, size in zip((1, 3, 1, 3), sizes, strict=False)]


CASES = [case for model in models().values() for case in cases(model)]


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


@pytest.fixture(params=[case for case in CASES if case.model.encoder is not None], ids=str)
def case_with_encoder(request: pytest.FixtureRequest) -> Case:
    return request.param
