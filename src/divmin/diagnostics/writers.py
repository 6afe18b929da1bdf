"""Where a monitor's reports go: JSON lines, or the writers of TensorBoard and Weights & Biases that a loop has open already."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from divmin.diagnostics.report import Report
from divmin.errors import DivminError


@dataclass(frozen=True)
class JsonLines:
    """Adds a line for each report to a file: step, numbers, and findings.

    Args:
        path: the file, made when it is not there.

    Example:
        >>> import tempfile, torch
        >>> from divmin.diagnostics import Monitor
        >>> monitor = Monitor("nonsaturating")
        >>> monitor.update(real=torch.linspace(-1, 3, 20), fake=torch.linspace(-3, 1, 20), step=7)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     JsonLines(f"{folder}/monitor.jsonl")(monitor.report())
        ...     line = json.loads(Path(f"{folder}/monitor.jsonl").read_text())
        >>> line["step"], line["numbers"]["auc"] > 0.9, line["findings"][0]["name"]
        (7, False, 'too few')
    """

    path: str | Path

    def __call__(self, report: Report) -> None:
        found = [each.to_record() for each in report.findings]
        line = json.dumps({"step": report.steps[1], "numbers": report.numbers, "findings": found}, allow_nan=False)
        try:
            with Path(self.path).open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise DivminError(f"cannot write {self.path}: {error.strerror}") from error


@dataclass(frozen=True)
class TensorBoard:
    """Tells a `torch.utils.tensorboard.SummaryWriter`: the numbers as curves, findings as text.

    Args:
        writer: it.
        tag: what names begin with.
    """

    writer: Any
    tag: str = "monitor"

    def __call__(self, report: Report) -> None:
        for name, value in report.numbers.items():
            self.writer.add_scalar(f"{self.tag}/{name}", value, report.steps[1])
        if report.findings:
            self.writer.add_text(f"{self.tag}/findings", "\n\n".join(map(str, report.findings)), report.steps[1])


@dataclass(frozen=True)
class WandB:
    """Tells a run of Weights & Biases, as `wandb.init` returns it.

    Args:
        run: it.
        tag: what names begin with.
        commit: whether this call ends the step, as `run.log` takes it; False adds to what the loop logs itself.
    """

    run: Any
    tag: str = "monitor"
    commit: bool = False

    def __call__(self, report: Report) -> None:
        told: dict[str, Any] = {f"{self.tag}/{name}": value for name, value in report.numbers.items()}
        told[f"{self.tag}/findings"] = "\n".join(map(str, report.findings))
        self.run.log(told, commit=self.commit)
