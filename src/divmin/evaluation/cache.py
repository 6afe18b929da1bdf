"""What was learned from data, kept on disk under a name that says exactly what it was learned from.

A file that is damaged, of another format or of other data counts as absent. Nothing in it is run as code.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from divmin.data import Source
from divmin.errors import DivminError
from divmin.files import write_atomically

FORMAT = "divmin cache 1"
LOOKED_AT = 1024  # samples of the data that the name of a file depends on; labels all count


def folder() -> Path:
    """Where the files are: $DIVMIN_CACHE, or ~/.cache/divmin."""
    return Path(os.environ.get("DIVMIN_CACHE") or Path.home() / ".cache" / "divmin").expanduser()


def file_of(kind: str, key: str, where: Path | None = None) -> Path:
    """The file of a key, in the usual folder or another."""
    return (where or folder()) / f"{kind}-{key[:16]}.pt"


def key_of(source: Source, labels: Tensor, settings: Mapping[str, Any]) -> str:
    """A hash of the data's size, shape, labels and evenly spaced samples, and of the settings: 64 hexadecimal digits.

    Args:
        source: a finite source.
        labels: int64 [size].
        settings: plain values.

    Example:
        >>> from divmin.data import from_array
        >>> source, labels = from_array(torch.zeros(4, 2)), torch.tensor([0, 0, 1, 1])
        >>> key_of(source, labels, {"steps": 1}) == key_of(source, labels, {"steps": 2})
        False
    """
    size = len(labels)
    chosen = torch.arange(size) if size <= LOOKED_AT else torch.linspace(0, size - 1, LOOKED_AT).round().long()
    about = json.dumps({**settings, "shape": list(source.shape), "size": size}, sort_keys=True)
    digest = hashlib.sha256(about.encode())
    for values in (labels.contiguous(), source.batch(chosen).contiguous()):
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()


def read(path: Path, key: str) -> dict[str, Any] | None:
    """What was kept under this key; None where nothing can be used."""
    try:
        # torch.load does not compare checksums.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        payload = torch.load(path, map_location="cpu", weights_only=True)
    # Foreign bytes can fail anywhere inside the zip reader and the unpickler, with almost any exception; what was kept is
    # then made anew.
    except Exception:
        return None
    known = isinstance(payload, dict) and payload.get("format") == FORMAT and payload.get("key") == key
    return payload["content"] if known and isinstance(payload.get("content"), dict) else None


def write(path: Path, key: str, content: Mapping[str, Any]) -> None:
    """Keep tensors and plain values under a key.

    Raises:
        DivminError: the folder cannot be written.
    """
    memory = io.BytesIO()
    torch.save({"format": FORMAT, "key": key, "content": dict(content)}, memory)
    try:
        write_atomically(path, lambda stream: stream.write(memory.getbuffer()))
    except OSError as error:
        raise DivminError(
            f"cannot write the cache {path}: {error.strerror}; name a folder that can be written in DIVMIN_CACHE"
        ) from error
