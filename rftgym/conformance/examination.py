"""The whole examination: every check in turn, within the time there is."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rftgym import files
from rftgym.config import EnvSettings, RewardSettings
from rftgym.conformance import (
    episodes,
    growth,
    imports,
    isolation,
    making,
    processes,
    rewards,
    source,
    speed,
    tasks,
)
from rftgym.conformance.findings import Finding, Notes, Report, finding
from rftgym.conformance.playing import Env
from rftgym.conformance.raised import brief, line_of
from rftgym.conformance.speed import TookTooLongError, limited
from rftgym.conformance.subject import Clock, Subject
from rftgym.conformance.watch import watching
from rftgym.mixing import is_mix
from rftgym.plugins import Plugins
from rftgym.registry import installed, make_configured
from rftgym.specs import EnvSpec

SECONDS = 40.0
GRACE_SECONDS = 30.0
"""What a check may take beyond its time before it is interrupted."""
COMPUTES_SECONDS = 15.0
"""Of this process's CPU: where less was used, a busy machine may be the reason."""
Check = Callable[[Subject], Iterator[Finding]]


def _check_import(subject: Subject) -> Iterator[Finding]:
    if subject.module:
        yield from imports.check_import(subject.module, subject.paths)


# In the order of running: what has no episodes first, then what says where others' trouble comes from. Each may take
# its share of the time that is left then.
CHECKS: Mapping[str, tuple[Check, float]] = {
    "source": (source.check_source, 0.1),
    "arguments": (making.check_arguments, 0.1),
    "pickling": (making.check_picklable, 0.1),
    "process state": (making.check_process_state, 0.15),
    "tasks": (tasks.check_tasks, 0.2),
    "start": (episodes.check_start, 0.2),
    "parser": (episodes.check_parser, 0.2),
    "speed": (speed.check_speed, 0.3),
    "declared bounds": (rewards.check_declared, 0.1),
    "solutions": (rewards.check_solutions, 0.3),
    "demonstrations": (episodes.check_demonstrations, 0.1),
    "episodes": (episodes.check_episodes, 0.2),
    "components": (rewards.check_components, 0.2),
    "incentives": (rewards.check_incentives, 0.3),
    "determinism": (isolation.check_determinism, 0.3),
    "leaks": (isolation.check_leaks, 0.3),
    "side by side": (isolation.check_side_by_side, 0.3),
    "threads": (isolation.check_threads, 0.3),
    "snapshots": (isolation.check_snapshots, 0.3),
    "over-long": (episodes.check_over_long, 0.3),
    "rendering": (episodes.check_rendering, 0.3),
    "gymnasium": (episodes.check_gymnasium, 0.3),
    "growth": (growth.check_growth, 0.4),
    "import": (_check_import, 0.5),
    "processes": (processes.check_processes, 1.0),
}


def examine(
    env: str | Env | EnvSettings,
    *,
    rewards: RewardSettings | None = None,
    completions: Sequence[str] = (),
    seconds: float = SECONDS,
    other_processes: bool = True,
    plugins: Plugins | None = None,
    paths: Sequence[str] = (),
    module: str = "",
) -> Report:
    """Examine an environment from every side; one breach does not hide the others.

    Args:
        env: an environment; or an id that :func:`rftgym.make` takes, or settings with such an id (then its construction
            is examined too).
        rewards: changes to its rubric, with an id.
        completions: plausible ones, good and bad; those of its own demonstrations are said anyway.
        seconds: about so long it may take; what did not fit is in the report's ``left_out``.
        other_processes: also play in fresh Python processes; for an id.
        plugins: that the id is looked up in, instead of those installed.
        paths: folders in which other processes look for modules first.
        module: of the plugin that registers it; found out for an installed one.

    Raises:
        RftgymError: there is no such environment, or it says itself that it cannot be made here.
    """
    started, notes = time.monotonic(), Notes()
    if isinstance(env, str):
        env = EnvSettings(id=env)
    if isinstance(env, EnvSettings):
        subject = _by_id(env, rewards or RewardSettings(), notes, Clock(seconds), plugins or installed())
    else:
        subject = Subject(env.id, env, env.spawn, Clock(seconds), notes=notes)
    if subject is not None:
        subject.given, subject.paths, subject.module = tuple(completions), tuple(paths), module
        for name, (check, share) in CHECKS.items():
            if name != "processes" or other_processes:
                run(subject, name, check, share)
    else:
        notes.left_out.append("everything else: the environment cannot be made")
    return notes.report(files.label(env.id), time.monotonic() - started)


def _by_id(
    settings: EnvSettings, rewards: RewardSettings, notes: Notes, clock: Clock, plugins: Plugins
) -> Subject | None:
    """The subject that an id stands for; None where it cannot be made."""

    def again() -> Env:
        return make_configured(settings, rewards, plugins=plugins)

    spec = None if is_mix(settings.id) else plugins.find(EnvSpec.kind, settings.id).spec
    if spec is not None:
        making.watched_making(spec.load, notes, f"importing {files.label(spec.entry_point)}")
    first = making.watched_making(again, notes, "the constructor", _files(spec))
    if first is None:
        return None
    return Subject(
        first.id, first, again, clock, settings=settings, rewards=rewards, plugins=plugins, notes=notes
    )


def _files(spec: Any) -> frozenset[str]:
    """The file of a spec's class, known before there is an environment."""
    if spec is None:
        return frozenset()
    try:
        return frozenset({inspect.getfile(spec.load())})
    except (TypeError, OSError):
        return frozenset()


def run(subject: Subject, name: str, check: Check, share: float) -> None:
    """Note what a check finds, up to where an exception ends it.

    Args:
        share: of the time that is left, which it may take.
    """
    notes = subject.notes
    if subject.clock.hung and not subject.clock.left:
        notes.left_out.append(f"{name}: another examination was interrupted, and there is no time left")
        return
    started, cpu_before = time.monotonic(), time.process_time()
    subject.clock.share(share)
    notes.examined.append(name)
    try:
        with watching(subject.files) as watch, limited(subject.clock.share_left + GRACE_SECONDS, cpu=False):
            for each in check(subject):
                notes.found.append(each)
    except TookTooLongError as error:
        subject.clock.hung = True
        notes.left_out.append(f"the rest of {name}: it was interrupted")
        cpu = time.process_time() - cpu_before
        notes.found.append(
            finding(
                "hangs",
                f"the examination of {name} was interrupted after {time.monotonic() - started:.0f} s, "
                f"{cpu:.0f} of them on the CPU",
                line_of(error, subject.files) or name,
                severity="error" if cpu > COMPUTES_SECONDS else "warning",
            )
        )
    except (Exception, SystemExit) as error:  # noqa: BLE001  # it may raise anything, and the other checks must go on
        notes.left_out.append(f"the rest of {name}: {brief(error, 80)}")
        notes.found.append(finding("raises", f"raises {brief(error)}", line_of(error, subject.files) or name))
    notes.found += watch.findings(f"during the examination of {name}")
