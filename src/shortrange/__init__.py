"""Say which local structure X-ray absorption and total-scattering data support, and how surely.

The public names below are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from shortrange._version import __version__

if TYPE_CHECKING:
    from shortrange.analyse.analysis import analyse_trajectory
    from shortrange.config import read_project
    from shortrange.load import load, load_gr, load_iq, load_scans, load_trajectory
    from shortrange.reduce.scattering import reduce_scattering
    from shortrange.reduce.xas import reduce_xas
    from shortrange.report import write_report
    from shortrange.run import check_project, run_project
    from shortrange.simulate.exafs import ensemble_exafs
    from shortrange.simulate.pairs import coordination, pair_histograms
    from shortrange.simulate.pdf import simulate_gr
    from shortrange.transform.fourier import xftf

_HOME = {
    "analyse_trajectory": "analyse.analysis",
    "check_project": "run",
    "coordination": "simulate.pairs",
    "ensemble_exafs": "simulate.exafs",
    "load": "load",
    "load_gr": "load",
    "load_iq": "load",
    "load_scans": "load",
    "load_trajectory": "load",
    "pair_histograms": "simulate.pairs",
    "read_project": "config",
    "reduce_scattering": "reduce.scattering",
    "reduce_xas": "reduce.xas",
    "run_project": "run",
    "simulate_gr": "simulate.pdf",
    "write_report": "report",
    "xftf": "transform.fourier",
}

__all__ = [
    "__version__",
    "analyse_trajectory",
    "check_project",
    "coordination",
    "ensemble_exafs",
    "load",
    "load_gr",
    "load_iq",
    "load_scans",
    "load_trajectory",
    "pair_histograms",
    "read_project",
    "reduce_scattering",
    "reduce_xas",
    "run_project",
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
