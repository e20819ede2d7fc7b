"""The main job: every stage in its order, from a project file to a verdict."""

from shortrange.run.check import check_project
from shortrange.run.inputs import Finding, Inputs, load_inputs
from shortrange.run.phases import BoxcarRun, RefineRun, run_boxcar, run_refine
from shortrange.run.pipeline import RunResult, run_project

__all__ = [
    "BoxcarRun",
    "Finding",
    "Inputs",
    "RefineRun",
    "RunResult",
    "check_project",
    "load_inputs",
    "run_boxcar",
    "run_project",
    "run_refine",
]
