"""Score over size as a picture that stands alone: one line an arm, with 95% intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log
from typing import Any

from rftgym.runs.charts import ticks
from rftgym.runs.markup import Html, element
from rftgym.runs.words import share

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 320, 56, 24, 44, 44
COLOURS: Mapping[str, str] = {
    "few-shot": "#7c3aed",
    "sft": "#d97706",
    "rft": "#0d9488",
    "sft-rft": "#be185d",
    "base": "#6b7280",
}
INK, GRID = "#374151", "#e5e7eb"
APART = 6
"""Pixels between the intervals of two arms at one size."""


class _Axes:
    """Pixels of sizes (on a logarithmic scale) and of shares."""

    def __init__(self, sizes: Sequence[int], top: float) -> None:
        self.low, self.high = log(sizes[0]), log(sizes[-1])
        self.ticks = ticks(0.0, max(top, 0.01), 5)

    def x(self, size: int) -> float:
        room = WIDTH - LEFT - RIGHT - 80
        at = (log(size) - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(LEFT + 40 + at * room, 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.ticks[-1] * (HEIGHT - TOP - BOTTOM), 1)


def plot(results: Mapping[str, Any]) -> str:
    """``plot.svg``."""
    cells = [cell for cell in results["cells"] if cell["success"] and cell["success"]["mean"] is not None]
    base = results["base"]["success"]
    top = max([cell["success"]["high"] for cell in cells] + [base["high"] or 0.0])
    axes = _Axes(results["sizes"], top)
    arms = list(dict.fromkeys(cell["arm"] for cell in cells))
    drawn = [
        _arm(axes, arm, [c for c in cells if c["arm"] == arm], i, len(arms)) for i, arm in enumerate(arms)
    ]
    label = f"Held-out success over the number of tasks: {results['env']}, {results['model']}"
    svg = element(
        "svg",
        element("title", label),
        element("rect", width=WIDTH, height=HEIGHT, rx=8, fill="#ffffff"),
        *_grid(axes, results["sizes"]),
        _base(axes, base),
        *drawn,
        *_legend(["base", *arms]),
        xmlns="http://www.w3.org/2000/svg",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        font_family="sans-serif",
        font_size=12,
        role="img",
        aria_label=label,
    )
    return f"{svg}\n"


def _grid(axes: _Axes, sizes: Sequence[int]) -> list[Html]:
    parts = []
    for value in axes.ticks:
        y = axes.y(value)
        parts.append(_line(f"M{LEFT} {y}H{WIDTH - RIGHT}", GRID, 1))
        parts.append(element("text", share(value), x=LEFT - 8, y=y + 4, text_anchor="end", fill=INK))
    for size in sizes:
        parts.append(element("text", size, x=axes.x(size), y=HEIGHT - 24, text_anchor="middle", fill=INK))
    name = "tasks to learn from"
    parts.append(element("text", name, x=WIDTH - RIGHT, y=HEIGHT - 8, text_anchor="end", fill=INK))
    return parts


def _base(axes: _Axes, base: Mapping[str, Any]) -> Html | None:
    """A dashed line with its interval as a band."""
    if base["mean"] is None:
        return None
    high, low, width = axes.y(base["high"]), axes.y(base["low"]), WIDTH - LEFT - RIGHT
    colour = COLOURS["base"]
    return element(
        "g",
        element("rect", x=LEFT, y=high, width=width, height=round(low - high, 1), fill=colour, opacity=0.12),
        _line(f"M{LEFT} {axes.y(base['mean'])}h{width}", colour, 1, dashed=True),
    )


def _arm(axes: _Axes, arm: str, cells: Sequence[Mapping[str, Any]], index: int, count: int) -> Html:
    shift = APART * (index - (count - 1) / 2)
    at = [(round(axes.x(cell["size"]) + shift, 1), cell["success"]) for cell in cells]
    colour = COLOURS[arm]
    line = " ".join(f"{x},{axes.y(score['mean'])}" for x, score in at)
    marks = [
        mark
        for x, score in at
        for mark in (
            _line(f"M{x} {axes.y(score['low'])}V{axes.y(score['high'])}", colour, 2),
            element(
                "circle",
                element("title", f"{arm}: {share(score['mean'])}"),
                cx=x,
                cy=axes.y(score["mean"]),
                r=4,
                fill=colour,
            ),
        )
    ]
    return element("g", element("polyline", points=line, fill="none", stroke=colour, stroke_width=2), *marks)


def _line(path: str, colour: str, width: int, *, dashed: bool = False) -> Html:
    """A straight line, by ``style``: the report's style sheet has its own idea of paths and wins over attributes."""
    dashes = ";stroke-dasharray:5 4" if dashed else ""
    return element("path", d=path, style=f"fill:none;stroke:{colour};stroke-width:{width}{dashes}")


def _legend(arms: Sequence[str]) -> list[Html]:
    parts = []
    for index, arm in enumerate(arms):
        x = LEFT + 100 * index
        parts.append(element("rect", x=x, y=18, width=14, height=4, rx=2, fill=COLOURS[arm]))
        parts.append(element("text", arm, x=x + 20, y=24, fill=INK))
    return parts
