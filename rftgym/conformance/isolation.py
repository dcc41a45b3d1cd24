"""Episodes do not depend on each other, on threads or on copies; nothing grows."""

from __future__ import annotations

import functools
import random
import sys
import threading
from collections.abc import Iterator, Sequence

from rftgym import syntax
from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.memory import changed_by
from rftgym.conformance.playing import SEEDS, Env, first_difference, play, transcript
from rftgym.conformance.raised import brief, line_of
from rftgym.conformance.subject import Subject
from rftgym.types import Task, Turn

THREADS = 4
ROUNDS = 3
SWITCH_SECONDS = 1e-5
"""Between threads, while they are tried: what can go wrong shall."""
HANGS_SECONDS = 60.0


def check_determinism(subject: Subject) -> Iterator[Finding]:
    """The same seed in two environments."""
    for seed in subject.in_time("seeds played twice", SEEDS):
        once, again = (transcript(subject.make(), seed, subject.completions) for _ in range(2))
        differs = first_difference(once, again)
        if differs is None:
            continue
        kept = changed_by(subject, functools.partial(transcript, subject.make(), seed, subject.completions))
        if kept:
            yield finding(
                "leaks-across-reset",
                f"two episodes from reset(seed={seed}) differ at {differs}",
                f"kept in {kept}",
            )
        else:
            yield finding("not-deterministic", f"two episodes differ at {differs}", f"reset(seed={seed})")


def check_leaks(subject: Subject) -> Iterator[Finding]:
    """An environment that was used, and left in the middle of an episode, against a fresh one."""
    used, fresh = subject.make(), subject.make()
    transcript(used, 5, subject.completions)
    used.reset(seed=6)
    used.step(subject.completions[0])
    differs = first_difference(
        transcript(used, 7, subject.completions), transcript(fresh, 7, subject.completions)
    )
    if differs is not None and not subject.notes.has("not-deterministic"):
        kept = changed_by(subject, lambda: transcript(used, 5, subject.completions), used)
        yield finding(
            "leaks-across-reset",
            f"an episode in a used environment and one in a fresh one differ at {differs}",
            f"kept in {kept}" if kept else "reset(seed=7)",
        )


def check_side_by_side(subject: Subject) -> Iterator[Finding]:
    """An episode alone, and one beside another of another task, turn by turn."""
    first = subject.make()
    tasks = [*subject.tasks[:2], *subject.tasks[:1]][:2]
    said = subject.completions[: 3 * first.max_turns]
    alone = _beside(first.spawn(), None, tasks, said)
    together = _beside(first.spawn(), first.spawn(), tasks, said)
    differs = first_difference(alone, together)
    if differs is not None:
        yield finding(
            "not-isolated",
            f"it differs beside another episode, at {differs}",
            f"task {tasks[0].id!r}, seed 3",
        )


def _beside(env: Env, other: Env | None, tasks: Sequence[Task], said: Sequence[str]) -> list[str]:
    """What one environment says and pays while another one is at its own episode in between."""
    lines = [str(env.start(tasks[0], 3))]
    if other is not None:
        other.start(tasks[1], 4)
    for text, another in zip(said, reversed(said), strict=True):
        if env.trajectory.terminated or env.trajectory.truncated:
            break
        if other is not None:
            if other.trajectory.terminated or other.trajectory.truncated:
                other.start(tasks[1], 4)
            other.advance(Turn((), another))
        lines.append(str(env.advance(Turn((), text))))
    if env.trajectory.terminated or env.trajectory.truncated:
        lines.append(str(env.rubric.score(env.trajectory)))
    return lines


def check_threads(subject: Subject) -> Iterator[Finding]:
    """Several environments of the kind at once, each in a thread."""
    first = subject.make()
    seeds = list(range(20, 20 + THREADS))
    expected = [_work(subject, first.spawn(), seed) for seed in seeds]
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        for _ in subject.in_time("rounds in threads", range(ROUNDS)):
            found = _round(subject, first, seeds, expected)
            yield from found
            if found:
                return
    finally:
        sys.setswitchinterval(before)


def _work(subject: Subject, env: Env, seed: int) -> list[str]:
    """An episode of odd completions, and some solutions, which must keep on being judged as such."""
    lines = transcript(env, seed, subject.completions)
    for number in range(min(2, len(subject.solutions))):
        solution = subject.solutions[(seed + number) % len(subject.solutions)]
        lines.append(str(play(env, solution.task, solution.seed, solution.completions).score))
    return lines


def _round(
    subject: Subject, first: Env, seeds: Sequence[int], expected: Sequence[Sequence[str]]
) -> list[Finding]:
    results: dict[int, list[str] | Exception] = {}
    ready = threading.Barrier(len(seeds))

    def work(seed: int) -> None:
        env = first.spawn()
        ready.wait()
        try:
            results[seed] = _work(subject, env, seed)
        except Exception as error:  # noqa: BLE001  # told below
            results[seed] = error

    threads = [threading.Thread(target=work, args=(seed,), daemon=True) for seed in seeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANGS_SECONDS)
    return [
        found
        for seed, lines in zip(seeds, expected, strict=True)
        if (found := _of_thread(subject, seed, lines, results.get(seed))) is not None
    ]


def _of_thread(
    subject: Subject, seed: int, expected: Sequence[str], found: list[str] | Exception | None
) -> Finding | None:
    where = f"{THREADS} threads, reset(seed={seed})"
    if found is None:
        return finding("not-thread-safe", f"an episode did not end in {HANGS_SECONDS:g} s", where)
    if isinstance(found, Exception):
        line = line_of(found, subject.files)
        cure = ": ast.parse is to blame, parse with rftgym.syntax.parse" if syntax.is_collision(found) else ""
        where = f"{line} ({where})" if line else where
        return finding("not-thread-safe", f"raises {brief(found)}{cure}", where)
    differs = first_difference(expected, found)
    if differs is None:
        return None
    return finding(
        "not-thread-safe", f"an episode alone and one beside others in threads differ at {differs}", where
    )


def check_snapshots(subject: Subject) -> Iterator[Finding]:
    """Going back to a snapshot, in the same environment and in another one."""
    if not subject.first.snapshots:
        subject.notes.left_out.append("snapshots: the environment says that it has none")
        return
    for seed in subject.in_time("seeds with snapshots", SEEDS):
        env, other = subject.make(), subject.make()
        draw = random.Random(seed)
        said = [draw.choice(subject.completions) for _ in range(min(env.max_turns, 12))]
        env.reset(seed=seed)
        for turn, text in enumerate(said):
            try:
                snapshot = env.snapshot()
            except Exception as error:  # noqa: BLE001  # what cannot be copied may raise anything
                yield finding(
                    "not-copyable", f"snapshot() raises {brief(error)}", f"turn {turn}, reset(seed={seed})"
                )
                return
            expected = _continued(env, said[turn:])
            for another in (env, other):
                another.restore(snapshot)
                differs = first_difference(expected, _continued(another, said[turn:]))
                if differs is not None:
                    yield finding(
                        "not-copyable",
                        f"an episode after restore() and one without differ at {differs}",
                        f"turn {turn}, reset(seed={seed})",
                    )
                    return
            env.restore(snapshot)
            if any(env.step(text)[2:4]):
                break


def _continued(env: Env, completions: Sequence[str]) -> list[str]:
    lines = []
    for completion in completions:
        observation, reward, terminated, truncated, _ = env.step(completion)
        lines.append(f"{observation!r} {reward!r} {terminated} {truncated}")
        if terminated or truncated:
            break
    return lines
