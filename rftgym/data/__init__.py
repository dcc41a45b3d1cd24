"""Conversations from files: formats are detected, rows are checked one by one, and all become one form.

Two doors. :func:`read` gives the rows of one source with all that was wrong in it; :func:`load` gives what a trainer
learns from: several sources with weights, deduplicated and shuffled by a seed. docs/data.md is the page for people.

Nothing here imports pyarrow or datasets before a file needs them.
"""

from __future__ import annotations

from rftgym.data.mixing import Mixture, load, mixed, prompt_key
from rftgym.data.reading import Rows, read, scan
from rftgym.data.records import JSON, SPLIT_NAMES, BadRow, Example, RawRow

__all__ = [
    "JSON",
    "SPLIT_NAMES",
    "BadRow",
    "Example",
    "Mixture",
    "RawRow",
    "Rows",
    "load",
    "mixed",
    "prompt_key",
    "read",
    "scan",
]
