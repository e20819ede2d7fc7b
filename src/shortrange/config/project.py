"""The project file as a whole: a question, its measurements and its models, and what a verdict demands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, PrivateAttr, StrictBool

from shortrange.config.measurements import Measurement, Sample
from shortrange.config.models import Mixture, Model, MotifModel
from shortrange.config.values import EdgeList, Name, Number, Part

__all__ = ["Project", "VerdictSettings"]


class VerdictSettings(Part):
    """What a verdict demands, and how wrong a right model may be.

    Attributes
    ----------
    odds
        Odds of the best model against the next from which a verdict is given.
    exafs_theory_error, pdf_theory_error
        Median of the rms theory error over the rms signal; None takes the calibrated one.
    exafs_independent, pdf_independent
        Part of the independent points that counts, since theory errs alike from point to point; None takes
        the calibrated one.
    partial
        Leave a measurement out, for all models, if one of them has not its absorber; else that is a fault.
    edges
        Other edges, such as ``["S K"]``, of which to say what EXAFS there would tell.
    nested
        Compare Laplace's evidence of the best two models with nested sampling too (`shortrange[dynesty]`).
    """

    odds: Annotated[Number, Field(gt=1)] = 20.0
    exafs_theory_error: Annotated[Number, Field(gt=0, le=1)] | None = None
    pdf_theory_error: Annotated[Number, Field(gt=0, le=1)] | None = None
    exafs_independent: Annotated[Number, Field(gt=0, le=1)] | None = None
    pdf_independent: Annotated[Number, Field(gt=0, le=1)] | None = None
    partial: StrictBool = False
    edges: EdgeList = ()
    nested: StrictBool = False


class Project(Part):
    """A question, its measurements, and the models that may answer it.

    Attributes
    ----------
    title
        The question.
    sample
        What was measured.
    measurement
        In the order of the file.
    model
        In the order of the file.
    mixture
        Mixtures of models, in the order of the file.
    verdict
        What a verdict demands.
    """

    title: Name
    sample: Sample
    measurement: tuple[Measurement, ...]
    model: tuple[Model | MotifModel, ...]
    mixture: tuple[Mixture, ...] = ()
    verdict: VerdictSettings = VerdictSettings()
    _path: Path = PrivateAttr(default=Path())

    @property
    def path(self) -> Path:
        """The project file."""
        return self._path

    @property
    def folder(self) -> Path:
        """Folder of the project file, from which its paths are counted."""
        return self._path.parent
