"""Reading the query out of a completion."""

from __future__ import annotations

import re

from rftgym import Parser
from rftgym.parser import Parsed, TagParser
from rftgym_sql.tokens import complaint, opens_query, without_end

_FENCE = re.compile(r"```[ \t]*(\w*)[ \t]*\n(.*?)(?:\n[ \t]*)?```", re.DOTALL)


class SqlParser(Parser):
    """The query in the last ``sql`` block, or in ``<answer>``; a completion that is nothing but a query will do.

    What stands before the last ``</think>`` is thought and not said. Well-formed is what was asked for: one block (or
    one pair of tags), and in it one statement that begins with SELECT or WITH.
    """

    def parse(self, completion: str) -> Parsed:
        """Takes any text; None where there is no query."""
        said = completion.rpartition("</think>")[2].partition("<think>")[0]
        tagged, once = TagParser().parse(said)
        if tagged is not None:
            blocks = _blocks(tagged) or [tagged]
        else:
            blocks = _blocks(said)
            once = len(blocks) == 1
            if not blocks and opens_query(said):
                blocks = [said]
        if not blocks:
            return Parsed(None, False)
        query = without_end(blocks[-1])
        return Parsed(query or None, bool(once and query and not complaint(query)))


def _blocks(text: str) -> list[str]:
    return [
        body for language, body in _FENCE.findall(text) if language.lower() in ("", "sql", "sqlite", "duckdb")
    ]
