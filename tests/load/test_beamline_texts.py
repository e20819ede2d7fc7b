"""Formats whose headers name the columns, sums of detector channels, HDF5."""

import h5py
import numpy as np
import pytest
from beamline_heads import EPICS, PF, SSRL, rows

from shortrange.errors import DataError
from shortrange.load import load_scans
from shortrange.load.roles import parse_profile, summed

ENERGY = np.linspace(9700.0, 10100.0, 81)
I0 = 1e5 + 100.0 * np.cos(np.arange(81.0))
MU = 0.8 / (1 + np.exp(-(ENERGY - 9881.0) / 2.0))
IT = I0 * np.exp(-MU)


def test_photon_factory(write):
    """Angles by Bragg's law, dark currents taken off in proportion to the time."""
    angle = np.degrees(np.arcsin(12398.419843320026 / (2 * 3.13551 * ENERGY)))
    time = np.linspace(1, 3, 81)
    head = PF.replace("     0.000     0.000", "    50.000   100.000")
    (scan,) = load_scans(write(head + rows(angle + 0.1, angle, time, I0 + 50 * time, IT + 100 * time)))
    np.testing.assert_allclose(scan.energy, ENERGY, rtol=1e-8)
    np.testing.assert_allclose(scan.columns["i0"], I0, rtol=1e-7)
    np.testing.assert_allclose(scan.columns["it"], IT, rtol=1e-7)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (PF.replace("D=  3.13551 A", "") + rows(ENERGY, I0, IT), "lacks the lattice spacing"),
        (PF.split("    Offset")[0] + rows(ENERGY, I0, IT), "no line of offsets"),
        (PF.replace("1         2\n", "1\n") + rows(ENERGY, I0, IT), "lacks|names"),
        (PF.replace("Mode         0", "Mode        D=") + rows(ENERGY, I0, IT), "lacks the lattice spacing"),
        (PF.replace("Offset         0", "Offset      time/s") + rows(ENERGY, I0, IT), "lacks the lattice"),
        (PF.replace("D=  3.13551", "D=  3.1.551") + rows(ENERGY, I0, IT), "lacks the lattice spacing"),
        (SSRL.replace("Data:", "Date:") + rows(ENERGY, I0), "no line 'Data:'"),
        (SSRL + rows(ENERGY, I0, IT), "6 titles for 3 columns"),
        (EPICS.replace("; D2 =", "; X2 =") + rows(ENERGY, I0, IT), "not explained"),
    ],
)
def test_damaged_headers(write, text, words):
    with pytest.raises(DataError, match=words):
        load_scans(write(text))


def test_side_by_side(write):
    text = "energy [eV] salts,A,B,Energy LYS,LYS,,\n"
    for i in range(30):
        second = f"{9800 + 4 * i},{i}" if i < 20 else ","
        text += f"{9700 + 10 * i},{i},{2 * i},{second},,\n"
    scans = load_scans(write(text, "astra.csv"))
    assert [scan.label for scan in scans] == ["A", "B", "LYS"]
    assert [scan.energy.size for scan in scans] == [30, 30, 20]
    np.testing.assert_array_equal(scans[1].columns["mu"], 2 * np.arange(30))
    np.testing.assert_array_equal(scans[2].energy, 9800 + 4 * np.arange(20))


@pytest.mark.parametrize(
    ("cell", "words"),
    [("x", "no two numbers"), ("nan", "not a finite number"), ("", "no two numbers")],
)
def test_side_by_side_faults(write, cell, words):
    lines = ["energy,A,energy,B", *(f"{9700 + 5 * i},{i},{9700 + 5 * i},{i}" for i in range(30))]
    lines[7] = f"9730,{cell},9730,6"
    with pytest.raises(DataError, match=words) as caught:
        load_scans(write("\n".join(lines), "a.csv"))
    assert "line 8, column 2" in caught.value.where


def test_side_by_side_hole(write):
    lines = ["energy,A,energy,B", *(f"{9700 + 5 * i},{i},{9700 + 5 * i},{i}" for i in range(30))]
    lines[7] = ",,9730,6"
    with pytest.raises(DataError, match="empty row"):
        load_scans(write("\n".join(lines), "a.csv"))


@pytest.mark.parametrize("text", ["\t", ",,\n\n"])
def test_side_by_side_empty(write, text):
    with pytest.raises(DataError, match="no title of a column begins with 'energy'"):
        load_scans(write(text, "a.csv"), format="side_by_side")


def test_channels_are_summed_with_dead_time(write):
    head = "# energy i0 Ta_La_mca1 Ta_La_mca2 DTFactor_mca1 DTFactor_mca2\n"
    one, two, factor = 100 * MU, 200 * MU, 1.1 + 0 * MU
    (scan,) = load_scans(write(head + rows(ENERGY, I0, one, two, factor, 2 * factor)))
    np.testing.assert_allclose(scan.columns["if"], 1.1 * one + 2.2 * two, rtol=1e-8)
    assert "sum channels, corrected for dead time" in [done.name for done in scan.history]


def test_channels_without_dead_time_are_doubted(write):
    (scan,) = load_scans(write("# energy i0 ifch1 ifch2\n" + rows(ENERGY, I0, MU, MU)))
    np.testing.assert_allclose(scan.columns["if"], 2 * MU, rtol=1e-8)
    assert any("without correction" in done.name for done in scan.history)


def test_channels_of_two_lines_need_the_element(write):
    head = "# energy i0 Ta_La_mca1 Ta_La_mca2 Zn_Ka_mca1 Zn_Ka_mca2\n"
    path = write(head + rows(ENERGY, I0, MU, MU, 9 * MU, 9 * MU))
    assert "if" not in load_scans(path)[0].columns
    (scan,) = load_scans(path, element="Ta", edge="L3")
    np.testing.assert_allclose(scan.columns["if"], 2 * MU, rtol=1e-8)


def test_profile_of_sums():
    text = 'name = "mine"\n[sums]\nif = "roi\\\\d+"\n[dead_time]\nfraction = "dead{n}"\n'
    profile = parse_profile(text, source="mine.toml")
    channels = summed(["energy", "roi1", "roi2", "dead1"], profile, "if", element=None)
    assert [(c.index, dict(c.dead_time)) for c in channels] == [(1, {"fraction": 3}), (2, {})]
    with pytest.raises(DataError, match="unknown key 'fractions'"):
        parse_profile('[dead_time]\nfractions = "x"\n', source="mine.toml")


def bliss(path, *, unit="keV", names=("I0_eh1", "I1_eh1"), energy=ENERGY / 1e3, it=IT):
    with h5py.File(path, "w") as file:
        entry = file.create_group("1.1")
        entry["title"] = "TaCl5"
        device = entry.create_group("instrument/energy")
        device["value"] = energy
        device["value"].attrs["units"] = unit
        measurement = entry.create_group("measurement")
        measurement["energy"] = h5py.SoftLink("/1.1/instrument/energy")
        measurement[names[0]] = I0
        measurement[names[1]] = it
        measurement["image"] = np.zeros((81, 3))
        measurement["gone"] = h5py.SoftLink("/1.1/instrument/nothing")
        file["2.1"] = h5py.ExternalLink("nowhere.h5", "/2.1")
    return path


def test_bliss(tmp_path):
    (scan,) = load_scans(bliss(tmp_path / "a.h5"), element="Ta", edge="L3")
    np.testing.assert_allclose(scan.energy, ENERGY)
    np.testing.assert_allclose(scan.columns["it"], IT)
    assert scan.metadata["title"] == "TaCl5"
    told = next(done for done in scan.history if "links" in done.name)
    assert told.settings["links"] == 2


def test_nxxas_and_our_own_archive(tmp_path):
    path = tmp_path / "a.nxs"
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry/sample1")
        entry["definition"] = "NXxas"
        entry["element"], entry["edge"] = "Ta", "L3"
        entry["data/energy"] = ENERGY
        entry["data/energy"].attrs["units"] = "eV"
        entry["data/absorbed_beam"] = MU
    (scan,) = load_scans(path)
    assert (scan.element, scan.edge) == ("Ta", "L3")
    np.testing.assert_array_equal(scan.columns["mu"], MU)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"energy": 0 * ENERGY}, "no scan over the energy"),
        ({"it": np.where(np.arange(81) == 5, np.nan, IT)}, "not a finite number at point 6"),
        ({"energy": np.concatenate([ENERGY[:40], ENERGY[:41]]) / 1e3}, "turn back|repeated"),
    ],
)
def test_bad_bliss(tmp_path, changes, words):
    with pytest.raises(DataError, match=words):
        load_scans(bliss(tmp_path / "a.h5", **changes), element="Ta", edge="L3")


def test_damaged_hdf5(tmp_path):
    path = bliss(tmp_path / "a.h5")
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(DataError, match="cannot be read"):
        load_scans(path)


TA = {"element": "Ta", "edge": "L3"}
HXMA = """# Sample.formula:TaCl5
# CLS Data Acquisition
#(1) Event-ID BL1606-ID-1:Energy MONO16061I1001:Energy:fbk BL1606-ID1:mcs04:fbk BL1606-ID1:mcs05:fbk
#(1) Event-ID "BL1606-ID-1 Energy Setting" $(EnergyFeedback) "I0" "I1"
#(2) BL1606-ID1:mcs:background BL1606-ID-1:Energy:0
#(2) $(Background)[0] "Energy Base"
# Background counts time=0(x .1 microseconds), 0, 0, 0
"""
SXRMB = """# Facility: CLS SXRMB Beamline
#
# Scanned Edge:\tTa L3
# -------------------------------------
# EnergyFeedback.X\tEnergyFeedback\tBeamlineI0Detector\tTEYDetector\tTaLa1\tnorm_TaLa1\t

"""
BIOXAS = """# XDI/1.0
# Sample.formula:Ta2(SO4)5
# Sample.temperature:r.t.
# Element.symbol: Ta
# Element.edge: L3
# Column.1: energy eV
# Column.2: I0Detector_DarkCorrect
# Column.3: I1Detector_DarkCorrect
# Column.4: I2Detector_DarkCorrect
# Column.5: TaLa1_OutB_DarkCorrect
# Column.6: TaLa1_spectra1_OutB_DarkCorrect
#/////////////////////////////////
# Scan: pellet #1
# # ----
# EnergySetpoint.X\tI0Detector_DarkCorrect\t
"""
PIRX = "#F pirx.dat\n#D now\n\n#S 1  ascan energy 9700 10100 80 1\n#N 4\n#L energy  i0  d1  p1\n"
LABVIEW = (
    "# 1-D Scan File created by LabVIEW Control Panel\n# Column Headings:\n"
    "#Mono Energy *        Scaler preset time * I0                   I1                   \n"
)


def test_hxma_with_quoted_and_bare_titles(write):
    (scan,) = load_scans(write(HXMA + rows(1 + 0 * I0, ENERGY + 0.1, ENERGY, I0, IT, sep=", ")), **TA)
    np.testing.assert_allclose(scan.energy, ENERGY)
    np.testing.assert_allclose(scan.columns["it"], IT, rtol=1e-7)


def test_sxrmb_names_its_edge_and_line(write):
    text = SXRMB + rows(ENERGY, ENERGY, I0, I0 * MU**2, I0 + IT, IT, sep="\t").replace("\n", "\t\n")
    (scan,) = load_scans(write(text))
    assert (scan.element, scan.edge) == ("Ta", "L3")
    np.testing.assert_allclose(scan.columns["if"], I0 + IT, rtol=1e-7)
    assert "tey" in scan.columns


def test_bioxas_has_fields_without_a_blank(write):
    (scan,) = load_scans(write(BIOXAS + "\n" + rows(ENERGY, I0, IT, IT / 2, I0 * 3, I0, sep="\t")))
    assert scan.metadata["sample.formula"] == "Ta2(SO4)5"
    np.testing.assert_allclose(scan.columns["i0"], I0, rtol=1e-7)
    np.testing.assert_allclose(scan.columns["if"], 3 * I0, rtol=1e-7)
    assert {"it", "ir"} <= set(scan.columns)


def test_pirx_yields(write):
    (scan,) = load_scans(write(PIRX + rows(ENERGY, I0, I0 + 1, I0 + 2)), **TA)
    np.testing.assert_allclose(scan.columns["tey"], I0 + 1, rtol=1e-9)
    np.testing.assert_allclose(scan.columns["if"], I0 + 2, rtol=1e-9)


def test_titles_in_fields_of_equal_width(write):
    (scan,) = load_scans(write(LABVIEW + rows(ENERGY, 1 + 0 * I0, I0, IT)), **TA)
    np.testing.assert_allclose(scan.columns["i0"], I0, rtol=1e-7)
    assert "scaler preset time *" in scan.columns
