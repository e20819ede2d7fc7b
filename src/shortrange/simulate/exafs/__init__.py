"""EXAFS of ensembles of snapshots: FEFF path tables summed over all absorbers."""

from shortrange.simulate.exafs.ensemble import ensemble_exafs, potentials_for
from shortrange.simulate.exafs.model import ExafsModel
from shortrange.simulate.exafs.result import EnsembleExafs

__all__ = ["EnsembleExafs", "ExafsModel", "ensemble_exafs", "potentials_for"]
