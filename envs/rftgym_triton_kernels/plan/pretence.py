"""Pretends that there is a GPU, so that wrappers which were written for one run on decoys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch.overrides import TorchFunctionMode

from rftgym_triton_kernels.targets import Target, target_of

GPU = torch.device("cuda", 0)
_PROPERTIES = {
    torch.Tensor.is_cuda.__get__: True,  # type: ignore[attr-defined]
    torch.Tensor.is_cpu.__get__: False,  # type: ignore[attr-defined]
    torch.Tensor.device.__get__: GPU,
    torch.Tensor.get_device: 0,
}
_SAME = (torch.Tensor.cuda, torch.Tensor.cpu, torch.Tensor.pin_memory)


_LOOKS = {
    getattr(torch.Tensor, name)
    for name in (
        "item",
        "tolist",
        "numpy",
        "untyped_storage",
        "storage",
        "__array__",
        "__bool__",
        "__complex__",
        "__contains__",
        "__deepcopy__",
        "__dlpack__",
        "__float__",
        "__format__",
        "__index__",
        "__int__",
        "__reduce_ex__",
        "__repr__",
    )
}


class CudaPretence(TorchFunctionMode):
    """Tensors say that they are on a GPU, and everything that is asked for on one is made in memory.

    Args:
        looked_at: called with a tensor whose values are asked for, and how.
    """

    def __init__(self, looked_at: Callable[[torch.Tensor, str], None]) -> None:
        super().__init__()
        self._looked_at = looked_at

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Answer what concerns the device; pass on the rest without it."""
        if func in _PROPERTIES:
            return _PROPERTIES[func]
        if func in _SAME:
            return args[0]
        if func in _LOOKS:
            self._looked_at(args[0], func.__name__)
        if func is torch.Tensor.record_stream:
            return None
        kwargs = {key: value for key, value in (kwargs or {}).items() if key not in ("device", "pin_memory")}
        if func is torch.Tensor.to:
            args = [args[0], *(each for each in args[1:] if not _is_device(each))]
            if len(args) == 1 and not set(kwargs) - {"non_blocking", "copy"}:
                return args[0]
        return func(*args, **kwargs)


def _is_device(value: object) -> bool:
    return isinstance(value, torch.device) or (
        isinstance(value, str) and value.split(":")[0] in ("cuda", "cpu")
    )


class _Nothing:
    """A stream, an event, a device guard: takes any call and does nothing."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.cuda_stream = 0

    def __enter__(self) -> _Nothing:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


class PretendDriver:
    """Triton's driver without a device behind it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.utils = SimpleNamespace(get_device_properties=self._properties)

    def _properties(self, device: Any = 0) -> dict[str, int]:
        return {
            "max_shared_mem": self._target.shared_bytes,
            "max_num_regs": 65_536,
            "multiprocessor_count": self._target.processors,
            "warpSize": self._target.warp,
            "sm_clock_rate": 1_755_000,
            "mem_clock_rate": 2_619_000,
            "mem_bus_width": 5_120,
        }

    def get_current_target(self) -> Any:
        """Backend, architecture and warp size."""
        return self._target.triton()

    def get_current_device(self) -> int:
        """The only one."""
        return 0

    def set_current_device(self, device: int) -> None:
        """There is only one."""

    def get_current_stream(self, device: int | None = None) -> int:
        """The default one."""
        return 0

    def get_active_torch_device(self) -> torch.device:
        """As PyTorch names it."""
        return GPU

    def get_device_capability(self, device: int = 0) -> tuple[int, int]:
        """Major and minor version."""
        return self._target.capability

    def get_device_interface(self) -> Any:
        """PyTorch's module for the device."""
        return torch.cuda


@contextmanager
def pretending(target_name: str) -> Iterator[None]:
    """Let ``torch.cuda`` and Triton's driver describe a device of the target while the block runs."""
    from triton.runtime import driver

    target = target_of(target_name)
    major, minor = target.capability
    properties = SimpleNamespace(
        name=target.name,
        major=major,
        minor=minor,
        multi_processor_count=target.processors,
        total_memory=80 << 30,
        warp_size=target.warp,
        max_threads_per_multi_processor=2048,
        shared_memory_per_block=49_152,
        shared_memory_per_block_optin=target.shared_bytes,
        regs_per_multiprocessor=65_536,
        L2_cache_size=50 << 20,
    )
    answers: dict[str, Any] = {
        "is_available": lambda: True,
        "is_initialized": lambda: True,
        "init": lambda: None,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "set_device": lambda device=None: None,
        "get_device_name": lambda device=None: target.name,
        "get_device_capability": lambda device=None: target.capability,
        "get_device_properties": lambda device=None: properties,
        "is_bf16_supported": lambda *args, **kwargs: True,
        "synchronize": lambda device=None: None,
        "empty_cache": lambda: None,
        "current_stream": lambda device=None: _Nothing(),
        "default_stream": lambda device=None: _Nothing(),
        "stream": lambda stream=None: nullcontext(),
        "Stream": _Nothing,
        "Event": _Nothing,
        "device": _Nothing,
        "device_of": _Nothing,
        "manual_seed": lambda seed: None,
    }
    with ExitStack() as stack:
        for name, answer in answers.items():
            stack.enter_context(mock.patch.object(torch.cuda, name, answer))
        stack.enter_context(mock.patch.object(driver, "_active", PretendDriver(target)))
        yield
