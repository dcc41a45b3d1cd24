"""Playing chess as a multi-turn environment: a move in, the opponent's reply out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any

import chess

from rftgym import Message, MultiTurnEnv, Response, Rubric, TagParser, Task, Turn
from rftgym.errors import UsageError
from rftgym.tasks import Taskset
from rftgym_chess import opponents, play_rewards, play_tasks, prompts
from rftgym_chess.drawing import coloured
from rftgym_chess.engine import keeps_material
from rftgym_chess.game import STRIKES, End, Game
from rftgym_chess.reading import Reading, read_move


class ChessPlayEnv(MultiTurnEnv[Game]):
    """Play from a position to checkmate, or to a lead in material, within a number of moves.

    A turn's ``info`` has the "verdict": its "kind" ("move", or what the answer is instead of a legal move: "no move",
    "unreadable", "ambiguous", "illegal"), "notation" (it is written as a move), "move" (UCI, or None), "check",
    "keeps_material", "reply" (UCI, or None), "ended" (how, or None) and "reached" (the goal is); and "progress", see
    the reward.

    Args:
        opponent: "own", a small engine, or "stockfish", where that is installed.
        nodes: positions that Stockfish looks at for a move.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.
    """

    max_turns = play_tasks.MOST_MOVES + STRIKES - 1
    system = prompts.PLAY_SYSTEM
    parser = TagParser("move")
    task_row = play_tasks.GameRow
    slow = True

    def __init__(self, *, opponent: str = "own", nodes: int = 300, **settings: Any) -> None:
        self._opponent, self._nodes = opponent, nodes
        self._other_side()  # says now what is missing
        super().__init__(**settings)

    def _other_side(self) -> opponents.Opponent:
        return opponents.opponent(self._opponent, self._nodes)

    def make_tasks(self) -> Taskset:
        return play_tasks.tasks()

    def make_rubric(self) -> Rubric:
        return play_rewards.rubric()

    def begin(self, task: Task, rng: Random) -> tuple[Game, str]:
        game = play_tasks.game_of(task)
        return game, prompts.opening(game.board, prompts.aim(game.goal, game.limit, game.lead), game.limit)

    def respond(self, state: Game, turn: Turn, rng: Random) -> Response:
        reading = read_move(state.board, turn.answer)
        if reading.move is None:
            return _refused(state, reading)
        board = state.board
        facts = {
            "kind": "move",
            "notation": True,
            "move": reading.move.uci(),
            "check": board.gives_check(reading.move),
            "keeps_material": keeps_material(board, reading.move),
            "reply": None,
        }
        board.push(reading.move)
        state.made += 1
        end, said = state.end(), ""
        if end is None:
            reply = self._other_side().reply(board, state.plan)
            facts["reply"], said = reply.uci(), board.san(reply)
            board.push(reply)
            end = state.end()
        observation = prompts.ended(board, end, said) if end else prompts.replied(board, said, state.left)
        return _answered(state, facts, end, observation)

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The stored game that reaches the goal.

        None for a task of the user's own, and where Stockfish is the opponent: it replies otherwise.
        """
        line = play_tasks.winning_lines().get(task.id) if task in _known(task) else None
        if line is None or self._opponent != "own":
            return None
        return self._conversation(task, line)

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Text that looks like a move, many moves at once."""
        from rftgym_chess.cheats import CHEATS

        return CHEATS

    def demonstrations(self, split: str, n: int, seed: int) -> Iterator[list[Message]]:
        """Games of imperfect players on the train split's tasks, some of them won.

        Raises:
            UsageError: any split but "train": the others are held out.
        """
        if split != "train":
            raise UsageError(
                f"{self.id!r} has demonstrations of split 'train' only, not of {split!r}: the rest is held out"
            )
        from rftgym_chess.demonstrations import game_demonstration

        for index in range(n):
            yield [Message("system", self.system or ""), *game_demonstration(seed, index)]

    def _conversation(self, task: Task, line: tuple[chess.Move, ...]) -> list[Message]:
        from rftgym_chess.demonstrations import conversation

        return [Message("system", self.system or ""), *conversation(task, line)]

    def rendered(self) -> str:
        """The board in colours, with the moves so far under it."""
        game = self._state
        if game is None:
            return super().rendered()
        start = game.board.root()
        last = game.board.peek() if game.board.move_stack else None
        lines = [coloured(game.board, last), start.variation_san(game.board.move_stack)]
        closing = self.trajectory.closing
        return "\n".join([*lines, closing[0].content.splitlines()[0]] if closing else lines)


def _refused(game: Game, reading: Reading) -> Response:
    """What is said to an answer that is no legal move."""
    game.strikes += 1
    facts = {"kind": reading.kind, "notation": reading.is_notation, "move": None, "reply": None}
    end = game.end()
    left = STRIKES - game.strikes
    observation = (
        prompts.ended(game.board, end, "") if end else prompts.refused(game.board, reading, left, game.left)
    )
    return _answered(game, facts, end, observation)


def _answered(game: Game, facts: dict[str, Any], end: End | None, observation: str) -> Response:
    verdict = {**facts, "ended": end, "reached": game.reached(end)}
    return Response(observation, end is not None, {"verdict": verdict, "progress": game.advanced(end)})


def _known(task: Task) -> tuple[Task, ...]:
    """The environment's own task of this id, if there is one: a user's may have the same name."""
    try:
        return (play_tasks.tasks().by_id(task.id),)
    except UsageError:
        return ()
