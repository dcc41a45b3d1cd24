"""Episodes as chats: which ones a report shows, and how they look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rftgym.runs.markup import Html, element, join, spaced
from rftgym.runs.words import value
from rftgym.types import Failure, Message, Trajectory, Turn

MOST_CHARACTERS = 4_000
MOST_TURNS = 40
LABELS = ("best", "typical", "worst", "unscored")


def chosen(trajectories: Iterable[Trajectory]) -> list[tuple[str, Trajectory]]:
    """The best, the typical (median) and the worst by reward, and one that could not be scored, each under its label.

    Where all rewards are equal the labels would say nothing, so one sample stands for all.
    """
    every = list(trajectories)
    scored = sorted(
        (t for t in every if t.reward is not None and t.reward == t.reward), key=lambda t: -(t.reward or 0.0)
    )
    picked = []
    if scored and scored[0].reward == scored[-1].reward:
        picked = [(f"all {len(scored)} alike" if len(scored) > 1 else "the only one", scored[0])]
    elif scored:
        picked = [("best", scored[0]), ("typical", scored[len(scored) // 2]), ("worst", scored[-1])]
        picked = [pair for pair in picked if pair[0] != "typical" or len(scored) > 2]
    unscored = [t for t in every if t.score is not None and t.score.reward is None]
    return picked + [("unscored", t) for t in unscored[:1]]


def chat(label: str, trajectory: Trajectory) -> Html:
    """One episode as a card: score, conversation, and what went wrong."""
    turns = trajectory.turns[:MOST_TURNS]
    left_out = len(trajectory.turns) - len(turns)
    return element(
        "article",
        _head(label, trajectory),
        element(
            "div",
            *(_turn(turn) for turn in turns),
            element("p", f"{left_out} more turns", class_="note") if left_out else None,
            *(_message(message) for message in trajectory.closing),
            *(_failure(failure) for failure in trajectory.failures),
            class_="chat",
            tabindex="0",
        ),
        class_="sample",
    )


def _head(label: str, trajectory: Trajectory) -> Html:
    score = trajectory.score
    success = None if score is None or score.success is None else score.success
    end = "truncated" if trajectory.truncated else ("terminated" if trajectory.terminated else "unfinished")
    components = {} if score is None else score.components
    facts = [
        element("b", label, class_=f"label {label}" if label in LABELS else "label"),
        element("span", "reward ", element("b", value(trajectory.reward))),
        None if success is None else _outcome(success),
        element("span", f"{trajectory.task.id} · {_count(trajectory.turns, 'turn')} · {end}", class_="muted"),
        element("div", *spaced(*(_badge(*each) for each in components.items())), class_="badges"),
    ]
    return element("header", *spaced(*facts))


def _outcome(success: bool) -> Html:
    return (
        element("span", "success", class_="good")
        if success
        else element("span", "no success", class_="muted")
    )


def _turn(turn: Turn) -> Html:
    facts = [
        *(_badge(name, number, "reward") for name, number in turn.rewards.items()),
        _badge("stopped", turn.stop_reason, "warn") if turn.stop_reason not in ("eos", "stop") else None,
        None if turn.well_formed else _badge("format", "broken", "warn"),
        *(
            _badge(name, fact)
            for name, fact in turn.info.items()
            if isinstance(fact, (str, int, float)) or fact is None
        ),
        _badge("tokens", len(turn.completion_ids)) if turn.completion_ids else None,
    ]
    return join(
        *(_message(message) for message in turn.messages),
        _message(Message("assistant", turn.completion)),
        element("div", *spaced(*facts), class_="badges after"),
    )


def _message(message: Message) -> Html:
    who = element(
        "span", {"assistant": "model", "user": "environment"}.get(message.role, message.role), class_="who"
    )
    return element(
        "div", who, element("pre", _cut(message.content) or "(nothing)"), class_=f"message {message.role}"
    )


def _failure(failure: Failure) -> Html:
    tries = f" after {failure.attempts} attempts" if failure.attempts > 1 else ""
    text = f"{failure.stage} {failure.name}: {failure.kind}: {_cut(failure.message)}{tries}"
    return element("p", text, class_="failure")


def _badge(name: str, what: Any, class_: str = "") -> Html:
    text = value(what) if isinstance(what, float) or what is None else _cut(str(what), 80)
    return element("span", name, " ", element("b", text), class_=f"badge {class_}".strip())


def _cut(text: str, most: int = MOST_CHARACTERS) -> str:
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters)"


def _count(things: Sequence[object], name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"
