"""Figures, the HTML page, the archive and columns of a result."""

from shortrange.report.folder import ResultFolder
from shortrange.report.write import write_reduction, write_report

__all__ = ["ResultFolder", "write_reduction", "write_report"]
