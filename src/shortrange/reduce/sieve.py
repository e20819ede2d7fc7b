"""Which repeats of a scan are used, and why others are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import DataError
from shortrange.quantities import MuE, Scan, Step, step
from shortrange.reduce.align import Alignment, align
from shortrange.reduce.e0 import find_e0
from shortrange.reduce.merge import Comparison, compare
from shortrange.reduce.mu import check_edge, cut_to_edge, to_mu
from shortrange.reduce.normalise import normalise
from shortrange.reduce.rebin import POINTS

__all__ = ["ScanReport", "Sieve"]

Array = NDArray[Any]

_DISAGREE = 0.005
"""Smooth differences between scans, as a part of the rise of mu, from which they are doubted."""

_FAR = 0.03
"""Those from which a scan that lies twice as far off as the others is rejected."""

_VISIBLE = 0.0025
"""Those from which it is rejected if the others agree much better without it."""

_MUCH_BETTER = 4.0
"""Factor by which it must be further off than the others are then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """What became of one scan.

    Attributes
    ----------
    file
        File, and scan within the file.
    energy_shift, sigma_energy_shift
        eV added to its energies, and the standard error; None if the scan was not used.
    deviation
        How far it is off the mean of the other used scans, as a part of the rise of mu, its noise not
        counted; None if it was not used.
    used
        Whether it is in the merge.
    reason
        Why not, or empty.
    """

    file: str
    energy_shift: float | None
    sigma_energy_shift: float | None
    used: bool
    reason: str = ""
    deviation: float | None = None


@dataclass(slots=True)
class Sieve:
    """Scans with the reasons why some of them are not used."""

    scans: Sequence[Scan]
    mus: list[MuE]
    reasons: list[str]
    near: float

    @classmethod
    def start(cls, scans: Sequence[Scan], *, element: str, edge: str, mode: str) -> Sieve:
        """Compute mu of each scan and look at it alone."""
        scans = [cut_to_edge(scan, element=element, edge=edge) for scan in scans]
        mus: list[MuE] = []
        reasons: list[str] = []
        near = 0.0
        errors: list[DataError] = []
        for scan in scans:
            try:
                mu = to_mu(scan, mode=mode)
                near = check_edge(mu, element=element, edge=edge)
                normalise(mu, near=near)
                reasons.append("")
            except DataError as error:
                mu = MuE(energy=np.zeros(0), mu=np.zeros(0), source=scan.source)
                reasons.append(error.what)
                errors.append(error)
            mus.append(mu)
        if all(reasons):
            if len(errors) == 1:
                raise errors[0]
            raise DataError(
                f"none of {len(scans)} scans can be used: "
                + "; ".join(f"{s.source or s.label}: {r}" for s, r in zip(scans, reasons, strict=True)),
                where="reduce_xas",
                do=errors[0].do,
            )
        return cls(scans, mus, reasons, near)

    @property
    def used(self) -> list[int]:
        """Places of the scans that nothing speaks against."""
        return [i for i, reason in enumerate(self.reasons) if not reason]

    def name(self, i: int) -> str:
        """File of a scan, its label, or its number."""
        return self.scans[i].source or self.scans[i].label or f"scan {i + 1}"

    def drop_lone_oddities(self) -> None:
        """Reject copies of other scans and scans that were cut short."""
        used = self.used
        for position, i in enumerate(used):
            for j in used[:position]:
                if np.array_equal(self.mus[i].mu, self.mus[j].mu):
                    self.reasons[i] = f"the same data as {self.name(j)}"
        used = self.used
        spans = {i: float(np.ptp(self.mus[i].energy)) for i in used}
        typical = float(np.median(list(spans.values()))) if len(used) > 2 else max(spans.values())
        for i in used:
            if spans[i] < 0.85 * typical:
                self.reasons[i] = f"covers {spans[i]:.0f} eV only, where others cover {typical:.0f} eV"

    def repairs(self) -> list[Step]:
        """Doubts of the scans after the first, whose own history the mean goes on with."""
        first, *others = self.used
        known = {(s.name, repr(s.settings)) for s in self.mus[first].history}
        return [
            step(s.name, **{**s.settings, "scan": self.name(i)})
            for i in others
            for s in self.mus[i].history
            if s.name.startswith("warning") and (s.name, repr(s.settings)) not in known
        ]

    def agree(self, channel: str) -> tuple[Alignment, Comparison, float]:
        """Align and compare; reject the worst scan until the rest agree."""
        while True:
            used = self.used
            mus = [self.mus[i] for i in used]
            alignment = align(mus, channel=channel)
            worst = int(np.argmin(alignment.likeness))
            if alignment.likeness[worst] < 0.7 and len(used) > 2:
                self.reasons[used[worst]] = (
                    "does not resemble the others: "
                    f"correlation of the derivatives {alignment.likeness[worst]:.2f}"
                )
                continue
            e0 = find_e0(mus[0].energy, mus[0].mu, near=self.near) + float(alignment.shifts[0])
            comparison = self._compared(used, alignment, e0)
            worst = int(np.argmax(comparison.systematic))
            reason = self._spoils(worst, used, alignment, e0, comparison)
            if not reason:
                return alignment, comparison, self.near
            self.reasons[used[worst]] = reason

    def _compared(self, which: list[int], alignment: Alignment, e0: float) -> Comparison:
        shifts = dict(zip(self.used, alignment.shifts, strict=True))
        return compare(
            [self.mus[i] for i in which],
            shifts=np.array([shifts[i] for i in which]),
            e0=e0,
            i0=[self._beam(i) for i in which],
        )

    def _spoils(
        self, worst: int, used: list[int], alignment: Alignment, e0: float, comparison: Comparison
    ) -> str:
        """Why a scan must go, or nothing: it is far off, or the others agree much better without it.

        Only what is smooth in energy counts: a noisier scan has less weight in the mean, but is no worse.
        """
        if len(used) < 3:
            return ""
        off, others = comparison.systematic[worst], np.delete(comparison.systematic, worst)
        if off > _FAR and off > 2.0 * float(np.median(others)):
            return f"differs from the others by {off:.1%} of the rise of mu"
        # A scan spoils the mean that it is held against: of n scans a bad one stands out n - 1 times at most.
        if off > max(_VISIBLE, comparison.noise[worst]) and off > 1.5 * float(np.median(others)):
            rest = self._compared([i for i in used if i != used[worst]], alignment, e0).systematic
            if off > _MUCH_BETTER * float(np.median(rest)):
                return (
                    f"differs from the others by {off:.2%} of the rise of mu; without it they agree "
                    f"to {float(np.median(rest)):.2%}"
                )
        return ""

    def _beam(self, i: int) -> Array | None:
        """Incident intensity in the order of mu, unless rows were moved or averaged."""
        columns = self.scans[i].columns
        beam = columns.get("i0")
        if beam is not None and POINTS in columns:
            beam = beam / columns[POINTS]  # bins of more points are no brighter beam
        energy = self.mus[i].energy
        return beam if beam is not None and np.array_equal(energy, self.scans[i].energy) else None

    def reports(self, alignment: Alignment, comparison: Comparison) -> tuple[ScanReport, ...]:
        """Say what became of each scan."""
        numbers = zip(alignment.shifts, alignment.sigmas, comparison.systematic, strict=True)
        found = {i: tuple(map(float, each)) for i, each in zip(self.used, numbers, strict=True)}
        out = []
        for i, reason in enumerate(self.reasons):
            shift, sigma, deviation = found.get(i, (None, None, None))
            out.append(
                ScanReport(
                    file=self.name(i),
                    energy_shift=shift,
                    sigma_energy_shift=sigma,
                    used=not reason,
                    reason=reason,
                    deviation=deviation,
                )
            )
        return tuple(out)

    def doubts(self, comparison: Comparison) -> list[Step]:
        """Say which scans were rejected, and whether the others differ by more than their noise."""
        doubts = [
            step("warning: scan rejected", file=self.name(i), reason=reason)
            for i, reason in enumerate(self.reasons)
            if reason
        ]
        apart = float(comparison.systematic.max())
        if len(self.used) == 2 and apart > _DISAGREE:
            doubts.append(
                step(
                    "warning: the two scans differ, and nothing tells which is right", fraction_of_rise=apart
                )
            )
        elif len(self.used) > 2 and apart > _DISAGREE:
            doubts.append(
                step(
                    "warning: the scans differ by more than their noise (radiation damage, drift?), "
                    "which the error of their mean does not contain",
                    fraction_of_rise=apart,
                )
            )
        return doubts
