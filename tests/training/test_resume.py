"""A run that was stopped and resumed is the run that was not, to the last bit."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass

import pytest
import torch

from divmin.errors import DivminError
from divmin.training import TrainConfig, checkpoint, resume
from divmin.training.record import TIMING


def content(run):
    """A checkpoint without what may differ: the clock, the number of steps that was asked for, and the name of the run."""
    left_out = ("config", "seconds", "seconds_at_record", "run")
    return {key: value for key, value in checkpoint.read(run.checkpoint).items() if key not in left_out}


def metrics(run):
    return [{key: value for key, value in asdict(record).items() if key not in TIMING} for record in run.records()]


@pytest.mark.parametrize("size", [37, None], ids=["finite", "endless"])
@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_resumed_run_equals_uninterrupted_run_bitwise(lab, same, kind, size):
    # 7 steps end inside an epoch of 37 samples (7 * 3 * 8 = 168) and inside a log interval of 4.
    settings = {"accumulate": 2, "critic_steps": 3}
    whole = lab.train("whole", parts=lab.parts(kind, size), steps=14, **settings)
    half = lab.train("half", parts=lab.parts(kind, size), steps=7, **settings)
    assert [record.step for record in half.records()] == [4, 7]
    _ = torch.rand(5)  # Whatever the process did in between must not matter.
    resumed = resume(half.folder, steps=14, **lab.parts(kind, size))
    assert same(content(whole), content(resumed))
    assert metrics(whole) == metrics(resumed)
    assert [record.step for record in resumed.records()] == [4, 8, 12, 14]
    assert resumed.state == "finished"
    assert resumed.config.steps == 14


def test_killed_run_loses_only_what_came_after_its_checkpoint(lab, same):
    def die(view):
        if view.step == 11:
            raise RuntimeError("killed")

    from divmin.training import Probe

    whole = lab.train("whole", steps=14, checkpoint_every=5)
    with pytest.raises(RuntimeError, match="killed"):
        lab.train("killed", steps=14, checkpoint_every=5, log_every=2, more={"probes": [Probe(1, die)]})
    folder = lab.root / "killed"
    with (folder / "metrics.jsonl").open("a") as stream:
        stream.write('{"step": 12, "sam')  # half a line
    (folder / ".checkpoint.pt.x1.part").write_bytes(b"half a file")
    resumed = resume(folder, **lab.parts())
    assert [record.step for record in resumed.records()] == [2, 4, 6, 8, 10, 12, 14]
    assert same(content(whole)["generator"], content(resumed)["generator"])
    assert not list(folder.glob(".*.part"))


def test_same_seed_gives_same_run_and_another_seed_another(lab, same):
    first, second, third = lab.train("a"), lab.train("b"), lab.train("c", seed=1)
    assert same(content(first), content(second))
    assert not same(content(first)["generator"], content(third)["generator"])


def test_training_leaves_global_random_state_alone(lab):
    before = torch.get_rng_state()
    lab.train("a", parts=lab.parts("conv"))
    assert torch.equal(before, torch.get_rng_state())


def test_global_random_state_does_not_reach_training(lab, same):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(1)
        first = lab.train("a", parts=lab.parts("conv"))
        torch.default_generator.manual_seed(2)
        second = lab.train("b", parts=lab.parts("conv"))
    assert same(content(first), content(second))


def test_finished_run_asks_for_more_steps(lab):
    run = lab.train("a")
    with pytest.raises(DivminError, match=r"has done 6 steps and 6 are asked for: give steps \(--steps\) above 6"):
        resume(run.folder, **lab.parts())


def test_changed_configuration_is_refused_with_a_readable_difference(lab):
    run = lab.train("a")
    path = run.folder / "config.yaml"
    path.write_text(path.read_text().replace("beta1: 0.0", "beta1: 0.9"))
    with pytest.raises(DivminError, match=r"config.yaml differs from the run: beta1 0.0 -> 0.9; only steps can change"):
        resume(run.folder, steps=9, **lab.parts())


def test_given_configuration_may_differ_in_steps_alone(lab):
    from dataclasses import replace

    run = lab.train("a")
    assert resume(run.folder, config=replace(run.config, steps=8), **lab.parts()).step == 8
    with pytest.raises(DivminError, match=r"the given configuration differs from the run: seed 0 -> 4"):
        resume(run.folder, config=replace(run.config, steps=9, seed=4), **lab.parts())


def test_own_parts_are_asked_for_again(lab):
    run = lab.train("a")
    parts = lab.parts()
    del parts["pair"]
    with pytest.raises(DivminError, match=r"was trained with its own pair: pass it again as pair="):
        resume(run.folder, steps=9, **parts)


def test_other_networks_are_refused_with_their_difference(lab):
    run = lab.train("a")
    parts = lab.parts() | {"pair": lab.pair()}
    parts["pair"].critic[0] = torch.nn.Linear(2, 16, bias=False)
    message = r"holds another critic: 0.bias is \[16\] there and absent here"
    with pytest.raises(DivminError, match=message):
        resume(run.folder, steps=9, **parts)


@dataclass(frozen=True)
class Changed:
    """Data of the same size and shape as before, of which something else was changed."""

    before: object
    change: object
    size: int | None
    shape: tuple[int, ...] = (2,)
    name: str = "cloud"

    def batch(self, indices):
        return self.change(self.before.batch(indices), indices)


CHANGES = {
    "values": lambda x, i: 1.001 * x,
    "one sample": lambda x, i: x + (i == 36)[:, None],
    "order of coordinates": lambda x, i: x.flip(1),
    "order of samples": None,
}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize("size", [37, None], ids=["finite", "endless"])
def test_other_data_of_the_same_size_are_refused_unless_accepted(lab, what, size):
    run = lab.train("a", parts=lab.parts(size=size))
    parts = lab.parts(size=size)
    source = parts["source"]
    change = CHANGES[what] or (lambda x, i: source.batch((i + 1) % 37))
    other = {**parts, "source": Changed(source, change, size)}
    with pytest.raises(
        DivminError, match=r"cloud holds other samples than it did when .* was trained: put back"
    ) as caught:
        resume(run.folder, steps=7, **other)
    assert "\n" not in str(caught.value)
    assert resume(run.folder, steps=7, accept_changes=True, **other).step == 7
    assert resume(run.folder, steps=8, **other).step == 8  # these are its data now
    with pytest.raises(DivminError, match="holds other samples"):
        resume(run.folder, steps=9, **parts)


def test_the_last_digits_of_data_may_differ(lab):
    run = lab.train("a")
    parts = lab.parts()
    rounded = Changed(parts["source"], lambda x, i: x + 1e-6 * i[:, None].cos(), 37)
    assert resume(run.folder, steps=7, **{**parts, "source": rounded}).step == 7


def without(path, *keys):
    """Make a checkpoint one of an older divmin."""
    torch.save({key: value for key, value in checkpoint.read(path).items() if key not in keys}, path)


def test_a_checkpoint_without_fingerprint_and_name_goes_on(lab, same):
    whole, run = lab.train("whole", steps=9), lab.train("a")
    without(run.checkpoint, "fingerprint", "run")
    assert same(content(resume(run.folder, steps=9, **lab.parts())), content(whole))
    assert {"fingerprint", "run"} <= checkpoint.read(run.checkpoint).keys()


def test_a_checkpoint_of_another_run_is_refused(lab, tmp_path):
    run, other = lab.train("a"), lab.train("b")
    for accept in (False, True):
        with pytest.raises(
            DivminError, match=r"b/checkpoint.pt belongs to another run than .*/a: go on from .*a/check"
        ):
            resume(run.folder, file=other.checkpoint, steps=9, accept_changes=accept, **lab.parts())
    moved = run.folder.rename(tmp_path / "moved")
    copy = shutil.copy(moved / "checkpoint.pt", tmp_path / "elsewhere.pt")
    assert resume(moved, file=copy, steps=9, **lab.parts()).step == 9
    without(other.checkpoint, "run")  # of an older divmin: judged by its settings
    assert resume(moved, file=other.checkpoint, steps=8, **lab.parts()).step == 8
    (moved / "status.json").write_text("{")
    assert resume(moved, steps=9, **lab.parts()).step == 9


def test_folder_without_a_run(tmp_path):
    with pytest.raises(DivminError, match="holds no run"):
        resume(tmp_path)


def test_config_survives_in_the_folder(lab):
    run = lab.train("a", critic_lr=3e-3)
    stored = TrainConfig.from_yaml(run.folder / "config.yaml")
    assert (stored.critic_lr, stored.model, stored.data, stored.out) == (3e-3, "own", "cloud", None)
