"""Judging on the way: lines, the best checkpoint, and that resumption leaves no trace of the interruption."""

from __future__ import annotations

import json
import math

import pytest

from divmin.errors import DivminError
from divmin.training import Judge, Probe, Run, Verdict, checkpoint, load, resume

VALUES = {2: 5.0, 4: 3.0, 6: math.inf, 8: 4.0, 10: 3.0, 12: 7.0}


def judge(better="lower", by=None, every=2):
    def act(view):
        return Verdict(
            {"other": 1.0, "distance": VALUES.get(view.step, 9.0)}, {"other": "lower", "distance": better}, "by hand"
        )

    return Judge(every, act, by)


def lines(run):
    return [json.loads(line) for line in (run.folder / "evaluation.jsonl").read_text().splitlines()]


@pytest.mark.parametrize(("better", "at"), [("lower", 4), ("higher", 6)])
def test_the_best_checkpoint_is_kept(lab, better, at):
    run = lab.train("a", steps=12, more={"judge": judge(better, "distance")})
    assert [(line["step"], line["values"]["distance"]) for line in lines(run)] == [
        (step, None if math.isinf(value) else value) for step, value in VALUES.items()
    ]
    assert lines(run)[0]["settings"] == "by hand" and lines(run)[0]["better"] == {"other": "lower", "distance": better}
    assert checkpoint.read(run.folder / "best.pt")["step"] == at
    assert checkpoint.read(run.checkpoint)["best"] == {"value": VALUES[at], "step": at}
    assert load(run.folder / "best.pt", pair=lab.pair()).step == at


def test_the_last_step_is_judged_too(lab):
    run = lab.train("a", steps=5, more={"judge": judge(every=3)})
    assert [line["step"] for line in lines(run)] == [3, 5]
    assert checkpoint.read(run.folder / "best.pt")["step"] == 3  # the first metric, which is always 1


def test_resumption_judges_as_the_undisturbed_run(lab, same):
    def die(view):
        if view.step == 9:
            raise RuntimeError("killed")

    settings = {"steps": 12, "checkpoint_every": 3}
    whole = lab.train("whole", **settings, more={"judge": judge(by="distance")})
    with pytest.raises(RuntimeError):
        lab.train("killed", **settings, more={"judge": judge(by="distance"), "probes": [Probe(1, die)]})
    with (lab.root / "killed" / "evaluation.jsonl").open("a") as stream:
        stream.write(json.dumps({"step": 99, "values": {}}) + '\n{"step": 10, "val')
    again = resume(lab.root / "killed", **lab.parts(), judge=judge(by="distance"))
    assert lines(again) == lines(whole)
    for name in ("checkpoint.pt", "best.pt"):
        one, other = (checkpoint.read(run.folder / name) for run in (whole, again))
        assert one["best"] == other["best"] and same(one["generator"], other["generator"])


def test_going_back_gives_up_a_later_best(lab):
    """At step 4 the best so far was step 4; going back to step 2, it is found again, or another one if the data say so."""
    run = lab.train("a", steps=6, checkpoint_every=2, keep=9, more={"judge": judge(by="distance")})
    assert checkpoint.read(run.folder / "best.pt")["step"] == 4
    old = run.folder / "checkpoints" / "00000002.pt"
    worse = Judge(2, lambda view: Verdict({"distance": 9.0}, {"distance": "lower"}))
    again = resume(run.folder, file=old, **lab.parts(), judge=worse)
    best = checkpoint.read(again.folder / "best.pt")
    assert (best["step"], best["best"]) == (
        4,
        {"value": 9.0, "step": 4},
    )  # of this run, not the 3.0 of the one given up


def test_resumption_checks_what_is_judged(lab):
    def refuse(source):
        raise DivminError("cannot be judged so")

    run = lab.train("a")
    with pytest.raises(DivminError, match="cannot be judged so"):
        resume(run.folder, steps=9, **lab.parts(), judge=Judge(2, judge().act, check=refuse))
    assert Run.open(run.folder).state == "finished"


def test_judging_leaves_no_trace_in_the_run(lab, same):
    import torch

    def act(view):
        torch.rand(3)
        view.sample(view.noise(4))
        return Verdict({"x": 0.0}, {"x": "lower"})

    plain = lab.train("plain", parts=lab.parts("conv"))
    judged = lab.train("judged", parts=lab.parts("conv"), more={"judge": Judge(2, act)})
    one, other = (checkpoint.read(run.checkpoint) for run in (plain, judged))
    for part in ("generator", "critic", "average", "random"):
        assert same(one[part], other[part])


def test_a_metric_that_is_not_measured(lab):
    with pytest.raises(DivminError, match="best by 'distanse': it is not measured: did you mean distance"):
        lab.train("a", more={"judge": judge(by="distanse")})
