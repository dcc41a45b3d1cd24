"""One sentence of advice for a task: what the measurements of a comparison allow to be said, and no more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from rftgym.compare.plan import TAUGHT
from rftgym.runs.words import duration, points, share

Cell = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one size allows to be said.

    Attributes:
        size: tasks that were learnt from.
        pick: the arm to take; None where none is shown to beat the base model.
        ties: arms that are not shown to differ from the best one, it included, the cheapest (``pick``) first.
        beaten: arms that are shown to fall below the best one.
        vague: arms that are not, but only because their scores vary so much: an arm that is beaten scores higher.
        unsettled: arms that are shown to differ neither from the best one nor from the base model.
        worse: arms that are shown to fall below the base model.
    """

    size: int
    pick: str | None
    ties: tuple[str, ...] = ()
    beaten: tuple[str, ...] = ()
    vague: tuple[str, ...] = ()
    unsettled: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()


def advice(results: Mapping[str, Any]) -> str:
    """A function of results alone (``results.json`` without the advice).

    An arm counts as better than the base model where the 95% interval of its paired gain lies above 0, and two arms as
    different where that of their paired difference excludes 0. Of arms that are not shown to differ, the one that
    trains for the fewest processor seconds is advised.
    """
    verdicts = [verdict(results, size) for size in results["sizes"]]
    said = [
        _said(results, list(group)) for _, group in groupby(verdicts, key=lambda each: replace(each, size=0))
    ]
    parts = [*said, *_without_solutions(results, verdicts), *_caveats(results)]
    return f"For {results['env']} with {results['model']}: {'; '.join(parts)}."


def verdict(results: Mapping[str, Any], size: int) -> Verdict:
    """What is shown at one size."""
    played = {c["arm"]: c for c in results["cells"] if c["size"] == size and c["gain"] is not None}
    known = {arm: cell for arm, cell in played.items() if cell["gain"]["low"] is not None}
    worse = tuple(arm for arm, cell in known.items() if cell["gain"]["high"] < 0)
    better = [arm for arm, cell in known.items() if cell["gain"]["low"] > 0]
    if not better:
        return Verdict(size, None, worse=worse)
    best = max(better, key=lambda arm: known[arm]["success"]["mean"])
    level = [arm for arm in better if arm == best or not _differ(results, size, best, arm)]
    beaten = tuple(arm for arm in known if arm not in level and _differ(results, size, best, arm))
    bar = max((known[arm]["success"]["mean"] for arm in beaten), default=0.0)
    vague = tuple(arm for arm in level if arm != best and known[arm]["success"]["mean"] < bar)
    level = [arm for arm in level if arm not in vague]
    level.sort(key=lambda arm: (_seconds(known[arm]), -known[arm]["success"]["mean"]))
    unsettled = tuple(arm for arm in known if arm not in (*level, *beaten, *vague))
    return Verdict(size, level[0], tuple(level), beaten, vague, unsettled, worse)


def _differ(results: Mapping[str, Any], size: int, one: str, other: str) -> bool:
    found = _difference(results, size, one, other)
    return found is not None and (found["low"] > 0 or found["high"] < 0)


def _difference(results: Mapping[str, Any], size: int, one: str, other: str) -> dict[str, float] | None:
    """One arm minus another; None where it is not known."""
    for each in results["differences"]:
        interval = each["success"]
        if each["size"] != size or interval["mean"] is None:
            continue
        if (each["arm"], each["minus"]) == (one, other):
            return dict(interval)
        if (each["arm"], each["minus"]) == (other, one):
            return {"mean": -interval["mean"], "low": -interval["high"], "high": -interval["low"]}
    return None


def _seconds(cell: Cell) -> float:
    """Of training; a prompt trains nothing."""
    return float(cell.get("cpu_seconds") or 0.0)


# ---- words


def _said(results: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    """What neighbouring sizes with the same outcome come to, with the figures of the largest."""
    last = verdicts[-1]
    sizes = _and([str(each.size) for each in verdicts])
    where = f"with {sizes} task{'s' if sizes != '1' else ''}"
    figures = f" (figures for {last.size})" if len(verdicts) > 1 else ""
    if last.pick is None:
        text = _nothing(results, where)
    elif len(last.ties) == 1:
        text = _clear(results, last, where) + figures
    else:
        text = _tied(results, last, where) + figures
    if last.vague:
        text += f"; {_and(last.vague)} may do as well, but the scores vary too much to say"
    if last.worse:
        text += (
            f"; {_and(last.worse)} {'falls' if len(last.worse) == 1 else 'fall'} below the base model there"
        )
    return text


def _nothing(results: Mapping[str, Any], where: str) -> str:
    base = results["base"]["success"]["mean"]
    cure = (
        "the base model hardly ever succeeds, so take easier tasks, a reward with more steps to it, or a larger model"
        if base is not None and base < 0.01
        else "more tasks or a larger model are the next thing to try"
    )
    return f"{where} no arm is shown to beat the base model's {share(base)}: {cure}"


def _clear(results: Mapping[str, Any], found: Verdict, where: str) -> str:
    text = f"{where} take {found.pick}, {_gain(results, _cell(results, found.size, found.pick))}"
    if found.beaten:
        text += f", more than {_and(found.beaten)}"
    if found.unsettled:
        others = _and(found.unsettled)
        text += f"; it is not shown to differ from {others}, nor {others} from the base model"
    return text


def _tied(results: Mapping[str, Any], found: Verdict, where: str) -> str:
    cells = [_cell(results, found.size, arm) for arm in found.ties]
    costs = _and([f"{cell['arm']} {_cost(cell)}" for cell in cells])
    return (
        f"{where} no difference is shown between {_and(found.ties)}, so take the cheapest to train, {found.pick}, "
        f"{_gain(results, cells[0])} ({costs})"
    )


def _gain(results: Mapping[str, Any], cell: Cell) -> str:
    gain = cell["gain"]
    bounds = f"95% interval {points(gain['low'])} to {points(gain['high'])}"
    base = results["base"]["success"]["mean"]
    solved, more = share(cell["success"]["mean"]), points(gain["mean"])
    return f"which solves {solved} of the held-out tasks, +{more} points over the base model's {share(base)} ({bounds})"


def _cost(cell: Cell) -> str:
    seconds = _seconds(cell)
    return f"{duration(seconds)} of processor time" if seconds else "no training"


def _without_solutions(results: Mapping[str, Any], verdicts: Sequence[Verdict]) -> list[str]:
    """Verifiability: what remains where there is a check but nobody has solved the tasks."""
    last = verdicts[-1]
    if last.pick == "rft":
        return ["it asks for a reward that can be computed, not for solved tasks"]
    if last.pick not in TAUGHT:
        return []
    cell = next((c for c in results["cells"] if (c["arm"], c["size"]) == ("rft", last.size)), None)
    if cell is None or cell["gain"] is None or cell["gain"]["low"] is None:
        return ["it asks for a solved example of each task"]
    rft = f"rft with {last.size} tasks"
    if cell["gain"]["low"] > 0:
        remains = (
            f"where there are none, {rft} still gains {points(cell['gain']['mean'])} points for {_cost(cell)}"
        )
    else:
        remains = f"without them {rft} is not shown to gain anything"
    return [f"it asks for a solved example of each task, and {remains}"]


def _caveats(results: Mapping[str, Any]) -> list[str]:
    """What the intervals do not know."""
    said = []
    turns = results["base"].get("turns")
    if turns is not None and turns >= 2:
        said.append(f"all this in episodes of {turns:.1f} turns")
    if len(results["seeds"]) == 1:
        said.append("one seed only, so how much runs differ is not known")
    return said


def _cell(results: Mapping[str, Any], size: int, arm: str | None) -> Cell:
    found: Cell = next(c for c in results["cells"] if (c["arm"], c["size"]) == (arm, size))
    return found


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
