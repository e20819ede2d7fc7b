"""What to cite for a result: the methods that it rests on, each with its DOI."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from shortrange._version import __version__
from shortrange.analyse.analysis import Analysis
from shortrange.errors import DataError
from shortrange.fit.boxcar import Boxcar
from shortrange.fit.paths import PathFit
from shortrange.fit.peaks import PeakFit
from shortrange.fit.refinement import Refinement
from shortrange.quantities import GR, SQ, ChiK, ChiR, MuE
from shortrange.reduce.scattering import ScatteringReduction
from shortrange.reduce.xas import XasReduction
from shortrange.simulate.exafs import EnsembleExafs
from shortrange.simulate.pdf import SimulatedGR
from shortrange.transform.wavelet import WaveletMap

__all__ = ["Citation", "all_citations", "citations"]


@dataclass(frozen=True, slots=True)
class Citation:
    """One work to cite.

    Attributes
    ----------
    key
        Short name.
    use
        What the result has from it.
    text
        Authors, journal, year.
    doi
        Digital object identifier, or empty.
    """

    key: str
    use: str
    text: str
    doi: str = ""

    @property
    def url(self) -> str:
        """Where the DOI leads, or empty."""
        return f"https://doi.org/{self.doi}" if self.doi else ""

    def __str__(self) -> str:
        return f"{self.use}: {self.text}" + (f", doi:{self.doi}" if self.doi else "")


@cache
def all_citations() -> dict[str, Citation]:
    """Return every known work by its key."""
    text = files("shortrange.report").joinpath("citations.toml").read_text(encoding="utf-8")
    found = {key: Citation(key=key, **entry) for key, entry in tomllib.loads(text).items()}
    own = found["shortrange"]
    found["shortrange"] = Citation(own.key, own.use, f"shortrange {__version__}")
    return found


def citations(result: Any) -> tuple[Citation, ...]:
    """Return what to cite for a result.

    Parameters
    ----------
    result
        Of any function that ends a step: `run_project`, `run_boxcar`, `run_refine`, `reduce_xas`,
        `reduce_scattering`, `ensemble_exafs`, `simulate_gr`, `refine_gr`, `boxcar`, `fit_paths`,
        `fit_peaks`, `analyse_trajectory`, `wavelet`; or a reduced quantity such as `ChiK` or `GR`.

    Returns
    -------
    tuple of Citation
        This package first, each work once.

    Raises
    ------
    DataError
        If this is no result.
    """
    known = all_citations()
    keys = dict.fromkeys(("shortrange", *_keys(result)))
    return tuple(known[key] for key in keys)


_CARRIERS: dict[type, tuple[str, ...]] = {
    EnsembleExafs: ("feff", "larch"),
    Boxcar: ("boxcar", "pdffit", "keen", "formfactors"),
    Refinement: ("pdffit", "keen", "formfactors"),
    PathFit: ("feff", "larch"),
    PeakFit: ("keen", "modes", "evidence"),
    SimulatedGR: ("keen", "formfactors"),
    MuE: ("larch",),
    ChiK: ("larch",),
    ChiR: ("larch",),
    SQ: ("keen",),
    GR: ("keen",),
}


def _keys(result: Any) -> Iterator[str]:
    if type(result) in _CARRIERS:
        yield from _CARRIERS[type(result)]
    elif hasattr(result, "verdict") and hasattr(result, "reductions"):
        yield from _of_run(result)
    elif isinstance(result, ScatteringReduction):
        yield from ("keen", "formfactors", "compton", "xraylib")
        if any(done.settings.get("anomalous") and done.settings.get("wavelength") for done in result.history):
            yield "dispersion"
    elif isinstance(result, XasReduction):
        yield from ("larch", "edges")
        if result.background is not None:
            yield "autobk"
    elif isinstance(result, Analysis):
        yield from _of_analysis(result)
    elif isinstance(result, WaveletMap):
        yield str(result.settings["kind"])
    elif type(getattr(result, "result", None)) in _CARRIERS:  # of run_boxcar, run_refine and run_path_fit
        yield from _keys(result.result)
    else:
        raise DataError(
            f"nothing is known to cite for {type(result).__name__}",
            where="citations",
            do="give a result, such as that of run_project or reduce_xas",
        )


def _of_run(result: Any) -> Iterator[str]:
    for reduction in result.reductions.values():
        yield from _keys(reduction)
    techniques = {fit.technique for fit in result.verdict.models[0].fits}
    if "xas" in techniques:
        yield from ("feff", "cauchy")
    if "total-scattering" in techniques:
        yield from ("formfactors", "shrinkage")
    yield from ("modes", "evidence")
    if "laplace_less_nested" in result.verdict.settings:
        yield "nested"


def _of_analysis(result: Analysis) -> Iterator[str]:
    if result.distortions:
        yield "shape"
    if result.transport is not None:
        yield "diffusion"
        if any(element.posterior is not None for element in result.transport.elements):
            yield from ("kinisi", "sampling")
    if result.persistence:
        yield "ripser"
