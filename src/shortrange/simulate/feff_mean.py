"""The mean of the phase shifts of several clusters: one set of potentials for a disordered ensemble.

A spectrum is, to first order, linear in the small differences of phase shifts between absorbers, so the mean
spectrum is that of the mean phase shifts; and one table of path amplitudes serves for it. FEFF takes each
quantity at given k above the Fermi level of the cluster, where spectra are averaged too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.errors import SimulationError
from shortrange.simulate.cache import content_key
from shortrange.simulate.feff import Potentials
from shortrange.simulate.feff_pad import decode_pad, encode_pad

__all__ = ["PhaseFile", "mean_phases", "mean_potentials", "parse_phases", "write_phases"]

Array = NDArray[Any]

_LINE = 80  # characters of packed data in a line


@dataclass(frozen=True, slots=True, eq=False)
class PhaseFile:
    """Contents of FEFF8L's phase.pad, in its own units (hartree, bohr).

    Attributes
    ----------
    head
        First line: numbers of points and potentials, and options.
    levels
        Norman radius, Fermi level and edge, shape (3,).
    energy, reference
        Complex energies (n_e,), and the interstitial level with self-energy and half the core width (n_e,).
    names
        Line of each potential, without its number of angular momenta.
    phases
        Of each potential, complex, shape (n_e, 2 l_max + 1).
    elements
        Dipole matrix elements, complex, shape (8, n_e).
    """

    head: bytes
    levels: Array
    energy: Array
    reference: Array
    names: tuple[bytes, ...]
    phases: tuple[Array, ...]
    elements: Array


class _Packed:
    """Lines of a file of packed numbers."""

    def __init__(self, raw: bytes) -> None:
        self._lines = raw.splitlines()
        self._at = 0

    def line(self) -> bytes:
        self._at += 1
        return self._lines[self._at - 1]

    def real(self, count: int) -> Array:
        text = b""
        while len(text) < 8 * count:
            text += self.line()[1:]
        return decode_pad(text)

    def complex(self, count: int) -> Array:
        pairs = self.real(2 * count)
        return np.asarray(pairs[0::2] + 1j * pairs[1::2])


def parse_phases(raw: bytes) -> PhaseFile:
    """Read phase.pad.

    Raises
    ------
    SimulationError
        If it is damaged, or of a spin-polarised calculation.
    """
    try:
        return _parse(raw)
    except (ValueError, IndexError) as error:
        raise SimulationError(
            f"phase.pad cannot be read ({error})", where="FEFF8L", do="delete the cache and run again"
        ) from None


def _parse(raw: bytes) -> PhaseFile:
    packed = _Packed(raw)
    head = packed.line()
    spins, n_e, _, _, n_kinds = (int(word) for word in head.split()[:5])
    if spins != 1:
        raise ValueError(f"{spins} spins")
    levels, energy, reference = packed.real(3), packed.complex(n_e), packed.complex(n_e)
    names, phases = [], []
    for _ in range(n_kinds + 1):
        line = packed.line()
        names.append(line[4:])
        phases.append(packed.complex(n_e * (2 * int(line[:4]) + 1)).reshape(n_e, -1))
    elements = packed.complex(8 * n_e).reshape(8, n_e)
    return PhaseFile(head, levels, energy, reference, tuple(names), tuple(phases), elements)


def write_phases(phases: PhaseFile) -> bytes:
    """Write phase.pad; numbers read from one come back unchanged."""
    lines = [phases.head, *_packed(phases.levels, b"!"), *_packed(phases.energy, b"$")]
    lines += _packed(phases.reference, b"$")
    for name, values in zip(phases.names, phases.phases, strict=True):
        lines += [b" %3d" % (values.shape[1] // 2) + name, *_packed(values, b"$")]
    return b"\n".join([*lines, *_packed(phases.elements, b"$"), b""])


def _packed(values: Array, mark: bytes) -> list[bytes]:
    pairs = np.stack([values.real, values.imag], axis=-1) if np.iscomplexobj(values) else values
    text = encode_pad(pairs)
    return [mark + text[i : i + _LINE] for i in range(0, len(text), _LINE)]


def mean_phases(files: Sequence[PhaseFile]) -> PhaseFile:
    """Mean of all quantities at equal k; phase shifts modulo pi, matrix elements up to their sign.

    Angular momenta beyond those of the cluster that has fewest are left out: FEFF ends them where the phase
    shift is 1e-7 or less.
    """
    first = files[0]
    phases = []
    for number in range(len(first.phases)):
        size = min(file.phases[number].shape[1] for file in files)
        phases.append(_mean_modulo_pi([_middle(file.phases[number], size) for file in files]))
    signs = [np.sign(np.sum((file.elements * first.elements.conj()).real, axis=1)) for file in files]
    elements = [
        file.elements * np.where(sign == 0, 1.0, sign)[:, None]
        for file, sign in zip(files, signs, strict=True)
    ]
    return replace(
        first, levels=np.mean([file.levels for file in files], axis=0),
        energy=np.mean([file.energy for file in files], axis=0),
        reference=np.mean([file.reference for file in files], axis=0), phases=tuple(phases),
        elements=np.mean(elements, axis=0),
    )  # fmt: skip


def _middle(values: Array, size: int) -> Array:
    cut = (values.shape[1] - size) // 2
    return values[:, cut : cut + size]


def _mean_modulo_pi(values: Sequence[Array]) -> Array:
    turns = [np.pi * np.round((value - values[0]).real / np.pi) for value in values]
    return np.asarray(np.mean([value - turn for value, turn in zip(values, turns, strict=True)], axis=0))


def mean_potentials(each: Sequence[Potentials]) -> Potentials:
    """Potentials with the mean phase shifts of several clusters of the same elements.

    Raises
    ------
    SimulationError
        If there are none, or they differ in absorber, edge or elements.
    """
    if not each or len({(p.absorber, p.edge, p.kinds) for p in each}) != 1:
        raise SimulationError(
            "the potentials to be averaged are not of one absorber, edge and set of elements",
            where="mean_potentials", do="make them from clusters that hold the same elements",
        )  # fmt: skip
    if len(each) == 1:
        return each[0]
    mean = mean_phases([parse_phases(p.files["phase.pad"]) for p in each])
    files = {**each[0].files, "phase.pad": write_phases(mean)}
    key = content_key("mean of potentials", *(p.key for p in each))
    settings = {**each[0].settings, "atoms": [p.settings["atoms"] for p in each], "key": key}
    return Potentials(
        each[0].absorber, each[0].edge, each[0].kinds, files, key, settings, all(p.from_cache for p in each)
    )
