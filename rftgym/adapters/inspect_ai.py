"""Our environments as tasks of inspect-ai, for evaluation: ``inspect eval rftgym/task -T env=wordle --model ...``.

The same tasks, episode seeds and scores as :func:`rftgym.evaluate`: what cannot be scored is unscored there too, and
never counts as a wrong answer.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from rftgym.adapters.episodes import advanced, is_over, started
from rftgym.env import TextEnv
from rftgym.errors import MissingPackageError, UsageError
from rftgym.evaluation import episode_seed
from rftgym.registry import make
from rftgym.scoring import score_trajectories
from rftgym.tasks import SPLITS
from rftgym.types import Message, StopReason, Trajectory, Turn

try:
    import anyio.to_thread
    import inspect_ai
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageSystem, ChatMessageUser
    from inspect_ai.scorer import Score, Scorer, Target, accuracy, mean, scorer, stderr
    from inspect_ai.solver import Generate, Solver, TaskState, solver
    from inspect_ai.util import LimitExceededError
except ImportError as error:
    raise MissingPackageError("rftgym.adapters.inspect_ai", "inspect-ai", "inspect", why=error) from error

_CHAT = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
_STOPPED: dict[str, StopReason] = {"max_tokens": "length", "model_length": "context"}
_NOT_STARTED = "(the environment could not start this episode)"
_SEED, _TASK = "rftgym_seed", "rftgym_task"


@inspect_ai.task  # type: ignore[untyped-decorator, unused-ignore]
def task(
    env: str | Sequence[str] | TextEnv[Any],
    split: str = "test",
    n: int = 256,
    seed: int = 0,
    samples: int = 1,
    **settings: Any,
) -> inspect_ai.Task:
    """An environment as a task of inspect-ai.

    Args:
        env: id, or an environment; a sequence of ids is a mix (the command line of inspect splits at commas).
        split: whose tasks are played.
        n: tasks; a finite split has no more than it has.
        seed: of the choice of tasks and of the episodes.
        samples: episodes a task, inspect's epochs.
        settings: of the environment's constructor.

    Raises:
        UsageError: an unknown id or split, settings that the environment does not take, or a figure that is none.
    """
    for name, figure, least in (("n", n, 1), ("seed", seed, None), ("samples", samples, 1)):
        if type(figure) is not int or (least is not None and figure < least):
            raise UsageError(f"{name}={figure!r:.40} is no whole number{' above 0' if least else ''}")
    made = _made(env, settings)
    episodes: dict[str, Trajectory] = {}
    return inspect_ai.Task(
        dataset=MemoryDataset(_samples(made, split, n, seed), name=f"{made.id} {split}"),
        solver=_player(made, episodes),
        scorer=_scorer(made, episodes),
        epochs=samples,
        display_name=made.id,
        metadata={"env": made.id, "split": split, "seed": seed},
    )


def _made(env: str | Sequence[str] | TextEnv[Any], settings: dict[str, Any]) -> TextEnv[Any]:
    if not isinstance(env, TextEnv):
        ids: Any = [env] if isinstance(env, str) else env  # a command line may give anything
        if not (isinstance(ids, Sequence) and ids and all(isinstance(id, str) for id in ids)):
            raise UsageError(f"env={env!r:.60} is neither an environment's id nor a list of ids")
        return make(",".join(ids), **settings)
    if settings:
        raise UsageError(
            f"{', '.join(settings)}: settings go with an environment's id, not with one that is made"
        )
    return env


def _samples(env: TextEnv[Any], split: str, n: int, seed: int) -> list[Sample]:
    """The tasks that :func:`rftgym.evaluate` would play, with the same seeds.

    Raises:
        UsageError: the split is empty.
    """
    size = env.tasks.size(split)
    if size == 0:
        raise UsageError(
            f"environment {env.id!r} has no tasks in split {split!r}; splits are {', '.join(SPLITS)}"
        )
    chosen = env.tasks.sample(split, n if size is None else min(n, size), seed)
    seen: Counter[str] = Counter()
    samples = []
    for index, each in enumerate(chosen):
        seen[each.id] += 1
        again = f" ({seen[each.id]})" if seen[each.id] > 1 else ""
        own_seed = episode_seed(seed, index)
        twin = env.spawn()
        try:
            _, opening = started(twin, each, own_seed)  # where it fails it is recorded when it is played
        finally:
            twin.close()
        samples.append(
            Sample(
                input=_chat(opening) or _NOT_STARTED,
                id=f"{each.id}{again}",
                metadata={_TASK: each.id, _SEED: own_seed},
            )
        )
    return samples


def _player(env: TextEnv[Any], episodes: dict[str, Trajectory]) -> Solver:
    """Plays an episode with the model; leaves it in ``episodes`` for the scorer."""

    @solver(name="rftgym_player")  # type: ignore[untyped-decorator, unused-ignore]
    def player() -> Solver:
        async def solve(state: TaskState, generate: Generate) -> TaskState:
            twin = env.spawn()
            try:
                episode, messages = await _in_thread(_started, twin, state)
                episodes[state.uuid] = episode
                state.messages = _chat(messages)
                while not is_over(episode):
                    state = await generate(state)
                    stopped = _STOPPED.get(state.output.stop_reason, "eos")
                    turn = Turn((), state.output.completion, stop_reason=stopped)
                    state.messages.extend(_chat(await _in_thread(advanced, twin, turn)))
                    if stopped == "context" and not episode.terminated:
                        episode.truncated = True  # there will be no room for the next one either
            except LimitExceededError:
                raise  # inspect scores what there is
            except BaseException:
                episodes.pop(state.uuid, None)
                raise
            finally:
                twin.close()
            return state

        return solve

    return player()


def _scorer(env: TextEnv[Any], episodes: dict[str, Trajectory]) -> Scorer:
    measures = [name for name in env.rubric.measures if name not in ("success", "reward")]
    metrics = {
        "success": [accuracy(), stderr()],
        **{name: [mean(), stderr()] for name in ("reward", *measures)},
    }

    @scorer(metrics=metrics, name="rftgym_score")  # type: ignore[untyped-decorator, unused-ignore]
    def score() -> Scorer:
        async def judge(state: TaskState, target: Target) -> Score:
            episode = episodes.pop(state.uuid, None)
            if episode is None:  # a log is scored again without having been played here
                episode = await _in_thread(_replayed, env, state)
            episode.truncated = not episode.terminated
            await _in_thread(score_trajectories, env.rubric, [episode])
            return _score(episode, measures)

        return judge

    return score()


def _score(episode: Trajectory, measures: Sequence[str]) -> Score:
    """A scored episode as inspect has it."""
    made = episode.score
    why = "; ".join(f"{f.stage} {f.name}: {f.kind}: {f.message}" for f in episode.failures)
    answer = episode.turns[-1].completion if episode.turns else None
    facts = {"terminated": episode.terminated, "truncated": episode.truncated, "turns": len(episode.turns)}
    if made is None or made.reward is None:
        why = why or "a reward component said None"
        return Score.unscored(reason="scoring_failed", answer=answer, explanation=why, metadata=facts)
    values = {"success": float(bool(made.success)), "reward": made.reward}
    values |= {name: _number(made.components.get(name)) for name in measures}
    return Score(value=values, answer=answer, explanation=why or None, metadata=facts)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _started(env: TextEnv[Any], state: TaskState) -> tuple[Trajectory, tuple[Message, ...]]:
    """Start the sample's episode."""
    chosen, seed = env.tasks.by_id(state.metadata[_TASK]), state.metadata[_SEED]
    return started(env, chosen, seed, group=str(state.sample_id), sample=state.epoch - 1)


def _replayed(env: TextEnv[Any], state: TaskState) -> Trajectory:
    """The episode that a sample's messages tell of."""
    twin = env.spawn()
    try:
        episode, opening = _started(twin, state)
        said = (message.text for message in state.messages[len(opening) :] if message.role == "assistant")
        for completion in said:
            if is_over(episode):
                break
            advanced(twin, Turn((), completion))
        return episode
    finally:
        twin.close()


def _chat(messages: Sequence[Message]) -> list[ChatMessage]:
    return [_CHAT[message.role](content=message.content) for message in messages]


async def _in_thread(function: Any, *arguments: Any) -> Any:
    """A slow environment, or a judge, keeps no other sample waiting."""
    return await anyio.to_thread.run_sync(partial(function, *arguments))
