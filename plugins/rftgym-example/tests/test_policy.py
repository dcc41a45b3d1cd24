"""Tests of the policy; they need the plugin installed (``pip install -e .``), as a user has it."""

from __future__ import annotations

from collections.abc import Sequence

import rftgym
from rftgym.config import ModelSettings
from rftgym.evaluation import evaluate
from rftgym.plugins import discover
from rftgym.policy import Reply, Request
from rftgym.registry import make_policy

SAID = (rftgym.Message("system", "one two three"), rftgym.Message("user", "two four"))


def test_is_found_and_named_with_its_distribution() -> None:
    found = discover().find("policy", "prompt-parrot")
    assert (found.plugin.distribution, found.plugin.error) == ("rftgym-example", None)


def replies(rows: Sequence[int], **sampling: object) -> list[Reply]:
    settings = rftgym.Sampling(**sampling)  # type: ignore[arg-type]
    conversations = make_policy(ModelSettings(id="prompt-parrot")).open(settings)
    conversations.submit([Request(row, SAID, seed=row) for row in rows])
    return conversations.run()


def test_says_words_of_the_prompt_in_their_order() -> None:
    for reply in replies(range(50)):
        assert reply.completion in "one two three" or reply.completion in "two four"
        assert reply.stop_reason == "eos"


def test_a_completion_depends_on_its_seed_only() -> None:
    alone = [reply for row in range(20) for reply in replies([row])]
    assert replies(range(20)) == alone
    assert len({reply.completion for reply in alone}) > 3


def test_keeps_to_the_limits_of_sampling() -> None:
    short = replies(range(50), max_tokens=2)
    assert {reply.stop_reason for reply in short} == {"eos", "length"}
    stopped = [reply for reply in replies(range(50), stop=("two",)) if reply.stop_reason == "stop"]
    assert stopped and all(reply.completion.endswith("two") for reply in stopped)


def test_plays_an_environment() -> None:
    policy = make_policy(ModelSettings(id="prompt-parrot"))
    evaluation = evaluate("wordle", policy, n=8).to_json()
    assert evaluation["n"] == 8 and not evaluation["failures"]
