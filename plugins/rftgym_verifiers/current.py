"""The API of verifiers 0.4, ``verifiers.v1``: ``Taskset``, ``Task``, ``Trace``, ``Env``.

Its own way to play an episode starts a harness in a process (by default on a remote service), which calls the model
over HTTP. Here rftgym's policy sits in the seat (:mod:`rftgym_verifiers.player`): nothing is started and nothing is
uploaded, and a runtime is there only for functions that ask for one, where the user allows it.
"""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import verifiers.v1 as vf
from pydantic import ValidationError
from verifiers.v1.runtimes import make_runtime

from rftgym.errors import UsageError
from rftgym.types import Message, Task
from rftgym_verifiers.foreign import LIMIT_OF_TURNS, Foreign, Source
from rftgym_verifiers.hooks import Hooks, overrides
from rftgym_verifiers.judging import number
from rftgym_verifiers.player import Player, Seat, prompt_of
from rftgym_verifiers.rows import tasks_of
from rftgym_verifiers.talk import Play, Talk, Verdict

RECORDED = "recorded"
"""The component of what an environment's ``run`` or ``finalize`` writes on the trace by itself."""
LOCAL = {"harness": {"id": "null"}, "runtime": {"type": "subprocess"}}
"""A seat that runs no program, and nothing on a remote service."""


class Current(Foreign):
    """An environment of ``verifiers.v1``.

    Args:
        name: by which it was loaded.
        env: the environment.
        without: names of reward functions that are left out.
        runtime: "subprocess" or None; see :class:`rftgym_verifiers.env.VerifiersEnv`.
        endless_size: tasks that are taken of a taskset without end.

    Raises:
        UsageError: it needs what rftgym does not offer; names it.
    """

    def __init__(
        self, name: str, env: Any, *, without: Sequence[str], runtime: str | None, endless_size: int
    ) -> None:
        self.name = name
        self.env = env
        self._seat = self._only_seat()
        endless = env.taskset.INFINITE
        tasks = list(itertools.islice(env.taskset, endless_size) if endless else env.taskset)
        if not tasks:
            raise UsageError(f"verifiers:{name}: its taskset has no tasks")
        rows = [task.data.model_dump(mode="json", exclude_defaults=True) for task in tasks]
        self.tasks = tasks_of(name, rows, None, "idx")
        own = {json.dumps(row, sort_keys=True): task for row, task in zip(rows, tasks, strict=True)}
        self._known = {task.id: (task, own[json.dumps(task.data, sort_keys=True)]) for task in self.tasks}
        self._task_class = type(tasks[0])
        self._hooks = Hooks(name, tasks[0], without)
        self._refuse_more_than_talk(tasks[0], runtime)
        self._with_runtime = bool(self._hooks.asking_for_runtime(tasks[0]))
        single = not overrides(env, vf.SingleAgentEnv, "run")
        self.max_turns = 1 if single else getattr(env.config, self._seat).max_turns or LIMIT_OF_TURNS
        self._records = RECORDED not in without and (not single or overrides(env, vf.Env, "finalize"))
        self.sources = (*self._hooks.sources, *([Source(RECORDED, 1.0)] if self._records else []))
        self._known_opening = single and not overrides(tasks[0], vf.Task, "setup")

    def _only_seat(self) -> str:
        seats = _seats(self.env.config)
        if len(seats) != 1:
            raise UsageError(
                f"verifiers:{self.name}: it has the seats {', '.join(seats)}, and rftgym's policy takes one"
            )
        return seats[0]

    def _refuse_more_than_talk(self, task: Any, allowed: str | None) -> None:
        """Refuse tools, containers, and runtimes that nobody allowed."""
        where = f"verifiers:{self.name}: its tasks"
        taskset = self.env.taskset
        tools = [*type(task).toolsets(task.config), *taskset.toolsets(taskset.config)]
        if tools:
            names = ", ".join(type(each).__name__ for each in tools)
            raise UsageError(f"{where} need the tool servers {names}, which rftgym does not run")
        if type(task).NEEDS_CONTAINER or task.data.image:
            raise UsageError(f"{where} run in a container, which rftgym does not start")
        if overrides(self.env, vf.Env, "start"):
            raise UsageError(
                f"{where} share what {type(self.env).__name__}.start() starts, and rftgym does not"
            )
        askers = self._hooks.asking_for_runtime(task)
        if askers and allowed != "subprocess":
            raise UsageError(
                f"{where} need a runtime for {', '.join(askers)}. env.kwargs.runtime=subprocess gives them one that "
                "runs commands on this machine and is no sandbox: allow it where you trust what is run"
            )

    def opening(self, task: Task) -> tuple[Message, ...] | None:
        """The task's prompt, unless the environment says something else first."""
        return prompt_of(task.data) if self._known_opening else None

    def candidates(self, task: Task) -> Sequence[str]:
        """The task's answer, as it is and in a box."""
        answer = task.data.get("answer")
        return (answer, f"\\boxed{{{answer}}}") if isinstance(answer, str) and answer else ()

    def play(self, task: Task, timeout_seconds: float) -> Play:
        """The environment's own ``run``, with rftgym's policy in its seat."""

        async def play(talk: Talk) -> Verdict:
            own = self._own(task)
            seat = Seat(getattr(self.env.config, self._seat), self._hooks, self._runtime, timeout_seconds)
            player = Player(seat, talk)
            agents = SimpleNamespace(**{self._seat: player})
            await self.env.setup(agents)
            await self.env.run(own, agents)
            if overrides(self.env, vf.Env, "finalize"):
                episode = vf.Episode(task=player.trace.task, traces=[player.trace])
                await self.env.finalize(own, episode)
            return self._verdict(player)

        return play

    def _own(self, task: Task) -> Any:
        """verifiers' task: the one that the taskset gave, or one of the user's own data."""
        known, own = self._known.get(task.id, (None, None))
        if known == task:
            return own
        data = self._task_class.data_type().model_validate(task.data)
        return self._task_class(data, self.env.config.taskset.task)

    def _verdict(self, player: Player) -> Verdict:
        verdict, rewards = player.verdict, player.trace.rewards
        if self._records:
            own = [each.value for key, each in rewards.items() if each and key not in player.judged]
            verdict.rewards[RECORDED] = number(sum(own))
        return verdict

    async def _runtime(self) -> Any:
        """A started runtime on this machine, where one is asked for."""
        if not self._with_runtime:
            return None
        made = make_runtime(vf.SubprocessConfig(), name=uuid.uuid4().hex)
        await made.start()
        return made


def _seats(config: Any) -> list[str]:
    return [name for name, value in config if isinstance(value, vf.AgentConfig)]


def load(
    name: str, *, args: Mapping[str, Any], without: Sequence[str], runtime: str | None, endless_size: int
) -> Current:
    """Load a taskset and its environment as verifiers does.

    Raises:
        UsageError: it cannot be loaded; says why.
    """
    settings = {**args, "taskset": {**args.get("taskset", {}), "id": name}}
    try:
        seats = _seats(vf.resolve_env_config(settings))
        settings.update({seat: {**args.get(seat, {}), **LOCAL} for seat in seats})
        env = vf.load_environment(vf.resolve_env_config(settings))
    except (ValidationError, ValueError, TypeError, AttributeError, ImportError) as error:
        raise UsageError(
            f"verifiers:{name}: cannot load it with {dict(args)}: {type(error).__name__}: {error}"
        ) from error
    return Current(name, env, without=without, runtime=runtime, endless_size=endless_size)
