"""Critics of several samples at once."""

from __future__ import annotations

import pytest
import torch

from divmin.errors import DivminError
from divmin.models import pack, packed


@pytest.mark.parametrize("shape", [(3,), (1, 4, 4), (3, 5, 5)], ids=str)
@pytest.mark.parametrize("m", [1, 2, 3, 6])
def test_neighbours_lie_behind_each_other(shape, m):
    x = torch.rand(6, *shape, generator=torch.Generator().manual_seed(0))
    together = pack(x, m)
    assert together.shape == (6 // m, *packed(shape, m))
    for i, row in enumerate(together):
        assert torch.equal(row, torch.cat(list(x[i * m : (i + 1) * m])))


def test_gradient_goes_through():
    x = torch.rand(4, 3, 2, 2, requires_grad=True)
    (pack(x.transpose(2, 3), 2) ** 2).sum().backward()
    assert torch.equal(x.grad, 2 * x)


@pytest.mark.parametrize(
    ("shape", "m", "says"),
    [
        ((5, 2), 2, r"cannot pack 2 of samples \[5, 2\]: expected \[n, C, ...\] with n a multiple of 2"),
        ((4,), 2, "cannot pack 2"),
        ((4, 2), 0, "packing is 0"),
        ((4, 2), -2, "packing is -2"),
    ],
)
def test_impossible_packs(shape, m, says):
    with pytest.raises(DivminError, match=says):
        pack(torch.zeros(shape), m)


@pytest.mark.parametrize("m", [2, 4])
def test_a_score_belongs_to_its_pack(case, m):
    pair = case.build(packing=m)
    assert pair.packing == m
    samples = case.samples(2 * m).requires_grad_()
    scores = pair.critic.eval()(pack(samples, m))
    assert scores.shape == (2,)
    (slope,) = torch.autograd.grad(scores[1], samples)
    assert slope[m:].flatten(1).any(1).all()
    assert not slope[:m].any()


def test_packing_leaves_the_generator_alone(case):
    plain, together = case.build(), case.build(packing=2)
    one, two = plain.generator.state_dict(), together.generator.state_dict()
    assert all(torch.equal(one[key], two[key]) for key in one)
    first = [next(iter(pair.critic.parameters())) for pair in (plain, together)]
    assert first[1].numel() == 2 * first[0].numel()  # the first layer's weight sees twice the channels
