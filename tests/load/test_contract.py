"""What every loader promises; one that another package adds can be put through the same."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.load import LOADERS, load, load_gr, load_iq, load_scans, load_trajectory
from shortrange.quantities import GR, IQ, Scan, Trajectory

DOORS = {"xas": load_scans, "iq": load_iq, "gr": load_gr, "structure": load_trajectory}


def arrays(result: Any) -> list[np.ndarray]:
    if isinstance(result, Scan):
        return [result.energy, *result.columns.values()]
    if isinstance(result, IQ):
        return [result.q, result.intensity]
    if isinstance(result, GR):
        return [result.r, result.g]
    assert isinstance(result, Trajectory)
    return [result.positions] if result.cells is None else [result.positions, result.cells]


def test_every_loader_is_tested(sample: tuple[str, str, Path]) -> None:
    assert sample[0] in LOADERS
    assert LOADERS[sample[0]].kind == sample[1]


def test_result(sample: tuple[str, str, Path]) -> None:
    _, kind, path = sample
    result = DOORS[kind](path)
    parts = result if kind == "xas" else (result,)
    assert isinstance(result, tuple) == (kind == "xas")
    for part in parts:
        assert path.name in part.source
        assert any(path.name in str(done.settings.get("file")) for done in part.history)
        for array in arrays(part):
            assert array.dtype == float
            assert np.isfinite(array).all()
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 0
        axis = arrays(part)[0]
        if kind != "structure":
            assert (np.diff(axis) > 0).all()
        if kind == "xas":
            assert 9650 < axis[0] < 9881 < axis[-1] < 10150


def test_recognised_by_content_under_any_name(sample: tuple[str, str, Path]) -> None:
    name, kind, path = sample
    if name in ("ase", "xyz"):  # ase goes by the suffix itself; a molecule has too little to go by
        return
    other = path.rename(path.with_name("download"))
    assert DOORS[kind](other) is not None
    assert load(other) is not None


def test_format_by_name(sample: tuple[str, str, Path]) -> None:
    name, _, path = sample
    assert load(path, format=name) is not None


def test_gzipped(sample: tuple[str, str, Path]) -> None:
    name, kind, path = sample
    if name == "ase":
        return
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    plain, unpacked = (DOORS[kind](p) for p in (path, packed))
    for a, b in zip(*((x if kind == "xas" else (x,)) for x in (plain, unpacked)), strict=True):
        np.testing.assert_array_equal(arrays(a)[0], arrays(b)[0])


def test_missing_file(sample: tuple[str, str, Path]) -> None:
    name, kind, path = sample
    path.unlink()
    for read in (DOORS[kind], lambda p: load(p, format=name)):
        with pytest.raises(DataError, match="there is no such file") as caught:
            read(path)
        assert path.name in caught.value.where


def test_folder(sample: tuple[str, str, Path], tmp_path: Path) -> None:
    name, kind, _ = sample
    for read in (DOORS[kind], lambda p: load(p, format=name)):
        with pytest.raises(DataError, match="this is a folder"):
            read(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"# only a comment\n",
        bytes(range(256)) * 8,
        b"\x1f\x8b\x08rubbish",
        b"\x89HDF\r\n\x1a\n\0\0\0",
    ],
    ids=["empty", "blank", "comment", "binary", "gzip", "hdf5"],
)
def test_rubbish(sample: tuple[str, str, Path], content: bytes) -> None:
    name, kind, path = sample
    path.write_bytes(content)
    for read in (DOORS[kind], lambda p: load(p, format=name)):
        with pytest.raises(DataError) as caught:
            read(path)
        assert str(path) in caught.value.where
        assert caught.value.do


def test_cut_short(sample: tuple[str, str, Path]) -> None:
    """A file cut in the middle of its last number is refused, or read without it."""
    name, kind, path = sample
    if (kind == "structure" and name != "xdatcar") or name in (
        "athena",
        "side_by_side",
        "hdf5",
    ):
        return  # their own tests cut them where it matters
    text = path.read_text().rstrip()
    path.write_text(text[: text.rindex(" ")])
    with pytest.raises(DataError, match=r"columns where the others have|not three numbers"):
        DOORS[kind](path)
