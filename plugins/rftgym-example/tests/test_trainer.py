"""Tests of the trainer; they need the plugin installed (``pip install -e .``), as a user has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import rftgym
from rftgym.errors import UsageError
from rftgym.plugins import discover
from rftgym.runs.directory import RunDirectory
from rftgym.training import RunStopped, resume


def test_is_found_and_named_with_its_distribution() -> None:
    found = discover().find("trainer", "best-of-group")
    assert (found.plugin.distribution, found.plugin.error) == ("rftgym-example", None)


def settings(runs: Path, **trainer: Any) -> dict[str, Any]:
    own = {"id": "best-of-group", "steps": 2, "prompts": 4, "group_size": 4, "warmup": 0}
    return {
        "env": "wordle",
        "model": "tiny",
        "trainer": {**own, **trainer},
        "evaluation": {"n": 2, "every": 0},
        "guard": {"preflight": "off"},
        "runs": str(runs),
    }


def metrics_and_weights(run: Path) -> tuple[list[tuple[float, ...]], bytes]:
    keys = ("step", "reward/mean", "chosen", "loss", "gradient_norm", "learning_rate")
    lines = [tuple(line[key] for key in keys) for line in RunDirectory.open(run).metrics()]
    return lines, (run / "adapter" / "adapter_model.safetensors").read_bytes()


def test_trains_and_a_resumed_run_ends_bit_identical(tmp_path: Path) -> None:
    whole = metrics_and_weights(Path(rftgym.train(**settings(tmp_path / "whole"))["run"]))
    assert [line[0] for line in whole[0]] == [1, 2]
    assert all(chosen >= 1 and loss > 0 and norm > 0 for _, _, chosen, loss, norm, _ in whole[0])

    with pytest.raises(RunStopped):
        rftgym.train(**settings(tmp_path / "halves"), stop=lambda: True)
    (half,) = (tmp_path / "halves").iterdir()
    assert len(RunDirectory.open(half).metrics()) == 1
    resume(half)
    assert metrics_and_weights(half) == whole


def test_what_has_no_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no weights"):
        rftgym.train(**{**settings(tmp_path), "model": "openai:any@http://127.0.0.1:9/v1"})
    assert not list(tmp_path.iterdir())
