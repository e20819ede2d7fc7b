import pytest
from made_up_results import make_result, make_verdict

from shortrange.report import write_report


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A report, written once."""
    return write_report(make_result(), tmp_path_factory.mktemp("out") / "results").parent


@pytest.fixture(scope="session")
def page(folder):
    return folder / "report.html"


@pytest.fixture
def verdict():
    return make_verdict()
