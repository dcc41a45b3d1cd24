"""Which metrics a report draws, in which order, and with what beside them. Knows families of names, not algorithms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rftgym.runs.charts import Series, drawable, line_chart, rolling_mean, shortened, stretch
from rftgym.runs.markup import Html, element
from rftgym.runs.strictjson import number
from rftgym.runs.words import is_share, metric_name, share, tick, value

Metrics = Sequence[Mapping[str, Any]]
Evaluations = Mapping[str, Mapping[str, Any]]

SECTIONS: Sequence[tuple[str, tuple[str, ...]]] = (
    ("Learning", ("reward/mean", "success/mean")),
    ("Reward components", ("component/",)),
    (
        "Optimisation",
        (
            "loss",
            "kl",
            "entropy",
            "clip_share",
            "learning_rate",
            "gradient_norm",
            "sampler_gap/",
            "drift",
            "reward/std",
        ),
    ),
    ("Probes", ("probe/",)),
    ("Health", ("unscored", "groups/", "failures/", "truncated", "stop/")),
    ("Speed", ("tokens_per_second", "tokens", "tokens/", "episodes", "turns", "seconds/")),
)
"""Title and names; a name that ends in a slash stands for all that begin with it. Others follow as "More"."""
SMOOTHED_FROM = 15


def sections(metrics: Metrics, evaluations: Evaluations, last: int) -> Iterator[Html]:
    """The charts of a run, section by section; what never changed is said in a line instead.

    Args:
        metrics: a mapping a step.
        evaluations: by name, in the order of time.
        last: the last step, where the evaluation "after" is drawn.
    """
    names = list(dict.fromkeys(name for line in metrics for name in line if name not in ("step", "time")))
    if not names and evaluations:
        names = ["reward/mean", "success/mean"]
    left = dict.fromkeys(names)
    for title, wanted in (*SECTIONS, ("More", ("",))):
        mine = [name for pattern in wanted for name in left if name == pattern or _within(name, pattern)]
        for name in mine:
            left.pop(name, None)
        if mine:
            yield from _section(title, list(dict.fromkeys(mine)), metrics, evaluations, last)


def _within(name: str, pattern: str) -> bool:
    return not pattern or (pattern.endswith("/") and name.startswith(pattern))


def _section(
    title: str, names: Sequence[str], metrics: Metrics, evaluations: Evaluations, last: int
) -> Iterator[Html]:
    quiet, charts, smoothed = [], [], 0
    for name in names:
        points = _points(metrics, name)
        held_out = _held_out(evaluations, name, last)
        if not held_out and _unchanged(points):
            show = share if is_share(name) else value
            quiet.append(f"{metric_name(name)} {show(points[0][1])}")
            continue
        figure = _figure(name, points, held_out)
        if figure is not None:
            charts.append(figure)
            smoothed = max(smoothed, len(points) if len(points) >= SMOOTHED_FROM else 0)
    notes = []
    if smoothed:
        size = stretch(smoothed)
        faint = "every step" if size == 1 else f"means of {size} steps"
        notes.append(f"Faint: {faint}. Strong: mean of the last {size * _window(smoothed // size)} steps.")
    if quiet:
        notes.append(f"The same throughout: {', '.join(quiet)}.")
    if charts or notes:
        yield element(
            "section",
            element("h2", title),
            element("div", *charts, class_="charts wide" if title == "Learning" else "charts")
            if charts
            else None,
            element("p", " ".join(notes), class_="note") if notes else None,
        )


def _figure(name: str, points: list[tuple[float, float]], held_out: list[Series]) -> Html | None:
    show: Callable[[Any], str] = share if is_share(name) else value
    axis: Callable[[float], str] = (lambda y: f"{100 * y:.3g}%") if is_share(name) else tick
    series = [*_training(points), *held_out]
    chart = line_chart(series, label=f"{metric_name(name)} by step", show=axis, from_zero=is_share(name))
    if chart is None:
        return None
    finite = [y for _, y in points if drawable(y)]
    latest = element("span", "last ", element("b", show(finite[-1])), class_="muted") if finite else None
    caption = element("figcaption", element("b", metric_name(name)), latest)
    return element("figure", caption, chart)


def _training(points: list[tuple[float, float]]) -> list[Series]:
    if len(points) < SMOOTHED_FROM:
        return [Series("training", points)] if points else []
    drawn = shortened(points)
    return [
        Series("", drawn, colour=-1),
        Series("training", rolling_mean(drawn, _window(len(drawn)))),
    ]


def _unchanged(points: Sequence[tuple[float, float]]) -> bool:
    values = {y for _, y in points}
    return len(values) == 1 and (len(points) > 1 or values == {0.0})


def _window(count: int) -> int:
    return max(3, count // 12)


def _points(metrics: Metrics, name: str) -> list[tuple[float, float]]:
    found = ((line["step"], number(line.get(name))) for line in metrics)
    return [(float(step), y) for step, y in found if y is not None]


def _held_out(evaluations: Evaluations, name: str, last: int) -> list[Series]:
    """The same quantity on held-out tasks: a curve a split, with its 95% intervals."""
    splits: dict[str, list[tuple[float, float, float, float]]] = {}
    for when, evaluation in evaluations.items():
        interval = _component(evaluation, name)
        mean = number(interval.get("mean"))
        if mean is not None and drawable(mean):
            x = {"before": 0.0, "after": float(last)}.get(when)
            x = float(when.removeprefix("step-")) if x is None else x
            low, high = number(interval.get("low")), number(interval.get("high"))
            point = (x, mean, mean if low is None else low, mean if high is None else high)
            splits.setdefault(str(evaluation.get("split", "held-out")), []).append(point)
    return [
        Series(
            split,
            [(x, mean) for x, mean, _, _ in points],
            [(x, low, high) for x, _, low, high in points],
            dots=True,
            line=len(points) > 2,  # two points, before and after, are no curve
            colour=index,
        )
        for index, (split, points) in enumerate(splits.items(), 1)
    ]


def _component(evaluation: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if name.startswith("component/"):
        found = (evaluation.get("components") or {}).get(name.removeprefix("component/"))
    else:
        found = evaluation.get({"reward/mean": "reward", "success/mean": "success"}.get(name, ""))
    return found if isinstance(found, Mapping) else {}
