"""Whether an environment keeps the contract: for the tests of whoever writes one.

::

    from rftgym.testing import check_env

    def test_contract():
        check_env("my-env", completions=["<answer>4</answer>", "no idea"])

:func:`check_env` plays the environment in every way that trainers, evaluations and people will, and raises
:class:`rftgym.errors.ContractError` at the first breach: what happened, where, why it matters and what to do about it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, NoReturn

import gymnasium.utils.env_checker
import numpy as np

from rftgym.env import TextEnv
from rftgym.errors import ContractError, UsageError
from rftgym.registry import make
from rftgym.tasks import SPLITS, Taskset
from rftgym.types import Message, Task, Turn

Env = TextEnv[Any]
SEEDS = (0, 1, 12345)
TASKS_LOOKED_AT = 400
"""Of each split; a smaller finite one is looked at entirely."""
GARBAGE = (
    "",
    " \n\t ",
    "\x00\x01\x02\x7f\x1b[31m",
    "\ud800 half a character",
    "𝔠𝔯𝔞𝔫𝔢 \u202e olleh 🦄\u0301",
    "<answer>",
    "</answer><answer>",
    "<answer>" * 50 + "x" + "</answer>" * 50,
    "{" * 500,
    "-1e999 NaN 1/0 ٣",
    "'; DROP TABLE tasks; --\\",
    "%s %n {0} {env} $HOME `id`",
)


def check_env(env: str | Env, *, completions: Sequence[str] = (), processes: bool = True) -> None:
    """Check an environment against the contract.

    Args:
        env: an environment, or the id of an installed one (then its construction is checked too).
        completions: plausible ones, good and bad; assistant messages of its demonstrations are used anyway.
        processes: also play in fresh Python processes with other hash seeds (about a second each); needs an id.

    Raises:
        ContractError: at the first breach.
    """
    subject = _Subject.of(env, completions)
    for check in CHECKS:
        with _global_random_state_kept(subject.id, check.__name__.removeprefix("_check_")):
            check(subject)
    if processes and isinstance(env, str):
        _check_other_processes(subject)


@dataclass(frozen=True)
class _Subject:
    """The environment under test: its id, how to make another one, and what to say to it."""

    id: str
    make: Callable[[], Env]
    completions: tuple[str, ...]

    @classmethod
    def of(cls, env: str | Env, completions: Sequence[str]) -> _Subject:
        if isinstance(env, str):
            with _no_network(env):
                first = make(env)
            subject = cls(env, lambda: make(env), ())
        else:
            first = env
            subject = cls(env.id, env.spawn, ())
        shown = (
            m.content for talk in first.demonstrations("train", 2, 0) for m in talk if m.role == "assistant"
        )
        return cls(subject.id, subject.make, (*completions, *islice(shown, 12), *GARBAGE))

    def breach(self, what: str, cure: str) -> NoReturn:
        raise ContractError(f"environment {self.id!r}: {what}. {cure}")


# -------------------------------------------------------------------------------------------------------------- playing


def transcript(env: Env, seed: int, completions: Sequence[str]) -> list[str]:
    """One episode through Gymnasium's door, as lines: what was observed, paid and said about each turn.

    The completions are given in an order that the seed decides, again and again, until the episode is over.
    """
    observation, info = env.reset(seed=seed)
    lines = [f"{info['task']}: {observation!r}"]
    draw = random.Random(seed)
    over = False
    while not over:
        observation, reward, terminated, truncated, info = env.step(draw.choice(completions))
        told = {name: value for name, value in info.items() if name not in ("score", "failures")}
        lines.append(f"{observation!r} {reward!r} {terminated} {truncated} {told!r}")
        over = terminated or truncated
    return lines


def transcript_digest(id: str, completions: Sequence[str]) -> str:
    """A digest of episodes, to be compared between processes."""
    env = make(id)
    lines = [line for seed in SEEDS for line in transcript(env, seed, completions)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def task_digest(tasks: Taskset, n: int = TASKS_LOOKED_AT) -> str:
    """A digest of the ids in each split (the first ``n`` of an endless one), for a test that they never change."""
    ids = [[split, *(task.id for task in _items(tasks, split, n))] for split in SPLITS]
    return hashlib.sha256(json.dumps(ids).encode()).hexdigest()[:16]


def _items(tasks: Taskset, split: str, endless: int, seed: int = 0) -> list[Task]:
    size = tasks.size(split)
    return [tasks.item(split, index, seed) for index in range(endless if size is None else size)]


# --------------------------------------------------------------------------------------------------------------- checks


def _check_tasks(subject: _Subject) -> None:
    tasks, again = subject.make().tasks, subject.make().tasks
    if tasks.size("train") == 0:
        subject.breach("split 'train' is empty", "make_tasks() must give tasks to train on")
    seen: dict[str, Task] = {}
    posed: dict[str, Task] = {}
    for split in SPLITS:
        items, others = _items(tasks, split, TASKS_LOOKED_AT), _items(again, split, TASKS_LOOKED_AT)
        for task, other in zip(items, others, strict=True):
            if task != other:
                subject.breach(
                    f"an item of split {split!r} differs between two environments: {task.id!r} and {other.id!r}",
                    "item(split, index, seed) must depend on its arguments only",
                )
            _check_task(subject, tasks, task, split)
            twin = seen.setdefault(task.id, task)
            if twin is not task:
                subject.breach(
                    f"id {task.id!r} is in {twin.split!r} and in {split!r}",
                    "Ids must be unique, splits disjoint",
                )
            data = json.dumps(task.data, sort_keys=True)
            if posed.setdefault(data, task).split != split:
                twin = posed[data]
                subject.breach(
                    f"{task.id!r} of {split!r} poses the same problem as {twin.id!r} of {twin.split!r}",
                    "What is trained on must not be tested on: keep the splits apart, say by ranges of values",
                )


def _check_task(subject: _Subject, tasks: Taskset, task: Task, split: str) -> None:
    if task.split != split:
        subject.breach(
            f"task {task.id!r} of split {split!r} says it is of {task.split!r}", "Give Task its split"
        )
    if tasks.by_id(task.id) != task:
        subject.breach(
            f"by_id({task.id!r}) is another task than item() gave", "by_id must find what item gives"
        )
    if task.difficulty is not None and not 0 <= task.difficulty <= 1:
        subject.breach(
            f"task {task.id!r} has difficulty {task.difficulty!r}", "It is None or from 0 (easy) to 1 (hard)"
        )
    try:
        json.dumps(task.data)
    except (TypeError, ValueError) as error:
        subject.breach(
            f"the data of task {task.id!r} are not JSON: {error}", "Trajectories are stored: use plain values"
        )


def _check_gymnasium(subject: _Subject) -> None:
    try:
        gymnasium.utils.env_checker.check_env(subject.make(), skip_render_check=True)
    except AssertionError as error:
        subject.breach(f"gymnasium's check_env says: {error}", "See gymnasium.utils.env_checker")


def _check_start(subject: _Subject) -> None:
    env = subject.make()
    task = env.tasks.item("train", 0)
    messages = env.start(task, 0)
    if not messages or messages[-1].role != "user" or not all(isinstance(m, Message) for m in messages):
        subject.breach(
            f"the first messages are {messages!r}", "begin() must end with something for the policy to answer"
        )
    _, info = env.reset(seed=0, options={"task": task.id})
    if info["task"] != task.id:
        subject.breach(
            f"reset(options={{'task': {task.id!r}}}) posed {info['task']!r}", "Do not override reset()"
        )
    for options in ({"task": "\x00 no such task"}, {"split": "no such split"}, {"no such option": 1}):
        try:
            env.reset(options=options)
        except UsageError:
            continue
        subject.breach(
            f"reset(options={options}) was accepted", "What cannot be must raise rftgym.errors.UsageError"
        )


def _check_episodes(subject: _Subject) -> None:
    env = subject.make()
    for seed in SEEDS:
        for completion in (*subject.completions, "a" * env.max_completion_chars):
            _check_episode(subject, env, seed, completion)


def _check_episode(subject: _Subject, env: Env, seed: int, completion: str) -> None:
    env.reset(seed=seed)
    said, paid, score = f"to {completion[:60]!r} after reset(seed={seed})", 0.0, None
    for turn in range(env.max_turns + 1):
        try:
            result = env.step(completion)
        except Exception as error:  # any exception is the breach that is looked for
            cure = "An odd completion is data: say in the observation what is wrong with it"
            raise ContractError(
                f"environment {subject.id!r}: step raised {type(error).__name__}: {error} {said}. {cure}"
            ) from error
        reward, info = _check_step(subject, env, result, said)
        paid += reward
        score = info.get("score")
        if score is not None:
            break
        if turn == env.max_turns - 1:
            subject.breach(
                f"{env.max_turns} turns did not end an episode {said}", "Do not override advance()"
            )
    if score is None or not (
        math.isnan(paid) if score.reward is None else math.isclose(paid, score.reward, abs_tol=1e-9)
    ):
        subject.breach(f"rewards sum to {paid}, the score is {score} {said}", "Do not override step()")
    try:
        env.step(completion)
    except UsageError:
        return
    subject.breach("step() after the end of an episode was accepted", "Do not override advance()")


def _check_step(subject: _Subject, env: Env, result: Any, said: str) -> tuple[float, dict[str, Any]]:
    observation, reward, terminated, truncated, info = result
    if observation not in env.observation_space:
        subject.breach(
            f"observation {observation!r:.80} {said} is not in the observation space", "Shorten it"
        )
    if type(reward) is not float or type(terminated) is not bool or type(truncated) is not bool:
        subject.breach(
            f"reward {reward!r}, terminated {terminated!r} or truncated {truncated!r} {said} is of another type",
            "A reward is a float, the others are bools",
        )
    if info.get("failures"):
        subject.breach(
            f"a reward failed {said}: {info['failures'][0]}",
            "A component must be able to judge anything, or say None",
        )
    if ("score" in info) != (terminated or truncated):
        subject.breach(
            f"info has {sorted(info)} {said}", "'score' belongs to the end of an episode and nowhere else"
        )
    try:
        json.dumps({name: value for name, value in info.items() if name not in ("score", "failures")})
    except (TypeError, ValueError) as error:
        subject.breach(
            f"info {said} is not JSON: {error}", "Trajectories are stored: use plain values in Response.info"
        )
    return reward, info


def _check_determinism(subject: _Subject) -> None:
    for seed in SEEDS:
        once, again = (transcript(subject.make(), seed, subject.completions) for _ in range(2))
        _compare(
            subject,
            once,
            again,
            f"two episodes from reset(seed={seed})",
            "Draw from the rng that is passed, nothing else",
        )


def _check_isolation(subject: _Subject) -> None:
    used, fresh = subject.make(), subject.make()
    transcript(used, 5, subject.completions)
    used.reset(seed=6)
    used.step(subject.completions[0])
    _compare(
        subject,
        transcript(used, 7, subject.completions),
        transcript(fresh, 7, subject.completions),
        "an episode in a used environment and one in a fresh one",
        "begin() must make the whole state anew",
    )
    task, (one, two) = fresh.tasks.item("train", 0), (fresh.spawn(), fresh.spawn())
    alone = _advanced([fresh.spawn()], task, subject.completions)
    together = _advanced([one, two], task, subject.completions)
    _compare(
        subject,
        alone,
        together,
        "an episode alone and one beside another",
        "Keep all state in what begin() returns",
    )


def _advanced(envs: Sequence[Env], task: Task, completions: Sequence[str]) -> list[str]:
    """The first environment's observations when all of them play turn by turn through the engine's door."""
    lines = [str(env.start(task, 3, sample=0)) for env in envs][:1]
    for completion in completions:
        playing = [env for env in envs if not (env.trajectory.terminated or env.trajectory.truncated)]
        answers = [env.advance(Turn((), completion)) for env in playing]
        if envs[0] in playing:
            lines.append(str(answers[playing.index(envs[0])]))
    return lines


def _check_snapshots(subject: _Subject) -> None:
    for seed in SEEDS:
        env, other = subject.make(), subject.make()
        draw = random.Random(seed)
        chosen = [draw.choice(subject.completions) for _ in range(env.max_turns)]
        env.reset(seed=seed)
        for turn, completion in enumerate(chosen):
            snapshot = env.snapshot()
            expected = _continued(env, chosen[turn:])
            for another in (env, other):
                another.restore(snapshot)
                _compare(
                    subject,
                    expected,
                    _continued(another, chosen[turn:]),
                    f"turn {turn} after restore() and without",
                    "The state must survive copy.deepcopy: no open files, generators or module globals in it",
                )
            env.restore(snapshot)
            if any(env.step(completion)[2:4]):
                break


def _continued(env: Env, completions: Sequence[str]) -> list[str]:
    lines = []
    for completion in completions:
        observation, reward, terminated, truncated, _ = env.step(completion)
        lines.append(f"{observation!r} {reward!r} {terminated} {truncated}")
        if terminated or truncated:
            break
    return lines


def _check_over_long(subject: _Subject) -> None:
    env = subject.make()
    env.reset(seed=0)
    _, _, terminated, truncated, info = env.step("a" * (env.max_completion_chars + 1))
    if terminated or not truncated or info.get("failures"):
        subject.breach(
            f"a completion of more than {env.max_completion_chars} characters gave terminated={terminated}, "
            f"truncated={truncated}, failures={info.get('failures')}",
            "It must truncate the episode, and be judged as it is",
        )


def _check_rendering(subject: _Subject) -> None:
    env = subject.make()
    env.render_mode = "ansi"
    env.reset(seed=0)
    before = env.render()
    env.step(subject.completions[0])
    if not isinstance(before, str) or not isinstance(env.render(), str):
        subject.breach("render() in mode 'ansi' gave no text", "rendered() must return a string")


def _check_demonstrations(subject: _Subject) -> None:
    env = subject.make()
    first, again = (list(islice(env.demonstrations("train", 3, 9), 3)) for _ in range(2))
    if first != again:
        subject.breach("demonstrations of one seed differ", "Draw from a generator made from the seed")
    for conversation in first:
        roles = [message.role for message in conversation if message.role != "system"]
        if roles[:1] != ["user"] or any(a == b for a, b in pairwise(roles)):
            subject.breach(
                f"a demonstration's roles are {roles}", "user and assistant must take turns, the user first"
            )


def _check_other_processes(subject: _Subject) -> None:
    program = (
        "import json, sys; from rftgym.testing import transcript_digest; "
        "print(transcript_digest(sys.argv[1], json.load(sys.stdin)))"
    )
    digests = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", program, subject.id],
            input=json.dumps(subject.completions),
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            subject.breach(
                f"it cannot be played in another process: {done.stderr[-500:]}", "Is it installed?"
            )
        digests.add(done.stdout.strip())
    if digests != {transcript_digest(subject.id, subject.completions)}:
        subject.breach(
            "the same seeds give other episodes in other processes",
            "Do not iterate over sets, nor use hash() of strings",
        )


CHECKS: tuple[Callable[[_Subject], None], ...] = (
    _check_tasks,
    _check_gymnasium,
    _check_start,
    _check_determinism,
    _check_isolation,
    _check_episodes,
    _check_over_long,
    _check_snapshots,
    _check_rendering,
    _check_demonstrations,
)


def _compare(subject: _Subject, one: Sequence[str], other: Sequence[str], where: str, cure: str) -> None:
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            subject.breach(f"{where} differ at line {number}: {a:.200} and {b:.200}", cure)
    if len(one) != len(other):
        subject.breach(f"{where} have {len(one)} and {len(other)} turns", cure)


def _global_random_state() -> tuple[Any, ...]:
    kind, keys, *position = np.random.get_state()  # noqa: NPY002  # looked at, not drawn from
    return random.getstate(), kind, np.asarray(keys).tobytes(), position


@contextlib.contextmanager
def _global_random_state_kept(id: str, where: str) -> Iterator[None]:
    """The process's global generators are everybody's: whoever draws from them or seeds them changes other episodes."""
    before, found = _global_random_state(), None
    try:
        yield
    except ContractError as error:
        found = error
    if _global_random_state() != before:  # said first: it is the likely cause of another breach
        raise ContractError(
            f"environment {id!r} changed the process's global random state ({where}). "
            "Draw from the rng that is passed, or from random.Random(seed)"
        ) from found
    if found is not None:
        raise found


@contextlib.contextmanager
def _no_network(id: str) -> Iterator[None]:
    """Constructing must not reach out: no download, no server."""

    def refuse(*args: Any, **kwargs: Any) -> NoReturn:
        raise ContractError(
            f"environment {id!r} opens a network connection when it is made. Ship the data, or fetch them by a command"
        )

    connect, resolve = socket.socket.connect, socket.getaddrinfo
    socket.socket.connect = refuse  # type: ignore[method-assign]
    socket.getaddrinfo = refuse
    try:
        yield
    finally:
        socket.socket.connect = connect  # type: ignore[method-assign]
        socket.getaddrinfo = resolve
