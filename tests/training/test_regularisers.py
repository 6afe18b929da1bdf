"""What the configuration's regularisers do to the critic's move, and that runs with them resume bit for bit."""

from __future__ import annotations

import copy

import pytest
import torch

import divmin as dm
from divmin.aim import explained
from divmin.errors import DivminError
from divmin.objectives import penalties
from divmin.training import TrainConfig, checkpoint, resume
from divmin.training.augment import augmentation
from divmin.training.moves import draw_data, move_critic, move_generator
from divmin.training.seen import Sight

SETTINGS = {
    "r1": {"r1": 2.0},
    "lazy r1 and r2": {"r1": 2.0, "r2": 1.0, "penalty_every": 3, "critic_steps": 2},
    "gradient penalty": {"gradient_penalty": 10.0, "accumulate": 2},
    "one-sided": {"one_sided_penalty": 10.0},
    "orthogonal": {"orthogonal": 1e-3},
    "spectral norm": {"spectral_norm": True},
    "instance noise": {"instance_noise": 0.3, "instance_noise_steps": 5},
    "augmentation": {"augment": "color,translation,cutout"},
    "schedules": {"schedule": "cosine", "warmup": 3},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_runs_resume_bitwise(lab, same, name):
    settings = {"steps": 8, **SETTINGS[name]}
    kind = "conv" if name == "augmentation" else "mlp"
    whole = lab.train("whole", parts=lab.parts(kind), **settings)

    def stop(view):
        if view.step == 3:
            import signal

            signal.raise_signal(signal.SIGTERM)

    half = lab.train("half", parts=lab.parts(kind), **settings, more={"probes": [dm.training.Probe(1, stop)]})
    assert half.state == "interrupted"
    resumed = resume(half.folder, **lab.parts(kind))
    one, other = (checkpoint.read(run.checkpoint) for run in (whole, resumed))
    for part in ("generator", "critic", "average", "generator_optimizer", "critic_optimizer", "random"):
        assert same(one[part], other[part]), part
    paid = [record.penalty for record in resumed.records()]
    penalised = any(key in SETTINGS[name] for key in ("r1", "gradient_penalty", "one_sided_penalty", "orthogonal"))
    assert all((value is not None) == penalised for value in paid)
    assert not penalised or name == "one-sided" or min(paid) > 0  # slopes of this critic stay below 1


def test_penalties_enter_the_critics_gradient_with_their_weights(lab):
    """One critic move by hand: loss + 2 R1 + 3 R2, and the same through the configuration."""
    job, state = lab.job(r1=2.0, r2=3.0)
    critic = copy.deepcopy(state.critic)
    noise = state.noise.get_state()
    data = draw_data(job, state)
    with torch.no_grad():
        fake = state.generator(torch.randn(8, 3, generator=state.noise))
    state.noise.set_state(noise)
    move_critic(job, state, data)
    loss = job.recipe.critic_loss(critic(data[0]).flatten(), critic(fake).flatten())
    (loss + 2 * penalties.r1(critic, data[0]) + 3 * penalties.r2(critic, fake)).backward()
    for one, other in zip(state.critic.parameters(), critic.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-5, atol=1e-7)


def test_lazy_penalties_are_due_every_few_critic_steps_and_weigh_that_much_more(lab):
    job, state = lab.job(r1=2.0, penalty_every=4, critic_steps=1, steps=9, log_every=9)
    for _ in range(9):
        move_critic(job, state, draw_data(job, state))
    paid = state.critic_rows.rows[:, 5]
    assert (paid != 0).tolist() == [True, False, False, False, True, False, False, False, True]
    every, same_state = lab.job(r1=2.0, steps=9, log_every=9)
    move_critic(every, same_state, draw_data(every, same_state))
    torch.testing.assert_close(paid[0], 4 * same_state.critic_rows.rows[0, 5])


def test_instance_noise_is_on_both_inputs_and_gradients_pass(lab):
    """Seen through a critic that adds up its inputs: variance on data and on samples, and it falls to 0."""
    sight = Sight.of(TrainConfig(instance_noise=2.0, instance_noise_steps=10, batch_size=4))
    x = torch.zeros(4000, 2)
    for step, sd in ((0, 2.0), (5, 1.0), (10, 0.0), (50, 0.0)):
        assert sight(x, step).std().item() == pytest.approx(sd, rel=0.05)
    job, state = lab.job(instance_noise=50.0, instance_noise_steps=3)
    seen = []
    state.critic.register_forward_pre_hook(lambda module, args: seen.append(args[0]))
    data = draw_data(job, state)
    move_critic(job, state, data)
    move_generator(job, state, data)
    assert len(seen) == 3 and all(x.std() > 20 for x in seen)
    assert seen[2].requires_grad and all(weight.grad.abs().sum() > 0 for weight in state.generator.parameters())


def test_packing_shows_several_samples_as_one(lab):
    sight = Sight.of(TrainConfig(packing=3, batch_size=6))
    x = torch.arange(12.0).reshape(6, 2)
    assert sight(x, 0).tolist() == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    with pytest.raises(DivminError, match="packing must divide the batch that passes at once, got 3 and 8 samples"):
        TrainConfig(packing=3, batch_size=8)


def test_packed_runs_train(tmp_path):
    run = dm.train(
        TrainConfig(
            data="ring", model="mlp", width=8, packing=2, batch_size=16, steps=3, out=f"{tmp_path}/run", device="cpu"
        ),
        show=False,
    )
    assert run.state == "finished"
    assert checkpoint.read(run.checkpoint)["critic"]["layers.0.weight"].shape[1] == 4


@pytest.mark.parametrize("kind", ["color", "translation", "cutout"])
def test_augmentations_differ_between_pictures_and_let_gradients_pass(kind):
    (change,) = augmentation(kind)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        x = (torch.rand(1, 3, 16, 16) * 2 - 1).expand(32, 3, 16, 16).clone().requires_grad_()
        seen = change(x)
        assert seen.shape == x.shape and len({tuple(picture.flatten()[:40].tolist()) for picture in seen.detach()}) > 3
        (slope,) = torch.autograd.grad(seen.square().sum(), x)
        assert bool(slope.isfinite().all()) and slope.abs().sum() > 0
    if kind == "cutout":
        share = (seen == 0).float().mean((1, 2, 3))
        assert share.max() == 0.25 and share.min() < 0.25  # half of each side, and squares that stick out
    if kind == "translation":
        # every row of the shifted picture is a row of the picture, or empty
        assert all(_is_shift(x[0].detach(), picture) for picture in seen.detach())
    if kind == "color":  # affine in the picture for each picture: no structure is made up
        centred = [(p - p.mean((1, 2), keepdim=True)).flatten() for p in (x[0].detach(), *seen.detach())]
        assert all(torch.corrcoef(torch.stack([centred[0], other]))[0, 1] > 0.5 for other in centred[1:])


def _is_shift(picture, moved):
    padded = torch.nn.functional.pad(picture, (2, 2, 2, 2))
    return any(torch.equal(padded[:, i : i + 16, j : j + 16], moved) for i in range(5) for j in range(5))


def test_augmentation_needs_pictures_and_known_names(lab):
    with pytest.raises(DivminError, match="unknown augmentation 'colour': did you mean color"):
        TrainConfig(augment="colour")
    with pytest.raises(DivminError, match="augment needs images"):
        lab.train("a", augment="color")


def test_label_smoothing_is_the_smoothed_recipe(tmp_path, same):
    settings = {"data": "ring", "model": "mlp", "width": 8, "steps": 3, "device": "cpu"}
    runs = [
        dm.train(TrainConfig(**settings, **given, out=f"{tmp_path}/{number}"), show=False)
        for number, given in enumerate(
            ({"recipe": "minimax", "label_smoothing": 0.1}, {"recipe": "smoothed(minimax, 0.9)"}, {"recipe": "minimax"})
        )
    ]
    weights = [checkpoint.read(run.checkpoint)["critic"] for run in runs]
    assert same(weights[0], weights[1]) and not same(weights[0], weights[2])
    with pytest.raises(DivminError, match="label_smoothing needs a recipe with one loss a sample; rpgan has none"):
        dm.train(TrainConfig(**settings, recipe="rpgan", label_smoothing=0.1), show=False)


def test_spectral_norm_keeps_every_layer_at_norm_one(tmp_path):
    run = dm.train(
        TrainConfig(
            data="digits", model="dcgan", width=4, spectral_norm=True, steps=3, out=f"{tmp_path}/run", device="cpu"
        ),
        show=False,
    )
    pair = dm.models.build("dcgan", shape=(1, 8, 8), width=4)
    dm.models.spectral_norm(pair.critic)
    pair.critic.load_state_dict(checkpoint.read(run.checkpoint)["critic"])
    pair.critic.eval()
    for layer in pair.critic.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            assert torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() == pytest.approx(1, rel=0.1)


def test_the_explanation_accounts_for_every_regulariser():
    config = TrainConfig(
        recipe="minimax", r1=1.0, r2=1.0, gradient_penalty=1.0, one_sided_penalty=1.0, orthogonal=1.0, spectral_norm=True,
        instance_noise=0.1, augment="color", packing=2, label_smoothing=0.1,
    )  # fmt: skip
    found = explained(config)
    assert found.subject == "smoothed(minimax, 0.9)"
    said = " ".join(found.warnings)
    for name in (
        "r1",
        "r2",
        "gp",
        "gp_one_sided",
        "orthogonal",
        "spectral_norm",
        "instance_noise",
        "augmentation",
        "packing",
    ):
        assert f"{name} (" in said
    assert explained(TrainConfig(recipe="vaegan", fakes="reconstructions")) is None  # which is told as not known
    for settings, names in (
        ({"likelihood": "features"}, ["likelihood_of_features", "mean_of_likelihood"]),
        ({"likelihood": "features", "likelihood_noise": True}, ["likelihood_noise", "likelihood_of_features"]),
        ({}, ["mean_of_likelihood"]),
    ):
        noted = [text.split(" (")[0] for text in explained(TrainConfig(recipe="sdkl", **settings)).warnings]
        assert [name for name in noted if "likelihood" in name and " " not in name] == names


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("constant", 0, [1e-3] * 4),
        ("linear", 0, [1e-3, 7.5e-4, 5e-4, 2.5e-4]),
        ("cosine", 2, [5e-4, 0.853553e-3, 5e-4, 0.146447e-3]),
    ],
)
def test_learning_rates_follow_the_schedule(lab, schedule, warmup, expected):
    seen = []

    class Watching:
        name = "watching"

        def critic_loss(self, real, fake):
            return (fake - real).mean()

        def generator_loss(self, fake):
            return -fake.mean()

    from divmin.training.loop import set_rates

    job, state = lab.job(parts={**lab.parts(), "recipe": Watching()}, schedule=schedule, warmup=warmup, steps=4)
    for state.step in range(4):
        set_rates(job, state)
        seen.append(
            [group["lr"] for o in (state.generator_optimizer, state.critic_optimizer) for group in o.param_groups]
        )
    assert seen == [pytest.approx([rate, rate], rel=1e-5) for rate in expected]
