"""Who is told how a comparison goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rftgym.compare.plan import Plan


class Watcher:
    """Told what a comparison is doing; the default says nothing."""

    def planned(self, directory: Path, plan: Plan, jobs: int, over: int) -> None:
        """It begins, or goes on: of so many jobs, so many are over already."""

    def estimated(self, seconds: float) -> None:
        """About how long the training will take, before it begins."""

    def finished(
        self, job: str, score: float | None, over: int, jobs: int, seconds_left: float | None
    ) -> None:
        """A job is over; ``score`` is its success rate on the tasks it was evaluated on."""

    def failed(self, job: str, reason: str) -> None:
        """A job failed; others go on."""
