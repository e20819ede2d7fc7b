import re
from dataclasses import replace

import numpy as np
import pytest
from scipy.interpolate import CubicSpline
from scipy.stats import norm

from shortrange.crystal import Crystal
from shortrange.errors import DataError, ProjectError
from shortrange.fit.refine import refine_gr
from shortrange.load import load_crystal, load_gr
from two_phases import FCC, Q_MAX, cubic, nickel, oxide

TRUTH = {
    "Ni.scale": 0.65, "NiO.scale": 0.35, "Ni.a": 3.53, "NiO.a": 4.185, "Ni.u_iso": 0.005, "NiO.u_iso": 0.007,
}  # fmt: skip
# By hand: n ~ s / <f>^2 with <f> = 28 and (28 + 8) / 2, m ~ n M with M = 58.693 and (58.693 + 15.999) / 2.
_ATOMS = np.array([0.65 / 28.0**2, 0.35 / 18.0**2])
MASS = (_ATOMS * [58.6934, 37.3462] / (_ATOMS @ [58.6934, 37.3462]))[0]


def start() -> dict[str, Crystal]:
    return {"Ni": nickel(3.525, 0.006), "NiO": oxide(4.19, 0.006)}


def test_data_without_noise_give_the_truth(mixture):
    found = refine_gr(mixture(seed=None), start(), r_range=(1.5, 20.0))
    for name, value in TRUTH.items():
        assert found[name].value == pytest.approx(value, rel=1e-3), name
    assert found.rw < 2e-3
    assert found.fractions["mass"].values[0] == pytest.approx(MASS, abs=2e-4)
    assert found.fractions["atom"].values.sum() == pytest.approx(1.0)


def test_shares_by_mass_cells_and_volume_agree_with_each_other(mixture):
    shares = {
        kind: f.values for kind, f in refine_gr(mixture(), start(), r_range=(1.5, 15)).fractions.items()
    }
    assert shares["cell"][0] / shares["cell"][1] == pytest.approx(shares["atom"][0] / shares["atom"][1] * 2)
    volumes = np.array([3.53**3, 4.185**3])
    by_cells = shares["cell"] * volumes / (shares["cell"] @ volumes)
    assert np.allclose(shares["volume"], by_cells, atol=5e-3)


def test_errors_cover_the_truth(mixture):
    # 200 draws of noise: 68 of 100 within one standard error, for each parameter and for the mass fraction.
    inside, shares = [], []
    crystals = {"Ni": nickel(), "NiO": oxide()}
    for seed in range(200):
        found = refine_gr(mixture(seed=seed), crystals, r_range=(2.0, 8.0))
        inside.append([abs(found[name].value - value) < found[name].sigma for name, value in TRUTH.items()])
        mass = found.fractions["mass"]
        shares.append(abs(mass.values[0] - MASS) < mass.sigma[0])
    coverage = np.mean(inside, axis=0)
    assert np.all((coverage > 0.58) & (coverage < 0.78)), coverage
    assert 0.63 < coverage.mean() < 0.73
    assert 0.58 < np.mean(shares) < 0.78


def test_errors_do_not_depend_on_the_sampling_of_the_file(mixture):
    fine = mixture()
    coarse = replace(fine, r=fine.r[::3], g=fine.g[::3], sigma=fine.sigma[::3])
    one, two = (refine_gr(data, start(), r_range=(2.0, 12.0)) for data in (fine, coarse))
    assert abs(one.points - two.points) <= 1
    for name in TRUTH:
        assert two[name].sigma == pytest.approx(one[name].sigma, rel=0.15), name


def test_unknown_errors_follow_from_the_misfit(mixture):
    known, unknown = (
        refine_gr(mixture(known=known), start(), r_range=(2.0, 20.0)) for known in (True, False)
    )
    assert known.noise == "errors"
    assert unknown.noise == "ripples"
    for name in TRUTH:
        assert unknown[name].sigma == pytest.approx(known[name].sigma, rel=0.25), name


def test_aic_and_bic_are_those_of_gaussian_errors_by_hand(mixture):
    # At r = n pi / q_max the points of a band that begins at 0 are independent: L is a product of normal
    # densities. AIC = 2 p - 2 ln L and BIC = p ln n - 2 ln L, both less the constant n ln(2 pi sigma^2).
    r = np.arange(1, 150) * np.pi / Q_MAX
    data = mixture()
    data = replace(data, r=r, g=CubicSpline(data.r, data.g)(r), sigma=np.full(r.size, 0.03))
    for phases, free, raised in ((start(), 6, False), ({"Ni": nickel()}, 3, True)):
        found = refine_gr(data, phases, r_range=(r[9], r[109]))
        g, model = data.g[9:110], found.model
        assert (found.points, len(found.parameters)) == (101, free)
        freedom = 101 - free
        scale = np.sqrt(np.sum((g - model) ** 2) / 0.03**2 / freedom) if raised else 1.0
        likelihood = norm.logpdf(g, model, 0.03 * scale).sum() + 101 / 2 * np.log(2 * np.pi * 0.03**2)
        assert found.aic == pytest.approx(2 * free - 2 * likelihood, rel=1e-4)
        assert found.bic == pytest.approx(free * np.log(101) - 2 * likelihood, rel=1e-4)


def test_a_tie_makes_two_parameters_one(mixture):
    found = refine_gr(mixture(), start(), r_range=(2.0, 12.0), ties={"NiO.u_iso": "Ni.u_iso"})
    assert "NiO.u_iso" not in [p.name for p in found.parameters]
    assert found.values["NiO.u_iso_O"] == found.values["Ni.u_iso_Ni"] == found["Ni.u_iso"].value


def test_a_prior_holds_what_the_data_do_not_know(mixture):
    loose = refine_gr(mixture(), start(), r_range=(2.0, 8.0))
    tight = refine_gr(mixture(), start(), r_range=(2.0, 8.0), priors={"NiO.a": (4.19, 1e-6)})
    assert tight["NiO.a"].value == pytest.approx(4.19, abs=1e-5)
    assert loose["NiO.a"].value == pytest.approx(4.185, abs=2e-3)
    assert tight["NiO.a"].sigma < 1.1e-6 * tight.noise_scale


def test_a_value_at_its_bound_is_said(mixture):
    found = refine_gr(mixture(), start(), r_range=(2.0, 8.0), bounds={"NiO.u_iso": (0.0055, 0.0065)})
    assert found["NiO.u_iso"].at_bound
    assert any(re.search("NiO.u_iso lies at its limit 0.0065", text) for text in found.warnings)


def test_two_phases_that_are_the_same_are_not_told_apart(mixture):
    twins = {"one": nickel(), "two": nickel()}
    found = refine_gr(mixture(), twins, r_range=(2.0, 8.0), free=["scale"])
    assert not found.fractions
    assert any("cannot be told apart" in text for text in found.warnings)


def test_more_parameters_than_points_are_said(mixture):
    with pytest.raises(DataError, match=r"points between 3 and 3\.3"):
        refine_gr(mixture(), start(), r_range=(3.0, 3.3))
    found = refine_gr(mixture(), start(), r_range=(3.0, 3.7))
    assert any(
        "independent points" in t or "do not determine" in t or "correlated" in t for t in found.warnings
    )


def test_a_sphere_is_measured_by_its_diameter(mixture):
    from shortrange.simulate.crystal_gr import crystal_pdf

    data = mixture(seed=None)
    model = crystal_pdf(nickel(), r_max=27.0)
    values = model.start.copy()
    values[model.names.index("diameter")] = 32.0
    g = model.curve(values, data.r, q_max=24.0) * np.exp(-0.5 * (0.03 * data.r) ** 2)
    found = refine_gr(replace(data, g=g), {"Ni": nickel()}, r_range=(1.5, 26.0),
                      free=["scale", "cell", "u_iso", "diameter"])  # fmt: skip
    assert found["Ni.diameter"].value == pytest.approx(32.0, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "error", "words"),
    [
        ({"free": ["scales"]}, ProjectError, "did you mean 'scale'"),
        ({"free": ["Ni.b"]}, ProjectError, "phase 'Ni' has no parameter 'b'"),
        ({"free": ["Ni"]}, ProjectError, "is a phase"),
        ({"free": []}, ProjectError, "no parameter is free"),
        ({"free": ["scale", "Ni.scale"]}, ProjectError, "free twice"),
        ({"free": ["u_iso", "Ni.u_iso_Ni"]}, ProjectError, "free twice"),
        ({"ties": {"NiO.u_iso": "NiO.u_iso"}}, ProjectError, "circle|itself"),
        ({"ties": {"Ni.a": "NiO.a", "NiO.a": "Ni.a"}}, ProjectError, "circle"),
        ({"ties": {"NiO.u_iso": "Ni.delta2"}}, ProjectError, "not free"),
        ({"ties": {"Nio.u_iso": "Ni.u_iso"}}, ProjectError, "unknown parameter"),
        ({"bounds": {"Ni.a": (3.6, 3.4)}}, ProjectError, "lower < upper"),
        ({"bounds": {"Ni.a": (3.6, 3.7)}}, ProjectError, "outside its bounds"),
        ({"bounds": {"Ni.a": 3.6}}, ProjectError, "two numbers"),
        ({"priors": {"Ni.a": (3.5, 0.0)}}, ProjectError, "positive error"),
        ({"values": {"Ni.u_iso": -0.01}}, ProjectError, "starts at -0.01"),
        ({"values": {"q_damp": float("nan")}}, ProjectError, "finite"),
        ({"isotropic": ["Fe"]}, ProjectError, "unknown phase"),
        ({"r_range": (5.0, 40.0)}, DataError, "the data at 27"),
        ({"r_range": (5.0, 4.0)}, DataError, "0 <= low < high"),
        ({"q_range": (0.0, 20.0)}, DataError, "transformed up to 24"),
        ({"q_range": (5.0, 4.0)}, DataError, "q_min < q_max"),
        ({"weights": "electrons"}, DataError, "electrons"),
    ],
)
def test_impossible_wishes_are_refused(mixture, settings: dict, error: type, words: str):
    with pytest.raises(error, match=words):
        refine_gr(mixture(), start(), **{"r_range": (2.0, 8.0), **settings})


def test_faulty_data_are_refused(mixture):
    data = mixture()
    broken = data.g.copy()
    broken[700] = np.nan
    with pytest.raises(DataError, match=r"r = 7\.01"):
        refine_gr(replace(data, g=broken), start(), r_range=(2.0, 8.0))
    with pytest.raises(DataError, match="up to which Q"):
        refine_gr(replace(data, q_max=None), start(), r_range=(2.0, 8.0))
    with pytest.raises(DataError, match="finer grid"):
        refine_gr(replace(data, q_max=400.0), start(), r_range=(2.0, 8.0))
    with pytest.raises(ProjectError, match="no phase"):
        refine_gr(data, {}, r_range=(2.0, 8.0))


# diffpy.pdffit2 1.5.1 on the whole data with equal errors, constant form factors, one parameter for each
# name; u_iso is that of all atoms. Published: Ni 3.524 A, NaCl 5.60 A (the data's own example), Ag 4.09 A.
PDFFIT2 = {
    "cmi_book/Ni.gr": (1.5, 30.0, 0.04, 0.0391, {"scale": 0.44917, "a": 3.52495, "u_iso": 0.00624,
                                                  "delta2": 2.1187, "q_damp": 0.04839}),
    "Ni-q27r60-xray.gr": (1.5, 30.0, 0.06, 0.1080, {"scale": 0.92435, "a": 3.52436, "u_iso": 0.00660,
                                                    "delta2": 2.8512, "q_damp": 0.05027}),
    "NaCl.gr": (2.0, 30.0, 0.04, 0.0753, {"scale": 0.18118, "a": 5.60202, "u_iso_Na": 0.01422,
                                          "u_iso_Cl": 0.00729, "delta2": 3.5815, "q_damp": 0.06039}),
    "srmise/Ag-nyquist-qmax30.gr": (2.0, 20.0, 0.03, 0.0787, {"scale": 0.82940, "a": 4.10502,
                                                              "u_iso": 0.01021, "delta2": 3.2125,
                                                              "q_damp": 0.06442}),
    "cmi_book/CdSe-bulk.gr": (1.5, 20.0, 0.04, 0.2878, {"scale": 1.01594, "a": 4.30147, "c": 7.01620,
                                                        "u_iso_Cd": 0.01672, "u_iso_Se": 0.01149,
                                                        "q_damp": 0.07979}),
    "cmi_book/SrFe2As2_150K.gr": (1.5, 20.0, 0.04, 0.1210, {"scale": 0.66659, "a": 5.57677, "b": 5.52607,
                                                            "c": 12.30565, "u_iso_Sr": 0.00668,
                                                            "u_iso_Fe": 0.00559, "u_iso_As": 0.00493,
                                                            "q_damp": 0.04945}),
}  # fmt: skip


def phase_of(name: str, shared_data) -> Crystal:
    folder = shared_data / "pdf_gr"
    if "Ni" in name:
        return nickel(3.52)
    if "Ag" in name:
        return cubic(4.08, ("Ag",) * 4, FCC, 0.006)
    if "NaCl" in name:
        return load_crystal(folder / "NaCl.cif")
    if "SrFe2As2" in name:
        return load_crystal(folder / "cmi_book" / "SrFe2As2_orthorhombic.cif")
    sites = [[1 / 3, 2 / 3, 0], [2 / 3, 1 / 3, 0.5], [1 / 3, 2 / 3, 0.3765], [2 / 3, 1 / 3, 0.8765]]
    return Crystal(
        lattice=(4.3, 4.3, 7.01, 90, 90, 120), species=("Cd", "Cd", "Se", "Se"), positions=sites,
        occupancies=np.ones(4), u_iso=np.full(4, 0.01), system="hexagonal",
    )  # fmt: skip


@pytest.mark.parametrize("name", PDFFIT2)
def test_measured_crystals_agree_with_pdffit2(shared_data, name: str, agreement):
    low, high, q_damp, rw, expected = PDFFIT2[name]
    data = load_gr(shared_data / "pdf_gr" / name)
    free = ["scale", "cell", "q_damp", *(n for n in expected if n.startswith(("u_iso", "delta")))]
    # Equal settings: pdffit2 knows no q_min.
    found = refine_gr(
        data, {"x": phase_of(name, shared_data)}, r_range=(low, high), q_range=(0.0, data.q_max), free=free,
        values={"q_damp": q_damp}, weights="xray-constant", peaks="pdffit",
    )  # fmt: skip
    agreement(
        f"refinement of {name.rpartition('/')[2]}: Rw",
        ours=found.rw,
        theirs=rw,
        within=2e-3,
        by="PDFfit2",
        part="Total scattering",
    )
    a = found["x.a"].value
    agreement(
        f"refinement of {name.rpartition('/')[2]}: a",
        ours=a,
        theirs=expected["a"],
        unit="Å",
        within=found["x.a"].sigma,
        by="PDFfit2",
        part="Total scattering",
    )
    for key, value in expected.items():
        parameter = found["q_damp" if key == "q_damp" else f"x.{key}"]
        assert abs(parameter.value - value) < parameter.sigma, (key, parameter)


def test_true_form_factors_describe_salt_better_than_constant_ones(shared_data):
    data = load_gr(shared_data / "pdf_gr" / "NaCl.gr")
    salt = load_crystal(shared_data / "pdf_gr" / "NaCl.cif")
    free = ["scale", "cell", "u_iso_Na", "u_iso_Cl", "delta2", "q_damp"]
    true, constant = (
        refine_gr(data, {"x": salt}, r_range=(2.0, 30.0), free=free, weights=weights).rw
        for weights in ("xray", "xray-constant")
    )
    assert true < 0.8 * constant


def test_the_bias_of_peaks_over_r_is_the_one_known(shared_data):
    # A peak over r instead of r_ij is moved by -sigma^2 / r^2 of its distance: lattices come out longer.
    data = load_gr(shared_data / "pdf_gr" / "cmi_book" / "Ni.gr")
    free = ["scale", "cell", "u_iso", "delta2", "q_damp"]
    debye, pdffit = (
        refine_gr(data, {"x": nickel()}, r_range=(1.5, 30.0), free=free, peaks=peaks)
        for peaks in ("debye", "pdffit")
    )
    assert 1e-4 < pdffit["x.a"].value - debye["x.a"].value < 4e-4
