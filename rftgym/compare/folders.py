"""A comparison's directory: made at once, read by anybody, filled job by job."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rftgym.compare.page import page
from rftgym.compare.plan import LAYOUT, Plan
from rftgym.compare.plot import plot
from rftgym.compare.table import markdown
from rftgym.errors import RftgymError, UsageError
from rftgym.plugins import Plugins
from rftgym.runs import atomic
from rftgym.runs.directory import RunDirectory, slug
from rftgym.runs.lock import environment_lock
from rftgym.runs.strictjson import dumps

PLAN = "comparison.json"
RUNS = "runs"
WRITER = ".writer"
MEASURES = "measures.json"
"""In a job's folder: what the job came to. A job that has it is over."""


def job_folder(directory: Path, id: str) -> Path:
    """Where a job of a comparison is done."""
    return directory / RUNS / id


def is_over(directory: Path, id: str) -> bool:
    """Whether a job has nothing left to do."""
    return (job_folder(directory, id) / MEASURES).exists()


def measures_of(directory: Path, id: str) -> dict[str, Any]:
    """What a job that is over came to.

    Raises:
        RftgymError: the file is damaged.
    """
    path = job_folder(directory, id) / MEASURES
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except ValueError as error:
        raise RftgymError(f"{path} is damaged: {error}; remove it, and the job is measured again") from error
    return found


def run_of(directory: Path, id: str) -> RunDirectory:
    """The run of a training job that is over."""
    return RunDirectory.open(job_folder(directory, id) / measures_of(directory, id)["run"])


def created(root: Path, plan: Plan, plugins: Plugins) -> Path:
    """A new directory with the plan in it; it appears at once."""
    atomic.check_writable(root, what="comparison", option="--out")
    model = plan.model.rstrip("/").rpartition("/")[2]
    wanted = root.resolve() / f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{slug(f'{plan.env}-{model}')}"
    further = (wanted.with_name(f"{wanted.name}-{count}") for count in itertools.count(2))
    with atomic.staging(wanted) as temporary:
        atomic.write_bytes(temporary / PLAN, dumps(plan.model_dump(mode="json"), indent=1) + b"\n")
        atomic.write_bytes(temporary / "environment.json", dumps(environment_lock(plugins), indent=1) + b"\n")
        (temporary / RUNS).mkdir()
        return atomic.name_directory(temporary, itertools.chain([wanted], further))


def read_plan(directory: Path) -> Plan:
    """The plan of a comparison's directory.

    Raises:
        UsageError: it is none, or a newer rftgym made it.
    """
    try:
        text = (directory / PLAN).read_bytes()
    except OSError as error:
        raise UsageError(f"no comparison at {directory}: it has no {PLAN} ({error.strerror})") from error
    try:
        values = json.loads(text)
        newer = values["layout"] > LAYOUT
        plan = None if newer else Plan.model_validate(values)
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{directory / PLAN} is no plan of a comparison: {' '.join(str(error).split())[:200]}"
        ) from error
    if plan is None:
        raise UsageError(
            f"{directory} was made by a newer rftgym (layout {values['layout']}, not {LAYOUT}); upgrade it"
        )
    return plan


def publish(directory: Path, plan: Plan, results: Mapping[str, Any]) -> None:
    """The files for readers; ``results.json`` last, since it says that all is there."""
    texts = {
        "advice.txt": f"{results['advice']}\n",
        "plot.svg": plot(results),
        "table.md": markdown(results),
        "report.html": page(results, plan, directory.name),
    }
    for name, text in texts.items():
        atomic.write_bytes(directory / name, text.encode("utf-8"))
    atomic.write_bytes(directory / "results.json", dumps(results, indent=1) + b"\n")
