"""Everything that decides a training run, as one flat frozen record."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from divmin.errors import DivminError, counted, suggest

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("32", "bf16-mixed", "16-mixed")


def _key(default: Any, help: str) -> Any:
    """A field whose explanation the command line prints too."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a run; a value that cannot be is refused when the record is built.

    Args:
        recipe, data, model: names or expressions, as in `divmin list`.
        The other fields are explained, with their units, by their `help` metadata (`divmin train --help`).

    Raises:
        DivminError: one line naming the field, what was got and what was expected.

    >>> TrainConfig(batch_size=64, accumulate=4).micro_batch
    16
    >>> TrainConfig(steps=0)
    Traceback (most recent call last):
    divmin.errors.DivminError: steps must be at least 1, got 0
    """

    recipe: str = _key("nonsaturating", "the pair of losses, a name or an expression such as fgan(kl)")
    data: str = _key("digits", "the data set: a name, a folder, a Parquet file or a hub name")
    model: str = _key("dcgan", "the pair of networks")
    image_size: int | None = _key(None, "side of the images in pixels; none: as the data has it")
    channels: int | None = _key(None, "colour channels, 1 or 3; none: as the data has it")
    latent: int | None = _key(None, "dimension of the generator's input z; none: the model's own")
    width: int | None = _key(None, "size of the hidden layers; none: the model's own")
    steps: int = _key(2000, "generator steps")
    batch_size: int = _key(64, "samples of data, and of the model, in one optimiser step")
    critic_steps: int = _key(1, "critic steps for each generator step")
    accumulate: int = _key(1, "micro-batches that make up one optimiser step; must divide batch_size")
    critic_lr: float = _key(1e-3, "Adam's learning rate of the critic")
    generator_lr: float = _key(1e-3, "Adam's learning rate of the generator")
    beta1: float = _key(0.0, "Adam's decay of the mean gradient, in [0, 1)")
    beta2: float = _key(0.99, "Adam's decay of the mean squared gradient, in [0, 1)")
    ema_decay: float = _key(
        0.999, "decay of the generator's moving average a step, in [0, 1); 0 keeps the last weights"
    )
    seed: int = _key(0, "the seed of weights, z, data order and dropout")
    device: str = _key("auto", "auto, cpu, cuda or mps")
    precision: str = _key("32", "32, bf16-mixed or 16-mixed")
    log_every: int = _key(100, "generator steps between metrics records")
    sample_every: int = _key(500, "generator steps between pictures")
    samples: int = _key(64, "samples in a picture")
    checkpoint_every: int = _key(500, "generator steps between checkpoints")
    check_finite: bool = _key(
        False, "look for NaN and infinities after every update (slow; names the first bad tensor)"
    )
    out: str | None = _key(None, "the run folder; none: runs/DATA-RECIPE-TIME")

    def __post_init__(self) -> None:
        for name, hint in _types().items():
            object.__setattr__(self, name, _typed(name, getattr(self, name), hint))
        for name in ("recipe", "data", "model"):
            _demand(bool(getattr(self, name).strip()), f"{name} must name something, got an empty text")
        positive = ("latent", "width", "steps", "batch_size", "critic_steps", "accumulate", "log_every")
        for name in (*positive, "sample_every", "samples", "checkpoint_every", "image_size", "channels"):
            value = getattr(self, name)
            _demand(value is None or value >= 1, f"{name} must be at least 1, got {value}")
        for name in ("critic_lr", "generator_lr"):
            value = getattr(self, name)
            _demand(0 < value < math.inf, f"{name} must be positive and finite, got {value:g}")
        for name in ("beta1", "beta2", "ema_decay"):
            value = getattr(self, name)
            _demand(0 <= value < 1, f"{name} must lie in [0, 1), got {value:g}")
        _demand(0 <= self.seed < 2**63, f"seed must lie in [0, 2**63), got {self.seed}")
        for name, known in (("device", DEVICES), ("precision", PRECISIONS)):
            value = getattr(self, name)
            _demand(value in known, f"{name} must be one of {', '.join(known)}, got {value!r}")
        _demand(
            self.batch_size % self.accumulate == 0,
            f"accumulate must divide batch_size, got {self.accumulate} micro-batches for {counted(self.batch_size, 'sample')}",
        )

    @property
    def micro_batch(self) -> int:
        """Samples that pass through a network at once."""
        return self.batch_size // self.accumulate

    @property
    def samples_a_step(self) -> int:
        """Data samples that the critic sees for each generator step."""
        return self.batch_size * self.critic_steps

    def to_mapping(self) -> dict[str, Any]:
        """All fields in their order, as plain values."""
        return asdict(self)

    def to_json(self) -> str:
        """All fields as one line of JSON: equal configurations give equal texts."""
        return json.dumps(self.to_mapping())

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any], *, where: str = "config") -> TrainConfig:
        """Build from plain values; absent keys keep their defaults.

        Args:
            values: field name -> value.
            where: what an error message calls the source of `values`, for example a file name.

        Raises:
            DivminError: an unknown key, a wrong type or an impossible value.

        >>> TrainConfig.from_mapping({"step": 10})
        Traceback (most recent call last):
        divmin.errors.DivminError: config: unknown key 'step': did you mean steps?
        """
        known = [item.name for item in fields(cls)]
        for key in values:
            _demand(key in known, f"{where}: unknown key {key!r}: {suggest(str(key), known)}")
        try:
            return cls(**values)
        except DivminError as error:
            raise DivminError(f"{where}: {error}") from error

    @classmethod
    def from_json(cls, text: str, *, where: str = "config") -> TrainConfig:
        """The inverse of `to_json`.

        >>> TrainConfig.from_json(TrainConfig(seed=3).to_json()).seed
        3
        """
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise DivminError(f"{where}: not JSON: {error}") from error
        _demand(isinstance(values, dict), f"{where}: expected keys and values, got {type(values).__name__}")
        return cls.from_mapping(values, where=where)

    @classmethod
    def from_yaml(cls, path: str | Path) -> TrainConfig:
        """Read a YAML file of keys and values.

        Raises:
            DivminError: the file cannot be read, or the line of `from_mapping` with the file's name in front.
        """
        import yaml

        try:
            values = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise DivminError(f"cannot read {path}: {error.strerror}") from error
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise DivminError(f"{path}: not YAML: {' '.join(str(error).split())}") from error
        values = {} if values is None else values
        _demand(isinstance(values, dict), f"{path}: expected keys and values, got {type(values).__name__}")
        return cls.from_mapping({key: _yaml_number(key, value) for key, value in values.items()}, where=str(path))


def differences(old: TrainConfig, new: TrainConfig, *, ignore: tuple[str, ...] = ()) -> str:
    """The fields that differ, readable in one line; empty when none does.

    >>> differences(TrainConfig(), TrainConfig(seed=1, critic_lr=2e-3))
    'critic_lr 0.001 -> 0.002, seed 0 -> 1'
    """
    pairs = ((key, value, getattr(new, key)) for key, value in old.to_mapping().items() if key not in ignore)
    return ", ".join(f"{key} {before} -> {after}" for key, before, after in pairs if before != after)


@cache
def _types() -> dict[str, Any]:
    return get_type_hints(TrainConfig)


def _demand(truth: bool, message: str) -> None:
    if not truth:
        raise DivminError(message)


def _typed(name: str, value: Any, hint: Any) -> Any:
    """`value` when it has the field's type (a whole number serves as a float); otherwise an error."""
    allowed = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    if type(value) in allowed:
        return value
    if float in allowed and type(value) is int:
        return float(value)
    expected = " or ".join("none" if kind is type(None) else kind.__name__ for kind in allowed)
    raise DivminError(f"{name} must be {expected}, got {value!r} ({type(value).__name__})")


def _yaml_number(key: object, value: object) -> object:
    """YAML 1.1 reads 2e-4 as text, because it has no point; people mean the number."""
    if isinstance(value, str) and _types().get(str(key)) is float:
        try:
            return float(value)
        except ValueError:
            return value
    return value
