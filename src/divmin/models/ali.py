"""The networks of Poole et al. (2016) for 32 pixels: ALI's CIFAR-10 model, whose critic here sees x alone.

Poole et al. give the kinds of layers, their dropout and activations, and call the model slightly modified from ALI's
(Dumoulin et al. 2017). Row for row it is ALI's with the part of the critic that looks at z left out, so the numbers come
from ALI's published table and code: kernels, strides, channels, slope 0.1, two pieces of maxout, weights from
N(0, 0.01^2), biases zero, batch norm with eps 1e-4 that forgets 5% a step. No convolution is padded.
Not stated by Poole et al., and settled here as in ALI's code: biases only in the critic's first layer and its 1x1 layers,
and one for each pixel in the generator's last. Dropout acts on the input of each of the critic's layers, as in ALI's table.
Images are in [0, 1] inside, as there, and in [-1, 1] outside, as everywhere in this package.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from divmin.errors import DivminError
from divmin.models.base import Shape, scaled
from divmin.models.layered import LayeredCritic
from divmin.models.registry import Model, register

WIDTH = 32
SLOPE = 0.1
PIECES = 2  # of maxout

# kernel, stride, channels. Those of the critic are before maxout, which halves them.
GENERATOR = ((4, 1, 256), (4, 2, 128), (4, 1, 64), (4, 2, 32), (5, 1, 32), (1, 1, 32))
ENCODER = ((5, 1, 32), (4, 2, 64), (4, 1, 128), (4, 2, 256), (4, 1, 512), (1, 1, 512))
CRITIC = ((5, 1, 32), (4, 2, 64), (4, 1, 128), (4, 2, 256), (4, 1, 512), (1, 1, 1024), (1, 1, 1024))
WITH_BIAS = (0, 5, 6)


class ALIGenerator(nn.Module):
    """Noise [n, latent] to images [n, channels, 32, 32] in [-1, 1].

    Args:
        shape: (channels, 32, 32).
        latent: length of a noise vector.
        width: 32 for the published network; all channels keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        layers = _normalised(nn.ConvTranspose2d, latent, GENERATOR, width)
        self.layers = nn.Sequential(*layers, nn.Conv2d(scaled(32, width, WIDTH), shape[0], 1, bias=False))
        self.bias = nn.Parameter(torch.zeros(shape))
        self.apply(initialise)

    def forward(self, noise: Tensor) -> Tensor:
        logits: Tensor = self.layers(noise[:, :, None, None]) + self.bias
        return torch.tanh(logits / 2)  # 2 sigmoid(logits) - 1

    @torch.no_grad()
    def start_at(self, images: Tensor) -> None:
        """Set the biases of the pixels to the log-odds of mean images, as ALI did, so that training starts there.

        Args:
            images: data [n, channels, 32, 32] in [-1, 1]; ALI took 500.

        Raises:
            DivminError: images of another shape.

        Example:
            >>> generator = ALIGenerator((1, 32, 32), latent=2, width=2)
            >>> generator.start_at(torch.full((3, 1, 32, 32), 0.5))
            >>> round(torch.tanh(generator.bias / 2).mean().item(), 3)
            0.5
        """
        if images.dim() != 4 or images.shape[1:] != self.bias.shape:
            raise DivminError(
                f"images have shape {list(images.shape)}: expected [n, {', '.join(map(str, self.bias.shape))}]"
            )
        self.bias.copy_((images.mean(0).add(1) / 2).logit(eps=1e-7))


class ALICritic(LayeredCritic):
    """Images [n, channels, 32, 32] to raw scores [n]; the features are the output of the second convolution.

    Dropout makes the scores random in training mode; in evaluation mode each is a function of its own image alone.
    There `features` and `head` draw their own masks, so that critic(x) == head(features(x)) needs evaluation mode.

    Args:
        shape: (channels, 32, 32).
        width: 32 for the published network; all channels keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, width: int) -> None:
        layers: list[nn.Module] = []
        before = shape[0]
        for i, (kernel, stride, channels) in enumerate(CRITIC):
            after = PIECES * scaled(channels // PIECES, width, WIDTH)
            layers.append(nn.Dropout(0.5 if i else 0.2))
            layers.append(nn.Conv2d(before, after, kernel, stride, bias=i in WITH_BIAS))
            layers.append(Maxout())
            before = after // PIECES
        super().__init__([*layers, nn.Dropout(0.5), nn.Conv2d(before, 1, 1), nn.Flatten()], cut=5)
        self.apply(initialise)

    def features(self, images: Tensor) -> Tensor:
        """Images [n, channels, 32, 32] to the hidden layer [n, 2 * width, 13, 13]."""
        return super().features((images + 1) / 2)


class ALIEncoder(nn.Module):
    """Images [n, channels, 32, 32] to mean and log-variance [n, 2 * latent]: ALI's encoder, which Poole et al. leave out.

    Args:
        shape: (channels, 32, 32).
        latent: length of a noise vector.
        width: 32 for the published network; all channels keep their proportion to it.
    """

    def __init__(self, shape: Shape, *, latent: int, width: int) -> None:
        super().__init__()
        layers = _normalised(nn.Conv2d, shape[0], ENCODER, width)
        self.layers = nn.Sequential(*layers, nn.Conv2d(scaled(512, width, WIDTH), 2 * latent, 1), nn.Flatten())
        self.apply(initialise)

    def forward(self, images: Tensor) -> Tensor:
        codes: Tensor = self.layers((images + 1) / 2)
        return codes


class Maxout(nn.Module):
    """The larger of each two neighbouring channels: [n, 2c, h, w] to [n, c, h, w] (Goodfellow et al. 2013)."""

    def forward(self, x: Tensor) -> Tensor:
        larger: Tensor = x.unflatten(1, (-1, PIECES)).max(2).values
        return larger


def initialise(layer: nn.Module) -> None:
    """Weights from N(0, 0.01^2), biases zero."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.01)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def _normalised(
    kind: type[nn.Conv2d] | type[nn.ConvTranspose2d], before: int, rows: Sequence[tuple[int, int, int]], width: int
) -> list[nn.Module]:
    """Unpadded convolutions, each with batch norm and a leaky ReLU."""
    layers: list[nn.Module] = []
    for kernel, stride, channels in rows:
        after = scaled(channels, width, WIDTH)
        layers += [
            kind(before, after, kernel, stride, bias=False),
            nn.BatchNorm2d(after, eps=1e-4, momentum=0.05),
            nn.LeakyReLU(SLOPE),
        ]
        before = after
    return layers


register(
    Model(
        "ali",
        "unpadded convolutions, maxout and dropout in the critic",
        ALIGenerator,
        ALICritic,
        ALIEncoder,
        width=WIDTH,
        latent=64,
        sizes=(32,),
        source="Poole et al. 2016, Dumoulin et al. 2017",
    )
)
