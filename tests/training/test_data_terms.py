"""The VAE-GAN family: which loss reaches which weights, and an exact toy."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, kl_divergence

import divmin as dm
from divmin.errors import DivminError
from divmin.objectives.bound import prior_gap, reparameterised, squared_error
from divmin.training import checkpoint, resume
from divmin.training.data_term import bound
from divmin.training.moves import draw_data, move_critic, move_generator

# Berger & Sebag's five models, and the plain VAE: the recipe and its settings
FAMILY = {
    "gan": ("berger_rkl", {}),
    "vae_features": ("berger_kl", {"likelihood": "features", "likelihood_noise": True}),
    "vaegan": ("vaegan", {"likelihood": "features", "fakes": "reconstructions"}),
    "vaegan_both": ("vaegan", {"likelihood": "features", "fakes": "both"}),
    "sdkl_without_sampling": ("sdkl", {"likelihood": "features"}),
    "sdkl": ("sdkl", {"likelihood": "features", "likelihood_noise": True, "critic_steps": 5}),
    "js": ("berger_js", {"likelihood_sd": 0.5}),
    "vae": ("berger_kl", {"critic_steps": 0, "likelihood_sd": 0.1}),
}


def family(lab, name):
    recipe, settings = FAMILY[name]
    return {**lab.parts("vae"), "recipe": dm.recipe(recipe)}, settings


def gradients(network):
    return {name: None if w.grad is None else w.grad.clone() for name, w in network.named_parameters()}


@pytest.mark.parametrize("name", FAMILY)
def test_every_model_trains_and_resumes_bitwise(lab, same, name):
    settings = {"accumulate": 2, **family(lab, name)[1]}
    whole = lab.train("whole", parts=family(lab, name)[0], steps=8, **settings)
    half = lab.train("half", parts=family(lab, name)[0], steps=3, **settings)
    resumed = resume(half.folder, steps=8, **family(lab, name)[0])
    one, other = (checkpoint.read(run.checkpoint) for run in (whole, resumed))
    for network in ("generator", "critic", "average", *(["encoder"] if name != "gan" else [])):
        assert same(one[network], other[network])
    assert ("encoder" in one) == (name != "gan")
    last = resumed.records()[-1]
    assert (last.reconstruction is None) == (name == "gan") and (last.critic_loss is None) == (name == "vae")
    assert name == "gan" or (last.prior > 0 and last.reconstruction > 0)


def test_routing_of_sdkl(lab):
    """Encoder: reconstruction and prior. Generator: reconstruction and -c. Critic: its own loss alone."""
    parts, settings = family(lab, "sdkl_without_sampling")
    job, state = lab.job(parts=parts, **settings)
    generator, critic, encoder = state.generator, state.critic, state.encoder
    data = draw_data(job, state)
    before = {name: weight.clone() for name, weight in critic.named_parameters()}
    noise_state = state.noise.get_state()
    # what the gradients must be, by hand
    z = torch.randn(8, 3, generator=state.noise)
    eps = torch.randn(8, 3, generator=state.noise)
    state.noise.set_state(noise_state)
    adversarial = -critic(generator(z)).mean()
    code = encoder(data[0])
    mean, log_variance = code[:, :3], code[:, 3:]
    rebuilt = generator(mean + (log_variance / 2).exp() * eps)
    reconstruction = ((critic.features(data[0]).detach() - critic.features(rebuilt)) ** 2).sum(1).mean() / 2
    prior = (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean() / 2
    of_generator = torch.autograd.grad(adversarial + reconstruction, list(generator.parameters()), retain_graph=True)
    of_encoder = torch.autograd.grad(reconstruction + prior, list(encoder.parameters()), retain_graph=True)
    alone = torch.autograd.grad(reconstruction, list(generator.parameters()), retain_graph=True)
    move_generator(job, state, data)
    for network, expected in ((generator, of_generator), (encoder, of_encoder)):
        for weight, grad in zip(network.parameters(), expected, strict=True):
            torch.testing.assert_close(weight.grad, grad, rtol=1e-4, atol=1e-6)
    assert any(not torch.allclose(a, b) for a, b in zip(of_generator, alone, strict=True))
    assert all(grad is None for grad in gradients(critic).values())
    assert all(torch.equal(before[name], weight) for name, weight in critic.named_parameters())


def test_the_critic_moves_nobody_else(lab):
    parts, settings = family(lab, "vaegan_both")
    job, state = lab.job(parts=parts, **settings)
    before = [weight.clone() for network in (state.generator, state.encoder) for weight in network.parameters()]
    move_critic(job, state, draw_data(job, state))
    after = [weight for network in (state.generator, state.encoder) for weight in network.parameters()]
    assert all(torch.equal(a, b) and b.grad is None for a, b in zip(before, after, strict=True))
    assert all(grad is not None for grad in gradients(state.critic).values())


def test_adversarial_reconstructions_train_no_encoder(lab):
    """In vaegan the encoder's gradient is that of the VAE; only the generator's differs."""
    found = {}
    for name in ("vaegan", "vae_features"):
        parts, settings = family(lab, name)
        job, state = lab.job(parts=parts, **{**settings, "likelihood_noise": False})
        state.noise.manual_seed(1)
        move_generator(job, state, draw_data(job, state))
        found[name] = (gradients(state.encoder), gradients(state.generator))
    for (key, one), other in zip(found["vaegan"][0].items(), found["vae_features"][0].values(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-8, msg=key)
    pairs = zip(found["vaegan"][1].values(), found["vae_features"][1].values(), strict=True)
    assert any(not torch.allclose(one, other) for one, other in pairs)


def test_noise_of_the_likelihood_is_on_samples_alone(lab):
    """And at the features, or on the pixels: the critic's inputs are watched."""
    for likelihood in ("features", "pixels"):
        parts, settings = family(lab, "sdkl")
        job, state = lab.job(parts=parts, **{**settings, "likelihood": likelihood, "likelihood_sd": 100.0})
        heads, inputs = [], []
        state.critic.outside.register_forward_pre_hook(lambda module, args, heads=heads: heads.append(args[0]))
        state.critic.inside.register_forward_pre_hook(lambda module, args, inputs=inputs: inputs.append(args[0]))
        data = draw_data(job, state)
        move_critic(job, state, data)
        real, fake = (heads if likelihood == "features" else inputs)[:2]
        assert real.abs().max() < 10 < 30 < fake.std()
        if likelihood == "features":
            assert inputs[1].abs().max() < 10  # nothing at the pixels
        torch.testing.assert_close(inputs[0], data[0])


def test_data_terms_are_weighed_by_the_critic(lab):
    """berger_js: G = 1 - D of each sample, standing still."""
    parts, settings = family(lab, "js")
    job, state = lab.job(parts=parts, **settings)
    data = draw_data(job, state)[0]
    noise = torch.randn(8, 3)
    found = bound(state.generator, state.encoder, lambda x: x, data, noise, 0.5)
    from divmin.training.moves import pay

    paid = pay(job, state, job.data_term, data, found)
    weight = torch.sigmoid(-state.critic(data).flatten()).detach()
    torch.testing.assert_close(paid, (weight * (found.reconstruction + found.prior)).mean())


def test_parts_of_the_bound():
    code, noise = torch.tensor([[0.5, -1.0, math.log(4.0), 0.0]]), torch.tensor([[1.0, 2.0]])
    torch.testing.assert_close(reparameterised(code, noise), torch.tensor([[2.5, 1.0]]))
    q = torch.distributions.Normal(code[:, :2], torch.tensor([[2.0, 1.0]]))
    exact = kl_divergence(q, torch.distributions.Normal(torch.zeros(1, 2), 1.0)).sum(1)
    torch.testing.assert_close(prior_gap(code), exact)
    x, mean = torch.randn(4, 2, 3), torch.randn(4, 2, 3)
    log = torch.distributions.Normal(mean, 0.3).log_prob(x).flatten(1).sum(1)
    constant = 6 * math.log(0.3 * math.sqrt(2 * math.pi))
    torch.testing.assert_close(squared_error(x, mean, 0.3) + constant, -log)


# --- the exact toy: q = N(b, W W' + s^2), for which the log-density, the posterior and both divergences are known -----------


class Exact(nn.Module):
    """The best critic log p/q of the linear Gaussian model as it stands."""

    def __init__(self, p, decoder, sd):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))  # a critic has something to train
        self.p, self.decoder, self.sd = p, [decoder], sd

    def forward(self, x):
        q = model(self.decoder[0].weight.detach(), self.decoder[0].bias.detach(), self.sd)
        return self.scale * (self.p.log_prob(x.double()) - q.log_prob(x.double())).float()


class Posterior(nn.Module):
    """q(z|x) of the linear Gaussian model, exactly: for one latent dimension it is a normal law with one variance."""

    def __init__(self, decoder, sd):
        super().__init__()
        self.decoder, self.sd = [decoder], sd
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        w, b = self.decoder[0].weight.detach(), self.decoder[0].bias.detach()
        variance = 1 / (1 + (w**2).sum() / self.sd**2)
        mean = variance * (x - b) @ w / self.sd**2
        return self.scale * torch.cat([mean, torch.full_like(mean, float(variance.log()))], 1)


def model(weight, bias, sd):
    covariance = weight.double() @ weight.double().T + sd**2 * torch.eye(2, dtype=torch.float64)
    return MultivariateNormal(bias.double(), covariance)


def test_sdkl_follows_the_sum_of_both_divergences(lab):
    """Linear decoder with noise: the gradient that one move takes is that of KL(p||q) + KL(q||p), within its noise.

    The encoder is the exact posterior, so the bound is -log q itself: its gap is measured too, and is 0.
    """
    p = MultivariateNormal(torch.tensor([0.5, -0.3]).double(), torch.tensor([[1.0, 0.4], [0.4, 0.6]]).double())
    sd, n = 0.8, 4096
    decoder = nn.Linear(1, 2)
    with torch.no_grad():
        decoder.weight.copy_(torch.tensor([[0.6], [-0.9]]))
        decoder.bias.copy_(torch.tensor([-0.2, 0.4]))

    class Data:
        name, shape, size = "toy", (2,), None

        def batch(self, indices):
            g = torch.Generator().manual_seed(int(indices[0]))
            return (torch.randn(len(indices), 2, generator=g).double() @ p.scale_tril.T + p.loc).float()

    class Pair:
        name, latent, generator, critic, encoder = "toy", 1, decoder, Exact(p, decoder, sd), Posterior(decoder, sd)

    parts = {"recipe": dm.recipe("sdkl"), "source": Data(), "pair": Pair()}
    settings = {
        "likelihood_sd": sd,
        "likelihood_noise": True,
        "batch_size": n,
        "generator_lr": 1e-30,
        "steps": 60,
        "log_every": 60,
    }
    job, state = lab.job(parts=parts, **settings)
    weight, bias = (each.detach().double().requires_grad_() for each in (decoder.weight, decoder.bias))
    q = model(weight, bias, sd)
    both = kl_divergence(p, q) + kl_divergence(q, p)
    wanted = torch.cat([each.flatten() for each in torch.autograd.grad(both, (weight, bias))])
    seen = []
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        for _ in range(60):
            move_generator(job, state, draw_data(job, state))
            seen.append(torch.cat([decoder.weight.grad.flatten(), decoder.bias.grad]).double())
    seen = torch.stack(seen)
    error = seen.std(0) / math.sqrt(len(seen))
    assert bool(((seen.mean(0) - wanted).abs() < 4 * error).all())
    assert bool((error < 0.03 * wanted.abs().max()).all())  # so the line above says something
    # the bound's gap: -log q(x) of each sample against reconstruction + prior, averaged over z
    data = draw_data(job, state)[0][:64]
    with torch.no_grad():
        noise = torch.randn(20000, 1, generator=torch.Generator().manual_seed(3))
        for x in data[:3]:
            found = bound(decoder, Pair.encoder, lambda y: y, x.expand(20000, 2), noise, sd)
            constant = 2 * math.log(sd * math.sqrt(2 * math.pi))
            paid = found.reconstruction + found.prior + constant
            assert abs(float(paid.mean() + model(decoder.weight, decoder.bias, sd).log_prob(x.double()))) < 5 * float(
                paid.std() / math.sqrt(20000)
            )


# --- refusals ------------------------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_refused(lab):
    vae, plain = lab.parts("vae"), lab.parts()
    sdkl, minimax = dm.recipe("sdkl"), dm.recipe("minimax")
    for parts, settings, message in (
        ({**plain, "recipe": sdkl}, {}, "sdkl has a term in the model's likelihood .* needs an encoder; own has none"),
        ({**vae, "recipe": minimax}, {"fakes": "both"}, "fakes=both is for recipes with a data term"),
        ({**plain, "recipe": minimax}, {"fakes": "both"}, "fakes=both is for recipes with a data term"),
        (
            {**plain, "recipe": minimax},
            {"likelihood": "features", "likelihood_noise": True},
            "needs a critic with features",
        ),
        (
            {**plain, "recipe": minimax},
            {"likelihood": "features", "likelihood_sd": 0.5},
            "^likelihood=features and likelihood_sd=0.5 would do nothing: .* which minimax has not.*such as sdkl$",
        ),
        ({**vae, "recipe": minimax}, {"likelihood_sd": 0.5}, "^likelihood_sd=0.5 would do nothing"),
        ({**vae, "recipe": sdkl}, {"packing": 2}, "a data term needs one score each"),
        ({**vae, "recipe": sdkl}, {"critic_steps": 0}, "sdkl needs a critic: critic_steps must be at least 1"),
        ({**vae, "recipe": dm.recipe("berger_js")}, {"critic_steps": 0}, "berger_js needs a critic"),
        ({**plain, "recipe": dm.recipe("ragan")}, {"accumulate": 2}, "compares with averages over the whole batch"),
    ):
        with pytest.raises(DivminError, match=message):
            lab.train("refused", parts=parts, **settings)
    assert not (lab.root / "refused").exists()


def test_noise_of_samples_needs_no_data_term(lab):
    parts = {**lab.parts("vae"), "recipe": dm.recipe("minimax")}
    wide, narrow = (
        lab.train(
            f"{sd}",
            parts={**parts, "pair": lab.pair("vae")},
            likelihood="features",
            likelihood_noise=True,
            likelihood_sd=sd,
        )
        for sd in (2.0, 0.1)
    )
    assert wide.records()[-1].d_fake_sd > narrow.records()[-1].d_fake_sd


def test_a_negative_weight_of_the_likelihood_is_refused(lab):
    from dataclasses import replace

    from divmin.objectives import Written

    bad = replace(dm.recipe("sdkl"), likelihood=Written("c"))
    with pytest.raises(DivminError, match="negative at a score of -20; expected at least 0"):
        lab.train("a", parts={**lab.parts("vae"), "recipe": bad})


def test_a_critic_whose_parts_do_not_make_the_whole(lab):
    parts = lab.parts("vae")
    critic = parts["pair"].critic
    critic.forward = lambda x: critic.head(critic.features(x)) + 1
    with pytest.raises(DivminError, match=r"head\(features\(x\)\) differs from critic\(x\)"):
        lab.train("a", parts={**parts, "recipe": dm.recipe("sdkl")}, likelihood="features")
