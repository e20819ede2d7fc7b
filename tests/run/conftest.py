"""Projects to run: the shipped simulated example, whole or reduced to what a quick test needs."""

import shutil
from pathlib import Path

import pytest

from shortrange.cli.app import run_app

EXAMPLE = Path(__file__).parents[2] / "examples" / "tacl5-na2s-bridge"


@pytest.fixture
def example(tmp_path):
    """A copy of the shipped project (simulated data) that a test may damage."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "project"))


def without_scans(project):
    """Leave the total scattering alone, which runs in seconds."""
    file = project / "project.toml"
    text = file.read_text()
    start, end = text.index('[[measurement]]\nname = "Ta L3"'), text.index('[[measurement]]\nname = "PDF"')
    file.write_text(text[:start] + text[end:])
    return project


@pytest.fixture
def pdf_project(example):
    """The same without its absorption scans."""
    return without_scans(example)


@pytest.fixture(scope="session")
def pdf_results(tmp_path_factory):
    """Project without absorption scans, and its results as the command writes them; to be read only."""
    folder = tmp_path_factory.mktemp("read_only")
    project = without_scans(Path(shutil.copytree(EXAMPLE, folder / "project"))) / "project.toml"
    assert run_app(["run", str(project), "--out", str(folder / "results")]) == 0
    return project, folder / "results"
