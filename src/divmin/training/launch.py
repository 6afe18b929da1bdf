"""Devices, precision and processes, by Lightning Fabric; it is slow to import and needed nowhere else."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed as distributed

from divmin.errors import DivminError
from divmin.training.config import TrainConfig
from divmin.training.parallel import Processes

if TYPE_CHECKING:
    from lightning_fabric import Fabric

PRECISION: dict[str, Any] = {"32": "32-true", "bf16-mixed": "bf16-mixed", "16-mixed": "16-mixed"}
PATIENCE = 60.0  # seconds that other processes get to end


class LostProcessError(DivminError):
    """Another process of the run has ended, and this one cannot go on alone."""

    exit_code = 1  # the work failed; the input was fine


def first_process() -> bool:
    """Whether this process, of those that were started together, is the one that writes and talks.

    Known before any connection: launchers tell ranks by environment variables.

    >>> first_process()
    True
    """
    return all(int(os.environ.get(name, "0")) == 0 for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK"))


def compiler(config: TrainConfig) -> None:
    """Compile something small where networks are to be compiled.

    Raises:
        DivminError: torch.compile cannot work here, as without a C++ compiler.
    """
    if not config.compile:
        return
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.zeros(2, device=_device(config)))
    # The tracer, the code generator and the compilers below report in dozens of exception types.
    except Exception as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise DivminError(
            f"torch.compile does not work here: {reason}; train without compile, or install a compiler"
        ) from error


@contextmanager
def launched(config: TrainConfig) -> Iterator[tuple[Fabric, Processes]]:
    """The device, the precision, and the processes: started here (devices > 1), or by torchrun or `fabric run` before.

    When the block is left, the processes have said goodbye to each other, and those that were started here have ended.

    Raises:
        DivminError: a device that is not there, a precision that it does not have, a batch that cannot be shared out.
    """
    from lightning_fabric import Fabric

    device = _device(config)
    by_fabric = "LT_CLI_USED" in os.environ  # its flags stand for devices and nodes
    local, nodes = sizes(config)
    if config.micro_batch % (local * nodes * config.packing):
        raise DivminError(
            f"{local * nodes} processes must share a batch of {config.micro_batch} evenly"
            + (f" in packs of {config.packing}" if config.packing > 1 else "")
            + ": choose another batch_size, accumulate or number of devices"
        )
    external = by_fabric or "TORCHELASTIC_RUN_ID" in os.environ or "LOCAL_RANK" in os.environ
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it tells of every process that it starts
    with _others(0 if external else local - 1, nodes):
        try:
            places: dict[str, Any] = {} if by_fabric else {"accelerator": device, "devices": local, "num_nodes": nodes}
            strategy: dict[str, Any] = {"strategy": "ddp"} if local * nodes > 1 and not by_fabric else {}
            fabric = Fabric(precision=PRECISION[config.precision], **places, **strategy)
            if not by_fabric:
                fabric.launch()
        except (ValueError, RuntimeError) as error:
            raise DivminError(f"cannot start the processes of the run: {' '.join(str(error).split())}") from error
        yield fabric, Processes(fabric.global_rank, fabric.world_size)
        if fabric.world_size > 1:
            distributed.barrier()
            distributed.destroy_process_group()


@contextmanager
def _others(count: int, nodes: int) -> Iterator[None]:
    """This program once more for each of the other devices of this machine, as Fabric's environment expects them.

    Fabric's own launcher kills this process when one of the others dies, before it could say what happened.
    """
    if not count:
        yield
        return
    import __main__

    # the same program again: python -m NAME, or python FILE
    module = getattr(__main__.__spec__, "name", None)
    command = [sys.executable, *(["-m", module] if module else [os.path.abspath(sys.argv[0])]), *sys.argv[1:]]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    before = dict(os.environ)
    # on several machines, the address, the port and the number of each machine come from outside
    os.environ.setdefault("MASTER_ADDR", "127.0.0.1")
    os.environ.setdefault("MASTER_PORT", str(port))
    os.environ.setdefault("NODE_RANK", "0")
    os.environ |= {"WORLD_SIZE": str((count + 1) * nodes), "LOCAL_RANK": "0"}
    children = [
        subprocess.Popen(command, env=os.environ | {"LOCAL_RANK": str(rank)}, stdout=subprocess.DEVNULL)
        for rank in range(1, count + 1)
    ]
    try:
        yield
    except BaseException:
        for child in children:
            child.terminate()
        raise
    finally:
        for child in children:
            try:
                child.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                child.kill()
        os.environ.clear()
        os.environ.update(before)


def _device(config: TrainConfig) -> str:
    device = config.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[device]:
        raise DivminError(f"device {device} is not available here: use auto or cpu")
    if config.precision == "16-mixed" and device == "cpu":
        raise DivminError("precision 16-mixed needs a GPU: on the CPU use 32 or bf16-mixed")
    return device


def sizes(config: TrainConfig) -> tuple[int, int]:
    """Processes on each machine, and machines: torchrun's word counts where it has started this process."""
    if "TORCHELASTIC_RUN_ID" in os.environ:
        local = int(os.environ["LOCAL_WORLD_SIZE"])
        return local, int(os.environ["WORLD_SIZE"]) // local
    return config.devices, config.nodes
