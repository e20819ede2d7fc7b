"""The pages: their Python runs and prints what they show, and the names they map to exist."""

import contextlib
import inspect
import io
import re
from importlib import import_module
from pathlib import Path

import pytest

import shortrange
from shortrange import references
from shortrange.cli.app import make_app
from shortrange.fit.exafs_term import EXAFS_PARAMETERS
from shortrange.fit.pdf_term import PDF_PARAMETERS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
SHOWN = [page for page in PAGES if "```text" in page.read_text("utf-8") and "notebooks" not in page.parts]
"""Pages with Python and what it prints (those of the notebooks are held by `test_notebooks`)."""
FUNCTIONS = {
    "autobk": "reduce.background",
    "ensemble_exafs": "simulate.exafs",
    "exafs_term": "fit.exafs_term",
    "normalise": "reduce.normalise",
    "pdf_term": "fit.pdf_term",
    "reduce_scattering": "reduce.scattering",
    "reduce_xas": "reduce.xas",
    "refine_gr": "fit.refine",
    "xftf": "transform.fourier",
    "xftr": "transform.fourier",
}


@pytest.mark.parametrize("page", SHOWN, ids=lambda page: page.stem)
def test_python_of_a_page_prints_what_the_page_shows(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = page.read_text(encoding="utf-8")
    names: dict[str, object] = {}
    found = re.findall(r"```python\n((?:(?!```).)*)```\n+```text\n(.*?)```", text, re.S)
    assert found
    for code, shown in found:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, names)
        assert printed.getvalue() == shown


def test_knobs_of_other_programs_map_to_parameters_that_exist():
    text = (DOCS / "coming-from.md").read_text(encoding="utf-8")
    calls = re.findall(r"`(\w+)\((\w+)=\)`", text)
    assert len(calls) > 20
    for function, parameter in calls:
        home = import_module(f"shortrange.{FUNCTIONS[function]}")
        assert parameter in inspect.signature(getattr(home, function)).parameters, f"{function}({parameter}=)"


def test_priors_in_the_tables_are_those_of_the_fits():
    text = (DOCS / "coming-from.md").read_text(encoding="utf-8")
    for each in (*EXAFS_PARAMETERS, *PDF_PARAMETERS):
        mean, sigma = each.prior
        name = "qdamp" if each.name == "q_damp" else each.name
        rows = [line for line in text.splitlines() if f"`{name}`" in line and "prior" in line]
        assert any(re.search(rf"prior {mean:g} ± {sigma:g}\b", row) for row in rows), each.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_commands_on_the_pages_exist_with_their_options(page):
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for verb, rest in re.findall(r"(?:^|`) *shortrange (simulate [a-z]+|[a-z][a-z-]*)([^`#\n]*)", text, re.M):
        app = make_app()
        for name in verb.split():
            app = app[name]
        used = set(re.findall(r"(?<=\s)--[a-z][a-z0-9-]*", rest)) - {"--json", "--help"}
        if not used:
            continue
        known = {name for argument in app.assemble_argument_collection() for name in argument.names}
        assert used <= known, f"shortrange {verb}{rest}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_between_pages_hold(page):
    for target in re.findall(r"\]\(([^)#\s]+)\)", page.read_text(encoding="utf-8")):
        # The reference is made from docstrings when the site is built, which checks these links.
        if not target.startswith(("http", "../reference/")):
            assert (page.parent / target).exists(), target


def test_statuses_are_explained():
    text = (DOCS / "standards.md").read_text(encoding="utf-8")
    assert all(f"| {status} |" in text for status in references.STATUSES)
    assert shortrange.__version__
