"""One run on disk.

::

    20261104-091500-wordle-grpo-tiny/
        config.json         resolved; with environment.json, what makes the directory a run
        config.yaml         the same for `rftgym train --config`
        environment.json    versions, plugins, hardware
        metrics.jsonl       a line a step
        trajectories/       step-000001.jsonl.gz ...
        evaluations/        before.json, step-000010.json ..., after.json, each with the episodes behind it, where given
        checkpoints/        step-000010/ ..., the last few
        best/               step-000020/: the weights of the best evaluation on the way, where the run ends with them
        warm-start/         the run of supervised fine-tuning that came first, where there was one
        preflight.json      how much there is to learn from the starting policy's episodes
        adapter/            the trained weights
        result.json         when the run ended in good order
        report.html
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import time
from typing import IO, TYPE_CHECKING, Any

from rftgym.errors import RftgymError, UsageError
from rftgym.runs import atomic, sources
from rftgym.runs.lock import LAYOUT, environment_lock
from rftgym.runs.store import read_trajectories, write_trajectories
from rftgym.runs.strictjson import dumps, number
from rftgym.types import Trajectory

if TYPE_CHECKING:
    from rftgym.plugins import Plugins

REQUIRED = ("config.json", "environment.json")
CONSENT = "allow_unsafe_sandbox"
"""Argument of environments: run untrusted code even where it cannot be isolated."""
WRITER = ".writer"
_EVALUATION = re.compile(r"before|after|step-\d{6,}")


def run_name(env: str, trainer: str, model: str) -> str:
    """What a run is called after its time: a model that is a path or a hub id goes by its last part."""
    last = model.rstrip("/").rpartition("/")[2]
    return slug(f"{env}-{trainer}-{last or 'model'}")


def slug(text: str) -> str:
    """Letters, digits, dots, dashes and underscores, at most 80: fit for a file name everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.")[:80] or "run"


def is_run(path: Path) -> bool:
    """Whether a directory is a run's, to go by its files."""
    return all((path / name).is_file() for name in REQUIRED)


class RunDirectory:
    """A run's files, written by one process and read by any number. Made by :meth:`create` or :meth:`open`.

    Attributes:
        path: of the directory.
        config: the resolved configuration.
    """

    def __init__(self, path: Path, config: dict[str, Any]) -> None:
        self.path = path
        self.config = config
        self._claim: IO[str] | None = None

    @classmethod
    def create(
        cls, root: str | Path, *, name: str, config: Mapping[str, Any], plugins: Plugins
    ) -> RunDirectory:
        """Make a new run ``<root>/<UTC time>-<name>``. It appears at once with its configuration and environment lock.

        Args:
            root: made when it is not there.
            name: see :func:`run_name`; characters that don't suit a file name are replaced.
            config: JSON values.
        Raises:
            UsageError: nothing can be written there.
        """
        atomic.check_writable(Path(root), what="run", option="--runs")
        wanted = Path(root) / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{slug(name)}"
        with atomic.staging(wanted) as temporary:
            run = cls(temporary, json.loads(dumps(config)))
            run._claim = atomic.claim(temporary / WRITER)
            run.write_json("config.json", run.config)
            run.write_json("environment.json", environment_lock(plugins))
            atomic.write_bytes(temporary / "config.yaml", _yaml(run.config))
            sources.keep(temporary, run.config)
            for folder in ("trajectories", "evaluations", "checkpoints"):
                (temporary / folder).mkdir()
            further = (wanted.with_name(f"{wanted.name}-{count}") for count in itertools.count(2))
            run.path = atomic.name_directory(temporary, itertools.chain([wanted], further))
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Open a run that is there. Changes nothing.

        Raises:
            UsageError: it is no run; says what is missing.
        """
        directory = Path(path)
        if not directory.is_dir():
            raise UsageError(f"no run at {directory}: no such directory")
        missing = [name for name in REQUIRED if not (directory / name).is_file()]
        if missing:
            raise UsageError(f"{directory} is no run: it has no {' and no '.join(missing)}{_hint(directory)}")
        run = cls(directory, {})
        try:
            run.config = run.read_json("config.json")
            if not isinstance(run.config, dict):
                raise TypeError("config.json holds no settings by name")
            layout = run.read_json("environment.json").get("layout", 0)
            newer = layout > LAYOUT
        except (RftgymError, AttributeError, TypeError) as error:
            raise UsageError(f"{directory} is no run that can be read: {error}") from error
        if newer:
            raise UsageError(
                f"{directory} was made by a newer rftgym (layout {layout}, not {LAYOUT}); upgrade it"
            )
        return run

    # ---- steps

    def add_metrics(self, step: int, metrics: Mapping[str, float]) -> None:
        """Append a line to ``metrics.jsonl``: the step, the time (seconds since 1970) and the metrics."""
        values = {
            name: int(value) if isinstance(value, int) else float(value) for name, value in metrics.items()
        }
        atomic.append_line(self._metrics, dumps({"step": step, "time": round(time(), 3), **values}))

    def metrics(self) -> list[dict[str, Any]]:
        """A mapping a step, in order: "step", "time" and the metrics; NaN and infinities are floats again.

        Raises:
            RftgymError: a line inside the file is damaged (a torn last line is merely left out).
        """
        lines = atomic.read_lines(self._metrics)
        return [_metrics_line(self._metrics, count, line) for count, line in enumerate(lines, 1)]

    def add_trajectories(self, step: int, trajectories: Iterable[Trajectory]) -> None:
        """Store the episodes of a step; called again for the same step, it adds to them."""
        write_trajectories(self._episodes(step), trajectories)

    def trajectories(self, step: int | None = None) -> Iterator[Trajectory]:
        """The stored episodes, of one step or of all, in order."""
        for each in self.trajectory_steps() if step is None else [step]:
            if self._episodes(each).exists():
                yield from read_trajectories(self._episodes(each))

    def trajectory_steps(self) -> list[int]:
        """The steps that have stored episodes, ascending."""
        return sorted(_steps_in(self.path / "trajectories", ".jsonl.gz"))

    # ---- evaluations

    def add_evaluation(
        self, when: str, evaluation: Mapping[str, Any], trajectories: Iterable[Trajectory] = ()
    ) -> None:
        """Store an evaluation, and the episodes behind it where the report should be able to show some.

        Args:
            when: "before", "after" or "step-000010".
            evaluation: the shape that ``rftgym eval --json`` prints.
        Raises:
            ValueError: ``when`` is none of these.
        """
        if not _EVALUATION.fullmatch(when):
            raise ValueError(f"an evaluation is 'before', 'after' or 'step-000010', not {when!r}")
        episodes = list(trajectories)
        path = self.path / "evaluations" / f"{when}.jsonl.gz"
        path.unlink(missing_ok=True)
        if episodes:
            write_trajectories(path, episodes)
        self.write_json(f"evaluations/{when}.json", evaluation)

    def evaluations(self) -> dict[str, dict[str, Any]]:
        """Every stored evaluation by name, in the order of time."""
        found = [
            path.stem
            for path in (self.path / "evaluations").glob("*.json")
            if _EVALUATION.fullmatch(path.stem)
        ]
        return {when: self.read_json(f"evaluations/{when}.json") for when in sorted(found, key=_moment)}

    def evaluation_trajectories(self, when: str) -> Iterator[Trajectory]:
        """The episodes stored with an evaluation; none where none were."""
        path = self.path / "evaluations" / f"{when}.jsonl.gz"
        return read_trajectories(path) if path.exists() else iter(())

    # ---- weights

    @contextmanager
    def checkpoint(self, step: int, *, keep: int = 2) -> Iterator[Path]:
        """Fill a checkpoint: it becomes ``checkpoints/step-000010/`` when the block ends well, else nothing.

        Args:
            step: the optimizer steps that it holds.
            keep: how many of the last checkpoints stay.
        """
        with atomic.new_directory(self._checkpoint(step)) as directory:
            yield directory
        self.forget_checkpoints(keep=keep)

    def forget_checkpoints(self, *, keep: int) -> None:
        """Remove all checkpoints but the last ``keep``."""
        for old in self.checkpoint_steps()[:-keep]:
            atomic.remove_directory(self._checkpoint(old))

    def checkpoint_steps(self) -> list[int]:
        """The steps of the complete checkpoints, ascending."""
        return sorted(_steps_in(self.path / "checkpoints", ""))

    def latest_checkpoint(self) -> tuple[int, Path] | None:
        """The last complete checkpoint: its step and its directory."""
        steps = self.checkpoint_steps()
        return (steps[-1], self._checkpoint(steps[-1])) if steps else None

    @contextmanager
    def best(self, step: int) -> Iterator[Path]:
        """Fill ``best/step-000010/``: the weights of an evaluation on the way that is the best one so far."""
        with atomic.new_directory(self._best(step)) as directory:
            yield directory

    def best_weights(self, step: int) -> Path:
        """The weights that were kept for a best step.

        Raises:
            RftgymError: there are none.
        """
        path = self._best(step)
        if not path.is_dir():
            raise RftgymError(f"{path} is missing: the weights of the best step were removed")
        return path

    def forget_best(self, *, but: int, upto: int) -> None:
        """Remove the weights of steps up to ``upto`` that are the best no longer."""
        for old in list(_steps_in(self.path / "best", "")):
            if old != but and old <= upto:
                atomic.remove_directory(self._best(old))

    @property
    def adapter(self) -> Path:
        """Where the trained weights are when the run has ended: an adapter in PEFT's format, or full weights."""
        return self.path / "adapter"

    def publish(self, name: str) -> AbstractContextManager[Path]:
        """Fill a directory of the run, say "adapter", which appears under its name when the block ends well."""
        return atomic.new_directory(self.path / name)

    # ---- going on

    def take_over(self) -> None:
        """Become the run's one writer, and remove what a killed process left unfinished.

        Raises:
            UsageError: another process is writing this run.
        """
        self._claim = atomic.claim(self.path / WRITER)
        for name in ("", "trajectories", "evaluations", "checkpoints", "best"):
            folder = self.path / name
            folder.mkdir(exist_ok=True)
            atomic.sweep(folder)

    def rewind(self, step: int) -> None:
        """Forget what came after a step, and what a killed process left unfinished, before the run goes on there.

        The evaluation "after", the result and the report go too: they are of an end that is no longer one. The
        adapter stays until its successor replaces it. Killed half-way, it can be called again.

        Raises:
            UsageError: another process is writing this run.
        """
        self.take_over()
        # Checkpoints first: the latest one decides where the next attempt rewinds to, if this one is killed.
        for later in [each for each in self.checkpoint_steps() if each > step]:
            atomic.remove_directory(self._checkpoint(later))
        for later in [each for each in _steps_in(self.path / "best", "") if each > step]:
            atomic.remove_directory(self._best(later))
        for path in (self.path / "evaluations").iterdir():
            when = path.name.partition(".")[0]
            if _EVALUATION.fullmatch(when) and _moment(when) > step:
                path.unlink()
        for later in [each for each in self.trajectory_steps() if each > step]:
            self._episodes(later).unlink()
        for name in ("result.json", "report.html"):
            (self.path / name).unlink(missing_ok=True)
        lines = zip(atomic.read_lines(self._metrics), self.metrics(), strict=True)
        atomic.write_bytes(
            self._metrics, b"".join(line + b"\n" for line, values in lines if values["step"] <= step)
        )

    def record_resume(self, step: int, plugins: Plugins) -> None:
        """Note in ``environment.json`` that the run went on from a step, and with what, where that differs."""
        lock = self.read_json("environment.json")
        now = environment_lock(plugins)
        changed = {key: value for key, value in now.items() if key == "created" or value != lock.get(key)}
        lock.setdefault("resumed", []).append({"step": step, **changed})
        self.write_json("environment.json", lock)

    # ---- measuring it again

    def measured_with(self) -> dict[str, Any]:
        """What its own evaluations were made with, but for the weights, as a layer of settings.

        Consent to run untrusted code without isolation is left out: whoever measures a run gives it again.

        Raises:
            UsageError: its configuration is not one that can be read.
        """
        from rftgym.config import RunConfig, parsed

        config: RunConfig = parsed(RunConfig, self.config, where=f"{self.path}/config.json")
        sections = ("env", "model", "rewards", "sampling", "evaluation")
        found = {name: getattr(config, name).model_dump(mode="json") for name in sections}
        found["model"] = {k: value for k, value in found["model"].items() if k not in ("id", "weights")}
        found["env"]["kwargs"] = _without(found["env"]["kwargs"], CONSENT)
        return found

    def changed_sources(self) -> list[str]:
        """Which of the files that its configuration names are not what they were when it began, in a sentence each."""
        index = self.read_json(sources.INDEX) if (self.path / sources.INDEX).is_file() else {}
        return sources.changed(self.path, index)

    # ---- files

    def write_json(self, name: str, value: Any) -> None:
        """Write a JSON file of the run, whole or not at all.

        Raises:
            TypeError: the value is not made of JSON values.
        """
        atomic.write_bytes(self.path / name, dumps(value, indent=1) + b"\n")

    def read_json(self, name: str) -> Any:
        """Read a JSON file of the run.

        Raises:
            FileNotFoundError: the run has no such file.
            RftgymError: the file is damaged.
        """
        try:
            return json.loads((self.path / name).read_bytes())
        except ValueError as error:
            raise RftgymError(f"{self.path / name} is damaged: {error}") from error

    def write_report(self) -> Path:
        """Write ``report.html`` from what is there, however little that is; returns its path."""
        from rftgym.runs.report import report

        path = self.path / "report.html"
        atomic.write_bytes(path, report(self).encode("utf-8"))
        return path

    @property
    def _metrics(self) -> Path:
        return self.path / "metrics.jsonl"

    def _episodes(self, step: int) -> Path:
        return self.path / "trajectories" / f"step-{step:06d}.jsonl.gz"

    def _best(self, step: int) -> Path:
        return self.path / "best" / f"step-{step:06d}"

    def _checkpoint(self, step: int) -> Path:
        return self.path / "checkpoints" / f"step-{step:06d}"


def _without(arguments: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Arguments of an environment, or of a mix's parts, without one of them."""
    return {
        key: _without(value, name) if isinstance(value, Mapping) else value
        for key, value in arguments.items()
        if key != name
    }


def _steps_in(directory: Path, suffix: str) -> Iterator[int]:
    for path in directory.glob(f"step-*{suffix}"):
        digits = path.name.removeprefix("step-").removesuffix(suffix)
        if digits.isdecimal():
            yield int(digits)


def _moment(when: str) -> float:
    """The step of an evaluation; "after" is later than any."""
    if when == "before":
        return 0.0
    return float(when.removeprefix("step-")) if when.startswith("step-") else float("inf")


def _metrics_line(path: Path, count: int, line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line)
        return {name: number(value) if isinstance(value, str) else value for name, value in values.items()}
    except (ValueError, AttributeError) as error:
        raise RftgymError(f"{path} is damaged at line {count}: {error}; take that line out") from error


def _yaml(config: Mapping[str, Any]) -> bytes:
    import yaml

    text = yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=110)
    return f"# To run this again: rftgym train --config config.yaml\n{text}".encode()


def _hint(directory: Path) -> str:
    """When somebody names the folder of all runs, name its newest run."""
    runs = sorted(path for path in directory.glob("[0-9]*") if is_run(path))
    return f"; it holds runs: did you mean {runs[-1]}?" if runs else ""
