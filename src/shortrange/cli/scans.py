"""The scans of a command line: read, selected, with the edge that they are of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from shortrange.errors import DataError, ProjectError

if TYPE_CHECKING:
    from shortrange.quantities import Scan
    from shortrange.reduce.xas import ScanReport

__all__ = ["Read", "read_scans"]


@dataclass(frozen=True, slots=True)
class Read:
    """What was read.

    Attributes
    ----------
    paths
        Of all files, also of those that could not be read.
    scans
        Those that could.
    element, edge
        Of all scans.
    counts
        Number of scans taken from each file; 0 from one that could not be read.
    failed
        By file, a report on each that could not be read, while others could.
    warnings
        Sentences.
    """

    paths: tuple[Path, ...]
    scans: tuple[Scan, ...]
    element: str
    edge: str
    counts: tuple[int, ...]
    failed: Mapping[Path, ScanReport]
    warnings: tuple[str, ...]

    def rebinned(self) -> Read:
        """Return the same with the counts of each scan added up in bins."""
        from shortrange.atoms import edge_energy
        from shortrange.reduce.rebin import rebin

        e0 = edge_energy(self.element, self.edge)
        return replace(self, scans=tuple(rebin(scan, e0=e0) for scan in self.scans))

    def in_order(self, reports: Sequence[ScanReport]) -> list[ScanReport]:
        """Merge reports on the scans and on the files that could not be read, in the order of the files."""
        left, ordered = list(reports), []
        for path, count in zip(self.paths, self.counts, strict=True):
            ordered += [self.failed[path]] if path in self.failed else left[:count]
            del left[:count]
        return ordered


def read_scans(
    paths: Sequence[Path],
    *,
    element: str | None,
    edge: str | None,
    select: str | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Read:
    """Read the scans of all files. A damaged file is reported beside the others, not instead of them.

    Parameters
    ----------
    paths
        Files.
    element, edge
        As the user names them: ``edge`` may hold both, as ``"S K"``.
    select
        Name or number of the scans to take from files that hold several.
    tell
        Called with what is being done.

    Raises
    ------
    DataError
        If a file is not there, no file can be read, no scan is selected, or the edge cannot be told.
    ProjectError
        If ``element`` and ``edge`` contradict each other, or the files are of several edges.
    """
    from shortrange.load import load_scans
    from shortrange.reduce.choose import guess_edge

    wanted_element, wanted_edge = _named(element, edge)
    found: list[tuple[Path, tuple[Scan, ...]]] = []
    errors: list[tuple[Path, DataError]] = []
    for n, path in enumerate(paths, start=1):
        tell(f"read {path.name} ({n} of {len(paths)})")
        if not path.exists():
            raise DataError("there is no such file", where=str(path), do="check the name and the folder")
        try:
            found.append((path, load_scans(path, element=wanted_element, edge=wanted_edge)))
        except DataError as error:
            errors.append((path, error))
    if not found:
        raise _none_read(errors)
    chosen, warnings = _selected(found, select)
    scans = [scan for each in chosen.values() for scan in each]
    element = wanted_element or _stated(scans, "element")
    edge = wanted_edge or _stated(scans, "edge")
    if element is None or edge is None:
        element, edge, guess = guess_edge(scans[0], element=element, edge=edge)
        scans = [scan.after(guess) for scan in scans]
    failed = _reports(errors)
    warnings += [f"{report.file} left out: {report.reason}" for report in failed.values()]
    counts = tuple(len(chosen.get(path, ())) for path in paths)
    return Read(tuple(paths), tuple(scans), element, edge, counts, failed, tuple(warnings))


def _named(element: str | None, edge: str | None) -> tuple[str | None, str | None]:
    """Element and edge from both options."""
    from shortrange.reduce.choose import split_edge

    in_edge, edge = split_edge(edge) if edge is not None else (None, None)
    if element is None:
        return in_edge, edge
    named = element.strip().capitalize()
    if in_edge is not None and in_edge != named:
        raise ProjectError(
            f"--element {element} and --edge {in_edge} {edge} contradict each other",
            where="reduce",
            do="leave one out",
        )
    return named, edge


def _none_read(errors: Sequence[tuple[Path, DataError]]) -> DataError:
    if len(errors) == 1:
        return errors[0][1]
    return DataError(
        f"none of {len(errors)} files can be read: " + "; ".join(f"{p.name}: {e.what}" for p, e in errors),
        where=str(errors[0][0].parent),
        do=errors[0][1].do,
    )


def _reports(errors: Sequence[tuple[Path, DataError]]) -> dict[Path, ScanReport]:
    from shortrange.reduce.xas import ScanReport

    reports = {}
    for path, error in errors:
        place = error.where.removeprefix(str(path)).strip(", ")
        reason = f"cannot be read: {error.what}" + (f" ({place})" if place else "")
        reports[path] = ScanReport(
            file=str(path), energy_shift=None, sigma_energy_shift=None, used=False, reason=reason
        )
    return reports


def _selected(
    found: Sequence[tuple[Path, tuple[Scan, ...]]], select: str | None
) -> tuple[dict[Path, list[Scan]], list[str]]:
    """Pick the scans that were asked for; refuse or warn where those of one file may be no repeats."""
    chosen: dict[Path, list[Scan]] = {}
    warnings = []
    for path, scans in found:
        kept = [s for n, s in enumerate(scans, start=1) if select is None or _matches(s, n, select)]
        chosen[path] = kept
        if select is None:
            warnings += _same_sample(path, kept)
    if not any(chosen.values()):
        names = [scan.label for _, scans in found for scan in scans]
        raise DataError(
            f"no scan is called {select!r}",
            where=", ".join(str(path) for path, _ in found[:3]),
            do=f"there are {names[:20]}; a number counts the scans of a file from 1",
        )
    return chosen, warnings


def _same_sample(path: Path, scans: Sequence[Scan]) -> list[str]:
    """Refuse spectra of one file that are no repeats by their names; warn where only numbers differ."""
    names = list(dict.fromkeys(scan.label for scan in scans))
    if len(names) < 2:
        return []
    shown = ", ".join(repr(name) for name in names[:8]) + (", ..." if len(names) > 8 else "")
    if len({re.sub(r"[\W\d_]+", "", name) for name in names}) > 1:
        raise DataError(
            f"the file holds {len(scans)} spectra of different names: {shown}",
            where=str(path),
            do='choose those of one sample with --select "NAME", where * stands for anything; '
            '--select "*" takes all as repeats',
        )
    return [f"{path.name} holds {len(scans)} spectra ({shown}), taken as repeats of one sample"]


def _matches(scan: Scan, number: int, select: str) -> bool:
    return select == str(number) or fnmatch(scan.label.lower(), select.lower())


def _stated(scans: Sequence[Scan], name: str) -> str | None:
    """Element or edge as the files state it, if they all agree; None if none does."""
    stated = {getattr(scan, name) for scan in scans} - {None}
    if len(stated) > 1:
        raise ProjectError(
            f"the {name} is not known: the files name {sorted(stated)}",
            where="reduce",
            do='name the edge, such as --edge "Ta L3"; scans of others are left out',
        )
    return str(stated.pop()) if stated else None
