"""What a command comes to: its record for programs, and its exit status."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shortrange.errors import ShortrangeError

__all__ = ["Outcome", "fault_json"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a command.

    Attributes
    ----------
    record
        What `--json` prints: plain data, or the JSON file that the command wrote.
    status
        0 if all is well.
    """

    record: Any
    status: int = 0

    def json(self) -> str:
        """Return the record as JSON."""
        if isinstance(self.record, Path):
            return self.record.read_text(encoding="utf-8").rstrip()
        return json.dumps(self.record, indent=2, ensure_ascii=False, allow_nan=False)


def fault_json(error: ShortrangeError, *, status: int) -> str:
    """Return a fault as JSON: what, where, what to do."""
    record = {"what": error.what, "where": error.where, "do": error.do}
    return json.dumps({"error": record, "status": status}, indent=2, ensure_ascii=False)
