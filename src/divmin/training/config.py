"""Everything that decides a training run, as one flat frozen record."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cache, wraps
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from divmin.errors import DivminError, counted, suggest
from divmin.training.augment import augmentation
from divmin.training.schedule import SCHEDULES

DEVICES = ("auto", "cpu", "cuda", "mps")
PRECISIONS = ("32", "bf16-mixed", "16-mixed")
LIKELIHOODS = ("pixels", "features")
PENALTIES = ("r1", "r2", "gradient_penalty", "one_sided_penalty", "orthogonal")
FAKES = ("prior", "reconstructions", "both")


def _key(default: Any, help: str) -> Any:
    """A field whose explanation the command line prints too."""
    return field(default=default, metadata={"help": help})


def _knowing_its_names(cls: type[TrainConfig]) -> type[TrainConfig]:
    """Let the constructor, and so `dataclasses.replace` too, say what an unknown name could mean."""
    build, known = cls.__init__, [item.name for item in fields(cls)]

    @wraps(build)
    def init(self: TrainConfig, *args: Any, **values: Any) -> None:
        for name in values:
            if name not in known:
                raise DivminError(f"{cls.__name__} has no setting {name!r}: {suggest(name, known)}")
        build(self, *args, **values)

    cls.__init__ = init  # type: ignore[method-assign]
    return cls


@_knowing_its_names
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
    >>> TrainConfig(stepz=3)
    Traceback (most recent call last):
    divmin.errors.DivminError: TrainConfig has no setting 'stepz': did you mean steps?
    """

    recipe: str = _key("nonsaturating", "the pair of losses, a name or an expression such as fgan(kl)")
    data: str = _key("digits", "the data set: a name, a folder, a Parquet file or a hub name")
    model: str = _key("dcgan", "the pair of networks")
    image_size: int | None = _key(None, "side of the images in pixels; none: as the data has it")
    channels: int | None = _key(None, "colour channels, 1 or 3; none: as the data has it")
    corrupt: str = _key(
        "fatal", "pictures that cannot be read: fatal (an error names one) or skip (left out, with a warning)"
    )
    latent: int | None = _key(None, "dimension of the generator's input z; none: the model's own")
    width: int | None = _key(None, "size of the hidden layers; none: the model's own")
    steps: int = _key(2000, "generator steps")
    batch_size: int = _key(64, "samples of data, and of the model, in one optimiser step")
    critic_steps: int = _key(1, "critic steps for each generator step; 0 for losses that use no critic")
    accumulate: int = _key(1, "micro-batches that make up one optimiser step; must divide batch_size")
    critic_lr: float = _key(1e-3, "Adam's learning rate of the critic")
    generator_lr: float = _key(1e-3, "Adam's learning rate of the generator, and of an encoder")
    schedule: str = _key("constant", "of the learning rates over the run: constant, linear (to 0) or cosine (to 0)")
    warmup: int = _key(0, "steps over which the learning rates rise linearly at first")
    beta1: float = _key(0.0, "Adam's decay of the mean gradient, in [0, 1)")
    beta2: float = _key(0.99, "Adam's decay of the mean squared gradient, in [0, 1)")
    ema_decay: float = _key(
        0.999, "decay of the generator's moving average a step, in [0, 1); 0 keeps the last weights"
    )
    r1: float = _key(0.0, "weight of R1: half the squared slope of the critic on data, gamma in R1 and R2's papers")
    r2: float = _key(0.0, "weight of R2: the same on samples")
    gradient_penalty: float = _key(0.0, "weight of (slope - 1)^2 between data and samples; 10 in WGAN-GP")
    one_sided_penalty: float = _key(0.0, "the same for slopes above 1 alone")
    orthogonal: float = _key(
        0.0, "weight of orthogonal regularisation, the sum of |W W^T - 1| over the critic's layers"
    )
    penalty_every: int = _key(1, "critic steps between penalties, each then weighs that much more")
    spectral_norm: bool = _key(False, "divide the critic's weights by their largest singular value")
    instance_noise: float = _key(0.0, "standard deviation of noise on data and samples before the critic, at the start")
    instance_noise_steps: int | None = _key(None, "generator steps in which that noise falls to 0; none: all steps")
    label_smoothing: float = _key(0.0, "what is taken off the label of data, in [0, 1)")
    augment: str = _key("", "random changes before the critic: of color, translation, cutout, with commas between")
    packing: int = _key(1, "samples that the critic judges together (PacGAN)")
    likelihood: str = _key("pixels", "what a data term's Gaussian describes: pixels, or features of the critic")
    likelihood_sd: float = _key(1.0, "standard deviation of that Gaussian")
    likelihood_noise: bool = _key(False, "whether samples get that Gaussian's noise before the critic judges them")
    fakes: str = _key("prior", "what the critic compares data with: samples of the prior, reconstructions, or both")
    seed: int = _key(0, "the seed of weights, z, data order and dropout")
    device: str = _key("auto", "auto, cpu, cuda or mps")
    devices: int = _key(1, "processes on this machine, each with a device of its own")
    nodes: int = _key(1, "machines that the run is spread over")
    precision: str = _key("32", "32, bf16-mixed or 16-mixed")
    compile: bool = _key(False, "torch.compile the networks")
    log_every: int = _key(100, "generator steps between metrics records")
    sample_every: int = _key(500, "generator steps between pictures")
    samples: int = _key(64, "samples in a picture")
    evaluate_every: int | None = _key(None, "generator steps between evaluations of the samples; none: no evaluation")
    metrics: str = _key("", "what is evaluated, with commas between; empty: all that fit the data")
    evaluate_samples: int | None = _key(None, "samples on each side of an evaluation; none: by the kind of data")
    best: str | None = _key(None, "the metric by which best.pt is kept; none: the first")
    checkpoint_every: int = _key(500, "generator steps between checkpoints")
    keep: int = _key(1, "checkpoints kept, the last ones")
    check_finite: bool = _key(
        False, "look for NaN and infinities after every update (slow; names the first bad tensor)"
    )
    out: str | None = _key(None, "the run folder; none: runs/DATA-RECIPE-TIME")

    def __post_init__(self) -> None:
        for name, hint in _types().items():
            object.__setattr__(self, name, _typed(name, getattr(self, name), hint))
        for name in ("recipe", "data", "model"):
            _demand(bool(getattr(self, name).strip()), f"{name} must name something, got an empty text")
        positive = (
            "latent",
            "width",
            "steps",
            "batch_size",
            "accumulate",
            "log_every",
            "penalty_every",
            "packing",
            "keep",
        )
        more: tuple[str, ...] = (
            "sample_every",
            "samples",
            "checkpoint_every",
            "image_size",
            "channels",
            "instance_noise_steps",
        )
        more += ("evaluate_every", "evaluate_samples")
        for name in (*positive, *more, "devices", "nodes"):
            value = getattr(self, name)
            _demand(value is None or value >= 1, f"{name} must be at least 1, got {value}")
        for name in ("critic_steps", "warmup"):
            value = getattr(self, name)
            _demand(value >= 0, f"{name} must be at least 0, got {value}")
        for name in (*PENALTIES, "instance_noise"):
            value = getattr(self, name)
            _demand(0 <= value < math.inf, f"{name} must be finite and at least 0, got {value:g}")
        for name in ("critic_lr", "generator_lr", "likelihood_sd"):
            value = getattr(self, name)
            _demand(0 < value < math.inf, f"{name} must be positive and finite, got {value:g}")
        for name in ("beta1", "beta2", "ema_decay", "label_smoothing"):
            value = getattr(self, name)
            _demand(0 <= value < 1, f"{name} must lie in [0, 1), got {value:g}")
        _demand(0 <= self.seed < 2**63, f"seed must lie in [0, 2**63), got {self.seed}")
        choices = {"device": DEVICES, "precision": PRECISIONS, "schedule": tuple(SCHEDULES), "likelihood": LIKELIHOODS}
        for name, known in (choices | {"fakes": FAKES}).items():
            value = getattr(self, name)
            _demand(value in known, f"{name} must be one of {', '.join(known)}, got {value!r}")
        _demand(
            self.batch_size % self.accumulate == 0,
            f"accumulate must divide batch_size, got {self.accumulate} micro-batches for {counted(self.batch_size, 'sample')}",
        )
        _demand(
            self.micro_batch % self.packing == 0,
            f"packing must divide the batch that passes at once, got {self.packing} and {self.micro_batch} samples",
        )
        augmentation(self.augment)
        _demand(
            self.evaluate_every is not None or not (self.metrics or self.best),
            "metrics and best say what is evaluated, which needs evaluate_every: give it, or leave them out",
        )
        _demand(self.warmup <= self.steps, f"warmup must not exceed steps, got {self.warmup} and {self.steps}")
        if self.corrupt != "fatal":  # the room of data imports torch, for which a list of runs does not wait
            from divmin.data.form import Form

            Form(corrupt=self.corrupt)

    @property
    def micro_batch(self) -> int:
        """Samples that pass through a network at once."""
        return self.batch_size // self.accumulate

    @property
    def samples_a_step(self) -> int:
        """Data samples that are seen for each generator step."""
        return self.batch_size * max(self.critic_steps, 1)

    @property
    def ends(self) -> tuple[str, ...]:
        """What reaches its end with the last step, so that a longer run would not be this one with more steps.

        >>> TrainConfig(schedule="cosine", instance_noise=0.1).ends
        ('schedule', 'instance_noise')
        """
        on = {
            "schedule": self.schedule != "constant",
            "instance_noise": self.instance_noise and self.instance_noise_steps is None,
        }
        return tuple(name for name, value in on.items() if value)

    @property
    def penalties(self) -> dict[str, float]:
        """The weights of the penalties that are on, by the names of their fields."""
        return {name: getattr(self, name) for name in PENALTIES if getattr(self, name)}

    @property
    def regularisers(self) -> tuple[str, ...]:
        """What is done to the critic besides its loss, by the names that `divmin.explain(penalty=)` takes.

        >>> TrainConfig(r1=10.0, packing=2).regularisers
        ('r1', 'packing')
        """
        on = {
            "r1": self.r1, "r2": self.r2, "gp": self.gradient_penalty, "gp_one_sided": self.one_sided_penalty,
            "orthogonal": self.orthogonal, "spectral_norm": self.spectral_norm, "instance_noise": self.instance_noise,
            "augmentation": self.augment, "packing": self.packing > 1, "reconstructions": self.fakes != "prior",
            "likelihood_noise": self.likelihood_noise,
        }  # fmt: skip
        return tuple(name for name, value in on.items() if value)

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
            if key not in known:  # a near name is looked for only then: lists read hundreds of configurations
                raise DivminError(f"{where}: unknown key {key!r}: {suggest(str(key), known)}")
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
