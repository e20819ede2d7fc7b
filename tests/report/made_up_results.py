"""A verdict made of analytic curves: no engine is needed to test the report."""

from types import SimpleNamespace

import numpy as np

from shortrange.analyse.estimate import Estimate as Counted
from shortrange.compare.verdict import FittedParameter, MeasurementFit, ModelResult, Surroundings, Verdict
from shortrange.quantities import GR, SQ, ChiK, ChiR, MuE, Scan, step
from shortrange.reduce.normalise import EdgeRanges, Normalised
from shortrange.reduce.scattering import Estimate, ScatteringReduction
from shortrange.reduce.xas import ScanReport, XasReduction


def _shell(k, n, r, sigma2, phase):
    return n * np.sin(2 * k * r + phase) * np.exp(-2 * k**2 * sigma2) / (k * r**2)


def _xas_fit(rng, scale, error, names):
    k = np.arange(3.0, 12.51, 0.05)
    parts = {
        names[0]: 0.8 * k**2 * _shell(k, 5.0, 2.33, 0.006, 0.5),
        names[1]: 0.8 * k**2 * _shell(k, 1.0, 2.47, 0.008, 0.9),
        "Ta-Ta": 0.5 * k**2 * _shell(k, 1.0, 3.85, 0.012, -1.0),
    }
    truth = sum(parts.values())
    sigma = 0.008 * k**2 / 9
    data = truth + rng.normal(size=k.size) * sigma
    model = scale * truth + error * k**2 * _shell(k, 1.0, 3.5, 0.01, 0.0)
    return MeasurementFit(
        measurement="Ta L3",
        technique="xas",
        x=k,
        data=data,
        sigma=sigma,
        model=model,
        theory_sigma=np.full(k.size, 0.06 * truth.std()),
        fit_range=(1.1, 4.2),
        contributions=parts,
        R=float(((data - model) ** 2).sum() / (data**2).sum()),
        chi2_reduced=1.07 if error == 0 else 40 * error,
        p_value=0.4,
        log_evidence=-error * 90,
        parameters=(
            FittedParameter(
                name="S02", unit="1", value=0.912, sigma=0.034, prior=(0.9, 0.1), bounds=(0.5, 1.3), note=""
            ),
            FittedParameter(
                name="dE0",
                unit="eV",
                value=10.0,
                sigma=None,
                prior=None,
                bounds=(-10.0, 10.0),
                at_bound=True,
                note="at its upper limit",
            ),
        ),
    )


def _pdf_fit(rng, error):
    r = np.arange(0.0, 10.0, 0.02)
    parts = {
        "Ta-Cl": 9 * np.exp(-0.5 * ((r - 2.33) / 0.09) ** 2),
        "Cl-Cl": 3 * np.exp(-0.5 * ((r - 3.3) / 0.25) ** 2) + 1.0 * np.sin(2.1 * r) * np.exp(-r / 5),
        "Ta-Ta": 2 * np.exp(-0.5 * ((r - 3.85) / 0.15) ** 2),
    }
    truth = sum(parts.values()) - 4 * np.pi * 0.0335 * r * np.exp(-((r / 4) ** 4))
    sigma = np.full(r.size, 0.12)
    data = truth + 0.12 * np.sin(21 * r + rng.uniform(0, 6)) * rng.normal(1, 0.3)
    model = truth + error * 2 * np.exp(-0.5 * ((r - 3.6) / 0.15) ** 2)
    return MeasurementFit(
        measurement="PDF",
        technique="total-scattering",
        x=r,
        data=data,
        sigma=sigma,
        model=model,
        theory_sigma=0.1 * np.abs(model),
        fit_range=(1.9, 6.8),
        contributions=parts,
        R=float(((data - model) ** 2).sum() / (data**2).sum()),
        chi2_reduced=0.93 + 10 * error,
        p_value=0.5,
        log_evidence=-12.0 - error * 50,
        parameters=(
            FittedParameter(
                name="Qdamp",
                unit="1/angstrom",
                value=0.0312,
                sigma=0.0021,
                prior=(0.03, 0.02),
                bounds=(0.0, 0.1),
            ),
        ),
    )


def make_verdict(kind="supported"):
    rng = np.random.default_rng(3)
    names = (
        "corner-sharing mu-S",
        "edge-sharing (mu-S)2",
        "edge-sharing mu-S,mu-Cl",
        "isolated <TaCl6> & $more$",
    )
    errors = (0.0, 0.06, 0.15, 0.3)
    fits = [(_xas_fit(rng, 1.0, e, ("Ta-Cl", "Ta-S")), _pdf_fit(rng, e)) for e in errors]
    logs = np.array([sum(f.log_evidence for f in pair) for pair in fits])
    if kind == "undecided":
        logs = np.array([0.0, -0.4, -3.0, -9.0])
    weights = np.exp(logs - logs.max())
    models = tuple(
        ModelResult(name=n, probability=float(w), log_evidence=float(v), fits=f)
        for n, w, v, f in zip(names, weights / weights.sum(), logs, fits, strict=True)
    )
    return Verdict(
        verdict=kind,
        best=None if kind == "none fits" else names[0],
        models=models,
        structure=(
            Surroundings(
                element="Ta",
                numbers={"Cl": Counted(5.02, 0.03), "S": Counted(0.98, 0.03), "all": Counted(6.0, 0.01)},
                lengths={"Cl": Counted(2.352, 0.012), "S": Counted(2.47), "Ta, bridged": Counted(4.6, 0.05)},
                bridged=Counted(0.98, 0.02),
            ),
        ),
        reason="'corner-sharing mu-S' is 4425 times as probable as 'edge-sharing (mu-S)2', the next best",
        warnings=("scan ta_l3_003.xdi: a glitch of 3 points at 10212.4 eV was <masked>",),
        settings={
            "odds_threshold": 20.0,
            "p_threshold": 0.01,
            "theory_error": {
                "Ta L3": {"median": 0.06, "source": "full FEFF8L runs of reference compounds"},
                "PDF": {"median": 0.1, "source": "bond lengths of machine-learned potentials"},
            },
        },
    )


def make_reduction_xas():
    energy = np.arange(9701.0, 10600.0, 1.0)
    e0 = 9881.0
    step_ = 0.5 + np.arctan((energy - e0) / 2.5) / np.pi + 1.1 * np.exp(-0.5 * ((energy - e0 - 3) / 3.0) ** 2)
    pre = 0.3 - 2e-4 * (energy - e0)
    post = pre + 0.8 - 1e-4 * (energy - e0)
    k = np.arange(0.0, 14.01, 0.05)
    with np.errstate(divide="ignore", invalid="ignore"):
        chi = np.where(k > 1, _shell(np.maximum(k, 0.5), 5, 2.33, 0.006, 0.5), 0.0)
    rng = np.random.default_rng(1)
    chi_k = ChiK(
        k=k, chi=chi + rng.normal(size=k.size) * 0.003, sigma=np.full(k.size, 0.003), e0=e0, edge_step=0.8
    )
    mu = MuE(energy=energy, mu=pre + 0.8 * step_, sigma=np.full(energy.size, 2e-3), element="Ta", edge="L3")
    normalised = Normalised(
        energy=energy,
        mu=mu.mu,
        sigma=mu.sigma,
        norm=step_,
        flat=step_,
        pre_edge=pre,
        post_edge=post,
        e0=e0,
        edge_step=0.8,
        sigma_edge_step=0.004,
        ranges=EdgeRanges(pre=(-150.0, -30.0), post=(60.0, 700.0), pre_order=1, post_order=1),
        history=(step("normalise", e0=e0),),
    )
    reports = tuple(
        ScanReport(
            file=f"data/ta_l3_00{i}.xdi", energy_shift=s, sigma_energy_shift=e, used=i != 3, reason=why
        )
        for i, s, e, why in (
            (1, 0.0, 0.012, ""),
            (2, 1.32, 0.013, ""),
            (3, None, None, "beam dump: <i0> fell to zero"),
        )
    )
    return XasReduction(
        reports=reports,
        merged=mu,
        normalised=normalised,
        background=None,
        chi=chi_k,
        k_range=(3.0, 12.5),
        history=(step("normalise", e0=e0), step("warning: scan rejected", file="ta_l3_003.xdi")),
    )


def make_chi_r():
    r = np.arange(0.0, 10.0, 0.03)
    peak = np.exp(-0.5 * ((r - 1.93) / 0.22) ** 2) + 0.2 * np.exp(-0.5 * ((r - 3.3) / 0.25) ** 2)
    chi = peak * np.exp(2j * 2.3 * r * 4)
    return ChiR(r=r, chi=chi, cov=np.eye(2 * r.size) * 0.02**2, k_weight=2.0, k_range=(3.0, 12.5))


def make_scattering():
    sq, gr = make_sq_gr()
    one = Estimate(1.0, 0.02)
    return ScatteringReduction(
        sq=sq,
        gr=gr,
        scale=one,
        background_scale=one,
        compton_scale=one,
        fluorescence=one,
        number_density=Estimate(0.0335, 0.0),
        air_scale=None,
        smooth_order=0,
        smooth=np.ones(sq.q.size),
        low_r_residual=0.07,
        r_cut=1.8,
        history=(step("reduce I(Q)", q_range=(0.8, 23.0)),),
    )


def make_result(kind="supported", simulated=True):
    """What `write_report` takes, without a run."""
    xas = SimpleNamespace(name="Ta L3", technique="xas", mode="mu", k_weight=2.0)
    pdf = SimpleNamespace(name="PDF", technique="total-scattering")
    reduction = make_reduction_xas()
    energy, mu = reduction.normalised.energy, reduction.normalised.mu
    scans = tuple(
        Scan(
            energy=energy - (report.energy_shift or 0.0),
            columns={"mu": mu + 0.003 * index},
            source=report.file,
        )
        for index, report in enumerate(reduction.reports)
    )
    project = SimpleNamespace(
        title="Amorphous TaCl5-0.5Na2S: which <bridge> & why?",
        sample=SimpleNamespace(composition="NaTaCl5S0.5", number_density=0.0335),
        measurement=(xas, pdf),
        model=(None,) * 4,
        model_dump=lambda mode: {"title": "Amorphous", "sample": {"number_density": 0.0335}},
    )
    files = (("ta_l3_001.xdi", "ab" * 32), ("models/corner <1>.extxyz", "cd" * 32))
    return SimpleNamespace(
        project=project,
        inputs=SimpleNamespace(scans={"Ta L3": scans}, files=files),
        reductions={"Ta L3": reduction, "PDF": make_scattering()},
        verdict=make_verdict(kind),
        versions={"shortrange": "0.1", "numpy": "2"},
        contents={"corner <1>": "no bond is found: name other centres"},
        simulated=simulated,
    )


def make_sq_gr():
    q = np.arange(0.8, 23.0, 0.02)
    r = np.arange(0.0, 20.0, 0.01)
    comp = {"Na": 1, "Ta": 1, "Cl": 5, "S": 0.5}
    sq = SQ(
        q=q,
        s=1 + np.sin(2.33 * q) / q * np.exp(-0.004 * q**2),
        sigma=0.002 * q,
        composition=comp,
        number_density=0.0335,
    )
    line = -4 * np.pi * 0.0335 * r
    g = (
        np.where(r < 2, line, 0)
        + 9 * np.exp(-0.5 * ((r - 2.33) / 0.09) ** 2)
        + np.sin(3 * r) * np.exp(-r / 5)
    )
    gr = GR(
        r=r,
        g=g,
        sigma=np.full(r.size, 0.15),
        q_min=0.8,
        q_max=23.0,
        composition=comp,
        number_density=0.0335,
        source="sample_iq.chi",
    )
    return sq, gr
