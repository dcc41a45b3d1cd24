"""Environments that live on an OpenEnv server: ``openenv:http://localhost:8000``, ``openenv:my_env.server.app:app``."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from pydantic import Field

from rftgym.env import LARGEST_OBSERVATION_CHARS, MultiTurnEnv, Response, TaskRow
from rftgym.errors import MissingPackageError, UsageError
from rftgym.parser import TagParser, TextParser
from rftgym.rubric import Component, Rubric
from rftgym.tasks import Taskset
from rftgym.types import Message, Task, Trajectory, Turn
from rftgym_openenv.codec import ActionCodec, joined, messages_of
from rftgym_openenv.local import LocalServer, application_of, installed_names
from rftgym_openenv.remote import Remote
from rftgym_openenv.tasks import OpenEnvTasks
from rftgym_openenv.wire import Reply, ServerError, Session

SEEDS = 2**31


class OpenEnvRow(TaskRow):
    """A task of the user's own: what the server's ``reset`` is called with."""

    reset: dict[str, Any] = Field(default_factory=dict)


@dataclass
class Episode:
    """An episode's session and how actions are written; it cannot be copied, since the state is the server's."""

    session: Session
    codec: ActionCodec

    def __deepcopy__(self, memo: dict[int, Any]) -> Episode:
        raise UsageError("an episode of an OpenEnv server cannot be copied: its state lives on the server")


class OpenEnvEnv(MultiTurnEnv[Episode]):
    """An environment on an OpenEnv server; every episode has a connection of its own.

    Args:
        name: the server's address with http:// or https://; or an application of this machine's, "module:app" or the
            name of an installed package, which is then started on a free port and stopped by :meth:`close`.
        action_field: the action's field that gets the completion; found out by default.
        action_tag: what stands in this tag is the action; by default the whole completion.
        observation_field: the observation's field that is shown to the policy; found out by default.
        reward_bounds: lowest and highest reward of one step; a reward beyond them is recorded as a failure.
        success_at: reward of the last step from which on an episode is a success, where the server does not say.
        connect_seconds, step_seconds: how long a connection and an answer may take.
        wait_seconds: for a place on a server that has none free.
        retries: further attempts to start an episode after an infrastructure fault. A step is never repeated.
        headers: HTTP headers of every connection, say for authorization.
        settings: as for any environment.
    """

    max_turns = 32
    max_completion_chars = 65_536  # the server's own limit is to decide
    task_row = OpenEnvRow
    slow = True
    snapshots = False

    def __init__(
        self,
        *,
        name: str,
        action_field: str | None = None,
        action_tag: str | None = None,
        observation_field: str | None = None,
        reward_bounds: Sequence[float] | None = None,
        success_at: float = 1.0,
        connect_seconds: float = 10.0,
        step_seconds: float = 60.0,
        wait_seconds: float = 10.0,
        retries: int = 2,
        headers: Mapping[str, str] | None = None,
        **settings: Any,
    ) -> None:
        server = name.rstrip("/") if "://" in name else LocalServer(application_of(name))
        if isinstance(server, str) and not server.startswith(("http://", "https://")):
            raise UsageError(f"openenv:{name}: the address of a server begins with http:// or https://")
        self._remote = Remote(
            server,
            headers=headers or {},
            connect_seconds=connect_seconds,
            step_seconds=step_seconds,
            wait_seconds=wait_seconds,
            retries=retries,
        )
        self.parser = TextParser() if action_tag is None else TagParser(action_tag)
        self._action_field, self._observation_field = action_field, observation_field
        self._bounds, self._success_at = _bounds(reward_bounds), success_at
        self._seed: int | None = None
        super().__init__(**settings)

    @classmethod
    def names(cls) -> list[str]:
        """Installed environments that could be started here; a server is named by its address.

        Raises:
            MissingPackageError: openenv is not installed.
        """
        if importlib.util.find_spec("openenv") is None:
            raise MissingPackageError("environment 'openenv'", "openenv", "openenv")
        return installed_names()

    def make_tasks(self) -> Taskset:
        return OpenEnvTasks(self._remote)

    def make_rubric(self) -> Rubric:
        succeeded = _succeeded(self._success_at)
        return Rubric(
            [
                Component("reward", _reward, per="turn", bounds=self._bounds),
                Component("success", succeeded, weight=0.0),
            ],
            success="success",
        )

    def start(self, task: Task, seed: int, *, group: str = "", sample: int = 0) -> tuple[Message, ...]:
        self._seed = seed  # begin() is given a generator only, and the server has to draw what we would
        return super().start(task, seed, group=group, sample=sample)

    def begin(self, task: Task, rng: Random) -> tuple[Episode, str | Sequence[Message]]:
        self._hang_up()
        seed, self._seed = rng.randrange(SEEDS) if self._seed is None else self._seed, None
        codec = ActionCodec(self._remote.action_schema, self._action_field)
        session, reply = self._remote.begin({"seed": seed, **task.data["reset"]})
        opening = list(self._messages(reply))
        instructions = codec.instructions()
        if instructions or not opening:
            opening.append(Message("user", instructions or "Begin."))
        return Episode(session, codec), _taking_turns(opening)

    def respond(self, state: Episode, turn: Turn, rng: Random) -> Response:
        action = None if turn.answer is None else state.codec.action(turn.answer)
        if action is None:
            return _malformed(state, turn)
        try:
            reply = state.session.step(action)
        except ServerError as error:
            if error.code == "VALIDATION_ERROR":  # it is the completion that does not fit the schema
                return _malformed(state, turn)
            state.session.close()
            raise
        messages = self._messages(reply)
        if reply.done:
            state.session.close()
        truncated = reply.done and _was_cut(reply.metadata)
        return Response(
            joined(messages) or ("" if reply.done else "(the environment says nothing)"),
            terminated=reply.done and not truncated,
            truncated=truncated,
            info={"reward": _paid(reply), "done": reply.done, "metadata": dict(reply.metadata)},
        )

    def close(self) -> None:
        """End the episode's session; and the server, where it is our own and this is no twin."""
        self._hang_up()
        if not self.spawned:
            self._remote.close()

    def _hang_up(self) -> None:
        if self._state is not None:
            self._state.session.close()

    def _messages(self, reply: Reply) -> tuple[Message, ...]:
        return messages_of(reply.observation, self._observation_field, LARGEST_OBSERVATION_CHARS)


def _malformed(episode: Episode, turn: Turn) -> Response:
    turn.well_formed = False
    how = episode.codec.instructions() or "Follow the format that was asked for."
    return Response(f"That is no action. {how}", info={"reward": 0.0, "done": False, "metadata": {}})


def _taking_turns(messages: Sequence[Message]) -> list[Message]:
    """Messages in which the same role never speaks twice in a row: chat templates refuse that."""
    taken: list[Message] = []
    for message in messages:
        if taken and taken[-1].role == message.role:
            message = Message(message.role, joined((taken.pop(), message)))
        taken.append(message)
    return taken


def _was_cut(metadata: Mapping[str, Any]) -> bool:
    """OpenEnv has only ``done``: the end of the task, unless the server says otherwise."""
    return metadata.get("truncated") is True and metadata.get("terminated") is not True


def _paid(reply: Reply) -> float | None:
    """A step's reward; a step without one paid nothing, but where the episode ends it cannot be scored."""
    if reply.reward is None and (reply.done or reply.metadata.get("unscorable") is True):
        return None
    return 0.0 if reply.reward is None else reply.reward


def _reward(turn: Turn) -> float | None:
    """What the server paid for a turn; 0 for one that was too long to be sent."""
    paid: float | None = turn.info.get("reward", 0.0)
    return paid


def _succeeded(threshold: float) -> Any:
    """The rule of success: the server's own word, or else the last step's reward."""

    def success(trajectory: Trajectory) -> float | None:
        """The server's own word, or else whether the last step paid enough."""
        info = trajectory.turns[-1].info
        told, paid = info.get("metadata", {}).get("success"), info.get("reward", 0.0)
        if isinstance(told, bool):
            return float(told)
        return None if paid is None else float(paid >= threshold)

    return success


def _bounds(given: Sequence[float] | None) -> tuple[float, float] | None:
    if given is None:
        return None
    numbers = list(given)
    if (
        len(numbers) != 2
        or not all(isinstance(n, int | float) for n in numbers)
        or not numbers[0] <= numbers[1]
    ):
        raise UsageError(
            f"reward_bounds={given!r:.60}: give the lowest and the highest reward of a step, say [0, 1]"
        )
    return float(numbers[0]), float(numbers[1])
