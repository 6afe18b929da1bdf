"""What a method is: something that learns a log-ratio d = log p/q from two weighted sets. And the registry of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, Protocol, runtime_checkable

from divmin.errors import DivminError, a_type, suggest
from divmin.estimators.samples import Floats, Samples
from divmin.family import Divergence
from divmin.grammar import Call, Name, Node, bound, parse, plain, write

LogRatio = Callable[[Floats], Floats]  # rows [l, k] to log-ratios [l], nats


@dataclass(frozen=True, eq=False)
class Penalised:
    """A log-ratio whose penalty was chosen by how well it predicts, and the one with the next freer penalty.

    A penalty takes size off a log-ratio; how the two differ says how much that may be.

    Args:
        chosen: the log-ratio itself.
        freer: that of the next freer penalty; the same function where there is none.
    """

    chosen: LogRatio
    freer: LogRatio

    def __call__(self, z: Floats, /) -> Floats:
        return self.chosen(z)

    def of(self, change: Callable[[Floats], Floats]) -> Penalised:
        """Both as functions of rows that are changed first."""
        return Penalised(lambda z: self.chosen(change(z)), lambda z: self.freer(change(z)))


class Method(Protocol):
    """A frozen dataclass whose fields are its parameters."""

    def fit(self, x: Floats, y: Floats, x_weights: Floats, y_weights: Floats, seed: int) -> LogRatio:
        """Learn d = log p/q.

        Args:
            x, y: rows [n, k] of p and [m, k] of q.
            x_weights, y_weights: non-negative, [n] and [m].
            seed: names the random choices; no global random state is used.

        Returns:
            The fitted log-ratio, a function of rows.
        """
        ...

    def __str__(self) -> str:
        """As the registry reads it."""
        ...


@runtime_checkable
class Laws(Protocol):
    """A fitted log-ratio that comes from two fitted laws, so that divergences between those can be had without samples."""

    @property
    def parameters(self) -> int:
        """How many numbers were fitted to each set."""
        ...

    def __call__(self, z: Floats, /) -> Floats: ...

    def contradicted(self, samples: Samples) -> str | None:
        """Why the samples are not like such laws, in a sentence; None where nothing speaks against them."""
        ...

    def divergence(self, f: Divergence) -> float:
        """D_f between the two fitted laws, nats."""
        ...

    def influence(self, f: Divergence, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """By how much each sample moves `divergence`, times the size of its set; [n] and [m], of mean about 0."""
        ...


@dataclass(frozen=True)
class Entry:
    """A method of the registry: how it is written, and how a call of it becomes one."""

    usage: str
    make: Callable[[Call], Method]
    summary: str
    source: str
    aliases: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.usage.partition("(")[0]


_entries: dict[str, Entry] = {}


def register(entry: Entry) -> None:
    """Add a method under its name and aliases; a taken name is an error."""
    for name in (entry.name, *entry.aliases):
        if name in _entries:
            raise DivminError(f"the method name '{name}' is taken by {_entries[name].usage}")
        _entries[name] = entry


def register_numbers(name: str, make: type[Any], summary: str, source: str, aliases: tuple[str, ...] = ()) -> None:
    """Add a dataclass whose parameters are all numbers: `name(2, width=3)` sets its fields in order or by name."""
    defaults = {field.name: field.default for field in fields(make) if field.init}
    numbers = {key: None if value is MISSING else float(value) for key, value in defaults.items()}

    def build(call: Call) -> Method:
        values = zip(defaults, bound(call, numbers), strict=True)
        method: Method = make(**{key: _like(call, key, value, defaults[key]) for key, value in values})
        return method

    usage = f"{name}({', '.join(defaults)})" if defaults else name
    register(Entry(usage, build, summary, source, aliases))


def written(name: str, method: Any) -> str:
    """A dataclass of numbers as the registry reads it; what has its default is left out."""
    said = [
        f"{field.name}={plain(getattr(method, field.name))}"
        for field in fields(method)
        if field.init and getattr(method, field.name) != field.default
    ]
    return f"{name}({', '.join(said)})" if said else name


def methods() -> dict[str, Entry]:
    """The registry: name to usage, summary and source, without the aliases.

    Example:
        >>> methods()["gaussian"].usage
        'gaussian'
    """
    return {name: entry for name, entry in _entries.items() if name == entry.name}


def method(what: Any) -> Method:
    """The method that a text or an object stands for.

    Args:
        what: a name of `methods()`, an expression such as "rulsif(0.1)" or "telescoping(quadratic, 6)", a method, or a
            classifier in the manner of scikit-learn (with `fit` and `predict_proba`).

    Raises:
        DivminError: naming the nearest known method.

    Example:
        >>> str(method("knn(5)"))
        'knn(neighbours=5)'
    """
    if isinstance(what, str):
        return build(parse(what))
    if isinstance(what, type):
        raise DivminError(f"method is the class {what.__name__}: give an object of it, as in {what.__name__}()")
    if hasattr(what, "predict_proba"):
        from divmin.estimators.classifier import Classifier

        return Classifier(what)
    if hasattr(what, "fit"):
        given: Method = what
        return given
    raise DivminError(f"method is {a_type(what)}: expected a name, a method, or a scikit-learn classifier")


def build(node: Node) -> Method:
    """The method that a tree means."""
    if not isinstance(node, Name | Call):
        raise DivminError(f"'{write(node)}' is not a method; expected a name such as logistic or rulsif(0.1)")
    call = Call(node.text, ()) if isinstance(node, Name) else node
    name = call.name.lower()
    if name not in _entries:
        raise DivminError(f"unknown method '{name}': {suggest(name, ('auto', *_entries))}")
    return _entries[name].make(call)


def _like(call: Call, key: str, value: float, default: Any) -> float | int:
    if not isinstance(default, int):
        return value
    if value != int(value):
        raise DivminError(f"{key} of {call.name} is {plain(value)}: expected a whole number")
    return int(value)
