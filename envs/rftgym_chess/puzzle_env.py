"""Chess puzzles as a single-turn environment: a position in, a move out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import chess

from rftgym import Message, Response, Rubric, SingleTurnEnv, TagParser, Task, Turn
from rftgym.errors import UsageError
from rftgym.tasks import Taskset
from rftgym_chess import prompts, puzzles, rewards
from rftgym_chess.drawing import coloured
from rftgym_chess.engine import keeps_material
from rftgym_chess.reading import Reading, read_move


class ChessEnv(SingleTurnEnv):
    """Find the best move, or the first move of a mate.

    A turn's ``info`` has the "verdict": its "kind" ("right", "wrong", or what the answer is instead of a legal move:
    "no move", "unreadable", "ambiguous", "illegal"), "notation" (it is written as a move), "move" (UCI, or None),
    "san", "quality", "check" and "keeps_material".
    """

    system = prompts.PUZZLE_SYSTEM
    parser = TagParser("move")
    task_row = puzzles.PuzzleRow

    def make_tasks(self) -> Taskset:
        return puzzles.tasks()

    def make_rubric(self) -> Rubric:
        return rewards.rubric()

    def prompt(self, task: Task) -> str:
        last = task.data["last"]
        board = chess.Board(task.data["fen"])
        return prompts.puzzle(board, task.data["kind"], chess.Move.from_uci(last) if last else None)

    def respond(self, state: None, turn: Turn, rng: Random) -> Response:
        task = self.trajectory.task
        board = chess.Board(task.data["fen"])
        reading = read_move(board, turn.answer)
        verdict = judged(task, board, reading)
        best = " or ".join(board.san(move) for move in puzzles.best_moves(task))
        closing = prompts.judged(reading, right=verdict["kind"] == "right", best=best)
        return Response(closing, True, {"verdict": verdict})

    def demonstrate(self, task: Task, seed: int) -> list[Message]:
        """A right move."""
        board = chess.Board(task.data["fen"])
        move = puzzles.best_moves(task)[0]
        return [
            Message("system", self.system or ""),
            Message("user", self.prompt(task)),
            Message("assistant", prompts.answer(board.san(move))),
        ]

    def same_answer(self, task: Task, answer: Any, other: Any) -> bool:
        """Whether both are right moves: some puzzles have several."""
        board = chess.Board(task.data["fen"])
        moves = (read_move(board, each).move for each in (answer, other))
        return all(move is not None and move in puzzles.best_moves(task) for move in moves)

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Text that looks like a move, many moves at once."""
        from rftgym_chess.cheats import CHEATS

        return CHEATS

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Answers of an imperfect player to the train split's puzzles and their mirror images.

        Raises:
            UsageError: any split but "train": the others are held out.
        """
        if split != "train":
            raise UsageError(
                f"{self.id!r} has demonstrations of split 'train' only, not of {split!r}: the rest is held out"
            )
        from rftgym_chess.demonstrations import puzzle_demonstration

        for index in range(n):
            question, answer = puzzle_demonstration(seed, index)
            yield [
                Message("system", self.system or ""),
                Message("user", question),
                Message("assistant", answer),
            ]

    def rendered(self) -> str:
        """The board in colours, with the answer under it."""
        trajectory = self.trajectory
        last = trajectory.task.data["last"]
        board = chess.Board(trajectory.task.data["fen"])
        lines = [
            coloured(board, chess.Move.from_uci(last) if last else None),
            prompts.asked(trajectory.task.data["kind"], board.turn),
        ]
        for turn in trajectory.turns:
            verdict = turn.info.get("verdict") or {}
            lines += [f"{verdict.get('san') or '(no legal move)'}: {verdict.get('kind', 'too long')}"]
        return "\n".join(lines)


def judged(task: Task, board: chess.Board, reading: Reading) -> dict[str, Any]:
    """The facts about an answer, see `ChessEnv`."""
    move = reading.move
    if move is None:
        return {"kind": reading.kind, "notation": reading.is_notation, "move": None, "quality": 0.0}
    return {
        "kind": "right" if move.uci() in task.data["best"] else "wrong",
        "notation": True,
        "move": move.uci(),
        "san": board.san(move),
        "quality": puzzles.quality(task, board, move),
        "check": board.gives_check(move),
        "keeps_material": keeps_material(board, move),
    }
