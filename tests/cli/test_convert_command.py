"""One format into another, on the command line."""

import json

import numpy as np
import pytest

from shortrange.cli.app import run_app
from shortrange.load import load_scans, load_trajectory

ENERGY = np.concatenate([np.arange(9700.0, 9860.0, 4.0), np.arange(9860.0, 10300.0, 2.0)])
MU = 0.8 + np.arctan((ENERGY - 9881.0) / 2.0) / np.pi


def write_columns(path, *columns, titles, head=()):
    text = [*head, titles, *(" ".join(f"{x:.6f}" for x in row) for row in zip(*columns, strict=True))]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")
    return str(path)


@pytest.fixture
def scan(tmp_path):
    return write_columns(
        tmp_path / "a.dat", ENERGY, np.full(ENERGY.size, 1e5), 1e5 * np.exp(-MU), titles="# energy i0 itrans"
    )


@pytest.fixture
def pattern(tmp_path):
    q = np.linspace(0.5, 20.0, 60)
    return write_columns(tmp_path / "a.chi", q, 5.0 + np.sin(q), titles="# q_A^-1 I")


@pytest.mark.parametrize("suffix", ["xdi", "prj", "csv", "h5"])
def test_scans_into_every_format(tmp_path, capsys, scan, suffix):
    out = tmp_path / f"b.{suffix}"
    assert run_app(["convert", scan, str(out), "--element", "Ta", "--edge", "L3", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"written": [str(out)]}
    (back,) = load_scans(out)
    np.testing.assert_allclose(back.energy, ENERGY)
    mu = back.columns.get("mu", np.log(back.columns.get("i0", 1.0) / back.columns.get("it", 1.0)))
    np.testing.assert_allclose(mu, MU, atol=1e-4)
    assert any(done.settings.get("file") == scan for done in back.history)


def test_several_scans_become_several_files(tmp_path, capsys, scan):
    run_app(["convert", scan, str(tmp_path / "one.h5"), "--element", "Ta", "--edge", "L3"])
    one = load_scans(tmp_path / "one.h5")
    from shortrange.report.scan_files import write_nxxas

    write_nxxas(tmp_path / "two.h5", one * 2)
    assert run_app(["convert", str(tmp_path / "two.h5"), str(tmp_path / "c.xdi")]) == 0
    assert sorted(path.name for path in tmp_path.glob("c*.xdi")) == ["c_001.xdi", "c_002.xdi"]


def test_snapshots_of_a_molecule(tmp_path, capsys):
    text = "2\nfirst\nTa 0 0 0\nCl 0 0 2.3\n2\nsecond\nTa 0 0 0\nCl 0 0 2.4\n"
    (tmp_path / "a.xyz").write_text(text, encoding="utf-8")
    words = ["convert", str(tmp_path / "a.xyz"), str(tmp_path / "b.extxyz")]
    assert run_app([*words, "--frames", "1:2"]) == 0
    back = load_trajectory(tmp_path / "b.extxyz")
    assert back.positions[0, 1].tolist() == [0, 0, 2.4]
    assert run_app(words) == 2
    assert "the file exists" in capsys.readouterr().err
    assert run_app([*words, "--overwrite"]) == 0
    assert load_trajectory(tmp_path / "b.extxyz").n_frames == 2


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("b.cif", "I(Q) cannot be written as .cif"),
        ("b.xyy", "did you mean '.xy"),
        ("b", "a file without suffix"),
        ("absent/b.xye", "the folder does not exist"),
    ],
)
def test_what_a_pattern_cannot_become(tmp_path, capsys, pattern, target, text):
    assert run_app(["convert", pattern, str(tmp_path / target)]) == 2
    err = capsys.readouterr().err
    assert text in err
    assert "do:" in err


def test_channels_that_allow_two_kinds_of_mu(tmp_path, capsys):
    ones = np.ones(ENERGY.size)
    path = write_columns(tmp_path / "a.dat", ENERGY, ones, ones, ones, titles="# energy i0 itrans ifluor")
    assert run_app(["convert", path, str(tmp_path / "b.prj"), "--element", "Ta", "--edge", "L3"]) == 2
    assert "transmission or fluorescence" in capsys.readouterr().err
    (tmp_path / "a.dat").unlink()
    assert run_app(["convert", path, str(tmp_path / "b.prj")]) == 2
    assert "a.dat" in capsys.readouterr().err
