"""A single-player game of TextArena as a multi-turn environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import rftgym
from rftgym import Component, Message, Response, Rubric, Task, Trajectory, Turn
from rftgym.errors import UsageError
from rftgym.parser import Parsed, Parser
from rftgym.tasks import ListTaskset, ProceduralTaskset, Taskset
from rftgym_textarena.games import Template, single_player, template, twin
from rftgym_textarena.isolation import played, stepped
from rftgym_textarena.solutions import CHEATS, SOLVERS

LONGEST_MOVE = 4_000
"""Characters. Some games look for a move in time that grows with the square of the text, and Python reads no number
of more than 4300 digits; so what is longer is an invalid move, and the game does not see it."""
ONLY = "the-only-one"
"""Id of the task of a game that is always the same."""


class MoveParser(Parser):
    """What is said after the thoughts; well-formed is one move in square brackets.

    Games read the first brackets that they find, so that a move which was only thought of must not reach them.
    """

    def parse(self, completion: str) -> Parsed:
        """The text behind the last ``</think>`` and before a ``<think>`` that was not closed, stripped."""
        said = completion.strip()
        if "think>" in said:
            said = said.rpartition("</think>")[2].partition("<think>")[0].strip()
        return Parsed(said or None, said.count("[") == said.count("]") == 1)


@dataclass(slots=True)
class Episode:
    """A game that is being played, and the generator that it draws from."""

    template: Template
    game: Any
    generator: Random
    turns: int = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> Episode:
        game = self.template.copy_of(self.game, memo)
        return Episode(self.template, game, twin(self.generator), self.turns)

    @property
    def state(self) -> Any:
        """The game's own."""
        return self.game.state

    def move(self, text: str) -> None:
        """Make a move, as TextArena's wrappers would hand it on."""
        self.turns += 1
        template = self.template
        for act in template.act:
            text = act(text)
        refuses = template.rules.refuses
        if len(text) > LONGEST_MOVE or refuses is not None:
            reason = "That is too long for a move." if len(text) > LONGEST_MOVE else refuses and refuses(text)
            if reason:
                self.state.set_invalid_move(reason=reason, reward=self.progress())
                self.state.step()
                return
        stepped(self.generator, self.game, text)

    def news(self) -> str:
        """What the game said since it was asked last, without the player's own words; then it is forgotten."""
        observations, own, said = self.game.state.observations, self.template.own_words, ""
        told, observations[0] = observations[0], []
        for _, text, kind in told:
            # Three games file the player's words in the wrong order, without a text.
            if kind is not own and isinstance(text, str):
                text = text.strip("\n")
                said = f"{said}\n{text}" if said else text
        return said.strip()

    def progress(self) -> float:
        """How far the player got, as the game counts it at its own limit of turns; 0 where it does not count."""
        for name in ("_get_percentage_completion", "_progress", "_calculate_progress"):
            if hasattr(self.game, name):
                reached: float = played(self.generator, getattr(self.game, name))
                return float(reached)
        return 0.0

    def outcome(self) -> dict[str, Any]:
        """The game's reward, put right and to scale, whether it was won and why it ended; also of a game cut short."""
        game, rules = self.game, self.template.rules
        state = game.state
        info, rewards = state.game_info[0], state.rewards
        paid = self.progress() if rewards is None else float(rewards[0])
        if rewards is not None and rules.reward is not None:
            paid = rules.reward(game, paid)
        won = paid >= rules.pays if rules.won is None else rules.won(game)
        return {
            "outcome": min(max(paid / rules.pays, -1.0), 1.0),
            "won": bool(rewards is not None and won and not info["invalid_move"]),
            "reason": str(info.get("reason") or ""),
        }


def _outcome(turn: Turn) -> float:
    return float(turn.info.get("outcome", 0.0))


def _all_or_nothing(turn: Turn) -> float:
    paid = _outcome(turn)
    return paid if paid < 0 or turn.info.get("won") else 0.0


def _won(turn: Turn) -> float:
    return float(turn.info.get("won", False))


def _valid(trajectory: Trajectory) -> float:
    turns = trajectory.turns
    return len([turn for turn in turns if turn.info.get("valid")]) / len(turns)


class TextArenaEnv(rftgym.MultiTurnEnv[Episode]):
    """``textarena:NAME``: a game of TextArena for one player.

    Args:
        name: TextArena's id, say "Hangman-v0".
        game: arguments of the game's own constructor, say ``{"max_turns": 5}``.
        partial: also pay what the game pays for a game that was not won, say for a guess that was close.

    Raises:
        MissingPackageError: TextArena is not installed.
        UnknownIdError: it has no such game.
        UsageError: the game is for several players, needs a paid service or data that are not there, or does not take
            the arguments.
    """

    parser = MoveParser()
    draws = False

    def __init__(
        self, name: str, *, game: Mapping[str, Any] | None = None, partial: bool = True, **settings: Any
    ) -> None:
        if not isinstance(game, Mapping | None):
            raise UsageError(f"game={game!r:.40} must be a mapping, say {{'max_turns': 5}}")
        self.name, self.partial = name, partial
        self._template = template(name, game or {})
        self.max_turns = self._template.moves
        super().__init__(**settings)

    @classmethod
    def names(cls) -> list[str]:
        """Ids of TextArena's games for one player."""
        return single_player()

    def make_tasks(self) -> Taskset:
        """Games by seed, without end; the only one of a game that is always the same."""
        if self._template.rules.fixed:
            return ListTaskset([Task(ONLY, {"seed": 0})])
        return ProceduralTaskset(self._task)

    def _task(self, split: str, rng: Random, id: str) -> Task:
        return Task(id, {"seed": self._template.seed_for(id, split)}, split)

    def make_rubric(self) -> Rubric:
        """The game's own reward, from -1 to 1; metrics are whether it was won and the share of valid moves.

        An episode that a far too long completion cut is paid 0.
        """
        components = [
            Component("outcome", _outcome if self.partial else _all_or_nothing, bounds=(-1.0, 1.0)),
            Component("won", _won, weight=0.0),
            Component("valid", _valid, weight=0.0),
        ]
        return Rubric(components, success="won")

    def begin(self, task: Task, rng: Random) -> tuple[Episode, str]:
        """Deal the game. Its draws depend on the task alone."""
        episode = self._deal(task)
        return episode, episode.news()

    def _deal(self, task: Task) -> Episode:
        return Episode(self._template, *self._template.deal(task.data["seed"]))

    def respond(self, state: Episode, turn: Turn, rng: Random) -> Response:
        """Hand the move to the game."""
        state.move(turn.answer or "")
        game, said = state.game.state, state.news()
        over = bool(game.done)
        info: dict[str, Any] = {"valid": not (game.error_count or game.game_info[0]["invalid_move"])}
        if over or state.turns >= self.max_turns:
            info.update(state.outcome())
            said = f"{said}\n{info['reason']}".strip()
        return Response(said or "Your move?", over, info)

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """A game that is won, where a way to win is known (docs/adapters/textarena.md lists those games)."""
        solver = SOLVERS.get(type(self._template.game).__name__)
        if solver is None:
            return None
        episode = self._deal(task)
        talk = [Message("user", episode.news())]
        for move in solver(episode.game, Random(f"{task.id}:{seed}")):
            turn = Turn((), move, answer=move)
            response = self.respond(episode, turn, Random(0))
            talk += [Message("assistant", move), Message("user", response.observation)]
            if response.terminated or episode.turns >= self.max_turns:
                return talk if response.info.get("won") else None
        return None

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        """Ways to be paid by the game without winning it."""
        return {"nonsense": "no idea", **CHEATS.get(type(self._template.game).__name__, {})}
