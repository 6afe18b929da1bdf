"""Losses with a data term, E_q[F(c)] - E_p[G(c) log q]: adversarial on samples, likelihood (a VAE's bound) on data.

With the best critic the gradient is that of the integral of F - u G over dq, so w = -d/dd (F(d) - e^d G(d)).
Source: Berger & Sebag, sections 3 and 4; theirs is the ratio (1 - D)/D = e^-c.
"""

from __future__ import annotations

from divmin.objectives.logistic import FAKE, REAL
from divmin.objectives.registry import register_fixed

SOURCE = "Berger & Sebag, New losses for generative adversarial learning"

register_fixed(
    "berger_rkl", REAL, FAKE, "-c",
    "Logistic critic; F = -c and no data term: the reverse KL, Huszar's rule.",
    f"{SOURCE}, eq. 15", minimises="reverse_kl",
)  # fmt: skip
register_fixed(
    "berger_kl", REAL, FAKE, "0*c",
    "No adversarial part, the data term -E_p[log q]: maximum likelihood, the KL.",
    f"{SOURCE}, eqs. 16-18", minimises="kl", likelihood="1 + 0*c",
)  # fmt: skip
register_fixed(
    "berger_js", REAL, FAKE, "sigmoid(c) - softplus(c)",
    "Logistic critic; F = D + log(1 - D) on samples and G = 1 - D on data: 2 JS, both terms.",
    f"{SOURCE}, eqs. 20-21 (twice the JS of eq. 20)", minimises="2*js", likelihood="sigmoid(-c)",
)  # fmt: skip
register_fixed(
    "sdkl", REAL, FAKE, "-c",
    "Logistic critic; F = -c on samples and -log q on data: KL + reverse KL.",
    f"{SOURCE}, section 4 and Algorithm 1", minimises="jeffreys", likelihood="1 + 0*c",
    aliases=("berger_sdkl", "symmetric_kl_vae"),
)  # fmt: skip
register_fixed(
    "vaegan", REAL, FAKE, "softplus(-c)",
    "Logistic critic; the non-saturating loss on samples and -log q on data. VAE-GAN proper compares reconstructions (fakes=).",
    "Larsen et al. 2016; Berger & Sebag, section 5", likelihood="1 + 0*c", aliases=("vae_gan",),
)  # fmt: skip
