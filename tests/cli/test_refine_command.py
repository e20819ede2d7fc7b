"""``shortrange refine`` on a small simulated crystal with free coordinates, and on faulty projects."""

import json

import numpy as np
import pytest
from phase_projects import assert_refused, changed_project, run_verb

import shortrange as sr
from cif_texts import cif_text
from shortrange.quantities import GR
from shortrange.report.columns import write_gr
from shortrange.report.crystals import write_crystal
from shortrange.simulate.crystal_gr import crystal_pdf

R = np.arange(1, 1801) * 0.01
PROJECT = """
title = "Rutile"
[sample]
composition = "TiO2"
[[measurement]]
name = "PDF"
technique = "total-scattering"
pdf = "rutile.gr"
qdamp = 0.03
[[phase]]
name = "rutile"
structure = "rutile.cif"
[refine]
r_range = [1.5, 15.0]
free = ["scale", "cell", "positions", "u_sites"]
"""


def rutile(*, a, u, x):
    """Rutile, where x of the oxygen is the only free coordinate."""
    sites = f"Ti1 Ti 0 0 0 1.0 {u}\nO1 O {x} {x} 0 1.0 0.007"
    return cif_text(sites, a=a, c=2.959, group="P 42/m n m")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rutile")
    (folder / "truth.cif").write_text(rutile(a=4.594, u=0.005, x=0.3048))
    model = crystal_pdf(sr.load_crystal(folder / "truth.cif"), r_max=18.0)
    values = model.start.copy()
    values[model.names.index("q_damp")] = 0.03
    q = np.arange(0.8, 22.0, 0.02)
    noise = 2 / np.pi * np.sin(np.outer(R, q)) @ np.random.default_rng(0).normal(0, 0.2, q.size) * 0.02
    g = 0.8 * model.curve(values, R, q_max=22.0, q_min=0.8) + noise
    path = folder / "rutile.gr"
    write_gr(path, GR(r=R, g=g, q_min=0.8, q_max=22.0, composition={"Ti": 1, "O": 2}), simulated=True)
    return path.read_text()


@pytest.fixture
def folder(tmp_path, data):
    (tmp_path / "rutile.gr").write_text(data)
    (tmp_path / "rutile.cif").write_text(rutile(a=4.60, u=0.006, x=0.309))
    (tmp_path / "project.toml").write_text(PROJECT)
    return tmp_path


def run(folder, capsys):
    return run_verb("refine", folder, capsys)


def record(folder) -> dict:
    return json.loads((folder / "out" / "refinement.json").read_text())


def test_a_coordinate_is_found_and_everything_written(folder, capsys):
    status, said = run(folder, capsys)
    assert status == 0, said.err
    found = record(folder)
    parameters = {p["name"]: p for p in found["parameters"]}
    truth = {"a": 4.594, "c": 2.959, "x_O1": 0.3048, "u_iso_Ti1": 0.005, "u_iso_O1": 0.007, "scale": 0.8}
    for name, value in truth.items():
        p = parameters[f"rutile.{name}"]
        assert abs(p["value"] - value) < 4 * p["sigma"], (name, p)
    assert parameters["rutile.x_O1"]["sigma"] < 1e-3
    assert found["simulated"] is True
    assert 0.3 < found["chi2_predicted"] / found["chi2_reduced"] < 3
    assert np.allclose(np.diag(found["correlation"]), 1.0)
    assert {p.name for p in (folder / "out").iterdir()} >= {
        "refinement.json", "parameters.csv", "correlations.csv", "fit.csv", "fit.fgr", "rutile.cif",
        "figures",
    }  # fmt: skip
    table = np.loadtxt(folder / "out" / "fit.fgr")
    assert np.sqrt(np.sum(table[:, 4] ** 2) / np.sum((table[:, 1] + table[:, 4]) ** 2)) == pytest.approx(
        found["rw"], rel=1e-4
    )
    assert "SIMULATED DATA" in said.out
    refined = sr.load_crystal(folder / "out" / "rutile.cif")
    assert refined.lattice[0] == pytest.approx(parameters["rutile.a"]["value"], abs=1e-5)
    assert len(refined.species) == 6
    assert refined.positions[2][0] == pytest.approx(parameters["rutile.x_O1"]["value"], abs=1e-6)


def test_a_restraint_holds_and_is_reported(folder, capsys):
    more = (
        '[[restraint]]\nphase = "rutile"\natoms = ["Ti1", "O1"]\nvalue = 2.2\nsigma = 0.0001\n'
        '[[restraint]]\nphase = "rutile"\natoms = ["O1", "Ti1", "O1"]\nvalue = 81\nsigma = 30\n'
    )
    (folder / "project.toml").write_text(PROJECT + more)
    status, said = run(folder, capsys)
    assert status == 0, said.err
    bond, angle = record(folder)["restraints"]
    assert bond["found"] == pytest.approx(2.2, abs=0.01)
    assert 60 < angle["found"] < 180
    assert "restraint rutile: Ti1-O1" in said.out


def test_tensors_and_occupancies(folder, capsys):
    text = PROJECT.replace('"u_sites"', '"u_aniso", "occ_O1"')
    text += '[refine.bounds]\n"rutile.occ_O1" = [0.5, 1.0]\n[refine.values]\n"rutile.occ_O1" = 0.9\n'
    (folder / "project.toml").write_text(text)
    status, said = run(folder, capsys)
    assert status == 0, said.err
    found = record(folder)
    names = [p["name"] for p in found["parameters"]]
    assert "rutile.u12_O1" in names
    assert "rutile.u22_O1" not in names  # the diagonal mirror makes it U11
    occupancy = next(p for p in found["parameters"] if p["name"] == "rutile.occ_O1")
    assert abs(occupancy["value"] - 1.0) < max(4 * occupancy["sigma"], 0.05)


def test_a_written_crystal_is_read_back_equal(folder):
    crystal = sr.load_crystal(folder / "rutile.cif")
    again = sr.load_crystal(write_crystal(folder / "again.cif", crystal))
    assert again.labels == crystal.labels
    assert again.system == crystal.system
    assert np.allclose(again.positions, crystal.positions)
    assert np.allclose(again.operations, crystal.operations)
    assert np.allclose(again.u_iso, crystal.u_iso)


def test_a_fit_that_fails_gives_a_reason_and_no_numbers(folder, capsys, monkeypatch):
    from shortrange.fit import least_squares

    monkeypatch.setattr(least_squares, "_MAX_EVALUATIONS", 1)
    status, said = run(folder, capsys)
    assert status == 1
    assert "did not converge" in said.out
    assert not (folder / "out" / "parameters.csv").exists()
    assert record(folder)["ok"] is False


LAST = 'free = ["scale", "cell", "positions", "u_sites"]'
CHANGES = [
    ("[refine]", "[refin]", "did you mean 'refine'"),
    ("[refine]", "[boxcar]", "shortrange boxcar"),
    ("r_range = [1.5, 15.0]", "", "r_range: is missing"),
    ("r_range = [1.5, 15.0]", "r_range = [1.5, 40.0]", "the data at 18"),
    ("r_range = [1.5, 15.0]", "r_range = [3.0, 3.2]", "points between"),
    (LAST, 'free = ["scale", "position"]', "did you mean 'positions'"),
    (LAST, 'free = ["scale", "y_O1"]', "unknown parameter 'y_O1'"),
    (LAST, 'free = ["scale", "rutile.x_O2"]', "did you mean 'x_O1'"),
    (LAST, 'free = ["scale", "u_iso_O1", "u_sites"]', "free twice"),
    (LAST, 'free = ["scale", "u_iso", "u_aniso"]', "unknown parameter 'u_iso'"),
    (LAST, 'free = ["scale", "thickness"]', "unknown parameter 'thickness'"),
    (LAST, LAST + "\nfolds = -1", "0 or more"),
    (LAST, LAST + "\nfolds = true", "folds"),
    (LAST, LAST + "\nwindow = 5.0", "unknown key"),
    (LAST, LAST + '\n[refine.bounds]\n"rutile.x_O1" = [0.4, 0.5]', "outside its bounds"),
    (LAST, LAST + '\n[refine.ties]\n"rutile.a" = "rutile.x_O2"', "did you mean 'x_O1'"),
    (LAST, LAST + '\n[refine.values]\n"rutile.occ_O1" = 1.5', "occ_O1"),
    ('structure = "rutile.cif"', 'structure = "rutile.cif"\nshape = "cube"', "shape"),
    (LAST, LAST + '\n[restraint]\nphase = "rutile"', "two brackets"),
    (LAST, LAST + '\n[[restraint]]\nphase = "rutile"\natoms = ["Ti1"]\nvalue = 2\nsigma = 0.1', "atoms"),
    (
        LAST,
        LAST + '\n[[restraint]]\nphase = "rutil"\natoms = ["Ti1", "O1"]\nvalue = 2\nsigma = 0.1',
        "did you mean 'rutile'",
    ),
    (
        LAST,
        LAST + '\n[[restraint]]\nphase = "rutile"\natoms = ["Ti1", "O2"]\nvalue = 2\nsigma = 0.1',
        "no site 'O2'",
    ),
    (
        LAST,
        LAST + '\n[[restraint]]\nphase = "rutile"\natoms = ["Ti1", "O1"]\nvalue = 2\nsigma = 0',
        "greater than 0",
    ),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES)
def test_a_faulty_project_is_refused(folder, capsys, old, new, words):
    changed_project(folder, PROJECT, old, new)
    assert_refused("refine", folder, capsys, words)
