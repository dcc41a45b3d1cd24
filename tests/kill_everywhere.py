"""Kills a run before each thing that it does to the disk, goes on with it, and compares what is left with a whole run.

``python kill_everywhere.py DIRECTORY FIRST EVERY [BEFORE]`` prints a JSON object: the files of a whole run, the number
of moments in its life, and for each moment that was tried, in which files the resumed run differs. With BEFORE, runs
are killed at that moment first, and it is the resumed process that is killed at the others. A process of its own,
since it forks.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
import re
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import torch

import rftgym
from rftgym import registry, training
from rftgym.config import ModelSettings, OptimizerSettings
from rftgym.errors import UsageError
from rftgym.plugins import Plugins, discover
from rftgym.tasks import SPLITS, ListTaskset
from rftgym.trainer import StopRequested, TrainContext

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"}
"""Audit events of what changes a directory; to open a file for writing is one more."""
UNLIKE = ("seconds", "per_second", "memory", "time", "created", "run", "runs")
"""Fields whose names hold one of these differ from run to run."""
SETTINGS = {
    "env": "graded",
    "trainer": {"id": "nudge", "steps": 4},
    "warm_start": {"examples": 1, "id": "nudge", "settings": {"steps": 2}},
    "evaluation": {"n": 2, "every": 1, "every_n": 2},
    "sampling": {"max_tokens": 2},
    "checkpoints": {"every": 2, "keep": 1, "take": "best"},
    "guard": {"preflight_tasks": 1, "dry_step": False},
}


class Graded(rftgym.SingleTurnEnv):
    """Every episode is paid by the weights at the moment: most after the second step of the run proper."""

    def make_tasks(self) -> ListTaskset:
        return ListTaskset(rftgym.Task(f"{split}-{i}", {}, split) for split in SPLITS for i in range(3))

    def make_rubric(self) -> rftgym.Rubric:
        return rftgym.Rubric([rftgym.Component("paid", self.paid)], success="paid")

    @staticmethod
    def paid(trajectory: rftgym.Trajectory) -> float:
        return {4: 1.0, 5: 0.5}.get(Nudge.level, 0.1)

    def prompt(self, task: rftgym.Task) -> str:
        return task.id


class Nudge(rftgym.Trainer):
    """Adds 1 to a weight a step."""

    class Config(OptimizerSettings):
        steps: int = 4
        examples: int | None = None

    level: ClassVar[int] = 0

    def train(self, context: TrainContext) -> int:
        policy: Any = context.policy
        if context.resume_from is not None:
            policy.restore(context.resume_from)
        self.look(policy)
        steps: int = context.settings.steps  # type: ignore[attr-defined]
        for step in range(context.step + 1, steps + 1):
            context.rollout(step, context.env.tasks.sample("train", 1, step), [step], 2)
            with torch.no_grad():
                weight(policy)[0, 0] += 1
            self.look(policy)
            try:
                context.step_done(step, steps, {"level": float(self.level)})
            except StopRequested:
                raise AssertionError("nobody asked") from None
            if context.checkpoint_due(step, steps):
                with context.checkpoint(step) as directory:
                    policy.save(directory)
        policy.refresh()
        return context.step

    @classmethod
    def look(cls, policy: Any) -> None:
        cls.level = int(weight(policy)[0, 0])


def weight(policy: Any) -> torch.Tensor:
    named = dict(policy.model.named_parameters())
    found: torch.Tensor = named[min(name for name in named if "lora_B" in name)]
    return found


class Toy:
    @rftgym.hookimpl
    def rftgym_environments(self) -> list[rftgym.EnvSpec]:
        return [rftgym.EnvSpec("graded", f"{__name__}:Graded")]

    @rftgym.hookimpl
    def rftgym_trainers(self) -> list[rftgym.TrainerSpec]:
        return [rftgym.TrainerSpec("nudge", f"{__name__}:Nudge")]


# ---- killing


def watch(runs: Path, kill_at: int | None) -> list[str]:
    """Count what happens below a directory, and end this process the hard way at one of these moments."""
    seen: list[str] = []

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if not (writes or event in CHANGES) or not str(arguments[0]).startswith(str(runs)):
            return
        if len(seen) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        seen.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)
    return seen


def attempt(runs: Path, plugins: Plugins, kill_at: int | None) -> bool:
    """Begin the run, or go on with it, in a process of its own; whether that was killed.

    Raises:
        RuntimeError: it failed.
    """
    pid = os.fork()
    if pid:
        _, status = os.waitpid(pid, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status):
            raise RuntimeError(f"an attempt in {runs} failed, see above")
        return os.WIFSIGNALED(status)
    code = 1
    try:
        seen = watch(runs, kill_at)
        begun = [path.parent for path in runs.glob("[0-9]*/config.json")]
        if begun:
            training.resume(begun[0], plugins=plugins)
        else:
            training.train(**SETTINGS, runs=str(runs), plugins=plugins)  # type: ignore[arg-type]
        runs.with_suffix(".moments").write_text("\n".join(seen))
        code = 0
    except UsageError as error:  # killed behind the end
        code = 0 if "complete" in str(error) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())
        raise
    finally:
        os._exit(code)


def left(runs: Path) -> dict[str, Any]:
    """The files of a run by name, with what has to be the same in them."""
    (root,) = runs.glob("[0-9]*")
    files = {re.sub(r"\d{8}-\d{6}-", "", str(p.relative_to(root))): p for p in root.rglob("*") if p.is_file()}
    return {name: content(path) for name, path in sorted(files.items()) if path.name != ".writer"}


def content(path: Path) -> Any:
    if path.suffix == ".safetensors":
        return hashlib.sha256(path.read_bytes()).hexdigest()
    if path.name == "metrics.jsonl":
        return [lasting(json.loads(line)) for line in path.read_text().splitlines()]
    if (path.parent.name == "evaluations" and path.suffix == ".json") or path.name == "result.json":
        return lasting(json.loads(path.read_text()))
    return path.read_bytes().hex() if path.name == "preflight.json" else None


def lasting(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: lasting(v) for k, v in value.items() if not any(word in k for word in UNLIKE)}
    return [lasting(each) for each in value] if isinstance(value, list) else value


def main(directory: Path, first: int, every: int, before: int | None = None) -> None:
    plugins = discover()
    plugins.add(Toy(), name="toy")
    torch.set_num_threads(1)
    policy = registry.make_policy(ModelSettings(), trainable=True, seed=0, plugins=plugins)
    vars(training)["make_policy"] = lambda *_, **__: copy.deepcopy(policy)
    attempt(directory / "whole", plugins, None)
    moments = (directory / "whole.moments").read_text().splitlines()
    whole = left(directory / "whole")
    found: dict[str, list[str]] = {}
    for at in range(first, len(moments), every):
        runs = directory / f"killed-{at}"
        if before is not None:
            attempt(runs, plugins, before)
        if not attempt(runs, plugins, at):
            break  # the life of a resumed process is shorter
        attempt(runs, plugins, None)
        other = left(runs)
        name = f"{at}: {moments[at].replace(str(directory), '')}" if before is None else str(at)
        found[name] = [key for key in {**whole, **other} if whole.get(key, "-") != other.get(key, "-")]
    print(json.dumps({"moments": len(moments), "files": list(whole), "found": found}))  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
