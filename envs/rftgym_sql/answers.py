"""Reading the query out of a completion."""

from __future__ import annotations

import re

from rftgym import Parser
from rftgym.parser import Parsed, TagParser
from rftgym_sql.tokens import complaint, opens_query, without_end

_FENCE = re.compile(
    r"```[ \t]*(?:(\w*)[ \t]*\n|(?i:sql|sqlite|duckdb)[ \t]+)(.*?)(?:\n[ \t]*)?(```|\Z)", re.DOTALL
)


class SqlParser(Parser):
    """The query in the last ``sql`` block, or in ``<answer>``; a completion that is nothing but a query will do.

    What stands before the last ``</think>`` is thought and not said. Blocks of other languages, and blocks without one
    that hold no query but perhaps its result, are passed over. Well-formed is what was asked for: one block that is
    closed (or one pair of tags), and in it one statement that begins with SELECT or WITH.
    """

    def parse(self, completion: str) -> Parsed:
        """Takes any text; None where there is no query."""
        said = completion.rpartition("</think>")[2].partition("<think>")[0]
        tagged, once = TagParser().parse(said)
        if tagged is not None:
            query = next((body for body, _ in reversed(_blocks(tagged))), tagged)
        elif blocks := _blocks(said):
            query, closed = blocks[-1]
            once = len(blocks) == 1 and closed
        elif opens_query(said):
            query = said
        else:
            return Parsed(None, False)
        query = without_end(query)
        return Parsed(query or None, bool(once and query and not complaint(query)))


def _blocks(text: str) -> list[tuple[str, bool]]:
    """Queries in blocks, and whether each block is closed."""
    found = []
    for language, body, end in _FENCE.findall(text):
        named = language.lower() in ("sql", "sqlite", "duckdb")
        if body.strip() and (named or (not language and opens_query(body))):
            found.append((body, bool(end)))
    return found
