"""reduce-pdf and peaks: their contracts, and 110 rows of bad input, no two alike; loaders have theirs."""

import json
import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from ase.build import bulk

from shortrange.atoms import mean_form_factors
from shortrange.cli.app import run_app
from shortrange.load import load_gr
from shortrange.quantities import Trajectory
from shortrange.reduce.scattering_terms import compton_intensity
from shortrange.simulate.pairs import pair_histograms
from shortrange.simulate.pdf import PdfModel

WAVELENGTH = 0.25
Q = np.arange(0.5, 20.0, 0.02)
RHO = 0.045


@cache
def structure():
    """Q and S - 1 of a glassy salt: rock salt, disordered, whose order dies out with a Gaussian in r."""
    atoms = bulk("NaCl", "rocksalt", a=5.62, cubic=True).repeat((3, 3, 3))
    positions = atoms.positions + np.random.default_rng(0).normal(0, 0.12, (2, len(atoms), 3))
    cells = np.repeat(np.array(atoms.cell)[None], 2, axis=0)
    frames = Trajectory(species=tuple(atoms.get_chemical_symbols()), positions=positions, cells=cells)
    pairs = pair_histograms(frames, r_max=14.0)
    order = (pairs.counts - pairs.ideal()) * np.exp(-0.5 * (pairs.r / 4.0) ** 2)
    glass = replace(pairs, counts=(pairs.ideal() + order).astype(np.float32))
    q = np.arange(0.3, 24.0, 0.02)
    return q, PdfModel(glass, np.array([1.0, 2.0]), 24.0).structure(q) / q


def intensity(q=Q, *, scale=2.0, seed=0):
    """Pattern of the glass in a container, with Compton scattering, fluorescence and noise: SIMULATED."""
    atoms = {"Na": 1, "Cl": 1}
    squared, mean = mean_form_factors(atoms, q, energy=12398.42 / WAVELENGTH)
    own = mean + squared * np.interp(q, *structure()) + compton_intensity(atoms, q, wavelength=WAVELENGTH)
    noise = 1 + 1e-3 * np.random.default_rng(seed).normal(size=q.size)
    return (scale * own + 5.0 + empty(q)) * noise


def empty(q=Q):
    return 4.0 + 30.0 * np.exp(-(((q - 1.5) / 0.6) ** 2))


def text(x=Q, *columns, title="# q_A^-1 I"):
    rows = "\n".join(" ".join(f"{v:.8g}" for v in row) for row in zip(x, *columns, strict=True))
    return f"{title}\n{rows}\n"


def angle(q=Q):
    return 2 * np.degrees(np.arcsin(q * WAVELENGTH / (4 * np.pi)))


GOOD = {
    "sample.chi": text(Q, intensity()),
    "empty.chi": text(Q, empty()),
}
BASE = [
    "--composition",
    "NaCl",
    "--wavelength",
    "0.25",
    "--q-range",
    "0.6",
    "19.5",
    "--number-density",
    "0.045",
]


def put(folder, files):
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")


def reduce_pdf(folder, *words, base=BASE, pattern="sample.chi"):
    return run_app(["reduce-pdf", str(folder / pattern), *base, *words, "--out", str(folder / "out")])


def test_reduce_pdf_keeps_its_contract(tmp_path, capsys):
    put(tmp_path, GOOD)
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "empty.chi")) == 0
    out = tmp_path / "out"
    s = np.genfromtxt(out / "sq.csv", delimiter=",", names=True)
    g = np.genfromtxt(out / "gr.csv", delimiter=",", names=True)
    assert s.dtype.names == ("q", "s", "sigma")
    assert g.dtype.names == ("r", "g", "sigma")
    near = g["r"] < 3.3
    assert g["r"][near][np.argmax(g["g"][near])] == pytest.approx(2.8, abs=0.04)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    wanted = {
        "scale", "background_scale", "number_density", "q_min", "q_max", "low_r_residual", "warnings",
        "sigma_scale", "interval_scale", "inputs", "versions", "simulated",
    }  # fmt: skip
    assert wanted <= summary.keys()
    assert summary["scale"] == pytest.approx(2.0, rel=0.05)
    low, high = summary["interval_scale"]
    assert low < summary["scale"] - summary["sigma_scale"] < summary["scale"] + summary["sigma_scale"] < high
    assert summary["interval_number_density"] is None  # it was given
    assert summary["simulated"] is False
    gr = load_gr(out / "sample.gr")
    assert (gr.q_max, gr.number_density, gr.composition) == (summary["q_max"], RHO, {"Na": 1.0, "Cl": 1.0})
    assert gr.sigma is not None
    assert (out / "figures" / "reduction.png").stat().st_size > 10_000
    assert "low-r residual" in capsys.readouterr().out


def test_the_prior_of_compton_scattering_is_yours_to_state(tmp_path):
    put(tmp_path, GOOD)
    found = {}
    for width in ("0", "0.001", "0.3"):
        assert reduce_pdf(tmp_path, "--compton-width", width) == 0
        summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
        found[width] = (summary["compton_scale"], summary["sigma_compton_scale"])
        assert summary["compton_width"] == float(width)
    assert found["0"] == (1.0, 0.0)
    assert found["0.001"] == (pytest.approx(1.0, abs=0.003), pytest.approx(0.001, rel=0.05))
    assert found["0.3"][1] > 0.003


def test_a_series_goes_on_after_a_fault(tmp_path, capsys):
    put(tmp_path, GOOD | {"a.chi": text(Q, intensity(seed=1)), "b.chi": text(Q, -intensity())})
    assert run_app(["reduce-pdf", str(tmp_path / "[ab].chi"), *BASE, "--out", str(tmp_path / "out")]) == 0
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert summary["failed"] == ["b"]
    assert "negative" in summary["patterns"]["b"]["fault"]
    assert (tmp_path / "out/a/sample.gr").is_file()
    assert "negative" in capsys.readouterr().out


def test_simulated_is_said(tmp_path, capsys):
    put(tmp_path, {"sample.chi": "# simulated by hand\n" + GOOD["sample.chi"]})
    assert reduce_pdf(tmp_path) == 0
    assert capsys.readouterr().out.startswith("SIMULATED DATA")
    assert "SIMULATED DATA" in (tmp_path / "out/sample.gr").read_text(encoding="utf-8")


def test_peaks_keep_their_contract(tmp_path, capsys):
    put(tmp_path, GOOD)
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "empty.chi")) == 0
    out = tmp_path / "found"
    assert run_app(["peaks", str(tmp_path / "out/sample.gr"), "--r-range", "2", "5", "--out", str(out)]) == 0
    record = json.loads((out / "peaks.json").read_text(encoding="utf-8"))
    first = record["peaks"][0]
    assert first["r"] == pytest.approx(2.8, abs=0.02)
    assert first["label"].startswith("Na-Cl")
    assert {"sigma_r", "width", "area", "sigma_area", "candidates"} <= first.keys()
    assert {"bumps", "q_max", "window", "warnings", "inputs", "composition"} <= record.keys()
    rows = (out / "peaks.csv").read_text(encoding="utf-8").splitlines()
    assert rows[0] == "r,sigma_r,width,sigma_width,area,sigma_area,components,label"
    assert len(rows) == 1 + len(record["peaks"])
    assert (out / "candidates.csv").is_file()
    assert (out / "figures/peaks.png").stat().st_size > 10_000
    assert "Na-Cl" in capsys.readouterr().out


def changed(*, q=Q, i=None, title="# q_A^-1 I"):
    return text(q, intensity() if i is None else i, title=title)


MEASURED = intensity()
K = np.arange(Q.size)
PATTERNS = {
    "empty file": ("", [], "the file is empty"),
    "words only": ("no numbers here\n", [], "no row of two or more numbers"),
    "one column": ("\n".join(f"{x:g}" for x in Q), [], "no row of two or more numbers"),
    "binary": ("\0\1\2" * 500, [], "binary, not text"),
    "header cut": (changed(title="")[1:], [], "nothing says whether the first column is Q or 2theta"),
    "angle without wavelength": (
        changed(q=angle(), title="# 2th_deg I"),
        ["no wavelength"],
        "the wavelength is not known",
    ),
    "angle called Q": (changed(q=angle() * 3), [], "cannot be Q"),
    "wavelength in nm": (
        changed(),
        ["--wavelength", "0.025"],
        "wavelength = 0.025",
    ),
    "wavelength in m": (changed(), ["--wavelength", "2.5e-11"], "wavelength"),
    "wavelength too long": (changed(), ["--wavelength", "2.5"], "cannot be Q|Q <= 4 pi"),
    "wavelength 25": (changed(), ["--wavelength", "25"], "not one of X-rays"),
    "wavelength negative": (changed(), ["--wavelength", "-0.25"], "not one of X-rays"),
    "wavelength differs from header": (
        "# Wavelength: 3.0e-11 m\n" + changed(),
        [],
        "header says a wavelength of 0.3",
    ),
    "no wavelength at all": (changed(), ["no wavelength"], "the wavelength is not known"),
    "Q backwards": (changed(q=Q[::-1]), [], "falls back"),
    "Q doubled": (changed(q=np.repeat(Q, 2)[: Q.size]), [], "repeats"),
    "two patterns in one file": (changed() + changed(title=""), [], "falls back"),
    "one step back": (changed(q=np.where(K == 500, Q - 0.05, Q)), [], "falls back"),
    "Q negative": (changed(q=Q - 1.0), [], "begins at -0.5"),
    "Q in 1/nm called 1/A": (changed(q=10 * Q), [], "cannot be Q"),
    "radius": (changed(title="# r_mm I"), [], "detector radius"),
    "azimuth": (changed(title="# chi_deg I"), [], "detector azimuth"),
    "radians": (changed(title="# 2th_rad I"), [], "2theta in radians"),
    "axis contradicts": (changed(), ["--axis", "2theta"], "header says the axis is 'q'"),
    "text in the middle": (
        changed().replace("\n5 ", "\nbeam lost\n5 ", 1),
        [],
        "stands where a number should",
    ),
    "NaN": (changed(i=np.where(K == 300, np.nan, MEASURED)), [], "not a finite number"),
    "infinity": (changed(i=np.where(K == 300, np.inf, MEASURED)), [], "not a finite number"),
    "decimal commas": (changed().replace(".", ","), [], "decimal comma"),
    "row cut": (changed() + "19.99\n", [], "1 columns where the others have 2"),
    "five points": (text(Q[:5], MEASURED[:5]), [], "only 5 points"),
    "thirty points": (text(Q[::33], MEASURED[::33]), [], "only"),
    "negative intensities": (changed(i=MEASURED - 60), [], "intensities are negative"),
    "all negative": (changed(i=-MEASURED), [], "intensities are negative"),
    "zeros at the end": (changed(i=np.where(K > 800, 0, MEASURED)), [], "zero over a run"),
    "three zeros": (changed(i=np.where(abs(K - 700) < 2, 0, MEASURED)), [], "3 from Q = 14\\.48 to 14\\.52"),
    "equal points": (
        changed(i=np.where(abs(K - 700.5) < 15, MEASURED[700], MEASURED)),
        [],
        "30 points in a row have the same intensity, .* from Q = 14\\.22 to 14\\.8",
    ),
    "errors above the intensity": (
        text(Q, MEASURED, 3 * MEASURED, title="# q_A^-1 I sigma"),
        [],
        "stated errors are larger than the intensity in 946 of 946 points, in the median 3 times",
    ),
    "all zero": (changed(i=0 * MEASURED), [], "zero over a run|cannot|no positive"),
    "constant": (changed(i=0 * MEASURED + 5), [], "no positive scale|straight line|cannot"),
    "gap": (changed(q=np.where(Q > 9, Q + 1.0, Q)), [], "no points from Q"),
    "saturated": (changed(i=np.minimum(MEASURED, 0.8 * MEASURED.max())), [], "saturated"),
    "many spikes": (
        changed(i=np.where(K % 40 == 7, 50 * MEASURED, MEASURED)),
        [],
        "tower over their neighbours",
    ),
    "already background subtracted": (
        changed(i=MEASURED - 0.98 * MEASURED.min() - 40 * np.exp(-Q / 8)),
        [],
        "negative",
    ),
    "q range beyond": (changed(), ["--q-range", "0.6", "30"], "q_range 0.6 to 30 does not lie"),
    "q range reversed": (changed(), ["--q-range", "19", "0.6"], "q_range 19 to 0.6"),
    "q range short": (changed(), ["--q-range", "0.6", "2.5"], "too short for S\\(Q\\) to come near 1"),
    "q range negative": (changed(), ["--q-range", "-1", "19"], "q_range"),
    "q range one number": (changed(), ["--q-range", "0.6"], "q-range"),
    "unknown element": (changed(), ["--composition", "NaXx"], "'Xx' is not a chemical element"),
    "lower case": (changed(), ["--composition", "nacl"], "did you mean 'NaCl'"),
    "upper case": (changed(), ["--composition", "NaCL"], "'L' is not .* element in 'NaCL'[^?]*'NaCl'\\?"),
    "brackets": (changed(), ["--composition", "Na(Cl)"], "cannot read '\\(Cl\\)'"),
    "empty composition": (changed(), ["--composition", " "], "composition is empty"),
    "zero amount": (changed(), ["--composition", "NaCl0"], "the amount of Cl"),
    "density of mass": (changed(), ["--number-density", "2.16"], "number_density = 2.16"),
    "density per nm3": (changed(), ["--number-density", "45"], "number_density = 45"),
    "density per cm3": (changed(), ["--number-density", "4.5e22"], "number_density = 4.5e"),
    "density negative": (changed(), ["--number-density", "-0.045"], "number_density = -0.045"),
    "r max negative": (changed(), ["--r-max", "-5"], "r_max = -5"),
    "r step zero": (changed(), ["--r-step", "0"], "r_step = 0"),
    "r step coarse": (changed(), ["--r-step", "5"], "r_step = 5"),
    "r step beyond memory": (changed(), ["--r-step", "1e-9"], "2e\\+10 points"),
    "r max beyond memory": (changed(), ["--r-max", "1e6"], "5e\\+07 points"),
    "unknown window": (changed(), ["--window", "hann"], "hann"),
    "polarisation": (changed(), ["--polarisation", "2"], "polarisation = 2"),
    "absorption": (changed(), ["--mu-r", "-1"], "mu_r = -1"),
    "absorption thick": (changed(), ["--mu-r", "9"], "mu_r = 9"),
    "detector": (changed(), ["--detector", "1.5"], "detector = 1.5"),
    "charge of a stranger": (changed(), ["--charges", "K+1"], "cannot read the charge 'K\\+1'"),
    "charge without a table": (
        changed(),
        ["--charges", "Na+5"],
        "no tabulated form factor of Na\\+5.*choose from Na\\+1",
    ),
    "recoil": (changed(), ["--recoil-power", "-1"], "recoil_power = -1"),
    "compton": (changed(), ["--compton-width", "30"], "compton_width = 30"),
    "unknown option": (changed(), ["--qmax", "20"], "qmax"),
    "no background file": (changed(), ["--background", "nowhere.chi"], "there is no such file"),
    "no pattern": (None, [], "there is no such file"),
}


@pytest.mark.parametrize("name", PATTERNS)
def test_bad_patterns_and_settings(tmp_path, capsys, name):
    content, words, message = PATTERNS[name]
    if content is not None:
        put(tmp_path, {"sample.chi": content})
    base = list(BASE)
    if words == ["no wavelength"]:
        words, base = [], [*BASE[:2], *BASE[4:]]
    for option in ("--wavelength", "--q-range", "--composition", "--number-density"):
        if option in words and option in base:
            at = base.index(option)
            del base[at : at + (3 if option == "--q-range" else 2)]
    assert reduce_pdf(tmp_path, *words, base=base) == 2
    told = capsys.readouterr().err

    assert re.search(message, told, re.DOTALL), told
    assert "where:" in told or "--help" in told
    assert not (tmp_path / "out").exists()


BACKGROUNDS = {
    "too short": (text(Q[:500], empty()[:500]), "does not lie in the data|covers"),
    "begins late": (text(Q[50:], empty()[50:]), "does not lie in the data|covers"),
    "on an angle": (text(angle(), empty(), title="# 2th_deg I"), "a function of 2theta, the sample of Q"),
    "another normalisation": (text(Q, 1e8 * empty()), "times as intense as the sample"),
    "negative": (text(Q, empty() - 8), "intensities are negative"),
    "dead": (text(Q, np.where(K > 700, 0, empty())), "zero over a run"),
    "a dead strip": (
        text(Q, np.where(abs(K - 700) < 9, 1.5, empty() + 1e-3 * np.cos(9 * K))),
        "17 points in a row have the same",
    ),
    "large errors": (
        text(Q, empty(), 1e3 * empty(), title="# q_A^-1 I sigma"),
        "stated errors are larger than the intensity of the sample in 946 of 946",
    ),
}


@pytest.mark.parametrize("name", BACKGROUNDS)
def test_bad_backgrounds(tmp_path, capsys, name):
    content, message = BACKGROUNDS[name]
    put(tmp_path, GOOD | {"other.chi": content})
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "other.chi")) == 2

    told = capsys.readouterr().err
    assert re.search(message, told), told
    assert "other.chi" in told


def test_longer_and_coarser_background_is_taken(tmp_path):
    q = np.arange(0.3, 24.0, 0.05)
    put(tmp_path, GOOD | {"other.chi": text(q, empty(q))})
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "other.chi")) == 0


@pytest.mark.parametrize(
    ("change", "words", "warning"),
    [
        (MEASURED, ["no density"], "number density fitted"),
        (np.where(K == 400, 20 * MEASURED, MEASURED), [], "spikes replaced .*q = \\[8.5\\]"),
        (np.where(K == 700, 3 * MEASURED, MEASURED), [], r"spikes .*q = \[14\.5\], factor = \[(3\.0|2\.9)"),
        (np.where(abs(K - 700.5) < 1, 1.5 * MEASURED, MEASURED), [], r"spikes .*q = \[14\.5, 14\.52\]"),
        (np.where(K == 700, 0.05 * MEASURED, MEASURED), [], r"dead .*q = \[14\.5\], factor = \[0\.05\]"),
        (np.where(abs(K - 700.5) < 1, 0, MEASURED), [], r"dead .*\[14\.5, 14\.52\], factor = \[0, 0\]"),
        (np.where(abs(K - 700) == 20, 0, MEASURED), [], r"dead .*\[14\.1, 14\.9\], factor = \[0, 0\]"),
        (np.where(abs(K - 700) == 20, 3 * MEASURED, MEASURED), [], r"left as they are.*q = \[14\.1, 14\.9\]"),
        (MEASURED, ["--composition", "NaBr"], "composition"),
        (MEASURED, ["--composition", "SiO2"], "straight line"),
        (MEASURED, ["--composition", "PbI2"], "composition"),
        (MEASURED, ["density", "0.13"], "number density does not fit"),
        (MEASURED, ["density", "0.012"], "number density does not fit"),
    ],
)
def test_doubts_are_recorded(tmp_path, change, words, warning):

    put(tmp_path, {"sample.chi": changed(i=change)})
    base = list(BASE)
    if words == ["no density"]:
        words, base = [], BASE[:-2]
    if words[:1] == ["density"]:
        words, base = [], [*BASE[:-1], words[1]]
    if words:
        base = base[2:]
    assert reduce_pdf(tmp_path, *words, base=base) == 0
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert any(re.search(warning, told) for told in summary["warnings"]), summary["warnings"]


def test_missing_and_zero_points_are_told(tmp_path):
    """Five points that were masked, a zero where nothing tells what stood there, a spike of the container."""
    there = (K < 400) | (K > 404)
    sample = np.where(K == 7, 0, MEASURED)
    container = np.where(K == 600, 2.0, 1.0) * empty()
    put(tmp_path, {"sample.chi": text(Q[there], sample[there]), "empty.chi": text(Q, container)})
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "empty.chi")) == 0
    told = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))["warnings"]
    assert "points are missing, the pattern is bridged (q = [[8.48, 8.6]], points = [5])" in told
    assert "intensities are zero: masked or dead? (points = 1, between = [0.64, 0.64])" in told
    spike = next(line for line in told if line.startswith("spikes replaced"))
    assert "of = background, q = [12.5], factor = [2]" in spike


def test_sound_patterns_are_not_doubted(tmp_path):
    """Few digits, whole counts, a grid of 2theta, one missing point, a flat container."""
    put(tmp_path, {"flat.chi": text(Q, 0 * Q + 4.0)})
    even = np.linspace(angle()[0], angle()[-1], Q.size)
    uneven = 4 * np.pi / WAVELENGTH * np.sin(np.radians(even / 2))
    for name, content in {
        "digits": text(Q, np.round(MEASURED, 1)),
        "counts": text(Q, np.round(20 * MEASURED)),
        "angle": text(even, intensity(uneven), title="# 2th_deg I"),
        "one missing": text(np.delete(Q, 500), np.delete(MEASURED, 500)),
    }.items():
        put(tmp_path, {"sample.chi": content})
        words = ["--background", str(tmp_path / "flat.chi")] if name == "digits" else []
        assert reduce_pdf(tmp_path, *words) == 0, name
        told = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))["warnings"]
        assert not [x for x in told if re.match("points|spikes|dead|intensities", x)], name


NACL = ["--composition", "NaCl", "--q-max", "20"]
R = np.round(np.arange(0.02, 12.0, 0.02), 6)
G = np.exp(-0.5 * ((R - 2.8) / 0.12) ** 2) * 3 - 0.4 * R * np.exp(-R / 4) + 0.02 * np.sin(20 * R)
GRS = {
    "composition unknown": (text(R, G, title="# r G"), ["--q-max", "20"], "composition is not known"),
    "other composition": (text(R, G, title="# composition = KBr\n# r G"), NACL, "header says K, Br"),
    "T(r)": (text(R, G, title="r T(r)"), ["--composition", "NaCl"], "titled 'T\\(r\\)', which is not G"),
    "small g": (text(R, G, title="r g(r)"), ["--composition", "NaCl"], "titled 'g\\(r\\)', which is not G"),
    "g without density": (
        text(R, G + 1, title="r g(r)"),
        ["--composition", "NaCl", "--function", "g"],
        "without the number density",
    ),
    "unknown function": (text(R, G), ["--composition", "NaCl", "--function", "X"], "X"),
    "r not uniform": (text(R**2, G, title="# r G"), ["--composition", "NaCl"], "r is not uniform"),
    "zero": (text(R, 0 * G, title="# r G"), NACL, "zero in the whole range"),
    "too short a bond": (
        text(R, np.exp(-0.5 * ((R - 1.41) / 0.1) ** 2), title="# r G"),
        NACL,
        "no two atoms of Na, Cl come closer",
    ),
    "range outside": (text(R, G, title="# r G"), [*NACL, "--r-range", "14", "18"], "choose r_range"),
    "range reversed": (text(R, G, title="# r G"), [*NACL, "--r-range", "6", "2"], "r_range"),
    "q_max of an angle": (
        text(R, G, title="# r G"),
        ["--composition", "NaCl", "--q-max", "150"],
        "q_max = 150",
    ),
    "at nowhere": (text(R, G, title="# r G"), [*NACL, "--at", "-3.7"], "at = -3.7"),
    "frames of nothing": (text(R, G, title="# r G"), [*NACL, "--frames", "0:5"], "no structures to take"),
    "small g untitled": (text(R, G / (0.56 * R) + 1, title=""), NACL, "tends to 0.9\\d+, and G\\(r\\) to 0"),
    "T untitled": (text(R, G + 0.56 * R, title=""), NACL, "tends to 4.\\d+, and G"),
    "RDF untitled": (text(R, R * G + 0.56 * R**2, title=""), NACL, "tends to 4\\d.*, and G"),
    "T with the length of neutrons": (
        text(R, G + 0.56 * R, title=""),
        [*NACL, "--function", "T", "--number-density", "0.045", "--mean-b-squared", "0.4"],
        "turned from T\\(r\\) into G\\(r\\)",
    ),
    "step too coarse": (text(R[::20], G[::20], title=""), NACL, "a step of 0.4 angstrom does not hold"),
    "q_max negative": (text(R, G, title=""), [*NACL[:2], "--q-max", "-3"], "q_max = -3"),
    "q_min above q_max": (text(R, G, title=""), [*NACL, "--q-min", "25"], "q_min = 25 is not below"),
    "density of no number": (
        text(R, G, title=""),
        [*NACL, "--number-density", "nan"],
        "number_density = nan",
    ),
    "density of mass in peaks": (
        text(R, G, title=""),
        [*NACL, "--number-density", "2.16"],
        "number_density = 2.16",
    ),
    "density of zero": (text(R, G, title=""), [*NACL, "--number-density", "0"], "number_density = 0"),
    "length of zero": (text(R, G, title=""), [*NACL, "--mean-b-squared", "0"], "mean_b_squared = 0"),
    "decimal commas in CSV": (
        "r;g\n" + text(R, G).replace(" ", ";").replace(".", ","),
        NACL,
        "decimal comma",
    ),
}


@pytest.mark.parametrize("name", GRS)
def test_bad_functions(tmp_path, capsys, name):

    content, words, message = GRS[name]
    put(tmp_path, {"a.gr": content})
    assert run_app(["peaks", str(tmp_path / "a.gr"), *words, "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert re.search(message, told), told
    assert not (tmp_path / "out").exists()


def sound_g(r=R, q_max=20.0):
    """G(r) of rock salt with large displacements, as Q up to q_max shows it: SIMULATED."""
    q, s_minus_one = structure()
    inside = q <= q_max
    q, f = q[inside], (q * s_minus_one)[inside]
    return 2 / np.pi * np.sin(np.outer(r, q)) @ f * 0.02


@pytest.mark.parametrize(
    ("change", "words", "warning"),
    [
        (1.0, ["--q-max", "30"], "q_max is not that of the header"),
        (1.0, ["--q-max", "30"], "does not end at q_max .* ends = 2[01]"),
        (1.0, ["--number-density", "0.45"], "number_density is not that of the header"),
        (1.0, ["--number-density", "0.45"], "has not the slope of this number density"),
        (1.0, ["--number-density", "0.0045"], "has not the slope of this number density"),
        (1.0, ["--composition", "NaCl2"], "composition is not that of the header .* Na1Cl1"),
        (1.0, ["--r-range", "2", "30"], "ends before r_range"),
        (1.0, ["--function", "g"], "stays below 0 far away"),
        (0.001, [], "has not the slope of this number density"),
        (np.where(abs(R - 3.5) < 0.2, 0.0, 1.0), [], "constant over a stretch"),
    ],
)
def test_doubts_about_g(tmp_path, change, words, warning):
    head = "# composition = NaCl\n# qmax = 20\n# rho0 = 0.045\n#L r G dr dG"
    g = change * sound_g()
    put(tmp_path, {"a.gr": text(R, g, 0 * R, 0 * R + 0.01 * np.max(np.abs(g)), title=head)})
    assert run_app(["peaks", str(tmp_path / "a.gr"), *words, "--out", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out/peaks.json").read_text(encoding="utf-8"))["warnings"]
    assert any(re.search(warning, line) for line in told), told


def test_sound_g_is_not_doubted(tmp_path):
    head = "# composition = NaCl\n# qmax = 20\n# rho0 = 0.045\n#L r G dr dG"
    put(tmp_path, {"a.gr": text(R, sound_g(), 0 * R, 0 * R + 0.02, title=head)})
    assert (
        run_app(["peaks", str(tmp_path / "a.gr"), "--r-range", "2", "4", "--out", str(tmp_path / "out")]) == 0
    )
    record = json.loads((tmp_path / "out/peaks.json").read_text(encoding="utf-8"))
    assert record["warnings"] == []
    assert record["peaks"][0]["r"] == pytest.approx(2.8, abs=0.01)


BAD_FILES = {
    "g_r.csv": "the peak at 1\\.4\\d A .* closer than 2\\.\\d\\d A; the next is at 2\\.8",
    "F_of_Q_actual.csv": "largest at r = 19\\.\\d A .* period of 0\\.33 1/A in Q and holds no bonds",
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_files_that_cannot_be_this_material(tmp_path, capsys, shared_data, name):
    """Two files labelled NaTaCl6: a digitised curve, and the ripple of its end at 19.7 angstrom."""
    path = shared_data / "pdf_gr/BAD_NaTaCl6_torchdisorder" / name
    assert run_app(["peaks", str(path), "--composition", "NaTaCl6", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert re.search(BAD_FILES[name], told), told
    assert not (tmp_path / "out").exists()


def test_peaks_of_a_structure_factor(tmp_path):
    """S(Q) as reduce-pdf writes it is transformed: the first shell is where G(r) has it."""
    put(tmp_path, GOOD)
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "empty.chi")) == 0
    words = ["--composition", "NaCl", "--number-density", "0.045", "--r-range", "2", "5"]
    assert run_app(["peaks", str(tmp_path / "out/sq.csv"), *words, "--out", str(tmp_path / "p")]) == 0
    record = json.loads((tmp_path / "p/peaks.json").read_text(encoding="utf-8"))
    assert record["peaks"][0]["r"] == pytest.approx(2.8, abs=0.02)
    assert record["q_max"] == pytest.approx(19.5, abs=0.03)


def test_columns_of_reduce_pdf_are_read(tmp_path):
    """Its gr.csv names G(r) as its contract does, with a small g: the curve itself tells it from g(r)."""
    put(tmp_path, GOOD)
    assert reduce_pdf(tmp_path, "--background", str(tmp_path / "empty.chi")) == 0
    words = ["--composition", "NaCl", "--number-density", "0.045", "--q-max", "19.5", "--r-range", "2", "5"]
    assert run_app(["peaks", str(tmp_path / "out/gr.csv"), *words, "--out", str(tmp_path / "p")]) == 0
    record = json.loads((tmp_path / "p/peaks.json").read_text(encoding="utf-8"))
    assert record["peaks"][0]["r"] == pytest.approx(2.8, abs=0.02)


def test_a_distance_may_be_asked_for_without_structures(tmp_path, capsys):
    """Plausible distances say what may be there: at 3.69 A several pairs, at 2.4 A a bond."""
    put(tmp_path, {"a.gr": text(R, sound_g(), title="# r G")})
    words = ["--composition", "NaTaCl5S0.5", "--q-max", "20", "--at", "3.69", "--at", "2.4"]
    assert run_app(["peaks", str(tmp_path / "a.gr"), *words, "--out", str(tmp_path / "p")]) == 0
    record = json.loads((tmp_path / "p/peaks.json").read_text(encoding="utf-8"))
    far, near = (feature["shares"]["plausible distances"] for feature in record["features"])
    assert sum(far.values()) == pytest.approx(1.0)
    assert {"Ta-Ta", "Cl-Cl", "S-Cl", "Na-Cl"} <= far.keys()
    assert next(iter(near)) == "Ta-Cl"
    assert "Ta-Ta" not in near
    assert "in plausible distances" in capsys.readouterr().out


def test_scattering_length_of_neutrons_follows_from_the_composition(tmp_path, shared_data):
    """T(r) of silica glass in barn (ISIS): four O at 1.61 A around Si, six O at 2.63 A around O."""
    pytest.importorskip("periodictable")
    path = shared_data / "pdf_gr/amorphous/SiO2_glass_ISIS_Tr.txt"
    words = [
        "--composition",
        "SiO2",
        "--radiation",
        "neutron",
        "--function",
        "T",
        "--number-density",
        "0.0662",
    ]
    assert run_app(["peaks", str(path), *words, "--out", str(tmp_path / "p")]) == 0
    record = json.loads((tmp_path / "p/peaks.json").read_text(encoding="utf-8"))
    first, second = record["peaks"][:2]
    assert (first["label"], second["label"]) == ("Si-O", "O-O")
    assert first["r"] == pytest.approx(1.61, abs=0.01)
    assert second["r"] == pytest.approx(2.63, abs=0.01)
    assert first["candidates"][0]["neighbours"] == pytest.approx(4.0, rel=0.08)
    assert second["candidates"][0]["neighbours"] == pytest.approx(6.0, rel=0.08)


def test_air_and_ions(tmp_path):
    """A second empty pattern with its own scale; ionic form factors change the numbers and are recorded."""
    air = 20.0 * np.exp(-Q / 2.0) + 1.0
    put(tmp_path, GOOD | {"sample.chi": text(Q, intensity() + 0.6 * air), "air.chi": text(Q, air)})
    words = ["--background", str(tmp_path / "empty.chi"), "--air", str(tmp_path / "air.chi")]
    assert reduce_pdf(tmp_path, *words) == 0
    summary = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert abs(summary["air_scale"] - 0.6) < 3 * summary["sigma_air_scale"] < 0.6
    assert reduce_pdf(tmp_path, *words, "--charges", "Na+1", "--charges", "Cl-1") == 0
    ionic = json.loads((tmp_path / "out/summary.json").read_text(encoding="utf-8"))
    assert 1e-4 < abs(ionic["scale"] / summary["scale"] - 1) < 0.05
    assert ionic["charges"] == {"Na": 1, "Cl": -1}
