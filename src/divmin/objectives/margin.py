"""Critics that are not classifiers of their own loss: hinges, differences of means, boosting."""

from __future__ import annotations

from divmin.objectives.registry import register_fixed

register_fixed(
    "hinge", "relu(1 - c)", "relu(1 + c)", "-c",
    "Hinge critic; the generator minimises -c. The best critic is sign(p - q): total variation in the limit, no log-ratio.",
    "Lim & Ye 2017; Miyato et al. 2018", aliases=("geometric_gan",),
)  # fmt: skip
register_fixed(
    "hinge_two_sided", "relu(1 - c)", "relu(1 + c)", "relu(1 - c)",
    "Hinge critic, and a hinge for the generator too, which stops caring about samples above the margin.",
    "Zhao et al. 2017 (margins on both sides)", aliases=("hinge2",),
)  # fmt: skip
register_fixed(
    "wgan", "-c", "c", "-c",
    "Difference of means; with a 1-Lipschitz critic the Wasserstein-1 distance, no f-divergence.",
    "Arjovsky et al. 2017", aliases=("wasserstein",),
)  # fmt: skip
register_fixed(
    "exponential", "exp(-c)", "exp(c)", "exp(-c)",
    "Exponential loss of boosting; the critic's best output is d/2.",
    "Friedman et al. 2000 (AdaBoost's loss), read as a game", minimises="0.5*power(-0.5)", aliases=("boosting", "adaboost"),
)  # fmt: skip
