"""The command line: thin, because all work is in the rooms below, and quick, because a command imports only what it needs."""

from divmin.cli.main import main

__all__ = ["main"]
