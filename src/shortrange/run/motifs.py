"""Models that are motifs: built from the project, and compared with EXAFS; G(r) is in `motif_gr`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shortrange.compare.theory_error import EXAFS_THEORY_ERROR, TheoryError
from shortrange.config import MotifModel, Project, TotalScatteringMeasurement, XasMeasurement
from shortrange.errors import ShortrangeError
from shortrange.fit.motif_term import find_angles, motif_term
from shortrange.fit.parameters import Parameter
from shortrange.fit.term import Term
from shortrange.quantities import ChiK
from shortrange.simulate.exafs.motif import MotifExafs
from shortrange.simulate.motifs import MotifHypothesis, motif_hypothesis

__all__ = ["build_hypothesis", "compare_motif", "from_best_angle"]

_NEAR = 3.0  # nats within which another maximum of the angle is told


def build_hypothesis(
    model: MotifModel, project: Project, note: Callable[..., None]
) -> MotifHypothesis | None:
    """Build what a [[model]] with a motif states; what is wrong with it goes to ``note(level=, text=)``."""
    try:
        unit = motif_hypothesis(
            model.motif, metal=model.metal, ligand=model.ligand, bridge=model.bridge,
            substitute=model.substitute, angle=model.angle, terminal=model.terminal or None,
            bridging=model.bridging or None, distortion=model.distortion,
        )  # fmt: skip
    except ShortrangeError as error:
        note(level="fault", text=str(error))
        return None
    for measurement in project.measurement:
        if isinstance(measurement, TotalScatteringMeasurement):
            if model.metal not in project.sample.atoms:
                note(
                    level="fault",
                    text=f"its metal is {model.metal}, which the sample does not hold: how much of "
                    f"{measurement.name!r} it makes is not known",
                )
        elif measurement.element != model.metal:
            note(
                level="fault",
                text=f"its metal is {model.metal}, the absorber of {measurement.name!r} is "
                f"{measurement.element}",
            )
    foreign = sorted(set(unit.start.species) - set(project.sample.atoms))
    if foreign:
        note(level="warning", text=f"holds {', '.join(foreign)}, which the sample does not")
    note(level="ok", text=f"{unit.start.formula}, free: {', '.join(p.name for p in unit.structural)}")
    if any(not isinstance(m, TotalScatteringMeasurement) for m in project.measurement):
        note(level="warning", text="a bare unit: what lies around it in the sample is not in its EXAFS")
    for text in unit.warnings:
        note(level="warning", text=text)
    return unit


def compare_motif(
    measurement: XasMeasurement, chi: ChiK, model: MotifExafs, *, k_range: tuple[float, float],
    r_range: tuple[float, float], s02: Parameter,
) -> tuple[Term, dict[str, Any], list[str]]:  # fmt: skip
    """State the comparison of one motif: the term, notes for the settings, and doubts."""
    unit = model.hypothesis
    term = motif_term(
        chi, model, measurement=measurement.name, k_range=k_range, r_range=r_range,
        k_weight=measurement.k_weight, s02=s02,
    )  # fmt: skip
    term, notes, doubts = from_best_angle(term, unit, theory_error=EXAFS_THEORY_ERROR)
    return term, {"absorbers": len(unit.start.metals), **notes}, doubts


def from_best_angle(
    term: Term, unit: MotifHypothesis, *, theory_error: TheoryError
) -> tuple[Term, dict[str, Any], list[str]]:
    """Start a term at its highest maximum; notes for the settings, and doubts where others are as high.

    Parameters
    ----------
    term
        Of the motif.
    unit
        The motif.
    theory_error
        Prior of the relative theory error: maxima are found at its median.
    """
    term, maxima = find_angles(term, theory_error=theory_error.median)
    # As in the verdict, the points count in part.
    part = theory_error.independent
    near = [m for m in maxima if part * (maxima[0].log_evidence - m.log_evidence) < _NEAR]
    doubts = []
    if len(near) > 1:
        each = ", ".join(f"{m.angle:.0f}({m.sigma:.0f})" for m in sorted(near, key=lambda m: m.angle))
        doubts.append(f"the angle is not determined: equally good at {each} degrees")
    notes = {
        "motif": unit.start.formula,
        "priors": {p.name: {"mean": p.value, "sigma": p.sigma, "source": p.source} for p in unit.structural},
        "angles": [
            {"angle": m.angle, "sigma": m.sigma, "log_evidence": part * m.log_evidence} for m in maxima
        ],
    }
    return term, notes, doubts
