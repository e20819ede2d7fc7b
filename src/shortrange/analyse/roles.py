"""Which atoms are centres of polyhedra, which are ligands, which move: asked or guessed, always stated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shortrange.analyse.frames import Snapshots
from shortrange.errors import DataError, did_you_mean
from shortrange.quantities import Step, step

__all__ = ["Roles", "atoms_of", "covalent_radius", "find_roles"]

Array = NDArray[Any]

_ANIONS = frozenset({"F", "Cl", "Br", "I", "O", "S", "Se", "Te", "N"})
_MOBILE = frozenset({"Li", "Na", "K", "Rb", "Cs", "Ag", "Cu"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Roles:
    """Elements by what they do in the structure.

    Attributes
    ----------
    centres, ligands, mobile
        Elements; an element may be mobile and a centre (NaCl), never a centre and a ligand.
    done
        The step that says what was given and what was guessed.
    """

    centres: tuple[str, ...]
    ligands: tuple[str, ...]
    mobile: tuple[str, ...]
    done: Step


def find_roles(
    trajectory: Snapshots,
    *,
    centres: Sequence[str] | None = None,
    ligands: Sequence[str] | None = None,
    mobile: Sequence[str] | None = None,
) -> Roles:
    """Take the roles that are given and guess the others.

    Guess: halogens, chalcogens and nitrogen are ligands; alkali metals, silver and copper move; other
    elements but hydrogen are centres (the mobile ones, if there is no other).

    Parameters
    ----------
    trajectory
        Snapshots.
    centres, ligands, mobile
        Elements; None asks for a guess.

    Raises
    ------
    DataError
        If an element named is not in the trajectory, or is centre and ligand at once.
    """
    for name, given in (("centres", centres), ("ligands", ligands), ("mobile", mobile)):
        for symbol in given or ():
            _check_present(trajectory, symbol, name)
    present = list(trajectory.composition)
    anions = tuple(ligands) if ligands is not None else tuple(s for s in present if s in _ANIONS)
    movers = tuple(mobile) if mobile is not None else tuple(s for s in present if s in _MOBILE)
    if centres is None:
        others = tuple(s for s in present if s not in {*anions, *movers, "H"})
        cores = others or tuple(s for s in movers if s not in anions)
    else:
        cores = tuple(centres)
    both = sorted(set(cores) & set(anions))
    if both:
        raise DataError(
            f"{both[0]} is named a centre and a ligand",
            where=_where(trajectory),
            do="name each element once, as a centre or as a ligand",
        )
    given_names = [
        n for n, g in (("centres", centres), ("ligands", ligands), ("mobile", mobile)) if g is not None
    ]
    done = step("name the roles", centres=cores, ligands=anions, mobile=movers, given=given_names)
    return Roles(centres=cores, ligands=anions, mobile=movers, done=done)


def atoms_of(trajectory: Snapshots, symbols: Sequence[str]) -> Array:
    """Return the indices of the atoms of some elements, in the order of the frame."""
    wanted = set(symbols)
    return np.array([i for i, s in enumerate(trajectory.species) if s in wanted], dtype=np.int64)


def covalent_radius(symbol: str) -> float:
    """Covalent radius, angstrom (Cordero et al. 2008, through ase)."""
    from ase.data import covalent_radii

    from shortrange.atoms import atomic_number

    return float(covalent_radii[atomic_number(symbol)])


def _check_present(trajectory: Snapshots, symbol: str, name: str) -> None:
    if symbol not in trajectory.composition:
        raise DataError(
            f"there is no {symbol} in the trajectory (it holds {', '.join(trajectory.composition)})",
            where=f"{_where(trajectory)}, {name}",
            do=did_you_mean(symbol, trajectory.composition),
        )


def _where(trajectory: Snapshots) -> str:
    return trajectory.source or trajectory.label or "trajectory"
