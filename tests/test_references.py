"""The registry of standards, held to the measured spectra that are shipped with it."""

import hashlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from shortrange import references
from shortrange.atoms import edge_energy
from shortrange.cli.app import run_app
from shortrange.errors import DataError

SPECTRA = Path(__file__).parents[1] / "reference_spectra"
ENTRY = """
[[reference]]
key = "mine"
element = "S"
edge = "K"
compound = "ZnSO4.7H2O"
feature = "white line"
energy = 2482.0
definition = "white line"
status = "primary"
source = "our logbook"
"""


def vertex(x, y):
    i = int(np.argmax(y))
    a, b, _ = np.polyfit(x[i - 1 : i + 2] - x[i], y[i - 1 : i + 2], 2)
    return x[i] - b / (2 * a)


@pytest.fixture(scope="module")
def athena():
    from larch.io import read_athena

    found = {}
    for path in SPECTRA.glob("*/*.prj"):
        project = read_athena(str(path), do_preedge=False, do_bkg=False, do_fft=False)
        for key in list(project.keys()):
            found[project[key].label.strip()] = project[key]
    return found


LABELS = {
    "s-k-zinc-sulfate-camd": "Zn SO4 (6+)",
    "s-k-gypsum-camd": "CaSO4 Gypsum pure (6+)",
    "s-k-iron-sulfate-heptahydrate-camd": "FeSO4_7H2O (6+)",
    "s-k-zinc-sulfite-camd": "ZnSO3 (3+)",
    "s-k-elemental-sulfur-camd": "Sulfur flower (+0)",
    "s-k-zinc-sulfide-camd": "ZnS  (ox. 1-)",
    "s-k-calcium-sulfide-camd": "CaS (ox 2- ?)",
    "cl-k-potassium-chloride-camd": "KCl",
    "cl-k-sodium-chloride-camd": "NaCl",
    "cl-k-lead-chloride-camd": "PbCl2",
    "cl-k-palladium-chloride-camd": "PdCl2",
}
WINDOW = {"S": (2466.0, 2486.0), "Cl": (2816.0, 2832.0)}


def entry(key):
    return next(each for each in references.find() if each.key == key)


def test_every_entry_of_a_project_file_is_checked():
    assert {e.key for e in references.find() if e.spectrum.endswith(".prj")} == set(LABELS)


@pytest.mark.parametrize("key", LABELS)
def test_energies_are_those_of_the_shipped_project_files(athena, key):
    each = entry(key)
    group = athena[LABELS[key]]
    # xraylarch hands out the axis as recorded; Athena shows it with the shift that its authors set.
    shift = float(group.athena_params.bkg.eshift)
    low, high = WINDOW[each.element]
    part = (group.energy >= low) & (group.energy <= high)
    recorded = vertex(group.energy[part], group.mu[part])
    assert each.energy == pytest.approx(recorded + shift, abs=0.006)  # rounded to 0.01
    if shift:
        assert f"{shift:+.3f} eV" in each.note
        stated = float(re.search(r"([0-9.]+) eV as recorded", each.note)[1])
        assert stated == pytest.approx(recorded, abs=0.006)
    assert (SPECTRA / each.spectrum).is_file()


def test_shifts_of_the_project_bring_the_sulfates_together():
    """The sign and the use of the shifts: white lines of sulfates agree with them and scatter without."""
    keys = ("s-k-zinc-sulfate-camd", "s-k-gypsum-camd", "s-k-iron-sulfate-heptahydrate-camd")
    with_shift = [entry(key).energy for key in keys]
    recorded = [
        float(found[1]) if (found := re.search(r"([0-9.]+) eV as recorded", each.note)) else each.energy
        for each in map(entry, keys)
    ]
    assert np.ptp(with_shift) < 0.15 < 0.4 < np.ptp(recorded)


def test_our_loader_gives_the_axis_of_the_registry():
    from shortrange.load import load_scans

    scans = {scan.label: scan for scan in load_scans(SPECTRA / "camd_s_k/S_CAMD.prj")}
    for key, label in LABELS.items():
        if key.startswith("s-k"):
            scan = scans[label]
            part = (scan.energy >= 2466.0) & (scan.energy <= 2486.0)
            found = vertex(scan.energy[part], scan.columns["mu"][part])
            assert entry(key).energy == pytest.approx(found, abs=0.006)


def test_nickel_sulfate_is_where_its_spectrum_has_it():
    each = entry("s-k-niso4-id26")
    energy, mu, sigma = np.loadtxt(SPECTRA / each.spectrum, delimiter=",", skiprows=1, unpack=True)
    assert vertex(energy, mu) == pytest.approx(each.energy, abs=0.006)
    assert sigma.min() > 0


def test_tin_reference_needs_a_shift():
    each = entry("sn-k-foil-dnd")
    data = np.loadtxt(SPECTRA / each.spectrum)
    part = (data[:, 0] > 29190) & (data[:, 0] < 29215)
    slope = np.gradient(data[:, 18], data[:, 0])
    found = vertex(data[part, 0], slope[part])
    assert found == pytest.approx(each.energy, abs=0.06)
    assert found - entry("sn-k-foil").energy == pytest.approx(3.2, abs=0.1)


def test_checksums_of_the_readmes_are_those_of_the_files():
    folders = {Path(each.spectrum).parts[0] for each in references.find() if each.spectrum}
    for readme in [SPECTRA / folder / "README.md" for folder in sorted(folders)]:
        text = readme.read_text(encoding="utf-8")
        name = re.search(r"\*\*File\*\* `([^`]+)`", text).group(1)
        stated = re.search(r"sha256 `([0-9a-f]{64})`", text).group(1)
        assert hashlib.sha256((readme.parent / name).read_bytes()).hexdigest() == stated, name
        assert "**Licence**" in text


def test_tabulated_edges_are_those_of_their_tables():
    import xraylib

    for each in references.find():
        if each.status == "tabulated" and "xraylib" in each.key:
            number = xraylib.SymbolToAtomicNumber(each.element)
            assert each.edge == "K"
            assert each.energy == pytest.approx(1e3 * xraylib.EdgeEnergy(number, xraylib.K_SHELL))
        elif each.status == "tabulated":
            assert each.energy == pytest.approx(edge_energy(each.element, each.edge))


def test_every_energy_is_near_its_edge_and_has_a_source():
    for each in references.find():
        assert abs(each.energy - edge_energy(each.element, each.edge)) < 12.0, each.key
        assert each.source
        assert (each.status == "measured") <= (each.uncertainty is not None), each.key
        if each.doi:
            assert re.fullmatch(r"10\.\d{4,}/\S+", each.doi)
            assert each.doi in each.citation()


@pytest.mark.parametrize("name", ["ZnSO4.7H2O", "ZnSO4·7H2O", "znso4 7h2o", "zinc sulfate heptahydrate"])
def test_compounds_go_by_several_names(name):
    (found,) = references.find(element="s", edge="k", compound=name)
    assert (found.key, found.energy) == ("s-k-znso4-7h2o", 2481.4)


def test_disagreement_on_sulfur_is_kept():
    found = references.find(element="S", edge="K", compound="S8")
    energies = [each.energy for each in found]
    assert max(energies) - min(energies) == pytest.approx(1.17)
    assert {each.status for each in found} == {"untraced", "measured"}


def test_nothing_found_is_an_empty_tuple():
    assert references.find(element="S", edge="K", compound="NaTaCl6") == ()


def test_unknown_element_is_said():
    with pytest.raises(DataError, match="no reference for the element 'Xx'"):
        references.find(element="Xx")


def test_private_registry_comes_first(tmp_path, monkeypatch):
    (tmp_path / "ours.toml").write_text(ENTRY)
    monkeypatch.setenv(references.PRIVATE, str(tmp_path))
    found = references.find(element="S", edge="K", compound="ZnSO4.7H2O")
    assert [each.key for each in found] == ["mine", "s-k-znso4-7h2o"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"white line"\nenergy', '"whit line"\nenergy'), "did you mean 'white line'"),
        (("2482.0", '"2482"'), "energy = '2482'"),
        (("2482.0", "-1"), "energy = -1"),
        (("source", "sorce"), "did you mean 'source'"),
        (('source = "our logbook"', ""), "lacks"),
        (('key = "mine"', 'key = "cu-k-foil"'), "two entries"),
        (("[[reference]]", "[reference]"), "begin each entry"),
        (("energy =", "energy"), "no TOML"),
        (('source = "our logbook"', "source = 3"), "source = 3"),
        (('source = "our', 'names = "gypsum"\nsource = "our'), "write names"),
    ],
)
def test_a_bad_registry_is_refused(tmp_path, monkeypatch, change, message):
    path = tmp_path / "ours.toml"
    path.write_text(ENTRY.replace(*change, 1))
    monkeypatch.setenv(references.PRIVATE, str(path))
    with pytest.raises(DataError, match=re.escape(message)):
        references.find()


def test_the_entry_of_the_page_is_one(tmp_path):
    page = (SPECTRA.parent / "docs/standards.md").read_text(encoding="utf-8")
    (tmp_path / "ours.toml").write_text(re.search(r"```toml\n(.*?)```", page, re.S)[1], encoding="utf-8")
    (mine,) = references.read_registry(tmp_path / "ours.toml")
    assert (mine.element, mine.feature, mine.uncertainty) == ("Na", "white line", 0.2)


def test_a_missing_registry_is_said(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        references.read_registry(tmp_path / "none.toml")
    with pytest.raises(DataError, match="holds no registry"):
        references.read_registry(tmp_path)


def test_command_lists_searches_and_prints_json(capsys):
    assert run_app(["references", "--element", "S", "--compound", "gypsum"]) == 0
    assert "2481.53 ± 0.1" in capsys.readouterr().out
    assert run_app(["references", "tin", "kraft", "--full"]) == 0
    assert "no reference fits" in capsys.readouterr().out
    assert run_app(["references", "kraft", "--element", "Cu", "--full"]) == 0
    assert "doi:10.1063/1.1146657" in capsys.readouterr().out
    assert run_app(["references", "--json", "--element", "Cl", "kcl", "primary"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["energy"] == 2825.0
    assert run_app(["references", "S", "--json"]) == 0  # an element, not each word with an s
    assert {entry["element"] for entry in json.loads(capsys.readouterr().out)} == {"S"}
    assert run_app(["references", "--element", "Q"]) == 2
    capsys.readouterr()
    assert run_app(["references", "naci"]) == 0
    assert "did you mean NaCl?" in capsys.readouterr().out
    assert run_app(["references", "--crystals", "--compound", "Na2SS"]) == 0
    assert "did you mean Na2S?" in capsys.readouterr().out


def test_crystals_are_those_of_their_files():
    from shortrange import load_trajectory

    known = references.crystals()
    assert {"NaCl", "KCl", "Na2S", "TaS2", "S8"} <= {each.compound for each in known}
    for each in known:
        crystal = load_trajectory(SPECTRA / each.file)
        a, b, c, alpha, beta, gamma = each.cell
        cosines = np.cos(np.radians([alpha, beta, gamma]))
        volume = a * b * c * np.sqrt(1 - (cosines**2).sum() + 2 * cosines.prod())
        assert abs(np.linalg.det(crystal.cells[0])) == pytest.approx(volume, rel=1e-6), each.compound
        assert each.source
        assert each.amcsd
    assert references.crystals("Halite")[0].cell[0] == 5.6401


def test_crystals_on_the_command_line(capsys):
    assert run_app(["references", "--crystals", "--compound", "2H-TaS2"]) == 0
    printed = capsys.readouterr().out
    assert "P 63/m m c" in printed
    assert "3.314, 3.314, 12.097" in printed
    assert run_app(["references", "--crystals", "--compound", "unobtainium"]) == 0
    assert "no crystal fits" in capsys.readouterr().out


def test_plot_of_energies(tmp_path, capsys):
    path = tmp_path / "sulfur.png"
    assert run_app(["references", "--element", "S", "--plot", str(path)]) == 0
    assert path.read_bytes().startswith(b"\x89PNG")
    assert run_app(["references", "--plot", str(path)]) == 2
    assert "edges are too many" in capsys.readouterr().err
    assert run_app(["references", "--element", "S", "--plot", str(tmp_path / "a.doc")]) == 2
    assert "is no figure" in capsys.readouterr().err


def test_figure_places_each_energy():
    from shortrange.report.figures.references import references_figure

    found = references.find(element="S", compound="S8")
    (ax,) = references_figure(found).axes
    places = [float(bars.lines[0].get_xdata()[0]) for bars in ax.containers]
    assert places == sorted(each.energy for each in found)
    who = [f"S8, white line ({name})" for name in ("camd", "13ide", "literature")]
    assert [label.get_text() for label in ax.get_yticklabels()] == who


COMPUTED = SPECTRA / "computed"
SHELLS = {
    "TaCl5_dimer": (2.27, 2.32),
    "TaCl6_isolated": (2.33, 2.42),
    "TaS2_2H": (2.45, 2.49),
    "NaTaCl6": (2.30, 2.42),
    "Na2S": (2.80, 2.85),
    "NaCl": (2.80, 2.84),
    "Ta2Cl10S_corner": (2.28, 2.40),
    "Ta2Cl8S2_edge": (2.28, 2.46),
}
"""Where G(r) of each computed reference has its first maximum: its bonds, angstrom."""


@pytest.mark.parametrize("name", SHELLS)
def test_computed_references_say_so_and_have_their_bonds(name):
    for suffix in ("chi", "gr"):
        assert (COMPUTED / f"{name}.{suffix}").read_text().startswith("# computed, not measured")
    r, g = np.loadtxt(COMPUTED / f"{name}.gr", unpack=True)
    # The first large maximum: ripples of the finite Q-range lie below it.
    tops = np.flatnonzero((g[1:-1] > g[:-2]) & (g[1:-1] > g[2:]) & (g[1:-1] > 0.5 * g[r < 3.2].max())) + 1
    low, high = SHELLS[name]
    assert low < r[tops[0]] < high
    k, at_rest, chi = np.loadtxt(COMPUTED / f"{name}.chi", unpack=True)
    assert chi == pytest.approx(at_rest * np.exp(-2 * 0.005 * k**2), abs=2e-4)


def test_every_system_of_the_script_is_there():
    text = (COMPUTED / "make.py").read_text(encoding="utf-8")
    names = set(re.findall(r'^    "(\w+)": System\(', text, re.M))
    assert names == set(SHELLS) == {path.stem for path in COMPUTED.glob("*.chi")}


def test_a_computed_reference_is_what_feff_gives_now():
    """Isolated TaCl6 run again: the shipped columns are those of the script."""
    import importlib.util

    spec = importlib.util.spec_from_file_location("make", COMPUTED / "make.py")
    make = importlib.util.module_from_spec(spec)
    sys.modules["make"] = make
    spec.loader.exec_module(make)
    system = make.SYSTEMS["TaCl6_isolated"]
    again = make.chi_columns(system, system.structure())["chi_at_rest"]
    shipped = np.loadtxt(COMPUTED / "TaCl6_isolated.chi", unpack=True)[1]
    assert again == pytest.approx(shipped, abs=1e-4)
    again = make.gr_columns(system.structure())["G"]
    assert again == pytest.approx(np.loadtxt(COMPUTED / "TaCl6_isolated.gr", unpack=True)[1], abs=1e-3)


def test_calibration_uses_the_registry_and_your_own_entries_first(tmp_path, monkeypatch):
    from shortrange.reduce.calibrate import choose_standard, standards

    assert {"ZnSO4.7H2O", "KCl", "Ta foil", "W foil", "Fe foil", "Cu foil"} <= {s.name for s in standards()}
    assert choose_standard(None, element="S", edge="K").energy == 2481.4
    mine = tmp_path / "mine.toml"
    mine.write_text(ENTRY, encoding="utf-8")
    monkeypatch.setenv(references.PRIVATE, str(mine))
    chosen = choose_standard(None, element="S", edge="K")
    assert (chosen.energy, chosen.source) == (2482.0, "our logbook")
    assert choose_standard("Ta foil", element="Ta", edge="L3").energy == 9881.0
