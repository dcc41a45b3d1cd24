"""Episodes: the protocol of reset and step, odd completions, limits."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import gymnasium.utils.env_checker

from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.playing import SEEDS, Env, has_half_characters, place, quoted
from rftgym.conformance.raised import brief, line_of
from rftgym.conformance.speed import LIMIT_SECONDS, TookTooLongError, limited
from rftgym.conformance.subject import Subject
from rftgym.errors import ContractError, UsageError
from rftgym.parser import Parsed
from rftgym.types import Message

TO_THE_PARSER = ("[" * 65_536, "<a>" * 20_000, "\ud800" * 1000, "\x00" * 1000, "()" * 30_000, "```" * 20_000)
"""Longer than most environments let through: the parser sees them before they are refused."""


def check_gymnasium(subject: Subject) -> Iterator[Finding]:
    """Gymnasium's own examination."""
    env = subject.make()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what it warns of is no breach, or told by a rule of ours
            gymnasium.utils.env_checker.check_env(env, skip_render_check=True)
    except AssertionError as error:
        if env.max_turns == 1 and "truncates after 1 step" in str(error):
            return  # as it was asked to
        if "step rewards are not" in str(error) and _cannot_be_scored(env):
            return  # NaN is not equal to NaN: it is as unscored the second time as it was the first
        yield finding(
            "gymnasium", f"gymnasium's check_env says: {brief(error)}", "gymnasium.utils.env_checker"
        )


def _cannot_be_scored(env: Env) -> bool:
    """Whether the last episode ended without a reward."""
    score = env.trajectory.score
    return score is not None and score.reward is None


def check_start(subject: Subject) -> Iterator[Finding]:
    """How an episode begins, and what reset takes."""
    env = subject.make()
    task = env.tasks.item("train", 0)
    messages: Any = env.start(task, 0)
    if not messages or not all(isinstance(m, Message) for m in messages) or messages[-1].role != "user":
        yield finding(
            "nothing-to-answer", f"the first messages are {messages!r:.200}", f"begin(), {place(task, 0)}"
        )
        return
    observation, info = env.reset(seed=0, options={"task": task.id})
    if info["task"] != task.id:
        yield finding(
            "reset-options", f"reset(options={{'task': {task.id!r}}}) posed {info['task']!r}", "reset()"
        )
    if observation not in env.observation_space:
        yield _too_long(observation, f"begin(), {place(task, 0)}")
    if has_half_characters(observation):
        yield finding("half-characters", f"poses {quoted(observation)}", f"begin(), {place(task, 0)}")
    for options in ({"task": "\x00 no such task"}, {"split": "no such split"}, {"no such option": 1}):
        try:
            env.reset(options=options)
        except UsageError:
            continue
        yield finding("reset-options", f"reset(options={options}) was accepted", "reset()")


def _too_long(observation: object, where: str) -> Finding:
    size = f"of {len(observation)} characters" if isinstance(observation, str) else f"{observation!r:.60}"
    return finding("observation-space", f"an observation {size} is not in the observation space", where)


def check_parser(subject: Subject) -> Iterator[Finding]:
    """The parser alone, on everything."""
    env = subject.make()
    for text in subject.in_time("texts for the parser", (*subject.completions, *TO_THE_PARSER)):
        try:
            with limited(LIMIT_SECONDS):
                parsed: Any = env.parser.parse(text)
        except TookTooLongError as error:
            if not error.cpu:
                raise  # the time for the whole examination is over
            where = line_of(error, subject.files) or type(env.parser).__name__
            yield finding("slow-on-long", f"parse({quoted(text)}) took more than {LIMIT_SECONDS:g} s", where)
            return  # the others would take as long
        except Exception as error:  # noqa: BLE001  # any exception is the breach that is looked for
            where = line_of(error, subject.files) or type(env.parser).__name__
            yield finding("parser-raises", f"parse({quoted(text)}) raises {brief(error)}", where)
            continue
        if type(parsed) is not Parsed or type(parsed.well_formed) is not bool:
            yield finding(
                "parser-raises",
                f"parse({quoted(text)}) gives {parsed!r:.80}, which is no Parsed(answer, bool)",
                type(env.parser).__name__,
            )


def check_episodes(subject: Subject) -> Iterator[Finding]:
    """Every completion, said throughout an episode."""
    env = subject.make()
    longest = [] if subject.notes.has("slow-on-long") else ["a" * env.max_completion_chars]
    cases = [(seed, text) for seed in SEEDS for text in (*subject.completions, *longest)]
    for seed, text in subject.in_time("episodes", cases, at_least=len(SEEDS)):
        yield from _check_episode(subject, env, seed, text)


def _check_episode(subject: Subject, env: Env, seed: int, text: str) -> Iterator[Finding]:
    _, begun = env.reset(seed=seed)
    where, paid, score = f"{place(begun['task'], seed, text)}, by reset()", 0.0, None
    for turn in range(env.max_turns + 1):
        try:
            result = env.step(text)
        except Exception as error:  # noqa: BLE001  # any exception is the breach that is looked for
            yield _raised(subject, error, where)
            return
        at = f"turn {turn + 1}, {where}"
        found = list(_check_step(env, result, at))
        if has_half_characters(result[0]) and not has_half_characters(text):  # else it may quote the answer
            found.append(finding("half-characters", f"says {quoted(result[0])}", at))
        yield from found
        if any(each.check in ("five-tuple", "score-misplaced") for each in found):
            return
        paid += result[1]
        score = result[4].get("score")
        if score is not None:
            break
        if turn >= env.max_turns - 1:
            yield finding("episode-never-ends", f"{env.max_turns} turns did not end the episode", where)
            return
    if score is not None and not _sums(paid, score.reward):
        yield finding("reward-sum", f"rewards sum to {paid}, the score is {score.reward}", where)
    try:
        env.step(text)
    except UsageError:
        return
    yield finding("episode-never-ends", "step() after the end of an episode was accepted", where)


def _sums(paid: float, reward: float | None) -> bool:
    return math.isnan(paid) if reward is None else math.isclose(paid, reward, abs_tol=1e-9)


def _raised(subject: Subject, error: Exception, where: str) -> Finding:
    line = line_of(error, subject.files)
    at = f"{line} ({where})" if line else where
    if isinstance(error, ContractError) and "said nothing" in str(error):
        return finding("silent-turn", brief(error), where)
    return finding("step-raises", f"step raises {brief(error)}", at)


def _check_step(env: Env, result: Any, where: str) -> Iterator[Finding]:
    observation, _, terminated, truncated, info = result
    types = tuple(map(type, result[1:]))
    if types != (float, bool, bool, dict):
        named = ", ".join(each.__name__ for each in types)
        yield finding("five-tuple", f"reward, terminated, truncated and info are {named}", where)
        return
    if observation not in env.observation_space:
        yield _too_long(observation, where)
    if ("score" in info) != (terminated or truncated):
        yield finding(
            "score-misplaced",
            f"the episode {'is' if terminated or truncated else 'is not'} over, and info has {sorted(info)}",
            where,
        )
    try:
        told = {name: value for name, value in info.items() if name not in ("score", "failures")}
        json.dumps(told, allow_nan=False)
    except (TypeError, ValueError) as error:
        yield finding("info-not-json", f"info is not JSON: {error}", where)


def check_over_long(subject: Subject) -> Iterator[Finding]:
    """An answer longer than the limit."""
    env = subject.make()
    _, begun = env.reset(seed=0)
    text = "a" * (env.max_completion_chars + 1)
    _, _, terminated, truncated, info = env.step(text)
    score = info.get("score")
    if terminated or not truncated or (score is not None and score.success):
        yield finding(
            "over-long",
            f"a completion of {len(text)} characters gave terminated={terminated}, truncated={truncated}, "
            f"success={score and score.success}",
            place(begun["task"], 0),
        )


def check_rendering(subject: Subject) -> Iterator[Finding]:
    """What render() gives, before and after a turn."""
    env = subject.make()
    env.render_mode = "ansi"
    env.reset(seed=0)
    before = env.render()
    env.step(subject.completions[0])
    if not isinstance(before, str) or not isinstance(env.render(), str):
        yield finding("rendering", "render() in mode 'ansi' gave no text", "rendered()")


def check_demonstrations(subject: Subject) -> Iterator[Finding]:
    """The shape of what an environment shows, and whether it shows it again."""
    env = subject.make()
    first, again = (list(_few(env.demonstrations("train", 3, 9))) for _ in range(2))
    if first != again:
        yield finding(
            "solution-not-repeatable", "demonstrations of one seed differ", "demonstrations('train', 3, 9)"
        )
    for conversation in first:
        yield from _check_roles(conversation, "demonstrations('train', 3, 9)")
    for each in subject.solutions:
        where = f"demonstrate(), {place(each.task, each.seed)}"
        yield from _check_roles(each.conversation, where)
        if env.demonstrate(each.task, each.seed) != each.conversation:
            yield finding("solution-not-repeatable", "asked again, it shows another conversation", where)


def _few(conversations: Iterator[list[Message]]) -> Iterator[list[Message]]:
    for _, conversation in zip(range(3), conversations, strict=False):
        yield conversation


def _check_roles(conversation: list[Message], where: str) -> Iterator[Finding]:
    roles = [message.role for message in conversation if message.role != "system"]
    if roles[:1] != ["user"] or any(a == b for a, b in pairwise(roles)):
        yield finding("solution-shape", f"its roles are {roles}", where)
