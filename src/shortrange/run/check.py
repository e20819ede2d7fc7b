"""Say everything that is wrong with a project before any work is done."""

from __future__ import annotations

from shortrange.config import Project, XasMeasurement
from shortrange.errors import ShortrangeError
from shortrange.quantities import doubts
from shortrange.run.inputs import Finding, Inputs, collect_inputs
from shortrange.run.pipeline import reduce

__all__ = ["check_project"]


def check_project(project: Project) -> tuple[Finding, ...]:
    """Say what a project's files hold and everything that is wrong with them, without simulating.

    Every file is loaded and every measurement reduced, since ranges that do not fit the data show only then.

    Parameters
    ----------
    project
        From `shortrange.config.read_project`.

    Returns
    -------
    tuple of Finding
        In the order of the project: files first, then reductions.
    """
    inputs = collect_inputs(project)
    findings = list(inputs.findings)
    for measurement in project.measurement:
        where = f"measurement {measurement.name!r}"
        if not _loaded(inputs, measurement.name, isinstance(measurement, XasMeasurement)):
            continue
        try:
            reduction = reduce(measurement, project, inputs)
        except ShortrangeError as error:
            findings.append(Finding(level="fault", where=where, text=str(error)))
            continue
        findings += [Finding(level="warning", where=where, text=text) for text in doubts(reduction.history)]
    return tuple(findings)


def _loaded(inputs: Inputs, name: str, xas: bool) -> bool:
    if xas:
        return bool(inputs.scans[name])
    pattern = inputs.patterns[name]
    return pattern.intensity is not None or pattern.gr is not None
