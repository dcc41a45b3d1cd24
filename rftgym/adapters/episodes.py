"""Episodes that another framework drives: what an environment raises ends them, on record and unscored."""

from __future__ import annotations

from typing import Any

from rftgym.env import TextEnv
from rftgym.errors import ContractError, InfrastructureError
from rftgym.types import Failure, Message, Task, Trajectory, Turn


def started(
    env: TextEnv[Any], task: Task, seed: int, *, group: str = "", sample: int = 0
) -> tuple[Trajectory, tuple[Message, ...]]:
    """Start an episode: it, and the first messages; over at once where the environment fails."""
    try:
        messages = env.start(task, seed, group=group, sample=sample)
        if not messages:
            raise ContractError("said nothing though the episode goes on; give an observation")
    except Exception as error:  # noqa: BLE001  # the environment's author may raise anything; all of it becomes data
        broken = Trajectory(env.id, task, seed, group, sample, truncated=True)
        broken.failures.append(_failure(env, error))
        return broken, ()
    return env.trajectory, messages


def advanced(env: TextEnv[Any], turn: Turn) -> tuple[Message, ...]:
    """Give a completion to the environment; over where it fails."""
    try:
        return env.advance(turn)
    except Exception as error:  # noqa: BLE001  # as in started()
        env.abort(_failure(env, error))
        return ()


def is_over(episode: Trajectory) -> bool:
    """Whether it has ended."""
    return episode.terminated or episode.truncated


def _failure(env: TextEnv[Any], error: Exception) -> Failure:
    message = " ".join(str(error).split())[:500] or "(no message)"
    outside = isinstance(error, InfrastructureError | ConnectionError)
    return Failure("environment", env.id, type(error).__name__, message, infrastructure=outside)
