"""Syntax trees of Python text, safe in threads."""

from __future__ import annotations

import ast
import contextlib
import sys
import threading

THREADS_COLLIDE = sys.version_info < (3, 11, 8) or (3, 12) <= sys.version_info < (3, 12, 2)
"""Whether two ``ast.parse`` at once can raise ``SystemError: AST constructor recursion depth mismatch``: they count
their depth in one place. Python 3.11.8, 3.12.2 and 3.13 do not (https://github.com/python/cpython/issues/106905)."""

_ONE_AT_A_TIME = threading.Lock() if THREADS_COLLIDE else contextlib.nullcontext()


def parse(source: str | bytes) -> ast.Module:
    """What ``ast.parse`` gives; environments and rewards parse with this one, since both run in several threads.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it cannot be parsed.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(source)


def parse_expression(source: str) -> ast.expr:
    """The tree of one expression.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: it is none.
    """
    with _ONE_AT_A_TIME:
        return ast.parse(source, mode="eval").body


def is_collision(error: Exception) -> bool:
    """Whether it comes of an ``ast.parse`` beside another one."""
    return THREADS_COLLIDE and isinstance(error, SystemError) and "AST constructor" in str(error)
