"""Structures and trajectories: round trips against ase, frames, symmetry, bad input."""

import gzip
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cif_texts import cif_text
from shortrange.errors import DataError
from shortrange.load import load_trajectory

Write = Callable[..., Path]

FRAME = "Direct configuration={:6d}\n{}\n"
HEADER = "run\n{scale}\n4.0 0.1 0.0\n0.0 5.0 0.2\n0.3 0.0 6.0\n{names}\n{counts}\n"


def xdatcar(fractions: np.ndarray, *, scale: str = "1.0", names: str = "Na Cl", counts: str = "1 2") -> str:
    text = HEADER.format(scale=scale, names=names, counts=counts)
    for i, frame in enumerate(fractions, start=1):
        text += FRAME.format(i, "\n".join(" ".join(f"{v:.8f}" for v in row) for row in frame))
    return text


def some_frames(count: int = 5) -> np.ndarray:
    return np.round(np.random.default_rng(1).random((count, 3, 3)), 8)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 1000),
    form=st.sampled_from(["extxyz", "vasp-xdatcar"]),
    frames=st.integers(1, 4),
    periodic=st.booleans(),
)
def test_what_ase_writes_is_read_back(
    write: Write, seed: int, form: str, frames: int, periodic: bool
) -> None:
    rng = np.random.default_rng(seed)
    periodic = periodic or form != "extxyz"
    cell = np.diag([5.0, 6.0, 7.0]) + rng.normal(0, 0.3, (3, 3))
    images = [
        Atoms("NaTaCl2", positions=rng.random((4, 3)) @ cell, cell=cell if periodic else None, pbc=periodic)
        for _ in range(frames)
    ]
    path = write("", "XDATCAR" if form != "extxyz" else "a.extxyz")
    ase.io.write(path, images, format=form)
    read = load_trajectory(path)
    assert read.n_frames == frames
    assert read.composition == {"Na": 1, "Ta": 1, "Cl": 2}
    np.testing.assert_allclose(read.positions, [image.positions for image in images], atol=1e-6)
    if periodic:
        assert read.cells is not None
        np.testing.assert_allclose(read.cells, [cell] * frames, atol=1e-6)
    else:
        assert read.cells is None


@pytest.mark.parametrize("scale", ["1.0", "2.0", "-240.0"])
def test_xdatcar_scale(write: Write, scale: str) -> None:
    """A negative scale is the volume of the cell."""
    path = write(xdatcar(some_frames(), scale=scale), "XDATCAR")
    read = load_trajectory(path)
    base = np.array([[4.0, 0.1, 0.0], [0.0, 5.0, 0.2], [0.3, 0.0, 6.0]])
    assert read.cells is not None
    volume = abs(np.linalg.det(read.cells[0]))
    expected = 240.0 if float(scale) < 0 else abs(np.linalg.det(base)) * float(scale) ** 3
    assert volume == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(read.positions[2], some_frames()[2] @ read.cells[2], atol=1e-12)


def test_xdatcar_with_a_variable_cell(write: Write) -> None:
    texts = [xdatcar(frame[None], scale=f"{1 + 0.1 * i}") for i, frame in enumerate(some_frames(3))]
    read = load_trajectory(write("".join(texts), "XDATCAR"))
    assert read.n_frames == 3
    assert read.cells is not None
    np.testing.assert_allclose(read.cells[:, 1, 1], [5.0, 5.5, 6.0])


@pytest.mark.parametrize(
    "frames",
    [
        None,
        slice(2, 5),
        slice(None, None, 3),
        slice(-2, None),
        slice(1, -1, 2),
        slice(0, 100),
        slice(None, 1),
    ],
)
def test_frames_select_as_a_list_does(write: Write, frames: slice | None) -> None:
    fractions = some_frames(7)
    path = write(xdatcar(fractions), "XDATCAR")
    read = load_trajectory(path, frames=frames)
    expected = fractions[frames or slice(None)]
    assert read.cells is not None
    np.testing.assert_allclose(read.positions, expected @ read.cells[0], atol=1e-12)


def test_frames_that_are_skipped_may_be_damaged(write: Write) -> None:
    text = xdatcar(some_frames(3))
    path = write(text[: text.rindex("\n", 0, -30)] + "\n", "XDATCAR")
    with pytest.raises(DataError, match=r"frame 2 has \d of 3 atoms") as caught:
        load_trajectory(path)
    assert 'frames = ":2"' in caught.value.do
    assert load_trajectory(path, frames=slice(0, 2)).n_frames == 2


def bad(path: Path, match: str, place: str = "", **options: slice) -> DataError:
    with pytest.raises(DataError, match=match) as caught:
        load_trajectory(path, **options)
    assert str(path) in caught.value.where
    assert place in caught.value.where
    return caught.value


def test_bad_xdatcar(write: Write) -> None:
    text = xdatcar(some_frames(3))
    number = text.splitlines()[13]
    bad(
        write(text.replace(number, "0.1 nan 0.2"), "XDATCAR"),
        "frame 1: '0.1 nan 0.2' is not three numbers",
        "line 14",
    )
    bad(
        write(text.replace(number, "0.1 0.2"), "XDATCAR"),
        "frame 1: '0.1 0.2' is not three numbers",
        "line 14",
    )
    bad(write(text.replace("1 2\n", "1 2 3\n"), "XDATCAR"), "2 elements but 3 numbers of atoms", "line 7")
    bad(
        write(text.replace("4.0 0.1 0.0", "4.0 0.1"), "XDATCAR"),
        "does not give a cell and numbers of atoms",
        "line 7",
    )
    bad(write(text, "XDATCAR"), "frames '5:' selects none of the 3 frames", frames=slice(5, None))
    bad(write(text, "XDATCAR"), "does not run forwards", frames=slice(None, None, -1))
    bad(write(gzip.compress(text.encode())[:-30], "XDATCAR.gz"), "damaged")
    other = text + xdatcar(some_frames(1), counts="2 1")
    bad(write(other, "XDATCAR"), "frame 3 has other atoms than frame 0: ClNa2 and Cl2Na")


def test_frames_of_other_atoms(write: Write) -> None:
    text = '2\nLattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3\nNa 0 0 0\n{} 2 2 2\n'
    path = write(text.format("Cl") + text.format("Br"), "a.extxyz")
    bad(path, "frame 1 has other atoms than frame 0: BrNa and ClNa", "frame 1")
    assert load_trajectory(path, frames=slice(0, 1)).n_frames == 1


def test_a_frame_without_a_cell(write: Write) -> None:
    one = 'Lattice="5 0 0 0 5 0 0 0 5" Properties=species:S:1:pos:R:3'
    text = f"1\n{one}\nNa 0 0 0\n1\nProperties=species:S:1:pos:R:3\nNa 0 0 0\n"
    bad(write(text, "a.extxyz"), "frame 1 has no cell, unlike frame 0", "frame 1")


@pytest.mark.parametrize(("group", "count"), [("P 1", 1), ("I m -3 m", 2), ("F m -3 m", 4), ("F d -3 m", 8)])
def test_cif_symmetry(write: Write, group: str, count: int) -> None:
    """An atom at the origin of a Bravais lattice: 1, 2 (bcc), 4 (fcc), 8 (diamond) in the cell."""
    read = load_trajectory(write(cif_text("W1 W 0 0 0 1.0", a=5.0, group=group), "a.cif"))
    assert read.composition == {"W": count}
    assert read.number_density == pytest.approx(count / 125.0)


def test_rock_salt_distances(sample_cif: Path) -> None:
    read = load_trajectory(sample_cif)
    assert read.composition == {"Na": 4, "Cl": 4}
    na, cl = read.positions[0, :4], read.positions[0, 4:]
    apart = (na[:, None] - cl[None] + 2.82) % 5.64 - 2.82
    assert np.linalg.norm(apart, axis=-1).min() == pytest.approx(2.82)


@pytest.fixture
def sample_cif(write: Write) -> Path:
    sites = "Na1 Na1+ 0 0 0 1.0\nCl1 Cl1- 0.5 0.5 0.5 1.0"
    return write(cif_text(sites, a=5.64), "nacl.cif")


def test_partial_occupancy(write: Write) -> None:
    sites = "Sm1 Sm 0 0 0 0.875\nNa1 Na 0 0 0 0.125"
    error = bad(write(cif_text(sites, a=5.0, group="P 1"), "a.cif"), "site Sm1 is occupied by 0.875 Sm")
    assert "supercell" in error.do


def test_bad_cif(write: Write) -> None:
    bad(write(cif_text("Q1 Qq 0 0 0 1.0", a=5.0, group="P 1"), "a.cif"), "Qq")
    bad(write("data_x\n_cell_length_a 5\n", "a.cif"), "cif|atoms")
    bad(write(cif_text("W1 W 0 0 zero 1.0", a=5.0, group="P 1"), "a.cif"), "cannot be read as cif")


def test_vasprun(sample_vasprun: Path) -> None:
    read = load_trajectory(sample_vasprun)
    assert read.species == ("Na", "Cl")
    np.testing.assert_allclose(read.positions[:, 1], [[2.5, 2.5, 2.5], [2.5, 2.5, 3.0]])
    assert read.time_step == 2.0
    assert load_trajectory(sample_vasprun, frames=slice(None, None, 2)).time_step == 4.0


def test_vasprun_that_was_cut(sample_vasprun: Path) -> None:
    """A run that is still going has no closing tag: its whole steps are read, and the cut is told."""
    text = sample_vasprun.read_text()
    sample_vasprun.write_text(text[: text.rindex("<varray")])
    read = load_trajectory(sample_vasprun)
    assert read.n_frames == 1
    assert read.history[-1].name == "warning: the file is cut"
    sample_vasprun.write_text(text[:300])
    bad(sample_vasprun, "not a whole XML file")


def test_vasprun_without_steps(sample_vasprun: Path) -> None:
    text = sample_vasprun.read_text()
    cut = text[: text.index("<calculation>")] + "</modeling>"
    sample_vasprun.write_text(cut)
    assert load_trajectory(sample_vasprun).n_frames == 1
    sample_vasprun.write_text(text.replace("<v>0.5 0.5 0.6</v>", ""))
    bad(sample_vasprun, "frame 1 has 1 of 2 atoms")
    sample_vasprun.write_text(text.replace("0.5 0.5 0.6", "0.5 0.5 *****"))
    bad(sample_vasprun, "a number that cannot be read")


def test_unknown_format(write: Write) -> None:
    bad(write("hello world\n", "a.zzz"), "the format of this structure is not known")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.json", b'{"1": 2}', "'ASE JSON database file', .* a part that the format asks for is missing"),
        ("a.json", b"\xff\xfe\x00\x01", "'ASE JSON database file', .* it is binary, not text"),
        ("a.gen", b"hello\n", "'DFTBPlus GEN format', .* invalid literal"),
        ("a.traj", b"hello\n", "'ASE trajectory', .* not an ULM formatted file"),
        ("POSCAR", b"\xff\xfe\x00\x01" * 40, "'VASP POSCAR/CONTCAR', .* it is binary, not text"),
        ("a.gen.gz", gzip.compress(b"hello\n", mtime=0), "'DFTBPlus GEN format', .* invalid literal"),
    ],
)
def test_what_ase_cannot_read_is_said_in_our_words(
    tmp_path: Path, name: str, content: bytes, match: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    fault = bad(path, match)
    assert "Error" not in fault.what
    assert "usual ending" in fault.do
