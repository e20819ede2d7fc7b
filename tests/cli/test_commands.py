"""The verbs, on small made-up input."""

import json
import tomllib

import numpy as np
import pytest

from shortrange.cli.app import run_app
from shortrange.units import k_from_energy

HEADER = """# XDI/1.0 GSE/1.0
# Column.1: energy eV
# Column.2: i0
# Column.3: itrans
# Element.symbol: {element}
# Element.edge: {edge}
# Facility.name: {facility}
#---
# energy i0 itrans
"""


def write_scan(path, *, shift=0.0, seed=0, element="Ta", edge="L3", facility="nowhere"):
    """An arctangent edge at 9881 eV with one damped oscillation and a little noise, moved."""
    energy = np.concatenate(
        [np.arange(9700.0, 9860.0, 5.0), np.arange(9860.0, 9920.0, 0.5), np.arange(9920.0, 10560.0, 2.0)]
    )
    e0 = 9881.0
    k = k_from_energy(energy, e0)
    chi = 0.25 * np.sin(2 * 2.2 * k) * np.exp(-0.012 * k**2) / (1 + k)
    step = 0.5 + np.arctan((energy - e0) / 2.0) / np.pi
    noise = np.random.default_rng(seed).normal(size=energy.size) * 2e-4
    mu = 0.4 - 1e-4 * (energy - e0) + step * (1 + chi) + noise
    table = np.column_stack([energy + shift, np.full(energy.size, 1e5), 1e5 * np.exp(-mu)])
    head = HEADER.format(element=element, edge=edge, facility=facility)
    path.write_text(head, encoding="utf-8")
    with path.open("a", encoding="utf-8") as file:
        np.savetxt(file, table, fmt="%.6f")
    return path


SPECIES = ("Ta", *["Cl"] * 6)


def write_molecule(path, frames=4):
    rng = np.random.default_rng(0)
    octahedron = 2.35 * np.vstack([np.eye(3), -np.eye(3)])
    lines = []
    for _ in range(frames):
        atoms = np.vstack([np.zeros(3), octahedron]) + 6.0 + rng.normal(size=(7, 3)) * 0.03
        lines += ["7", 'Lattice="12 0 0 0 12 0 0 0 12" Properties=species:S:1:pos:R:3 pbc="T T T"']
        lines += [f"{s} {x:.5f} {y:.5f} {z:.5f}" for s, (x, y, z) in zip(SPECIES, atoms, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def columns(path):
    return np.genfromtxt(path, delimiter=",", names=True)


def test_init_writes_a_project_that_is_read_and_never_overwrites(tmp_path, capsys):
    assert run_app(["init", str(tmp_path / "new")]) == 0
    path = tmp_path / "new" / "project.toml"
    text = path.read_text(encoding="utf-8")
    project = tomllib.loads(text)
    assert {"title", "sample", "measurement", "model"} <= project.keys()
    assert str(path) in capsys.readouterr().out
    path.write_text("mine", encoding="utf-8")
    assert run_app(["init", str(tmp_path / "new")]) == 2
    assert "there is a project file already" in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "mine"


def test_init_writes_here_by_default(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run_app(["init"]) == 0
    assert (tmp_path / "project.toml").exists()


def test_every_key_of_the_template_is_known(tmp_path, capsys):
    """The fresh project fails for its missing files alone, also with all optional lines in use."""
    assert run_app(["init", str(tmp_path)]) == 0
    path = tmp_path / "project.toml"
    active = []
    for line in path.read_text(encoding="utf-8").splitlines():
        bare = line.removeprefix("# ")
        optional = line.startswith("# ") and (" = " in bare.split("#")[0] or bare.startswith("["))
        active.append(bare if optional and not bare.startswith("pdf ") else line)
    path.write_text("\n".join(active), encoding="utf-8")
    assert "odds" in tomllib.loads(path.read_text(encoding="utf-8"))["verdict"]
    capsys.readouterr()
    assert run_app(["check", str(path)]) == 2
    said = capsys.readouterr()
    faults = [line for line in (said.out + said.err).splitlines() if "file" in line]
    assert "unknown" not in said.err
    assert len([line for line in faults if "names no file" in line or "matches no file" in line]) == 5


def test_check_names_all_faults_at_once(tmp_path, capsys):
    (tmp_path / "m.extxyz").write_text("not atoms", encoding="utf-8")
    (tmp_path / "s.xdi").write_text("", encoding="utf-8")
    (tmp_path / "project.toml").write_text(
        'title = "t"\n[sample]\ncomposition = "TaCl5"\n'
        '[[measurement]]\nname = "Ta"\ntechnique = "xas"\nelement = "Ta"\nedge = "L3"\nscans = ["s.xdi"]\n'
        '[[model]]\nname = "a"\nstructures = "m.extxyz"\n',
        encoding="utf-8",
    )
    assert run_app(["check", str(tmp_path / "project.toml")]) == 2
    out = capsys.readouterr().out
    assert "measurement 'Ta'" in out
    assert "model 'a'" in out
    assert "2 faults" in out


def test_check_of_the_file_of_another_command(tmp_path, capsys):
    text = (
        'title = "t"\n[sample]\ncomposition = "NaCl"\n'
        '[[measurement]]\nname = "PDF"\ntechnique = "total-scattering"\npdf = "a.gr"\n'
        '[[phase]]\nname = "salt"\nstructure = "a.cif"\n[refine]\nr_range = [2, 9]\nfree = ["scale"]\n'
    )
    path = tmp_path / "project.toml"
    path.write_text(text, encoding="utf-8")
    assert run_app(["check", str(path)]) == 2
    err = capsys.readouterr().err
    assert "'a.gr' names no file" in err
    assert "model" not in err
    for name in ("a.gr", "a.cif"):
        (tmp_path / name).touch()
    assert run_app(["check", str(path)]) == 0
    assert f"ready: shortrange refine {path}" in capsys.readouterr().out
    windows = text.replace("[refine]", "[boxcar]").replace('free = ["scale"]', "window = 3\nstep = 1")
    path.write_text(windows, encoding="utf-8")
    assert run_app(["check", str(path)]) == 0
    assert f"ready: shortrange boxcar {path}" in capsys.readouterr().out


def test_check_of_a_good_project(tmp_path, capsys):
    write_scan(tmp_path / "a_1.xdi")
    write_scan(tmp_path / "a_2.xdi", seed=1)
    write_molecule(tmp_path / "m.extxyz")
    (tmp_path / "project.toml").write_text(
        'title = "t"\n[sample]\ncomposition = "TaCl6"\n'
        '[[measurement]]\nname = "Ta"\ntechnique = "xas"\nelement = "Ta"\nedge = "L3"\nscans = ["a_*.xdi"]\n'
        '[[model]]\nname = "a"\nstructures = "m.extxyz"\n',
        encoding="utf-8",
    )
    assert run_app(["check", str(tmp_path / "project.toml")]) == 0
    out = capsys.readouterr().out
    assert "2 scans" in out
    assert "4 snapshots of 7 atoms" in out
    assert "ready" in out


def test_reduce_keeps_its_contract(tmp_path, capsys):
    for index, shift in enumerate((0.0, 1.5, -0.8)):
        write_scan(tmp_path / f"ta_{index}.xdi", shift=shift, seed=index)
    out = tmp_path / "out"
    assert run_app(["reduce", str(tmp_path / "ta_*.xdi"), "--out", str(out), "--k-range", "3", "11"]) == 0
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert {"e0", "edge_step", "element", "edge", "scans", "warnings"} <= summary.keys()
    assert (summary["element"], summary["edge"]) == ("Ta", "L3")
    assert summary["k_range"] == [3.0, 11.0]
    assert summary["noise"]["from"] == "scatter of the repeats"
    assert summary["noise"]["chi_at_high_r"] == pytest.approx(summary["noise"]["chi"], rel=0.5)
    assert summary["simulated"] is False
    assert summary["edge_step"] == pytest.approx(1.0, abs=0.05)
    for scan in summary["scans"]:
        assert set(scan) == {"file", "energy_shift", "sigma_energy_shift", "used", "reason"}
    shifts = np.array([scan["energy_shift"] for scan in summary["scans"]])
    np.testing.assert_allclose(shifts - shifts[0], [0.0, -1.5, 0.8], atol=0.05)
    assert columns(out / "mu.csv").dtype.names == ("energy", "mu", "sigma", "norm", "flat")
    assert columns(out / "chi_k.csv").dtype.names == ("k", "chi", "sigma")
    transform = columns(out / "chi_r.csv")
    assert transform.dtype.names == ("r", "re", "im", "mag", "sigma_mag")
    beyond = transform["r"] > 1.5
    assert transform["r"][beyond][np.argmax(transform["mag"][beyond])] == pytest.approx(2.2, abs=0.1)
    assert (out / "figures" / "ta_l3_mu.png").read_bytes().startswith(b"\x89PNG")
    assert "used" in capsys.readouterr().out


def test_reduce_labels_simulated_scans(tmp_path):
    write_scan(tmp_path / "a.xdi", facility="simulated")
    assert run_app(["reduce", str(tmp_path / "a.xdi"), "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["simulated"] is True


def test_reduce_guesses_an_edge_that_no_file_states(tmp_path):
    path = write_scan(tmp_path / "a.xdi")
    table = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    (tmp_path / "a.txt").write_text("# energy i0 itrans\n" + "\n".join(table), encoding="utf-8")
    assert run_app(["reduce", str(tmp_path / "a.txt"), "--out", str(tmp_path / "out")]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert (summary["element"], summary["edge"]) == ("Ta", "L3")
    assert any("the edge is not named" in warning for warning in summary["warnings"])


def test_reduce_of_mixed_edges_is_refused(tmp_path, capsys):
    write_scan(tmp_path / "a.xdi")
    write_scan(tmp_path / "b.xdi", element="Cu", edge="K")
    assert (
        run_app(["reduce", str(tmp_path / "a.xdi"), str(tmp_path / "b.xdi"), "--out", str(tmp_path / "o")])
        == 2
    )
    assert capsys.readouterr().err.startswith("shortrange: ")


@pytest.mark.parametrize("name", ["absent.xdi", "absent_*.xdi"])
def test_a_missing_file_is_a_message(tmp_path, capsys, name):
    assert run_app(["reduce", str(tmp_path / name), "--out", str(tmp_path / "out")]) == 2
    err = capsys.readouterr().err
    assert name in err
    assert "do:" in err
    assert "Traceback" not in err


def test_a_failed_reduction_leaves_the_last_results(tmp_path, capsys):
    out = tmp_path / "out"
    write_scan(tmp_path / "a.xdi")
    assert run_app(["reduce", str(tmp_path / "a.xdi"), "--out", str(out)]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert run_app(["reduce", str(tmp_path / "a.xdi"), "--out", str(out), "--k-range", "3", "90"]) == 2
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_simulate_pdf_keeps_its_contract(tmp_path, capsys):
    path = write_molecule(tmp_path / "m.extxyz")
    out = tmp_path / "out"
    words = [
        "simulate",
        "pdf",
        str(path),
        "--q-max",
        "22",
        "--r-max",
        "5",
        "--frames",
        "0:4:2",
        "--out",
        str(out),
    ]
    assert run_app(words) == 0
    table = columns(out / "gr.csv")
    assert table.dtype.names[:3] == ("r", "g", "sigma")
    with (out / "gr.csv").open(encoding="utf-8") as file:
        assert next(file).strip() == "r,g,sigma,Ta-Ta,Ta-Cl,Cl-Cl"
    parts = np.sum([table[name] for name in table.dtype.names[3:]], axis=0)
    np.testing.assert_allclose(parts, table["g"], atol=1e-6)
    assert table["r"][np.argmax(table["g"])] == pytest.approx(2.35, abs=0.03)
    assert table["r"][-1] == pytest.approx(5.0)
    summary = json.loads((out / "gr_summary.json").read_text(encoding="utf-8"))
    assert summary["frames"] == 2
    assert summary["simulated"] is True


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--q-max", "22", "--r-max", "-1"], "r_max = -1"),
        (["--q-max", "0", "--r-max", "5"], "q_max = 0"),
        (["--q-max", "22", "--r-max", "5", "--frames", "all"], "frames = 'all'"),
    ],
)
def test_simulate_pdf_refuses_nonsense(tmp_path, capsys, words, text):
    path = write_molecule(tmp_path / "m.extxyz", frames=1)
    assert run_app(["simulate", "pdf", str(path), *words, "--out", str(tmp_path / "out")]) == 2
    assert text in capsys.readouterr().err


def test_simulate_exafs_keeps_its_contract(tmp_path, capsys):
    path = write_molecule(tmp_path / "m.extxyz", frames=2)
    out = tmp_path / "out"
    words = [
        "simulate",
        "exafs",
        str(path),
        "--absorber",
        "Ta",
        "--edge",
        "L3",
        "--r-max",
        "3",
        "--out",
        str(out),
    ]
    assert run_app(words) == 0
    assert columns(out / "chi_k.csv").dtype.names == ("k", "chi", "sigma")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    wanted = {"frames", "absorbers", "paths", "potentials", "e0", "dropped", "bounds", "versions"}
    assert wanted <= summary.keys()
    assert summary["dropped"] == list(summary["bounds"])
    assert (summary["frames"], summary["absorbers"]) == (2, 2)


def test_simulate_exafs_without_the_absorber(tmp_path, capsys):
    path = write_molecule(tmp_path / "m.extxyz", frames=1)
    words = [
        "simulate",
        "exafs",
        str(path),
        "--absorber",
        "Fe",
        "--edge",
        "K",
        "--out",
        str(tmp_path / "out"),
    ]
    assert run_app(words) == 2
    assert "Fe" in capsys.readouterr().err
