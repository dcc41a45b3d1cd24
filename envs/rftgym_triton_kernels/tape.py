"""Stage 3, validate: a launch tape comes from a process that ran the candidate's Python, and is believed in nothing.

The models say what a tape looks like; :func:`validate` says what it may do. A tape that passes can only move bytes
inside its own buffers, fill them, and launch vetted kernels on them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rftgym_triton_kernels.dtypes import FLOATS, ITEMSIZE, DtypeName
from rftgym_triton_kernels.verdict import Refused

LARGEST_BUFFERS_BYTES = 1 << 28
LARGEST_GRID = ((1 << 31) - 1, 65_535, 65_535)
MOST_PROGRAMS = 1 << 16
"""Of all launches of a case. The interpreter runs every one of them; the cases are small."""
OPTIONS: Mapping[str, Collection[Any]] = {
    "num_warps": (1, 2, 4, 8, 16, 32),
    "num_stages": range(11),
    "num_ctas": (1,),
    "maxnreg": range(16, 257),
    "enable_fp_fusion": (True, False),
    "waves_per_eu": range(9),
    "matrix_instr_nonkdim": (0, 16, 32),
    "kpack": (1, 2),
    "allow_tf32": (True, False),
    "launch_cooperative_grid": (True, False),
    "launch_pdl": (True, False),
}
"""Launch options that say how a kernel is compiled, and the values that they may have (None always)."""
Count = Annotated[int, Field(ge=0, le=1 << 40, strict=True)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class View(_Record):
    """A strided view of a buffer; strides and offset in elements of ``dtype``."""

    buffer: Count
    dtype: DtypeName
    shape: list[Count] = Field(max_length=16)
    strides: list[Count] = Field(max_length=16)
    offset: Count

    @property
    def numel(self) -> int:
        """Elements that the view has."""
        return math.prod(self.shape)

    @property
    def contiguous(self) -> bool:
        """Row-major without holes."""
        expected = 1
        for size, stride in zip(reversed(self.shape), reversed(self.strides), strict=True):
            if size != 1 and stride != expected:
                return self.numel == 0
            expected *= size
        return True

    @property
    def end_bytes(self) -> int:
        """Offset behind the last byte that the view reaches."""
        if self.numel == 0:
            return self.offset * ITEMSIZE[self.dtype]
        last = self.offset + sum(
            (size - 1) * stride for size, stride in zip(self.shape, self.strides, strict=True)
        )
        return (last + 1) * ITEMSIZE[self.dtype]


class Buffer(_Record):
    """Memory; ``input`` numbers the content that it starts with, None = it starts with rubbish."""

    bytes: Annotated[int, Field(ge=0, le=LARGEST_BUFFERS_BYTES, strict=True)]
    dtype: DtypeName
    input: Count | None


class Fill(_Record):
    """Every element of a view becomes a value."""

    op: Literal["fill"]
    to: View
    value: bool | int | float


class Copy(_Record):
    """The elements of a view, converted where the dtypes differ."""

    op: Literal["copy"]
    source: View = Field(alias="from")
    to: View


class Launch(_Record):
    """A kernel over a grid."""

    op: Literal["launch"]
    kernel: str
    grid: tuple[Count, Count, Count]
    arguments: list[tuple[str, dict[str, Any]]] = Field(max_length=256)
    options: dict[str, bool | int | float | str | None] = Field(max_length=32)


class Tape(_Record):
    """What a wrapper does with one case's inputs."""

    buffers: list[Buffer] = Field(max_length=4096)
    ops: list[Annotated[Fill | Copy | Launch, Field(discriminator="op")]] = Field(max_length=2000)
    results: list[View] = Field(max_length=64)


def validate(
    raw: object,
    *,
    kernels: Mapping[str, Sequence[str]],
    input_bytes: Sequence[int],
    inputs: int,
    layout_op: bool = False,
    arguments: Sequence[tuple[Sequence[int], Sequence[int]]] = (),
) -> Tape:
    """The tape of one case, checked.

    Args:
        raw: as it came out of the planning process.
        kernels: parameters of the vetted kernels, by name.
        input_bytes: sizes of the contents that there are: of the case's tensors, then of constants.
        inputs: how many of those are the case's tensors.
        layout_op: the problem is about layout only: nothing but a kernel may change one.
        arguments: shape and strides of the tensors that may be made contiguous even then, as people do by habit.
    Raises:
        Refused: says what the tape does that it may not.
    """
    try:
        tape = Tape.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:80]
        raise Refused("validate", "cheat", f"no launch tape: {place}: {first['msg'][:120]}") from error
    _check_buffers(tape, input_bytes)
    programs = 0
    for operation in tape.ops:
        if isinstance(operation, Launch):
            _check_launch(operation, tape, kernels)
            programs += math.prod(operation.grid)
        elif isinstance(operation, Fill):
            _check_target(operation.to, tape)
            if layout_op and not _whole(operation.to, tape):
                raise Refused(
                    "validate",
                    "cheat",
                    "torch does the work: it fills a part, and the problem is about layout",
                )
        else:
            _check_copy(operation, tape, arguments if layout_op else None)
    if programs > MOST_PROGRAMS:
        raise Refused(
            "validate", "limit", f"{programs} programs in one case; at most {MOST_PROGRAMS} are judged"
        )
    for view in tape.results:
        _check_view(view, tape)
    _check_origin(tape, inputs, layout_op)
    return tape


def _check_buffers(tape: Tape, input_bytes: Sequence[int]) -> None:
    if sum(buffer.bytes for buffer in tape.buffers) > LARGEST_BUFFERS_BYTES:
        raise Refused("validate", "limit", f"the case needs more than {LARGEST_BUFFERS_BYTES >> 20} MiB")
    for buffer in tape.buffers:
        if buffer.input is not None and (
            buffer.input >= len(input_bytes) or buffer.bytes != input_bytes[buffer.input]
        ):
            raise Refused("validate", "cheat", "a buffer claims to be an input that it is not")


def _check_view(view: View, tape: Tape) -> None:
    if view.buffer >= len(tape.buffers) or len(view.shape) != len(view.strides):
        raise Refused("validate", "cheat", "a view of no buffer")
    if view.end_bytes > tape.buffers[view.buffer].bytes:
        raise Refused("validate", "cheat", "a view reaches past the end of its buffer")
    if view.numel > LARGEST_BUFFERS_BYTES:
        raise Refused("validate", "limit", f"a view of {view.numel} elements")


def _check_copy(
    copy: Copy, tape: Tape, arguments: Sequence[tuple[Sequence[int], Sequence[int]]] | None
) -> None:
    """``arguments`` is None where a copy may change the layout."""
    _check_view(copy.source, tape)
    _check_target(copy.to, tape)
    if copy.source.dtype in FLOATS and copy.to.dtype not in FLOATS:
        raise Refused("validate", "cheat", f"torch does the work: {copy.source.dtype} to {copy.to.dtype}")
    if copy.to.dtype == "bool" and copy.source.dtype != "bool":
        raise Refused("validate", "cheat", f"torch does the work: {copy.source.dtype} to bool")
    if _narrows(copy, tape):
        raise Refused(
            "validate",
            "shortcut",
            f"{copy.source.dtype} is converted to {copy.to.dtype}, which no result has",
        )
    if copy.source.shape != copy.to.shape:
        raise Refused("validate", "cheat", "a copy between views of two shapes")
    if arguments is None or (_whole(copy.source, tape) and _whole(copy.to, tape)):
        return
    source = tape.buffers[copy.source.buffer].input
    argument = source is not None and source < len(arguments) and copy.source.offset == 0
    if not (
        argument
        and _whole(copy.to, tape)
        and (copy.source.shape, copy.source.strides) == tuple(map(list, arguments[source or 0]))
    ):
        raise Refused(
            "validate",
            "cheat",
            "torch does the work: a copy changes the layout, and the problem is about layout",
        )


def _whole(view: View, tape: Tape) -> bool:
    """Whether a view is its buffer from end to end, in order."""
    covers = view.offset == 0 and view.numel * ITEMSIZE[view.dtype] == tape.buffers[view.buffer].bytes
    return view.contiguous and covers


def _check_target(view: View, tape: Tape) -> None:
    """Where torch writes to: never an input."""
    _check_view(view, tape)
    if tape.buffers[view.buffer].input is not None and view.numel:
        raise Refused("validate", "cheat", "torch changes an input")


def _narrows(copy: Copy, tape: Tape) -> bool:
    """Whether a copy gives up precision that a result should have."""
    if copy.source.dtype not in FLOATS or copy.to.dtype not in FLOATS:
        return False
    kept = min((ITEMSIZE[view.dtype] for view in tape.results if view.dtype in FLOATS), default=0)
    return ITEMSIZE[copy.to.dtype] < min(ITEMSIZE[copy.source.dtype], kept)


def _check_launch(launch: Launch, tape: Tape, kernels: Mapping[str, Sequence[str]]) -> None:
    if launch.kernel not in kernels:
        raise Refused("validate", "cheat", f"launches {launch.kernel[:80]!r}, which is no vetted kernel")
    if [name for name, _ in launch.arguments] != list(kernels[launch.kernel]):
        raise Refused("validate", "cheat", f"arguments of {launch.kernel} are not its parameters")
    for size, largest in zip(launch.grid, LARGEST_GRID, strict=True):
        if size > largest:
            raise Refused("validate", "launch", f"{launch.kernel}: grid {launch.grid} exceeds {LARGEST_GRID}")
    for name, value in launch.options.items():
        if name not in OPTIONS:
            raise Refused("validate", "launch", f"{launch.kernel} has no parameter or option {name[:80]!r}")
        if value is not None and value not in OPTIONS[name]:
            raise Refused("validate", "launch", f"{launch.kernel}: {name}={value!r:.40} is not possible")
    for name, argument in launch.arguments:
        _check_argument(launch.kernel, name, argument, tape)


def _check_argument(kernel: str, name: str, argument: dict[str, Any], tape: Tape) -> None:
    if len(argument) != 1:
        raise Refused("validate", "cheat", f"{kernel}: argument {name} is not one value")
    kind, value = next(iter(argument.items()))
    if kind == "view":
        try:
            _check_view(View.model_validate(value), tape)
        except ValidationError as error:
            raise Refused("validate", "cheat", f"{kernel}: argument {name} is no view") from error
        return
    valid = {
        "int": type(value) is int and -(1 << 63) <= value < 1 << 64,
        "float": type(value) is float,
        "bool": type(value) is bool,
        "none": value is True,
        "constexpr": _is_constexpr(value),
    }
    if not valid.get(kind, False):
        raise Refused("validate", "cheat", f"{kernel}: argument {name} has no value that a kernel can take")


def _is_constexpr(value: object) -> bool:
    if isinstance(value, dict):
        return list(value) == ["dtype"] and isinstance(value["dtype"], str) and len(value["dtype"]) < 16
    if isinstance(value, str):
        return len(value) <= 256
    return (
        value is None or isinstance(value, bool | float) or (isinstance(value, int) and abs(value) < 1 << 64)
    )


def _refuse_parts(tape: Tape) -> None:
    """Torch may fill or copy what is returned as a whole, before a kernel works on it; not piece by piece."""
    returned = {view.buffer for view in tape.results if view.numel}
    for operation in reversed(tape.ops):
        if isinstance(operation, Launch) or operation.to.buffer not in returned or not operation.to.numel:
            continue
        if not _whole(operation.to, tape):
            raise Refused("validate", "cheat", "torch does the work: it writes a part of the result")
        if isinstance(operation, Copy):
            returned.add(operation.source.buffer)


def _check_origin(tape: Tape, inputs: int, layout_op: bool) -> None:
    """Returned buffers were last written by a kernel (or copied from such a buffer), and are no inputs."""
    _refuse_parts(tape)
    own = {index for index, buffer in enumerate(tape.buffers) if buffer.input is None}
    by_kernel: set[int] = set()
    for operation in tape.ops:
        if isinstance(operation, Launch):
            if math.prod(operation.grid):
                views = [argument["view"] for _, argument in operation.arguments if "view" in argument]
                by_kernel |= own & {view["buffer"] for view in views}
        elif operation.to.numel == 0:
            continue
        elif isinstance(operation, Copy) and operation.source.buffer in by_kernel:
            by_kernel |= own & {operation.to.buffer}
        else:
            by_kernel.discard(operation.to.buffer)
    nothing_in = all(
        buffer.bytes == 0 for buffer in tape.buffers if buffer.input is not None and buffer.input < inputs
    )
    for view in tape.results:
        source = tape.buffers[view.buffer].input
        if view.numel == 0 and not (source is not None and inputs and not nothing_in):
            continue
        if source is not None and source < inputs and view.numel:
            raise Refused("validate", "cheat", "an input is returned")
        if view.buffer not in by_kernel and view.numel and not nothing_in:
            raise Refused("validate", "cheat", "no kernel wrote what is returned")
        if layout_op and not view.contiguous:
            raise Refused(
                "validate",
                "cheat",
                "torch does the work: a view changes the layout, and the problem is about layout",
            )
