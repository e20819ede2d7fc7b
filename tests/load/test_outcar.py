"""OUTCAR of VASP, frame by frame."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shortrange.load import open_frames

SPECIES = ("Na", "Ta", *["Cl"] * 48)


def frames(n: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Cells that vary, and positions."""
    for i in range(n):
        rng = np.random.default_rng(i)
        cell = np.array([[19.0, 0, 0], [1.5, 18.0, 0], [-1.0, 0.7, 17.0]]) * (1 + 1e-4 * i)
        yield cell, rng.random((len(SPECIES), 3)) @ cell


def write_outcar(path: Path, n: int) -> Path:
    """Write the parts of an OUTCAR that hold structures, and the first line of each ionic step."""
    kinds = "".join(f" POTCAR:    PAW_PBE {s} 01Jan2000\n" for s in ("Na", "Ta", "Cl"))
    with path.open("w") as file:
        file.write(f" vasp.6.4.2 (simulated)\n{kinds}{kinds}   ions per type =               1   1  48\n")
        file.write("   ISPIN  =      1    spin polarized calculation?\n")
        for number, (cell, positions) in enumerate(frames(n), start=1):
            file.write(f"{'-' * 39} Iteration {number:6d}(   1)  {'-' * 39}\n")
            file.write("      direct lattice vectors                 reciprocal lattice vectors\n")
            np.savetxt(file, np.hstack([cell, np.linalg.inv(cell).T]), fmt="%12.9f")
            file.write(f"\n POSITION{' ' * 39}TOTAL-FORCE (eV/Angst)\n {'-' * 83}\n")
            np.savetxt(file, np.hstack([positions, np.zeros_like(positions)]), fmt="%12.5f")
            file.write(f" {'-' * 83}\n  FREE ENERGIE OF THE ION-ELECTRON SYSTEM (eV)\n  {'-' * 51}\n")
            file.write("  free  energy   TOTEN  =       -30.00000000 eV\n\n")
            file.write("  energy  without entropy=      -30.0  energy(sigma->0) =      -30.0\n")
    return path


def test_frames_in_pieces(tmp_path: Path) -> None:
    file = open_frames(write_outcar(tmp_path / "OUTCAR", 7), frames=slice(1, None, 2))
    pieces = list(file.pieces(2))
    expected = list(frames(7))[1::2]
    assert [piece.n_frames for piece in pieces] == [2, 1]
    assert pieces[0].species == SPECIES
    for found, wanted in (("cells", 0), ("positions", 1)):
        together = np.concatenate([getattr(piece, found) for piece in pieces])
        assert together == pytest.approx(np.array([x[wanted] for x in expected]), abs=6e-6)


def test_memory_is_that_of_a_piece(tmp_path: Path) -> None:
    """An OUTCAR four times as long needs the same memory."""
    peaks = []
    for n in (50, 200):
        path = write_outcar(tmp_path / f"OUTCAR{n}", n)
        list(open_frames(path, frames=slice(0, 1)).pieces(1))
        tracemalloc.start()
        assert sum(piece.n_frames for piece in open_frames(path).pieces(5)) == n
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0] + 50_000
