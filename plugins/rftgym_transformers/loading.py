"""From settings to a policy: which weights are read, in which form they are held, and which of them are trained."""

from __future__ import annotations

import importlib.util
import socket
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import huggingface_hub
import torch
import transformers

from rftgym.config import ModelSettings
from rftgym.errors import UsageError
from rftgym_transformers.adapters import with_new_adapter, with_saved_adapter
from rftgym_transformers.policy import TransformersPolicy
from rftgym_transformers.weights import base_of, is_model, lasting, trained_weights


def load(
    settings: ModelSettings, *, trainable: bool = False, directory: str | None = None, seed: int = 0
) -> TransformersPolicy:
    """Load a policy from a local directory, a hub id, an adapter directory or a run directory.

    Args:
        settings: what the user asked for. ``settings.weights`` may name an adapter directory, a directory with full
            weights, or a run; a saved adapter keeps the rank and targets that it was made with.
        trainable: attach a new adapter (or go on with that of ``settings.weights``), or unfreeze all weights.
        directory: read from here instead of from ``settings.id`` (for plugins that bring a model of their own).
        seed: of a new adapter's initial values; nothing else is drawn, and torch's global generators stay as they were.
    Raises:
        UsageError: something is missing or cannot be read here; says what to do.
    """
    if directory is None and Path(settings.id).is_dir() and not is_model(Path(settings.id)):
        return _load_trained(settings, trainable=trainable, seed=seed)
    adapter = trained_weights(settings.weights) if settings.weights is not None else None
    source, base = directory or settings.id, settings.id
    if adapter is not None and is_model(adapter):
        source = base = str(adapter)
        adapter = None
    device = _device(settings.device)
    tokenizer = _tokenizer(source, settings)
    model = _model(source, settings, device=device)
    _check_sizes(model, tokenizer, settings.id)
    model = _adapted(model, adapter, settings, trainable=trainable, seed=seed)
    _prepare(model, settings, trainable=trainable)
    facts = {"revision": getattr(model.config, "_commit_hash", None), "weights": settings.weights}
    return TransformersPolicy(settings.id, model, tokenizer, base=lasting(base), facts=facts)


def _load_trained(settings: ModelSettings, *, trainable: bool, seed: int) -> TransformersPolicy:
    """What an adapter directory or a run holds, with the model that it belongs to."""
    from rftgym.registry import make_policy

    trained = trained_weights(settings.id)
    if settings.weights is not None:
        raise UsageError(
            f"{settings.id} brings weights of its own: leave out model.weights={settings.weights}"
        )
    if is_model(trained):
        return load(settings, trainable=trainable, directory=str(trained), seed=seed)
    base = settings.model_copy(update={"id": base_of(trained), "weights": str(trained)})
    policy = make_policy(base, trainable=trainable, seed=seed)
    if not isinstance(policy, TransformersPolicy):
        raise UsageError(f"{trained} is an adapter for {base.id!r}, which has no weights here")
    policy.id = settings.id
    return policy


def _adapted(model: Any, adapter: Path | None, settings: ModelSettings, *, trainable: bool, seed: int) -> Any:
    """The model with the adapter it shall have; for full fine-tuning a saved one is merged into the weights."""
    full = settings.adapter == "full"
    if adapter is None:
        return with_new_adapter(model, settings.lora, seed=seed) if trainable and not full else model
    adapted = with_saved_adapter(model, adapter, trainable=trainable and not full)
    return adapted.merge_and_unload() if trainable and full else adapted


def _prepare(model: Any, settings: ModelSettings, *, trainable: bool) -> None:
    if not trainable:
        model.requires_grad_(False)
    elif settings.adapter == "full":
        model.requires_grad_(True)
    if trainable and settings.gradient_checkpointing:
        model.enable_input_require_grads()  # frozen embeddings would leave the recomputed layers without gradients
        if hasattr(model, "activation_checkpointing_enable"):  # the newer name; the older one warns
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        else:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    model.eval()


def _tokenizer(source: str, settings: ModelSettings) -> Any:
    with _explained(settings.id):
        tokenizer = transformers.AutoTokenizer.from_pretrained(source, **_where(source, settings))
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _model(source: str, settings: ModelSettings, *, device: torch.device) -> Any:
    options: dict[str, Any] = {"dtype": _dtype(settings.dtype, device)}
    if settings.attention != "auto":
        options["attn_implementation"] = settings.attention
    if settings.adapter == "qlora":
        options |= {"quantization_config": _four_bits(device, options["dtype"]), "device_map": {"": device}}
    with _explained(settings.id), _without_progress_bars():
        model = transformers.AutoModelForCausalLM.from_pretrained(
            source, use_safetensors=True, **_where(source, settings), **options
        )
    return model if settings.adapter == "qlora" else model.to(device)


def _where(source: str, settings: ModelSettings) -> dict[str, Any]:
    """Where transformers may look.

    The hub's client tries again for a minute before it says that there is no network: then, only its cache is read.
    """
    local = Path(source).is_dir() or not _hub_has_address()
    return {"revision": settings.revision, "trust_remote_code": False, "local_files_only": local}


def _hub_has_address() -> bool:
    if urllib.request.getproxies():
        return True  # names are then resolved by the proxy
    host = urllib.parse.urlsplit(huggingface_hub.constants.ENDPOINT).hostname
    try:
        socket.getaddrinfo(host, 443)
    except OSError:
        return False
    return True


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """What keeps a model from being read, as one line with a cure."""
    try:
        yield
    except (OSError, ValueError, ImportError, KeyError, RuntimeError) as error:
        raise UsageError(f"cannot load model {name!r}: {_reason(name, error)}") from error


def _reason(name: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    local = Path(name).exists()
    if "trust_remote_code" in text:
        return "it needs Python code of its own, which is not run; take a model that transformers knows"
    if "no file named" in text and "safetensors" in text:
        return (
            "there is no model.safetensors, and pickled weights are not read; save it with save_pretrained()"
        )
    if not local and any(word in text.lower() for word in ("connect", "offline", "cached", "resolve")):
        return "the hub cannot be reached; download it where there is a network, then name its directory"
    if not local and ("not a valid model identifier" in text or "Repository Not Found" in text):
        return "there is no such directory and no such model on the hub (or it asks for `hf auth login`)"
    return text[:300]


@contextmanager
def _without_progress_bars() -> Iterator[None]:
    logging = transformers.utils.logging
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _check_sizes(model: Any, tokenizer: Any, name: str) -> None:
    rows = model.get_input_embeddings().weight.shape[0]
    if len(tokenizer) > rows:
        raise UsageError(
            f"model {name!r}: its tokenizer has {len(tokenizer)} tokens, its embedding only {rows} rows"
        )


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"model.device={name} cannot be used here: {reason}") from error
    return device


def _dtype(name: str, device: torch.device) -> torch.dtype:
    if name == "auto":
        fits = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if fits else torch.float32
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _four_bits(device: torch.device, dtype: torch.dtype) -> Any:
    """4-bit NormalFloat with double quantization, as in QLoRA, arXiv:2305.14314."""
    if device.type != "cuda":
        raise UsageError(
            "model.adapter=qlora needs a GPU, and there is none to be seen; take model.adapter=lora"
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise UsageError("model.adapter=qlora needs bitsandbytes: pip install 'rftgym[qlora]'")
    return transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
