"""An analysis of snapshots as sentences, tables, figures and one page."""

from shortrange.report.analysis.write import write_analysis

__all__ = ["write_analysis"]
