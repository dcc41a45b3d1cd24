"""Environments of verifiers: ``verifiers:NAME``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from pydantic import ConfigDict

from rftgym.env import MultiTurnEnv, Response, TaskRow
from rftgym.errors import UsageError
from rftgym.parser import Parsed, Parser
from rftgym.rubric import Component, Rubric
from rftgym.tasks import ListTaskset
from rftgym.types import Message, Task, Trajectory, Turn
from rftgym_verifiers.draws import Draws
from rftgym_verifiers.foreign import Episode, Foreign
from rftgym_verifiers.loading import installed_names, loaded
from rftgym_verifiers.talk import Said, Verdict
from rftgym_verifiers.texts import joined

FACTS = "verifiers"
"""In the info of an episode's last turn: what the environment's reward functions said."""


class VerifiersRow(TaskRow):
    """A task of the user's own: a row in the format of the environment's data set."""

    model_config = ConfigDict(extra="allow")


class VerifiersEnv(MultiTurnEnv[Episode]):
    """An environment of verifiers: its data, its rollout and its rewards, played by rftgym's policy.

    Every reward function is a component of its name and weight; what a function of weight 0 says is a metric. Where one
    raises, the episode has no reward, whereas verifiers gives it 0.

    Args:
        name: as verifiers' own commands take it: the module that has ``load_environment``, or exports a taskset.
        args: given to ``load_environment``; for a taskset, what stands under ``--env.`` on verifiers' command line, say
            ``{"taskset": {"size": 10}}``.
        success: the reward function that says whether an episode is a success; by default the one that weighs most.
        passes_at: its value from which on it is one.
        without: reward functions that are left out.
        timeout_seconds: for each answer of the environment, and each reward function.
        slow: its steps or rewards wait for a server, so other episodes should go on meanwhile.
        runtime: "subprocess" lets reward functions that ask for a runtime run commands on this machine, which is no
            sandbox; None refuses them.
        endless_size: how many tasks are taken of a taskset without end.
        settings: as for any environment.

    Raises:
        MissingPackageError: verifiers is not installed.
        UsageError: it cannot be loaded, or does what rftgym does not offer; says what.
    """

    task_row = VerifiersRow

    def __init__(
        self,
        *,
        name: str,
        args: Mapping[str, Any] | None = None,
        success: str | None = None,
        passes_at: float = 1.0,
        without: Sequence[str] = (),
        timeout_seconds: float = 60.0,
        slow: bool = False,
        runtime: str | None = None,
        endless_size: int = 1000,
        **settings: Any,
    ) -> None:
        asked = {"args": dict(args or {}), "without": list(without)}
        limits = {"runtime": runtime, "endless_size": endless_size}
        with Draws(f"load {name}", on=True).step():
            self.foreign: Foreign = loaded(name, _json({**asked, **limits}, name))
        self._success = success
        self._passes_at = passes_at
        self._timeout_seconds = timeout_seconds
        self.slow = slow
        self.max_turns = self.foreign.max_turns
        self.parser = VerifiersParser(self.foreign)
        super().__init__(**settings)

    def make_tasks(self) -> ListTaskset:
        """Its data set; see :func:`rftgym_verifiers.rows.tasks_of` for ids and splits."""
        return ListTaskset(self.foreign.tasks)

    def make_rubric(self) -> Rubric:
        """Its reward functions."""
        weights = {source.name: source.weight for source in self.foreign.sources}
        if not weights:
            raise UsageError(
                f"verifiers:{self.foreign.name}: it has no reward function that could judge an episode"
            )
        success = self._success or max(weights, key=lambda name: weights[name])  # of equals the first
        components = [self._component(name, weight, name == success) for name, weight in weights.items()]
        return Rubric(components, success=success)

    def _component(self, name: str, weight: float, is_success: bool) -> Component:
        def value(trajectory: Trajectory) -> float | None:
            facts = self._facts(trajectory)
            if name in facts["errors"]:
                raise _error(*facts["errors"][name])
            found: float | None = facts["rewards"].get(name)
            return found

        passes_at = self._passes_at if is_success else 1.0
        limit = self._timeout_seconds
        return Component(
            name, value, weight, bounds=None, passes_at=passes_at, timeout_seconds=limit, retries=0
        )

    def _facts(self, trajectory: Trajectory) -> Any:
        """What the reward functions said; where the episode did not get that far, it is played again up to its end."""
        info = trajectory.turns[-1].info
        if FACTS not in info:
            episode = self._episode(trajectory.task, Random(trajectory.seed))
            try:
                episode.open()
                info[FACTS] = _facts(episode.replay(trajectory.turns, self.max_completion_chars))
            finally:
                episode.leave()
        return info[FACTS]

    def _episode(self, task: Task, rng: Random) -> Episode:
        return Episode(self.foreign, task, f"{task.id} {rng.getrandbits(64)}", self._timeout_seconds)

    def begin(self, task: Task, rng: Random) -> tuple[Episode, Sequence[Message]]:
        """The environment's own first messages."""
        episode = self._episode(task, rng)
        return episode, episode.open()

    def respond(self, state: Episode, turn: Turn, rng: Random) -> Response:
        """What the environment says; its verdict, when it ends."""
        heard = state.take(Said.of(turn))
        verdict = heard.verdict
        if verdict is None and state.turns < self.max_turns:
            return Response(joined(heard.messages))
        verdict = verdict or state.end()
        state.leave()
        return Response(
            joined(heard.messages),
            terminated=heard.verdict is not None and not verdict.truncated,
            truncated=heard.verdict is None or verdict.truncated,
            info={FACTS: _facts(verdict)},
        )

    def close(self) -> None:
        """Stop the episode's code; its cleanup handlers run."""
        if self._state is not None:
            self._state.leave()

    def demonstrate(self, task: Task, seed: int) -> list[Message] | None:
        """The row's answer in the environment's format, where an episode of one turn is solved by it."""
        if self.max_turns != 1:
            return None
        for completion in self.foreign.candidates(task):
            twin = self.spawn()
            twin.shots = ()
            opening = twin.start(task, seed)
            twin.advance(Turn((), completion))
            if self.rubric.score(twin.trajectory).success:
                return [*opening, Message("assistant", completion)]
        return None

    @classmethod
    def names(cls) -> list[str]:
        """Installed distributions that need verifiers, which is what its environments are.

        Raises:
            MissingPackageError: verifiers is not installed.
        """
        return installed_names()


class VerifiersParser(Parser):
    """The environment's own parser, for reports; its reward functions use it themselves."""

    def __init__(self, foreign: Foreign) -> None:
        self._foreign = foreign

    def parse(self, completion: str) -> Parsed:
        """What it finds; a completion that it cannot bear has no answer."""
        try:
            answer = self._foreign.answer(completion)
        except Exception:  # noqa: BLE001  # the reward functions will meet it again, and there it counts
            answer = None
        plain = answer if isinstance(answer, str | int | float | None) else str(answer)
        return Parsed(plain, plain is not None)


def _facts(verdict: Verdict) -> dict[str, Any]:
    return {"rewards": verdict.rewards, "errors": verdict.errors}


def _error(kind: str, message: str) -> Exception:
    """An exception of the kind that a reward function raised, which may have been in another process."""
    return TimeoutError(message) if kind == "Timeout" else type(kind, (Exception,), {})(message)


def _json(values: Mapping[str, Any], name: str) -> str:
    try:
        return json.dumps(values, sort_keys=True)
    except TypeError as error:
        raise UsageError(f"verifiers:{name}: its arguments must be plain values: {error}") from error
