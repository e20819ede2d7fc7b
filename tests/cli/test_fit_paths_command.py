"""``shortrange fit-paths``: files, words, an Artemis project, and what may be wrong with the input."""

import json
import re

import numpy as np
import pytest

from shortrange.cli.app import run_app
from shortrange.simulate.feff import Cluster
from shortrange.simulate.paths import path_chi, paths_of_cluster

AXES = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1.0]])
XYZ = "7\nTaCl6\nTa 0 0 0\n" + "".join(f"Cl {x} {y} {z}\n" for x, y, z in 2.32 * AXES)
PROJECT = """
title = "TaCl6, made up"
simulated = true
[parameters]
amp = 1.0
e0 = 0.0
dr = 0.0
ss = {value = 0.003, min = 0.0}
[[data]]
name = "Ta L3"
chi = "chi.dat"
k_range = [3, 14]
r_range = [1.3, 2.6]
[data.every_path]
s02 = "amp"
e0 = "e0"
[[data.path]]
structure = "unit.xyz"
absorber = "Ta"
edge = "L3"
r_max = 3.0
number = 1
delr = "dr"
sigma2 = "ss"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data of known truth, and the molecule that they are fitted with."""
    there = tmp_path_factory.mktemp("paths")
    path = paths_of_cluster(Cluster("Ta", ("Cl",) * 6, 2.32 * AXES), edge="L3", r_max=3.0, n_legs=2)[0]
    k = 0.05 * np.arange(321)
    chi, _ = path_chi(path, k, np.array([0.9, 2.5, 0.015, 0.006, 0, 0, 0]))
    rows = "\n".join(f"{a:.4f} {b:.9f}" for a, b in zip(k, chi, strict=True))
    (there / "chi.dat").write_text("# k chi\n" + rows + "\n")
    (there / "unit.xyz").write_text(XYZ)
    (there / "fit.toml").write_text(PROJECT)
    return there


def test_files_and_words(folder, tmp_path, capsys):
    out = tmp_path / "out"
    assert run_app(["fit-paths", str(folder / "fit.toml"), "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "SIMULATED DATA" in said
    assert "correlations: " in said
    record = json.loads((out / "path_fit.json").read_text("utf-8"))
    truth = {"amp": 0.9, "e0": 2.5, "dr": 0.015, "ss": 0.006}
    for name, value in truth.items():
        assert record["parameters"][name]["value"] == pytest.approx(value, rel=1e-3)
    assert record["data"][0]["paths"][0]["r"]["value"] == pytest.approx(2.335, abs=1e-4)
    assert len(record["inputs"]) == 3
    assert record["n_independent"] == pytest.approx(1 + 2 * 1.3 * 11 / np.pi)
    head = (out / "parameters.csv").read_text("utf-8").splitlines()
    assert head[0] == "name,value,sigma,sigma_noise,note"
    assert len(head) == 5
    curves = np.genfromtxt(out / "chi_r_1.csv", delimiter=",", names=True)
    assert np.abs(curves["mag"] - curves["fit_mag"]).max() < 1e-3 * curves["mag"].max()
    assert (out / "fit_1.png").stat().st_size > 10_000


def test_an_artemis_project(shared_data, tmp_path, capsys):
    project = shared_data / "feff_fits" / "artemis" / "abc.fpj"
    assert run_app(["fit-paths", str(project), "--out", str(tmp_path / "out")]) == 0
    assert "Artemis: R = 0.0181" in capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "path_fit.json").read_text("utf-8"))
    assert record["artemis"]["parameters"]["amp"]["value"] == pytest.approx(0.525, abs=1e-3)


BAD = [
    ("title = ", "titel = ", "did you mean 'title'"),
    ("[parameters]", "[parameter]", "did you mean 'parameters'"),
    ("amp = 1.0", "amp = true", "must be a number, an expression or a table"),
    ("amp = 1.0", 'amp = "amq * 2"', "'amq', which is no parameter"),
    ("amp = 1.0", "amp = {valu = 1.0}", "did you mean 'value'"),
    ("min = 0.0", "min = 0.1", "outside its limits"),
    ("dr = 0.0", "dr = 0.0\nspare = 1.0", "spare occurs in no path"),
    ('chi = "chi.dat"', 'chi = "chy.dat"', "names no file"),
    ('chi = "chi.dat"', "", "give either chi"),
    ('chi = "chi.dat"', 'scans = ["chi.dat"]', "element: is missing"),
    ("k_range = [3, 14]", "k_range = [14, 3]", "needs 0 <= low < high"),
    ("k_range = [3, 14]", "", "k_range: is missing"),
    ("k_range = [3, 14]", "k_range = [3, 19]", "data reach"),
    ("r_range = [1.3, 2.6]", "r_range = [1.3, 1.5]", "independent points"),
    ("r_range = [1.3, 2.6]", 'r_range = [1.3, 2.6]\nspace = "R2"', "no fit space"),
    ("r_range = [1.3, 2.6]", 'r_range = [1.3, 2.6]\nwindow = "hann"', "did you mean 'hanning'"),
    ('s02 = "amp"', 's0 = "amp"', "unknown key"),
    ('structure = "unit.xyz"', 'structure = "unit.xyz"\nfeff = "feff0001.dat"', "give either feff"),
    ('structure = "unit.xyz"', 'feff = "feff*.dat"', "matches no file"),
    ('absorber = "Ta"', 'absorber = "Nb"', "no atom 0 of Nb"),
    ('edge = "L3"', "", "edge: is missing"),
    ('edge = "L3"', 'edge = "L9"', "no edge"),
    ("number = 1", "number = 9", "count from 1 to"),
    ("number = 1", "number = 0", "path 1. number: 0 must be a whole number from 1"),
    ("[[data.path]]", "[[data.paht]]", "add at least one"),
    ('sigma2 = "ss"', 'sigma2 = "ss +"', "is no expression"),
    ('sigma2 = "ss"', 'sigma2 = "debye(0, ss)"', "must be positive"),
]


@pytest.mark.parametrize(("good", "bad", "said"), BAD)
def test_faults_of_the_file(folder, tmp_path, capsys, good, bad, said):
    assert good in PROJECT
    project = folder / "bad.toml"
    project.write_text(PROJECT.replace(good, bad))
    assert run_app(["fit-paths", str(project), "--out", str(tmp_path / "out")]) == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.fpj", b"no zip", "no Artemis project"),
        ("a.toml", b"", "is empty"),
        ("chi.dat", b"# k chi\n1 2\n", "no valid|not valid TOML|TOML"),
    ],
)
def test_files_of_another_kind(tmp_path, capsys, name, content, said):
    file = tmp_path / name
    file.write_bytes(content)
    assert run_app(["fit-paths", str(file), "--out", str(tmp_path / "out")]) == 2
    assert re.search(said, capsys.readouterr().err)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("# nothing\n", "no row of two"),
        ("1 2\n2 3\nx y\n", "stands where a number"),
        ("\n".join("1.0 0.1" for _ in range(20)), "does not increase"),
        ("\n".join(f"{9000 + i} 0.1" for i in range(20)), "an energy"),
        ("\n".join(f"{i} nan" for i in range(20)), "not a finite number"),
        ("\n".join(f"{i}" for i in range(20)), "no row of two"),
        ("\n".join(f"{i} 0.1" for i in range(5)), "5 rows"),
    ],
)
def test_bad_columns(tmp_path, text, said):
    from shortrange.errors import DataError
    from shortrange.run.path_fit import read_chi

    file = tmp_path / "chi.dat"
    file.write_text(text)
    with pytest.raises(DataError, match=said):
        read_chi(file)
