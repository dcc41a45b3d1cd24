"""Ways to be paid without knowing the answer, as texts: all choices, many numbers, patterns."""

from __future__ import annotations

from typing import Final

CHEATS: Final = {
    "every letter": "A, B, C, D",
    "every letter, each said": "The answer is A. The answer is B. The answer is C. The answer is D.",
    "every letter in brackets": "(A) (B) (C) (D)",
    "letters as a set": "{A, B, C, D}",
    "many numbers": " ".join(map(str, range(200))),
    "many numbers, many signs": " ".join(f"{number} -{number} {number}.5" for number in range(100)),
    "a pattern": "[0-9a-z ]*",
    "everything": "any of them",
    "JSON of everything": '[0, 1, 2, "A", "B", true, false, null]',
    "claim": "That is correct.",
}


def cheats(tag: str | None) -> dict[str, str]:
    """By name, answers to any question; in tags where answers stand in tags."""
    return {name: text if tag is None else f"<{tag}>{text}</{tag}>" for name, text in CHEATS.items()}
