"""Shared fixtures: where the measured data of others lie, and what agrees with whom."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

VALIDATION = Path(__file__).parents[1] / "docs" / "validation.json"
RECORDS = pytest.StashKey[list]()


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


def pytest_addoption(parser):
    parser.addoption(
        "--validation",
        action="store_true",
        help=f"run only the tests that compare with peers and published values, and write {VALIDATION.name}",
    )


def pytest_configure(config):
    config.stash[RECORDS] = []
    if config.getoption("--validation") and config.getoption("numprocesses", None):
        raise pytest.UsageError("--validation writes one page: leave out --numprocesses")
    if config.getoption("--validation") and not os.environ.get("SHORTRANGE_DATA"):
        raise pytest.UsageError("--validation writes the whole page: set SHORTRANGE_DATA")


def pytest_collection_modifyitems(config, items):
    if config.getoption("--validation"):
        items[:] = [item for item in items if "agreement" in item.fixturenames]


def pytest_sessionfinish(session):
    """Replace on the page what the files of this session had there."""
    records = session.config.stash[RECORDS]
    if session.config.getoption("--validation") and records:
        files = {each["test"].partition("::")[0] for each in records}
        kept = [each for each in published() if each["test"].partition("::")[0] not in files]
        text = json.dumps(sorted([*kept, *records], key=place), indent=1, ensure_ascii=False)
        VALIDATION.write_text(text + "\n", encoding="utf-8", newline="\n")


def published():
    return json.loads(VALIDATION.read_text(encoding="utf-8"))


def place(record):
    return record["part"], record["what"]


@pytest.fixture
def agreement(request):
    """Compare with a peer or a published value, and keep the comparison for the page on validation.

    ``agreement(what, ours=, theirs=, within=, by=, part=, unit=)`` asserts that the two agree;
    ``agreement(what, differ=, below=, by=, part=)`` that a largest difference, already computed, is small.
    What the page shows must be what the test found, so a stale page fails here.
    """
    lines = {each["what"]: each for each in published()}
    test = Path(request.node.path).relative_to(Path(__file__).parent).as_posix()

    def compare(what, *, by, part, ours=None, theirs=None, within=None, unit="", differ=None, below=None):
        if differ is None:
            assert abs(ours - theirs) <= within, what
            record = {"ours": float(ours), "theirs": float(theirs), "within": float(within), "unit": unit}
        else:
            assert differ < below, what
            record = {"differ": float(differ), "below": float(below)}
        if request.config.getoption("--validation"):
            whole = {"part": part, "what": what, "by": by, **record, "test": f"{test}::{request.node.name}"}
            request.config.stash[RECORDS].append(whole)
            return
        shown = lines.get(what)
        assert shown, f"{what!r} is not on the page: run pytest --validation"
        fresh = abs(shown["ours"] - ours) <= within if differ is None else shown["below"] == below
        assert fresh, f"the page is stale on {what!r}: run pytest --validation"

    return compare
