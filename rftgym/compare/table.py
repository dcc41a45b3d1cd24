"""The comparison as a table: one row an arm and size, the same for Markdown, HTML and the terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rftgym.runs.words import duration, points, share

Row = tuple[str, ...]
HEAD: Row = (
    "arm",
    "tasks",
    "success, %",
    "gain, points",
    "equal compute, %",
    "KL a token",
    "off-task loss",
    "CPU time",
    "tokens",
)


def head(results: Mapping[str, Any]) -> Row:
    """The columns' names; one more for each further environment that was played."""
    return (*HEAD, *(f"{id}, points" for id in results["base"]["others"]))


def rows(results: Mapping[str, Any]) -> list[Row]:
    """The base model, then each arm by size; an empty cell where there is nothing to measure."""
    base = results["base"]
    first = ("base", "–", interval_share(base["success"]), *["–"] * (6 + len(base["others"])))
    return [first, *(_row(results, cell) for cell in results["cells"])]


def _row(results: Mapping[str, Any], cell: Mapping[str, Any]) -> Row:
    others = cell.get("others", {})
    trained = "cpu_seconds" in cell
    change = cell.get("off_task_change")
    loss = results["base"]["off_task"]["nats_per_character"]
    kl = cell.get("kl_per_token")
    return (
        cell["arm"],
        str(cell["size"]),
        interval_share(cell["success"]) if cell["success"] else "does not fit",
        interval_points(cell["gain"]) if cell["gain"] else "–",
        interval_share(cell["equal_compute"]["success"]) if "equal_compute" in cell else "–",
        "–" if kl is None else f"{kl:.3f}",
        "–" if change is None else f"{100 * change / loss:+.1f}%",
        duration(cell["cpu_seconds"]) if trained else "–",
        f"{_thousands(cell['tokens_sampled'])} + {_thousands(cell['tokens_trained'])}" if trained else "–",
        *(points(others.get(id)) for id in results["base"]["others"]),
    )


def _thousands(count: float) -> str:
    return f"{count / 1000:.0f}k" if count >= 10_000 else f"{count / 1000:.1f}k"


def interval_share(interval: Mapping[str, Any]) -> str:
    """``31.2 [25.0, 37.5]``, in percent; a dash where nothing could be scored."""
    if interval["mean"] is None:
        return "–"
    return f"{points(interval['mean'])} [{points(interval['low'])}, {points(interval['high'])}]"


def interval_points(interval: Mapping[str, Any]) -> str:
    """``+26.5 [20.1, 32.8]``."""
    if interval["mean"] is None:
        return "–"
    return f"{100 * interval['mean']:+.1f} [{points(interval['low'])}, {points(interval['high'])}]"


def notes(results: Mapping[str, Any]) -> Iterator[str]:
    """What a reader of the table has to know, in sentences."""
    base, seeds = results["base"], results["seeds"]
    yield (
        f"{base['n']} tasks of the {base['split']} split, the same for every arm; "
        f"{len(seeds)} seed{'s' if len(seeds) > 1 else ''} ({', '.join(map(str, seeds))}) each with its own choice of "
        "tasks to learn from, the same for every arm; 95% intervals from a bootstrap over seeds and tasks."
    )
    yield "Gain: over the base model, paired by task."
    yield (
        "Equal compute: success on the validation split at the last evaluation within the processor time that the "
        "cheapest trained arm of the same size took."
    )
    yield (
        "KL a token: from the base model, in nats, on the trained policy's own held-out episodes. Off-task loss: its "
        "change on a bundled text of plain English and code, where the base model loses "
        f"{base['off_task']['nats_per_character']:.3f} nats a character."
    )
    yield (
        "CPU time and tokens (sampled + trained on): of training, a mean over seeds, evaluations left out; sft-rft has "
        "paid for its sft too."
    )
    for id, success in base["others"].items():
        yield f"{id}: change of the success rate there; the base model's is {interval_share(success)}."
    for arm, rate in results["rates"].items():
        yield _rate_note(arm, rate)
    for cell in results["cells"]:
        if "note" in cell:
            yield f"{cell['arm']} with {cell['size']} tasks was not played: {cell['note']}."
        elif "shots" in cell:
            yield f"{cell['arm']} with {cell['size']} tasks: {cell['shots']:g} solved examples in the prompt."


def _rate_note(arm: str, rate: Mapping[str, Any]) -> str:
    if not rate["tried"]:
        return f"Learning rate of {arm}: {rate['chosen']:.3g}, its default; no other was tried."
    tried = ", ".join(f"{each['rate']:.3g} ({share(each['success'])})" for each in rate["tried"])
    return (
        f"Learning rate of {arm}: {rate['chosen']:.3g}, from trials scored on the validation split: {tried}; they took "
        f"{duration(rate['cpu_seconds'])} of processor time."
    )


def markdown(results: Mapping[str, Any]) -> str:
    """``table.md``: table, notes and advice."""
    lines = [head(results), ("---",) * len(head(results)), *rows(results)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    said = "\n".join(f"- {note}" for note in notes(results))
    title = f"# {results['env']}, {results['model']}: {', '.join(results['arms'])}"
    return f"{title}\n\n{results['advice']}\n\n{body}\n\n{said}\n"
