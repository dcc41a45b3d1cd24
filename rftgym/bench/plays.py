"""What is played: tasks with completions for each turn, and playing them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from rftgym.env import TextEnv
from rftgym.errors import ContractError, RftgymError, UsageError
from rftgym.tasks import SPLITS
from rftgym.types import Trajectory, Turn

MOST = 64
"""Different tasks at most."""
FEWEST = 4
"""And at least, so that solutions, broken ones and garbage are all there."""
GARBAGE = ("I do not know.", "", "<answer></answer>", "```\n\n```")


@dataclass(frozen=True, slots=True)
class Play:
    """An episode to be played.

    Attributes:
        split, index: of the task, as ``Taskset.item`` takes them.
        completions: one a turn; where the episode lasts longer, the last one again and again.
    """

    split: str
    index: int
    completions: tuple[str, ...]


def plays_of(env: TextEnv[Any], seed: int, seconds: float) -> tuple[list[Play], bool]:
    """Two of four with a solution of the environment's own, one with a solution that breaks off, one with garbage.

    Args:
        seconds: after which no further one is made, if there are ``FEWEST``; solving may take long.

    Returns:
        The plays, and whether the environment could solve its tasks at all.

    Raises:
        UsageError: it has no tasks.
    """
    split = next((split for split in SPLITS if env.tasks.size(split) != 0), None)
    if split is None:
        raise UsageError(f"environment {env.id!r} has no tasks of its own: give some with --tasks")
    plays: list[Play] = []
    solved, until = False, time.monotonic() + seconds
    for number, index in enumerate(_indices(env.tasks.size(split), seed)):
        solution = () if number % 4 == 3 else _solution(env, split, index, seed)
        solved = solved or bool(solution)
        completions = solution or (GARBAGE[number // 4 % len(GARBAGE)],)
        if number % 4 == 2:
            completions = (*completions[:-1], completions[-1][: len(completions[-1]) // 2])
        plays.append(Play(split, index, completions))
        if len(plays) >= FEWEST and time.monotonic() > until:
            break
    return plays, solved


def _indices(size: int | None, seed: int) -> Sequence[int]:
    return range(MOST) if size is None else Random(seed).sample(range(size), min(size, MOST))


def _solution(env: TextEnv[Any], split: str, index: int, seed: int) -> tuple[str, ...]:
    try:
        conversation = env.demonstrate(env.tasks.item(split, index, seed), seed) or ()
    except RftgymError:
        raise
    except (Exception, SystemExit) as error:
        raise _broken(env, "demonstrate()", error, split, index, seed) from error
    return tuple(message.content for message in conversation if message.role == "assistant")


def played(template: TextEnv[Any], play: Play, seed: int) -> Trajectory:
    """One episode through the engine's door, not yet scored.

    Args:
        template: is spawned from.

    Raises:
        ContractError: the environment raised an exception.
    """
    env = template.spawn()
    try:
        env.start(template.tasks.item(play.split, play.index, seed), seed)
        trajectory, completions = (
            env.trajectory,
            itertools.chain(play.completions, itertools.repeat(play.completions[-1])),
        )
        while not (trajectory.terminated or trajectory.truncated):
            env.advance(Turn((), next(completions)))
        return trajectory
    except RftgymError:  # it says itself what is wrong, and whose fault it is
        raise
    except (Exception, SystemExit) as error:
        raise _broken(template, "an episode", error, play.split, play.index, seed) from error
    finally:
        env.close()


def _broken(
    env: TextEnv[Any], where: str, error: BaseException, split: str, index: int, seed: int
) -> ContractError:
    return ContractError(
        f"environment {env.id!r} raised {type(error).__name__}: {error} ({where}, task {index} of split {split!r}, "
        f"seed {seed}); `rftgym check` says more"
    )
