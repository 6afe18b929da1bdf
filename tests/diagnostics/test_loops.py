"""The monitor in two scripts as people write them: it changes no number, and finds exchanged arguments."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).parents[2] / "examples" / "monitor"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"example_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["dcgan", "tokenizer"])
def test_losses_are_the_same_to_the_last_bit(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    main = script(name).main
    with_it, report = main(["--steps", "130"])
    without, nothing = main(["--steps", "130", "--no-monitor"])
    assert with_it == without and len(with_it) == 130
    assert report is not None and nothing is None
    assert "swapped" not in [each.name for each in report.findings]
    assert "mean pull" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["dcgan", "tokenizer"])
def test_exchanged_arguments_are_found(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, report = script(name).main(["--steps", "200", "--bug"])
    assert report.findings[0].name == "swapped", report
    assert "exchanged" in capsys.readouterr().out
