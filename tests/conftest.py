"""Shared fixtures: where the measured data of others lie, if they are there at all."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of measured data that are not ours to ship; named by SHORTRANGE_DATA."""
    name = os.environ.get("SHORTRANGE_DATA")
    if not name:
        pytest.skip("measured data of others are not here: set SHORTRANGE_DATA to their folder")
    folder = Path(name)
    if not folder.is_dir():
        pytest.fail(f"SHORTRANGE_DATA names no folder: {folder}")
    return folder
