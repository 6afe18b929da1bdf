"""Loggers: programs that show a run while it trains. A run tells them what its folder says, and works without any."""

from divmin.loggers import tensorboard as _tensorboard
from divmin.loggers import wandb as _wandb
from divmin.loggers.base import Logger, Sink, Start, chosen, loggers, register
from divmin.loggers.telling import journal, telling

register(_tensorboard.LOGGER)
register(_wandb.LOGGER)

__all__ = ["Logger", "Sink", "Start", "chosen", "journal", "loggers", "register", "telling"]
