"""The evidence lower bound of a Gaussian model, by which the data terms -log q(x) of the VAE-GAN family are trained.

-log q(x) <= E_{z ~ q(z|x)}[-log p(x|z)] + KL(q(z|x) || N(0, 1))      with equality where q(z|x) is the exact posterior
"""

from __future__ import annotations

from torch import Tensor


def reparameterised(code: Tensor, noise: Tensor) -> Tensor:
    """z ~ q(z|x) as a differentiable function of an encoder's output.

        z = mean + e^(log_variance / 2) noise

    Args:
        code: mean and log-variance side by side, [n, 2 latent].
        noise: standard normal, [n, latent].

    Returns:
        z [n, latent].

    Example:
        >>> import torch
        >>> reparameterised(torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0]]))
        tensor([[3.]])

    Source: Berger & Sebag, Algorithm 1; Kingma & Welling 2014.
    """
    mean, log_variance = code.chunk(2, 1)
    return mean + (log_variance / 2).exp() * noise


def prior_gap(code: Tensor) -> Tensor:
    """KL(q(z|x) || N(0, 1)) for each sample, in nats.

        sum of (mean^2 + e^log_variance - 1 - log_variance) / 2

    Args:
        code: mean and log-variance side by side, [n, 2 latent].

    Returns:
        [n].

    Example:
        >>> import torch
        >>> prior_gap(torch.tensor([[1.0, 0.0]]))
        tensor([0.5000])
    """
    mean, log_variance = code.float().chunk(2, 1)
    return (mean.square() + log_variance.expm1() - log_variance).sum(1) / 2


def squared_error(x: Tensor, mean: Tensor, sd: float) -> Tensor:
    """-log N(x; mean, sd^2) for each sample, without the constant n log(sd sqrt(2 pi)), in nats.

        |x - mean|^2 / (2 sd^2)

    Args:
        x: what was observed, [n, ...].
        mean: what the model expects, of the same shape.
        sd: the standard deviation, above 0.

    Returns:
        [n].

    Example:
        >>> import torch
        >>> squared_error(torch.zeros(1, 2), torch.tensor([[3.0, 4.0]]), 1.0)
        tensor([12.5000])

    Source: Berger & Sebag, section 4.
    """
    return (x.float() - mean.float()).square().flatten(1).sum(1) / (2 * sd**2)
