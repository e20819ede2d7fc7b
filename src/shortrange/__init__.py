"""Say which local structure X-ray absorption and total-scattering data support, and how surely.

The public names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shortrange._version import __version__

if TYPE_CHECKING:
    from shortrange.analyse.analysis import analyse_trajectory
    from shortrange.config import read_boxcar, read_project, read_refine
    from shortrange.fit.boxcar import boxcar
    from shortrange.fit.paths import fit_paths
    from shortrange.fit.refine import refine_gr
    from shortrange.fit.restraints import Restraint
    from shortrange.load import load, load_crystal, load_gr, load_iq, load_scans, load_sq, load_trajectory
    from shortrange.reduce.scattering import reduce_scattering
    from shortrange.reduce.xas import reduce_xas
    from shortrange.report import write_report
    from shortrange.report.citations import citations
    from shortrange.run import check_project, run_boxcar, run_project, run_refine
    from shortrange.simulate.exafs import ensemble_exafs
    from shortrange.simulate.motifs import motif
    from shortrange.simulate.pairs import coordination, pair_histograms
    from shortrange.simulate.pdf import simulate_gr
    from shortrange.transform.fourier import xftf

_HOME = {
    "Restraint": "fit.restraints",
    "analyse_trajectory": "analyse.analysis",
    "boxcar": "fit.boxcar",
    "check_project": "run",
    "citations": "report.citations",
    "coordination": "simulate.pairs",
    "ensemble_exafs": "simulate.exafs",
    "fit_paths": "fit.paths",
    "load": "load",
    "load_crystal": "load",
    "load_gr": "load",
    "load_iq": "load",
    "load_scans": "load",
    "load_sq": "load",
    "load_trajectory": "load",
    "motif": "simulate.motifs",
    "pair_histograms": "simulate.pairs",
    "read_boxcar": "config",
    "read_project": "config",
    "read_refine": "config",
    "reduce_scattering": "reduce.scattering",
    "reduce_xas": "reduce.xas",
    "refine_gr": "fit.refine",
    "run_boxcar": "run",
    "run_project": "run",
    "run_refine": "run",
    "simulate_gr": "simulate.pdf",
    "write_report": "report",
    "xftf": "transform.fourier",
}

__all__ = [
    "Restraint",
    "__version__",
    "analyse_trajectory",
    "boxcar",
    "check_project",
    "citations",
    "coordination",
    "ensemble_exafs",
    "fit_paths",
    "load",
    "load_crystal",
    "load_gr",
    "load_iq",
    "load_scans",
    "load_sq",
    "load_trajectory",
    "motif",
    "pair_histograms",
    "read_boxcar",
    "read_project",
    "read_refine",
    "reduce_scattering",
    "reduce_xas",
    "refine_gr",
    "run_boxcar",
    "run_project",
    "run_refine",
    "simulate_gr",
    "write_report",
    "xftf",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'shortrange' has no attribute {name!r}")
    return getattr(import_module(f"shortrange.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
