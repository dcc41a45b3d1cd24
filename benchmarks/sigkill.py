"""Kill a run with SIGKILL at random moments, resume it, and compare what comes out with an undisturbed run, bit by bit.

    python benchmarks/sigkill.py grpo --moments 10 --seed 0
    python benchmarks/sigkill.py warm-start --moments 3 --kills 3

A small Wordle run is trained once without disturbance. Then, for each moment, the same run is begun anew, killed there,
and resumed until it is done. Moments are spread over the whole life of a run, one drawn at random from each of
``--moments`` equal parts: start-up, evaluations, rollouts, updates and checkpoint writes are all hit. Compared are the
trained weights (bytes), the metrics of every step, the evaluations, the result and every stored episode with its token
ids and log-probabilities; wall-clock times and memory are left out. Prints a line a moment and a verdict; exit code 1
on any difference.

A warm parent imports the libraries once; each attempt is a fork of it, on one thread, so that none pays for imports.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import pkgutil
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import rftgym
from rftgym.config import merged
from rftgym.runs.directory import RunDirectory

COMMON: dict[str, Any] = {
    "env": {"id": "wordle", "max_turns": 3},
    "model": {"id": "tiny", "lora": {"rank": 4}},
    "sampling": {"max_tokens": 16},
    "evaluation": {"n": 8, "every": 2, "every_n": 4},
    "checkpoints": {"every": 2},
    "guard": {"preflight_tasks": 2},
}
GROUPS = {"prompts": 2, "group_size": 4, "learning_rate": 1e-3, "warmup": 2, "schedule": "cosine-floor"}
SEVERAL = {**GROUPS, "steps": 12, "minibatches": 2, "iterations": 2, "micro_batch": 2}
RUNS: dict[str, dict[str, Any]] = {
    "grpo": {"trainer": {"id": "grpo", "beta": 0.01, **SEVERAL}, "checkpoints": {"take": "best"}},
    "rloo": {"trainer": {"id": "rloo", "beta": 0.01, **SEVERAL}},
    "ppo": {
        "trainer": {
            "id": "ppo", "steps": 6, "prompts": 4, "group_size": 2, "epochs": 2, "minibatches": 2, "micro_batch": 3,
            "learning_rate": 1e-3, "kl_coefficient": 0.05, "kl_target": 0.01, "normalise_rewards": True,
            "value_width": 8, "value_gradient": True, "entropy_coefficient": 0.01, "target_kl": 0.05,
            "schedule": "cosine-floor",
        },
        "checkpoints": {"take": "best"},
    },
    "sft": {
        "trainer": {
            "id": "sft", "steps": 12, "examples": 40, "batch": 4, "micro_batch": 2, "validate_every": 2, "patience": 4,
            "learning_rate": 1e-3,
        },
        "model": {"lora": {"dropout": 0.1}},  # the others refuse it
    },
    "warm-start": {
        "trainer": {"id": "grpo", **GROUPS, "steps": 4},
        "warm_start": {"examples": 16, "settings": {"steps": 4, "batch": 4}},
    },
}  # fmt: skip
"""Settings by name: a trainer, or what is done with one. GRPO and RLOO take four optimizer steps a rollout batch."""
DISTURBED = ("seconds", "per_second", "memory", "time", "created", "resumed", "run")
"""What the names of fields hold that are allowed to differ."""


def forked(work: Callable[[], None], log: Path) -> int:
    """Start ``work`` in a process of its own, the leader of its group; what it prints goes to ``log``."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        with log.open("a") as file:
            for stream in (1, 2):
                os.dup2(file.fileno(), stream)
            work()
            code = 0
    except BaseException:  # noqa: BLE001  # the child must not return into the parent's code
        log.write_text(log.read_text() + traceback.format_exc())
    finally:
        os._exit(code)


def ended(pid: int, seconds: float | None = None) -> int | None:
    """Wait for a process; its exit code, or None where it was killed after ``seconds``."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while True:
        done, status = os.waitpid(pid, os.WNOHANG if deadline is not None else 0)
        if done:
            return os.waitstatus_to_exitcode(status)
        if deadline is not None and time.monotonic() >= deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return None
        time.sleep(0.002)


def begin_or_go_on(settings: Mapping[str, Any], runs: Path) -> None:
    """Resume the run that is there; begin one where none is."""
    begun = [path.parent for path in runs.glob("[0-9]*/config.json")]
    if not begun:
        rftgym.train(**settings, runs=str(runs))
    elif not (begun[0] / "result.json").exists():
        from rftgym.training import resume

        resume(begun[0])


def attempt(settings: Mapping[str, Any], runs: Path, seconds: float | None = None) -> tuple[bool, float]:
    """Carry a run on for so many seconds, or to its end.

    Returns:
        Whether it was killed, and the seconds that it had.
    Raises:
        RuntimeError: it failed; with what it printed.
    """
    started = time.monotonic()
    log = runs.with_suffix(".log")
    code = ended(forked(lambda: begin_or_go_on(settings, runs), log), seconds)
    if code not in (None, 0):
        raise RuntimeError(f"the run ended with {code}:\n{log.read_text()[-4000:]}")
    return code is None, time.monotonic() - started


def outcome(runs: Path) -> dict[str, Any]:
    """Everything of a finished run that has to be the same again."""
    (path,) = [each.parent for each in runs.glob("[0-9]*/result.json")]
    run = RunDirectory.open(path)
    weights = {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in run.adapter.glob("*.safetensors")
    }
    evaluations = run.evaluations()
    found: dict[str, Any] = {
        "weights": weights,
        "metrics": run.metrics(),
        "result": run.read_json("result.json"),
        "evaluations": evaluations,
        "episodes of evaluations": {
            when: [_episode(each) for each in run.evaluation_trajectories(when)] for when in evaluations
        },
        "episodes": {
            step: [_episode(each) for each in run.trajectories(step)] for step in run.trajectory_steps()
        },
    }
    if (path / "warm-start").is_dir():
        found["warm start"] = outcome(path / "warm-start")
    return {name: _lasting(value) for name, value in found.items()}


def _episode(trajectory: rftgym.Trajectory) -> list[Any]:
    logprobs = [turn.logprobs for turn in trajectory.turns]
    known = (trajectory.task.id, trajectory.seed, trajectory.policy_version, trajectory.reward)
    return [*known, trajectory.token_ids, logprobs]


def _lasting(value: Any) -> Any:
    """Without the fields that may differ."""
    if isinstance(value, Mapping):
        kept = {name: each for name, each in value.items() if not _may_differ(str(name))}
        return {name: _lasting(each) for name, each in kept.items()}
    return [_lasting(each) for each in value] if isinstance(value, list) else value


def _may_differ(name: str) -> bool:
    return any(word in name if len(word) > 4 else word == name for word in DISTURBED)


def differences(one: Any, other: Any, where: str = "") -> Iterator[str]:
    """The places at which two outcomes differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in sorted(one.keys() | other.keys(), key=str):
            yield from differences(one.get(name), other.get(name), f"{where}/{name}")
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for index, (mine, others) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, others, f"{where}[{index}]")
    elif json.dumps(one) != json.dumps(other):  # as text, in which NaN equals NaN
        yield f"{where}: {json.dumps(one)[:80]} is now {json.dumps(other)[:80]}"


def moments(n: int, life: float, seed: int) -> list[float]:
    """Seconds into the run, one drawn from each of ``n`` equal parts of its life."""
    rng = Random(f"sigkill:{seed}")
    return [(index + rng.random()) / n * life for index in range(n)]


def warm_up() -> None:
    """Import everything that a run imports, before the first fork; no tensor is made, so no thread is started."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    from rftgym.registry import installed, trainer_class

    plugins = installed()
    for settings in RUNS.values():
        package = trainer_class(settings["trainer"]["id"], plugins=plugins).__module__.partition(".")[0]
        for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
            importlib.import_module(f"{package}.{module.name}")
    for name in ("rftgym.rollout.engine", "rftgym.training", "rftgym_transformers.loading"):
        importlib.import_module(name)


def killed(settings: Mapping[str, Any], at: float, runs: Path) -> tuple[float, str]:
    """Begin a run and kill it at a moment; where it is done by then, since the machine got faster, begin anew.

    Returns:
        The moment, and how far the run had come.
    """
    while not attempt(settings, runs, at)[0]:
        shutil.rmtree(runs)
        at *= 0.8
    begun = list(runs.glob("[0-9]*/config.json"))
    if not begun:
        return at, "no run yet"
    steps = RunDirectory.open(begun[0].parent).checkpoint_steps()
    return at, f"last checkpoint {steps[-1]}" if steps else "no checkpoint yet"


def main() -> int:
    """Run the undisturbed one and all disturbed ones; exit code 1 on any difference."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", choices=sorted(RUNS), help="trainer, or what is done with one")
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument(
        "--kills", type=int, default=1, help="a moment; those after the first hit the resumed run"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    parser.add_argument(
        "--settings", type=json.loads, default={}, help="further settings of the run, as JSON"
    )
    arguments = parser.parse_args()
    settings = merged(COMMON, RUNS[arguments.run], arguments.settings)
    warm_up()
    different, again = 0, Random(f"sigkill:{arguments.seed}:again")
    with tempfile.TemporaryDirectory() as directory:
        undisturbed = Path(directory) / "undisturbed"
        _, life = attempt(settings, undisturbed)
        expected = outcome(undisturbed)
        print(f"{arguments.run}: undisturbed {life:.1f} s, {expected['result']['steps']} steps", flush=True)
        for number, planned in enumerate(moments(arguments.moments, life, arguments.seed), 1):
            runs = Path(directory) / f"moment-{number}"
            at, state = killed(settings, planned, runs)
            for _ in range(arguments.kills - 1):
                attempt(settings, runs, again.random() * life)
            attempt(settings, runs)
            found = list(differences(expected, outcome(runs)))
            different += bool(found)
            verdict = "identical" if not found else f"{len(found)} DIFFERENCES, the first at {found[0]}"
            print(f"  killed at {at:5.2f} s ({state}): {verdict}", flush=True)
    print(
        f"{arguments.run}: {arguments.moments - different} of {arguments.moments} moments ended bit-identical"
    )
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
