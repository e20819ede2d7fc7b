"""Summaries for scripts: what was read, what was found, what to doubt."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from shortrange.quantities import Step

__all__ = ["doubts", "write_summary"]


def doubts(history: Iterable[Step]) -> list[str]:
    """Warnings of a history, as sentences."""
    texts = []
    for done in history:
        if done.name.startswith("warning: "):
            details = ", ".join(f"{name} = {value}" for name, value in done.settings.items())
            texts.append(done.name.removeprefix("warning: ") + (f" ({details})" if details else ""))
    return list(dict.fromkeys(texts))


def write_summary(path: Path, content: Mapping[str, Any], *, files: Sequence[Path]) -> None:
    """Write JSON with the hashes of the files that were read and the versions of what made the numbers."""
    from shortrange.report.verdict_json import plain_data
    from shortrange.run.versions import versions

    inputs = [{"path": str(file), "sha256": _sha256(file)} for file in files]
    record = plain_data({**content, "inputs": inputs, "versions": versions()})
    text = json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
