"""Attempts at a reward: what is said on a task, and the episode that comes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from random import Random
from typing import Any, TypeVar

from rftgym.env import TextEnv
from rftgym.errors import PluginError
from rftgym.plugins import Plugins
from rftgym.rubric import Rubric
from rftgym.scoring import score_trajectories
from rftgym.specs import ProbeSpec
from rftgym.types import Failure, Task, Trajectory, Turn

Answered = TypeVar("Answered")
Said = str | tuple[str, ...]
"""An episode's completions, or one text that is said in every turn."""
CHEATS = "cheats"
"""The name under which an environment's own cheats go, beside the probes."""
WAYS = 64
"""Of a probe on a task, at most."""
SIDE_BY_SIDE = 4
"""Episodes of an environment whose answers take a process."""
CHUNK = 256
"""Episodes that are scored at a time."""
EPISODE_SEED = 0


@dataclass(slots=True)
class Attempt:
    """Something that is tried on a task.

    Attributes:
        probe: id of the probe, or "cheats" for the environment's own.
        way: which of its ways: a name, or a number from 1. The same one on every task is a policy.
        said: an episode's completions, or one text that is said in every turn.
        spoils: it started from the solution.
        trajectory: the episode, scored; None until it was played.
    """

    probe: str
    way: str
    task: Task
    said: Said
    spoils: bool = False
    trajectory: Trajectory | None = field(default=None, repr=False)

    @property
    def policy(self) -> str:
        """The name of the policy that it belongs to."""
        return f"{self.probe}/{self.way}"

    @property
    def reward(self) -> float | None:
        """None where it could not be scored, or was not played."""
        return None if self.trajectory is None else self.trajectory.reward

    @property
    def success(self) -> bool:
        """Whether the rubric called it one."""
        score = None if self.trajectory is None else self.trajectory.score
        return bool(score and score.success)

    @property
    def answer(self) -> Any:
        """What the parser found in its last completion; None where it found nothing."""
        turns = [] if self.trajectory is None else self.trajectory.turns
        return turns[-1].answer if turns else None


def probes(plugins: Plugins, ids: Sequence[str] | None = None) -> list[ProbeSpec]:
    """The registered probes; or those that are named, which may also be functions of a file.

    Raises:
        UnknownIdError: there is no such probe.
    """
    wanted = plugins.ids(ProbeSpec.kind) if ids is None else ids
    return [plugins.spec(ProbeSpec, id) for id in wanted if id != CHEATS]


def attempts_of(env: TextEnv[Any], task: Task, spec: ProbeSpec, seed: int, ways: int = WAYS) -> list[Attempt]:
    """What a probe tries on a task: the same for the same seed.

    Raises:
        PluginError: the probe failed, or gave something that is no text; names it.
    """
    try:
        given = spec.load()(env, task, Random(f"{seed}:{spec.id}:{task.id}"), **spec.kwargs)
        return _named(given, spec.id, task, ways, spoils=spec.spoils)
    except PluginError:
        raise
    except Exception as error:
        raise PluginError(
            f"probe {spec.id!r} failed on task {task.id!r} of {env.id!r}: {type(error).__name__}: {error}"
        ) from error


def cheats_of(env: TextEnv[Any], task: Task) -> list[Attempt]:
    """What the environment's author knows.

    Raises:
        PluginError: ``cheats()`` failed, or gave something that is no text.
    """
    given = asked(env, task, "cheats", lambda: env.cheats(task))
    if not isinstance(given, Mapping):
        raise PluginError(
            f"cheats() of {env.id!r} gave no mapping of names to texts, but {type(given).__name__}"
        )
    return _named(given, CHEATS, task, len(given))


def solution_of(env: TextEnv[Any], task: Task) -> tuple[str, ...] | None:
    """The completions of the environment's own solution; None where it knows none.

    Raises:
        PluginError: ``demonstrate()`` failed.
    """
    talk = asked(env, task, "demonstrate", lambda: env.demonstrate(task, 0)) or ()
    said = tuple(message.content for message in talk if message.role == "assistant")
    return said or None


def asked(env: TextEnv[Any], task: Task, name: str, ask: Callable[[], Answered]) -> Answered:
    """What a method of an environment gives; where it fails, an error that names it and the task."""
    try:
        return ask()
    except Exception as error:
        raise PluginError(
            f"{name}() of {env.id!r} failed on task {task.id!r}: {type(error).__name__}: {error}"
        ) from error


def _named(
    given: Mapping[str, Sequence[str] | str] | Iterable[Sequence[str] | str],
    probe: str,
    task: Task,
    ways: int,
    *,
    spoils: bool = False,
) -> list[Attempt]:
    if isinstance(given, str):
        raise PluginError(f"probe {probe!r} gave one text; it gives a list of episodes")
    pairs = (
        given.items() if isinstance(given, Mapping) else ((str(i), each) for i, each in enumerate(given, 1))
    )
    found = []
    for way, said in islice(pairs, ways):
        if not isinstance(said, str) and not all(isinstance(each, str) for each in said):
            raise PluginError(f"probe {probe!r}, way {way!r}: an episode is a text or a list of texts")
        found.append(Attempt(probe, str(way), task, said if isinstance(said, str) else tuple(said), spoils))
    return found


def play(env: TextEnv[Any], attempts: Sequence[Attempt], rubric: Rubric | None = None) -> None:
    """Play and score attempts; what is said twice on a task is played once.

    An environment that raises makes an episode that cannot be scored, with the reason in its failures.
    """
    unique: dict[tuple[str, Said], Attempt] = {}
    for each in attempts:
        unique.setdefault((each.task.id, each.said), each)
    chosen = list(unique.values())
    for first in range(0, len(chosen), CHUNK):
        chunk = chosen[first : first + CHUNK]
        with ThreadPoolExecutor(SIDE_BY_SIDE if env.slow else 1) as pool:
            episodes = list(pool.map(lambda each: replayed(env, each.task, each.said), chunk))
        score_trajectories(rubric or env.rubric, episodes)
        for each, episode in zip(chunk, episodes, strict=True):
            each.trajectory = episode
    for each in attempts:
        each.trajectory = unique[each.task.id, each.said].trajectory


def replayed(env: TextEnv[Any], task: Task, said: Said) -> Trajectory:
    """An episode with these completions; the last one is said again until the episode ends."""
    twin = env.spawn()
    trajectory = Trajectory(env.id, task, EPISODE_SEED)
    try:
        twin.start(task, EPISODE_SEED)
        trajectory, turn = twin.trajectory, 0
        while not (trajectory.terminated or trajectory.truncated):
            twin.advance(Turn((), _at(said, turn)))
            turn += 1
    except Exception as error:  # noqa: BLE001  # the environment's author may raise anything; it becomes data
        message = " ".join(str(error).split())[:500]
        trajectory.failures.append(Failure("environment", env.id, type(error).__name__, message))
        trajectory.truncated = True
    finally:
        twin.close()
    return trajectory


def _at(said: Said, turn: int) -> str:
    if isinstance(said, str):
        return said
    return said[min(turn, len(said) - 1)] if said else ""
