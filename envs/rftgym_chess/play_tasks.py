"""Games to be played: those that come with the environment, and a user's own."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import chess
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from rftgym import Task, TaskRow
from rftgym.tasks import ListTaskset
from rftgym_chess.engine import Habits
from rftgym_chess.game import Game, points_ahead
from rftgym_chess.opponents import Plan
from rftgym_chess.positions import LONGEST_FEN, board_of
from rftgym_chess.symmetry import fingerprint

DATA: Final = Path(__file__).with_name("data") / "games.jsonl"
SHOWN: Final = ("family", "fen", "goal", "lead", "moves", "opponent")
"""Fields of a row that go into the task's data."""
MOST_MOVES: Final = 40


class OpponentRow(BaseModel):
    """How strong the opponent is."""

    model_config = ConfigDict(extra="forbid")

    depth: int = Field(1, ge=0, le=2, description="Plies that it looks ahead; 0 plays at random")
    blunders: float = Field(0.2, ge=0, le=1, description="Share of moves that it plays at random")
    seed: int = Field(0, ge=0, le=2**31, description="Of its chances")


class GameRow(TaskRow):
    """A line of a ``--tasks`` file: a position, what to reach in it, and against whom."""

    fen: str = Field(max_length=LONGEST_FEN, description="The position; the side to move is the policy's")
    goal: Literal["win", "lead"] = Field("win", description="Checkmate, or be ahead in material at the end")
    lead: int = Field(0, ge=0, le=50, description="Points to be ahead by, for the goal 'lead'")
    moves: int = Field(MOST_MOVES, ge=1, le=MOST_MOVES, description="Moves that the policy has")
    opponent: OpponentRow = Field(default_factory=OpponentRow)

    @field_validator("fen")
    @classmethod
    def _playable(cls, fen: str) -> str:
        return board_of(fen).fen()

    @model_validator(mode="after")
    def _sensible(self) -> GameRow:
        if (self.goal == "lead") != (self.lead > 0):
            raise ValueError("goal 'lead' needs a 'lead' of at least 1 point, and no other goal has one")
        return self

    def task_id(self) -> str:
        """The id, or one made from the position."""
        return self.id or f"fen-{fingerprint(board_of(self.fen))}"

    def to_task(self) -> Task:
        """The task."""
        data = {
            "family": "own",
            **{name: self.model_dump(mode="json")[name] for name in SHOWN if name != "family"},
        }
        return Task(self.task_id(), data, self.split, self.difficulty)


def game_of(task: Task) -> Game:
    """The game at its start."""
    data = task.data
    board = chess.Board(data["fen"])
    return Game(
        board,
        board.turn,
        Plan.of(data["opponent"]),
        data["goal"],
        data["lead"],
        data["moves"],
        points_ahead(board, board.turn),
    )


@lru_cache(maxsize=1)
def rows() -> tuple[dict[str, Any], ...]:
    """The games that come with the environment, as they were built, with the lines that were played in them."""
    return tuple(json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines())


@lru_cache(maxsize=1)
def tasks() -> ListTaskset:
    """The same as tasks; shared by all environments, since tasks never change."""
    return ListTaskset(
        Task(row["id"], {name: row[name] for name in SHOWN}, row["split"], row["difficulty"])
        for row in rows()
    )


@lru_cache(maxsize=1)
def winning_lines() -> dict[str, tuple[chess.Move, ...]]:
    """By task: the moves of both sides, by which Stockfish reached the goal against the task's opponent."""
    return {row["id"]: moves_of(row["line"]) for row in rows()}


def moves_of(line: str) -> tuple[chess.Move, ...]:
    """Moves in UCI notation with spaces between them."""
    return tuple(chess.Move.from_uci(name) for name in line.split())


def plan_data(habits: Habits, seed: int) -> dict[str, Any]:
    """A task's "opponent"."""
    return {"depth": habits.depth, "blunders": habits.blunders, "seed": seed}
