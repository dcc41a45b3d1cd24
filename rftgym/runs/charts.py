"""Line charts and intervals as inline SVG; colours and fonts come from the page's style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from rftgym.runs.markup import Html, element, join

WIDTH, HEIGHT = 460, 190
LEFT, RIGHT, TOP, BOTTOM = 46, 10, 8, 22
MOST_POINTS = 400
"""A longer series is drawn through the means of as many equal stretches."""
MOST_TIPS = 60
COLOURS = 6
HUGE, TINY = 1e100, 1e-100
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Series:
    """One curve.

    Attributes:
        name: for the legend and the tips; without one the curve is background: not in the legend, no tips.
        points: (x, y), ascending in x; those that cannot be drawn are left out and break the line.
        bars: (x, low, high): vertical intervals.
        dots: mark every point.
        line: join the points.
        colour: index into the palette of the style sheet.
    """

    name: str
    points: Sequence[Point]
    bars: Sequence[tuple[float, float, float]] = field(default=())
    dots: bool = False
    line: bool = True
    colour: int = 0


@dataclass(frozen=True, slots=True)
class _Scale:
    x0: float
    x1: float
    y0: float
    y1: float

    def x(self, value: float) -> float:
        share = (value - self.x0) / (self.x1 - self.x0)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = (value - self.y0) / (self.y1 - self.y0)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def line_chart(
    series: Sequence[Series], *, label: str, show: Callable[[float], str], from_zero: bool = False
) -> Html | None:
    """A chart of one or several curves over the steps; None when there is nothing to draw.

    Args:
        series: curves on common axes.
        label: read out for those who cannot see it.
        show: a value as text, for the axis and the tips.
        from_zero: the vertical axis begins at 0.
    """
    drawn = [replace(each, points=shortened(each.points)) for each in series]
    xs = [x for each in drawn for x, y in each.points if drawable(y)]
    ys = [y for each in drawn for _, y in each.points if drawable(y)]
    ys += [y for each in drawn for _, low, high in each.bars for y in (low, high) if drawable(y)]
    if not xs:
        return None
    y_ticks = ticks(min([*ys, 0.0]) if from_zero else min(ys), max(ys), 4)
    scale = _Scale(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, y_ticks[0], y_ticks[-1])
    x_ticks = [
        tick for tick in ticks(scale.x0, scale.x1, 6) if scale.x0 <= tick <= scale.x1 and tick == int(tick)
    ]
    parts = [
        *(_grid_line(scale, tick, show(tick)) for tick in y_ticks),
        *(_x_label(scale, tick) for tick in x_ticks),
        *(_curve(scale, each, show) for each in drawn),
    ]
    named = [each for each in series if each.name]
    legend = element("div", *map(_key, named), class_="legend") if len(named) > 1 else None
    return join(legend, element("svg", *parts, viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", aria_label=label))


def interval_chart(rows: Sequence[tuple[str, float, float, float]]) -> Html:
    """Means with their intervals under each other on one axis: (style-sheet class, mean, low, high) each."""
    width, height = 200, 12 * len(rows) + 4
    low, high = min(row[2] for row in rows), max(row[3] for row in rows)
    if high - low <= TINY:
        low, high = low - 1, high + 1

    def x(value: float) -> float:
        return round(6 + (value - low) / (high - low) * (width - 12), 1)

    parts = [element("line", x1=0, x2=width, y1=height / 2, y2=height / 2, class_="grid")]
    for index, (name, mean, start, end) in enumerate(rows):
        y = 8 + 12 * index
        parts.append(element("line", x1=x(start), x2=x(end), y1=y, y2=y, class_=f"bar {name}"))
        parts.append(element("circle", cx=x(mean), cy=y, r=4, class_=f"dot {name}"))
    return element("svg", *parts, viewBox=f"0 0 {width} {height}", class_="interval", aria_hidden="true")


def ticks(low: float, high: float, most: int) -> list[float]:
    """Round numbers, evenly spaced by 1, 2 or 5 times a power of ten, whose ends enclose the range."""
    largest = max(abs(low), abs(high))
    if high - low <= max(1e-9 * largest, TINY):  # a flat line gets room above and below
        pad = largest * 0.5 if largest > TINY else 1.0
        low, high = low - pad, high + pad
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{count * step:.12g}") for count in range(first, last + 1)]


def stretch(count: int) -> int:
    """How many points of a series become one, so that at most :data:`MOST_POINTS` are drawn."""
    return max(1, math.ceil(count / MOST_POINTS))


def shortened(points: Sequence[Point]) -> Sequence[Point]:
    """A long series as the means of equal stretches, each at its last x; a short one as it is."""
    size = stretch(len(points))
    if size == 1:
        return points
    parts = [points[start : start + size] for start in range(0, len(points), size)]
    return [(part[-1][0], sum(y for _, y in part) / len(part)) for part in parts]


def rolling_mean(points: Sequence[Point], window: int) -> list[Point]:
    """The mean of the last ``window`` finite values at each finite point."""
    finite = [(x, y) for x, y in points if drawable(y)]
    result = []
    for index, (x, _) in enumerate(finite):
        recent = [y for _, y in finite[max(0, index - window + 1) : index + 1]]
        result.append((x, math.fsum(recent) / len(recent)))
    return result


def _grid_line(scale: _Scale, value: float, text: str) -> Html:
    y = scale.y(value)
    line = element("line", x1=LEFT, x2=WIDTH - RIGHT, y1=y, y2=y, class_="grid")
    return join(line, element("text", text, x=LEFT - 6, y=y + 3.5, class_="tick", text_anchor="end"))


def _x_label(scale: _Scale, value: float) -> Html:
    return element("text", f"{value:g}", x=scale.x(value), y=HEIGHT - 6, class_="tick", text_anchor="middle")


def _curve(scale: _Scale, series: Series, show: Callable[[float], str]) -> Html:
    finite = [(x, y) for x, y in series.points if drawable(y)]
    bars = [
        element("line", x1=scale.x(x), x2=scale.x(x), y1=scale.y(low), y2=scale.y(high), class_="bar")
        for x, low, high in series.bars
        if drawable(low) and drawable(high)
    ]
    marks = [
        element("circle", cx=scale.x(x), cy=scale.y(y), r=3, class_="dot")
        for x, y in finite
        if series.dots or len(finite) == 1
    ]
    every = max(1, math.ceil(len(finite) / MOST_TIPS))
    tips = [_tip(scale, series.name, x, y, show) for x, y in finite[::every] if series.name]
    return element(
        "g",
        *bars,
        element("path", d=_path(scale, series.points)) if series.line else None,
        *marks,
        *tips,
        class_=colour(series.colour),
    )


def _path(scale: _Scale, points: Sequence[Point]) -> str:
    commands, pen = [], "M"
    for x, y in points:
        if drawable(y):
            commands.append(f"{pen}{scale.x(x)} {scale.y(y)}")
            pen = "L"
        else:
            pen = "M"
    return "".join(commands) or "M0 0"


def _tip(scale: _Scale, name: str, x: float, y: float, show: Callable[[float], str]) -> Html:
    text = element("title", f"{name}, step {x:g}: {show(y)}")
    return element("circle", text, cx=scale.x(x), cy=scale.y(y), r=5, class_="tip")


def _key(series: Series) -> Html:
    return element("span", element("i", class_=f"swatch {colour(series.colour)}"), series.name)


def drawable(value: float) -> bool:
    """Finite, and not so large that differences overflow."""
    return abs(value) < HUGE  # false for NaN


def colour(index: int) -> str:
    """The style-sheet class of a colour; "faint" for negative ones: raw values behind their mean."""
    return f"c{index % COLOURS}" if index >= 0 else "faint"
