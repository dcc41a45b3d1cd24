"""Writes down what a wrapper does: torch's operations through a dispatch mode, launches through Triton's own entry."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import triton.language as tl
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_leaves

from rftgym_triton_kernels.plan.pretence import CudaPretence

LARGEST_CONSTANT_BYTES = 1 << 20
MOST_OPERATIONS = 2_000
ALLOCATE = frozenset(
    {"empty", "empty_strided", "empty_like", "new_empty", "new_empty_strided", "empty_permuted"}
)
FILLED: Mapping[str, float | None] = {
    "zeros": 0,
    "zeros_like": 0,
    "new_zeros": 0,
    "ones": 1,
    "ones_like": 1,
    "new_ones": 1,
    "full": None,
    "full_like": None,
    "new_full": None,
}
COPIES = frozenset(
    {"clone", "_to_copy", "contiguous", "_reshape_copy", "view_copy", "_unsafe_view_copy", "lift_fresh_copy"}
)
READS = frozenset({"_local_scalar_dense", "equal", "is_nonzero", "item", "allclose"})
DTYPES = {
    getattr(torch, name): name
    for name in (
        "float64",
        "float32",
        "float16",
        "bfloat16",
        "int64",
        "int32",
        "int16",
        "int8",
        "uint8",
        "bool",
    )
}


class Stopped(Exception):
    """The wrapper does something that no wrapper may do.

    Attributes:
        kind: "cheat" or "launch".
        message: one line.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def decoys(arguments: Sequence[Mapping[str, Any]], blobs: Sequence[bytes]) -> list[Any]:
    """The arguments of a case as the wrapper gets them."""
    return [_decoy(argument, blobs) for argument in arguments]


def _decoy(argument: Mapping[str, Any], blobs: Sequence[bytes]) -> Any:
    if "tensor" not in argument:
        value = argument["value"]
        return tuple(value) if isinstance(value, list) else value
    spec = argument["tensor"]
    dtype = getattr(torch, spec["dtype"])
    content = bytearray(blobs[spec["blob"]])
    flat = torch.frombuffer(content, dtype=dtype) if content else torch.empty(0, dtype=dtype)
    return flat.clone().as_strided(spec["shape"], spec["strides"])


def altered(values: Sequence[Any]) -> Sequence[Any]:
    """The very same tensors with other values in them: whoever remembers results by address is found out."""
    for value in values:
        if isinstance(value, torch.Tensor) and value.numel():
            whole = torch.empty(0, dtype=value.dtype).set_(value.untyped_storage())
            whole.copy_(whole.flip(0))
    return values


class Recorder(TorchDispatchMode):
    """One case: plays the wrapper and holds its tape.

    Args:
        config: which of an autotuner's configurations to take, modulo their number.
        kernels: names of the vetted kernels.

    Attributes:
        constants: contents of buffers that the wrapper made from nothing (an index table, say).
        configs: the largest number of configurations that an autotuner had.
        stopped: the first reason to refuse, even where the candidate caught the exception.
    """

    def __init__(self, config: int, kernels: frozenset[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.config, self.kernels = config, kernels
        self.buffers: list[dict[str, Any]] = []
        self.ops: list[dict[str, Any]] = []
        self.constants: list[bytes] = []
        self.configs = 1
        self.stopped: Stopped | None = None
        self._numbers: dict[int, int] = {}
        self._kept: list[Any] = []  # a storage that lives on cannot lend its address to another one
        self._inputs = 0

    # ---- the whole case

    def play(self, wrapper: Callable[..., Any], values: Sequence[Any]) -> dict[str, Any]:
        """Call the wrapper on decoys; return the tape.

        Raises:
            Stopped: it does what it may not do, or returns something else than tensors.
            BaseException: of the candidate's own.
        """
        for value in values:
            if isinstance(value, torch.Tensor):
                self._register(value, source=len(self._numbers))
        self._inputs = len(self._numbers)
        with launches_to(self), torch.no_grad(), CudaPretence(self._looked_at), self:
            result = wrapper(*values)
        if self.stopped is not None:
            raise self.stopped
        return {"results": self._results(result), "buffers": self.buffers, "ops": self.ops}

    def _looked_at(self, tensor: torch.Tensor, how: str) -> None:
        """The wrapper asks for a tensor's values, or for its memory.

        Raises:
            Stopped: they depend on the inputs.
        """
        if self._known(tensor):
            raise self._stop("cheat", f"the wrapper looks at a tensor's values ({how}): not supported")

    def _results(self, result: Any) -> list[dict[str, Any]]:
        results = list(result) if isinstance(result, tuple | list) else [result]
        for each in results:
            if type(each) is not torch.Tensor:
                raise Stopped("launch", f"the wrapper returns {type(each).__name__}, not a tensor"[:200])
        return [self.view(each) for each in results]

    # ---- buffers and views

    def _register(self, tensor: torch.Tensor, source: int | None = None) -> int:
        storage = tensor.untyped_storage()
        self._kept.append(storage)
        self._numbers[storage._cdata] = len(self.buffers)
        self.buffers.append({"bytes": storage.nbytes(), "dtype": DTYPES[tensor.dtype], "input": source})
        return len(self.buffers) - 1

    def _known(self, tensor: torch.Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._numbers

    def view(self, tensor: torch.Tensor) -> dict[str, Any]:
        """A tensor as a view of a buffer; storage from nowhere becomes a constant."""
        if type(tensor) is not torch.Tensor and not isinstance(tensor, torch.nn.Parameter):
            raise self._stop("cheat", f"a {type(tensor).__name__} is no plain tensor"[:200])
        if (
            tensor.layout is not torch.strided
            or tensor.dtype not in DTYPES
            or tensor.is_conj()
            or tensor.is_neg()
        ):
            raise self._stop(
                "launch", f"tensors of {tensor.dtype} and layout {tensor.layout} are not supported"
            )
        if not self._known(tensor):
            self._constant(tensor)
        return {
            "buffer": self._numbers[tensor.untyped_storage()._cdata],
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "strides": list(tensor.stride()),
            "offset": tensor.storage_offset(),
        }

    def _constant(self, tensor: torch.Tensor) -> None:
        """Content that depends on no input: one value is a fill, more is sent along."""
        storage = tensor.untyped_storage()
        whole = torch.empty(0, dtype=tensor.dtype).set_(storage)
        if whole.numel() and bool((whole == whole[0]).all()):
            self._register(tensor)
            self._append({"op": "fill", "to": self.view(whole), "value": whole[0].item()})
            return
        content = bytes(storage) if storage.nbytes() <= LARGEST_CONSTANT_BYTES else b""
        if sum(map(len, self.constants)) + storage.nbytes() > LARGEST_CONSTANT_BYTES:
            raise self._stop(
                "launch", f"more than {LARGEST_CONSTANT_BYTES} bytes of constants made in Python"
            )
        self._register(tensor, source=self._inputs + len(self.constants))
        self.constants.append(content)

    def _append(self, operation: dict[str, Any]) -> None:
        if len(self.ops) >= MOST_OPERATIONS:
            raise self._stop("launch", f"more than {MOST_OPERATIONS} operations")
        self.ops.append(operation)

    def _stop(self, kind: str, message: str) -> Stopped:
        stop = Stopped(kind, message)
        self.stopped = self.stopped or stop
        return stop

    # ---- torch

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Classify an operation: allocate, fill, view, copy, or something which computes."""
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__.split("::")[-1]
        tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, torch.Tensor)]
        tainted = [each for each in tensors if self._known(each)]
        if name in READS and tainted:
            raise self._stop(
                "cheat", f"the wrapper looks at a tensor's values ({name.strip('_')}): not supported"
            )
        if name in ("fill_", "zero_"):
            return self._filled_in_place(func, name, args, kwargs, bool(tainted))
        if name == "copy_":
            return self._copied_in_place(func, args, kwargs, bool(tainted))
        if tainted and name not in ALLOCATE and name not in FILLED and func._schema.is_mutable:
            raise self._computes(func)
        before = {each.untyped_storage()._cdata for each in tensors}
        result = func(*args, **kwargs)
        outputs = [each for each in tree_leaves(result) if isinstance(each, torch.Tensor)]
        if name in ALLOCATE or name in FILLED:
            self._allocated(name, outputs, args, kwargs)
        elif not tainted or all(each.untyped_storage()._cdata in before for each in outputs):
            pass  # a constant in the making, or a view
        elif name in COPIES and len(tainted) == 1:
            self._copied(tainted[0], outputs[0])
        else:
            raise self._computes(func)
        return result

    def _computes(self, func: Any) -> Stopped:
        return self._stop("cheat", f"torch does the work: {func.overloadpacket!s} in the wrapper"[:200])

    def _allocated(
        self, name: str, outputs: Sequence[torch.Tensor], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> None:
        for output in outputs:
            if output.dtype not in DTYPES:
                continue
            self._register(output)
            if name in FILLED:
                value = FILLED[name]
                if value is None:
                    value = (
                        kwargs["fill_value"]
                        if "fill_value" in kwargs
                        else args[2 if name == "new_full" else 1]
                    )
                self._fill(output, value)

    def _fill(self, tensor: torch.Tensor, value: Any) -> None:
        if isinstance(value, torch.Tensor) or not isinstance(value, bool | int | float):
            raise self._stop("launch", f"a fill with {type(value).__name__} is not supported"[:200])
        self._append({"op": "fill", "to": self.view(tensor), "value": value})

    def _filled_in_place(
        self, func: Any, name: str, args: Sequence[Any], kwargs: Mapping[str, Any], tainted: bool
    ) -> Any:
        value = 0 if name == "zero_" else (args[1] if len(args) > 1 else kwargs["value"])
        if isinstance(value, torch.Tensor):
            if self._known(value):
                raise self._computes(func)
            value = value.item()
        result = func(*args, **kwargs)
        if tainted:
            self._fill(args[0], value)
        return result

    def _copied_in_place(
        self, func: Any, args: Sequence[Any], kwargs: Mapping[str, Any], tainted: bool
    ) -> Any:
        result = func(*args, **kwargs)
        if tainted:
            self._copied(args[1].expand(args[0].shape), args[0], new=False)
        return result

    def _copied(self, source: torch.Tensor, target: torch.Tensor, *, new: bool = True) -> None:
        computes = source.dtype.is_floating_point and not target.dtype.is_floating_point
        if computes or (target.dtype is torch.bool and source.dtype is not torch.bool):
            raise self._stop("cheat", f"torch does the work: {source.dtype} is converted to {target.dtype}")
        if new:
            self._register(target)
        self._append({"op": "copy", "from": self.view(source), "to": self.view(target)})

    # ---- Triton

    def launch(self, function: Any, grid: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Write a launch down."""
        with _disable_current_modes(), torch._C.DisableTorchFunction():
            bound = self._bound(function, list(function.arg_names), args, kwargs)
        size = grid(dict(bound)) if callable(grid) else grid
        with _disable_current_modes(), torch._C.DisableTorchFunction():
            self._launched(function, bound, size, kwargs)

    def _launched(
        self, function: Any, bound: Mapping[str, Any], size: Any, kwargs: Mapping[str, Any]
    ) -> None:
        name = function.__name__
        if name not in self.kernels:
            raise self._stop("cheat", f"launches {name!r}, which is no vetted kernel of the module"[:200])
        names = list(function.arg_names)
        options = {key: value for key, value in kwargs.items() if key not in names}
        size = list(size) if isinstance(size, tuple | list) else [size]
        if not 1 <= len(size) <= 3 or not all(_is_int(each) for each in size):
            raise TypeError(f"{name}: a grid is one to three integers, not {size!r:.80}")
        if any(each < 0 for each in size):
            raise ValueError(f"{name}: grid {size!r:.80} is negative")
        constexprs = {names[index] for index in function.constexprs}
        self._append(
            {
                "op": "launch",
                "kernel": name,
                "grid": [int(each) for each in size] + [1] * (3 - len(size)),
                "arguments": [
                    [
                        key,
                        self._constexpr(name, key, value)
                        if key in constexprs
                        else self._argument(name, key, value),
                    ]
                    for key, value in bound.items()
                ],
                "options": {key: _option(value) for key, value in options.items()},
            }
        )

    def _bound(
        self, function: Any, names: list[str], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> dict[str, Any]:
        if len(args) > len(names):
            raise TypeError(f"{function.__name__} takes {len(names)} arguments, {len(args)} were given")
        given = dict(zip(names, args, strict=False))
        for key, value in kwargs.items():
            if key in given:
                raise TypeError(f"{function.__name__} got {key!r} twice")
            if key in names:
                given[key] = value
        defaults = {
            key: each.default
            for key, each in inspect.signature(function.fn).parameters.items()
            if each.default is not inspect.Parameter.empty
        }
        missing = [key for key in names if key not in given and key not in defaults]
        if missing:
            raise TypeError(f"{function.__name__} lacks arguments: {', '.join(missing)}")
        return {key: given[key] if key in given else defaults[key] for key in names}

    def _argument(self, kernel: str, key: str, value: Any) -> dict[str, Any]:
        if isinstance(value, tl.constexpr):
            value = value.value
        if isinstance(value, torch.Tensor):
            return {"view": self.view(value)}
        base = getattr(value, "base", None)
        if type(value).__name__ == "TensorWrapper" and isinstance(base, torch.Tensor):  # triton.reinterpret
            return {"view": self.view(base.view(getattr(torch, str(value.dtype).rpartition(".")[2])))}
        if value is None:
            return {"none": True}
        if isinstance(value, bool):
            return {"bool": value}
        if _is_int(value):
            if not -(2**63) <= int(value) < 2**64:
                raise OverflowError(f"{kernel}: {key} does not fit into 64 bits")
            return {"int": int(value)}
        if isinstance(value, float) or (hasattr(value, "__float__") and hasattr(value, "dtype")):
            return {"float": float(value)}
        raise TypeError(f"{kernel}: {key} is a {type(value).__name__}, which is no kernel argument")

    def _constexpr(self, kernel: str, key: str, value: Any) -> dict[str, Any]:
        while isinstance(value, tl.constexpr):
            value = value.value
        if isinstance(value, tl.dtype):
            return {"constexpr": {"dtype": str(value)}}
        if isinstance(value, bool | str | float) or value is None:
            return {"constexpr": value}
        if _is_int(value):
            return {"constexpr": int(value)}
        raise TypeError(f"{kernel}: constexpr {key} is a {type(value).__name__}")


def _is_int(value: Any) -> bool:
    return not isinstance(value, torch.Tensor) and hasattr(value, "__index__") and not isinstance(value, bool)


def _option(value: Any) -> Any:
    return value if isinstance(value, bool | int | float | str) or value is None else repr(value)[:80]


class launches_to:  # noqa: N801  # read as a phrase in a with statement
    """Send launches of Triton kernels to a recorder while the block runs."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __enter__(self) -> None:
        from triton.runtime.autotuner import Autotuner
        from triton.runtime.jit import JITFunction

        recorder = self.recorder

        def run(function: Any, *args: Any, grid: Any = None, warmup: bool = False, **kwargs: Any) -> Any:
            for name in ("debug", "instrumentation_mode"):
                kwargs.pop(name, None)
            if not warmup:
                recorder.launch(function, grid, args, kwargs)
            return _Compiled()

        def tuned(tuner: Any, *args: Any, **kwargs: Any) -> Any:
            return _run_tuned(recorder, tuner, args, kwargs)

        self.saved = JITFunction.run, Autotuner.run
        JITFunction.run, Autotuner.run = run, tuned

    def __exit__(self, *_: object) -> None:
        from triton.runtime.autotuner import Autotuner
        from triton.runtime.jit import JITFunction

        JITFunction.run, Autotuner.run = self.saved


class _Compiled:
    """What a launch returns: figures that an occupancy heuristic may ask for."""

    n_regs, n_spills = 32, 0

    class metadata:  # noqa: N801  # named as Triton's
        shared, num_warps = 1024, 4

    def _init_handles(self) -> None:
        pass

    def __getitem__(self, grid: Any) -> Any:
        raise TypeError("launch the kernel itself, not what warmup() returned")


def _run_tuned(recorder: Recorder, tuner: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """An autotuned launch: takes one configuration, does what the tuner promises beside (resets, hooks)."""
    tuner.nargs = dict(zip(tuner.arg_names, args, strict=False))
    configs = list(tuner.prune_configs(kwargs)) if len(tuner.configs) > 1 else list(tuner.configs)
    recorder.configs = max(recorder.configs, len(configs))
    config = configs[recorder.config % len(configs)]
    everything = {**tuner.nargs, **kwargs, **config.all_kwargs()}
    for name in tuner.reset_to_zero or ():
        everything[name].zero_()
    if config.pre_hook is not None:
        config.pre_hook(everything)
    tuner.best_config = config
    return tuner.fn.run(*args, **kwargs, **config.all_kwargs())
