"""Stockfish as the judge of what is built: asked in a way that gives the same answer every time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import chess
import chess.engine

from rftgym_chess.stockfish import find

MATE: Final = 10_000
"""Centipawns: mate in n counts as ``MATE - n``, being mated in n as ``n - MATE``."""
LARGEST: Final = 5_000
"""Other values are cut to this, so that none can be taken for a mate."""


@dataclass(frozen=True, slots=True)
class Line:
    """One of the engine's lines.

    Attributes:
        value: centipawns for the side to move, mates as in `MATE`.
        moves: what it expects to be played.
        depth: plies to which it searched.
    """

    value: int
    moves: tuple[chess.Move, ...]
    depth: int


class Analyst:
    """Stockfish, asked in a way that gives the same answer every time: one thread, an empty memory for each question.

    Args:
        memory_mebibytes: of its hash table.
    """

    def __init__(self, memory_mebibytes: int = 16) -> None:
        self._engine = chess.engine.SimpleEngine.popen_uci(find())
        self._engine.configure({"Threads": 1, "Hash": memory_mebibytes})

    @property
    def name(self) -> str:
        """The program's name and version."""
        return self._engine.id["name"]

    def lines(self, board: chess.Board, limit: chess.engine.Limit, count: int) -> list[Line]:
        """The ``count`` best lines, best first; fewer where there are fewer legal moves."""
        infos = self._engine.analyse(board, limit, multipv=count, game=object())
        return [_line(info) for info in infos]

    def deepening(
        self, board: chess.Board, limit: chess.engine.Limit, count: int
    ) -> tuple[list[Line], list[tuple[int, chess.Move]]]:
        """The ``count`` best lines, and the move that was preferred at each depth, shallow to deep."""
        preferred: dict[int, chess.Move] = {}
        with self._engine.analysis(board, limit, multipv=count, game=object()) as analysis:
            for info in analysis:
                moves = info.get("pv")
                if moves and "depth" in info and info.get("multipv", 1) == 1 and "upperbound" not in info:
                    preferred[info["depth"]] = moves[0]
            return [_line(info) for info in analysis.multipv], sorted(preferred.items())

    def values(self, board: chess.Board, nodes_per_move: int) -> dict[str, int]:
        """The value of every legal move, by its UCI name."""
        count = board.legal_moves.count()
        lines = self.lines(board, chess.engine.Limit(nodes=nodes_per_move * count), count)
        return {line.moves[0].uci(): line.value for line in lines}

    def close(self) -> None:
        """End the program."""
        self._engine.quit()

    def __enter__(self) -> Analyst:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


def _line(info: chess.engine.InfoDict) -> Line:
    score = info["score"].relative
    mate = score.mate()
    if mate is not None:
        value = MATE - mate if mate > 0 else -MATE - mate
    else:
        value = max(-LARGEST, min(LARGEST, score.score() or 0))
    return Line(value, tuple(info["pv"]), info.get("depth", 0))
