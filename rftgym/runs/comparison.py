"""Before and after: one sentence, and a table with 95% intervals and the paired difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from rftgym.runs.charts import drawable, interval_chart
from rftgym.runs.markup import Html, element, join
from rftgym.runs.strictjson import number
from rftgym.runs.words import is_share, points, share, value

Evaluations = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean with its 95% interval; without one, the bounds are the mean."""

    mean: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether a difference is more than chance, at 95%."""
        return self.low > 0 or self.high < 0


def interval_of(given: Any) -> Interval | None:
    """From {"mean", "low", "high"} or a bare number; None where there is no number that can be drawn."""
    values = given if isinstance(given, Mapping) else {"mean": given}
    mean, low, high = (_drawable(values.get(name)) for name in ("mean", "low", "high"))
    if mean is None:
        return None
    return Interval(mean, mean if low is None else low, mean if high is None else high)


def at(value: Any, *path: str) -> Any:
    """What stands at a path of nested mappings; None where it ends early."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def outcome(evaluations: Evaluations) -> Html | None:
    """What the run came to, in one sentence that claims no more than the intervals allow."""
    after = evaluations.get("after", {})
    old, new = (interval_of(at(evaluations, when, "success")) for when in ("before", "after"))
    if old is None or new is None:
        return None
    difference = interval_of(at(after, "difference", "success"))
    if new.low > old.high or new.high < old.low:
        verdict = "the 95% intervals do not touch"
    elif difference is not None and difference.excludes_zero:
        verdict = "the 95% interval of the paired difference excludes 0"
    else:
        verdict = "by its 95% intervals this may be chance"
    change = f"Success went from {share(old.mean)} to {share(new.mean)} on {_tasks(after)}; {verdict}."
    if share(old.mean) == share(new.mean):
        change = f"Success stayed at {share(new.mean)} on {_tasks(after)}."
    return element("p", change, class_="outcome")


def table(evaluations: Evaluations) -> Html | None:
    """Before and after, with 95% intervals and the paired difference; None where there is neither."""
    shown = {when: evaluations[when] for when in ("before", "after") if when in evaluations}
    if not shown:
        return None
    difference = at(shown, "after", "difference")
    lines = [
        _row(name, {when: at(e, *path) for when, e in shown.items()}, difference and [at(difference, *path)])
        for name, path in _measures(shown)
    ]
    paired = ["difference, paired"] if difference else []
    heads = ["", *(f"{when} training" for when in shown), *paired, "95% intervals"]
    head = element("thead", element("tr", *(element("th", head) for head in heads)))
    return element(
        "section",
        element("h2", "Before and after"),
        element("div", element("table", head, element("tbody", *lines)), class_="scroll"),
        element("p", " ".join(_notes(shown)), class_="note"),
    )


def _measures(shown: Evaluations) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "success", ("success",)
    yield "reward", ("reward",)
    for group, prefix in (("components", ""), ("pass_at_k", "pass@")):
        names = chain.from_iterable(evaluation.get(group) or {} for evaluation in shown.values())
        yield from ((f"{prefix}{name}", (group, name)) for name in dict.fromkeys(names))


def _row(name: str, means: Mapping[str, Any], difference: Sequence[Any] | None) -> Html:
    show = share if is_share(name) else value
    intervals = {when: interval_of(given) for when, given in means.items()}
    cells = [element("td", _bracketed(interval, show)) for interval in intervals.values()]
    for given in difference or []:
        change = interval_of(given)
        sure = "sure" if change is not None and change.excludes_zero else "unsure"
        cells.append(element("td", _difference(change, name), class_=sure))
    bars = [(when, each.mean, each.low, each.high) for when, each in intervals.items() if each is not None]
    figure = interval_chart(bars) if bars else None
    return element("tr", element("th", name, scope="row"), *cells, element("td", figure, class_="figure"))


def _difference(interval: Interval | None, name: str) -> Html:
    plus = "+" if interval is not None and interval.mean > 0 else ""
    unit = " points" if is_share(name) else ""
    return _bracketed(interval, points if is_share(name) else value, plus, unit)


def _bracketed(
    interval: Interval | None, show: Callable[[Any], str], before: str = "", after: str = ""
) -> Html:
    if interval is None:
        return element("span", "–", class_="muted")
    known = interval.low != interval.high
    bounds = f" [{show(interval.low)}, {show(interval.high)}]" if known else ""
    mean = element("b", before, show(interval.mean), after)
    return join(mean, element("span", bounds, class_="muted"))


def _notes(shown: Evaluations) -> Iterator[str]:
    first = next(iter(shown.values()))
    yield f"Means over {_tasks(first)}{', the same before and after' if len(shown) > 1 else ''}; 95% intervals."
    for when, evaluation in shown.items():
        if number(evaluation.get("unscored")):
            yield f"{value(evaluation['unscored'])} episodes {when} training could not be scored and do not count."
        for failure, count in (evaluation.get("failures") or {}).items():
            yield f"{when.capitalize()}, {value(count)} times: {failure}."


def _tasks(evaluation: Mapping[str, Any]) -> str:
    return f"{value(evaluation.get('n'))} tasks of the {evaluation.get('split', 'held-out')} split"


def _drawable(given: Any) -> float | None:
    found = number(given)
    return found if found is not None and drawable(found) else None
