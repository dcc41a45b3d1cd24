"""The puzzles: those that come with the environment, and a user's own."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final

import chess
from pydantic import Field, PrivateAttr, field_validator, model_validator

from rftgym import Task, TaskRow
from rftgym.tasks import ListTaskset
from rftgym_chess.mates import LONGEST, MateSearch, TooManyPositionsError
from rftgym_chess.positions import LONGEST_FEN, board_of
from rftgym_chess.reading import read_move
from rftgym_chess.symmetry import fingerprint

DATA: Final = Path(__file__).with_name("data") / "puzzles.jsonl"
SHOWN: Final = ("kind", "fen", "last", "best", "values", "line")
"""Fields of a puzzle that go into the task's data."""
MOST_POSITIONS: Final = 100_000
"""That are looked at to solve one line of a user's file (a few seconds)."""
LARGEST_VALUE: Final = 10_000

Notation = Annotated[str, Field(min_length=2, max_length=16)]
Value = Annotated[int, Field(ge=-LARGEST_VALUE, le=LARGEST_VALUE)]


class PuzzleRow(TaskRow):
    """A line of a ``--tasks`` file: a position, and either its best moves or the number of moves to mate.

    Moves are written in any notation that answers may be written in. Without an ``id``, one is made from the position.
    """

    fen: str = Field(max_length=LONGEST_FEN, description="The position in Forsyth-Edwards notation")
    best: list[Notation] | None = Field(
        None, min_length=1, max_length=64, description="The moves that are right"
    )
    mate_in: int | None = Field(
        None, ge=1, le=LONGEST, description="All moves that mate in so many are right"
    )
    values: dict[Notation, Value] | None = Field(
        None, max_length=256, description="Centipawns by move, for partial credit"
    )
    _board: chess.Board = PrivateAttr()
    _best: list[str] = PrivateAttr()
    _valued: dict[str, int] = PrivateAttr()

    @field_validator("fen")
    @classmethod
    def _playable(cls, fen: str) -> str:
        return board_of(fen).fen()

    @model_validator(mode="after")
    def _solved(self) -> PuzzleRow:
        self._board = board_of(self.fen)
        if (self.best is None) == (self.mate_in is None):
            raise ValueError("give either 'best' (a list of moves) or 'mate_in' (a number of moves)")
        self._best = (
            sorted({self._legal(move) for move in self.best}) if self.best else self._mates(self.mate_in or 1)
        )
        self._valued = self._by_name(self.values or {})
        return self

    def _by_name(self, values: dict[str, int]) -> dict[str, int]:
        valued: dict[str, int] = {}
        for move, value in values.items():
            if valued.setdefault(self._legal(move), value) != value:
                raise ValueError(f"two values for the move {move!r}")
        return valued

    def _legal(self, move: str) -> str:
        reading = read_move(self._board, move)
        if reading.move is None:
            raise ValueError(f"{move!r} is no move in this position ({reading.kind})")
        return reading.move.uci()

    def _mates(self, moves: int) -> list[str]:
        search = MateSearch(MOST_POSITIONS)
        try:
            if search.distance(self._board, moves) != moves:
                raise ValueError(f"there is no mate in {moves}, or a shorter one")
            return [move.uci() for move in search.first_moves(self._board, moves)]
        except TooManyPositionsError:
            raise ValueError(
                f"the mate in {moves} takes too long to be proved; give its first moves as 'best' instead"
            ) from None

    def task_id(self) -> str:
        """The id, or one made from the position."""
        return self.id or f"fen-{fingerprint(self._board)}"

    def to_task(self) -> Task:
        """The task, its moves in UCI notation."""
        legal = sorted(move.uci() for move in self._board.legal_moves)
        data = {
            "kind": f"mate-in-{self.mate_in}" if self.mate_in else "best-move",
            "fen": self.fen,
            "last": None,
            "best": self._best,
            "values": [self._valued.get(move) for move in legal] if self._valued else None,
            "line": [],
        }
        return Task(self.task_id(), data, self.split, self.difficulty)


@lru_cache(maxsize=1)
def rows() -> tuple[dict[str, Any], ...]:
    """The puzzles that come with the environment, as they were built."""
    return tuple(json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines())


@lru_cache(maxsize=1)
def tasks() -> ListTaskset:
    """The same as tasks; shared by all environments, since tasks never change."""
    return ListTaskset(
        Task(row["id"], {name: row[name] for name in SHOWN}, row["split"], row["difficulty"])
        for row in rows()
    )


def best_moves(task: Task) -> list[chess.Move]:
    """The moves that solve a puzzle."""
    return [chess.Move.from_uci(name) for name in task.data["best"]]


def quality(task: Task, board: chess.Board, move: chess.Move) -> float:
    """How good a legal move is, from 0 to 1; 1 for a right one and at most `NEARLY` for any other.

    What counts is the share of games that one expects to lose by it, see `expected`. Where no values are known, a wrong
    move has no quality.
    """
    if move.uci() in task.data["best"]:
        return 1.0
    values = task.data["values"]
    if values is None:
        return 0.0
    value = dict(zip(sorted(each.uci() for each in board.legal_moves), values, strict=True))[move.uci()]
    known = [each for each in values if each is not None]
    if value is None:
        return 0.0
    return NEARLY * (1 - (expected(max(known)) - expected(value))) ** 4


NEARLY: Final = 0.5


def expected(value: int) -> float:
    """Points that one expects of a game, 0 to 1, by the centipawns: a logistic curve; 400 are odds of ten to one."""
    return float(1 / (1 + 10 ** (-value / 400)))
