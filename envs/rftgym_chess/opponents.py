"""Who plays the other side. Every opponent's move is decided by the task and the position, never by the clock."""

from __future__ import annotations

import atexit
import os
import threading
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any, Final

import chess

from rftgym.errors import InfrastructureError, UsageError
from rftgym_chess.engine import Habits, choose
from rftgym_chess.stockfish import Stockfish, find

NAMES: Final = ("own", "stockfish")
SECONDS_PER_REPLY: Final = 20.0
"""After which Stockfish counts as hung."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a task says about the opponent.

    Attributes:
        habits: how it chooses.
        seed: of its chances. It belongs to the task, not to the episode, so that one line of moves always meets the
            same replies.
    """

    habits: Habits
    seed: int

    @classmethod
    def of(cls, data: Any) -> Plan:
        """From a task's "opponent": "depth", "blunders" and "seed"."""
        return cls(Habits(data["depth"], data["blunders"]), data["seed"])

    def chances(self, board: chess.Board) -> Random:
        """The generator of the reply to a position; a repeated position is played anew."""
        return Random(f"rftgym-chess:reply:{self.seed}:{board.fen()}")


class Opponent(ABC):
    """Answers positions. Shared by the environments of a process: it keeps nothing between two replies."""

    @abstractmethod
    def reply(self, board: chess.Board, plan: Plan) -> chess.Move:
        """A legal move of the side to move; the board is left as it was."""


class OwnOpponent(Opponent):
    """The small engine of `rftgym_chess.engine`, which needs nothing that is not there."""

    def reply(self, board: chess.Board, plan: Plan) -> chess.Move:
        return choose(board, plan.habits, plan.chances(board))


class StockfishOpponent(Opponent):
    """Stockfish, weak by looking at few positions, and by the task's share of blunders.

    Its own "skill level" is not used: it draws from the clock, so that no game could be played again.

    Args:
        nodes: positions that it looks at for a move.

    Raises:
        UsageError: it is not installed.
    """

    def __init__(self, nodes: int) -> None:
        self._nodes = nodes
        self._lock = threading.Lock()  # one program, one question at a time
        self._program: Stockfish | None = None
        find()

    def reply(self, board: chess.Board, plan: Plan) -> chess.Move:
        """A legal move.

        Raises:
            InfrastructureError: the program failed; the next reply starts it anew.
        """
        draw = plan.chances(board)
        if draw.random() < plan.habits.blunders:
            return draw.choice(sorted(board.legal_moves, key=chess.Move.uci))
        with self._lock:
            if self._program is None:
                self._program = Stockfish(SECONDS_PER_REPLY)
            try:
                return self._program.best(board, self._nodes)
            except InfrastructureError:
                self._end()
                raise

    def close(self) -> None:
        """End the program; it is started again when it is needed."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.close()


def opponent(name: str, nodes: object) -> Opponent:
    """The opponent of this name, shared by this process.

    Args:
        name: one of `NAMES`.
        nodes: positions that Stockfish looks at for a move.

    Raises:
        UsageError: there is none of this name, ``nodes`` makes no sense, or Stockfish is not installed.
    """
    if name not in NAMES:
        raise UsageError(f"opponent={name!r:.40}; it is one of {', '.join(NAMES)}")
    if not isinstance(nodes, int) or isinstance(nodes, bool) or not 1 <= nodes <= 1_000_000:
        raise UsageError(f"nodes={nodes!r:.40}; Stockfish looks at 1 to 1,000,000 positions for a move")
    return OwnOpponent() if name == "own" else _stockfish(nodes, os.getpid())


@lru_cache(maxsize=4)
def _stockfish(nodes: int, process: int) -> StockfishOpponent:
    """One a process: a forked child must not talk to its parent's program."""
    made = StockfishOpponent(nodes)
    atexit.register(made.close)
    return made
