"""Scoring answers saved in a file, without any model."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from rftgym.config import EnvSettings, RewardSettings
from rftgym.env import TextEnv
from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import make_configured
from rftgym.rubric import Rubric
from rftgym.runs.atomic import writing
from rftgym.scoring.batch import score_trajectories
from rftgym.tasks import read_jsonl
from rftgym.types import Task, Trajectory, Turn

CHUNK = 1024
"""Saved answers that are replayed and scored at a time."""
REPLAY_SEED = 0
"""Episode seed of saved answers."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """A line of saved answers, checked."""

    row: Mapping[str, Any]
    task: Task
    completions: list[str]


def score(
    env: str | TextEnv[Any],
    rows: str | Path | Sequence[Mapping[str, Any]],
    *,
    tasks: str | Path | None = None,
    out: str | Path | None = None,
    plugins: Plugins | None = None,
) -> list[dict[str, Any]]:
    """Score saved answers without any model.

    Args:
        env: id, or an environment (then with its rubric as it is).
        rows: a JSON-lines file or mappings: {"task": id, "completion": text}, or {"task": id, "completions":
            [text, ...]} with one completion a turn. Fewer than the episode takes are scored as an episode that
            was cut off there. Further keys are kept.
        tasks: a JSON-lines file of the user's own tasks, in the environment's schema; instead of the
            environment's.
        out: a JSON-lines file to write, complete or not at all.
    Returns:
        The rows in order, each with "reward" and "success" (None = cannot be scored), "components" (value by
        name) and "error" (None, or what went wrong).
    Raises:
        UsageError: a row is wrong or names no task (says which), or ``out`` cannot be written; nothing was
        scored or written.
    """
    env = _with_tasks(env, tasks, plugins)
    answers = [_read(env, where, row) for where, row in _located(rows)]
    results: list[dict[str, Any]] = []
    with _written(out) as file:
        for first in range(0, len(answers), CHUNK):
            results.extend(_score_chunk(env, answers[first : first + CHUNK]))
            if file is not None:
                file.writelines(json.dumps(result, allow_nan=False) + "\n" for result in results[first:])
    return results


def _with_tasks(env: str | TextEnv[Any], tasks: str | Path | None, plugins: Plugins | None) -> TextEnv[Any]:
    if isinstance(env, str):
        settings = EnvSettings(id=env, tasks=None if tasks is None else str(tasks))
        return make_configured(settings, RewardSettings(), plugins=plugins)
    twin = env.spawn()
    if tasks is not None:
        twin.tasks = env.read_tasks(tasks)
    return twin


def _located(rows: str | Path | Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Rows with the names of their places."""
    if isinstance(rows, str | Path):
        yield from ((f"{rows}, line {number}", row) for number, row in read_jsonl(rows))
    else:
        yield from ((f"row {index}", row) for index, row in enumerate(rows))


def _read(env: TextEnv[Any], where: str, row: object) -> _Answer:
    """Check a row.

    Raises:
        UsageError: names the place, what is wrong and what is expected.
    """
    if not isinstance(row, Mapping) or not isinstance(row.get("task"), str):
        raise UsageError(f"{where}: expected a mapping with a task's id (text) under 'task', not {row!r:.80}")
    if ("completion" in row) == ("completions" in row):
        raise UsageError(
            f"{where}: give either 'completion' (text) or 'completions' (a list of texts, one a turn)"
        )
    completions = [row["completion"]] if "completion" in row else row["completions"]
    if (
        not isinstance(completions, list)
        or not completions
        or not all(isinstance(c, str) for c in completions)
    ):
        name = "completion" if "completion" in row else "completions"
        expected = "text" if name == "completion" else "a list of texts, one a turn and at least one"
        raise UsageError(f"{where}: {name!r} must be {expected}, not {row[name]!r:.60}")
    try:
        json.dumps(dict(row), allow_nan=False)
    except (ValueError, TypeError) as error:
        raise UsageError(f"{where}: cannot be written as JSON again: {error}") from error
    try:
        return _Answer(row, env.tasks.by_id(row["task"]), completions)
    except UsageError as error:
        raise UsageError(f"{where}: {error}") from error


def _score_chunk(env: TextEnv[Any], answers: Sequence[_Answer]) -> Iterator[dict[str, Any]]:
    if env.slow:
        with ThreadPoolExecutor() as pool:
            episodes = list(pool.map(lambda answer: _replayed(env.spawn(), answer), answers))
    else:
        episodes = [_replayed(env.spawn(), answer) for answer in answers]
    score_trajectories(env.rubric, [episode for episode in episodes if isinstance(episode, Trajectory)])
    for answer, episode in zip(answers, episodes, strict=True):
        yield {**answer.row, **_result(env.rubric, episode)}


def _result(rubric: Rubric, episode: Trajectory | str) -> dict[str, Any]:
    if isinstance(episode, str) or episode.score is None:
        components = dict.fromkeys(rubric.measures)
        return {"reward": None, "success": None, "components": components, "error": episode}
    error = "; ".join(f"{f.stage} {f.name!r}: {f.kind}: {f.message}" for f in episode.failures)
    if episode.score.reward is None and not error:
        silent = [name for name, value in episode.score.components.items() if value is None]
        error = "; ".join(f"reward {name!r}: it says None" for name in silent)
    return {
        "reward": episode.score.reward,
        "success": episode.score.success,
        "components": episode.score.components,
        "error": error or None,
    }


def _replayed(env: TextEnv[Any], answer: _Answer) -> Trajectory | str:
    """The completions as an episode, or what is wrong with them."""
    try:
        env.start(answer.task, REPLAY_SEED)
        trajectory = env.trajectory
        for index, completion in enumerate(answer.completions):
            if trajectory.terminated or trajectory.truncated:
                return f"the episode ended after {index} of {len(answer.completions)} completions"
            env.advance(Turn((), completion))
        trajectory.truncated = not trajectory.terminated
        return trajectory
    except (Exception, SystemExit) as error:  # noqa: BLE001  # its author may raise anything; it is this row's error
        return f"environment {env.id!r}: {type(error).__name__}: {' '.join(str(error).split())[:500]}"
    finally:
        env.close()


@contextmanager
def _written(out: str | Path | None) -> Iterator[TextIO | None]:
    """A file that appears under its name once it is complete and on the disk.

    Raises:
        UsageError: its directory is not there, or cannot be written to.
    """
    if out is None:
        yield None
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(writing(Path(out)))
        except OSError as error:
            raise UsageError(f"cannot write {out}: {error.strerror or error}") from error
        text = io.TextIOWrapper(file, encoding="utf-8")
        yield text
        text.detach()  # flushes; `writing` closes the file itself
