"""The command analyse: its files, its answers, its refusals."""

import csv
import json

import numpy as np
import pytest

from shortrange.cli.app import run_app

LIGANDS = 2.35 * np.vstack([np.eye(3), -np.eye(3)])


def write_run(path, n=30, *, cell=True):
    """Two octahedra that share a corner, and two Na that walk."""
    rng = np.random.default_rng(0)
    second = LIGANDS[[0, 1, 2, 4, 5]] + [4.7, 0, 0]
    start = np.vstack(
        [np.zeros(3), LIGANDS, [4.7, 0, 0], second, [[3.0, 5.0, 5.0], [8.0, 5.0, 5.0], [1.0, 6.0, 1.0]]]
    )
    species = ["Ta", "S", *["Cl"] * 5, "Ta", *["Cl"] * 5, "Na", "Na", "Na"]
    lattice = 'Lattice="14 0 0 0 12 0 0 0 12" ' if cell else ""
    lines = []
    walk = np.zeros((len(species), 3))
    for _ in range(n):
        walk[-3:] += rng.normal(scale=0.2, size=(3, 3))
        atoms = start + walk + rng.normal(scale=0.03, size=start.shape)
        if cell:
            atoms %= [14, 12, 12]
        lines += [
            str(len(species)),
            f'{lattice}Properties=species:S:1:pos:R:3 pbc="{"T T T" if cell else "F F F"}"',
        ]
        lines += [f"{s} {x:.5f} {y:.5f} {z:.5f}" for s, (x, y, z) in zip(species, atoms, strict=True)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = tmp_path_factory.mktemp("analyse")
    run = write_run(folder / "run.extxyz")
    arguments = [str(run), "--out", str(folder / "out"), "--time-step", "8", "--temperature", "600"]
    assert run_app(["analyse", *arguments]) == 0
    return folder / "out"


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files(result):
    names = {p.name for p in result.iterdir()}
    assert {
        "analysis.html", "summary.json", "shells.csv", "partial_gr.csv", "running_coordination.csv",
        "bond_angles.csv",
        "connectivity.csv", "connectivity_over_time.csv", "bridged_pairs.csv", "csm_Ta.csv", "msd.csv",
        "diffusion.csv", "h0_mobile.csv", "density.cube", "density.vasp", "sites.csv",
    } <= names  # fmt: skip
    figures = {p.stem for p in (result / "figures").iterdir()}
    assert figures == {"partial_gr", "bond_angles", "connectivity", "csm", "msd", "topology", "density"}


def test_summary(result):
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    assert summary["schema"] == "shortrange-analysis/1"
    assert summary["simulated"] is True
    assert summary["roles"] == {"centres": ["Ta"], "ligands": ["S", "Cl"], "mobile": ["Na"], "given": []}
    assert summary["cutoffs"]["Ta-Cl"]["origin"] == "first minimum of g(r)"
    shell = next(s for s in summary["coordination"] if (s["centre"], s["ligand"]) == ("Ta", "Cl"))
    assert shell["number"]["value"] == 5.0
    assert shell["mean_A"]["value"] == pytest.approx(2.35, abs=0.01)
    assert shell["variance_A2"]["value"] == pytest.approx(2 * 0.03**2, rel=0.2)
    corner = summary["connectivity"]["sharing"]["corner"]
    assert corner["fraction"]["value"] == 1.0
    assert corner["distance_A"]["mean"] == pytest.approx(4.7, abs=0.02)
    assert summary["connectivity"]["by_bridge"].keys() == {"S"}
    assert summary["transport"]["elements"]["Na"]["D_cm2_s"]["value"] > 0
    assert summary["transport"]["conductivity_S_cm"]["value"] > 0
    assert summary["inputs"][0]["path"].endswith("run.extxyz")
    assert len(summary["inputs"][0]["sha256"]) == 64
    assert summary["versions"]["shortrange"]


def test_tables_agree_with_the_summary(result):
    summary = json.loads((result / "summary.json").read_text(encoding="utf-8"))
    table = {(r["centre"], r["ligand"]): r for r in rows(result / "shells.csv")}
    for shell in summary["coordination"]:
        row = table[shell["centre"], shell["ligand"]]
        assert float(row["coordination"]) == pytest.approx(shell["number"]["value"])
    assert len(rows(result / "connectivity_over_time.csv")) == 30
    assert {r["bridge"] for r in rows(result / "bridged_pairs.csv")} == {"S"}
    assert len(rows(result / "csm_Ta.csv")) == 60


def test_page_is_whole_and_says_simulated(result):
    page = (result / "analysis.html").read_text(encoding="utf-8")
    assert page.count("data:image/svg+xml;base64") == 7
    assert "SIMULATED DATA" in page
    assert "share a corner" in page
    assert "http" not in page.replace("http-equiv", "")


def test_only_writes_what_was_asked(tmp_path):
    run = write_run(tmp_path / "run.extxyz", 5)
    assert run_app(["analyse", str(run), "--only", "coordination,csm", "--out", str(tmp_path / "o")]) == 0
    names = {p.name for p in (tmp_path / "o").iterdir()}
    assert "shells.csv" in names
    assert "csm_Ta.csv" in names
    assert not names & {"connectivity.csv", "msd.csv", "density.cube", "h0_mobile.csv"}


def test_same_input_same_bytes(tmp_path):
    run = write_run(tmp_path / "run.extxyz", 12)
    texts = []
    for name in ("one", "two"):
        arguments = ["--out", str(tmp_path / name), "--time-step", "8", "--only", "csm,transport,topology"]
        assert run_app(["analyse", str(run), *arguments]) == 0
        texts.append((tmp_path / name / "summary.json").read_bytes())
    assert texts[0] == texts[1]


def test_results_of_the_last_good_run_stay(tmp_path, capsys):
    run = write_run(tmp_path / "run.extxyz", 12)
    out = tmp_path / "o"
    assert run_app(["analyse", str(run), "--only", "coordination", "--out", str(out)]) == 0
    before = (out / "summary.json").read_bytes()
    assert run_app(["analyse", str(run), "--only", "transport", "--out", str(out)]) == 2
    assert (out / "summary.json").read_bytes() == before
    assert "--time-step" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "everything"], "there is no part 'everything'"),
        (["--only", "csm,"], "holds an empty name"),
        (["--cutoff", "Ta-Cl"], "there is no equals sign"),
        (["--cutoff", "Ta-Cl=wide"], "is no cutoff"),
        (["--cutoff", "Ta-Cl=9"], "more than half the cell"),
        (["--centres", "Sm"], "there is no Sm"),
        (["--frames", "99:"], "selects none"),
        (["--frames", "a:b"], "--frames"),
        (["--polyhedron", "ball", "--only", "csm"], "no polyhedron 'ball'"),
        (["--stride", "0"], "0-th frame"),
        (["--time-step", "-2"], "time_step = -2"),
        (["--drift", "wind"], "wind"),
        (["--colour", "red"], "colour"),
    ],
)
def test_bad_command_lines(tmp_path, capsys, arguments, message):
    run = write_run(tmp_path / "run.extxyz", 12)
    assert run_app(["analyse", str(run), "--out", str(tmp_path / "o"), *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_missing_file(tmp_path, capsys):
    assert run_app(["analyse", str(tmp_path / "nothing.extxyz")]) == 2
    assert "nothing.extxyz" in capsys.readouterr().err
