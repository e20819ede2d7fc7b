"""Every notebook runs as a plain script, its assertions hold, its figures say that data are simulated."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
PAGES = FOLDER.parent / "docs" / "explanation"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.py"))
FIGURES = {"02": 1, "03": 2, "04": 1, "06": 3, "07": 1}
QUOTED = {
    "02": ("exafs.md", "0.52 +0.064 +0.017 -0.016 -0.014 -0.020 +0.019 -0.029 -0.024 +0.001"),
    "03": ("scattering.md", "4.41 3.35 3.80 61 57 42 38 75 3.71 3.97 3.83 3.64 4.01 96.7"),
    "04": ("exafs.md", "0.06"),
    "06": ("verdict.md", "-0.4 -21.8 -1.3 -26.4 -3.8 -29.2"),
}
"""Numbers that the pages quote from a notebook's output."""


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path, tmp_path):
    environment = {**os.environ, "MPLBACKEND": "Agg", "SHORTRANGE_FIGURES": str(tmp_path), "PYTHONUTF8": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert len(list(tmp_path.glob("*.png"))) == FIGURES[path.stem[:2]]
    printed = [float(text) for text in re.findall(r"[-+]?\d+\.?\d*", done.stdout)]
    name, numbers = QUOTED.get(path.stem[:2], ("exafs.md", ""))
    page = (PAGES / name).read_text(encoding="utf-8")
    for number in numbers.split():
        last_digit = 10.0 ** -len(number.partition(".")[2])
        assert number in page
        assert any(abs(float(number) - value) < 1.01 * last_digit for value in printed), number


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_says_that_its_data_are_simulated_and_checks_a_number(path):
    text = path.read_text(encoding="utf-8")
    assert "simulated**" in text or "are simulated" in text.replace("\n# ", " ")
    last = text.split("# %%")[-1]
    assert "assert " in last
    labels = len(re.findall(r"simulated=(True|SIMULATED|result\.simulated)", text))
    assert labels == len(re.findall(r"^show\(", text, re.M)) == FIGURES[path.stem[:2]]


def test_every_notebook_is_in_the_index():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"({path.name})" in index for path in NOTEBOOKS)
