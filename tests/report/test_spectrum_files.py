"""XDI, Athena and NXxas files of a reduction: read back equal, by us and by xraylarch."""

import sys
from pathlib import Path

import numpy as np
import pytest

from shortrange.load import load_scans
from shortrange.reduce.xas import reduce_xas
from shortrange.report.archive import write_archive
from shortrange.report.athena import write_athena
from shortrange.report.xdi import write_xdi
from white_lines import scan

TACL5 = {"splitting": 2.8, "ratio": 1.1, "gamma": 1.8, "sigma": 0.5}


@pytest.fixture(scope="module")
def reduction():
    return reduce_xas([scan(i, source=f"scan {i}", **TACL5) for i in range(2)], element="Ta", edge="L3")


def write(kind: str, reduction, folder: Path) -> Path:
    merged = reduction.merged
    if kind == "xdi":
        return write_xdi(folder / "a.xdi", merged, normalised=reduction.normalised, simulated=True)
    if kind == "athena":
        return write_athena(folder / "a.prj", [merged])
    return write_archive(
        folder / "a.h5", title="t", verdict=None, reductions={"Ta": reduction}, simulated=True
    )


@pytest.mark.parametrize("kind", ["xdi", "athena", "nxxas"])
def test_read_back_equal(reduction, tmp_path, kind):
    (back,) = load_scans(write(kind, reduction, tmp_path))
    np.testing.assert_array_equal(back.energy, reduction.merged.energy)
    np.testing.assert_array_equal(back.columns["mu"], reduction.merged.mu)
    assert (back.element, back.edge) == ("Ta", "L3")
    if kind != "athena":
        assert any("simulated" in value for value in back.metadata.values())
    again = reduce_xas([back], element="Ta", edge="L3", mode="mu", e0=reduction.normalised.e0)
    assert again.normalised.edge_step == pytest.approx(reduction.normalised.edge_step, rel=1e-6)


def test_xraylarch_reads_our_xdi(reduction, tmp_path):
    from larch.io import read_xdi

    path = write("xdi", reduction, tmp_path)
    assert "larch" in sys.modules
    theirs = read_xdi(str(path))
    np.testing.assert_allclose(theirs.energy, reduction.merged.energy)
    np.testing.assert_allclose(theirs.mu, reduction.merged.mu)
