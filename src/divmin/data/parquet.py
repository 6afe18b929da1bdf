"""Tables of encoded pictures: Parquet files, and data sets of the Hugging Face hub."""

from __future__ import annotations

import glob
import io
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from divmin.data.assemble import Images, assemble
from divmin.data.sets import Asked, register_set
from divmin.errors import DivminError

if TYPE_CHECKING:
    from types import ModuleType

    from PIL import Image


@dataclass(frozen=True, eq=False)
class Column:
    """A column whose cells are encoded pictures, as bytes or as {"bytes": ..., "path": ...}."""

    cells: Any
    place: str

    def __len__(self) -> int:
        return len(self.cells)

    def open(self, index: int) -> Image.Image:
        from PIL import Image

        cell = self.cells[index].as_py()
        if isinstance(cell, bytes):
            cell = {"bytes": cell}
        if cell is None or (cell.get("bytes") is None and cell.get("path") is None):
            raise OSError("the cell is empty")
        return Image.open(cell["path"] if cell.get("bytes") is None else io.BytesIO(cell["bytes"]))

    def where(self, index: int) -> str:
        return f"in row {index} of {self.place}"


def parquet(pattern: str, asked: Asked) -> Images:
    """The pictures of Parquet files, read into memory as they are encoded; nothing is cached on disk.

    Args:
        pattern: a .parquet file, a folder of them, or a pattern such as data/train-*.parquet.
        asked: what every picture is turned into.

    Returns:
        Images in the order of the files, with labels where a label column exists.

    Raises:
        DivminError: `datasets` not installed, no such files, an unreadable one, or no image column.
    """
    datasets = _datasets()
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = parquet_files(pattern)
    if not files:
        raise DivminError(f"no Parquet files at {pattern!r}: expected a .parquet file, a folder of them, or a pattern")
    tables = []
    for file in files:
        try:
            tables.append(pq.read_table(file))
        except (OSError, pa.ArrowException) as error:
            raise DivminError(f"cannot read {file} as Parquet: {str(error).splitlines()[0]}") from error
    features = [datasets.Features.from_arrow_schema(table.schema) for table in tables]
    for file, other in zip(files, features, strict=True):
        if other != features[0]:
            raise DivminError(f"{files[0]} and {file} have different columns: read them separately")
    return from_table(pattern, pa.concat_tables(tables), features[0], asked)


@register_set("hub:NAME[:SPLIT]", "a data set of images on the Hugging Face hub; needs divmin[hub]")
def hub(name: str, asked: Asked) -> Images:
    """The pictures of a data set on the Hugging Face hub, kept in the cache of the `datasets` library.

    Args:
        name: NAME or NAME:SPLIT, as in ylecun/mnist:test; the split is train when left out.
        asked: what every picture is turned into.

    Returns:
        Images in the order of the data set, with labels where a label column exists.

    Raises:
        DivminError: `datasets` not installed, a data set that cannot be fetched, or one without an image column.
    """
    repository, _, split = name.partition(":")
    if not repository:
        raise DivminError("hub: needs a name, as in hub:ylecun/mnist or hub:ylecun/mnist:test")
    fix = "check the name, the split and the network, or give a local .parquet file"
    return from_table(f"hub:{name}", *fetch(repository, split or "train", fix), asked)


def fetch(repository: str, split: str, fix: str) -> tuple[Any, Any]:
    """Arrow table and features of a data set on the hub; `fix` ends the error when it cannot be had."""
    datasets = _datasets()
    try:
        with _quiet("huggingface_hub"):  # it warns of every try; the error at the end says it once
            data = datasets.load_dataset(repository, split=split)
    # The libraries below report a missing network, name, split or permission in dozens of exception types.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DivminError(f"cannot load {repository!r} from the hub: {reason}; {fix}") from error
    return data.with_format("arrow")[:], data.features


def from_table(name: str, table: Any, features: Any, asked: Asked) -> Images:
    """A source from an Arrow table: the picture column and the label column are found by their types."""
    column = picture_column(name, features)
    if not table.num_rows:
        raise DivminError(f"{name} has no rows: expected at least one picture")
    label = label_column(features)
    labels = None if label is None else _labels(name, table[label])
    names = () if label is None or labels is None else tuple(getattr(features[label], "names", None) or ())
    cells = Column(table[column], f"column {column!r} of {name}")
    return assemble(name, cells, asked.form, labels=labels, class_names=names, track=asked.track)


def picture_column(name: str, features: Any) -> str:
    """The one column of pictures; of several, the one called image or img."""
    datasets = _datasets()
    found = [
        key
        for key, kind in features.items()
        if isinstance(kind, datasets.Image)
        or getattr(kind.get("bytes") if isinstance(kind, dict) else kind, "dtype", None) in ("binary", "large_binary")
    ]
    named = [key for key in found if key.lower() in ("image", "img")]
    if len(found) != 1 and len(named) != 1:
        got = "no column of pictures" if not found else "several columns of pictures (" + ", ".join(found) + ")"
        raise DivminError(f"{name} has {got}: expected one, or one called image; its columns are {', '.join(features)}")
    column: str = (named if len(found) > 1 else found)[0]
    return column


def label_column(features: Any) -> str | None:
    """The first column of class labels, else a column of whole numbers called label; None without one."""
    datasets = _datasets()
    classes = [key for key, kind in features.items() if isinstance(kind, datasets.ClassLabel)]
    whole = [key for key, kind in features.items() if key == "label" and "int" in str(getattr(kind, "dtype", ""))]
    return next(iter(classes + whole), None)


def _labels(name: str, cells: Any) -> Tensor | None:
    """Labels; None where every row says -1, which on the hub means that nobody knows (hidden labels of a test split)."""
    labels = torch.tensor([-1 if cell is None else cell for cell in cells.to_pylist()], dtype=torch.int64)
    without = int((labels < 0).sum())
    if without == len(labels) and not cells.null_count:
        return None
    if without:
        raise DivminError(f"{name} has {without} rows without a label: remove them or the label column")
    return labels


def parquet_files(pattern: str) -> Sequence[Path]:
    """The files that a path or pattern stands for, sorted."""
    path = Path(pattern)
    if path.is_file():
        return [path]
    if path.is_dir():
        return sorted(path.rglob("*.parquet"))
    return sorted(Path(match) for match in glob.glob(pattern, recursive=True) if match.endswith(".parquet"))


@contextmanager
def _quiet(logger: str) -> Iterator[None]:
    """Nothing but errors from a library's log."""
    log = logging.getLogger(logger)
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(before)


def _datasets() -> ModuleType:
    try:
        import datasets
    except ImportError as error:
        raise DivminError("Parquet files and hub names need the datasets library: pip install 'divmin[hub]'") from error
    module: ModuleType = datasets
    return module
