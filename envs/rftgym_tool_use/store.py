"""The two tools of the environment, and the tables behind one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rftgym_tool_use.calculator import evaluate, shown
from rftgym_tool_use.tools import Toolbox, ToolError, echo

Tables = Mapping[str, Mapping[str, str]]
"""Values by table and key, as text."""


def lookup(tables: Tables, /, table: str, key: str) -> str:
    """Find the value of a key in a table.

    Args:
        table: name of the table
        key: what to look up
    """
    if table not in tables:
        raise ToolError(f"no table {echo(table)}; tables are {', '.join(sorted(tables))}")
    return tables[table].get(
        key, f"no {echo(key)} in {table}"
    )  # a key that is not there is a fact like any other


def calculator(tables: Tables, /, expression: str) -> str:
    """Compute + - * / // % ** and parentheses exactly.

    Args:
        expression: say 3*(412-97)
    """
    return shown(evaluate(expression))


TOOLBOX: Final = Toolbox(lookup, calculator)
