"""Samples from a file of numbers, or from a folder of pictures, as one array [samples, ...]."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from divmin.data.folder import folder
from divmin.data.form import Form
from divmin.errors import DivminError

if TYPE_CHECKING:
    import numpy as np


def read_samples(
    place: str, *, image_size: int | None = None, channels: int | None = None, corrupt: str = "fatal"
) -> np.ndarray:
    """Samples from .npy, .npz, .csv, .parquet and .pt files and folders of pictures; nothing in them is run as code.

    Args:
        place: a path. Of a .npz or .pt file with several arrays, PATH:NAME means one.
        image_size, channels, corrupt: of pictures, as `divmin.data.load` takes them.

    Returns:
        Numbers [samples, ...]; tables by row, with every column; pictures in [-1, 1].

    Raises:
        DivminError: no such file, a kind that is not read, text where numbers should stand.

    Example:
        >>> import numpy as np, tempfile, os
        >>> path = os.path.join(tempfile.mkdtemp(), "samples.npy")
        >>> np.save(path, np.zeros((5, 2)))
        >>> read_samples(path).shape
        (5, 2)
    """
    path, name = split_place(place)
    if not path.exists():
        raise DivminError(f"no such file or folder: {place}")
    if path.is_dir():
        source = folder(path, Form(image_size, channels, corrupt=corrupt))
        import torch

        return source.batch(torch.arange(source.size or 0)).numpy()
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DivminError(f"cannot read {path}: expected a folder of pictures or a file in {', '.join(READERS)}")
    try:
        samples: np.ndarray = reader(path, name)
    except DivminError:
        raise
    except MemoryError as error:
        raise DivminError(f"{path} does not fit into memory") from error
    # each library reports a broken file with exceptions of its own
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DivminError(f"cannot read {path} as {path.suffix}: {reason}") from error
    return samples


def split_place(place: str) -> tuple[Path, str]:
    """PATH or PATH:NAME as path and name; a path that exists is not taken apart."""
    path = Path(os.path.expanduser(place))
    before, _, name = place.rpartition(":")
    # The functions of os.path answer "no" where those of pathlib raise, as for a text that is too long for a path.
    return (path, "") if not before or os.path.exists(path) else (Path(os.path.expanduser(before)), name)


def same_columns(first: str, second: str) -> None:
    """Columns are compared by position: two tables that name theirs must name them alike.

    Raises:
        DivminError: names that differ, or stand in another order.
    """
    one, other = (column_names(place) for place in (first, second))
    if one is None or other is None or one == other:
        return
    shown = [", ".join(names[:8]) + (", ..." if len(names) > 8 else "") for names in (one, other)]
    what = "in another order" if sorted(one) == sorted(other) else "of other names"
    raise DivminError(f"{second} has columns {what} ({shown[1]}) than {first} ({shown[0]}): give both the same columns")


def column_names(place: str) -> list[str] | None:
    """The names of a table's columns; None for what has none."""
    path = Path(os.path.expanduser(place))
    if path.suffix.lower() == ".csv" and path.is_file():
        with path.open(newline="", encoding="utf-8-sig") as stream:
            first = next((line for line in csv.reader(stream) if line), [])
        return None if any(map(_is_number, first)) else [name.strip() for name in first]
    if path.suffix.lower() == ".parquet" and path.is_file():
        import pyarrow.parquet as pq

        return list(pq.read_schema(path).names)
    return None


def _npy(path: Path, name: str) -> np.ndarray:
    import numpy as np

    array: np.ndarray = np.load(path, allow_pickle=False)
    return array


def _npz(path: Path, name: str) -> np.ndarray:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        return np.asarray(_one(path, {key: arrays[key] for key in arrays.files}, name))


def _csv(path: Path, name: str) -> np.ndarray:
    import numpy as np

    with path.open(newline="", encoding="utf-8-sig") as stream:
        lines = [(number, line) for number, line in enumerate(csv.reader(stream), 1) if line]
    if not lines:
        raise DivminError(f"{path} is empty: expected lines of numbers")
    header = lines[0][1] if not any(map(_is_number, lines[0][1])) else None
    body = lines[1:] if header else lines
    if not body:
        raise DivminError(f"{path} has a line of names and no numbers")
    width = len(body[0][1])
    for number, line in body:
        if len(line) != width:
            raise DivminError(f"line {number} of {path} has {len(line)} fields, the first has {width}")
    text = [i for i in range(width) if any(not _is_number(line[i]) for _, line in body)]
    if text:
        names = [header[i] if header and i < len(header) else f"column {i + 1}" for i in text]
        number, line = next((number, line) for number, line in body if not _is_number(line[text[0]]))
        raise DivminError(
            f"{path} has text or gaps in {', '.join(names[:5])} (line {number}: {line[text[0]]!r}): leave such columns out"
        )
    return np.array([[float(field) for field in line] for _, line in body])


def _parquet(path: Path, name: str) -> np.ndarray:
    import numpy as np

    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise DivminError("Parquet files need the datasets library: pip install 'divmin[hub]'") from error
    table = pq.read_table(path)
    text = [field.name for field in table.schema if not _is_numeric(pa, field.type)]
    if text:
        raise DivminError(f"{path} has columns that are not numbers ({', '.join(text[:5])}): leave them out")
    return np.column_stack([column.to_numpy().astype(np.float64) for column in table.columns])


def _pt(path: Path, name: str) -> np.ndarray:
    import torch

    found = torch.load(path, map_location="cpu", weights_only=True)
    tensor = _one(path, found, name) if isinstance(found, dict) else found
    if not isinstance(tensor, torch.Tensor):
        raise DivminError(f"{path} holds a {type(tensor).__name__}: expected a tensor [samples, ...]")
    array: np.ndarray = (tensor.double() if tensor.is_floating_point() else tensor).detach().numpy()
    return array


READERS: dict[str, Callable[[Path, str], Any]] = {
    ".npy": _npy,
    ".npz": _npz,
    ".csv": _csv,
    ".parquet": _parquet,
    ".pt": _pt,
}


def _one(path: Path, arrays: dict[str, Any], name: str) -> Any:
    """The array of this name, or the only one there is."""
    if name in arrays:
        return arrays[name]
    if name or len(arrays) != 1:
        raise DivminError(f"{path} holds {', '.join(map(str, arrays)) or 'nothing'}: name one, as in {path}:NAME")
    return next(iter(arrays.values()))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_numeric(pa: Any, kind: Any) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind))
