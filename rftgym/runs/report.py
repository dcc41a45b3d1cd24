"""``report.html``: one self-contained page about a run, made from whatever the run has written so far."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rftgym.errors import RftgymError
from rftgym.runs import comparison, curves
from rftgym.runs.comparison import at, interval_of
from rftgym.runs.markup import Html, element, join, spaced
from rftgym.runs.samples import chat, chosen
from rftgym.runs.strictjson import number
from rftgym.runs.words import duration, share, value
from rftgym.types import Trajectory

if TYPE_CHECKING:
    from rftgym.runs.directory import RunDirectory

# Nothing on the page may run or load, whatever a model wrote: the browser enforces it.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def report(run: RunDirectory) -> str:
    """The page as HTML. What is missing is left out; episodes that cannot be read are replaced by the reason.

    Raises:
        RftgymError: the metrics or an evaluation are damaged.
    """
    metrics, evaluations = run.metrics(), run.evaluations()
    lock = run.read_json("environment.json")
    last = int(metrics[-1]["step"]) if metrics else 0
    body = element(
        "main",
        _header(run, lock, metrics),
        comparison.outcome(evaluations),
        _tiles(evaluations, metrics, lock),
        comparison.table(evaluations),
        *curves.sections(metrics, evaluations, last),
        _samples(run),
        _provenance(run, lock),
    )
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{run.path.name} · rftgym"),
        element("style", Html(Path(__file__).with_name("report.css").read_text(encoding="utf-8"))),
    )
    return "<!doctype html>\n" + element("html", head, element("body", body), lang="en")


def _header(run: RunDirectory, lock: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> Html:
    finished = (run.path / "result.json").exists()
    wanted = at(run.config, "trainer", "steps")
    last = metrics[-1]["step"] if metrics else 0
    steps = (
        f"{value(last)} of {value(wanted)} steps"
        if number(wanted) is not None and wanted != last
        else f"{value(last)} steps"
    )
    title = (at(run.config, name, "id") or "?" for name in ("env", "trainer", "model"))
    facts = [
        element("span", "finished" if finished else "unfinished", class_="good" if finished else "warn"),
        element("span", steps),
        element("span", f"seed {at(run.config, 'seed')}"),
        element("span", str(lock.get("created", "")).replace("T", " ").replace("+00:00", " UTC")),
        element("span", _device(lock)),
    ]
    return element(
        "header",
        element("p", run.path.name, class_="eyebrow"),
        element("h1", " · ".join(map(str, title))),
        element("div", *spaced(*facts), class_="facts"),
        class_="page",
    )


def _tiles(
    evaluations: Mapping[str, Mapping[str, Any]],
    metrics: Sequence[Mapping[str, Any]],
    lock: Mapping[str, Any],
) -> Html:
    speed = _tokens_per_second(metrics)
    failures = [
        number(count) for line in metrics for name, count in line.items() if name.startswith("failures/")
    ]
    tiles = [
        _change("Success", "success", evaluations, share),
        _change("Reward", "reward", evaluations, value),
        _tile("Tokens per second", value(speed), "sampled in rollouts") if speed else None,
        _tile("Failures in training", value(sum(count or 0 for count in failures)), "never scored as 0")
        if metrics
        else None,
        _tile("Time", *_time(lock, metrics)) if metrics else None,
    ]
    return element("section", *tiles, class_="tiles")


def _tokens_per_second(metrics: Sequence[Mapping[str, Any]]) -> float | None:
    """Sampled tokens by the time of rollouts, over the whole run."""
    pairs = [(number(line.get("tokens")), number(line.get("seconds/rollout"))) for line in metrics]
    known = [(tokens, seconds) for tokens, seconds in pairs if tokens is not None and seconds is not None]
    seconds = sum(each for _, each in known)
    return sum(tokens for tokens, _ in known) / seconds if seconds > 0 else None


def _change(
    name: str, measure: str, evaluations: Mapping[str, Mapping[str, Any]], show: Callable[[Any], str]
) -> Html | None:
    known = {when: interval_of(at(evaluations, when, measure)) for when in ("before", "after")}
    means = {when: show(interval.mean) for when, interval in known.items() if interval is not None}
    if not means:
        return None
    *former, latest = means.values()
    figure = join(*(element("small", mean, " → ") for mean in former), latest)
    return _tile(name, figure, f"{' → '.join(means)}, held-out")


def _tile(name: str, figure: object, note: str) -> Html:
    parts = (
        element("span", name, class_="name"),
        element("b", figure),
        element("span", note, class_="muted"),
    )
    return element("div", *spaced(*parts), class_="tile")


def _time(lock: Mapping[str, Any], metrics: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    try:
        begun = datetime.fromisoformat(str(lock.get("created"))).timestamp()
    except ValueError:
        begun = metrics[0]["time"]
    return duration(max(0.0, metrics[-1]["time"] - begun)), "from start to last step"


def _samples(run: RunDirectory) -> Html | None:
    sources: list[tuple[str, Iterable[Trajectory]]] = [
        (f"Evaluation {when} training", run.evaluation_trajectories(when)) for when in ("after", "before")
    ]
    steps = run.trajectory_steps()
    for step in dict.fromkeys([*steps[-1:], *steps[:1]]):
        sources.append((f"Training, step {step}", run.trajectories(step)))
    groups = [group for title, episodes in sources if (group := _sample_group(title, episodes))]
    if not groups:
        return None
    opened = [
        element("details", *group, open="" if index == 0 else None) for index, group in enumerate(groups)
    ]
    return element("section", element("h2", "Episodes"), *opened, class_="samples")


def _sample_group(title: str, episodes: Iterable[Trajectory]) -> list[Html]:
    try:
        every = list(episodes)
    except RftgymError as error:
        return [element("summary", title), element("p", str(error), class_="failure")]
    cards = [chat(label, trajectory) for label, trajectory in chosen(every)]
    note = element("span", f"{len(cards)} of {len(every)} episodes", class_="muted")
    return [element("summary", title, " ", note), element("div", *cards, class_="cards")] if cards else []


def _provenance(run: RunDirectory, lock: Mapping[str, Any]) -> Html:
    plugins = [
        (p.get("name"), f"{p.get('distribution')} {p.get('version')}", p.get("error") or "loaded")
        for p in lock.get("plugins", [])
    ]
    git = lock.get("git") or {}
    machine = [
        ("Python", at(lock, "python", "version")),
        ("System", " ".join(str(part) for part in (lock.get("platform") or {}).values())),
        ("CPU", f"{at(lock, 'cpu', 'model')}, {_cores(lock)}"),
        ("Memory", f"{(number(lock.get('memory_bytes')) or 0) / 2**30:.1f} GiB"),
        *(("GPU", gpu.get("name")) for gpu in lock.get("gpus") or []),
        *(
            [
                (
                    "Git commit",
                    f"{git.get('commit')}{', with changed files' if git.get('changed_files') else ''}",
                )
            ]
            if git
            else []
        ),
        *((name, text) for name, text in (lock.get("variables") or {}).items()),
    ]
    resumed = [
        ("went on from step", resume.get("step"), resume.get("created")) for resume in lock.get("resumed", [])
    ]
    config = run.path / "config.yaml"
    text = config.read_text(encoding="utf-8") if config.exists() else ""
    return element(
        "section",
        element("h2", "How it was made"),
        _folded("Configuration", element("pre", text, class_="code")),
        _folded("Plugins", _plain_table(plugins)),
        _folded("Versions", _plain_table((lock.get("distributions") or {}).items())),
        _folded("Machine", _plain_table(machine)),
        _folded("Resumed", _plain_table(resumed)) if resumed else None,
    )


def _folded(title: str, content: Html) -> Html:
    return element("details", element("summary", title), content)


def _plain_table(rows: Iterable[Sequence[object]]) -> Html:
    lines = (element("tr", *(element("td", cell) for cell in row)) for row in rows)
    return element("div", element("table", element("tbody", *lines), class_="plain"), class_="scroll")


def _device(lock: Mapping[str, Any]) -> str:
    gpus = lock.get("gpus") or []
    return str(gpus[0].get("name")) if gpus else f"CPU, {_cores(lock)}"


def _cores(lock: Mapping[str, Any]) -> str:
    count = at(lock, "cpu", "usable_cores")
    return f"{value(count)} core{'' if count == 1 else 's'}"
