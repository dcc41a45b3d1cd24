"""The recorded tasks, read from the package's data."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

RECORDED: Final = Path(__file__).parent.parent / "data" / "tasks.jsonl.gz"


@lru_cache(maxsize=1)
def records() -> tuple[dict[str, Any], ...]:
    """All tasks as `record.py` wrote them: id, split, difficulty and the task's data, in one object each.

    They are shared: do not change them.
    """
    lines = gzip.decompress(RECORDED.read_bytes()).decode("utf-8").splitlines()
    return tuple(json.loads(line) for line in lines)
