"""From loaded inputs to the verdict: reduce, simulate, fit, compare."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from shortrange.analyse.analysis import Analysis
from shortrange.compare.evidence import check_evidence, check_nested
from shortrange.compare.mixture import Component, MixtureFit
from shortrange.compare.rank import decide, leading, rank, upper_limit
from shortrange.compare.structure import surroundings
from shortrange.compare.theory_error import TheoryError
from shortrange.compare.verdict import FittedParameter, MeasurementFit, ModelResult, Surroundings, Verdict
from shortrange.config import Measurement, Mixture, Project, Sample, XasMeasurement
from shortrange.errors import ProjectError
from shortrange.fit.term import Term
from shortrange.load.history import is_simulated
from shortrange.quantities import GR, doubts
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.run.comparison import Comparison
from shortrange.run.contents import analyse_models
from shortrange.run.foresight import foresee
from shortrange.run.inputs import Inputs, incomplete_models, load_inputs
from shortrange.run.kept_fits import KeptFits
from shortrange.run.motif_gr import motifs_in_sample
from shortrange.run.scattering import compare_gr, reduce_pattern, simulate_pairs
from shortrange.run.versions import versions
from shortrange.run.xas import compare_exafs, reduce_scans, simulate_exafs
from shortrange.shown import run_html
from shortrange.simulate.pieces import PieceStore, Workers

__all__ = ["Progress", "Reduction", "RunResult", "reduce", "run_project"]

Reduction = XasReduction | ScatteringReduction | GR

Progress = Callable[[str], None]
"""Called with one line for each piece of work that begins."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """Everything that a run found.

    Attributes
    ----------
    project
        What was asked.
    inputs
        What was loaded, with the hashes of the files.
    reductions
        What the data were reduced to, by measurement; a `GR` where G(r) was given.
    verdict
        The answer.
    versions
        Of the package and the libraries that numbers depend on.
    contents
        What the snapshots of each model contain, or the reason why this is not known.
    """

    project: Project
    inputs: Inputs
    reductions: Mapping[str, Reduction]
    verdict: Verdict
    versions: Mapping[str, str]
    contents: Mapping[str, Analysis | str]

    def _repr_html_(self) -> str:
        """Return the question and the verdict, for a notebook."""
        return run_html(self.project.title, self.simulated, self.verdict._repr_html_())

    @property
    def simulated(self) -> bool:
        """Whether the measurements were made from models, as the project or a scan's header says."""
        scans = [scan for each in self.inputs.scans.values() for scan in each]
        return self.project.sample.simulated or any(is_simulated(scan.history) for scan in scans)


def run_project(project: Project, *, progress: Progress | None = None) -> RunResult:
    """Find which model the data support, and how surely.

    Parameters
    ----------
    project
        From `shortrange.config.read_project`.
    progress
        Told what is being done, for an impatient reader.

    Raises
    ------
    ProjectError
        If a file cannot be read or does not fit the project; the message lists all faults.
    DataError, SimulationError
        If data cannot be reduced, or a model cannot be simulated.
    """
    tell = progress or (lambda _: None)
    # What was simulated and fitted before an interruption is there when the same project runs again.
    kept = KeptFits(project.path)
    unfinished: list[PieceStore] = [kept.store]
    workers = Workers(keep=True, unfinished=unfinished)
    tell("load")
    inputs = load_inputs(project)
    warnings = [f"{f.where}: {f.text}" for f in inputs.findings if f.level == "warning"]
    # All of them first: what cannot be reduced is told before models are simulated.
    reductions: dict[str, Reduction] = {}
    for measurement in project.measurement:
        tell(f"reduce {measurement.name}")
        reductions[measurement.name] = reduce(measurement, project, inputs)
    settings: dict[str, Any] = {}
    comparisons: list[Comparison] = []
    fits: dict[str, list[MeasurementFit]] = {model.name: [] for model in project.model}
    for measurement in project.measurement:
        reduction = reductions[measurement.name]
        warnings += [f"{measurement.name}: {text}" for text in doubts(reduction.history)]
        if _left_out(measurement, inputs):
            continue
        compared = _compare(measurement, reduction, inputs, project.sample, tell, workers)
        comparison = _with_theory_error(compared, measurement, project)
        comparisons.append(comparison)
        warnings += [f"{measurement.name}: {text}" for text in comparison.warnings]
        for name, term in comparison.terms.items():
            tell(f"fit {measurement.name} with {name}")
            fits[name].append(kept.judge(term, theory_error=comparison.theory_error))
        controls = {k: _chances(terms, comparison, kept) for k, terms in comparison.controls.items()}
        warnings += _flips(measurement.name, fits, controls)
        settings[measurement.name] = {
            **comparison.settings,
            **_theory(comparison.theory_error),
            "controls": controls,
        }
    if not comparisons:
        raise ProjectError(
            "every measurement was left out, since some model has not its absorber",
            where=str(project.path),
            do="leave those models out, or add total scattering",
        )
    mixtures = {mixture.name: _judge_mixture(mixture, comparisons, tell, kept) for mixture in project.mixture}
    shown = {**fits, **{name: list(mixture.fits) for name, mixture in mixtures.items()}}
    ranked = rank(fits, mixtures=mixtures)
    # A bare unit is no phase of its own that the sample could hold beside another.
    whole = [name for name in fits if name not in inputs.motifs]
    admixtures = _admixtures(leading(ranked, odds=project.verdict.odds), whole, comparisons, tell, kept)
    checks, doubtful = _check_evidence(ranked, comparisons, check_evidence, kept)
    nested: dict[str, Any] = {}
    if project.verdict.nested:
        tell("sample the evidence")
        nested["laplace_less_nested"], more = _check_evidence(ranked, comparisons, check_nested, kept)
        doubtful += more
    verdict = decide(
        ranked,
        admixtures=admixtures,
        incomplete=incomplete_models(
            {name: inputs.models[name].composition for name in whole}, project.sample.atoms
        ),
        odds=project.verdict.odds,
        warnings=(*warnings, *_at_bounds(shown), *doubtful),
        settings={
            "measurements": settings,
            "admixtures": _describe(admixtures),
            "laplace_less_sampled": checks,
            **nested,
        },
    )
    if not inputs.motifs:
        tell("ask what would decide")
        verdict = replace(
            verdict,
            prospects=foresee(ranked, comparisons, inputs.models, edges=project.verdict.edges, tell=tell),
        )
    tell("analyse the models")
    contents = analyse_models(inputs.models)
    verdict = replace(verdict, structure=_structure(verdict, contents, inputs, project))
    for store in unfinished:
        store.clear()
    return RunResult(
        project=project,
        inputs=inputs,
        reductions=reductions,
        verdict=verdict,
        versions=versions(),
        contents=contents,
    )


def _structure(
    verdict: Verdict, contents: Mapping[str, Analysis | str], inputs: Inputs, project: Project
) -> tuple[Surroundings, ...]:
    """Neighbours, bond lengths and bridges in the best model, around what absorbs."""
    best = next((model for model in verdict.models if model.name == verdict.best), None)
    if best is None:
        return ()
    atoms = {
        name: {
            element: 1.0 if name in inputs.motifs else count / model.n_atoms
            for element, count in model.composition.items()
        }
        for name, model in inputs.models.items()
    }
    elements = [m.element for m in project.measurement if isinstance(m, XasMeasurement)]
    return surroundings(best, contents, elements, absorbers=atoms)


def reduce(measurement: Measurement, project: Project, inputs: Inputs) -> Reduction:
    """Reduce the data of one measurement.

    Raises
    ------
    DataError
        If they cannot be reduced as the project asks.
    """
    if isinstance(measurement, XasMeasurement):
        return reduce_scans(measurement, inputs.scans[measurement.name])
    densities = [d for model in inputs.models.values() if (d := model.number_density) is not None]
    return reduce_pattern(
        measurement,
        inputs.patterns[measurement.name],
        project.sample,
        density=float(np.mean(densities)) if densities else None,
    )


def _compare(
    measurement: Measurement, reduction: Reduction, inputs: Inputs, sample: Sample, tell: Progress,
    workers: Workers,
) -> Comparison:  # fmt: skip
    if isinstance(measurement, XasMeasurement):
        assert isinstance(reduction, XasReduction)
        simulated = simulate_exafs(
            measurement, inputs.models, motifs=inputs.motifs, tell=tell, workers=workers
        )
        return compare_exafs(measurement, reduction, simulated)
    assert not isinstance(reduction, XasReduction)
    snapshots = {name: model for name, model in inputs.models.items() if name not in inputs.motifs}
    counted = simulate_pairs(measurement, snapshots, tell=tell, workers=workers)
    units = inputs.motifs
    around = motifs_in_sample(measurement, reduction, units, sample) if units else None
    return compare_gr(measurement, reduction, counted, motifs=around)


def _left_out(measurement: Measurement, inputs: Inputs) -> bool:
    """Whether a model has not the absorber of a measurement: without `partial`, that is a fault before."""
    return isinstance(measurement, XasMeasurement) and any(
        measurement.element not in model.composition for model in inputs.models.values()
    )


def _with_theory_error(comparison: Comparison, measurement: Measurement, project: Project) -> Comparison:
    """Return the comparison with the theory error that the project states, if it states one."""
    settings, calibrated = project.verdict, comparison.theory_error
    if isinstance(measurement, XasMeasurement):
        wanted = {"median": settings.exafs_theory_error, "independent": settings.exafs_independent}
    else:
        wanted = {"median": settings.pdf_theory_error, "independent": settings.pdf_independent}
    stated = {name: value for name, value in wanted.items() if value is not None}
    if not stated:
        return comparison
    instead = " and ".join(f"{getattr(calibrated, name):g} ({name})" for name in stated)
    source = f"stated in the project, instead of the calibrated {instead}"
    return replace(comparison, theory_error=replace(calibrated, source=source, **stated))


def _judge_mixture(
    mixture: Mixture, comparisons: Sequence[Comparison], tell: Progress, kept: KeptFits
) -> MixtureFit:
    """Fit a mixture to all measurements together."""
    return kept.judge_mixture(
        _components(comparisons),
        mixture.of,
        tell=lambda text: tell(f"fit {mixture.name}, {text}"),
    )


def _admixtures(
    best: ModelResult, names: Sequence[str], comparisons: Sequence[Comparison], tell: Progress, kept: KeptFits
) -> dict[str, MixtureFit]:
    """Mix the leading model with each other one, to see whether some of it would help."""
    if best.shares or best.name not in names:
        return {}
    tried = {}
    for other in names:
        if other != best.name:
            tell(f"try {best.name} with some {other}")
            tried[other] = kept.judge_mixture(
                _components(comparisons), (best.name, other), tell=lambda _: None
            )
    return tried


def _check_evidence(
    ranked: Sequence[ModelResult],
    comparisons: Sequence[Comparison],
    check: Callable[..., tuple[float, float]],
    kept: KeptFits,
) -> tuple[dict[str, dict[str, list[float]]], list[str]]:
    """Check Laplace's approximation for the best two models; say where it is off by more than 1 nat."""
    checks: dict[str, dict[str, list[float]]] = {}
    doubtful = []
    for comparison in comparisons:
        for name in [m.name for m in ranked if not m.shares][:2]:
            term = comparison.terms[name]
            off, sigma = kept.check(check, term, theory_error=comparison.theory_error)
            checks.setdefault(term.measurement, {})[name] = [off, sigma]
            if not abs(off) < 1.0 + 2.0 * sigma < 3.0:
                other = "" if check is check_nested else "; compare with [verdict] nested = true"
                doubtful.append(
                    f"{term.measurement} with {name}: the posterior is not normal, ln Z may be off by "
                    f"{off:.1f} ({sigma:.1f}){other}"
                )
    return checks, doubtful


def _components(comparisons: Sequence[Comparison]) -> list[Component]:
    return [Component(terms=c.terms, strengths=c.strengths, theory_error=c.theory_error) for c in comparisons]


def _describe(admixtures: Mapping[str, MixtureFit]) -> dict[str, dict[str, float | None]]:
    """Share of each other model beside the leading one, and the evidence of the two together."""
    found = {}
    for other, fit in admixtures.items():
        share = next(s for s in fit.shares if s.name == other)
        found[other] = {
            "share": share.value,
            "sigma": share.sigma,
            "upper_limit": upper_limit(fit, other),
            "log_evidence": fit.log_evidence,
        }
    return found


def _chances(terms: Mapping[str, Term], comparison: Comparison, kept: KeptFits) -> dict[str, float]:
    """Probabilities of the models from one way of making a comparison."""
    fits = {name: [kept.judge(term, theory_error=comparison.theory_error)] for name, term in terms.items()}
    return {model.name: model.probability for model in rank(fits)}


def _flips(
    measurement: str, fits: Mapping[str, list[MeasurementFit]], controls: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """Sentences on controls in which another model leads than in the comparison itself."""
    leader = max(fits, key=lambda name: fits[name][-1].log_evidence)
    flips = []
    for label, chances in controls.items():
        other = max(chances, key=lambda name: chances[name])
        if other != leader:
            flips.append(
                f"{measurement}: {label}, it prefers {other!r} (P = {chances[other]:.2f}) to {leader!r}: "
                "what depends on the Q-range decides nothing"
            )
    return flips


def _theory(theory: TheoryError) -> dict[str, Any]:
    told = ("median", "log_sigma", "independent", "source")
    return {"theory_error": {name: getattr(theory, name) for name in told}}


def _at_bounds(fits: Mapping[str, list[MeasurementFit]]) -> list[str]:
    return [
        f"{fit.measurement} with {name}: {p.name} = {p.value:.4g} {p.unit} lies at its limit{_meaning(p)}"
        for name, each in fits.items()
        for fit in each
        for p in fit.parameters
        if p.at_bound
    ]


def _meaning(p: FittedParameter) -> str:
    """Say what a mean square variation at its lower limit tells."""
    if not (p.name.startswith(("delta_sigma2", "sigma2")) and p.value < 0.5 * (p.bounds[0] + p.bounds[1])):
        return ""
    return ": the data are less disordered than the model can be"
