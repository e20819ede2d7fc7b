"""``shortrange simulate`` of particles, and of crystals whose sites are shared or partly empty."""

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

from cif_texts import cif_text
from shortrange.cli.app import run_app

ALLOY = cif_text("Ni1 Ni 0 0 0 0.75\nAu1 Au 0 0 0 0.25", a=4.0)
PDF = ["--q-max", "20", "--r-max", "8", "--u-iso", "0.01"]


def run(tmp_path, *words) -> int:
    return run_app(["simulate", *map(str, words), "--out", str(tmp_path / "out")])


@pytest.fixture
def cluster(tmp_path):
    many = bulk("Ni", "fcc", a=4.0, cubic=True).repeat((5, 5, 5))
    many.pbc = False
    inside = many[np.linalg.norm(many.positions - 8.3, axis=1) < 8.0]
    inside.cell = None
    write(tmp_path / "ball.xyz", inside)
    return tmp_path / "ball.xyz"


def read(tmp_path, name="gr.csv"):
    return np.genfromtxt(tmp_path / "out" / name, delimiter=",", names=True)


def test_baseline_of_a_cluster_is_that_of_its_form(tmp_path, cluster):
    assert run(tmp_path, "pdf", cluster, *PDF, "--particle", "sphere=16", "--density", "0.0625") == 0
    made = read(tmp_path)
    x = made["r"] / 16
    line = -4 * np.pi * made["r"] * 0.0625 * (1 - 1.5 * x + 0.5 * x**3)
    assert made["small_angle"] == pytest.approx(line, abs=1e-8)
    assert made["NiNi"] + made["small_angle"] == pytest.approx(made["g"], abs=1e-7)


def test_particle_of_a_crystal_thins_pairs_and_baseline(tmp_path):
    """A ball is the same by either option."""
    write(tmp_path / "ni.cif", bulk("Ni", "fcc", a=4.0, cubic=True))
    found = []
    for words in (["--particle", "sphere=12"], ["--diameter", "12"]):
        assert run(tmp_path, "pdf", tmp_path / "ni.cif", *PDF, *words) == 0
        found.append(read(tmp_path)["g"])
    assert found[0] == pytest.approx(found[1], abs=1e-9)
    assert run(tmp_path, "pdf", tmp_path / "ni.cif", *PDF, "--particle", "sheet=12") == 0
    assert np.abs(read(tmp_path)["g"] - found[0]).max() > 0.1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--particle", "spere=12"], "did you mean 'sphere'"),
        (["--particle", "sphere"], "does not give diameter"),
        (["--particle", "sphere=-3"], "does not give diameter"),
        (["--particle", "sphere=a"], "does not give diameter"),
        (["--particle", "shell=12"], "inner_diameter and thickness"),
        (["--particle", "sphere=12"], "needs a density"),
        (["--diameter", "12"], "has its own form"),
        (["--particle", "sphere=12", "--diameter", "12"], "a diameter and a particle"),
        (["--particle", "sphere=12", "--density", "0"], "density = 0"),
        (["--particle", "sphere=12", "--density", "0.06", "--q-min", "0.8"], "give q_min = 0"),
    ],
)
def test_particles_that_cannot_be(tmp_path, capsys, cluster, words, text):
    assert run(tmp_path, "pdf", cluster, *PDF, *words) == 2
    said = capsys.readouterr().err
    assert text in said
    assert "do:" in said
    assert not (tmp_path / "out").exists()


def test_sites_that_are_shared_are_filled_on_request(tmp_path, capsys):
    """Composition of the alloy; 12 nearest neighbours; refused with the option's name without it."""
    (tmp_path / "alloy.cif").write_text(ALLOY)
    assert run(tmp_path, "pdf", tmp_path / "alloy.cif", *PDF) == 2
    said = capsys.readouterr().err
    assert "--fill 4,4,4" in said
    assert "sample_occupancies" in said
    assert run(tmp_path, "pdf", tmp_path / "alloy.cif", *PDF, "--fill", "3,3,3", "--fillings", "8") == 0
    told = json.loads((tmp_path / "out" / "gr_summary.json").read_text(encoding="utf-8"))
    assert (told["frames"], told["atoms"], told["settings"]["fill"]) == (8, 108, "3,3,3")
    near = read(tmp_path, "coordination.csv")
    at = np.argmin(np.abs(near["r"] - 3.4))
    assert near["NiNi"][at] + near["NiAu"][at] == pytest.approx(12, abs=1e-3)
    # Random filling of 108 sites, 81 Ni: 12 * 80 / 107 of the neighbours of a Ni are Ni, +- 0.03.
    assert near["NiNi"][at] == pytest.approx(12 * 80 / 107, abs=0.15)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--fill", "4,4"], "write cells along a, b and c"),
        (["--fill", "0,4,4"], "write cells along a, b and c"),
        (["--fill", "big"], "write cells along a, b and c"),
        (["--fill", "3,3,3", "--fillings", "0"], "fillings = 0"),
        (["--fill", "3,3,3", "--seed", "-1"], "seed = -1"),
        (["--fill", "3,3,3", "--frames", ":5"], "--fill makes them"),
        (["--fill", "1,1,2"], "cannot be filled"),
    ],
)
def test_fillings_that_cannot_be(tmp_path, capsys, words, text):
    (tmp_path / "alloy.cif").write_text(ALLOY.replace("0.75", "0.70"))
    assert (
        run(tmp_path, "pdf", tmp_path / "alloy.cif", *PDF[2:], *words[:2], "--q-max", "20", *words[2:4]) == 2
    )
    said = capsys.readouterr().err
    assert text in said
    assert "do:" in said
