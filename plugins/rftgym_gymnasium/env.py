"""The environment: an environment of Gymnasium, played in words."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from random import Random
from typing import Any

import gymnasium
from gymnasium.wrappers import OrderEnforcing, TimeLimit

from rftgym import Message, MultiTurnEnv, Response, Rubric, TagParser, Task, Turn
from rftgym.errors import ContractError, UsageError
from rftgym.specs import Spec
from rftgym_gymnasium.codec import Codec, Illegal, SpacesCodec
from rftgym_gymnasium.facts import KNOWN, UNKNOWN, Facts
from rftgym_gymnasium.players import Player, player_of
from rftgym_gymnasium.rewards import rubric
from rftgym_gymnasium.tasks import SeededTasks
from rftgym_gymnasium.toy_text import CODECS

Foreign = gymnasium.Env[Any, Any]
_VERSION = re.compile(r"(.*?)(?:-v[0-9]+)?")
_OTHERS = (
    "<function", "gymnasium.envs.box2d", "gymnasium.envs.mujoco", "gymnasium.envs.phys2d", "gymnasium.envs.tabular",
    "rftgym.gym",
)  # fmt: skip


@dataclass(slots=True)
class Episode:
    """An episode of the foreign environment. A copy holds what was done and does it again when it is first needed.

    Attributes:
        seed: that the environment was reset with.
        actions: taken so far.
        seen: what was last observed.
        shown: the same in words, to see that a replay comes to the same place.
        env: None in a copy that was not played yet.
        paid: sum of the rewards.
    """

    seed: int
    actions: list[Any] = field(default_factory=list)
    seen: Any = None
    shown: str = ""
    env: Foreign | None = None
    paid: float = 0.0

    def __deepcopy__(self, memo: dict[int, Any]) -> Episode:
        return Episode(self.seed, list(self.actions), self.seen, self.shown, None, self.paid)


@dataclass(slots=True)
class _Workshop:
    """Makes foreign environments, and keeps those that are not in use; shared by an environment and its twins.

    Attributes:
        free: without the wrappers that :func:`_bare` takes off.
    """

    name: str
    arguments: dict[str, Any]
    free: list[Foreign] = field(default_factory=list)

    def take(self) -> Foreign:
        try:
            return self.free.pop()
        except IndexError:
            return _bare(self.make())[0]

    def make(self) -> Foreign:
        """A new one, with Gymnasium's own wrappers but for the checker.

        Raises:
            UsageError: there is none, or it does not take these arguments, or a package that it needs is missing.
        """
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made: Foreign = gymnasium.make(self.name, disable_env_checker=True, **self.arguments)
        except (gymnasium.error.Error, ImportError, TypeError, ValueError, KeyError) as error:
            told = f" with {self.arguments}" if self.arguments else ""
            raise UsageError(f"environment 'gymnasium:{self.name}' cannot be made{told}: {error}") from error
        return made


class GymnasiumEnv(MultiTurnEnv[Episode]):
    """An environment of Gymnasium: observations in words, an action a turn.

    A turn's ``info`` has "reward" (the environment's own, summed over the turn's steps), "legal", "return" so far and,
    at the environment's end, "success".

    Args:
        name: as it is registered with Gymnasium, perhaps with the module that registers it: "ale_py:ALE/Pong-v5".
        arguments: of ``gymnasium.make``, say ``{"is_slippery": False}``.
        codec: "module:Class", "./file.py:Class" or a class that derives from `rftgym_gymnasium.codec.Codec`; None: the
            one for this environment, or one from its spaces.
        actions_per_turn: actions that a completion may hold, separated by commas.
        bounds: the returns that become 0 and 1; None: those that are known, or 0 and 1.
        idle: charged for a turn without a legal action, in the environment's own unit; None: what is known, or 0.
        settings: of any environment: ``rubric``, ``tasks``, ``max_turns``, ``render_mode``.

    Raises:
        UsageError: no such environment, or one that cannot be told in words.
    """

    parser = TagParser("action")
    draws = False  # the foreign environment has a generator of its own

    def __init__(
        self,
        *,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        codec: str | type[Codec] | None = None,
        actions_per_turn: int = 1,
        bounds: Sequence[float] | None = None,
        idle: float | None = None,
        **settings: Any,
    ) -> None:
        if not isinstance(arguments, Mapping | None):
            raise UsageError(f"arguments must be a mapping, not {arguments!r:.40}")
        if type(actions_per_turn) is not int or actions_per_turn < 1:
            raise UsageError(
                f"actions_per_turn={actions_per_turn!r:.40}; a completion holds at least one action"
            )
        self._workshop = _Workshop(name, dict(arguments or {}))
        foreign = self._workshop.make()
        stepped, self._limit = _bare(foreign)
        self._workshop.free.append(stepped)
        self._family = _family(name)
        self.codec = _codec(codec, self._family)(foreign)
        self.facts = _facts(self._family, bounds, idle)
        self.threshold = None if foreign.spec is None else foreign.spec.reward_threshold
        self._at_once = actions_per_turn
        limit = None if foreign.spec is None else foreign.spec.max_episode_steps
        self.max_turns = self.facts.turns if limit is None else math.ceil(limit / actions_per_turn)
        if settings.get("max_turns") is not None:
            self.max_turns = settings["max_turns"]
        super().__init__(**settings)

    @classmethod
    def names(cls) -> list[str]:
        """Registered environments, in their newest version, without those that need a simulator."""
        newest: dict[str, str] = {}
        for id, spec in gymnasium.registry.items():
            if not str(spec.entry_point).startswith(_OTHERS):
                family = _family(id)
                newest[family] = max(newest.get(family, id), id, key=_version)
        return sorted(newest.values())

    def make_tasks(self) -> SeededTasks:
        return SeededTasks()

    def make_rubric(self) -> Rubric:
        return rubric(self.facts, self.max_turns, self._at_once)

    def start(self, task: Task, seed: int, *, group: str = "", sample: int = 0) -> tuple[Message, ...]:
        """Start an episode; the foreign environment of one that was given up plays on."""
        self._give_back(self._state)
        return super().start(task, seed, group=group, sample=sample)

    def begin(self, task: Task, rng: Random) -> tuple[Episode, str]:
        episode = Episode(task.data["seed"])
        self._reset(episode)
        return episode, f"{self.codec.rules()}\n{self._form}\n\n{episode.shown}"

    @property
    def _form(self) -> str:
        if self._at_once == 1:
            return "Say one action a turn in <action></action> tags."
        return f"Say up to {self._at_once} actions a turn in <action></action> tags, with commas between."

    def respond(self, state: Episode, turn: Turn, rng: Random) -> Response:
        try:
            actions = self._read(turn.answer)
        except Illegal as illegal:
            info = {"reward": 0.0, "legal": False, "return": state.paid}
            return Response(f"Nothing happened. {illegal}\n{state.shown}", info=info)
        foreign = state.env
        if foreign is None:
            foreign = self._replay(state)
        earned, terminated, truncated, taken = 0.0, False, False, state.actions
        for action in actions:
            observation, reward, terminated, truncated, said = foreign.step(action)
            taken.append(action)
            earned += float(reward)
            truncated = truncated or len(taken) >= self._limit
            if terminated or truncated:
                break
        state.seen, state.shown = observation, self.codec.show(observation, said)
        state.paid += earned
        info = {"reward": earned, "legal": True, "return": state.paid}
        if not (terminated or truncated):
            return Response(state.shown, False, info)
        info["success"] = self._success(state.paid, terminated=bool(terminated))
        self._give_back(state)
        state.shown += f"\nIt is over. Your return is {state.paid:g}."
        return Response(state.shown, bool(terminated), info, truncated=not terminated)

    def _read(self, answer: str | None) -> Sequence[Any]:
        """The actions of a turn, at least one.

        Raises:
            Illegal: it holds none, too many, or one that there is not.
        """
        if answer is None:
            raise Illegal(self._form)
        if self._at_once == 1:
            return (self.codec.read(answer),)
        texts = [text.strip() for text in answer.split(",")]
        if len(texts) > self._at_once:
            raise Illegal(self._form)
        return [self.codec.read(text) for text in texts]

    def _give_back(self, state: Episode | None) -> None:
        """Keep the foreign environment of an episode that is over, or given up, for the next one."""
        if state is not None and state.env is not None:
            self._workshop.free.append(state.env)
            state.env = None

    def _success(self, paid: float, *, terminated: bool) -> bool:
        if self.facts.success == "threshold":
            return self.threshold is not None and paid >= self.threshold
        return terminated if self.facts.success == "terminated" else paid > 0

    def _reset(self, episode: Episode) -> Foreign:
        foreign = episode.env = self._workshop.take()
        observation, said = foreign.reset(seed=episode.seed)
        episode.seen, episode.shown = observation, self.codec.show(observation, said)
        return foreign

    def _replay(self, state: Episode) -> Foreign:
        """Bring a copied episode to where the original was."""
        expected, foreign = state.shown, self._reset(state)
        for action in state.actions:
            observation, _, _, _, said = foreign.step(action)
            state.shown = self.codec.show(observation, said)
        if state.shown != expected:
            raise ContractError(
                f"{self.id}: the same seed and actions lead elsewhere the second time; the environment draws from "
                "something else than its own generator, or keeps something across reset()"
            )
        return foreign

    @cached_property
    def _player(self) -> Player | None:
        return player_of(self.codec.env.unwrapped)

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """An episode of a player that knows the transition table (or basic strategy), where it is a success."""
        if self._player is None:
            return None
        twin = self.spawn()
        twin.start(task, seed)
        state = twin._state
        if state is None:
            raise ContractError(f"{self.id}: an episode without state")
        while not (twin.trajectory.terminated or twin.trajectory.truncated):
            twin.advance(Turn((), f"<action>{self.codec.write(self._player(state.seen))}</action>"))
        solved = twin.trajectory.turns[-1].info.get("success")
        return list(twin.trajectory.messages) if solved else None

    def close(self) -> None:
        """Keep the foreign environment of the episode for others; the template closes those that are kept."""
        self._give_back(self._state)
        if not self.spawned:
            while self._workshop.free:
                self._workshop.free.pop().close()

    def cheats(self, task: Task) -> Mapping[str, Sequence[str] | str]:
        return {"no legal action": "<action>wait</action>", "no tags": "I pass."}


def _bare(made: Foreign) -> tuple[Foreign, float]:
    """What is inside of Gymnasium's wrappers that cut an episode and watch the order of calls, and where to cut.

    An episode here is cut by counting its actions and always begins with a reset; two calls less for every step.
    Wrappers of another kind stay, and so do those inside of them.
    """
    limit = math.inf
    if type(made) is TimeLimit:
        limit, made = made._max_episode_steps, made.env
    if type(made) is OrderEnforcing:
        made = made.env
    return made, limit


def _family(name: str) -> str:
    found = _VERSION.fullmatch(name.rpartition(":")[2])
    return found[1] if found else name


def _version(id: str) -> int:
    return int(id.rpartition("-v")[2]) if "-v" in id else 0


def _codec(codec: str | type[Codec] | None, family: str) -> type[Codec]:
    """The class of a codec.

    Raises:
        PluginError: it cannot be imported.
        UsageError: it is no codec.
    """
    if codec is None:
        return CODECS.get(family, SpacesCodec)
    found = Spec("codec", codec).load() if isinstance(codec, str) else codec
    if not (isinstance(found, type) and issubclass(found, Codec)):
        raise UsageError(f"codec={codec!r} is no class that derives from rftgym_gymnasium.codec.Codec")
    return found


def _facts(family: str, bounds: Sequence[float] | None, idle: float | None) -> Facts:
    """What is known, and what the user says.

    Raises:
        UsageError: the bounds are not two numbers, the lower one first.
    """
    facts = KNOWN.get(family, UNKNOWN)
    if bounds is not None:
        try:
            low, high = map(float, bounds)
        except (TypeError, ValueError) as error:
            raise UsageError(
                f"bounds={bounds!r:.40}: the lowest and the highest return are wanted"
            ) from error
        if not low < high:
            raise UsageError(f"bounds={bounds!r:.40}: the lower one comes first")
        facts = replace(facts, low=low, high=high)
    return facts if idle is None else replace(facts, idle=float(idle))
