"""Files that beamlines and programs have written, outside the project: SHORTRANGE_DATA names their folder."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from shortrange.errors import DataError
from shortrange.load import load, load_gr, load_iq, load_scans, load_trajectory


def warnings_of(item: object) -> list[str]:
    return [done.name for done in item.history if done.name.startswith("warning")]


def test_all_xdi(shared_data: Path) -> None:
    """Every file of the public XDI collections: energies increase, and the edge lies inside."""
    paths = [p for p in sorted((shared_data / "xas_xdi").rglob("*")) if p.suffix in (".xdi", ".xxdi")]
    assert len(paths) >= 40
    for path in paths:
        if path.name == "nonxafs_1d.xdi":
            with pytest.raises(DataError, match=r"none of the columns \['x', .* is known as the energy"):
                load_scans(path)
            continue
        (scan,) = load_scans(path)
        assert (np.diff(scan.energy) > 0).all(), path
        assert not warnings_of(scan), path
        assert {"i0", "mu"} & set(scan.columns), path
        if scan.element:
            assert load_scans(path, element=scan.element, edge=scan.edge)[0].energy.size == scan.energy.size


@pytest.mark.parametrize(
    ("name", "element", "edge", "points", "peak", "channel"),
    [
        # Readings of the same files by independent means: points, and the energy of the largest signal.
        ("S_K/gypsum_rt_01.xdi", "S", "K", 299, 2481.8, "if"),
        ("S_K/iron_sulfide_rt_01.xxdi", "S", "K", 232, 2471.6, "if"),
        ("W_L3/W_metal_rt_01.xdi", "W", "L3", 530, 10207.75, "it"),
        ("W_L3/W_metal_rt_03.xdi", "W", "L3", 530, 10207.5, "it"),
        ("other/Au_Foil_L1_rt_2016Foils.xdi", "Au", "L1", 470, 14390.99, "it"),
        ("other/V2O5.xdi", "V", "K", 517, 5495.01, "it"),
    ],
)
def test_known_peaks(
    shared_data: Path, name: str, element: str, edge: str, points: int, peak: float, channel: str
) -> None:
    (scan,) = load_scans(shared_data / "xas_xdi" / name, element=element, edge=edge)
    assert scan.energy.size == points
    ratio = scan.columns[channel] / scan.columns["i0"]
    signal = ratio if channel == "if" else -np.log(ratio)
    assert scan.energy[np.argmax(signal)] == pytest.approx(peak, abs=0.06)


def test_snbl(shared_data: Path) -> None:
    """The energy is ZapEnergy, in keV; Mon counts photons, and is not the monochromator."""
    scans = load_scans(shared_data / "xas_beamline_formats/ESRF_SNBL_2013.dat", element="Ge", edge="K")
    assert [scan.energy.size for scan in scans] == [456, 906]
    for n, scan in enumerate(scans, start=1):
        assert scan.energy[0] == pytest.approx(11050.0, abs=0.1)
        assert scan.energy[-1] == pytest.approx(11499.7, abs=0.3)
        assert scan.source.endswith(f"ESRF_SNBL_2013.dat, scan {n}")
        mu = np.log(scan.columns["i0"] / scan.columns["it"])
        steepest = scan.energy[np.argmax(np.gradient(mu, scan.energy))]
        assert steepest == pytest.approx(11108.0, abs=8.0)
        # Bragg's law on the angle that the same row records (Si 111, 3.1356 angstrom), good to 0.01 %.
        bragg = 12398.42 / (2 * 3.1356 * np.sin(np.radians(scan.columns["twotheta"])))
        np.testing.assert_allclose(scan.energy, bragg, rtol=1e-4)
    assert scans[0].columns["i0"][0] == 11131


# The answer key of the XDI specification's bad files: those that must be refused, and where.
REFUSED = {
    12: "lattice spacing",
    14: "the row has 6 columns where the others have 4",
    16: "'STRING' stands where a number should",
    18: "'Family.key:' is not a header field",
    20: "'Family:key:  Value' is not a header field",
    22: "'Family.key.subkey:  Value' is not a header field",
    24: "'2000Family.key:  Value' is not a header field",
}
TOLD = {
    2: "note: the header lacks required fields",
    4: "warning: the file names an edge that does not exist",
    6: "note: the header is not closed by a line '#---'",
    8: "warning: Column.N fields and table differ",
    10: "warning: Column.N fields and table differ",
    28: "note: scan.start_time is not a date and time",
    30: "warning: the file names no element of the periodic table",
    34: "note: facility.energy is not a number with a unit",
}


@pytest.mark.parametrize("number", range(0, 36, 2))
def test_bad_xdi(shared_data: Path, number: int) -> None:
    path = shared_data / "xdi_bad" / f"bad_{number:02d}.xdi"
    if number in REFUSED:
        with pytest.raises(DataError, match=REFUSED[number]) as caught:
            load_scans(path)
        assert str(path) in caught.value.where
        return
    (scan,) = load_scans(path)
    assert scan.energy.size == 12
    if number in TOLD:
        assert TOLD[number] in [done.name for done in scan.history]


def test_other_odd_files(shared_data: Path) -> None:
    folder = shared_data / "xdi_bad"
    scans = [load_scans(path)[0] for path in sorted((folder / "non_ascii_names").iterdir())]
    assert len(scans) == 8
    assert {scan.energy.size for scan in scans} == {511}
    with pytest.raises(DataError, match="there is no row of two or more numbers"):
        load_scans(folder / "demeter_notdata.0")
    (broken,) = load_scans(folder / "demeter_zbroken.dat")
    assert warnings_of(broken) == ["warning: it is zero"]


@pytest.mark.parametrize(
    ("name", "element", "edge", "roles"),
    [
        ("generic_columns_no_header.dat", None, None, {"i0", "it", "ir", "mu", "mu_ref"}),
        ("CLSHXMA.dat", "As", "K", {"i0", "it", "ir"}),
        ("NSLS8ID_2019.dat", "As", "K", {"i0", "it", "ir", "if"}),
        ("NSLS_XDAC_2011.dat", "Fe", "K", {"i0", "it", "if"}),
        ("PFBL12C_2005.dat", "Hg", "L3", {"i0", "it"}),
        ("SSRL1_2006.dat", "Ag", "K", {"i0", "it", "ir"}),
        ("APS13ID_2008.dat", "Zn", "K", {"i0", "it"}),
        ("hdf5/ewoksbm08_example.h5", "Te", "K", {"i0", "it", "ir", "if"}),
        ("pyfitit/bTiCl3.nor", "Ti", "K", {"mu"}),
        ("APS9BM_2006.dat", "S", "K", {"i0"}),
        ("APS13ID_2019.dat", None, None, {"i0", "it", "ir", "if"}),
        ("cls/SXRMB_Fe_foil_head.dat", "Fe", "K", {"i0", "tey"}),
        ("demeter/fe73ga27.010", "Fe", "K", {"i0", "if"}),
        ("demeter/ZT20.000", "Zn", "K", {"i0", "it", "ir"}),
        ("mrfitty/Arsenopyrite_Julcani_OA.e", "As", "K", {"mu"}),
        ("solaris/pirx_c2.txt", "Cu", "L3", {"mu"}),
        ("araucaria/xmu_testfile.xmu", "As", "K", {"mu", "mu_ref"}),
    ],
)
def test_beamlines(
    shared_data: Path, name: str, element: str | None, edge: str | None, roles: set[str]
) -> None:
    scans = load_scans(shared_data / "xas_beamline_formats" / name, element=element, edge=edge)
    for scan in scans:
        assert roles <= set(scan.columns)
        assert (np.diff(scan.energy) > 0).all()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("demeter/Pd_foil.CSV", "no titles, and the first one, from 1, is no energy"),
        ("demeter/cufluo.dat", "no titles, and the first one, from 0.333"),
        ("hdf5/NiSO4_SKa_XES_0001.h5", "no scan over the energy: 2 other groups"),
        ("hdf5/blc16742_NiSO4.h5", "1121 links to what is not there"),
    ],
)
def test_beamlines_not_read(shared_data: Path, name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_scans(shared_data / "xas_beamline_formats" / name)


def test_chi_of_k_is_no_scan_in_kev(shared_data: Path) -> None:
    """From 0.33 to 15: as keV that would hold any edge."""
    path = shared_data / "xas_beamline_formats" / "demeter" / "cufluo.dat"
    with pytest.raises(DataError, match="does not lie in the scan"):
        load_scans(path, element="Cu", edge="K")


def test_simulated_cases(shared_data: Path) -> None:
    """The simulated projects: XDI, SPEC and columns of the same edge."""
    cases = shared_data.parent / "cases"
    for pattern, count in (("P1/ta_l3_*.xdi", 4), ("P2/TaL3_pellet_*.dat", 4), ("P3/tal3_*.dat", 3)):
        scans = [s for p in sorted(cases.glob(pattern)) for s in load_scans(p, element="Ta", edge="L3")]
        assert len(scans) == count
        for scan in scans:
            mu, ref = (np.log(scan.columns[a] / scan.columns[b]) for a, b in (("i0", "it"), ("it", "ir")))
            before, after = scan.energy < 9860, scan.energy > 9920
            assert mu[after].mean() - mu[before].mean() > 0.5
            assert ref[after].mean() - ref[before].mean() > 0.5
    for name in ("P1/sample_iq.chi", "P1/capillary_iq.chi", "P2/sample_iq.chi"):
        iq = load_iq(cases / name, wavelength=0.2510)
        assert iq.q[0] == pytest.approx(0.65)
        assert np.all(iq.intensity > 0)
    box = load_gr(cases / "P4_boxcar/composite.gr")
    assert (box.q_min, box.q_max, box.r.size) == (0.7, 21.0, 3001)
    with pytest.raises(DataError, match=r"site Sm1 is occupied by 0\.875 Sm"):
        load_trajectory(cases / "P4_boxcar/models/Na0.75Sm1.75Cl6_UCl3type.cif")


@pytest.mark.parametrize(
    ("name", "q_max", "composition", "peak"),
    [
        ("NaCl.gr", 21.0, {"Na": 1.0, "Cl": 1.0}, 2.80),
        ("Ni-q27r60-xray.gr", 27.0, {}, 2.49),
        ("Ni-q27r100-neutron.gr", 27.0, {}, 2.49),
        ("cmi_book/Ni.gr", 25.0, {"Ni": 1.0}, 2.49),
        ("srmise/Ag-nyquist-qmax30.gr", 30.0, {}, 2.93),
    ],
)
def test_gr(shared_data: Path, name: str, q_max: float, composition: dict[str, float], peak: float) -> None:
    """First neighbours: 3.524 / sqrt 2 in nickel, 4.086 / sqrt 2 in silver on a coarse grid.

    This salt was cold: its peaks give a = 5.60 angstrom, where 5.64 is the cell at room temperature.
    """
    gr = load_gr(shared_data / "pdf_gr" / name)
    assert gr.q_max == q_max
    assert gr.composition == composition
    near = (gr.r > 2.2) & (gr.r < 3.3)
    assert gr.r[near][np.argmax(gr.g[near])] == pytest.approx(peak, abs=0.03)
    assert load(shared_data / "pdf_gr" / name).r.size == gr.r.size


def test_patterns(shared_data: Path) -> None:
    folder = shared_data / "pdf_iq_raw"
    ni = load_iq(folder / "Ni_chi_file.chi")
    assert ni.wavelength == pytest.approx(0.1671)
    # 111 of nickel (a = 3.524 angstrom): Q = 2 pi sqrt(3) / a = 3.088; the strongest line of the pattern.
    assert ni.q[np.argmax(ni.intensity)] == pytest.approx(2 * np.pi * np.sqrt(3) / 3.524, abs=0.03)
    assert load_iq(folder / "cmi_book/ni.iq").q[-1] == pytest.approx(23.99, abs=0.01)
    with pytest.raises(DataError, match="the axis is an angle and the wavelength is not known"):
        load_iq(folder / "ID11_CeO2/background.xy")
    with pytest.raises(DataError, match="nothing says whether the first column is Q or 2theta"):
        load_iq(folder / "lab/zro2_mo.xy", wavelength=0.7107)
    # Tetragonal zirconia by molybdenum radiation: its strongest line, 101 at d = 2.96 angstrom.
    lab = load_iq(folder / "lab/zro2_mo.xy", wavelength=0.7107, axis="2theta")
    assert lab.q[np.argmax(np.where(lab.q > 1, lab.intensity, 0))] == pytest.approx(
        2 * np.pi / 2.96, abs=0.03
    )


def test_argyrodite(shared_data: Path) -> None:
    """Li6PS5Cl: every phosphorus has four sulphurs between 1.9 and 2.7 angstrom, in the mean at 2.03-2.07."""
    path = shared_data / "trajectories/argyrodite/Li6PS5Cl_0p_run1_XDATCAR.gz"
    run = load_trajectory(path)
    assert (run.n_frames, run.n_atoms) == (140, 416)
    assert run.composition == {"Li": 192, "Cl": 32, "S": 160, "P": 32}
    assert run.number_density == pytest.approx(0.04964, abs=1e-5)
    few = load_trajectory(path, frames=slice(0, None, 35))
    assert few.n_frames == 4
    species = np.array(few.species)
    assert few.cells is not None
    for positions, cell in zip(few.positions, few.cells, strict=True):
        apart = positions[species == "P"][:, None] - positions[species == "S"][None]
        fraction = apart @ np.linalg.inv(cell)
        distance = np.linalg.norm((fraction - np.round(fraction)) @ cell, axis=-1)
        assert (np.sum(distance < 2.7, axis=1) == 4).all()
        assert 2.03 < distance[distance < 2.7].mean() < 2.09


def test_other_trajectories(shared_data: Path) -> None:
    folder = shared_data / "trajectories"
    salt = load_trajectory(folder / "NaCl_800K_MD_XDATCAR")
    assert (salt.n_frames, salt.composition) == (40, {"Na": 108, "Cl": 108})
    glass = load_trajectory(folder / "kinisi/LiPS_first10.exyz", frames=slice(0, 2))
    assert glass.composition == {"Li": 896, "P": 384, "S": 1408}
    own = shared_data.parent / "trajectories"
    packed = load_trajectory(own / "NTC_crystal_600K_chgnet.XDATCAR.gz", frames=slice(0, 20))
    plain = load_trajectory(own / "NTC_crystal_600K_chgnet.extxyz.gz", frames=slice(0, 20))
    assert packed.composition == plain.composition
    assert packed.cells is not None
    fraction = (packed.positions - plain.positions) @ np.linalg.inv(packed.cells)
    np.testing.assert_allclose((fraction + 0.5) % 1.0, 0.5, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "composition"),
    [
        ("amcsd_Na2S_Wyckoff.cif", {"Na": 8, "S": 4}),
        ("amcsd_NaCl_2004.cif", {"Na": 4, "Cl": 4}),
        ("amcsd_Na2Ta4O11_1985.cif", {"Na": 12, "Ta": 24, "O": 66}),
        ("amcsd_TaS2_2H_1990.cif", {"Ta": 2, "S": 4}),
        ("amcsd_TaS2_3R_Wyckoff.cif", {"Ta": 3, "S": 6}),
        ("demeter_anatase.cif", {"Ti": 4, "O": 8}),
        ("dissolve_Fe-alpha-9008536.cif", {"Fe": 2}),
    ],
)
def test_crystals(shared_data: Path, name: str, composition: dict[str, int]) -> None:
    crystal = load_trajectory(shared_data / "structures" / name)
    assert Counter(crystal.composition) == Counter(composition)
