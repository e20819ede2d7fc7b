"""``shortrange boxcar`` on a small simulated mixture, and on what may be wrong with its project."""

import json

import numpy as np
import pytest
from phase_projects import assert_refused, changed_project, run_verb

from cif_texts import cif_text
from shortrange.cli.app import run_app
from shortrange.quantities import GR
from shortrange.report.columns import write_gr
from shortrange.simulate.crystal_gr import crystal_pdf
from two_phases import nickel, oxide

R = np.arange(1, 1801) * 0.01
NICKEL = "Ni1 Ni 0 0 0 1.0 0.005"
PROJECT = """
title = "Nickel and its oxide"
[sample]
composition = "Ni2O"
[[measurement]]
name = "PDF"
technique = "total-scattering"
pattern = "mixture.gr"
qdamp = 0.03
[[phase]]
name = "Ni"
structure = "ni.cif"
[[phase]]
name = "NiO (rock salt)"
structure = "nio.cif"
[boxcar]
r_range = [2.0, 14.0]
window = 5.0
step = 2.0
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """G(r) of the two phases: the text of the file."""
    phases = nickel(u_iso=0.006), oxide(u_iso=0.006)
    models = [crystal_pdf(phase, r_max=18.0, composition={"Ni": 2, "O": 1}) for phase in phases]
    g = sum(s * m.curve(m.start, R, q_max=22.0) for s, m in zip((0.6, 0.4), models, strict=True))
    g = g * np.exp(-0.5 * (0.03 * R) ** 2) + np.random.default_rng(0).normal(0, 0.01, R.size)
    path = tmp_path_factory.mktemp("data") / "mixture.gr"
    write_gr(path, GR(r=R, g=g, q_min=0.5, q_max=22.0, composition={"Ni": 2, "O": 1}), simulated=True)
    return path.read_text()


@pytest.fixture
def folder(tmp_path, data):
    (tmp_path / "mixture.gr").write_text(data)
    (tmp_path / "ni.cif").write_text(cif_text(NICKEL, a=3.525))
    (tmp_path / "nio.cif").write_text(cif_text(NICKEL + "\nO1 O 0.5 0.5 0.5 1.0 0.005", a=4.18))
    (tmp_path / "project.toml").write_text(PROJECT)
    return tmp_path


def run(folder, capsys):
    return run_verb("boxcar", folder, capsys)


def test_the_files_of_the_contract(folder, capsys):
    status, said = run(folder, capsys)
    assert status == 0, said.err
    head = (folder / "out" / "boxcar.csv").read_text().splitlines()[0].split(",")
    assert head == [
        "r_center", "r_min", "r_max", "rw", "mass_fraction_Ni", "sigma_mass_fraction_Ni",
        "mass_fraction_NiO (rock salt)", "sigma_mass_fraction_NiO (rock salt)",
    ]  # fmt: skip
    table = np.loadtxt(folder / "out" / "boxcar.csv", delimiter=",", skiprows=1)
    assert np.allclose(table[:, 0], [4.5, 6.5, 8.5, 10.5])
    truth = 0.6 / 28**2 * 58.693 / (0.6 / 28**2 * 58.693 + 0.4 / 18**2 * 37.346)
    assert np.abs(table[:, 4] - truth).max() < 4 * table[:, 5].max() + 0.01
    assert np.allclose(table[:, 4] + table[:, 6], 1.0)
    record = json.loads((folder / "out" / "boxcar.json").read_text())
    assert record["simulated"] is True
    assert record["coherence_length"] is None
    assert record["sigma_coherence_length"] is None
    assert "does not fall" in record["coherence_reason"]
    assert record["overlap"] == pytest.approx(0.6)
    assert len(record["windows"]) == 4
    assert all(window["ok"] for window in record["windows"])
    assert {file["path"].rpartition("/")[2] for file in record["inputs"]} == {
        "project.toml", "mixture.gr", "ni.cif", "nio.cif",
    }  # fmt: skip
    for name in ("boxcar.png", "windows.png"):
        assert (folder / "out" / "figures" / name).stat().st_size > 10_000
    assert "SIMULATED DATA" in said.out
    assert "share 60% of their data" in said.out


def test_free_shared_and_tied_parameters_by_name(folder, capsys):
    text = PROJECT + (
        'free = ["scale", "u_iso", "Ni.a"]\nshared = ["NiO (rock salt).cell"]\npeaks = "pdffit"\n'
        'weights = "xray-constant"\n[boxcar.ties]\n"NiO (rock salt).u_iso" = "Ni.u_iso"\n'
        '[boxcar.bounds]\n"Ni.a" = [3.4, 3.6]\n[boxcar.priors]\n"Ni.u_iso" = [0.006, 0.002]\n'
        '[boxcar.smooth]\n"Ni.a" = 0.001\n'
    )
    (folder / "project.toml").write_text(text)
    status, said = run(folder, capsys)
    assert status == 0, said.err
    head = (folder / "out" / "boxcar_parameters.csv").read_text().splitlines()[0]
    assert "Ni.a" in head
    assert "(rock salt).u_iso" not in head
    record = json.loads((folder / "out" / "boxcar.json").read_text())
    assert '"smooth": {"Ni.a": 0.001}' in json.dumps(record)


CHANGES = [
    ('title = "Nickel and its oxide"', "", "title: is missing"),
    ('composition = "Ni2O"', 'composition = "Nx2"', "is no formula"),
    ('composition = "Ni2O"', 'composition = "Ni"', "holds O"),
    ('pattern = "mixture.gr"', 'pattern = "nothing.gr"', "names no file"),
    ('pattern = "mixture.gr"', 'pattern = "ni.cif"', "neither|structure|columns|cif"),
    ('pattern = "mixture.gr"', "", "give either pattern"),
    ('pattern = "mixture.gr"', 'pattern = "mixture.gr"\npdf = "mixture.gr"', "not both"),
    ('technique = "total-scattering"', 'technique = "xas"', "takes total-scattering"),
    ("qdamp = 0.03", "qdamp = -0.03", "must be 0 or more"),
    ("qdamp = 0.03", "qdam = 0.03", "did you mean 'qdamp'"),
    ("qdamp = 0.03", "q_range = [0.5, 30.0]", "transformed up to 22"),
    ("qdamp = 0.03", "q_range = [22.0, 0.5]", "low < high"),
    ('structure = "ni.cif"', "", "structure: is missing"),
    ('structure = "ni.cif"', 'structure = "nickel.cif"', "names no file"),
    ('structure = "ni.cif"', 'structure = "mixture.gr"', "structure|format|recognise"),
    ('structure = "ni.cif"', 'structure = "ni.cif"\nsystem = "hexagonal"', "is not hexagonal"),
    ('structure = "ni.cif"', 'structure = "ni.cif"\nsystem = "cubik"', "did you mean 'cubic'"),
    ('structure = "ni.cif"', 'structure = "ni.cif"\nisotropic = "yes"', "isotropic"),
    ('name = "NiO (rock salt)"', 'name = "Ni"', "give each its own"),
    ('name = "NiO (rock salt)"', "", "name: is missing"),
    ("[[phase]]\nname", "[[phases]]\nname", "did you mean 'phase'"),
    ("[[phase]]\nname", "[[model]]\nname", "shortrange run"),
    ("[boxcar]", "[box]", "r_range, window and step"),
    ("r_range = [2.0, 14.0]", "", "r_range: is missing"),
    ("r_range = [2.0, 14.0]", "r_range = [14.0, 2.0]", "low < high"),
    ("r_range = [2.0, 14.0]", "r_range = [2.0, 60.0]", "the data at 18"),
    ("r_range = [2.0, 14.0]", "r_range = [2.0, 4.0]", "widen r_range"),
    ("r_range = [2.0, 14.0]", 'r_range = "2 to 14"', "two numbers"),
    ("window = 5.0", "window = 0.2", "shorter than a peak"),
    ("window = 5.0", "window = -5.0", "greater than 0"),
    ("window = 5.0", "windw = 5.0", "did you mean 'window'"),
    ("step = 2.0", "step = 0.0", "greater than 0"),
    ("step = 2.0", "step = 0.01", "step is 0.01"),
    ("step = 2.0", 'scan = "slide"', "did you mean 'sliding'"),
    ("step = 2.0", 'weights = "x-ray"', "did you mean 'xray'"),
    ("step = 2.0", 'free = ["scale", "uiso"]', "did you mean"),
    ("step = 2.0", 'free = ["u_iso"]', "scale is fixed"),
    ("step = 2.0", 'free = "scale"', "square brackets"),
    ("step = 2.0", 'shared = ["Fe.a"]', "unknown parameter"),
    ("step = 2.0", '[boxcar.ties]\n"Ni.a" = "Ni.a"', "itself|circle"),
    ("step = 2.0", '[boxcar.values]\n"Ni.u_iso" = -0.1', "starts at -0.1"),
    ("step = 2.0", '[boxcar.values]\n"Ni.u_iso" = "small"', "must be a number"),
    ("step = 2.0", '[boxcar.bounds]\n"Ni.u_iso" = [0.1, 0.2]', "outside its bounds"),
    ("step = 2.0", '[boxcar.bounds]\n"Ni.u_iso" = [0.1]', "two numbers"),
    ("step = 2.0", '[boxcar.priors]\n"Ni.u_iso" = [0.01, -0.1]', "positive error"),
    ("step = 2.0", '[boxcar.smooth]\n"Ni.u_iso" = 0.0', "greater than 0"),
    ("step = 2.0", '[boxcar.smooth]\n"Ni.u_isso" = 0.01', "did you mean"),
    ("step = 2.0", '[boxcar.smooth]\n"Ni.a" = 0.01', "not free in the windows"),
    ("step = 2.0", 'step = "two"', "must be a number"),
    ("step = 2.0", "step = 2.0 angstrom", "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "words"), CHANGES)
def test_a_faulty_project_is_refused(folder, capsys, old, new, words):
    changed_project(folder, PROJECT, old, new)
    assert_refused("boxcar", folder, capsys, words)


FILES = [
    ("mixture.gr", lambda text: "", "empty"),
    ("mixture.gr", lambda text: text.replace("qmax = 22", "qmaximum = 22"), "up to which Q"),
    ("mixture.gr", lambda text: "\n".join(text.splitlines()[:40]), "the data at"),
    ("mixture.gr", lambda text: text.replace("qmax = 22", "qmax = 900"), "finer grid"),
    ("ni.cif", lambda text: text.replace("Ni1 Ni 0 0 0 1.0", "Ni1 Ni 0 0 0 1.4"), "1.4"),
    ("ni.cif", lambda text: text.replace("F m -3 m", "P 63/m"), "is not hexagonal"),
    ("ni.cif", lambda text: text.replace("_cell_length_b", "_cell_b"), "no _cell_length_b"),
    ("ni.cif", lambda text: text.replace("Ni1 Ni", "Fe1 Fe"), "holds Fe"),
    ("ni.cif", lambda text: text[: text.index("loop_")], "no atoms"),
]


@pytest.mark.parametrize(("name", "spoil", "words"), FILES)
def test_a_faulty_file_is_refused(folder, capsys, name, spoil, words):
    (folder / name).write_text(spoil((folder / name).read_text()))
    said = assert_refused("boxcar", folder, capsys, words)
    assert name in said or "project" in said


def test_the_same_phase_twice_is_refused(folder, capsys):
    (folder / "nio.cif").write_text((folder / "ni.cif").read_text())
    status, said = run(folder, capsys)
    assert status == 2
    assert "are the same structure: their G(r) are correlated by 1.0000" in said.err


def test_run_and_check_point_to_the_verb(folder, capsys):
    assert run_app(["check", str(folder / "project.toml")]) == 0
    assert "ready: shortrange boxcar" in capsys.readouterr().out
    assert run_app(["run", str(folder / "project.toml"), "--out", str(folder / "out")]) == 2
    assert "shortrange boxcar" in capsys.readouterr().err
