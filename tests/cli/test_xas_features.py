"""``shortrange reduce`` with a splitting, a calibration and the wavelet map."""

import json

import h5py
import numpy as np
import pytest

from shortrange.cli.app import run_app
from white_lines import E0, scan

TACL5 = {"splitting": 2.8, "ratio": 1.1, "gamma": 1.8, "sigma": 0.5}
WIDER = {"splitting": 3.2, "ratio": 1.1, "gamma": 2.0, "sigma": 0.5}
HEAD = """# XDI/1.0
# Column.1: energy eV
# Column.2: i0
# Column.3: itrans
# Element.symbol: Ta
# Element.edge: L3
# Facility.name: simulated
#---
"""


def write(path, seed, shift=0.0, **shape):
    made = scan(seed, **shape)
    table = np.column_stack([made.energy + shift, made.columns["i0"], made.columns["it"]])
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        np.savetxt(file, table, fmt="%.7f")
    return str(path)


@pytest.fixture(scope="module")
def reduced(tmp_path_factory):
    folder = tmp_path_factory.mktemp("reduced")
    for name, shape in (("a", TACL5), ("b", WIDER)):
        files = [write(folder / f"{name}{i}.xdi", i + 10 * (name == "b"), **shape) for i in range(3)]
        options = ["--against", str(folder / "a")] if name == "b" else []
        assert run_app(["reduce", *files, "--out", str(folder / name), "--second-derivative", *options]) == 0
    return folder


def summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


def test_splitting_and_difference(reduced):
    first, second = (summary(reduced / name)["splitting"] for name in "ab")
    assert first["value"] == pytest.approx(2.93, abs=3 * first["sigma"])
    assert second["value"] == pytest.approx(3.33, abs=3 * second["sigma"])
    low, high = first["minima"]
    assert E0 < low < high < E0 + 5
    assert high - low == pytest.approx(first["value"], abs=0.03)
    assert "difference" not in first
    assert second["difference"]["value"] == pytest.approx(0.4, abs=0.12)
    assert second["difference"]["z"] > 3
    assert (reduced / "a" / "figures" / "ta_l3_second_derivative.png").exists()


def test_wavelet_map(reduced):
    with h5py.File(reduced / "a" / "wavelet.h5") as file:
        group = file["entry/wavelet"]
        assert group.attrs["signal"] == "magnitude"
        magnitude = group["magnitude"][()]
        assert magnitude.shape == (group["r"].size, group["k"].size)
        np.testing.assert_allclose(magnitude, np.hypot(group["real"], group["imaginary"]))
        assert group["k"].attrs["units"] == "1/angstrom"
        assert file["entry"].attrs["simulated"]


def test_calibration(tmp_path, capsys):
    standard = write(tmp_path / "standard.xdi", 1, shift=1.5, **TACL5)
    sample = write(tmp_path / "sample.xdi", 2, shift=1.5, **TACL5)
    command = ["reduce", sample, "--out", str(tmp_path / "out"), "--calibrate", standard]
    assert run_app(command) == 0
    record = summary(tmp_path / "out")
    calibration = record["calibration"]
    assert calibration["standard"] == "Ta foil"
    assert calibration["measured"] + calibration["shift"] == pytest.approx(9881.0)
    assert record["e0"] == pytest.approx(9881.0, abs=0.3)
    assert len(record["inputs"]) == 2
    assert "calibrated by Ta foil" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--against", "nowhere"], "add --second-derivative"),
        (["--standard", "Ta foil"], "with --calibrate"),
        (["--calibrate", "nowhere.xdi"], "no such file"),
        (["--second-derivative", "--against", "nowhere"], "no folder of `shortrange reduce`"),
    ],
)
def test_bad_options(tmp_path, capsys, options, words):
    sample = write(tmp_path / "sample.xdi", 2, **TACL5)
    assert run_app(["reduce", sample, "--out", str(tmp_path / "out"), *options]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_one_line_has_no_splitting_and_the_rest_stands(tmp_path, capsys):
    sample = write(tmp_path / "one.xdi", 2, **{**TACL5, "splitting": 0.2})
    assert run_app(["reduce", sample, "--out", str(tmp_path / "out"), "--second-derivative"]) == 0
    assert "shows no two minima" in capsys.readouterr().out
    record = summary(tmp_path / "out")
    assert record["splitting"]["value"] is None
    assert "no two minima" in record["splitting"]["reason"]
    assert any("no two minima" in warning for warning in record["warnings"])
    assert (tmp_path / "out" / "chi_k.csv").exists()
