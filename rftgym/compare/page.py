"""``report.html``: advice, picture, table and how the comparison was made, on one self-contained page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from rftgym.compare.plan import Plan
from rftgym.compare.plot import plot
from rftgym.compare.table import head, interval_points, interval_share, notes, rows
from rftgym.runs.markup import Html, element
from rftgym.runs.report import POLICY
from rftgym.runs.words import duration


def page(results: Mapping[str, Any], plan: Plan, name: str) -> str:
    """The page as HTML; every text is escaped.

    Args:
        results: as in ``results.json``.
        name: of the comparison's directory.
    """
    style = files("rftgym.runs").joinpath("report.css").read_text(encoding="utf-8")
    body = element(
        "main",
        element(
            "header",
            element("p", name, class_="eyebrow"),
            element("h1", f"{results['env']} · {results['model']}"),
            class_="page",
        ),
        element("p", results["advice"], class_="outcome"),
        element("section", element("h2", "Score over size"), element("figure", Html(plot(results)))),
        _section("All arms", head(results), rows(results), list(notes(results))),
        _section("Arms against each other", ("tasks", "arm", "minus", "points"), _differences(results), []),
        _section(
            "Seeds",
            ("arm", "tasks", "seed", "success", "steps", "processor time", "run"),
            _seeds(results),
            [],
        ),
        _plan(plan),
    )
    top = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", f"{name} · rftgym"),
        element("style", Html(style)),
    )
    return "<!doctype html>\n" + element("html", top, element("body", body), lang="en")


def _section(
    title: str, names: Sequence[str], lines: Iterable[Sequence[object]], said: Sequence[str]
) -> Html:
    columns = element("thead", element("tr", *(element("th", name) for name in names)))
    body = [element("tr", *(element("td", cell) for cell in line)) for line in lines]
    return element(
        "section",
        element("h2", title),
        element("div", element("table", columns, element("tbody", *body)), class_="scroll"),
        *(element("p", each, class_="note") for each in said),
    )


def _differences(results: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [
        (each["size"], each["arm"], each["minus"], interval_points(each["success"]))
        for each in results["differences"]
    ]


def _seeds(results: Mapping[str, Any]) -> list[tuple[object, ...]]:
    return [
        (
            cell["arm"],
            cell["size"],
            seed["seed"],
            interval_share(seed["success"]),
            seed.get("steps", "–"),
            duration(seed["cpu_seconds"]) if "cpu_seconds" in seed else "–",
            seed["job"],
        )
        for cell in results["cells"]
        for seed in cell["seeds"]
        if "success" in seed
    ]


def _plan(plan: Plan) -> Html:
    text = json.dumps(plan.model_dump(mode="json"), indent=1)
    return element("details", element("summary", "The plan"), element("pre", text, class_="code"))
