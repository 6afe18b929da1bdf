"""What one step does: accumulation, averaging, freezing, records, probes, sampling, and the check before the start."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

import divmin as dm
from divmin.errors import DivminError
from divmin.training import NotFiniteError, Probe, checkpoint, load
from divmin.training.ema import Follower, decay_at, frozen_copy


def weights(run, name="generator"):
    return torch.cat([value.double().flatten() for value in checkpoint.read(run.checkpoint)[name].values()])


def test_step_equals_the_plain_loop(lab):
    """One critic and one generator update, written out by hand."""
    from divmin.data.base import index_stream
    from divmin.training.randomness import seeded

    parts = lab.parts()
    recipe, source = parts["recipe"], parts["source"]
    pair = copy.deepcopy(parts["pair"])
    run = lab.train(
        "a", parts=parts, steps=3, critic_steps=2, critic_lr=1e-3, generator_lr=2e-4, beta1=0.5, beta2=0.999
    )
    z = seeded(0, "noise")
    critic = torch.optim.Adam(pair.critic.parameters(), lr=1e-3, betas=(0.5, 0.999))
    generator = torch.optim.Adam(pair.generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    average, position = copy.deepcopy(pair.generator), 0
    for step in range(1, 4):
        for _ in range(2):
            indices, position = index_stream(37, 8, 0, position)
            fake = pair.generator(torch.randn(8, 3, generator=z)).detach()
            critic.zero_grad()
            recipe.critic_loss(pair.critic(source.batch(indices)), pair.critic(fake)).backward()
            critic.step()
        generator.zero_grad()
        recipe.generator_loss(pair.critic(pair.generator(torch.randn(8, 3, generator=z)))).backward()
        generator.step()
        decay = min(0.9, step / (step + 9))
        with torch.no_grad():
            for a, b in zip(average.parameters(), pair.generator.parameters(), strict=True):
                a.copy_(decay * a + (1 - decay) * b)
    for name, module in (("generator", pair.generator), ("critic", pair.critic), ("average", average)):
        expected = torch.cat([value.double().flatten() for value in module.state_dict().values()])
        torch.testing.assert_close(weights(run, name), expected, rtol=0, atol=1e-6)


def test_accumulation_equals_one_large_batch(lab):
    whole = lab.train("one", batch_size=24)
    parts = lab.train("three", batch_size=24, accumulate=3)
    for name in ("generator", "critic", "average"):
        torch.testing.assert_close(weights(whole, name), weights(parts, name), rtol=0, atol=1e-6)
    # Adam's step does not see the scale of a gradient, but its moments do.
    one, three = (checkpoint.read(run.checkpoint) for run in (whole, parts))
    for name in ("critic_optimizer", "generator_optimizer"):
        for index, moments in one[name]["state"].items():
            torch.testing.assert_close(moments["exp_avg"], three[name]["state"][index]["exp_avg"], rtol=0, atol=1e-6)
    for one, three in zip(whole.records(), parts.records(), strict=True):
        assert one.critic_loss == pytest.approx(three.critic_loss, abs=1e-6)
        assert one.d_real_sd == pytest.approx(three.d_real_sd, abs=1e-6)


def test_average_follows_parameters_buffers_and_counters():
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    average = frozen_copy(module)
    before = copy.deepcopy(average.state_dict())
    module(torch.randn(9, 2, generator=torch.Generator().manual_seed(0)))
    with torch.no_grad():
        module[0].weight += 1
    Follower(average, module).update(0.75)
    for key, value in average.state_dict().items():
        now = module.state_dict()[key]
        expected = now if key.endswith("tracked") else 0.75 * before[key] + 0.25 * now
        torch.testing.assert_close(value, expected)
    assert not average.training
    assert [decay_at(step, 0.5) for step in (1, 9, 10**9)] == [0.1, 0.5, 0.5]


def test_records_are_means_over_their_interval(lab):
    seen = []
    parts = lab.parts()
    inner = parts["recipe"]

    class Spy:
        name = "spy"

        def critic_loss(self, real, fake):
            loss = inner.critic_loss(real, fake)
            seen.append((loss.item(), real.detach().clone(), fake.detach().clone()))
            return loss

        def generator_loss(self, fake):
            return inner.generator_loss(fake)

    run = lab.train("a", parts=parts | {"recipe": Spy()}, steps=8, critic_steps=2, accumulate=2)
    second = run.records()[1]
    rows = seen[1:][16:32]  # without the rehearsal; 4 rows a step, steps 5 to 8
    real, fake = (torch.cat([row[k] for row in rows]).double() for k in (1, 2))
    assert (second.step, second.samples) == (8, 8 * 2 * 8)
    assert second.critic_loss == pytest.approx(sum(row[0] for row in rows) / 16, abs=1e-6)
    assert second.d_real == pytest.approx(real.mean().item(), abs=1e-6)
    assert second.d_real_sd == pytest.approx(real.std(correction=0).item(), abs=1e-6)
    assert second.d_fake_sd == pytest.approx(fake.std(correction=0).item(), abs=1e-6)
    assert second.seconds > run.records()[0].seconds > 0


def test_probes_see_the_run_and_leave_no_trace(lab, tmp_path):
    views = []

    def act(view):
        torch.rand(7)
        grid = view.sample(view.noise(5))
        views.append(
            (view.step, view.samples, tuple(grid.shape), view.latest and view.latest.step, view.noise(2)[0, 0])
        )
        assert view.picture == view.folder / "samples" / f"{view.step:08d}.png"

    plain = lab.train("plain", parts=lab.parts("conv"), steps=7)
    probed = lab.train("probed", parts=lab.parts("conv"), steps=7, more={"probes": [Probe(3, act)]})
    assert [view[:4] for view in views] == [
        (0, 0, (5, 1, 4, 4), None),
        (3, 24, (5, 1, 4, 4), None),
        (6, 48, (5, 1, 4, 4), 4),
        (7, 56, (5, 1, 4, 4), 7),
    ]
    assert len({float(view[4]) for view in views}) == 1
    for name in ("generator", "critic", "average"):
        assert torch.equal(weights(plain, name), weights(probed, name))
    assert torch.equal(
        checkpoint.read(plain.checkpoint)["random"][0]["cpu"], checkpoint.read(probed.checkpoint)["random"][0]["cpu"]
    )


def test_sampler_draws_from_average_or_last_weights(lab):
    run = lab.train("a", parts=lab.parts("conv"))
    sampler = load(run.folder, pair=lab.pair("conv"))
    assert (sampler.shape, sampler.step, sampler.config.seed) == ((1, 4, 4), 6, 0)
    samples = sampler.sample(11, seed=3)
    assert samples.shape == (11, 1, 4, 4)
    assert torch.equal(samples, sampler.sample(11, seed=3))
    torch.testing.assert_close(samples, sampler.sample(11, seed=3, batch_size=4))
    assert not torch.equal(samples, sampler.sample(11, seed=4))
    assert not torch.equal(samples, sampler.sample(11, seed=3, ema=False))
    assert torch.equal(load(run.checkpoint, pair=lab.pair("conv")).sample(11, seed=3), samples)
    with pytest.raises(DivminError, match="its own pair of networks: pass them as load"):
        load(run.folder)
    with pytest.raises(DivminError, match=r"holds another generator"):
        load(run.folder, pair=lab.pair("mlp"))
    with pytest.raises(DivminError, match="n must be at least 1, got 0"):
        sampler.sample(0)


def test_frozen_layers_of_a_pair_stay_frozen(lab):
    parts = lab.parts()
    parts["pair"].critic[0].requires_grad_(False)
    before = parts["pair"].critic[0].weight.clone()
    lab.train("a", parts=parts)
    assert torch.equal(before, parts["pair"].critic[0].weight)
    assert not parts["pair"].critic[0].weight.requires_grad
    assert parts["pair"].critic[2].weight.requires_grad


def test_bfloat16_trains(lab):
    run = lab.train("a", precision="bf16-mixed")
    assert checkpoint.read(run.checkpoint)["critic"]["0.weight"].dtype == torch.float32
    assert not torch.equal(weights(run), weights(lab.train("b")))


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # torch's tracer, on its own account
def test_compiled_networks_train_alike_and_are_stored_alike(lab, monkeypatch):
    """With the tracer of torch.compile and without its code generator, which needs a compiler and half a minute."""
    import torch._dynamo

    monkeypatch.setattr("divmin.training.start.compiler", lambda config: None)
    original = nn.Module.compile
    monkeypatch.setattr(nn.Module, "compile", lambda self: original(self, backend="eager"))
    plain, compiled = (lab.train(name, parts=lab.parts("vae") | {"recipe": dm.recipe("sdkl")}, compile=name == "b")
                       for name in "ab")  # fmt: skip
    one, other = (checkpoint.read(run.checkpoint) for run in (plain, compiled))
    for part in ("generator", "critic", "encoder"):
        assert one[part].keys() == other[part].keys()
        for key, value in one[part].items():
            torch.testing.assert_close(value, other[part][key], rtol=1e-5, atol=1e-6)
    torch._dynamo.reset()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"critic": nn.Linear(2, 3)}, r"the critic returned shape \[8, 3\], expected \[8\]"),
        ({"critic": nn.Linear(5, 1)}, r"the critic fails on an input of shape \[8, 2\]: "),
        ({"generator": nn.Linear(3, 4)}, r"the generator returned shape \[8, 4\], expected \[8, 2\]"),
        ({"latent": 4}, r"the generator fails on an input of shape \[8, 4\]"),
        (
            {"critic": nn.Sequential(nn.Linear(2, 1), nn.Flatten(0), nn.Threshold(9e9, float("nan")))},
            "not finite on its first",
        ),
        ({"critic": nn.Linear(2, 1).requires_grad_(False)}, "the critic has no parameter to train"),
    ],
)
def test_parts_that_do_not_fit_are_named_before_training(lab, change, message):
    parts = lab.parts()
    with pytest.raises(DivminError, match=message) as caught:
        lab.train("a", parts=parts | {"pair": replace(parts["pair"], **change)})
    assert "\n" not in str(caught.value)
    assert not (lab.root / "a").exists()


def test_losses_that_are_no_scalars_are_named(lab):
    class Vector:
        name = "vector"

        def critic_loss(self, real, fake):
            return real - fake

        def generator_loss(self, fake):
            return fake.mean()

    with pytest.raises(DivminError, match=r"the recipe's critic_loss returned shape \[8\], expected \[\]"):
        lab.train("a", parts=lab.parts() | {"recipe": Vector()})


def test_rehearsal_changes_nothing(lab):
    from divmin.training.job import rehearse

    parts = lab.parts("conv")
    parts["pair"].critic[3].eval()
    before = copy.deepcopy(parts["pair"].critic.state_dict() | parts["pair"].generator.state_dict())
    modes = [module.training for module in parts["pair"].critic.modules()]
    rehearse(lab.config, **parts)
    after = parts["pair"].critic.state_dict() | parts["pair"].generator.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert modes == [module.training for module in parts["pair"].critic.modules()]


def test_default_folder_is_named_after_data_and_recipe(lab, monkeypatch):
    monkeypatch.chdir(lab.root)
    from divmin.training import train

    run = train(replace(lab.config, out=None), **lab.parts())
    assert run.folder.parent.name == "runs"
    assert run.folder.name.startswith("cloud-nonsaturating-")
    assert issubclass(NotFiniteError, DivminError)


def test_only_the_network_that_learns_computes_gradients(lab):
    seen = []
    parts = lab.parts()
    critic, generator = parts["pair"].critic, parts["pair"].generator
    critic.register_forward_pre_hook(lambda *_: seen.append(("critic", critic[0].weight.requires_grad)))
    generator.register_forward_pre_hook(lambda *_: seen.append(("generator", torch.is_grad_enabled())))
    lab.train("a", parts=parts, steps=1)
    rehearsal, step = seen[:3], seen[3:]
    assert len(rehearsal) == 3
    assert step == [
        ("generator", False),  # the critic's step: samples without a graph, scores of data and of samples
        ("critic", True),
        ("critic", True),
        ("generator", True),  # the generator's step: the critic frozen
        ("critic", False),
    ]
    assert critic[0].weight.requires_grad


class Noisy(nn.Linear):
    """Draws noise in evaluation mode too, as generators with noise injection do."""

    def forward(self, z):
        return super().forward(z) + torch.rand(len(z), 1)


def test_generators_with_noise_of_their_own_are_sampled_by_seed_and_leave_no_trace(lab):
    parts = lab.parts()
    pair = replace(parts["pair"], generator=Noisy(3, 2))
    looks = Probe(2, lambda view: view.sample(view.noise(4)))
    plain = lab.train("plain", parts=parts | {"pair": copy.deepcopy(pair)})
    probed = lab.train("probed", parts=parts | {"pair": copy.deepcopy(pair)}, more={"probes": [looks]})
    assert torch.equal(weights(plain), weights(probed))
    sampler = load(plain.folder, pair=pair)
    before = torch.get_rng_state()
    first = sampler.sample(6, seed=1)
    assert torch.equal(before, torch.get_rng_state())
    torch.rand(3)
    assert torch.equal(first, sampler.sample(6, seed=1))
