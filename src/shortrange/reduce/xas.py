"""From raw scans to chi(k): the whole reduction of X-ray absorption, with a report on every scan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from shortrange.atoms import edge_energy
from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import ChiK, MuE, Scan, Step, doubts, step
from shortrange.reduce.background import Background
from shortrange.reduce.by_xraylarch import ENGINES
from shortrange.reduce.choose import choose_mode
from shortrange.reduce.e0 import find_e0
from shortrange.reduce.k_range import suggest_k_range
from shortrange.reduce.merge import compare, merge
from shortrange.reduce.normalise import Normalised, normalise
from shortrange.reduce.sieve import ScanReport, Sieve
from shortrange.shown import Shown

__all__ = ["ScanReport", "XasReduction", "merge_reference", "reduce_xas"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class XasReduction(Shown):
    """Result of `reduce_xas`.

    Attributes
    ----------
    reports
        One for each scan, in the order given.
    merged
        mu(E) with its standard error.
    normalised
        With E0, edge step and the fitted curves.
    background, chi
        None if the scans end less than 100 eV above the edge (XANES).
    k_range
        As asked for, or chosen from the noise; None without ``chi``, or if noise leaves no range.
    history
        Every step; doubts are the steps whose names start with "warning".
    """

    reports: tuple[ScanReport, ...]
    merged: MuE
    normalised: Normalised
    background: Background | None
    chi: ChiK | None
    k_range: tuple[float, float] | None
    history: tuple[Step, ...]

    @property
    def warnings(self) -> tuple[str, ...]:
        """Doubts, as sentences."""
        return doubts(self.history)


def reduce_xas(
    scans: Sequence[Scan],
    *,
    element: str,
    edge: str,
    mode: str = "auto",
    e0: float | None = None,
    k_range: tuple[float, float] | None = None,
    r_bkg: float = 1.0,
    channel: str = "auto",
    engine: str = "linear",
) -> XasReduction:
    """Align, check, merge and normalise repeats, and remove the background.

    Parameters
    ----------
    scans
        Repeats of one sample.
    element, edge
        Such as ``"Ta"`` and ``"L3"``.
    mode
        ``"transmission"``, ``"fluorescence"``, ``"tey"`` or ``"mu"``; ``"auto"`` takes the first of these
        that shows the edge (`choose_mode`).
    e0
        eV on the merged axis; found from the data if None.
    k_range
        1/angstrom; chosen from the noise if None.
    r_bkg
        angstrom.
    channel
        What the scans are aligned by: ``"reference"``, ``"mu"``, or ``"auto"``, see `align`.
    engine
        ``"linear"`` or ``"xraylarch"``: who removes the background.

    Raises
    ------
    DataError
        If no scan can be used; the message gives the reason for each.
    """
    if not scans:
        raise DataError("there is no scan", where="reduce_xas", do="give at least one")
    edge_energy(element, edge)  # an unknown edge is no fault of the scans
    if engine not in ENGINES:
        raise DataError(
            f"there is no engine {engine!r}", where="reduce_xas", do=did_you_mean(engine, ENGINES)
        )
    chosen: tuple[Step, ...] = ()
    if mode == "auto":
        mode, choice = choose_mode(scans, element=element, edge=edge)
        chosen = (choice,)
    sieve = Sieve.start(scans, element=element, edge=edge, mode=mode)
    sieve.drop_lone_oddities()
    alignment, comparison, near = sieve.agree(channel)
    used = sieve.used
    merged = merge(comparison, [sieve.mus[i] for i in used])
    merged = merged.after(
        step(
            "align", shifts_eV=alignment.shifts.tolist(), channel=alignment.channel, zero="mean of the scans"
        ),
        element=element,
        edge=edge,
    )
    told = (*chosen, *sieve.repairs(), *sieve.doubts(comparison))
    merged = replace(merged, history=(*merged.history, *told))
    normalised = normalise(merged, e0=e0, near=near)
    history = normalised.history
    background, chi = None, None
    if merged.energy[-1] - normalised.e0 >= 100.0:
        background, chi = ENGINES[engine](normalised, r_bkg=r_bkg)
        k_range, done = _k_range(chi, k_range)
        history = (*chi.history, done)
    else:
        k_range = None
        history = (*history, step("warning: the scans end before EXAFS begins; no chi(k)"))
    return XasReduction(
        reports=sieve.reports(alignment, comparison),
        merged=merged,
        normalised=normalised,
        background=background,
        chi=chi,
        k_range=k_range,
        history=history,
    )


def merge_reference(scans: Sequence[MuE], shifts: Sequence[float], *, near: float) -> MuE:
    """Mean of the reference channels of aligned repeats, with its standard error.

    Parameters
    ----------
    scans
        Each with ``reference``.
    shifts
        eV to add to the energies of each.
    near
        Edge of the reference, eV.

    Raises
    ------
    DataError
        If a scan has no reference channel, or it shows no edge.
    """
    missing = [scan.source or scan.label for scan in scans if scan.reference is None]
    if missing:
        raise DataError(
            f"no reference channel in {missing}",
            where="calibration by reference",
            do="name the file of a standard that was measured together with these scans",
        )
    foils = [replace(scan, mu=scan.reference, reference=None) for scan in scans if scan.reference is not None]
    compared = compare(foils, shifts=np.array(shifts), e0=find_e0(foils[0].energy, foils[0].mu, near=near))
    merged = merge(compared, foils)
    normalise(merged, near=near)  # an empty position of the foil shows no edge
    return merged


def _k_range(chi: ChiK, asked: tuple[float, float] | None) -> tuple[tuple[float, float] | None, Step]:
    if asked is None:
        try:
            found = suggest_k_range(chi)
        except DataError as error:
            return None, step("warning: no range of k to transform or fit", reason=error.what)
        return found, step("choose the range of k", k_range=list(found), by="noise")
    low, high = asked
    if not 0 <= low < high or high > chi.k[-1] + 0.05:
        raise DataError(
            f"k_range {low:g} to {high:g} 1/angstrom, but the data reach from 0 to {chi.k[-1]:.2f}",
            where="reduce_xas",
            do="shorten k_range",
        )
    return (float(low), float(high)), step("choose the range of k", k_range=[low, high], by="user")
