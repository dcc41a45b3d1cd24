"""Plays one case: its tape of fills, copies and launches on its inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rftgym_triton_kernels.dtypes import ITEMSIZE
from rftgym_triton_kernels.replay import numerics
from rftgym_triton_kernels.replay.access import Context
from rftgym_triton_kernels.replay.faults import Deadline, Fault
from rftgym_triton_kernels.replay.ir import Array
from rftgym_triton_kernels.replay.machine import Machine
from rftgym_triton_kernels.replay.memory import Buffer, Memory
from rftgym_triton_kernels.replay.program import Library

__all__ = ["play"]

_NUMPY = {name: np.dtype(name) for name in ITEMSIZE if name != "bfloat16"} | {"bfloat16": np.dtype(np.uint16)}
_CHUNK_ELEMENTS = 2**18  # lanes that run together: what fits the caches, and bounds the memory


def play(
    tape: Mapping[str, Any],
    inputs: Sequence[bytes | memoryview],
    library: Library,
    deadline: Deadline,
    *,
    watch: bool = False,
) -> tuple[list[Array], list[float]]:
    """Run a tape.

    Args:
        tape: Buffers, operations, results.
        inputs: Storage bytes of each tensor argument of the case.
        library: Compiles launches.
        deadline: When to give up.
        watch: Also find out how much of each buffer was loaded.
    Returns:
        The results, contiguous; bfloat16 as its bits. And by buffer, the share of its bytes that kernels loaded.
    Raises:
        Fault: What went wrong.
    """
    buffers = []
    for number, entry in enumerate(tape["buffers"]):
        content = None if entry["input"] is None else inputs[entry["input"]]
        if content is not None and len(content) != entry["bytes"]:
            raise Fault("exception", f"buffer {number} has {entry['bytes']} bytes, its input {len(content)}")
        buffers.append(Buffer(number, entry["bytes"], content))
    for buffer in buffers if watch else ():
        buffer.watch()
    memory = Memory(buffers)
    for op in tape["ops"]:
        deadline.check()
        if op["op"] == "launch":
            _launch(op, memory, library, deadline)
        else:
            _write(op, buffers)
    results = [np.ascontiguousarray(_view(buffers, view)) for view in tape["results"]]
    return results, [buffer.share_seen for buffer in buffers]


def _view(buffers: Sequence[Buffer], view: Mapping[str, Any]) -> Array:
    """The numpy view that a tape's view stands for."""
    dtype = _NUMPY[view["dtype"]]
    shape, strides = tuple(view["shape"]), tuple(stride * dtype.itemsize for stride in view["strides"])
    buffer = buffers[view["buffer"]]
    start = view["offset"] * dtype.itemsize
    lowest = start + sum(min(0, (extent - 1) * stride) for extent, stride in zip(shape, strides, strict=True))
    highest = start + sum(
        max(0, (extent - 1) * stride) for extent, stride in zip(shape, strides, strict=True)
    )
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    if lowest < 0 or highest + dtype.itemsize > buffer.size:
        raise Fault("exception", "the tape's view lies outside its buffer")
    return np.ndarray(shape, dtype, buffer.bytes.data, start, strides)


def _write(op: Mapping[str, Any], buffers: Sequence[Buffer]) -> None:
    target = _view(buffers, op["to"])
    if op["op"] == "fill":
        target[...] = _coded(np.asarray(op["value"]), "", op["to"]["dtype"])
    else:
        source = _view(buffers, op["from"]).copy()
        target[...] = _coded(source, op["from"]["dtype"], op["to"]["dtype"])
    if buffers[op["to"]["buffer"]].changed:
        raise Fault("input-changed", f"a {op['op']} changes one of the function's inputs")


def _coded(values: Array, source: str, target: str) -> Array:
    """Converted as torch converts on `copy_` and `fill_`."""
    if source == target:
        return values
    if source == "bfloat16":
        values = numerics.bfloat16_from_bits(values)
    if target == "bfloat16":
        return numerics.bits_of_bfloat16(numerics.round_to_bfloat16(np.asarray(values, np.float32)))
    return values.astype(_NUMPY[target])


def _launch(op: Mapping[str, Any], memory: Memory, library: Library, deadline: Deadline) -> None:
    total = math.prod(op["grid"])
    if total == 0:
        return
    program = library.program(op)
    by_name = dict(op["arguments"])
    arguments = [by_name[name] for name in program.parameters]
    summary = program.summary
    chunk = 1 if summary.spins else max(1, min(total, _CHUNK_ELEMENTS // summary.largest))
    pointers = {place: each["view"]["buffer"] for place, each in enumerate(arguments) if "view" in each}
    watched = summary.watched(pointers, -(-total // chunk))
    memory.log.start(watched, summary.cell, total if summary.counts else 0)
    values = [
        _argument(argument, memory, type_.storage)
        for argument, type_ in zip(arguments, program.types, strict=True)
    ]
    try:
        order = _order(total, shuffled=summary.counts)
        for start in range(0, total, chunk):
            context = Context(memory, tuple(op["grid"]), order[start : start + chunk], deadline)
            Machine(program.module, context).run(values)
        if any(memory.buffers[number].changed for number in set(pointers.values())):
            raise Fault("input-changed", "the kernel changes one of the function's inputs")
    except Fault as fault:
        program.blame(fault, op["kernel"])
        raise


def _order(total: int, *, shuffled: bool) -> Array:
    """Programs as they come: shuffled where they count themselves, so that a number says nothing about who is last."""
    order = np.arange(total, dtype=np.int32)
    return np.random.default_rng(total).permutation(order) if shuffled else order


def _argument(argument: Mapping[str, Any], memory: Memory, storage: np.dtype[Any]) -> Array:
    if "view" in argument:
        view = argument["view"]
        address = memory.buffers[view["buffer"]].base + view["offset"] * ITEMSIZE[view["dtype"]]
        return np.array([address], np.int64)
    value = next(argument[kind] for kind in ("int", "float", "bool") if kind in argument)
    if isinstance(value, int) and not isinstance(value, bool) and storage.kind == "i":
        bits = 8 * storage.itemsize
        value = (value + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
    return np.array([value]).astype(storage)
