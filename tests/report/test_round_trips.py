"""Out and in again: what a format holds is read back equal, history included."""

import gzip

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from shortrange.load import load, load_gr, load_iq, load_scans, load_trajectory
from shortrange.load.history import SIMULATED, is_simulated
from shortrange.quantities import GR, IQ, SQ, ChiK, Scan, Trajectory, step
from shortrange.reduce.mu import to_mu
from shortrange.report.athena import write_athena
from shortrange.report.columns import write_chi_k, write_gr, write_iq, write_sq
from shortrange.report.convert import convert
from shortrange.report.scan_files import write_nxxas, write_scan_csv, write_scan_xdi
from shortrange.report.structures import write_trajectory
from shortrange.report.xdi import write_xdi

# Without shrinking, which takes minutes where every try writes a file.
FEW = settings(max_examples=12, phases=(Phase.explicit, Phase.reuse, Phase.generate))
finite = st.floats(-1e6, 1e6, allow_nan=False).map(lambda x: x + 0.0)
names = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | finite | names,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=5,
)
histories = st.lists(
    st.builds(lambda name, extra: step(f"do {name}", **extra), names, st.fixed_dictionaries({"x": values}))
    | st.just(step(SIMULATED)),
    max_size=3,
).map(tuple)


def columns(n, count=1, low=-1e6, high=1e6):
    one = st.lists(st.floats(low, high, allow_nan=False), min_size=n, max_size=n)
    return st.tuples(*[one] * count).map(lambda parts: [np.array(part) for part in parts])


@st.composite
def scans(draw):
    n = draw(st.integers(6, 30))
    energy = 9700.0 + np.cumsum(draw(columns(n, low=0.05, high=30.0))[0])
    i0, it, other = draw(columns(n, 3, low=1e-3, high=1e9))
    metadata = {"sample.name": "Ta Cl5", "facility.name": "nowhere"}
    return Scan(
        energy=energy,
        columns={"i0": i0, "it": it, "if": other},
        element="Ta",
        edge="L3",
        metadata=metadata,
        label="a",
        history=draw(histories),
    )


def same_history(before, after):
    """The steps before writing come first, as they were; those of the reading follow."""
    kept = after.history[: len(before.history)]
    assert [(s.name, dict(s.settings), s.version) for s in kept] == [
        (s.name, dict(s.settings), s.version) for s in before.history
    ]
    assert any(s.name.startswith("load") for s in after.history[len(before.history) :])
    assert is_simulated(after.history) == is_simulated(before.history)


def same_scan(before, after, channels=("i0", "it", "if")):
    np.testing.assert_array_equal(before.energy, after.energy)
    for channel in channels:
        np.testing.assert_array_equal(before.columns[channel], after.columns[channel])
    same_history(before, after)


def wide(scan):
    """Whether the Ta L3 edge lies inside, as loaders demand of a stated edge."""
    return scan.energy[0] < 9881 < scan.energy[-1]


@FEW
@given(scan=scans().filter(wide))
def test_scans_as_xdi(tmp_path_factory, scan):
    (back,) = load_scans(write_scan_xdi(tmp_path_factory.mktemp("x") / "a.xdi", scan))
    same_scan(scan, back)
    assert (back.element, back.edge) == ("Ta", "L3")
    assert back.metadata["sample.name"] == "Ta Cl5"
    assert back.metadata["facility.name"] == "nowhere"
    assert "shortrange.history" not in back.metadata


@FEW
@given(scan=scans().filter(wide))
def test_scans_as_columns(tmp_path_factory, scan):
    (back,) = load_scans(write_scan_csv(tmp_path_factory.mktemp("c") / "a.csv", scan))
    same_scan(scan, back)


@FEW
@given(several=st.lists(scans().filter(wide), min_size=1, max_size=3))
def test_scans_as_nxxas(tmp_path_factory, several):
    path = write_nxxas(tmp_path_factory.mktemp("h") / "a.h5", several)
    for before, after in zip(several, load_scans(path), strict=True):
        same_scan(before, after)
        assert (after.element, after.edge) == ("Ta", "L3")


def smooth_scan():
    energy = np.concatenate([np.arange(9700.0, 9860.0, 4.0), np.arange(9860.0, 10200.0, 1.5)])
    mu = 0.3 + 0.5 + np.arctan((energy - 9881.0) / 2.0) / np.pi
    given = {"energy": energy, "columns": {"mu": mu}, "element": "Ta", "edge": "L3", "label": "it's \\ $a"}
    return Scan(**given, history=(step("made", text="quotes ' and \" and \\", n=[1, 2.5, None]),))


def test_mu_as_an_athena_project(tmp_path):
    scan = smooth_scan()
    data = to_mu(scan, mode="mu")
    (back,) = load_scans(write_athena(tmp_path / "a.prj", [data]))
    np.testing.assert_array_equal(back.energy, data.energy)
    np.testing.assert_array_equal(back.columns["mu"], data.mu)
    assert (back.element, back.edge, back.label) == ("Ta", "L3", scan.label)
    same_history(data, back)


def test_merged_absorption_as_xdi(tmp_path):
    data = to_mu(smooth_scan(), mode="mu")
    (back,) = load_scans(write_xdi(tmp_path / "a.xdi", data))
    np.testing.assert_array_equal(back.columns["mu"], data.mu)
    same_history(data, back)


@FEW
@given(
    parts=columns(12, 2),
    sigma=st.none() | columns(12, low=1e-9, high=1e3).map(lambda p: p[0]),
    history=histories,
    wavelength=st.none() | st.floats(0.1, 2.0),
)
def test_patterns(tmp_path_factory, parts, sigma, history, wavelength):
    q = np.linspace(0.1, 6.0, 12)
    data = IQ(q=q, intensity=parts[0], sigma=sigma, wavelength=wavelength, history=history)
    for suffix in ("chi", "xy", "xye"):
        back = load_iq(write_iq(tmp_path_factory.mktemp("i") / f"a.{suffix}", data))
        np.testing.assert_array_equal(back.q, q)
        np.testing.assert_array_equal(back.intensity, parts[0])
        np.testing.assert_equal(back.sigma, sigma)
        assert back.wavelength == wavelength
        same_history(data, back)


@FEW
@given(
    curve=columns(12).map(lambda p: p[0]),
    sigma=st.none() | columns(12, low=1e-9, high=1e3).map(lambda p: p[0]),
    history=histories,
    density=st.none() | st.floats(1e-3, 0.2),
    q_max=st.none() | st.floats(5.0, 40.0),
)
def test_distribution_and_structure_functions(tmp_path_factory, curve, sigma, history, density, q_max):
    folder = tmp_path_factory.mktemp("g")
    x = np.linspace(0.01, 12.0, 12)
    more = {
        "composition": {"Na": 1.0, "Ta": 1.0, "Cl": 5.0, "S": 0.5},
        "number_density": density,
        "history": history,
    }
    gr = GR(r=x, g=curve, sigma=sigma, q_max=q_max, q_min=0.7, **more)
    sq = SQ(q=x, s=curve, sigma=sigma, **more)
    back = load(write_gr(folder / "a.gr", gr, simulated=False))
    for name in ("r", "g", "sigma", "q_max", "q_min", "number_density", "composition"):
        np.testing.assert_equal(getattr(back, name), getattr(gr, name), name)
    same_history(gr, back)
    back = load(write_sq(folder / "a.sq", sq))
    for name in ("q", "s", "sigma", "number_density", "composition"):
        np.testing.assert_equal(getattr(back, name), getattr(sq, name), name)
    same_history(sq, back)


@FEW
@given(
    curve=columns(12).map(lambda p: p[0]),
    sigma=st.none() | columns(12, low=1e-9, high=1e3).map(lambda p: p[0]),
    history=histories,
    e0=st.none() | st.floats(1e3, 2e4),
)
def test_exafs(tmp_path_factory, curve, sigma, history, e0):
    chi = ChiK(k=np.linspace(0.0, 12.0, 12), chi=curve, sigma=sigma, e0=e0, edge_step=1.2, history=history)
    back = load(write_chi_k(tmp_path_factory.mktemp("k") / "a.chik", chi))
    for name in ("k", "chi", "sigma", "e0", "edge_step"):
        np.testing.assert_equal(getattr(back, name), getattr(chi, name), name)
    same_history(chi, back)


@st.composite
def trajectories(draw, frames=None, crystal=None):
    n = frames or draw(st.integers(1, 3))
    periodic = draw(st.booleans()) if crystal is None else crystal
    positions = np.array(draw(columns(9 * n, low=0.01, high=9.99))[0]).reshape(n, 3, 3)
    cells = None
    if periodic:
        cells = np.array([np.diag([10.0, 11.0, 12.5]) + np.triu(np.ones((3, 3)), 1)] * n)
    return Trajectory(
        species=("Ta", "Cl", "S"), positions=positions, cells=cells, label="m", history=draw(histories)
    )


@FEW
@given(before=trajectories())
def test_snapshots_as_extxyz(tmp_path_factory, before):
    back = load_trajectory(write_trajectory(tmp_path_factory.mktemp("t") / "a.extxyz", before))
    assert back.species == before.species
    np.testing.assert_array_equal(back.positions, before.positions)
    np.testing.assert_equal(back.cells, before.cells)
    same_history(before, back)


@FEW
@given(before=trajectories(frames=1, crystal=True))
def test_a_crystal_as_cif(tmp_path_factory, before):
    """A CIF knows lengths and angles but no orientation: distances are what it keeps."""
    back = load_trajectory(write_trajectory(tmp_path_factory.mktemp("t") / "a.cif", before))
    assert back.species == before.species

    def metric(t):
        return t.cells[0] @ t.cells[0].T

    np.testing.assert_allclose(metric(back), metric(before), rtol=1e-12, atol=1e-9)
    fractions = [np.linalg.solve(t.cells[0].T, t.positions[0].T) for t in (before, back)]
    difference = fractions[0] - fractions[1]
    np.testing.assert_allclose(difference - np.round(difference), 0.0, atol=1e-9)
    same_history(before, back)


X = np.linspace(0.5, 12.0, 24)
EDGE = np.linspace(9700.0, 10100.0, 24)
MADE = (step(SIMULATED),)
KINDS = {
    "xdi": Scan(energy=EDGE, columns={"i0": X, "it": X}, element="Ta", edge="L3", history=MADE),
    "gr": GR(r=X, g=np.sin(X), history=MADE),
    "sq": SQ(q=X, s=np.sin(X), history=MADE),
    "chi": IQ(q=X, intensity=2 + np.sin(X), history=MADE),
    "chik": ChiK(k=X, chi=np.sin(X), history=MADE),
    "cif": Trajectory(species=("Ta",), positions=np.ones((1, 1, 3)), cells=[np.eye(3) * 9], history=MADE),
}
NEXT = {
    "xdi": ("csv", "h5", "prj", "xdi"),
    "gr": ("gr",),
    "sq": ("sq",),
    "chi": ("xy", "xye"),
    "chik": ("chik",),
    "cif": ("extxyz", "cif"),
}
WRITERS = {
    "xdi": write_scan_xdi,
    "gr": write_gr,
    "sq": write_sq,
    "chi": write_iq,
    "chik": write_chi_k,
    "cif": write_trajectory,
}


@pytest.mark.parametrize(("first", "then"), [(a, b) for a, several in NEXT.items() for b in several])
def test_simulated_data_stay_simulated_through_every_format(tmp_path, first, then):
    """Written, converted, converted back: each file says it to a reader, and each reading knows it."""
    path = WRITERS[first](tmp_path / f"a.{first}", KINDS[first])
    (there,) = convert(path, tmp_path / f"b.{then}", mode="transmission" if then == "prj" else None)
    (back,) = convert(there, tmp_path / f"c.{first}") if then != "prj" else convert(there, tmp_path / "c.xdi")
    for each in (path, there, back):
        raw = each.read_bytes()
        text = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
        assert b"SIMULATED DATA" in text or b"simulated" in text, each
        found = load(each)
        assert all(is_simulated(one.history) for one in (found if isinstance(found, tuple) else (found,)))


def test_measured_data_stay_measured(tmp_path):
    """Neither a folder of that name nor a way of refining makes data simulated."""
    folder = tmp_path / "simulated"
    folder.mkdir()
    data = GR(r=X, g=np.sin(X), history=(step("load G(r)", file="/simulated/a.gr"),))
    path = write_gr(
        folder / "a.gr", data, more={"inputfile": "/simulated/a.chi", "how": "simulated annealing"}
    )
    (there,) = convert(path, folder / "b.gr")
    assert not is_simulated(load_gr(there).history)
    assert "SIMULATED" not in there.read_text(encoding="utf-8")


@pytest.mark.parametrize("line", ["# SIMULATED DATA", "# simulated with a model", "# computed, not measured"])
def test_what_a_foreign_header_says_is_heard(tmp_path, line):
    rows = "\n".join(f"{x:.3f} {np.sin(x):.4f}" for x in np.arange(0.5, 12.0, 0.5))
    (tmp_path / "a.gr").write_text(f"{line}\n# r G\n{rows}\n", encoding="utf-8")
    assert is_simulated(load_gr(tmp_path / "a.gr").history)


def test_bare_columns_are_known_by_their_folder(tmp_path):
    """The tables of a command have no header; what they are stands in the summary beside them."""
    rows = "\n".join(f"{x},{np.sin(x)}" for x in X)
    folder = tmp_path / "reduced"
    folder.mkdir()
    (folder / "chi_k.csv").write_text(f"k,chi\n{rows}\n", encoding="utf-8")
    assert not is_simulated(load(folder / "chi_k.csv").history)
    (tmp_path / "verdict.json").write_text('{"simulated": true}', encoding="utf-8")
    assert is_simulated(load(folder / "chi_k.csv").history)


def test_a_history_that_somebody_edited_is_left_out(tmp_path):
    path = write_iq(tmp_path / "a.chi", IQ(q=np.linspace(0.1, 6, 12), intensity=np.ones(12)))
    text = path.read_text(encoding="utf-8").replace("shortrange.history: []", "shortrange.history: [1, {]")
    path.write_text(text, encoding="utf-8")
    assert [s.name for s in load_iq(path).history] == ["load I(Q)"]


@pytest.mark.parametrize(("frames", "cells"), [(2, True), (1, False)])
def test_a_cif_holds_one_crystal(tmp_path, frames, cells):
    given = {"species": ("Ta",), "positions": np.ones((frames, 1, 3))}
    data = Trajectory(**given, cells=np.array([np.eye(3) * 9] * frames) if cells else None)
    with pytest.raises(ValueError, match="a CIF cannot hold"):
        write_trajectory(tmp_path / "a.cif", data)
