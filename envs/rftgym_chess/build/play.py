"""Games worth playing: positions from which Stockfish reached the goal against the task's opponent, with that game."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import chess
import chess.engine

from rftgym import Task
from rftgym_chess.build.analyst import MATE, Analyst
from rftgym_chess.build.games import Moment, game, placed
from rftgym_chess.build.puzzles import SPLITS
from rftgym_chess.engine import Habits, choose
from rftgym_chess.game import points_ahead
from rftgym_chess.opponents import OwnOpponent
from rftgym_chess.play_tasks import MOST_MOVES, SHOWN, game_of, plan_data
from rftgym_chess.symmetry import fingerprint

Row = dict[str, Any]
STRONG: Final = chess.engine.Limit(nodes=12_000)
LEARNERS: Final = (Habits(1, 0.05), Habits(1, 0.15), Habits(1, 0.3))
"""Imperfect players: their games are kept as demonstrations, and how often they fail is part of the difficulty."""


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of game.

    Attributes:
        name: also the beginning of its tasks' ids.
        wanted: how many tasks.
        men: what stands on the board beside the kings in a random endgame; "" for positions of games.
        removed: which piece the opponent lacks in a position of a game: a letter, or "" for none.
        opponent: how strong.
        moves: limit; the winning line must be at most three quarters of it.
        base: difficulty to start from.
        goal: "win" or "lead".
        lead: points, for the goal "lead".
    """

    name: str
    wanted: int
    men: str
    removed: str
    opponent: Habits
    moves: int
    base: float
    goal: str = "win"
    lead: int = 0


FAMILIES: Final = (
    Family("finish", 30, "", "", Habits(1, 0.1), 6, 0.15),
    Family("two-rooks", 16, "RR", "", Habits(1, 0.2), 16, 0.15),
    Family("queen-and-rook", 12, "QR", "", Habits(1, 0.2), 12, 0.1),
    Family("queen", 22, "Q", "", Habits(1, 0.2), 20, 0.25),
    Family("rook", 22, "R", "", Habits(1, 0.2), 32, 0.45),
    Family("pawn", 14, "P", "", Habits(1, 0.2), 36, 0.55),
    Family("two-bishops", 8, "BB", "", Habits(1, 0.1), 40, 0.7),
    Family("win-material", 12, "", "", Habits(1, 0.35), 8, 0.35, "lead", 3),
    Family("up-a-queen", 14, "", "q", Habits(1, 0.2), 36, 0.4),
    Family("up-a-rook", 8, "", "r", Habits(1, 0.25), 40, 0.5),
    Family("up-a-piece", 6, "", "n", Habits(1, 0.25), 40, 0.55),
    Family("even", 6, "", "", Habits(1, 0.3), 40, 0.6),
)


def rows(
    analyst: Analyst, seed: int, say: Callable[[str], None], save: Callable[[list[Row]], None]
) -> list[Row]:
    """All tasks with their games, ordered by their ids; ``save`` is given those so far after each family."""
    found: dict[str, Row] = {}
    ordered: list[Row] = []
    for family in FAMILIES:
        positions = starts(analyst, family, seed)
        for _ in range(family.wanted):
            row = next(_rows(analyst, family, positions, found))
            found[fingerprint(chess.Board(row["fen"]))] = row
            say(
                f"{len(found):4} {row['id']} {row['fen']} {row['line'].count(' ') // 2 + 1} {row['difficulty']}"
            )
        ordered = sorted(found.values(), key=lambda row: str(row["id"]))
        save(ordered)
    return ordered


def _rows(
    analyst: Analyst, family: Family, positions: Iterator[chess.Board], found: Mapping[str, Row]
) -> Iterator[Row]:
    """The tasks that positions make, those left out that are there already."""
    for board in positions:
        key = fingerprint(board)
        row = None if key in found else _row(analyst, family, board, key)
        if row is not None:
            yield row


def starts(analyst: Analyst, family: Family, seed: int) -> Iterator[chess.Board]:
    """Positions that may suit a family, without end; at most one of a game."""
    number = 0
    while True:
        draw = Random(f"rftgym-chess:start:{seed}:{family.name}:{number}")
        if family.men:
            board = placed(draw, family.men)
        else:
            # Far from the numbers of the games in which puzzles were looked for.
            offset = int(hashlib.sha256(family.name.encode()).hexdigest()[:6], 16) + 1_000_000
            board = _of_game(family, game(analyst, seed, offset + number), draw)
        number += 1
        if board is not None:
            yield board.mirror() if draw.random() < 0.5 else board


def _of_game(family: Family, moments: Iterator[Moment], draw: Random) -> chess.Board | None:
    """A position out of a game, with White to move and the piece removed; None where there is none that suits."""
    wanted_ply = draw.randrange(8, 24)
    for ply, moment in enumerate(moments):
        value = moment.lines[0].value
        if family.name == "finish":
            suits = MATE - 5 <= value <= MATE - 2
        else:
            suits = ply >= wanted_ply and abs(value) < 90 and points_ahead(moment.board, True) == 0
        if suits:
            board = moment.board if moment.board.turn else moment.board.mirror()
            return _without(board, family.removed, draw)
        if family.name != "finish" and ply > wanted_ply + 12:
            return None
    return None


def _without(board: chess.Board, symbol: str, draw: Random) -> chess.Board | None:
    """The position with one black piece fewer, counters set back; None where that cannot be."""
    board = board.copy(stack=False)
    if symbol:
        squares = sorted(board.pieces(chess.Piece.from_symbol(symbol).piece_type, chess.BLACK))
        if not squares:
            return None
        board.remove_piece_at(draw.choice(squares))
        board.castling_rights = board.clean_castling_rights()
    board.halfmove_clock, board.fullmove_number = 0, 1
    return board if board.is_valid() and not board.is_game_over() else None


def _row(analyst: Analyst, family: Family, board: chess.Board, key: str) -> Row | None:
    """A task with its winning line; None where Stockfish does not get there in time, or far too easily."""
    split = SPLITS[int(hashlib.sha256(f"split:{key}".encode()).hexdigest(), 16) % len(SPLITS)]
    data = {
        "family": family.name,
        "fen": board.fen(en_passant="legal"),
        "goal": family.goal,
        "lead": family.lead,
        "moves": family.moves,
        "opponent": plan_data(family.opponent, int(key, 16) % 2**31),
    }
    task = Task(f"{family.name}-{key[:8]}", data, split)
    line, reached = play(task, lambda now: analyst.lines(now, STRONG, 1)[0].moves[0])
    if not reached or (len(line) + 1) / 2 > (family.moves if family.goal == "lead" else 0.75 * family.moves):
        return None
    games = [play(task, _learner(task, habits)) for habits in LEARNERS]
    failed = 1 - sum(won for _, won in games) / len(games)
    row = {"id": task.id, "split": split, **{name: data[name] for name in SHOWN}}
    row["line"] = _named(line)
    row["played"] = [_named(moves) for moves, _ in games] if split == "train" else []
    row["difficulty"] = difficulty(family, len(line) // 2 + 1, failed)
    return row


def difficulty(family: Family, moves: int, failed: float) -> float:
    """0 to 1, from the family, the winning line's length in moves, and the share of the learners who failed."""
    known = (
        1.0 if family.goal == "lead" else 0.3 + 0.07 * min(10, moves)
    )  # a mate in one is easy with any pieces
    length = math.log(moves + 0.5) / math.log(MOST_MOVES)
    return round(min(1.0, family.base * known + 0.15 * length + 0.25 * failed), 3)


def _learner(task: Task, habits: Habits) -> Callable[[chess.Board], chess.Move]:
    draw = Random(f"rftgym-chess:learner:{task.id}:{habits.blunders}")
    return lambda board: choose(board, habits, draw)


def play(task: Task, player: Callable[[chess.Board], chess.Move]) -> tuple[list[chess.Move], bool]:
    """A game of a player against the task's opponent: the moves of both, and whether the goal was reached."""
    state, opponent = game_of(task), OwnOpponent()
    while True:
        state.board.push(player(state.board))
        state.made += 1
        end = state.end()
        if end is None:
            state.board.push(opponent.reply(state.board, state.plan))
            end = state.end()
        if end is not None:
            return list(state.board.move_stack), state.reached(end)


def _named(moves: list[chess.Move]) -> str:
    return " ".join(move.uci() for move in moves)
