"""Our environments behind OpenEnv's protocol. Imports openenv, which takes seconds: only what serves imports this.

One process serves one environment. Nothing that a client is told names the task: ids are the answer itself in some
environments (Wordle's are the secret words). Every connection is a session with a twin of it and a thread of its own,
so that an episode whose judge takes long keeps nobody else waiting.
"""

from __future__ import annotations

import functools
import math
import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import FastAPI
from openenv.core.env_server.http_server import create_app
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
from pydantic import BeforeValidator, Field

import rftgym
from rftgym.adapters.episodes import advanced
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.scoring import score_trajectories
from rftgym.tasks import SPLITS
from rftgym.types import Message, Score, Task, Turn

LARGEST_COMPLETION_CHARS = 1_000_000
"""Longer actions are refused as invalid; the environment's own limit, far below, ends an episode as truncated."""
ENDLESS = 2**31 - 1
"""What a split without end says it has: so many of its tasks can be named by an index."""
MOST_LISTED = 1000
"""Tasks that one listing gives."""
_HALVES = re.compile(r"[\ud800-\udfff]")


def _whole(text: Any) -> Any:
    """Text without halves of characters: openenv fails to write them, and ends the session."""
    return _HALVES.sub("\ufffd", text) if isinstance(text, str) else text


class Completion(Action):  # type: ignore[misc]
    """What the policy wrote in one turn."""

    completion: Annotated[str, BeforeValidator(_whole)] = Field(
        max_length=LARGEST_COMPLETION_CHARS, description="The policy's text of this turn"
    )


class Said(Observation):  # type: ignore[misc]
    """What the environment says, with how the episode stands in ``metadata``."""

    messages: list[dict[str, str]] = Field(
        default_factory=list, description="New messages, each with role and content"
    )
    text: str = Field("", description="The last message's content")


class Standing(State):  # type: ignore[misc]
    """Where a session's episode is."""

    terminated: bool = False
    truncated: bool = False


class ServedEnv(Environment[Completion, Said, Standing]):  # type: ignore[misc]
    """One session: a twin of an environment, and the episode that is played in it."""

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, template: TextEnv[Any]) -> None:
        super().__init__()
        self._env = template.spawn()
        self._episode_id: str | None = None
        self._paid = 0.0

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        split: str | None = None,
        index: int | None = None,
        task: str | None = None,
    ) -> Said:
        """Start an episode.

        Args:
            seed: where a task is named, of the episode, as in ``Trajectory.seed``; otherwise it also draws the task, as
                Gymnasium's ``reset(seed=...)`` does. None: another one each time.
            episode_id: the caller's own name of it, to be found again in ``state``.
            split: to draw from; "train" by default.
            index: in the split.
            task: its id.

        Raises:
            UsageError: there is no such task, split or index; or the seed is no number.
        """
        if seed is not None and (type(seed) is not int or not 0 <= seed < 2**63):
            raise UsageError(f"seed {seed!r:.40} is no whole number from 0 to 2**63")
        seed = secrets.randbelow(2**31) if seed is None else seed
        env, chosen = self._env, self._named(task, split, index)
        if chosen is None:
            messages = env.reset(seed=seed, options=None if split is None else {"split": split})[1][
                "messages"
            ]
        else:
            messages = env.start(chosen, seed)
        self._episode_id, self._paid = episode_id, 0.0
        return self._said(messages, None, {})

    def step(self, action: Completion, timeout_s: float | None = None, **_: Any) -> Said:
        """Take one completion.

        Raises:
            UsageError: no episode was started, or it is over.
        """
        env = self._env
        if env.trajectory.terminated or env.trajectory.truncated:
            raise UsageError("the episode is over: reset() starts another one")
        messages = advanced(env, Turn((), action.completion))
        episode = env.trajectory
        if not (episode.terminated or episode.truncated):
            paid = env.rubric.score_turn(episode)
            self._paid += paid
            return self._said(messages, paid, {})
        score_trajectories(env.rubric, [episode])
        score = episode.score or Score(None, None, {})
        paid = math.nan if score.reward is None else score.reward - self._paid
        at_end = {"success": score.success, "score": score.reward, "components": score.components}
        return self._said(messages, paid, at_end)

    @property
    def state(self) -> Standing:
        """Where the episode is; nothing that would help to solve the task."""
        try:
            episode = self._env.trajectory
        except UsageError:
            return Standing()
        return Standing(
            episode_id=self._episode_id,
            step_count=len(episode.turns),
            terminated=episode.terminated,
            truncated=episode.truncated,
        )

    def list_splits(self) -> list[dict[str, str]]:
        """The splits that hold tasks."""
        return [{"name": split, "type": split} for split in SPLITS if self._env.tasks.size(split) != 0]

    def num_tasks(self, split: str) -> int:
        """How many tasks a split has; of one without end, how many an index can name."""
        size = self._env.tasks.size(split)
        return ENDLESS if size is None else size

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """A task's place and difficulty: never its data, nor its own id, since either may hold the answer.

        Raises:
            IndexError: the split has no such task.
        """
        difficulty = self._item(split, index).difficulty
        return {"id": f"{split}-{index}", "split": split, "index": index, "difficulty": difficulty}

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        """The split's first tasks; see :data:`MOST_LISTED`."""
        return self.get_task_range(split)

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[dict[str, Any]]:
        """Tasks from ``start`` up to ``stop``, as a slice has it, but :data:`MOST_LISTED` at most."""
        chosen = range(self.num_tasks(split))[start:stop][:MOST_LISTED]
        return [self.get_task(split, index) for index in chosen]

    def get_metadata(self) -> EnvironmentMetadata:
        """Name and version."""
        summary = (type(self._env).__doc__ or "").strip().partition("\n")[0]
        return EnvironmentMetadata(name=self._env.id, description=summary, version=rftgym.__version__)

    def close(self) -> None:
        """End the session."""
        self._env.close()

    def _named(self, task: str | None, split: str | None, index: int | None) -> Task | None:
        if task is None:
            return None if index is None else self._item(split or "train", index)
        if index is not None:
            raise UsageError(
                f"name a task by its id or by split and index: {task!r:.80} and {index!r:.20} are both"
            )
        try:
            found = self._env.tasks.by_id(task)
        except UsageError:
            raise UsageError(f"no task {task!r:.80}") from None  # the reason would name others
        if split not in (None, found.split):
            raise UsageError(f"task {task!r} is in split {found.split!r}, not in {split!r:.40}")
        return found

    def _item(self, split: str, index: int) -> Task:
        count = self.num_tasks(split)
        if type(index) is not int or not 0 <= index < count:
            raise IndexError(f"split {split!r:.40} has {count} tasks, and none of index {index!r:.20}")
        return self._env.tasks.item(split, index)

    def _said(self, messages: Sequence[Message], paid: float | None, more: dict[str, Any]) -> Said:
        episode = self._env.trajectory
        over = episode.terminated or episode.truncated
        unscorable = paid is not None and math.isnan(paid)
        standing = {
            "terminated": episode.terminated,
            "truncated": episode.truncated,
            "unscorable": unscorable,
            "failures": [{**asdict(each), "message": _whole(each.message)} for each in episode.failures],
        }
        return Said(
            messages=[{"role": message.role, "content": _whole(message.content)} for message in messages],
            text=_whole(messages[-1].content) if messages else "",
            reward=None if unscorable else paid,
            done=over,
            metadata={**standing, **more},
        )


def served_name(id: str) -> str:
    """An environment's id as it stands in the addresses of the task API: letters, digits, dots and dashes."""
    return re.sub(r"[^\w.]+", "-", id).strip("-") or "environment"


def make_app(env: TextEnv[Any], *, max_sessions: int = 256) -> FastAPI:
    """The web application that serves an environment.

    Args:
        env: every session plays a twin of it.
        max_sessions: connections at a time; one more is refused.
    """
    app: FastAPI = create_app(
        functools.partial(ServedEnv, env),
        Completion,
        Said,
        env_name=served_name(env.id),
        max_concurrent_envs=max_sessions,
        state_cls=Standing,
    )
    return app
