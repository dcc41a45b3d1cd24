"""The report: true to the run, safe whatever a model wrote, readable with whatever is there."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym.errors import RftgymError
from rftgym.plugins import Plugin, Plugins
from rftgym.runs.charts import HEIGHT, WIDTH, Series, line_chart, rolling_mean, ticks
from rftgym.runs.comparison import outcome, table
from rftgym.runs.curves import sections
from rftgym.runs.directory import RunDirectory
from rftgym.runs.markup import escape
from rftgym.runs.samples import chat, chosen
from rftgym.runs.words import duration, value
from rftgym.types import Failure, Message, Score, Task, Trajectory, Turn

VOID = {"meta"}
ALLOWED = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "header",
        "section",
        "article",
        "div",
        "p",
        "h1",
    ),
    *(
        "h2",
        "b",
        "small",
        "span",
        "i",
        "pre",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "figure",
        "figcaption",
    ),
    *("details", "summary", "svg", "g", "line", "path", "circle", "text"),
}
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    "</pre></style></title><iframe src='https://evil.example'>",
    "&lt;b&gt; <!-- ]]> %00",
    "\x00\x07\ud800\udc00\u202egnp.exe\ufeff",
    "javascript:alert(1)",
]


class Page(HTMLParser):
    """Parses a page, checks that elements close in order, and keeps what a test asks about."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.text).split())


def assert_safe(page: Page) -> None:
    """Nothing runs, nothing is loaded: no such tag, no handler, no address."""
    assert {tag for tag, _ in page.tags} <= ALLOWED
    for _, attributes in page.tags:
        assert not [
            name for name in attributes if name.startswith("on") or name in ("src", "href", "style", "action")
        ]


def made(root: Path, **config: Any) -> RunDirectory:
    base = {"env": {"id": "toy"}, "trainer": {"id": "grpo", "steps": 60}, "model": {"id": "tiny"}, "seed": 3}
    plugins = Plugins()
    plugins.plugins.append(Plugin("sudoku", "rftgym-sudoku", "0.2.0", "ImportError: no numba"))
    return RunDirectory.create(root, name="toy-grpo-tiny", config=base | config, plugins=plugins)


def read(run: RunDirectory) -> Page:
    path = run.write_report()
    assert path == run.path / "report.html"
    page = Page(path.read_text(encoding="utf-8"))
    assert_safe(page)
    return page


def episode(text: str = "hello", reward: float | None = 0.5, step: int = 1, **fields: Any) -> Trajectory:
    turn = Turn(
        (Message("user", f"go {text}"),), text, answer=text, info={"said": text}, rewards={"right": reward}
    )
    score = Score(reward, None if reward is None else reward > 0.4, {"right": reward})
    return Trajectory("toy", Task(f"task {text}", {}), step, turns=[turn], score=score, **fields)


def interval(mean: float, width: float = 0.05) -> dict[str, float]:
    return {"mean": mean, "low": mean - width, "high": mean + width}


def evaluation(success: float, split: str = "test", **more: Any) -> dict[str, Any]:
    means = {
        "success": interval(success),
        "reward": interval(success / 2),
        "components": {"right": interval(0.25)},
    }
    return {"env": "toy", "model": "tiny", "split": split, "n": 256, **means, **more}


def full(root: Path) -> RunDirectory:
    run = made(root)
    run.add_evaluation("before", evaluation(0.031), [episode("weak", 0.1)])
    for step in range(1, 61):
        run.add_metrics(
            step,
            {
                "reward/mean": step / 60,
                "success/mean": step / 120,
                "component/right": 0.5,
                "loss": math.nan if step == 7 else -step,
                "drift": 0.0,
                "failures/reward": float(step == 5),
                "tokens": 2_000.0 + step,
                "seconds/rollout": 2.0,
                "house/own": 1.0,
            },
        )
        if step % 20 == 0:
            run.add_trajectories(step, [episode(f"at {step}", r / 10, step) for r in range(9)])
            run.add_evaluation(f"step-{step:06d}", evaluation(step / 100, "validation"))
    difference = {
        "success": interval(0.309),
        "reward": interval(0.15),
        "components": {"right": interval(0.0)},
    }
    run.add_evaluation("after", evaluation(0.34, difference=difference), [episode("strong", 0.9)])
    run.write_json("result.json", {"steps": 60})
    return run


# ---- what stands in it


def test_a_whole_run(tmp_path: Path) -> None:
    page = read(full(tmp_path))
    assert "toy · grpo · tiny" in page.words
    assert "finished 60 steps seed 3" in page.words
    assert (
        "Success went from 3.1% to 34.0% on 256 tasks of the test split; the 95% intervals do not touch."
        in page.words
    )
    assert "34.0% [29.0%, 39.0%]" in page.words
    assert "Tokens per second 1015" in page.words
    assert "+30.9 points [25.9, 35.9]" in page.words
    assert "The same throughout: Token drift 0." in page.words
    assert "The same throughout: house/own 1" in page.words
    for text in (
        "strong",
        "weak",
        "at 20",
        "at 60",
        "rftgym-sudoku 0.2.0",
        "ImportError: no numba",
        "house/own",
    ):
        assert text in page.words
    assert "at 40" not in page.words, "first and last steps only"
    titles = ("Before and after", "Learning", "Optimisation", "Health", "Speed", "Episodes")
    places = [page.words.index(title) for title in titles]
    assert places == sorted(places)


def test_it_needs_no_network(tmp_path: Path) -> None:
    text = full(tmp_path).write_report().read_text(encoding="utf-8")
    assert "default-src 'none'" in text.replace("&#x27;", "'")
    assert not re.search(r"https?:|url\(|@import|//[a-z]", text)
    assert len(text) < 1_000_000


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_that_a_model_writes_becomes_markup(tmp_path: Path, hostile: str) -> None:
    run = made(tmp_path, model={"id": hostile})
    strange = episode(hostile, None, failures=[Failure("reward", hostile, "ValueError", hostile)])
    strange.turns[0].info = {hostile: hostile}
    strange.closing = (Message("system", hostile),)
    run.add_trajectories(1, [strange, episode(hostile)])
    run.add_metrics(1, {f"component/{hostile}": 1.0, hostile: 2.0})
    run.add_evaluation(
        "before", evaluation(0.1, hostile, components={hostile: interval(1)}, failures={hostile: 2})
    )
    page = read(run)
    assert "".join(page.text).count(html.unescape(escape(hostile))) >= 9


def test_the_parser_of_these_tests_sees_what_a_browser_would() -> None:
    with pytest.raises(AssertionError):
        assert_safe(Page("<p><script>1</script></p>"))
    with pytest.raises(AssertionError):
        assert_safe(Page("<p onclick=1></p>"))
    with pytest.raises(AssertionError):
        Page("<p><b></p></b>")


# ---- whatever is there


def test_a_run_that_has_done_nothing(tmp_path: Path) -> None:
    page = read(made(tmp_path))
    assert "unfinished" in page.words
    assert "0 of 60 steps" in page.words
    assert "Before and after" not in page.words
    assert not [tag for tag, _ in page.tags if tag == "svg"]


def test_a_run_with_a_strange_configuration(tmp_path: Path) -> None:
    run = RunDirectory.create(tmp_path, name="x", config={"env": "toy", "odd": [1]}, plugins=Plugins())
    run.add_metrics(1, {"reward/mean": 1.0})
    assert "? · ? · ?" in read(run).words


def test_a_run_with_only_a_first_evaluation(tmp_path: Path) -> None:
    run = made(tmp_path)
    run.add_evaluation(
        "before", {"success": {"mean": None, "low": None, "high": None}, "reward": 0.5, "n": 4}
    )
    page = read(run)
    assert "before training" in page.words
    assert "0.500" in page.words
    assert "Success went" not in page.words


def test_episodes_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    run = full(tmp_path)
    path = run.path / "trajectories" / "step-000060.jsonl.gz"
    path.write_bytes(path.read_bytes()[:-9])
    assert "step-000060.jsonl.gz is damaged" in read(run).words


def test_damaged_metrics_are_an_error_and_no_report(tmp_path: Path) -> None:
    run = made(tmp_path)
    (run.path / "metrics.jsonl").write_text("[]\n")
    with pytest.raises(RftgymError, match=r"metrics\.jsonl is damaged at line 1"):
        run.write_report()
    assert not (run.path / "report.html").exists()


def test_a_long_run_stays_a_small_page(tmp_path: Path) -> None:
    lines = [{"step": n, "reward/mean": math.sin(n / 99), "loss": 1 / n} for n in range(1, 20_001)]
    drawn = "".join(sections(lines, {}, 20_000))
    Page(f"<main>{drawn}</main>")
    assert len(drawn) < 60_000


@pytest.mark.parametrize(
    ("before", "after", "difference", "words"),
    [
        (0.1, 0.3, None, "do not touch"),
        (0.3, 0.1, None, "do not touch"),
        (0.1, 0.15, {"mean": 0.05, "low": 0.01, "high": 0.09}, "paired difference excludes 0"),
        (0.1, 0.15, {"mean": 0.05, "low": -0.01, "high": 0.09}, "may be chance"),
        (0.1, 0.15, None, "may be chance"),
        (0.1, 0.1, None, "stayed at 10.0%"),
    ],
)
def test_the_verdict_claims_what_the_intervals_allow(
    before: float, after: float, difference: Any, words: str
) -> None:
    last = evaluation(after) | ({"difference": {"success": difference}} if difference else {})
    found = outcome({"before": evaluation(before), "after": last})
    assert found is not None
    assert words in found


def test_the_table_shows_what_could_not_be_scored() -> None:
    found = table({"before": evaluation(0.1, unscored=3, failures={"reward right: Timeout: slow": 3})})
    assert found is not None
    assert "3 episodes before training could not be scored and do not count." in found
    assert "Before, 3 times: reward right: Timeout: slow." in found


# ---- its parts

reasonable = st.floats(-1e6, 1e6)
wild = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(st.floats(-1e99, 1e99), st.floats(-1e99, 1e99), st.integers(2, 9))
def test_ticks_are_few_even_and_enclose(a: float, b: float, most: int) -> None:
    low, high = min(a, b), max(a, b)
    found = ticks(low, high, most)
    slack = 1e-8 * max(abs(low), abs(high))
    assert 2 <= len(found) <= most + 3
    assert found == sorted(set(found))
    assert found[0] <= low + slack
    assert found[-1] >= high - slack


@settings(deadline=None)
@given(st.lists(st.lists(wild, max_size=30), max_size=3), st.booleans())
def test_charts_stay_inside_their_frame(curves: list[list[float]], from_zero: bool) -> None:
    series = [
        Series(
            f"s{n}",
            list(enumerate(ys)),
            [(x, y, y) for x, y in enumerate(ys)],
            colour=n - 1,
            dots=bool(n % 2),
        )
        for n, ys in enumerate(curves)
    ]
    chart = line_chart(series, label="test", show=str, from_zero=from_zero)
    if chart is None:
        assert not [y for ys in curves for y in ys if abs(y) < 1e100]
        return
    page = Page(f"<div>{chart}</div>")
    for tag, attributes in page.tags:
        if tag in ("circle", "line"):
            for name, text in attributes.items():
                if name in ("cx", "x1", "x2"):
                    assert 0 <= float(text or "") <= WIDTH
                if name in ("cy", "y1", "y2"):
                    assert 0 <= float(text or "") <= HEIGHT


def test_a_gap_breaks_the_line() -> None:
    chart = line_chart([Series("s", [(1, 1.0), (2, math.nan), (3, 2.0), (4, 3.0)])], label="x", show=str)
    paths = [attributes["d"] for tag, attributes in Page(str(chart)).tags if tag == "path"]
    assert [(path or "").count("M") for path in paths] == [2]


@settings(deadline=None)
@given(st.lists(reasonable, min_size=1, max_size=40), st.integers(1, 9))
def test_rolling_means_lie_between_what_they_average(ys: list[float], window: int) -> None:
    means = rolling_mean(list(enumerate(ys)), window)
    for index, (x, mean) in enumerate(means):
        recent = ys[max(0, index - window + 1) : index + 1]
        assert x == index
        assert min(recent) - 1e-6 <= mean <= max(recent) + 1e-6


@settings(deadline=None)
@given(st.lists(st.none() | st.floats(allow_nan=True), max_size=20))
def test_samples_are_the_best_the_median_and_the_worst(rewards: list[float | None]) -> None:
    picked = dict(chosen(episode(str(n), reward) for n, reward in enumerate(rewards)))
    known = sorted(r for r in rewards if r is not None and r == r)
    assert ("unscored" in picked) == (None in rewards)
    if len(set(known)) > 1:
        assert picked["best"].reward == known[-1]
        assert picked["worst"].reward == known[0]
        assert picked["best"] is not picked["worst"]
        if len(known) > 2:
            assert known[0] <= (picked["typical"].reward or 0) <= known[-1]
    elif known:
        assert len([label for label in picked if label != "unscored"]) == 1


def test_a_chat_shows_turns_rewards_and_failures() -> None:
    long = episode("x" * 9_000, None, failures=[Failure("reward", "right", "Timeout", "5 s", attempts=3)])
    long.turns[0].stop_reason, long.turns[0].well_formed = "length", False
    long.turns *= 50
    page = Page(chat("unscored", long))
    assert "(5,000 more characters)" in page.words
    assert "10 more turns" in page.words
    assert "reward right: Timeout: 5 s after 3 attempts" in page.words
    assert "stopped length" in page.words
    assert "format broken" in page.words
    assert len(page.words) < 400_000


@pytest.mark.parametrize(
    ("number", "text"),
    [(None, "–"), (0, "0"), (1.0, "1"), (1234567.0, "1.235e+06"), (65_536, "65,536"), (0.12345, "0.123"),
     (0.00012345, "0.00012"), (-12.3456, "-12.346"), (512.25, "512.2"), ("NaN", "nan"), (math.inf, "inf")],
)  # fmt: skip
def test_numbers_read_well(number: Any, text: str) -> None:
    assert value(number) == text


def test_durations_read_well() -> None:
    assert [duration(s) for s in (0.04, 9.4, 59, 61, 3_725)] == [
        "0.0 s",
        "9.4 s",
        "59 s",
        "1 min 1 s",
        "1 h 2 min",
    ]


def test_held_out_points_are_drawn_with_their_intervals() -> None:
    evaluations: Mapping[str, Mapping[str, Any]] = {
        "before": evaluation(0.1),
        "step-000010": evaluation(0.2, "validation"),
        "after": evaluation(0.3),
    }
    lines = [{"step": n, "success/mean": n / 100} for n in range(1, 21)]
    page = Page("<main>" + "".join(sections(lines, evaluations, 20)) + "</main>")
    tips = [text for text in page.text if ", step " in text]
    assert {"test, step 0: 10%", "test, step 20: 30%", "validation, step 10: 20%"} <= set(tips)
