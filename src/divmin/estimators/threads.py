"""One thread for small work: several threads that wait for each other take longer than one, by far on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits


@contextmanager
def one_thread(small: bool) -> Iterator[None]:
    """Where `small`, linear algebra, trees and networks use one thread inside the block; the numbers of before come back."""
    if not small:
        yield
        return
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)
