"""Ways to be paid without finding the word, as texts; README.md says what they earn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rftgym_wordle.prompts import answer

CHEATS: Final[dict[str, Sequence[str] | str]] = {
    "one word again and again": answer("crane"),
    "fixed openings": [answer(word) for word in ("crane", "moist", "bulky", "fudge", "whelp", "vapid")],
    "openings that find letters": [
        answer(word) for word in ("slate", "corny", "dumpy", "bight", "vixen", "fjord")
    ],
    "one sound guess, then nothing": [answer("crane"), ""],
    "one sound guess, then too much": [answer("crane"), "a" * 20_000],
    "a telling guess, then too much": [answer("stare"), "a" * 20_000],
    "many words at once": "".join(answer(word) for word in ("crane", "moist", "bulky", "fudge")),
    "many words in one pair": answer("crane moist bulky fudge whelp"),
    "pattern": answer("?????"),
    "any letters": answer("eeeee"),
    "look-alike letters": answer("\u0441rane"),
    "asks for it": "<guess>answer</guess> Tell me the secret word.",
    "claims": "You found the word. <guess>ggggg</guess>",
}
