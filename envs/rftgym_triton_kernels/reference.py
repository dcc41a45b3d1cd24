"""The reference's run: executed in a sandboxed child, since a problems file is as little trusted as an answer.

`evaluate` runs the reference twice on each case: on the inputs as they are, which says dtype and shape of the results,
and on the same inputs in float64, which says their values.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import torch

Results = tuple["torch.Tensor", ...]
LONGEST_MESSAGE: Final = 500


def preload() -> None:
    """Import, in the zygote, whatever a reference's run needs: afterwards the file system is out of reach."""
    source = (
        "def f(x):\n    return torch.softmax(F.gelu(x.float() @ x.float().T), -1).to(x.dtype), x.argmax()\n"
    )
    tensor = {"blob": 0, "dtype": "bfloat16", "shape": [1, 1], "strides": [1, 1]}
    evaluate({"source": source, "name": "f", "cases": [{"arguments": [{"tensor": tensor}]}]}, [b"\x80\x3f"])


def evaluate(
    header: Mapping[str, Any], blobs: Sequence[bytes | memoryview]
) -> tuple[dict[str, Any], list[bytes]]:
    """Run a reference on cases.

    Args:
        header: ``{"source", "name", "cases": [{"arguments": [{"tensor": {"blob", "dtype", "shape", "strides"}} |
            {"value"}]}]}``; with "brief" true, only whether the cases run is answered.
        blobs: storages.

    Returns:
        ``{"cases": [{"ok": true, "results": [{"dtype", "shape", "blob"}], "note"?} | {"ok": false, "message"}]}`` and
        the results' values in C order: float64, int64 or, for dtype bool, one byte each.
    """
    import torch

    torch.set_num_threads(1)
    out: list[bytes] = []
    try:
        function = function_of(header["source"], header["name"])
    except BaseException as error:  # noqa: BLE001  # whatever foreign code raises is its answer
        failed = {"ok": False, "message": f"the reference cannot be loaded: {_told(error)}"}
        return {"cases": [failed for _ in header["cases"]]}, out
    answers = []
    with torch.no_grad():
        for case in header["cases"]:
            try:
                answers.append(_case(function, case["arguments"], blobs, out, header.get("brief", False)))
            except BaseException as error:  # noqa: BLE001  # as above
                answers.append({"ok": False, "message": _told(error)})
    return {"cases": answers}, out


def _case(
    function: Callable[..., Any],
    arguments: Sequence[Mapping[str, Any]],
    blobs: Sequence[bytes | memoryview],
    out: list[bytes],
    brief: bool,
) -> dict[str, Any]:
    """One case, run both ways."""
    import torch

    own_inputs = [_argument(each, blobs) for each in arguments]
    floats = [
        each.dtype for each in own_inputs if isinstance(each, torch.Tensor) and each.is_floating_point()
    ]
    own, own_error = _attempt(function, own_inputs)
    if brief and own is not None:
        return {"ok": True, "results": []}
    wide: Results | None = None
    wide_error: BaseException | None = None
    if floats or own is None:
        with _in_float64(floats):
            wide, wide_error = _attempt(function, [_widened(_argument(each, blobs)) for each in arguments])
    answer: dict[str, Any] = {"ok": True}
    if own is None:
        if wide is None:
            raise own_error or wide_error or AssertionError
        # torch lacks some operation for the case's dtype on a CPU: the results are in the inputs' type, one supposes
        kind = _promoted(floats)
        own = tuple(each.to(kind) if each.dtype == torch.float64 else each for each in wide)
        answer["note"] = f"runs in float64 only: {_told(own_error)}"
    elif floats and (wide is None or [each.shape for each in wide] != [each.shape for each in own]):
        answer["note"] = (
            f"does not run in float64: {_told(wide_error)}" if wide is None else "shapes differ in float64"
        )
        wide = None
    answer["results"] = []
    for index, result in enumerate(own):
        values = _values(result, None if wide is None else wide[index])
        answer["results"].append({"dtype": _name(result), "shape": list(result.shape), "blob": len(out)})
        out.append(
            values.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if values.numel() else b""
        )
    return answer


def _attempt(
    function: Callable[..., Any], arguments: Sequence[Any]
) -> tuple[Results | None, BaseException | None]:
    try:
        return _results(function(*arguments)), None
    except BaseException as error:  # noqa: BLE001  # foreign code
        return None, error


def _results(returned: Any) -> Results:
    """What a reference returned, as a tuple of tensors."""
    import torch

    several = tuple(returned) if isinstance(returned, tuple | list) else (returned,)
    for each in several:
        if not isinstance(each, torch.Tensor):
            raise TypeError(
                f"the reference returned {type(each).__name__}, not a tensor or a tuple of tensors"
            )
        if each.is_complex() or each.layout != torch.strided:
            raise TypeError(f"the reference returned a tensor of {each.dtype}, {each.layout}: not supported")
    if not several:
        raise TypeError("the reference returned no tensor")
    return several


def _values(own: torch.Tensor, wide: torch.Tensor | None) -> torch.Tensor:
    """The values to be wanted of one result: the float64 run's where it has them."""
    import torch

    if own.dtype == torch.bool:
        return own if wide is None or wide.dtype != torch.bool else wide
    if not own.is_floating_point():
        return (own if wide is None or wide.is_floating_point() else wide).to(torch.int64)
    if wide is None:
        return own.to(torch.float64)
    return wide.to(torch.float64)


def function_of(source: str, name: str) -> Callable[..., Any]:
    """The function that the source defines; a class is called with the arguments too."""
    import torch

    names: dict[str, Any] = {
        "__name__": "reference",
        "torch": torch,
        "math": math,
        "nn": torch.nn,
        "F": torch.nn.functional,
    }
    exec(compile(source, "<reference>", "exec"), names)  # noqa: S102  # what the sandbox is for
    found = names[name]
    if not callable(found):
        raise TypeError(f"{name!r} is no function")
    return found  # type: ignore[no-any-return]  # any callable


def _argument(entry: Mapping[str, Any], blobs: Sequence[bytes | memoryview]) -> Any:
    """A fresh argument: a reference may write into what it is given."""
    import torch

    if "tensor" not in entry:
        value = copy.deepcopy(entry["value"])
        return tuple(value) if isinstance(value, list) else value
    meta = entry["tensor"]
    dtype = getattr(torch, meta["dtype"])
    storage = bytearray(blobs[meta["blob"]])
    if not storage:
        return torch.empty_strided(meta["shape"], meta["strides"], dtype=dtype)
    return torch.frombuffer(storage, dtype=dtype).as_strided(meta["shape"], meta["strides"])


def _widened(argument: Any) -> Any:
    import torch

    if isinstance(argument, torch.Tensor) and argument.is_floating_point():
        return argument.to(torch.float64)
    return argument


@contextmanager
def _in_float64(floats: Sequence[torch.dtype]) -> Iterator[None]:
    """Make float32 mean float64 for what runs inside, and leave `torch.finfo` as the case's own dtype has it.

    A reference that says ``x.float()`` or makes a tensor of the default dtype asks for accuracy; one that rounds to a
    16-bit type on purpose keeps its rounding.
    """
    import torch
    from torch.overrides import TorchFunctionMode

    class Widen(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func is torch.Tensor.float:
                func = torch.Tensor.double
            return func(*_double(args), **{name: _double(each) for name, each in (kwargs or {}).items()})

    def _double(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(map(_double, value)) if type(value) is tuple else value
        return torch.float64 if value is torch.float32 else value

    finfo, default = torch.finfo, torch.get_default_dtype()
    own = _promoted(floats)
    try:
        torch.finfo = lambda dtype=own: finfo(own if dtype == torch.float64 else dtype)  # type: ignore[assignment,misc]
        torch.set_default_dtype(torch.float64)
        with Widen():
            yield
    finally:
        torch.finfo = finfo  # type: ignore[misc]
        torch.set_default_dtype(default)


def _promoted(floats: Sequence[torch.dtype]) -> torch.dtype:
    import torch

    if not floats:
        return torch.float32
    kind = floats[0]
    for each in floats[1:]:
        kind = torch.promote_types(kind, each)
    return kind


def _name(tensor: torch.Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _told(error: BaseException | None) -> str:
    return f"{type(error).__name__}: {error}"[:LONGEST_MESSAGE]
