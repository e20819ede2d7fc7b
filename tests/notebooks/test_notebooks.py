"""Every notebook runs as a plain script, its assertions hold, its figures say that data are simulated."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "notebooks"
DOCS = FOLDER.parent / "docs"
PAGES = DOCS / "explanation"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.py"))
FIGURES = {"01": 2, "02": 1, "03": 2, "04": 1, "05": 1, "06": 3, "07": 1}
LONGEST = 60.0
"""Processor time that a notebook may take, s, FEFF's tables still to be made, with compiled kernels (once per
installation: up to 30 s)."""
NUMBER = r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?"
QUOTED = {
    "02": ("exafs.md", "0.52 +0.065 +0.017 -0.016 -0.014 -0.020 +0.018 -0.028 -0.024 -0.001"),
    "03": ("scattering.md", "4.41 3.35 3.80 61 57 42 38 75 3.71 3.97 3.83 3.64 4.01 96.7"),
    "04": ("exafs.md", "0.06"),
    "06": ("verdict.md", "+0.3 -20.2 -0.6 -25.1 -0.3 -27.8"),
}
"""Numbers that the pages quote from a notebook's output."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path):
    done, used = run(path, tmp_path, tables=tmp_path / "first")
    assert done.returncode == 0, done.stderr[-3000:]
    if used > LONGEST:  # kernels may have been compiled
        _, used = run(path, tmp_path, tables=tmp_path / "second")
    assert used < LONGEST, f"{used:.0f} s of processor time"
    assert len(list(tmp_path.glob("*.png"))) == FIGURES[path.stem[:2]]
    printed = [float(text) for text in re.findall(r"[-+]?\d+\.?\d*", done.stdout)]
    name, numbers = QUOTED.get(path.stem[:2], ("exafs.md", ""))
    page = (PAGES / name).read_text(encoding="utf-8")
    for number in numbers.split():
        last_digit = 10.0 ** -len(number.partition(".")[2])
        assert number in page
        assert any(abs(float(number) - value) < 1.01 * last_digit for value in printed), number
    assert_rendered(path, done.stdout)


def run(path, folder, *, tables):
    """Run a notebook as a script; also return the processor time that it and FEFF took, s (0 on Windows)."""
    environment = {
        **os.environ,
        "MPLBACKEND": "Agg",
        "SHORTRANGE_FIGURES": str(folder),
        "SHORTRANGE_CACHE": str(tables),
        "PYTHONUTF8": "1",
    }
    before = os.times()
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    after = os.times()
    parts = ("children_user", "children_system")
    return done, sum(getattr(after, part) - getattr(before, part) for part in parts)


def assert_rendered(path, printed):
    """The page in the documentation shows what the notebook prints now, to a few units of the last digits."""
    page = (DOCS / "notebooks" / f"{path.stem}.md").read_text(encoding="utf-8")
    assert page.count("![Figure") == FIGURES[path.stem[:2]], "render it again: python notebooks/render.py"
    shown = [line for line in page.splitlines() if line.startswith("    ")]
    for line in filter(str.strip, printed.splitlines()):
        assert any(alike(line, other) for other in shown), f"render it again, the page lacks: {line}"


def alike(now, then):
    if words(now) != words(then):
        return False
    pairs = zip(numbers(now), numbers(then), strict=True)
    return all(abs(float(a) - float(b)) <= max(3.0 * last_digit(a), 0.02 * abs(float(a))) for a, b in pairs)


def last_digit(number):
    return 10.0 ** -len(number.partition("e")[0].partition(".")[2])


def words(line):
    """The line without its numbers."""
    return " ".join(re.sub(NUMBER, "#", line).split())


def numbers(line):
    return re.findall(NUMBER, line)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_says_that_its_data_are_simulated_and_checks_a_number(path):
    text = path.read_text(encoding="utf-8")
    assert "simulated**" in text or "are simulated" in text.replace("\n# ", " ") or "**simulated" in text
    last = text.split("# %%")[-1]
    assert "assert " in last
    labels = len(re.findall(r"simulated=(True|SIMULATED|result\.simulated)", text))
    if "simulated=False" in text:  # only where the figure's title says that its data are measured
        assert re.search(r"measured[^\n]*\n(show\([^\n]*simulated=False)", text)
        labels += text.count("simulated=False")
    assert labels == len(re.findall(r"^show\(", text, re.M)) == FIGURES[path.stem[:2]]


def test_every_notebook_is_in_the_index():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in index for path in NOTEBOOKS)
