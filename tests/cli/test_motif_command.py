"""``shortrange motif``: files that other programs read, sources, clashes, bad words."""

import json

import numpy as np
import pytest

import shortrange as sr
from shortrange.cli.app import run_app


def test_files_and_words(tmp_path, capsys):
    out = tmp_path / "unit"
    assert run_app(["motif", "corner", "--bridge", "S", "--angle", "140", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "no clash" in said
    assert "Cotton" in said
    record = json.loads((out / "motif.json").read_text("utf-8"))
    expected = 2 * 2.47 * np.sin(np.radians(70))
    assert record["metal_metal"] == pytest.approx(expected)
    for suffix in ("xyz", "extxyz", "cif"):
        read = sr.load_trajectory(out / f"motif.{suffix}")
        tantalum = read.positions[0][[i for i, s in enumerate(read.species) if s == "Ta"]]
        assert np.linalg.norm(tantalum[0] - tantalum[1]) == pytest.approx(expected, abs=2e-4)
        assert read.composition == {"Ta": 2, "S": 1, "Cl": 10}
    assert (out / "motif.png").stat().st_size > 10_000


def test_a_metal_off_the_centre(tmp_path, capsys):
    out = tmp_path / "unit"
    assert run_app(["motif", "octahedron", "--distortion", "0.16", "--out", str(out)]) == 0
    assert "0.16 Å from the centre" in capsys.readouterr().out
    record = json.loads((out / "motif.json").read_text("utf-8"))
    assert record["parameters"]["distortion"] == 0.16
    bonds = {row["distance"]: row["count"] for row in record["distances"] if row["what"] == "terminal"}
    assert bonds == {2.231: 3, 2.416: 3}


def test_clashes_are_told(tmp_path, capsys):
    words = (
        "motif corner --bridge S --metal-metal 3.69 --bridging S=2.47 --terminal 2.30 --twist 0 --twist 45"
    )
    assert run_app([*words.split(), "--out", str(tmp_path / "m")]) == 0
    said = capsys.readouterr().out
    assert "clash: Cl-Cl 2.02" in said
    assert "cannot be" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("cornr", "did you mean 'corner'"),
        ("corner --bridging S", "is no distance"),
        ("corner --bridging =2.4", "is no distance|says twice"),
        ("corner --bridge S --bridging S=2.4 --bridging S=2.5", "says twice"),
        ("corner --terminal Cl=2.3 --terminal 2.4", "name the element"),
        ("corner --twist 1 --twist 2 --twist 3", "one angle, or two"),
        ("corner --brigde S", "Unknown option"),
        ("corner --angle wide", "Invalid value"),
        ("corner --distortion 2", "displaced by 2 angstrom"),
    ],
)
def test_bad_words(tmp_path, capsys, words, said):
    import re

    assert run_app(["motif", *words.split(), "--out", str(tmp_path / "m")]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "m").exists()
