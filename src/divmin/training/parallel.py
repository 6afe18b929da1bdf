"""Several processes as one: each takes its part of every batch, and scores and gradients are put together.

A loss is computed from the scores of the joint batch, in which those of the other processes have no graph. So each
process has the derivative of the joint loss in its own scores, and the sum of all gradients is the gradient of one process
with the joint batch, for losses that compare samples with averages over the batch too. Torch's own wrapper (DDP) averages
gradients of losses that are means, and counts on one forward pass for each backward pass; a critic has two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as distributed
from torch import Tensor, nn

from divmin.errors import DivminError


@dataclass(frozen=True)
class Processes:
    """Which process this is, of how many.

    >>> alone = Processes()
    >>> alone.part(torch.arange(4)), alone.joint(torch.ones(2))
    (tensor([0, 1, 2, 3]), tensor([1., 1.]))
    """

    rank: int = 0
    world: int = 1

    @property
    def first(self) -> bool:
        """Whether this process writes files and talks."""
        return self.rank == 0

    def part(self, joint: Tensor) -> Tensor:
        """This process's rows of what all have drawn alike."""
        return joint if self.world == 1 else joint.chunk(self.world)[self.rank]

    def joint(self, scores: Tensor) -> Tensor:
        """The scores of all processes in the order of ranks; only this process's own have a graph."""
        if self.world == 1:
            return scores
        parts = [torch.empty_like(scores) for _ in range(self.world)]
        distributed.all_gather(parts, scores.detach())
        parts[self.rank] = scores
        return torch.cat(parts)

    def mean(self, value: Tensor) -> Tensor:
        """The mean over processes, without a graph."""
        if self.world == 1:
            return value.detach()
        total = value.detach().clone()
        distributed.all_reduce(total)
        return total / self.world

    def add_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Put the sum over processes in the place of every gradient, in one message."""
        if self.world == 1:
            return
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if not gradients:
            return
        message = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(message)
        for gradient, total in zip(gradients, message.split([g.numel() for g in gradients]), strict=True):
            gradient.copy_(total.view_as(gradient))

    def any(self, number: int | None, device: torch.device) -> int | None:
        """The largest number that a process holds; None when none holds one. All processes get the same answer."""
        if self.world == 1:
            return number
        held = torch.tensor(-1 if number is None else number, device=device)
        distributed.all_reduce(held, distributed.ReduceOp.MAX)
        return None if int(held) < 0 else int(held)

    def collect(self, mine: Mapping[str, Tensor]) -> list[Mapping[str, Tensor]]:
        """What every process holds, in the order of ranks."""
        if self.world == 1:
            return [mine]
        held: list[Mapping[str, Tensor]] = [mine] * self.world
        distributed.all_gather_object(held, mine)
        return held

    def wait(self) -> None:
        """Until all processes are here."""
        if self.world > 1:
            distributed.barrier()


class JointBatchNorm(nn.modules.batchnorm._BatchNorm):
    """Batch normalisation over the joint batch of all processes, on any device (torch's own needs a GPU)."""

    def _check_input_dim(self, x: Tensor) -> None:
        pass  # the layer that it replaces has the same sizes

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.float()
        dims = [dim for dim in range(x.dim()) if dim != 1]
        count = wide.numel() / wide.shape[1] * distributed.get_world_size()
        shape = [1, -1] + [1] * (x.dim() - 2)
        mean = Summed.apply(wide.sum(dims)) / count
        centred = wide - mean.view(shape)
        variance = Summed.apply(centred.square().sum(dims)) / count
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            with torch.no_grad():
                self.num_batches_tracked.add_(1)  # type: ignore[union-attr]
                share = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum  # type: ignore[arg-type]
                self.running_mean.lerp_(mean.detach(), share)
                self.running_var.lerp_(variance.detach() * (count / (count - 1)), share)
        out = centred * (variance + self.eps).rsqrt().view(shape)
        if self.affine:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        result: Tensor = out.to(x.dtype)
        return result


class Summed(torch.autograd.Function):
    """The sum over processes, whose derivative is the sum over processes again."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        total: Tensor = Summed.apply(grads[0].contiguous())
        return total


def with_joint_statistics(network: nn.Module) -> nn.Module:
    """The network with every batch normalisation over the joint batch; parameters, buffers and their names stay.

    Raises:
        DivminError: for a batch normalisation whose parameters are not made yet.
    """
    for name, child in network.named_children():
        if isinstance(child, nn.modules.batchnorm._LazyNormBase):
            raise DivminError(f"the layer {name} is lazy: run the network once before training it in several processes")
        if isinstance(child, nn.modules.batchnorm._BatchNorm) and not isinstance(child, JointBatchNorm):
            joint = JointBatchNorm(
                child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats
            )
            joint.train(child.training)
            for key, parameter in child._parameters.items():
                joint._parameters[key] = parameter
            for key, buffer in child._buffers.items():
                joint._buffers[key] = buffer
            setattr(network, name, joint)
        else:
            with_joint_statistics(child)
    return network
