"""Trajectories read frame by frame: every format gives the same atoms, in any pieces; bad ones are named."""

import gzip
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import ase.io
import numpy as np
import pytest
from ase import Atoms

from shortrange.errors import DataError
from shortrange.load import load_trajectory, open_frames
from shortrange.load.xyz import read_cells

Write = Callable[..., Path]
ORDER = ("Na", "Ta", "Cl")


@pytest.fixture(scope="module")
def images() -> list[Atoms]:
    """Seven frames in a skewed cell that varies."""
    rng = np.random.default_rng(3)
    found = []
    for i in range(7):
        cell = np.array([[9.0, 0, 0], [1.5, 8.0, 0], [-1.0, 0.7, 7.0]]) * (1 + 0.004 * i)
        positions = rng.random((7, 3)) @ cell
        found.append(Atoms("NaTaCl5", positions=positions, cell=cell, pbc=True))
    return found


def lammps(images: list[Atoms], *, columns: str = "x y z", element: bool = True) -> str:
    """A dump with atoms in reversed order; ids restore it."""
    text = ""
    for number, atoms in enumerate(images):
        (lx, _, _), (xy, ly, _), (xz, yz, lz) = atoms.cell.array
        low, high = min(0, xy, xz, xy + xz), max(0, xy, xz, xy + xz)
        text += f"ITEM: TIMESTEP\n{number}\nITEM: NUMBER OF ATOMS\n{len(atoms)}\n"
        text += "ITEM: BOX BOUNDS xy xz yz pp pp pp\n"
        text += f"{low:.12f} {lx + high:.12f} {xy:.12f}\n"
        text += f"{min(0, yz):.12f} {ly + max(0, yz):.12f} {xz:.12f}\n0.0 {lz:.12f} {yz:.12f}\n"
        text += f"ITEM: ATOMS id type {'element ' if element else ''}{columns}\n"
        values = atoms.get_scaled_positions(wrap=False) if columns.startswith("xs") else atoms.positions
        for i in reversed(range(len(atoms))):
            symbol = atoms.symbols[i]
            name = f"{symbol} " if element else ""
            numbers = " ".join(f"{v:.10f}" for v in values[i])
            text += f"{i + 1} {ORDER.index(symbol) + 1} {name}{numbers}\n"
    return text


def cp2k(images: list[Atoms]) -> tuple[str, str]:
    """Positions and cells of a run, a line of cells for each tenth step."""
    text, cells = "", "# Step Time Ax Ay Az Bx By Bz Cx Cy Cz Volume\n"
    for number, atoms in enumerate(images):
        text += f"{len(atoms)}\n i = {10 * number:8d}, time = {5.0 * number:12.3f}, E = -1.0\n"
        for symbol, xyz in zip(atoms.symbols, atoms.positions, strict=True):
            text += f"{symbol} " + " ".join(f"{v:.10f}" for v in xyz) + "\n"
        row = " ".join(f"{v:.10f}" for v in atoms.cell.array.ravel())
        cells += f"{10 * number} {5.0 * number} {row} {atoms.cell.volume:.6f}\n"
    return text, cells


def written(folder: Path, kind: str, images: list[Atoms]) -> tuple[Path, dict]:
    """Write a trajectory; return its path and the options to read it with."""
    if kind.startswith("lammps"):
        path, options = folder / "a.lammpstrj", {}
        scaled, bare = "scaled" in kind, "types" in kind
        path.write_text(lammps(images, columns="xs ys zs" if scaled else "x y z", element=not bare))
        if bare:
            options = {"species": list(ORDER)}
        return path, options
    if kind == "cp2k":
        text, cells = cp2k(images)
        (folder / "run-1.cell").write_text(cells)
        (folder / "run-pos-1.xyz").write_text(text)
        return folder / "run-pos-1.xyz", {"cell": folder / "run-1.cell"}
    name, form = {
        "extxyz": ("a.extxyz", "extxyz"),
        "traj": ("a.traj", "traj"),
        "gzip": ("a.extxyz", "extxyz"),
    }[kind]
    ase.io.write(folder / name, images, format=form)
    if kind == "gzip":
        packed = folder / "a.extxyz.gz"
        packed.write_bytes(gzip.compress((folder / name).read_bytes()))
        return packed, {}
    return folder / name, {}


KINDS = ["extxyz", "gzip", "traj", "lammps", "lammps scaled", "lammps types", "cp2k"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_atoms(tmp_path: Path, images: list[Atoms], kind: str) -> None:
    path, options = written(tmp_path, kind, images)
    read = load_trajectory(path, **options)
    assert read.composition == {"Na": 1, "Ta": 1, "Cl": 5}
    np.testing.assert_allclose(read.positions, [a.positions for a in images], atol=2e-8)
    assert read.cells is not None
    np.testing.assert_allclose(read.cells, [a.cell.array for a in images], atol=2e-8)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("frames", [slice(2, None), slice(None, None, 3), slice(-3, None), slice(1, 6, 2)])
def test_pieces_are_the_whole(tmp_path: Path, images: list[Atoms], kind: str, frames: slice) -> None:
    """Equilibration skipped, stride, from the end: as a list does it, in pieces of two."""
    path, options = written(tmp_path, kind, images)
    file = open_frames(path, frames=frames, **options)
    pieces = list(file.pieces(2))
    assert [piece.n_frames for piece in pieces[:-1]] == [2] * (len(pieces) - 1)
    together = np.concatenate([piece.positions for piece in pieces])
    np.testing.assert_allclose(together, [a.positions for a in images[frames]], atol=2e-8)
    assert file.count() == len(images[frames])


def test_memory_is_that_of_a_piece(tmp_path: Path) -> None:
    """4000 frames of 50 atoms are 5 MB of positions; pieces of ten need a fraction."""
    path = tmp_path / "long.xyz"
    rows = "\n".join(f"Na {i}.25 0.5 {i}.75" for i in range(50))
    path.write_text(f"50\ncomment\n{rows}\n" * 4000)
    list(open_frames(path, frames=slice(0, 1)).pieces(1))
    tracemalloc.start()
    assert sum(piece.n_frames for piece in open_frames(path).pieces(10)) == 4000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1e6


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("7", np.diag([7.0, 7, 7])),
        ("5,6,7", np.diag([5.0, 6, 7])),
        ("5, 6, 7, 90, 90, 120", [[5, 0, 0], [-3, 3 * 3**0.5, 0], [0, 0, 7]]),
        ("5,0,0,1,6,0,0,0,7", [[5, 0, 0], [1, 6, 0], [0, 0, 7]]),
    ],
)
def test_constant_cells(tmp_path: Path, cell: str, expected: np.ndarray) -> None:
    path = tmp_path / "a.xyz"
    path.write_text("1\nx\nNa 0 0 0\n1\nx\nNa 1 0 0\n")
    read = load_trajectory(path, cell=cell)
    assert read.cells is not None
    np.testing.assert_allclose(read.cells, [expected, expected], atol=1e-12)


def test_a_run_of_cp2k_without_its_cell_is_a_molecule_and_says_so(
    tmp_path: Path, images: list[Atoms]
) -> None:
    path, _ = written(tmp_path, "cp2k", images)
    read = load_trajectory(path)
    assert read.cells is None
    assert "without a cell" in read.history[-1].name


XYZ = "2\nx\nNa 0 0 0\nCl 1 1 1\n"
EXT = '1\nLattice="{cell}" Properties={columns}\nNa 0 0 0\n'
BAD = [
    ("a.xyz", XYZ + "3\nx\nNa 0 0 0\n", {}, "frame 1 has 1 of 3 atoms"),
    ("a.xyz", XYZ + "two\nx\nNa 0 0 0\n", {}, "frame 1 does not begin with a number of atoms"),
    ("a.xyz", XYZ.replace("1 1 1", "1 one 1"), {"format": "xyz"}, "not an element and three numbers"),
    ("a.xyz", XYZ.replace("1 1 1", "1 1"), {"format": "xyz"}, "not an element and three numbers"),
    ("a.xyz", XYZ.replace("1 1 1", "1 nan 1"), {"format": "xyz"}, "not a finite number in frame 0: atom 1"),
    ("a.xyz", XYZ.replace("Cl", "Qq"), {}, "'Qq' is not a chemical element"),
    ("a.xyz", XYZ + XYZ.replace("Cl", "Br"), {}, "frame 1 has other atoms than frame 0"),
    ("a.xyz", XYZ, {"cell": "1,2"}, "the cell 1,2 is 2 numbers"),
    ("a.xyz", XYZ, {"cell": "5,5,0"}, "is 6 numbers|has no volume|3 numbers"),
    ("a.xyz", XYZ, {"cell": "nowhere.cell"}, "there is no such file"),
    ("a.xyz", XYZ, {"species": ["Na"]}, "species given for a file of the format xyz"),
    ("a.extxyz", EXT.format(cell="5 0 0 0 5 0 0 0 5", columns="species:S:1"), {}, "no column 'pos'"),
    ("a.extxyz", EXT.format(cell="5 0 0 0 5 0 0 0 5", columns="species:S"), {}, "not triples of name:type"),
    (
        "a.extxyz",
        EXT.format(cell="5 0 0 0 5 0 0 0", columns="species:S:1:pos:R:3"),
        {},
        "the comment line cannot be read",
    ),
    ("a.extxyz", EXT.format(cell="5 0 0 0 5 0 0 0 0", columns="species:S:1:pos:R:3"), {}, "no volume"),
    (
        "a.extxyz",
        EXT.format(cell="5 0 0 0 5 0 0 0 5", columns="species:S:1:pos:R:3"),
        {"cell": "5"},
        "states it",
    ),
]


@pytest.mark.parametrize(("name", "text", "options", "message"), BAD)
def test_bad_xyz(write: Write, name: str, text: str, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_trajectory(write(text, name), **options)
    assert caught.value.where
    assert caught.value.do


LAMMPS_BAD = [
    (lambda text: text.replace("element ", "").replace(" Na ", " ").replace(" Ta ", " ").replace(" Cl ", " "),
     {}, "types 1, 2, 3 but no elements"),
    (lambda text: text, {"species": ["Na", "Ta"]}, "types reach 3 but 2 elements are named"),
    (lambda text: text.replace(" x y z", " vx vy vz"), {}, "frame 0 has no positions among its columns"),
    (lambda text: text.replace("NUMBER OF ATOMS\n7", "NUMBER OF ATOMS\nmany"), {}, "not a number of atoms"),
    (lambda text: text[: text.rindex("ITEM: ATOMS") + 60], {}, r"frame 6 has \d of 7 atoms"),
    (lambda text: text[: text.rindex("ITEM: ATOMS")], {}, "frame 6 has no atoms"),
    (lambda text: text.replace("xy xz yz ", ""), {}, "not three rows of 2 numbers"),
    (lambda text: text.replace("0.0 7.0", "0.0 seven"), {}, "box bounds cannot be read"),
    (lambda text: text.replace("1 1 Na ", "1 1 Na x"), {}, "a number that cannot be read"),
    (lambda text: text.replace("ATOMS id type element", "ATOMS id mol charge"), {}, "neither a column"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "options", "message"), LAMMPS_BAD)
def test_bad_lammps(write: Write, images: list[Atoms], change: Callable, options: dict, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_trajectory(write(change(lammps(images)), "a.lammpstrj"), **options)
    assert caught.value.do


def test_a_run_that_was_cut_can_be_read_up_to_there(write: Write, images: list[Atoms]) -> None:
    text = lammps(images)
    path = write(text[: text.rindex("ITEM: ATOMS") + 60], "a.lammpstrj")
    assert load_trajectory(path, frames=slice(0, 6)).n_frames == 6


def test_bad_cells(tmp_path: Path, images: list[Atoms]) -> None:
    path, options = written(tmp_path, "cp2k", images)
    cells = options["cell"]
    text = cells.read_text()
    cells.write_text(text[: text.rindex("60 ")])
    with pytest.raises(DataError, match=r"frame 6 \(step 60\) has no cell"):
        load_trajectory(path, cell=cells)
    cells.write_text("# only a head\n")
    with pytest.raises(DataError, match="no cell in this file"):
        read_cells(cells)
    cells.write_text("10 5.0 1 2 3\n")
    with pytest.raises(DataError, match="not a step, a time and nine components"):
        read_cells(cells)


def jumping(kind: str, numbers: tuple[int, ...]) -> str:
    """Frames of one atom with these numbers."""
    if kind == "XDATCAR":
        head = "title\n1.0\n5 0 0\n0 5 0\n0 0 5\nNa\n1\n"
        return head + "".join(f"Direct configuration= {n:5d}\n0 0 0\n" for n in numbers)
    box = "ITEM: NUMBER OF ATOMS\n1\nITEM: BOX BOUNDS pp pp pp\n0 5\n0 5\n0 5\n"
    return "".join(f"ITEM: TIMESTEP\n{n}\n{box}ITEM: ATOMS id element x y z\n1 Na 0 0 0\n" for n in numbers)


@pytest.mark.parametrize("kind", ["XDATCAR", "a.lammpstrj"])
@pytest.mark.parametrize(
    ("numbers", "at"),
    [
        ((1, 2, 3, 4), None), ((10, 20, 30, 40), None), ((7,), None), ((7, 2), None),
        ((1, 2, 3, 7, 8), (3, 3, 7)), ((100, 200, 300, 100, 200), (3, 300, 100)), ((1, 2, 2, 3), (2, 2, 2)),
    ],
)  # fmt: skip
def test_numbers_that_jump_are_told(tmp_path: Path, kind: str, numbers: tuple[int, ...], at) -> None:
    """Once, where it first happens; the frames are all there, streamed or held, chosen or not."""
    path = tmp_path / kind
    path.write_text(jumping(kind, numbers))
    streamed = open_frames(path)
    read = load_trajectory(path)
    assert read.n_frames == len(numbers) == sum(piece.n_frames for piece in streamed.pieces(2))
    for history in (read.history, streamed.history, load_trajectory(path, frames=slice(0, 1)).history):
        told = [done.settings for done in history if "frame numbers jump" in done.name]
        assert len(told) == (at is not None)
        if at is not None:
            assert (told[0]["frame"], told[0]["before"], told[0]["number"]) == at
