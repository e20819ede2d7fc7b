"""PDFfit2 and diffpy.srreal as engines behind `shortrange.simulate.pdf_engines.calculate_gr`."""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.quantities import Trajectory

if TYPE_CHECKING:
    from shortrange.simulate.pdf_engines import PdfSettings

__all__ = ["by_pdffit2", "by_srreal"]

Array = NDArray[Any]

_SRREAL = "conda install -c conda-forge diffpy.srreal"
_NARROWEST = 1e-6  # angstrom^2; both programs leave out peaks without width, and say nothing


def by_pdffit2(structure: Trajectory, s: PdfSettings) -> Array:
    """G at ``s.r`` by diffpy.pdffit2, the mean over frames.

    Raises
    ------
    SimulationError
        If it is not installed, or cannot do what is asked.
    """
    engine = _module("diffpy.pdffit2", "pip install 'shortrange[pdffit2]'")
    _refuse("pdffit2", structure, s, {"q_min": s.q_min > 0})
    if s.weights not in ("xray-constant", "neutron"):
        _no_weights("pdffit2", s)
    engine.redirect_stdout(io.StringIO())
    try:
        return _mean(structure, s, lambda crystal: _one_pdffit2(engine, crystal, s))
    finally:
        engine.redirect_stdout(sys.stdout)


def _one_pdffit2(engine: Any, crystal: Any, s: PdfSettings) -> Array:
    fit = engine.PdfFit()
    fit.add_structure(crystal)
    radiation = "X" if s.weights == "xray-constant" else "N"
    fit.alloc(radiation, s.q_max or 0.0, s.q_damp, float(s.r[0]), float(s.r[-1]), s.r.size)
    for name in ("qbroad", "delta1", "delta2", "spdiameter"):
        value = {"qbroad": s.q_broad, "spdiameter": s.diameter}.get(name, getattr(s, name, 0.0))
        if value:
            fit.setvar(getattr(fit, name)(), float(value))
    fit.calc()
    return np.array(fit.getpdf_fit())


def by_srreal(structure: Trajectory, s: PdfSettings) -> Array:
    """G at ``s.r`` by diffpy.srreal, the mean over frames.

    Raises
    ------
    SimulationError
        If it is not installed, or cannot do what is asked.
    """
    pdf = _module("diffpy.srreal.pdfcalculator", _SRREAL)
    _refuse("srreal", structure, s, {})
    if s.weights not in ("xray-constant", "neutron"):
        _no_weights("srreal", s)
    return _mean(structure, s, lambda crystal: _one_srreal(pdf, crystal, s))


def _one_srreal(pdf: Any, crystal: Any, s: PdfSettings) -> Array:
    # srreal leaves out rmax itself; a whole step more would move the end of the ripples that it keeps.
    settings = {"rmin": 0.0, "rmax": float(s.r[-1]) + 1e-4 * s.r_step, "rstep": s.r_step}
    if s.q_max is not None:
        settings |= {"qmax": s.q_max, "qmin": s.q_min}
    settings |= {"qdamp": s.q_damp, "qbroad": s.q_broad, "delta1": s.delta1, "delta2": s.delta2}
    calculator = pdf.PDFCalculator(**settings)
    tables = _module("diffpy.srreal.scatteringfactortable", _SRREAL)
    is_xray = s.weights == "xray-constant"
    calculator.scatteringfactortable = tables.SFTXray() if is_xray else tables.SFTNeutron()
    if s.diameter is not None:
        calculator.addEnvelope("sphericalshape")
        calculator.spdiameter = s.diameter
    r, g = calculator(crystal)
    return np.asarray(np.interp(s.r, r, g))


def _module(name: str, install: str) -> Any:
    try:
        return import_module(name)
    except ImportError as error:
        raise SimulationError(
            f"{name.rsplit('.', 1)[0] if name.count('.') > 1 else name} is not installed ({error})",
            where="engine", do=f"{install}, or use the engine 'numba'",
        ) from error  # fmt: skip


def _refuse(name: str, structure: Trajectory, s: PdfSettings, cannot: dict[str, bool]) -> None:
    asked = [what for what, is_asked in cannot.items() if is_asked]
    if structure.cells is None:
        asked.append("a molecule without a cell")
    if min(s.u_of(x) for x in structure.composition) < _NARROWEST:
        asked.append(f"u_iso below {_NARROWEST:g} angstrom^2")
    if asked:
        raise SimulationError(
            f"{name} does not calculate with {', '.join(asked)}", where=f"engine {name!r}",
            do="use the engine 'numba'",
        )  # fmt: skip


def _no_weights(name: str, s: PdfSettings) -> None:
    raise SimulationError(
        f"{name} does not calculate with weights {s.weights!r}", where=f"engine {name!r}",
        do="use 'xray-constant' or 'neutron', or the engine 'numba'",
    )  # fmt: skip


def _mean(structure: Trajectory, s: PdfSettings, calculate: Any) -> Array:
    from diffpy.structure import Atom, Lattice, Structure

    total = np.zeros(s.r.size)
    cells = () if structure.cells is None else structure.cells
    for positions, cell in zip(structure.positions, cells, strict=True):
        crystal = Structure(lattice=Lattice(base=cell))
        for symbol, xyz in zip(structure.species, positions @ np.linalg.inv(cell), strict=True):
            crystal.append(Atom(symbol, xyz, Uisoequiv=s.u_of(symbol)))
        total += calculate(crystal)
    return total / structure.n_frames
