"""Projects to run: the shipped simulated example, whole or reduced to what a quick test needs."""

import shutil
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "tacl5-na2s-bridge"


@pytest.fixture
def example(tmp_path):
    """A copy of the shipped project (simulated data) that a test may damage."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project"))


@pytest.fixture
def pdf_project(example):
    """The same without its absorption scans, so that it runs in seconds."""
    text = (example / "project.toml").read_text()
    start, end = text.index('[[measurement]]\nname = "Ta L3"'), text.index('[[measurement]]\nname = "PDF"')
    (example / "project.toml").write_text(text[:start] + text[end:])
    return example
