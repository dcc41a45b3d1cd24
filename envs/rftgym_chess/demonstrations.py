"""What imperfect players answer, as conversations: data for supervised fine-tuning, of the train split alone.

Conversation ``i`` depends on (seed, i) only. Puzzles are shown as they are and in their mirror images, which belong to
no other split; games were played when the data were built, so that none has to be played now.
"""

from __future__ import annotations

from functools import lru_cache
from random import Random
from typing import Any, Final

import chess

from rftgym import Message, Task
from rftgym_chess import play_tasks, prompts, puzzles
from rftgym_chess.play_tasks import game_of
from rftgym_chess.puzzles import expected
from rftgym_chess.symmetry import flipped, flipped_move, mirrored_move

RIGHT: Final = 0.6
"""Share of puzzles that the player knows the answer to; otherwise it takes what looks good enough."""
SLIPS: Final = 0.08
"""Share of answers that are spoilt in some way: no closing tag, two moves, or a move that is not legal."""
TASTE: Final = 8.0
"""How much it prefers better moves where it does not know: a move that gives away half a point is e**4 times rarer."""
WINNING_LINES: Final = 0.35
"""Share of games that are the stored winning line; the rest is an imperfect player's."""


def puzzle_demonstration(seed: int, index: int) -> tuple[str, str]:
    """A question about a puzzle of the train split, or a mirror image of one, and what the player answers."""
    draw = Random(f"rftgym-chess:puzzle:{seed}:{index}")
    tasks = puzzles.tasks()
    task = tasks.item("train", draw.randrange(tasks.size("train")))
    board = chess.Board(task.data["fen"])
    move = _chosen(task, board, draw)
    last = chess.Move.from_uci(task.data["last"]) if task.data["last"] else None
    if not board.castling_rights and draw.random() < 0.5:
        board, move, last = flipped(board), flipped_move(move), last and flipped_move(last)
    if draw.random() < 0.5:
        board, move, last = board.mirror(), mirrored_move(move), last and mirrored_move(last)
    return prompts.puzzle(board, task.data["kind"], last), _said(board, move, draw)


def _chosen(task: Task, board: chess.Board, draw: Random) -> chess.Move:
    if draw.random() < RIGHT:
        return draw.choice(puzzles.best_moves(task))
    names = sorted(move.uci() for move in board.legal_moves)
    weights = [2.718 ** (TASTE * expected(value)) for value in task.data["values"]]
    return chess.Move.from_uci(draw.choices(names, weights)[0])


def _said(board: chess.Board, move: chess.Move, draw: Random) -> str:
    san = board.san(move)
    right = prompts.answer(san if draw.random() < 0.8 else move.uci())
    if draw.random() >= SLIPS:
        return right
    other = draw.choice([each for each in chess.SQUARE_NAMES if each != chess.square_name(move.to_square)])
    return draw.choice(
        [right.removesuffix("</move>"), prompts.answer(f"{san} or {other}"), prompts.answer(f"K{other}"), san]
    )


def game_demonstration(seed: int, index: int) -> tuple[Message, ...]:
    """A game on a task of the train split, without system message."""
    draw = Random(f"rftgym-chess:game:{seed}:{index}")
    row = draw.choice(_train_rows())
    line = row["line"] if draw.random() < WINNING_LINES else draw.choice(row["played"])
    return _conversation(row["id"], line)


@lru_cache(maxsize=1)
def _train_rows() -> list[dict[str, Any]]:
    return [row for row in play_tasks.rows() if row["split"] == "train"]


@lru_cache(maxsize=4096)
def _conversation(task: str, line: str) -> tuple[Message, ...]:
    """Kept, since there are not many different games and drawing their boards takes longest."""
    return tuple(conversation(play_tasks.tasks().by_id(task), play_tasks.moves_of(line)))


def conversation(task: Task, line: tuple[chess.Move, ...]) -> list[Message]:
    """A game as messages, as the environment would say them, up to the policy's last move.

    Args:
        task: of the game.
        line: the moves of both sides, the policy's first.
    """
    game = game_of(task)
    talk = [
        Message(
            "user", prompts.opening(game.board, prompts.aim(game.goal, game.limit, game.lead), game.limit)
        )
    ]
    for number, move in enumerate(line):
        said = game.board.san(move)
        game.board.push(move)
        if number % 2 == 0:
            game.made += 1
            talk.append(Message("assistant", prompts.answer(said)))
        elif number < len(line) - 1:
            talk.append(Message("user", prompts.replied(game.board, said, game.left)))
    return talk
