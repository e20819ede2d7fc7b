"""``shortrange refine`` and ``boxcar`` with a motif as the phase, on simulated data and faulty projects."""

import json

import numpy as np
import pytest
from phase_projects import assert_refused, changed_project, run_verb

import shortrange as sr
from shortrange.cli.app import run_app
from shortrange.quantities import GR
from shortrange.report.columns import write_gr
from shortrange.simulate.crystal_gr import crystal_pdf

R = np.arange(1, 1501) * 0.01
PROJECT = """
title = "Units"
[sample]
composition = "TaCl5"
[[measurement]]
name = "PDF"
technique = "total-scattering"
pdf = "units.gr"
[[phase]]
name = "unit"
structure = "edge/motif.xyz"
[refine]
r_range = [1.5, 9.0]
"""


@pytest.fixture
def folder(tmp_path, capsys):
    assert run_app(["motif", "edge", "--out", str(tmp_path / "edge")]) == 0
    capsys.readouterr()
    model = crystal_pdf(sr.load_crystal(tmp_path / "edge" / "motif.xyz"), r_max=15.0)
    values = model.start.copy()
    values[model.names.index("stretch")] = -0.005
    q = np.arange(0.02, 22.0, 0.02)
    noise = 2 / np.pi * np.sin(np.outer(R, q)) @ np.random.default_rng(0).normal(0, 0.1, q.size) * 0.02
    g = 0.9 * model.curve(values, R, q_max=22.0) + noise
    gr = GR(r=R, g=g, q_min=0.0, q_max=22.0, composition={"Ta": 1, "Cl": 5})
    write_gr(tmp_path / "units.gr", gr, simulated=True)
    (tmp_path / "project.toml").write_text(PROJECT)
    return tmp_path


def test_a_motif_is_refined_and_written(folder, capsys):
    status, said = run_verb("refine", folder, capsys)
    assert status == 0, said.err
    record = json.loads((folder / "out" / "refinement.json").read_text())
    found = {p["name"]: p for p in record["parameters"]}
    assert list(found) == ["unit.scale", "unit.stretch", "unit.u_iso"]
    for name, value in {"unit.scale": 0.9, "unit.stretch": -0.005, "unit.u_iso": 0.008}.items():
        assert abs(found[name]["value"] - value) < 4 * found[name]["sigma"], found[name]
    before = sr.load_crystal(folder / "edge" / "motif.xyz")
    after = sr.load_crystal(folder / "out" / "unit.xyz")
    stretched = before.positions * (1 + found["unit.stretch"]["value"])
    assert np.allclose(after.positions, stretched, atol=1e-6)
    assert "SIMULATED DATA" in (folder / "out" / "unit.xyz").read_text().splitlines()[1]


def test_the_density_of_the_sample_is_that_around_its_molecules(folder, capsys):
    changed_project(folder, PROJECT, '"TaCl5"', '"TaCl5"\nnumber_density = 0.03')
    assert run_verb("refine", folder, capsys)[0] == 0
    assert json.loads((folder / "out" / "refinement.json").read_text())["values"]["unit.density"] == 0.03


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("r_range", 'free = ["scale", "unit.a"]\nr_range', "no cell, size or free sites"),
        ("r_range", 'free = ["scale", "diameter"]\nr_range', "no cell, size or free sites"),
        ("[refine]", 'shape = "shell"\n[refine]', "remove shape"),
        ("[refine]", 'system = "cubic"\n[refine]', "remove system"),
    ],
)
def test_what_only_a_crystal_has_is_refused(folder, capsys, old, new, words):
    changed_project(folder, PROJECT, old, new)
    assert_refused("refine", folder, capsys, words)


@pytest.mark.parametrize(
    ("text", "words"),
    [("1\n\nTa 0 0 0\n", "one atom"), ("3\n\nTa 0 0 0\nCl 0 0 2.3\nCl 0 0 2.4\n", "overlap")],
)
def test_a_faulty_molecule_is_refused(folder, capsys, text, words):
    (folder / "edge" / "motif.xyz").write_text(text)
    assert_refused("refine", folder, capsys, words)


def test_a_boxcar_refuses_a_molecule(folder, capsys):
    changed_project(folder, PROJECT, "[refine]", "[boxcar]")
    assert_refused("boxcar", folder, capsys, "is a molecule")


def test_a_raw_pattern_needs_the_density_of_the_sample(folder, capsys):
    table = np.column_stack([np.arange(0.5, 20, 0.02), np.full(975, 100.0)])
    np.savetxt(folder / "raw.xy", table, header="q_A^-1 I")
    changed_project(folder, PROJECT, 'pdf = "units.gr"', 'pattern = "raw.xy"\nwavelength = 0.2')
    assert_refused("refine", folder, capsys, "number_density")
