"""``shortrange simulate pdf``: settings of a measurement, masks, convergence, refusals."""

import json

import numpy as np
import pytest
from ase.build import bulk
from ase.io import write

from shortrange.cli.app import run_app


def test_simulate_pdf_like_a_measurement_with_mask_and_convergence(tmp_path):
    """Ranges of the measured file; nan beyond half the cell; neighbours; the error falls with frames."""
    rng = np.random.default_rng(0)
    salt = bulk("NaCl", "rocksalt", a=5.64, cubic=True).repeat((2, 2, 2))
    frames = []
    for _ in range(16):
        frames.append(salt.copy())
        frames[-1].positions += 0.1 * rng.normal(size=(len(salt), 3))
    write(tmp_path / "salt.extxyz", frames)
    r = np.arange(0.05, 8.001, 0.05)
    measured = "qmax=18.0\nqmin=0.7\nqdamp=0.05\n#### start data\n" + "\n".join(f"{x:.3f} 0.1" for x in r)
    (tmp_path / "measured.gr").write_text(measured)
    words = ["--like", str(tmp_path / "measured.gr"), "--mask", "--out", str(tmp_path / "out")]
    assert run_app(["simulate", "pdf", str(tmp_path / "salt.extxyz"), *words]) == 0
    settings = json.loads((tmp_path / "out" / "gr_summary.json").read_text(encoding="utf-8"))["settings"]
    assert (settings["q_max"], settings["q_damp"], settings["r_max"]) == (18.0, 0.05, pytest.approx(8.0))
    gr = np.genfromtxt(tmp_path / "out" / "gr.csv", delimiter=",", names=True)
    assert np.isnan(gr["g"][gr["r"] > 5.65]).all()
    assert np.isfinite(gr["g"][gr["r"] < 5.63]).all()
    near = np.genfromtxt(tmp_path / "out" / "coordination.csv", delimiter=",", names=True)
    at = np.argmin(np.abs(near["r"] - 3.4))
    assert near["NaCl"][at] == pytest.approx(6, abs=0.01)
    error = np.loadtxt(tmp_path / "out" / "convergence.csv", delimiter=",", skiprows=1)
    assert error[:, 0].tolist() == [8, 16]
    assert 0.4 < error[1, 1] / error[0, 1] < 1.1


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--r-max", "8"], "q_max is not given"),
        (["--q-max", "20"], "r_max is not given"),
        (["--q-max", "20", "--r-max", "8", "--delta2", "2"], "modify the width that u_iso gives"),
        (["--q-max", "20", "--r-max", "8", "--diameter", "-1"], "diameter = -1"),
        (["--q-max", "20", "--r-max", "8", "--diameter", "0"], "diameter = 0"),
        (["--q-max", "20", "--r-max", "8", "--u-iso", "0.003", "--delta1", "9"], "smaller delta1"),
        (["--q-max", "20", "--r-max", "8", "--like", "nowhere.gr"], "nowhere.gr"),
        (["--q-max", "5", "--q-min", "6", "--r-max", "8"], "q_min < q_max"),
    ],
)
def test_simulate_pdf_refuses_impossible_settings(tmp_path, capsys, words, text):
    write(tmp_path / "salt.cif", bulk("NaCl", "rocksalt", a=5.64, cubic=True))
    assert run_app(["simulate", "pdf", str(tmp_path / "salt.cif"), *words, "--out", str(tmp_path / "o")]) == 2
    said = capsys.readouterr().err
    assert text in said
    assert "do:" in said
    assert not (tmp_path / "o").exists()
