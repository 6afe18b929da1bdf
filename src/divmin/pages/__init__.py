"""Runs as pages that people want to read."""

from divmin.pages.write import page, report

__all__ = ["page", "report"]
