"""Trained classifiers are kept in a folder of the tests, not in the user's cache."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.getbasetemp() / "divmin_cache"
    monkeypatch.setenv("DIVMIN_CACHE", str(folder))
    return folder
