"""Path fits: known truth, xraylarch's feffit, published fits of others."""

import numpy as np
import path_samples as samples
import pytest

from shortrange import load_scans, reduce_xas
from shortrange.errors import DataError, ProjectError, SimulationError
from shortrange.fit.paths import DataSet, FitParameter, FitPath, FitRange, fit_paths
from shortrange.fit.paths.artemis import from_artemis
from shortrange.load.artemis import read_artemis
from shortrange.quantities import ChiK
from shortrange.run.path_fit import read_chi
from shortrange.simulate.paths import einstein, path_chi, read_feff_dat


@pytest.mark.parametrize("space", ["k", "r", "wavelet"])
@pytest.mark.parametrize("background", [False, True])
def test_truth_without_noise_is_found_in_every_space(space, background):
    found = fit_paths(samples.parameters(), [samples.data_set(space=space, background=background)])
    assert {n: v.value for n, v in found.values.items()} == pytest.approx(samples.TRUTH, rel=1e-5, abs=1e-7)
    assert found.R < 1e-12


def test_errors_by_noise_are_those_of_the_noise():
    """Scatter over 60 draws of noise against the errors that the fits state; Artemis's are off by up to 1.4.

    The noise is small: S is one of six neighbours, and beyond errors of 0.02 angstrom its distance acts in
    a curved way that no standard error describes.
    """
    fits = [
        fit_paths(samples.parameters(**samples.TRUTH), [samples.data_set(samples.chi(2e-4, seed))])
        for seed in range(60)
    ]
    for name, truth in samples.TRUTH.items():
        values = np.array([fit.values[name].value for fit in fits])
        assert abs(values.mean() - truth) < 4 * values.std() / np.sqrt(60)
        by_noise = np.median([fit.values[name].sigma_noise for fit in fits])
        assert by_noise / values.std() == pytest.approx(1.0, abs=0.25), name
        as_artemis = np.median([fit.values[name].sigma for fit in fits])
        assert 0.6 < as_artemis / values.std() < 1.7, name


def test_errors_follow_the_covariance_of_the_data():
    """Twice the stated noise is twice the error by noise; the values and Artemis's errors stay."""
    noisy = samples.chi(0.002, 1)
    once, twice = (
        fit_paths(samples.parameters(), [samples.data_set(
            ChiK(k=noisy.k, chi=noisy.chi, cov=np.diag(np.full(noisy.k.size, size**2))))])
        for size in (0.002, 0.004)
    )  # fmt: skip
    for name, value in once.values.items():
        assert twice.values[name].sigma_noise == pytest.approx(2 * value.sigma_noise)
        assert twice.values[name].sigma == pytest.approx(value.sigma)


def test_a_slow_background_does_not_move_the_fit_if_it_is_fitted():
    slow = 0.01 * np.sin(samples.K * 0.8)
    data = ChiK(k=samples.K, chi=samples.clean() + slow)
    with_it, without = (
        fit_paths(samples.parameters(), [samples.data_set(data, background=fitted, r_range=(1.3, 2.8))])
        for fitted in (True, False)
    )
    for name, truth in samples.TRUTH.items():
        assert abs(with_it.values[name].value - truth) < 1.2 * with_it.values[name].sigma
    assert abs(without.values["dr_s"].value - samples.TRUTH["dr_s"]) > 0.1
    shown = with_it.data[0]
    inside = (shown.k > 5) & (shown.k < 12)
    assert np.abs(shown.background - slow[: shown.k.size])[inside].max() < 0.001


@pytest.mark.parametrize("settings", [{"space": "r"}, {"space": "k"}, {"space": "r", "background": True}])
def test_xraylarch_finds_the_same(settings):
    data = samples.data_set(samples.chi(0.004, 3), **settings)
    ours, theirs = (fit_paths(samples.parameters(), [data], engine=e) for e in ("shortrange", "feffit"))
    for name, value in ours.values.items():
        # Its background splines differ from ours where they end.
        close = 0.1 if settings.get("background") else 2e-4
        assert abs(theirs.values[name].value - value.value) < close * value.sigma, name
        assert theirs.values[name].sigma == pytest.approx(value.sigma, rel=0.05)


def test_xraylarch_finds_the_same_in_wavelet_space():
    data = samples.data_set(samples.chi(0.004, 3), space="wavelet", k_weights=(2,))
    ours, theirs = (fit_paths(samples.parameters(), [data], engine=e) for e in ("shortrange", "feffit"))
    for name, value in ours.values.items():
        # Its wavelets are normalised otherwise beside the ends of the range.
        assert abs(theirs.values[name].value - value.value) < 0.05 * value.sigma, name
        assert theirs.values[name].sigma == pytest.approx(value.sigma, rel=0.05)
    with pytest.raises(SimulationError, match="wavelet space with several k-weights"):
        fit_paths(samples.parameters(), [samples.data_set(space="wavelet")], engine="feffit")


def test_statistics_are_those_of_feffit():
    """R, chi-squared and errors as xraylarch computes them itself, from its own result."""
    from larch.xafs.feffit import feffit

    from shortrange.fit.paths.by_feffit import _data_set

    data = samples.data_set(samples.chi(0.004, 5))
    ours = fit_paths(samples.parameters(), [data])
    theirs = feffit(_group(samples.parameters()), [_data_set(data, 0, {})])
    assert ours.chi2 == pytest.approx(theirs.chi_square, rel=1e-6)
    assert ours.chi2_reduced == pytest.approx(theirs.chi2_reduced, rel=1e-6)
    assert ours.n_independent == pytest.approx(theirs.n_independent)
    assert pytest.approx(theirs.rfactor, rel=1e-6) == ours.R
    assert ours.aic == pytest.approx(theirs.aic, rel=1e-5)
    for name, value in ours.values.items():
        assert value.sigma == pytest.approx(theirs.params[name].stderr, rel=2e-3)


def _group(parameters):
    from larch.fitting import param, param_group

    return param_group(**{p.name: param(p.value, vary=True) for p in parameters})


def test_parameters_tied_across_two_data_sets():
    """Two temperatures share amplitude and distances; each has its own Einstein sigma2 of one theta."""
    made = samples.paths()["Cl"]
    sets = []
    for temperature in (80.0, 300.0):
        sigma2 = einstein(made, temperature, 400.0)[0]
        curve, _ = path_chi(made, samples.K, np.array([0.85, 2.0, 0.01, sigma2, 0, 0, 0]))
        sets.append(
            DataSet(
                name=f"{temperature:g} K", chi=ChiK(k=samples.K, chi=curve),
                paths=(FitPath(path=made, parameters={
                    "s02": "amp", "e0": "e0", "delr": "shift",
                    "sigma2": f"einstein({temperature}, theta)"}),),
                fit_range=FitRange(k_range=(3, 14), r_range=(1.3, 2.6)),
            )
        )  # fmt: skip
    found = fit_paths(
        [FitParameter(name="amp", value=1.0), FitParameter(name="e0", value=0.0),
         FitParameter(name="stretch", value=0.0), FitParameter(name="shift", value="stretch * 2.32"),
         FitParameter(name="theta", value=300.0, lower=50.0)],
        sets,
    )  # fmt: skip
    assert found.values["theta"].value == pytest.approx(400.0, rel=1e-4)
    assert found.values["shift"].value == pytest.approx(0.01, rel=1e-4)
    sigma = found.values["stretch"].sigma
    assert found.values["shift"].sigma == pytest.approx(2.32 * sigma, rel=1e-9)


def test_what_to_doubt_is_said():
    like = [*samples.parameters(), FitParameter(name="twin", value=1.0)]
    made = samples.paths()["Cl"]
    both = DataSet(
        name="d", chi=samples.chi(), fit_range=FitRange(k_range=(3, 14), r_range=(1.3, 2.8)),
        paths=(FitPath(path=made, parameters={"s02": "amp * twin", "e0": "e0", "delr": "dr_cl+dr_s",
                                              "sigma2": "ss"}),),
    )  # fmt: skip
    found = fit_paths(like, [both])
    assert any("cannot tell them apart" in text for text in found.warnings)
    assert found.values["amp"].sigma is None
    limited = [*samples.parameters()[:4], FitParameter(name="ss", value=0.006, lower=0.0055, upper=0.02)]
    held = fit_paths(limited, [samples.data_set()])
    assert held.values["ss"].value == pytest.approx(0.0055, abs=1e-5)
    assert held.values["ss"].sigma is None
    assert "ss lies at its limit" in held.warnings


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"k_range": (3.0, 30.0)}, "data reach"),
        ({"k_range": (9.0, 3.0)}, "0 <= low < high"),
        ({"r_range": (2.0, 2.05)}, "independent points"),
        ({"space": "q-space"}, "no fit space"),
        ({"window": "haning"}, "did you mean 'hanning'"),
        ({"k_weights": ()}, "one or more"),
        ({"k_weights": (2, 2)}, "each once"),
        ({"epsilon": -1.0}, "positive noise"),
        ({"epsilon": float("nan")}, "positive noise"),
    ],
)
def test_impossible_comparisons_are_refused(change, said):
    with pytest.raises(DataError, match=said):
        fit_paths(samples.parameters(), [samples.data_set(**change)])


@pytest.mark.parametrize(
    ("expressions", "said"),
    [
        ({"s02": "ampp"}, "did you mean 'amp'"),
        ({"s02": "amp *"}, "is no expression"),
        ({"s02": "__import__('os')"}, "calls '__import__'|more than arithmetic"),
        ({"s02": "amp.real"}, "more than arithmetic"),
        ({"s02": "amp if amp else 1"}, "more than arithmetic"),
        ({"s02": "True"}, "more than arithmetic"),
        ({"s02": "sqrt(amp, 2)"}, "takes 1 value"),
        ({"s02": "sqt(amp)"}, "did you mean 'sqrt'"),
        ({"sigma2": "debye(300)"}, "takes 2 values"),
        ({"s02": "amp / (e0 - e0)"}, "no finite value"),
        ({"s02": "log(0 - amp)"}, "no finite value"),
        ({"sigma2": "einstein(300, 0 - amp)"}, "must be positive"),
        ({"deltar": "0"}, "did you mean 'delr'"),
        ({}, "occur in no path"),
    ],
)
def test_bad_expressions_are_refused_with_advice(expressions, said):
    with pytest.raises(ValueError, match=said) as caught:
        _fit_one({"e0": "e0" if expressions else 0.0, **expressions})
    assert caught.value.do


def _fit_one(expressions):
    data = DataSet(
        name="d", chi=samples.chi(), fit_range=FitRange(k_range=(3, 14), r_range=(1.3, 2.6)),
        paths=(FitPath(path=samples.paths()["Cl"], parameters=expressions),),
    )  # fmt: skip
    return fit_paths([FitParameter(name="amp", value=1.0), FitParameter(name="e0", value=0.0)], [data])


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ([FitParameter(name="amp", value=1.0), FitParameter(name="amp", value=1.0)], "twice"),
        ([FitParameter(name="amp", value=1.0, free=False)], "no parameter is free"),
        (
            [
                *samples.parameters(),
                FitParameter(name="a", value="b"),
                FitParameter(name="b", value="a"),
            ],
            "circle",
        ),
        ([*samples.parameters(), FitParameter(name="a", value="reff")], "belongs to a path"),
    ],
)
def test_bad_sets_of_parameters_are_refused(parameters, said):
    with pytest.raises(ProjectError, match=said):
        fit_paths(parameters, [samples.data_set()])


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("reff", {"value": 1.0}, "cannot be the name"),
        ("two words", {"value": 1.0}, "cannot be the name"),
        ("sqrt", {"value": 1.0}, "cannot be the name"),
        ("amp", {"value": float("nan")}, "give a number"),
        ("amp", {"value": 2.0, "lower": 0.0, "upper": 1.0}, "outside its limits"),
        ("amp", {"value": 2.0, "lower": 3.0, "upper": 1.0}, "outside its limits"),
    ],
)
def test_bad_parameters_are_refused(name, settings, said):
    with pytest.raises(ProjectError, match=said):
        FitParameter(name=name, **settings)


# ---- what others published


def copper(folder, *, space="r"):
    files = sorted((folder / "noSCF").glob("feff00*.dat"))
    expressions = {"s02": "amp", "e0": "enot", "delr": "alpha * reff"}
    paths = tuple(
        FitPath(path=read_feff_dat(file), parameters={
            **expressions, "sigma2": "ss1" if file.name == "feff0001.dat" else "debye(temp, thetad)"})
        for file in files
    )  # fmt: skip
    data = DataSet(
        name="Cu", chi=read_chi(folder / "Copper.chik"), paths=paths,
        fit_range=FitRange(k_range=(3, 16), r_range=(1.7, 5.1), k_weights=(2, 1, 3), space=space),
    )  # fmt: skip
    start = {"amp": 1.0, "enot": 0.0, "alpha": 0.0, "ss1": 0.003, "thetad": 500.0}
    parameters = [FitParameter(name=name, value=value) for name, value in start.items()]
    return [*parameters, FitParameter(name="temp", value=10.0, free=False)], data


PUBLISHED = {
    "amp": (0.95, 0.04), "enot": (5.71, 0.48), "ss1": (0.00400, 0.00033), "thetad": (239.0, 19.0),
    "alpha": (-0.00046, 0.00090),
}  # fmt: skip


@pytest.mark.parametrize("engine", ["shortrange", "feffit"])
def test_copper_foil_as_published(shared_data, engine, agreement):
    """B. Ravel, SCFtests: fit of a foil at 10 K with FEFF8.5 paths without self-consistency, R 0.0142."""
    parameters, data = copper(shared_data / "feff_fits" / "Copper")
    found = fit_paths(parameters, [data], engine=engine)
    for name, (value, sigma) in PUBLISHED.items():
        agreement(
            f"copper foil at 10 K, {name} ({engine})",
            ours=found.values[name].value,
            theirs=value,
            within=sigma,
            by="B. Ravel, SCFtests (Artemis)",
            part="EXAFS",
        )
        assert 0.8 < found.values[name].sigma / sigma < 1.4, name
    assert pytest.approx(0.0142, abs=0.003) == found.R


@pytest.mark.parametrize(("file", "fit"), [("abc.fpj", "Fit 2"), ("DMT.fpj", "Fit 2")])
def test_two_ligands_in_one_shell_as_in_artemis(shared_data, file, fit):
    """Ag with Br and Cl; Sn with C and Cl. Its FEFF6 has another zero of e0 than our FEFF8L."""
    asked = read_artemis(shared_data / "feff_fits" / "artemis" / file, fit=fit)
    found = fit_paths(*from_artemis(asked))
    for p in asked.parameters:
        limit = 1.1 if p.name == "enot" else 1.0
        assert abs(found.values[p.name].value - p.value) < limit * p.sigma, p.name
    assert pytest.approx(asked.statistics["r_factor"], abs=0.005) == found.R


def test_neighbour_of_zinc_in_its_selenide(shared_data):
    """Se fits best, as in xraylarch's example; As and Br are not far behind, the others are."""
    scans = load_scans(shared_data / "xas_xdi" / "other" / "zn_znse_rt.xdi", element="Zn", edge="K")
    chi = reduce_xas(scans, element="Zn", edge="K").chi
    evidence = {}
    for element in ("ge", "as", "se", "br", "kr"):
        path = read_feff_dat(shared_data / "feff_fits" / "larch" / "Feff_ZnSe" / f"feff_zn{element}.dat")
        data = DataSet(
            name="ZnSe", chi=chi, fit_range=FitRange(k_range=(3, 13), r_range=(1.4, 3.0), window="kaiser"),
            paths=(FitPath(path=path, parameters={"s02": "amp", "e0": "e0", "delr": "dr", "sigma2": "ss"}),),
        )  # fmt: skip
        start = {"amp": 1.0, "e0": 0.0, "dr": 0.0, "ss": 0.005}
        found = fit_paths([FitParameter(name=n, value=v) for n, v in start.items()], [data])
        evidence[element] = found.log_evidence
        if element == "se":
            assert found.data[0].paths[0].parameters["r"].value == pytest.approx(2.448, abs=0.008)
    odds = {element: np.exp(evidence["se"] - value) for element, value in evidence.items()}
    assert max(evidence, key=evidence.get) == "se"
    assert 5 < odds["as"] < 50
    assert 1 < odds["br"] < 5
    assert min(odds["ge"], odds["kr"]) > 100
