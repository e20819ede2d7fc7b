"""G(r) of a crystal by our own sums, by PDFfit2 or by diffpy.srreal, and ours in the conventions of either.

The programs differ in four places, and `calculate_gr` can follow each (``convention``):

================  ======================  ==========================  ==================================
                  ``"debye"``             ``"pdffit2"``               ``"srreal"``
================  ======================  ==========================  ==================================
peak              1 / r_ij                1 / r                       1 / r_ij
X-ray weights     f(Q), or f(0)           atomic number               f(0)
end of F(Q)       exactly ``q_max``       transform of r > 0 alone    multiple of 2 pi / padded length
Qdamp             after that              before that                 after that
================  ======================  ==========================  ==================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from shortrange.atoms import atomic_number
from shortrange.errors import DataError, SimulationError, did_you_mean
from shortrange.quantities import Trajectory
from shortrange.simulate.pairs import PairHistograms, pair_histograms
from shortrange.simulate.pdf_model import PdfModel
from shortrange.simulate.pdf_peaks import Widths, gaussian_sums, sphere
from shortrange.simulate.pdf_sums import TAPER
from shortrange.simulate.pdf_weights import Weights, pair_weights

__all__ = ["ENGINES", "Convention", "PdfSettings", "calculate_gr"]

Array = NDArray[Any]
Convention = Literal["debye", "pdffit2", "srreal"]

_RIPPLES = 6  # of the end of F(Q), which both programs keep beyond r_max


@dataclass(frozen=True, slots=True, kw_only=True)
class PdfSettings:
    """What is calculated.

    Attributes
    ----------
    r_max, r_step
        G on ``r_step, 2 r_step, ... r_max``, angstrom.
    u_iso
        Mean square displacement, angstrom^2: one number, or one for each element.
    q_max
        1/angstrom; None adds up Gaussians without end, which needs weights that do not depend on Q.
    q_min, q_damp, q_broad
        1/angstrom.
    delta1, delta2
        Correlated motion, angstrom and angstrom^2.
    diameter
        Of a ball, angstrom; None is without end.
    weights
        See `shortrange.simulate.pdf_weights.pair_weights`.
    """

    r_max: float
    u_iso: float | Mapping[str, float]
    r_step: float = 0.01
    q_max: float | None = None
    q_min: float = 0.0
    q_damp: float = 0.0
    q_broad: float = 0.0
    delta1: float = 0.0
    delta2: float = 0.0
    diameter: float | None = None
    weights: Weights | Mapping[str, float] = "xray-constant"

    @property
    def r(self) -> Array:
        """Where G is calculated, angstrom."""
        return np.arange(1, round(self.r_max / self.r_step) + 1) * self.r_step

    @property
    def widths(self) -> Widths:
        """Settings of the peak widths."""
        return Widths(q_broad=self.q_broad, delta1=self.delta1, delta2=self.delta2)

    def u_of(self, symbol: str) -> float:
        """Mean square displacement of an element, angstrom^2."""
        return float(self.u_iso[symbol] if isinstance(self.u_iso, Mapping) else self.u_iso)


def calculate_gr(
    structure: Trajectory,
    settings: PdfSettings,
    *,
    engine: str = "numba",
    convention: Convention | None = None,
) -> Array:
    """G(r) of a structure, the mean if it has several frames.

    Parameters
    ----------
    structure
        Crystal or snapshots.
    settings
        What is calculated.
    engine
        ``"numba"``: ours; ``"pdffit2"`` or ``"srreal"``, if they are installed.
    convention
        Of the engine ``"numba"``, default ``"debye"``; the others have their own.

    Returns
    -------
    Array
        At ``settings.r``, angstrom^-2.

    Raises
    ------
    DataError
        If a setting is impossible.
    SimulationError
        If the engine is not installed, or cannot do what is asked.
    """
    if engine not in ENGINES:
        raise SimulationError(
            f"there is no engine {engine!r}", where="calculate_gr", do=did_you_mean(engine, ENGINES)
        )
    if convention not in (None, engine) and engine != "numba":
        raise SimulationError(
            f"{engine} does not calculate in the convention {convention!r}", where="calculate_gr",
            do="leave convention out, or choose engine='numba'",
        )  # fmt: skip
    _check(structure, settings)
    return ENGINES[engine](structure, settings, convention or "debye")


def _check(structure: Trajectory, s: PdfSettings) -> None:
    if not (s.r_step > 0 and np.isfinite(s.r_max) and s.r_max > 10 * s.r_step):
        raise DataError(
            f"r_max = {s.r_max} with r_step = {s.r_step}", where="PdfSettings", do="give angstroms above zero"
        )
    if s.q_max is not None and not 0 <= s.q_min < s.q_max < np.pi / s.r_step:
        raise DataError(
            f"Q from {s.q_min} to {s.q_max} with r_step = {s.r_step}", where="PdfSettings",
            do="give 0 <= q_min < q_max < pi / r_step",
        )  # fmt: skip
    if s.q_max is None and s.q_min > 0:
        raise DataError(f"q_min = {s.q_min} without q_max", where="PdfSettings", do="give both")
    missing = [x for x in structure.composition if isinstance(s.u_iso, Mapping) and x not in s.u_iso]
    if missing:
        raise DataError(f"u_iso has no value for {missing}", where="u_iso", do="give one for each element")
    least = min(s.u_of(x) for x in structure.composition)
    if not least > 0 and (s.q_max is None or s.widths):
        raise DataError(
            f"u_iso = {least:g} without q_max, or with q_broad, delta1 or delta2", where="PdfSettings",
            do="give u_iso above zero: peaks would have no width",
        )  # fmt: skip


def _by_numba(structure: Trajectory, s: PdfSettings, convention: Convention) -> Array:
    if convention != "debye":
        return _in_convention(structure, s, convention)
    if s.q_max is not None:
        beyond = TAPER + 6.0 * np.sqrt(2 * max(s.u_of(x) for x in structure.composition))
        h = pair_histograms(structure, r_max=s.r_max + beyond, r_step=s.r_step)
        model = PdfModel(h, s.r, s.q_max, s.q_min, s.weights, diameter=s.diameter)
        return model(u_iso=s.u_iso, q_damp=s.q_damp, widths=s.widths)
    if s.weights == "xray":
        raise SimulationError(
            "form factors f(Q) without q_max", where="weights='xray'",
            do="give q_max, or weights='xray-constant'",
        )  # fmt: skip
    return _endless(structure, s, "1/r_ij")[1 : s.r.size + 1] * np.exp(-0.5 * (s.r * s.q_damp) ** 2)


def _endless(
    structure: Trajectory, s: PdfSettings, form: Literal["1/r_ij", "1/r"], beyond: float = 0.0
) -> Array:
    """Gaussians on the baseline from r = 0, without Qmax and Qdamp, at least ``beyond`` past ``r_max``."""
    widest = 2 * max(s.u_of(x) for x in structure.composition) * (1 + (s.q_broad * 1.2 * s.r_max) ** 2)
    h: PairHistograms = pair_histograms(
        structure, r_max=s.r_max + beyond + 6.5 * np.sqrt(widest), r_step=s.r_step
    )
    weights = pair_weights(h, np.zeros(1), weights=s.weights)[:, 0]
    counts = h.mean_counts()
    g = weights @ gaussian_sums(h, counts, u_iso=s.u_iso, widths=s.widths, form=form)
    g -= 4 * np.pi * h.r * (h.number_density or 0.0)
    return np.asarray(g if s.diameter is None else g * sphere(h.r, s.diameter))


def _in_convention(structure: Trajectory, s: PdfSettings, convention: Convention) -> Array:
    if s.weights == "xray":
        raise SimulationError(
            f"the convention {convention!r} has no form factors f(Q)", where="weights='xray'",
            do="choose convention 'debye', or weights='xray-constant'",
        )  # fmt: skip
    beyond = 0.0 if s.q_max is None else _RIPPLES * 2 * np.pi / s.q_max
    n, last = s.r.size, round((s.r_max + beyond) / s.r_step)
    if convention == "srreal":
        g = _endless(structure, s, "1/r_ij", beyond)
        points = int(np.ceil((s.r[-1] + beyond) / s.r_step + 1e-4))  # from 0 on; its end is not one of them
        cut = g if s.q_max is None else _cut_as_srreal(g[:points], s.r_step, s.q_min, s.q_max)
        return np.asarray(cut[1 : n + 1] * np.exp(-0.5 * (s.r * s.q_damp) ** 2))
    if s.weights == "xray-constant":
        s = replace(s, weights={x: float(atomic_number(x)) for x in structure.composition})
    if s.q_min > 0:
        raise SimulationError(
            f"q_min = {s.q_min}, which PDFfit2 does not have", where="q_min",
            do="choose convention 'debye'",
        )  # fmt: skip
    g = _endless(structure, s, "1/r", beyond)[1 : last + 1]
    g *= np.exp(-0.5 * (np.arange(1, g.size + 1) * s.r_step * s.q_damp) ** 2)
    return np.asarray((g if s.q_max is None else _cut_as_pdffit2(g, s.r_step, s.q_max))[:n])


def _cut_as_pdffit2(g: Array, r_step: float, q_max: float) -> Array:
    """``DataSet::applyQmaxCutoff``: no odd continuation to r < 0, and Q counted by one point less."""
    length = 2 ** int(np.ceil(np.log2(2 * g.size)))
    first = int(np.ceil(q_max * (length - 1) * r_step / (2 * np.pi)))
    f = np.fft.fft(g, length)
    f[first : length + 1 - first] = 0
    return np.asarray(np.fft.ifft(f).real[: g.size])


def _cut_as_srreal(g: Array, r_step: float, q_min: float, q_max: float) -> Array:
    """Fast sine transforms of g from r = 0, padded to twice the next power of two."""
    length = 2 * 2 ** int(np.ceil(np.log2(g.size)))
    odd = np.zeros(length)
    odd[: g.size] = g
    odd[-g.size + 1 :] = -g[:0:-1]
    q = 2 * np.pi * np.fft.rfftfreq(length, r_step)
    f = np.fft.rfft(odd)
    f[(q > q_max) | (q < q_min)] = 0
    return np.fft.irfft(f, length)[: g.size]


def _by_pdffit2(structure: Trajectory, s: PdfSettings, convention: Convention) -> Array:
    del convention
    from shortrange.simulate.pdf_diffpy import by_pdffit2

    return by_pdffit2(structure, s)


def _by_srreal(structure: Trajectory, s: PdfSettings, convention: Convention) -> Array:
    del convention
    from shortrange.simulate.pdf_diffpy import by_srreal

    return by_srreal(structure, s)


ENGINES: dict[str, Callable[[Trajectory, PdfSettings, Convention], Array]] = {
    "numba": _by_numba,
    "pdffit2": _by_pdffit2,
    "srreal": _by_srreal,
}
"""Names and functions of (structure, settings, convention)."""
