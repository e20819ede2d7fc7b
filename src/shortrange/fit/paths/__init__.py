"""EXAFS path fits as Artemis does them: paths, expressions, data sets; own engine, and xraylarch's feffit."""

from shortrange.fit.paths.fit import FittedData, FittedPath, PathFit, Value, fit_paths
from shortrange.fit.paths.problem import DataSet, FitParameter, FitPath, PathProblem
from shortrange.fit.paths.space import FitRange

__all__ = [
    "DataSet",
    "FitParameter",
    "FitPath",
    "FitRange",
    "FittedData",
    "FittedPath",
    "PathFit",
    "PathProblem",
    "Value",
    "fit_paths",
]
