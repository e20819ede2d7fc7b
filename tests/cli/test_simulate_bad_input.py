"""``shortrange simulate`` refuses bad input: status 2, what, where and what to do, and no folder of results.

With tests/load/test_streamed_trajectories.py and tests/load/test_structure_files.py these are the rows of bad
snapshots.
"""

import errno
import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.io import write

from shortrange.cli.app import run_app
from shortrange.simulate import feff_programs

SALT = bulk("NaCl", "rocksalt", a=5.64, cubic=True)
PDF = ["pdf", "--q-max", "20", "--r-max", "8"]
EXAFS = ["exafs", "--absorber", "Na", "--edge", "K", "--r-max", "3"]
CELL = 'Lattice="{}" Properties=species:S:1:pos:R:3\n'
BOX = CELL.format("6 0 0 0 6 0 0 0 6")


def salt(frames: int = 3) -> list[Atoms]:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(frames):
        found.append(SALT.copy())
        found[-1].positions += rng.normal(0, 0.05, (8, 3))
    return found


def one_atom(cell: str) -> str:
    return "1\n" + CELL.format(cell) + "Na 0 0 0\n"


def text_of(frames: list[Atoms], folder: Path) -> str:
    write(folder / "good.extxyz", frames)
    return (folder / "good.extxyz").read_text()


def xdatcar(folder: Path) -> str:
    frames = [atoms[[0, 2, 4, 6, 1, 3, 5, 7]] for atoms in salt()]
    write(folder / "XDATCAR", frames, format="vasp-xdatcar")
    return (folder / "XDATCAR").read_text()


def overlapping(folder: Path) -> str:
    frames = salt()
    frames[2].positions[1] = frames[2].positions[0] + [0, 0, 0.003]
    return text_of(frames, folder)


def other_composition(folder: Path) -> str:
    frames = salt()
    frames[1].symbols[0] = "K"
    return text_of(frames, folder)


def one_nan(folder: Path) -> str:
    text = text_of(salt(), folder)
    words = text.splitlines()[4].split()
    return text.replace(words[2], "nan", 1)


SNAPSHOTS = [
    ("empty file", "a.extxyz", lambda _: "", "the file is empty"),
    ("no file", "nowhere.extxyz", None, "there is no such file"),
    ("a folder", ".", None, "a folder, not a file"),
    ("not a structure", "a.zzz", lambda _: "hello world\n", "format of this structure is not known"),
    ("zero-volume cell", "a.extxyz", lambda _: one_atom("6 0 0 0 6 0 6 6 0"), "no volume"),
    ("infinite cell", "a.extxyz", lambda _: one_atom("6 0 0 0 6 0 0 0 inf"), "nine numbers"),
    ("overlapping atoms", "a.extxyz", overlapping, "in frame 2"),
    ("nan position", "a.extxyz", one_nan, "not a finite number in frame 0"),
    ("other composition", "a.extxyz", other_composition, "frame 1 has other atoms than frame 0"),
    ("unknown species", "a.extxyz", lambda f: text_of(salt(), f).replace("Cl ", "Qq "), "'Qq' is not a"),
    ("number as species", "a.extxyz", lambda f: text_of(salt(), f).replace("Cl ", "17 "), "'17' is not a"),
    ("cut extxyz", "a.extxyz", lambda f: text_of(salt(), f)[:-200], "of 8 atoms"),
    ("no count", "a.extxyz", lambda f: text_of(salt(), f) + "Na 0 0 0\n", "does not begin"),
    ("some frames without cell", "a.extxyz", lambda _: f"1\n{BOX}Na 0 0 0\n1\nx\nNa 0 0 0\n", "has no cell"),
    ("cut XDATCAR", "XDATCAR", lambda f: xdatcar(f)[:-60], "is not three numbers|has 7 of 8 atoms"),
    ("wrong title line", "XDATCAR", lambda f: xdatcar(f).replace("configuration=     2", "x"), "line"),
    ("text in XDATCAR", "XDATCAR", lambda f: xdatcar(f).replace("0.", "zero.", 3), "line"),
    ("counts do not fit", "XDATCAR", lambda f: xdatcar(f).replace(" 4 ", " 4 1 ", 1), "of atoms"),
    ("no cell in XDATCAR", "XDATCAR", lambda f: xdatcar(f).replace("5.640000", "a", 1), "not give a cell"),
    ("broken gzip", "a.extxyz.gz", "gzip", "damaged|ends too early|end-of-stream"),
    ("broken CIF", "a.cif", lambda _: "data_x\n_cell_length_a 5\n", "cif|atoms"),
    ("vasprun without end", "vasprun.xml", lambda _: "<modeling><incar>", "not a whole XML file"),
]  # fmt: skip


@pytest.mark.parametrize("row", SNAPSHOTS, ids=[row[0] for row in SNAPSHOTS])
def test_bad_snapshots(tmp_path, capsys, row):
    _, name, make, text = row
    path = tmp_path / name
    if make == "gzip":
        path.write_bytes(gzip.compress(text_of(salt(40), tmp_path).encode())[:-400])
    elif make is not None:
        path.write_text(make(tmp_path))
    out = tmp_path / "out"
    assert run_app(["simulate", "pdf", str(path), *PDF[1:], "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert any(part in said for part in text.split("|")), said
    assert "do:" in said
    assert not out.exists()


SETTINGS = [
    (PDF, ["--frames", "5:"], "selects none of the 3 frames"),
    (PDF, ["--frames", "::0"], "needs a step of 1 or more"),
    (PDF, ["--frames", "ten"], "start:stop"),
    (PDF, ["--r-step", "0"], "r_step = 0"),
    (PDF, ["--r-step", "nan"], "r_step = nan"),
    (PDF, ["--u-iso", "Na=0.01"], "u_iso has no value for ['Cl']"),
    (PDF, ["--u-iso", "much"], "not a number, nor numbers by element"),
    (PDF, ["--density", "0.03"], "has a cell and so its own"),
    (PDF, ["--cell", "5"], "states it itself"),
    (PDF, ["--species", "Na,Cl"], "states it itself"),
    (PDF, ["--workers", "0"], "workers = 0"),
    (PDF, ["--scheduler", "nonsense://x"], "the scheduler cannot be reached"),
    (PDF, ["--weights", "muons"], "weights"),
    (EXAFS, ["--absorber", "Ta"], "there is no Ta among the atoms"),
    (EXAFS, ["--absorber", "na"], "did you mean 'Na'"),
    (EXAFS, ["--edge", "M9"], "Na has no edge 'M9'"),
    (EXAFS, ["--r-max", "0.5"], "between 1.5 and 12"),
    (EXAFS, ["--r-max", "40"], "between 1.5 and 12"),
    (EXAFS, ["--r-max", "2"], "has no neighbour within 2 angstrom"),
    (EXAFS, ["--atoms", "7"], "are no Na"),
    (EXAFS, ["--atoms", "first"], "write numbers from 0"),
    (EXAFS, ["--like", "nowhere.chi"], "there is no such file"),
    (EXAFS, ["--workers", "-1"], "workers = -1"),
]


@pytest.mark.parametrize(("verb", "words", "text"), SETTINGS, ids=[" ".join(row[1]) for row in SETTINGS])
def test_bad_settings(tmp_path, capsys, verb, words, text):
    path = tmp_path / "salt.extxyz"
    write(path, salt())
    given = dict(zip(words[::2], words[1::2], strict=True))
    kept = [w for pair in zip(verb[1::2], verb[2::2], strict=True) if pair[0] not in given for w in pair]
    out = tmp_path / "out"
    assert run_app(["simulate", verb[0], str(path), *kept, *words, "--out", str(out)]) == 2
    said = capsys.readouterr().err
    assert text in said, said
    assert not out.exists()


@pytest.mark.parametrize("text", ["1 2\n3 4\n2 5\n", "0 1\n10 1\n50 1\n", "1\n2\n3\n"])
def test_a_measured_chi_that_is_none(tmp_path, capsys, text):
    write(tmp_path / "salt.extxyz", salt())
    (tmp_path / "measured.txt").write_text(text)
    words = [str(tmp_path / "salt.extxyz"), *EXAFS[1:], "--like", str(tmp_path / "measured.txt")]
    assert run_app(["simulate", "exafs", *words, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "do:" in said
    assert "k" in said


def run_exafs(folder: Path) -> int:
    write(folder / "salt.extxyz", salt())
    return run_app(
        ["simulate", "exafs", str(folder / "salt.extxyz"), *EXAFS[1:], "--out", str(folder / "out")]
    )


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SHORTRANGE_CACHE", str(tmp_path / "cache"))


def test_feff_is_missing(tmp_path, capsys, monkeypatch, own_cache):
    monkeypatch.setattr(feff_programs.sys, "platform", "plan9")
    assert run_exafs(tmp_path) == 2
    assert "no FEFF8L for plan9" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("#!/bin/sh\nexit 3\n", "FEFF failed (exit status 3)"),
        ("#!/bin/sh\nkill -SEGV $$\n", "FEFF failed (exit status -11)"),
        ("#!/bin/sh\necho 'fatal error in pot'\n", "fatal error in pot"),
        ("#!/bin/sh\ntrue\n", "FEFF wrote no phase.pad"),
    ],
    ids=["status", "crash", "fatal message", "silence"],
)
@pytest.mark.skipif(os.name == "nt", reason="shell scripts")
def test_feff_crashes(tmp_path, capsys, monkeypatch, own_cache, script, text):
    programs = tmp_path / "programs"
    programs.mkdir()
    for module in ("rdinp", "pot", "xsph"):
        (programs / f"feff8l_{module}").write_text(script)
        (programs / f"feff8l_{module}").chmod(0o755)
    monkeypatch.setattr(feff_programs, "feff_folder", lambda: programs)
    before = Path.cwd()
    assert run_exafs(tmp_path) == 2
    said = capsys.readouterr().err
    assert text in said
    assert "frame" in said
    assert Path.cwd() == before
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_earlier_results(tmp_path, capsys, monkeypatch, own_cache):
    path = tmp_path / "salt.extxyz"
    write(path, salt())
    words = ["simulate", "pdf", str(path), *PDF[1:], "--out", str(tmp_path / "out")]
    assert run_app(words) == 0
    before = (tmp_path / "out" / "gr.csv").read_bytes()
    capsys.readouterr()

    def full(*_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "gr.csv")

    monkeypatch.setattr(np, "savetxt", full)
    assert run_app(words) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert (tmp_path / "out" / "gr.csv").read_bytes() == before


def test_one_snapshot_that_fails_is_named_and_can_be_left_out(tmp_path, capsys, own_cache):
    path = tmp_path / "a.extxyz"
    path.write_text(overlapping(tmp_path))
    words = ["simulate", "pdf", str(path), *PDF[1:], "--out", str(tmp_path / "out")]
    assert run_app(words) == 2
    assert "frame 2" in capsys.readouterr().err
    assert run_app([*words, "--frames", ":2"]) == 0
