"""Which positions are puzzles: those where exactly one move is clearly best, or where mate is forced and proved."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import chess
import chess.engine

from rftgym_chess.build.analyst import MATE, Analyst
from rftgym_chess.build.games import Moment, endgame, game
from rftgym_chess.mates import MateSearch, TooManyPositionsError
from rftgym_chess.symmetry import fingerprint

WANTED: Final = {
    "mate-in-1": 75,
    "mate-in-2": 85,
    "mate-in-3": 65,
    "tactic": 95,
    "defence": 20,
    "endgame": 90,
}  # fmt: skip
GAP: Final = 200
"""Centipawns by which the best move must beat the second best, at `DEPTH`."""
DEPTH: Final = 14
SURE: Final = chess.engine.Limit(depth=DEPTH, nodes=800_000)
WON = 150
HELD = -90
LOST = -250
"""Centipawns: from here on a position is won, from here on it is held, and from here on downwards it is lost."""
FEW_MEN: Final = 9
"""With this many men on the board, kings and pawns included, it is an endgame."""
OBVIOUS: Final = 2
"""A capture that the engine prefers from this depth on is there for everybody to see."""
ENDGAMES: Final = 24
"""Random endgames that are looked at for each game."""
NODES_PER_MOVE: Final = 2_000
MATE_POSITIONS: Final = 200_000
"""That the proof of a mate may look at (about five seconds)."""
SPLITS: Final = ("train",) * 14 + ("validation",) * 2 + ("test",) * 4

Row = dict[str, Any]


@dataclass(slots=True)
class Finder:
    """Collects puzzles until there are enough of each kind.

    Attributes:
        analyst: the engine.
        seed: of the games.
        say: is told about every puzzle.
        save: is given all puzzles so far now and then.
        rows: what was found, by fingerprint.
        kinds: how many of each kind.
    """

    analyst: Analyst
    seed: int
    say: Callable[[str], None]
    save: Callable[[list[Row]], None]
    rows: dict[str, Row] = field(default_factory=dict)
    kinds: Counter[str] = field(default_factory=Counter)

    def find(self) -> list[Row]:
        """All puzzles, ordered by their ids."""
        number = 0
        while any(self.kinds[kind] < wanted for kind, wanted in WANTED.items()):
            self._game(number)
            for each in range(ENDGAMES * number, ENDGAMES * (number + 1)):
                self._endgame(each)
            number += 1
            self.save(self.found())
        return self.found()

    def found(self) -> list[Row]:
        """The puzzles so far, ordered by their ids."""
        return sorted(self.rows.values(), key=lambda row: str(row["id"]))

    def _game(self, number: int) -> None:
        """At most two puzzles of each kind, and never two from neighbouring positions."""
        had: Counter[str] = Counter()
        quiet_until = 0
        for ply, moment in enumerate(game(self.analyst, self.seed, number)):
            if ply < quiet_until:
                continue
            kind = guess_kind(moment)
            if kind is not None and had[kind] < 2 and self._take(moment, kind):
                had[kind] += 1
                quiet_until = ply + 6

    def _endgame(self, number: int) -> None:
        if self.kinds["endgame"] >= WANTED["endgame"]:
            return
        moment = endgame(self.analyst, self.seed, number)
        kind = None if moment is None else guess_kind(moment)
        if moment is not None and kind == "endgame":
            self._take(moment, kind)

    def _take(self, moment: Moment, kind: str) -> bool:
        key = fingerprint(moment.board)
        if self.kinds[kind] >= WANTED[kind] or key in self.rows:
            return False
        row = mate_row(self.analyst, moment, int(kind[-1])) if kind.startswith("mate") else None
        if not kind.startswith("mate"):
            row = best_move_row(self.analyst, moment, kind)
        if row is None:
            return False
        self.kinds[kind] += 1
        self.rows[key] = {"id": f"{kind}-{key[:8]}", "split": split_of(moment.source), **row}
        self.say(
            f"{sum(self.kinds.values()):4} {kind} {row['fen']} {' '.join(row['best'])} {row['difficulty']}"
        )
        return True


def split_of(source: str) -> str:
    """The split of a source's puzzles, decided by a hash of its name, so that one game is in one split."""
    import hashlib

    return SPLITS[int(hashlib.sha256(source.encode()).hexdigest(), 16) % len(SPLITS)]


def guess_kind(moment: Moment) -> str | None:
    """What kind of puzzle a position may be, after a hasty look; None where it is none."""
    lines = moment.lines
    if len(lines) < 2:
        return None  # the only legal move is no puzzle
    best, second = lines[0].value, lines[1].value
    if best > MATE - 4:
        return f"mate-in-{MATE - best}"
    if abs(best) > 1500 or best - second < GAP or _recapture(moment):
        return None
    if chess.popcount(moment.board.occupied) <= FEW_MEN:
        return "endgame" if best >= HELD else None
    if best >= WON:
        return "tactic" if second < 700 else None
    return "defence" if best >= HELD and second <= LOST + 50 else None


def _recapture(moment: Moment) -> bool:
    """Taking back is no puzzle."""
    last, best = moment.last, moment.lines[0].moves[0]
    return last is not None and best.to_square == last.to_square


def best_move_row(analyst: Analyst, moment: Moment, kind: str) -> Row | None:
    """The puzzle's fields where the engine is sure; None where it is not."""
    board = moment.board
    lines, preferred = analyst.deepening(board, SURE, 2)
    best, second = lines[0].value, lines[1].value
    if lines[0].depth < DEPTH or abs(best) >= MATE - 100 or best - second < GAP:
        return None
    if not _sure_kind(kind, best, second):
        return None
    move, values = lines[0].moves[0], analyst.values(board, NODES_PER_MOVE)
    values[move.uci()] = best
    values[lines[1].moves[0].uci()] = second
    if any(value > best - GAP / 2 for name, value in values.items() if name != move.uci()):
        return None  # a quicker look disagrees: not clear enough
    found_at = _found_at(preferred, move)
    if found_at <= OBVIOUS and board.is_capture(move) and int(fingerprint(board), 16) % 4:
        return None  # pieces left hanging are what blunders mostly leave; a few of them are enough
    return {
        "kind": kind,
        "fen": board.fen(en_passant="legal"),
        "last": moment.last.uci() if moment.last else None,
        "best": [move.uci()],
        "line": [each.uci() for each in lines[0].moves[:8]],
        "gap": best - second,
        "found_at": found_at,
        "values": [values[name] for name in sorted(values)],
        "difficulty": difficulty(board, move, kind, best - second, found_at),
    }


def _sure_kind(kind: str, best: int, second: int) -> bool:
    if kind == "tactic":
        return best >= WON and second < 700
    if kind == "defence":
        return best >= HELD and second <= LOST
    return best >= HELD and ((best >= WON) != (second >= WON) or (best < WON and second <= LOST))


def _found_at(preferred: list[tuple[int, chess.Move]], move: chess.Move) -> int:
    """The depth from which on the engine preferred the right move, whatever it looked at next."""
    found = DEPTH
    for depth, each in reversed(preferred):
        if each != move:
            break
        found = depth
    return found


def mate_row(analyst: Analyst, moment: Moment, moves: int) -> Row | None:
    """The puzzle's fields where the mate is proved, and no shorter one is there; None otherwise."""
    board = moment.board
    search = MateSearch(MATE_POSITIONS)
    try:
        if search.distance(board, moves) != moves:
            return None
        best = search.first_moves(board, moves)
    except TooManyPositionsError:
        return None
    if len(best) > 4 or len(best) == board.legal_moves.count():
        return None  # when many moves do it there is nothing to find
    values = analyst.values(board, NODES_PER_MOVE)
    values.update({move.uci(): MATE - moves for move in best})
    right = {move.uci() for move in best}
    values = {
        name: min(value, MATE - moves - 1) if name not in right else value for name, value in values.items()
    }
    line = next((each for each in moment.lines if each.moves[0] in best), None)
    first = min(best, key=lambda move: (board.gives_check(move), board.is_capture(move)), default=best[0])
    return {
        "kind": f"mate-in-{moves}",
        "fen": board.fen(en_passant="legal"),
        "last": moment.last.uci() if moment.last else None,
        "best": [move.uci() for move in best],
        "line": [each.uci() for each in line.moves[: 2 * moves - 1]] if line else [best[0].uci()],
        "gap": None,
        "found_at": 2 * moves - 1,
        "values": [values[name] for name in sorted(values)],
        "difficulty": mate_difficulty(board, first, len(best), moves),
    }


def difficulty(board: chess.Board, move: chess.Move, kind: str, gap: int, found_at: int) -> float:
    """0 to 1: deep, quiet and close choices are hard, and so are those among many legal moves."""
    value = {"tactic": 0.15, "endgame": 0.20, "defence": 0.25}[kind]
    value += 0.40 * min(found_at, DEPTH) / DEPTH
    value += 0.12 * _quiet(board, move)
    value += 0.08 * (1 - min(1.0, (gap - GAP) / 600))
    return round(min(1.0, value + _choice(board)), 3)


def mate_difficulty(board: chess.Board, move: chess.Move, ways: int, moves: int) -> float:
    """0 to 1: by length above all, then by how quiet the first move is and how many moves do it."""
    value = {1: 0.05, 2: 0.35, 3: 0.60}[moves]
    value += 0.18 * _quiet(board, move) if moves > 1 else 0.04 * (not board.is_capture(move))
    return round(min(1.0, value + _choice(board) + 0.04 * (ways == 1)), 3)


def _quiet(board: chess.Board, move: chess.Move) -> float:
    """1 for a move that neither takes, nor promotes, nor gives check; 0.5 for a check alone."""
    if board.is_capture(move) or move.promotion:
        return 0.0
    return 0.5 if board.gives_check(move) else 1.0


def _choice(board: chess.Board) -> float:
    """Up to 0.1 for many legal moves."""
    return 0.1 * min(1.0, math.log2(max(1, board.legal_moves.count())) / 5.5)


def found(rows: list[Row]) -> Iterator[str]:
    """A table of how many puzzles there are, line by line."""
    for kind in WANTED:
        splits = Counter(str(row["split"]) for row in rows if row["kind"] == kind)
        yield f"{kind:10} {sum(splits.values()):4}  {dict(sorted(splits.items()))}"
