"""Runs as pages that people want to read."""

from divmin.pages.told import Known
from divmin.pages.write import report, report_known

__all__ = ["Known", "report", "report_known"]
