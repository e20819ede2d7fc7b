"""Tables of the hypotheses: structures, motifs, and mixtures of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PrivateAttr

from shortrange.config.values import Element, File, Frames, Name, Part, ValueOrPair, parse_frames

__all__ = ["Mixture", "Model", "MotifModel"]


class Model(Part):
    """One structural hypothesis.

    Attributes
    ----------
    name
        Of the model, unique.
    structures
        File of snapshots, a crystal or a molecule, relative to the project file.
    frames
        ``"start:stop:step"``, or None for all.
    """

    name: Name
    structures: File
    frames: Frames | None = None
    _folder: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The file of structures."""
        return self._folder / self.structures

    @property
    def selection(self) -> slice | None:
        """The frames as a slice."""
        return parse_frames(self.frames) if self.frames is not None else None


class MotifModel(Part):
    """A hypothesis built from parameters: a unit of one or two octahedra, its angle and distances free.

    Attributes
    ----------
    name
        Of the model, unique.
    motif
        ``"octahedron"``, ``"corner"``, ``"edge"`` or ``"face"``.
    metal, ligand, bridge, substitute
        As `shortrange.simulate.motifs.motif`.
    angle, terminal, bridging
        Means of the priors, or [mean, standard deviation]; degrees, and angstrom by element.
    distortion
        The same for the displacement of the metals from the centre of their ligands, angstrom; None is none.
    """

    name: Name
    motif: Literal["octahedron", "corner", "edge", "face"]
    metal: Element = "Ta"
    ligand: Element = "Cl"
    bridge: Name | None = None
    substitute: Element | None = None
    angle: ValueOrPair | None = None
    terminal: dict[str, ValueOrPair] = Field(default_factory=dict)
    bridging: dict[str, ValueOrPair] = Field(default_factory=dict)
    distortion: ValueOrPair | None = None


def _components(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError("must list the names of two models")
    return tuple(value)


class Mixture(Part):
    """A hypothesis that the sample holds two of the models side by side, in proportions to be found.

    Attributes
    ----------
    name
        Of the mixture; unlike every model's.
    of
        Names of two models.
    """

    name: Name
    of: Annotated[tuple[Name, Name], BeforeValidator(_components)]
