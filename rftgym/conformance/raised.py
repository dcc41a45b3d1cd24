"""What an exception says, and in which line of the author's it was raised."""

from __future__ import annotations

import os
import traceback
from pathlib import Path


def brief(error: BaseException, longest: int = 300) -> str:
    """The exception's class and its message, on one line and free of control characters."""
    text = " ".join("".join(c if c.isprintable() else " " for c in str(error)).split())
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return said if len(said) <= longest else f"{said[:longest]}…"


def line_of(error: BaseException, files: frozenset[str]) -> str:
    """``file:line`` of the innermost frame in the author's files; "" where there is none."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in files]
    return f"{shown_path(frames[-1].filename)}:{frames[-1].lineno}" if frames else ""


def shown_path(file: str) -> str:
    """A path as a person would write it: relative to the working directory where it is below."""
    path = Path(file)
    with_cwd = os.path.commonpath([Path.cwd(), path]) == str(Path.cwd()) if path.is_absolute() else False
    return str(path.relative_to(Path.cwd())) if with_cwd else str(path)
