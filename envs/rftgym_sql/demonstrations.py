"""Queries of an imperfect player: right ones, ones with a slip or two, and ones that are put down carelessly."""

from __future__ import annotations

from random import Random

from rftgym_sql.mutants import mutants
from rftgym_sql.prompts import answered
from rftgym_sql.tokens import tokens

SLIPS = 0.35
"""Share of queries with a slip; of these, every third has another one."""
MISSPELT = 0.06
CARELESS = 0.1
"""Share of answers that do not stand in a block as they should."""


def answer(query: str, chance: Random) -> str:
    """A completion that answers with a query, or tries to."""
    while chance.random() < SLIPS:
        found = mutants(query)
        query = chance.choice(found).query if found else query
    if chance.random() < MISSPELT:
        query = _misspelt(query, chance)
    if chance.random() >= CARELESS:
        return answered(query)
    return chance.choice(
        (query, f"{query};", f"```sql\n{query}", f"<answer>{query}</answer>", f"```\n{query}\n```")
    )


def _misspelt(query: str, chance: Random) -> str:
    """One bare word of the query loses a letter."""
    pieces = tokens(query)
    places = [i for i, piece in enumerate(pieces) if piece.kind == "word" and len(piece.text) > 3]
    if not places:
        return query
    place = chance.choice(places)
    word, letter = pieces[place].text, chance.randrange(1, len(pieces[place].text))
    spelt = word[:letter] + word[letter + 1 :]
    return "".join(spelt if i == place else piece.text for i, piece in enumerate(pieces))
