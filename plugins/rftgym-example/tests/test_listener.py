"""What the plugin does when it is told of an evaluation; it needs to be installed (``pip install -e .``)."""

from __future__ import annotations

from pathlib import Path

from rftgym.plugins import discover
from rftgym.runs.directory import RunDirectory


def test_evaluations_are_noted_in_the_run(tmp_path: Path) -> None:
    plugins = discover()
    run = RunDirectory.create(tmp_path, name="sort-digits", config={}, plugins=plugins)
    success = {"mean": 0.5, "low": 0.25, "high": 0.75}
    for step in (0, 10):
        plugins.hooks.on_evaluate(run=run, step=step, evaluation={"success": success})
    assert (run.path / "held-out.tsv").read_text() == "0\t0.5\t0.25\t0.75\n10\t0.5\t0.25\t0.75\n"
