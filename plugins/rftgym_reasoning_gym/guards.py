"""What an answer must be before a scorer of reasoning-gym sees it, and what it must be to be called right.

A *guard* keeps out what the scorer would execute, choke on, or call right by mistake. A *referee* looks again at an
answer that the scorer called right. Datasets that are not here need neither.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any, Final

from rftgym_reasoning_gym import reading
from rftgym_reasoning_gym.reading import Unreadable

Look = Callable[[str, Mapping[str, Any]], None]
"""Raises :class:`Unreadable` where the answer will not do."""
_LARGE_MOVE: Final = re.compile(r"[+-]\d{2}")
_CUBE_MOVE: Final = re.compile(r"[A-Za-z]'?[0-9]?'?")
_FRACTION: Final = re.compile(r"[+-]?[0-9]{0,40}(\.[0-9]{0,40})?([eE][+-]?[0-9]{1,2})?(/[0-9]{1,40})?")
_LOGIC: Final = re.compile(r"[A-Z]|[()∧∨¬→↔ ]")


def _no_longer_than(longest: int) -> Look:
    def look(answer: str, entry: Mapping[str, Any]) -> None:
        if len(answer) > longest:
            raise Unreadable(f"longer than {longest} characters")

    return look


def _arithmetic(answer: str, entry: Mapping[str, Any]) -> None:
    reading.arithmetic(answer)


def _literal(answer: str, entry: Mapping[str, Any]) -> None:
    gold = str(entry["answer"])
    if answer.strip() != gold.strip() and answer not in entry["metadata"].get("valid_answers", ()):
        reading.literal(answer, 4 * len(gold) + 200)


def _polynomial(answer: str, entry: Mapping[str, Any]) -> None:
    reading.polynomial(answer, entry["metadata"]["variables"])


def _term(answer: str, entry: Mapping[str, Any]) -> None:
    reading.term(answer, (entry["metadata"]["variable"], "C", "E", "pi"))


def _fraction(answer: str, entry: Mapping[str, Any]) -> None:
    if not _FRACTION.fullmatch(answer.strip()):
        raise Unreadable(
            "no number, decimal or as a fraction"
        )  # an exponent of nine digits would fill the memory


def _complex(answer: str, entry: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"[0-9.eEijIJ+\-() ]*", answer):
        raise Unreadable("no complex number like 3.0 - 2.0i")  # the scorer calls NaN right


def _small_moves(answer: str, entry: Mapping[str, Any]) -> None:
    if _LARGE_MOVE.search(answer):
        raise Unreadable("a move is by one digit")  # the scorer takes as many steps as the number says


def _cube_moves(answer: str, entry: Mapping[str, Any]) -> None:
    moves = answer.split()
    if len(moves) > 1000 or not all(_CUBE_MOVE.fullmatch(move) for move in moves):
        raise Unreadable(
            "moves read like R, U' or F2, a thousand at most"
        )  # the scorer repeats them as often as said


def _logic(answer: str, entry: Mapping[str, Any]) -> None:
    if len(answer) > 300 or not all(map(_LOGIC.fullmatch, answer)):
        raise Unreadable(
            "no formula of the given variables"
        )  # the scorer tries all values of whatever names there are
    names = {name.strip() for name in re.findall(r"[A-Z][A-Z ]*", answer)}
    if names - set(entry["metadata"]["variables"]):
        raise Unreadable("no formula of the given variables")


def _matrix(answer: str, entry: Mapping[str, Any]) -> None:
    if not re.fullmatch(r"[0-9eE.+\-\s]*[0-9][0-9eE.+\-\s]*", answer):
        raise Unreadable("no rows of numbers")


def _numbers_or_nothing(answer: str, entry: Mapping[str, Any]) -> None:
    if answer.strip() in ("", '""', "''"):
        return
    try:
        values = [float(part) for part in answer.split(",")]
    except ValueError as error:
        raise Unreadable("no numbers between commas") from error
    if not all(map(math.isfinite, values)):
        raise Unreadable("no finite numbers")


def _same_word(answer: str, entry: Mapping[str, Any]) -> None:
    if answer.strip().lower() != str(entry["answer"]).strip().lower():
        raise Unreadable("another word")  # the scorer takes any text for True


def _hits_target(answer: str, entry: Mapping[str, Any]) -> None:
    if reading.arithmetic(answer) != entry["metadata"]["target"]:
        raise Unreadable("close to the target, but not the target")


def _makes_24(answer: str, entry: Mapping[str, Any]) -> None:
    if reading.arithmetic(answer) != 24:
        raise Unreadable("not 24: the scorer cuts off fractions")
    if sorted(map(int, re.findall(r"\d+", answer))) != sorted(entry["metadata"]["numbers"]):
        raise Unreadable("not the four numbers that were given")


def _near_probability(answer: str, entry: Mapping[str, Any]) -> None:
    if abs(Fraction(answer.strip()) - Fraction(entry["answer"])) > Fraction(1, 10_000):
        raise Unreadable("another probability: the scorer takes one that begins alike")


def _same_numbers(answer: str, entry: Mapping[str, Any]) -> None:
    said, gold = (json.loads(text.replace("'", '"')) for text in (answer, entry["answer"]))
    if not all(abs(float(a) - float(b)) < 1e-6 for a, b in zip(said, gold, strict=True)):
        raise Unreadable("other numbers: the scorer takes any that are off by 1, and NaN")


def _no_solution(answer: str, entry: Mapping[str, Any]) -> None:
    if not str(entry["answer"]).strip() and answer.strip(" \"'"):
        raise Unreadable("there is no solution")


GUARDS: Final[Mapping[str, Look]] = {
    "binary_matrix": _literal,
    "boxnet": _no_longer_than(4096),
    "coin_flip": _fraction,
    "complex_arithmetic": _complex,
    "countdown": _arithmetic,
    "game_of_life_halting": _same_word,
    "intermediate_integration": _term,
    "n_queens": _literal,
    "polynomial_equations": _numbers_or_nothing,
    "polynomial_multiplication": _polynomial,
    "pool_matrix": _matrix,
    "propositional_logic": _logic,
    "puzzle24": _arithmetic,
    "rubiks_cube": _cube_moves,
    "rush_hour": _small_moves,
    "simple_integration": _term,
    "spiral_matrix": _literal,
    "string_insertion": _literal,
}
REFEREES: Final[Mapping[str, Look]] = {
    "coin_flip": _near_probability,
    "countdown": _hits_target,
    "number_sorting": _same_numbers,
    "polynomial_equations": _no_solution,
    "puzzle24": _makes_24,
}
SHUT_IN: Final = frozenset({"intermediate_integration", "simple_integration"})
"""Scored in the sandbox: sympy may take minutes to simplify what is harmless otherwise."""
CHEATS: Final[Mapping[str, Mapping[str, str]]] = {
    "coin_flip": {"beginning of a number": "0"},
    "complex_arithmetic": {"nan": "nan"},
    "countdown": {"python": "len('x' * 100)", "comment": "1 # 2"},
    "game_of_life_halting": {"any text": "yes"},
    "intermediate_integration": {"integral": "Integral(x, x)"},
    "number_sorting": {"nan": "[NaN, NaN, NaN]"},
    "polynomial_equations": {"no numbers": "none"},
    "propositional_logic": {"tautology": "(P ∨ ¬P)", "other names": "(a ∨ ¬a)"},
    "puzzle24": {"other numbers": "6*4*1*1"},
    "simple_integration": {"integral": "Integral(x, x)"},
}
"""Answers that some scorer calls right, or that attack it, by a name for each way."""
