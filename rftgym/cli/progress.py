"""Showing a run's progress: bars in a terminal, lines elsewhere. Always on standard error."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from rftgym.training import Progress as Listener

TRAINING = "training"
SECONDS_BETWEEN_LINES = 10.0
COMFORTABLE_WIDTH = 100  # columns; below it everything has to be short to stay on one line
WITHOUT_A_LINE = (
    "loading",
    "playing",
)  # most mistakes are found there, and the one line should be the mistake's


class RunProgress(Listener):
    """Says nothing, and remembers what Ctrl-C needs to know.

    Attributes:
        training: optimizer steps are being taken, so that a wish to stop can be granted with a checkpoint.
        run: the run's directory, once there is one.
    """

    training = False
    run: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to take down."""

    def started(self, run: Path) -> None:
        """The run has a directory."""
        self.run = run

    def phase(self, name: str) -> None:
        """A part of the run begins."""
        self.training = name == TRAINING

    def note(self, text: str) -> None:
        """Say something to the user, however quiet."""
        Console(stderr=True).print(f"rftgym: {text}", markup=False, highlight=False)


class _Shown(RunProgress):
    """What bars and lines have in common."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.name = ""
        self.held_out = ""

    def phase(self, name: str) -> None:
        """A part of the run begins."""
        super().phase(name)
        self.name = name

    def remark(self, step: int, text: str) -> None:
        """Something about a batch that the user should know."""
        self.note(f"step {step}: {text}")

    def note(self, text: str) -> None:
        """Say something above the bars."""
        self.console.print(f"rftgym: {text}", markup=False)

    def evaluation(self, when: str, evaluation: Mapping[str, Any]) -> None:
        """Keep the score to be shown."""
        success = (evaluation.get("success") or {}).get("mean")
        if success is not None:
            self.held_out = f"held-out {success:.1%}"

    def facts(self, metrics: Mapping[str, float]) -> str:
        """Reward, held-out score and speed, as far as they are known."""
        parts = [
            f"reward {metrics['reward/mean']:.3f}" if "reward/mean" in metrics else "",
            self.held_out,
            f"{metrics['tokens'] / metrics['seconds/rollout']:,.0f} tok/s" if _has_speed(metrics) else "",
        ]
        return "  ".join(part for part in parts if part)


def _has_speed(metrics: Mapping[str, float]) -> bool:
    return bool(metrics.get("tokens") and metrics.get("seconds/rollout"))


class LineProgress(_Shown):
    """One line a step, where standard error is a file or a pipe; lines of an evaluation at most every ten seconds."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._last = time.monotonic()
        self._begun = 0.0
        self._first: int | None = None

    def phase(self, name: str) -> None:
        """A part of the run begins."""
        super().phase(name)
        self._begun, self._first = time.monotonic(), None
        if name not in WITHOUT_A_LINE:
            self._say(name)

    def episodes(self, done: int, total: int) -> None:
        """Episodes of the evaluation under way."""
        if time.monotonic() - self._last > SECONDS_BETWEEN_LINES:
            self._say(f"  {done}/{total} episodes")

    def step(self, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """An optimizer step was taken."""
        self._first = self._first if self._first is not None else step - 1
        left = (time.monotonic() - self._begun) / (step - self._first) * (steps - step)
        self._say(f"  step {step}/{steps}  {self.facts(metrics)}  {left / 60:.1f} min left")

    def evaluation(self, when: str, evaluation: Mapping[str, Any]) -> None:
        """An evaluation ended."""
        super().evaluation(when, evaluation)
        self._say(f"  {when}: {self.held_out or 'nothing could be scored'}")

    def _say(self, text: str) -> None:
        self._last = time.monotonic()
        self.console.print(text, markup=False)


class BarProgress(_Shown):
    """A bar for the part of the run under way, with reward, held-out score, speed and the time left."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=10 if console.width < COMFORTABLE_WIDTH else 30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[facts]}"),
            TimeRemainingColumn(),
            console=console,
        )
        self._bar: TaskID | None = None
        self._aside: TaskID | None = None

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the terminal; what the bars showed last stays, unless nothing had begun."""
        if error is not None and self.run is None:
            for bar in self._bars.task_ids:
                self._bars.remove_task(bar)
        self._bars.stop()

    def phase(self, name: str) -> None:
        """A part of the run begins: a bar of its own."""
        super().phase(name)
        self._finish()
        self._bar = self._bars.add_task(name.replace("evaluating", "eval"), total=None, facts="")

    def episodes(self, done: int, total: int) -> None:
        """Episodes of the evaluation under way; one between two steps gets a bar for as long as it lasts."""
        if not self.training:
            self._update(self._bar, done, total, "episodes")
            return
        if self._aside is None:
            self._aside = self._bars.add_task("  held-out", total=total, facts="")
        self._update(self._aside, done, total, "episodes")

    def step(self, step: int, steps: int, metrics: Mapping[str, float]) -> None:
        """An optimizer step was taken."""
        self._update(self._bar, step, steps, self.facts(metrics))

    def evaluation(self, when: str, evaluation: Mapping[str, Any]) -> None:
        """An evaluation ended."""
        super().evaluation(when, evaluation)
        if self._aside is not None:
            self._bars.remove_task(self._aside)
            self._aside = None
        elif self._bar is not None:
            self._bars.update(self._bar, facts=self.held_out)

    def _update(self, bar: TaskID | None, done: int, total: int, facts: str) -> None:
        if bar is not None:
            self._bars.update(bar, completed=done, total=total, facts=facts)

    def _finish(self) -> None:
        """A part without a count (loading) is over: its bar is full."""
        if self._bar is None:
            return
        task = self._bars.tasks[self._bars.task_ids.index(self._bar)]
        if task.total is None:
            self._bars.update(self._bar, completed=1, total=1)
        self._bars.stop_task(self._bar)


@contextlib.contextmanager
def episode_bar(console: Console | None) -> Iterator[Callable[[int, int], None] | None]:
    """Progress over episodes alone: a function to call with (done, total); None where there is nowhere to show it."""
    if console is None:
        yield None
        return
    progress = BarProgress(console) if console.is_terminal else LineProgress(console)
    with progress:
        progress.phase("playing")
        yield progress.episodes
