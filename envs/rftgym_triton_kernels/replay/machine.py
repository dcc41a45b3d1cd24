"""Runs a kernel's intermediate representation for many programs at once.

All programs go through the code together, one numpy call an operation. Where a branch divides them, both sides run,
each with the mask of its programs; a loop runs until its last program leaves. Only memory operations need the mask:
what an idle program computes is thrown away where the sides meet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from rftgym_triton_kernels.replay import access, blocks, elementwise, numerics, reductions
from rftgym_triton_kernels.replay.access import Context, Values
from rftgym_triton_kernels.replay.faults import Fault
from rftgym_triton_kernels.replay.ir import Array, Block, Function, Op, Region
from rftgym_triton_kernels.replay.parse import Module

__all__ = ["Machine", "bind"]

Mask = Array | None
Side = (
    Mask | Literal[False]
)  # programs that take a branch: a mask, None for the whole chunk, False for nobody
Arrival = tuple[Mask, list[Array]]

_BINDERS = {**elementwise.BINDERS, **blocks.BINDERS}
_TERMINATORS = frozenset(
    {"scf.yield", "scf.condition", "tt.return", "cf.br", "cf.cond_br"}
    | {"tt.reduce.return", "tt.scan.return", "tt.map_elementwise.return"}
)


def bind(module: Module) -> None:
    """Give every operation of a freshly parsed module its function of arrays.

    Raises:
        Fault: An operation or a type that isn't supported.
    """
    for function in module.functions.values():
        for op in function.region.walk():
            try:
                _bind(op)
            except Fault as fault:
                fault.location = op.location
                raise


def _bind(op: Op) -> None:
    for type_ in op.types:
        if not type_.supported:
            raise Fault("unsupported", f"the type {type_.element}")
    if op.name in _BINDERS:
        op.compute = _BINDERS[op.name](op)
    elif op.name not in _CONTROL and op.name not in access.HANDLERS and op.name not in _TERMINATORS:
        what = "inline assembly" if "inline_asm" in op.name else f"the operation {op.name}"
        raise Fault("unsupported", what)


class Machine:
    """Runs one module for one chunk of programs.

    Args:
        module: The kernel, bound.
        context: The programs, and the memory.
    """

    def __init__(self, module: Module, context: Context):
        self.module, self.context = module, context

    def run(self, arguments: list[Array]) -> None:
        """Run the kernel to its end.

        Args:
            arguments: One array of shape (1,) for each parameter; a pointer is its address.
        Raises:
            Fault: What went wrong; the line is set.
        """
        self._call(self.module.kernel, arguments)

    def _call(self, function: Function, arguments: list[Array]) -> tuple[Array, ...]:
        values: Values = [None] * function.slots
        entry = function.region.blocks[0]
        for slot, argument in zip(entry.arguments, arguments, strict=True):
            values[slot] = argument
        if len(function.region.blocks) == 1:
            end = self._block(entry, values)
            return tuple(values[slot] for slot in end.operands) if end else ()
        return self._graph(function.region, values)

    def _block(self, block: Block, values: Values) -> Op | None:
        """Run straight code; return its terminator."""
        self.context.deadline.check()
        op = None
        try:
            for op in block.ops:
                compute = op.compute
                if compute is not None:
                    result = compute(*[values[slot] for slot in op.operands])
                    if len(op.results) == 1:
                        values[op.results[0]] = result
                    else:
                        for slot, part in zip(op.results, result, strict=True):
                            values[slot] = part
                elif op.name in _TERMINATORS:
                    return op
                elif op.name in access.HANDLERS:
                    access.HANDLERS[op.name](self.context, op, values)
                else:
                    _CONTROL[op.name](self, op, values)
                for slot in op.releases:
                    values[slot] = None
        except Fault as fault:
            if not fault.location and op is not None:
                fault.location = op.location
            raise
        return None

    def _graph(self, region: Region, values: Values) -> tuple[Array, ...]:
        """Blocks which branch forward to each other (a `return` inside an `if`): each runs once, for its programs."""
        arriving: dict[str, list[Arrival]] = {region.blocks[0].label: [(self.context.active, [])]}
        outer, results = self.context.active, None
        for block in _order(region):
            if block.label not in arriving:
                continue
            self.context.active = self._arrive(block, arriving[block.label], values)
            end = self._block(block, values)
            if end is None or end.name == "tt.return":
                returned = [values[slot] for slot in end.operands] if end else []
                results = self._merge(returned, results)
                continue
            for mask, (label, passed) in self._branches(end, values):
                arriving.setdefault(label, []).append((mask, [values[slot] for slot in passed]))
        self.context.active = outer
        return tuple(results or ())

    def _branches(self, end: Op, values: Values) -> list[tuple[Mask, tuple[str, tuple[int, ...]]]]:
        if end.name == "cf.br":
            return [(self.context.active, end.successors[0])]
        sides = self._divide(values[end.operands[0]])
        return [
            (side, target) for side, target in zip(sides, end.successors, strict=True) if side is not False
        ]

    def _arrive(self, block: Block, incoming: list[Arrival], values: Values) -> Mask:
        """Merge what the branches to a block pass, and return who runs it."""
        mask: Mask = None
        for position, (arrived, passed) in enumerate(incoming):
            for slot, value in zip(block.arguments, passed, strict=False):
                values[slot] = value if position == 0 else _choose(arrived, value, values[slot])
            if position == 0:
                mask = arrived
            else:
                mask = None if mask is None or arrived is None else mask | arrived
        return mask

    def _merge(self, new: list[Array], old: list[Array] | None) -> list[Array]:
        if old is None or self.context.active is None:
            return new
        return [_choose(self.context.active, value, before) for value, before in zip(new, old, strict=True)]

    def _divide(self, condition: Array) -> tuple[Side, Side]:
        """The active programs for which a condition holds, and those for which it doesn't."""
        active = self.context.active
        if condition.size == 1:
            return (active, False) if condition.item() else (False, active)
        yes = condition if active is None else condition & active
        if not yes.any():
            return False, active
        no = ~condition if active is None else ~condition & active
        return (yes, no) if no.any() else (active, False)

    def _if(self, op: Op, values: Values) -> None:
        condition = values[op.operands[0]]
        if condition.ndim > 1:  # inside a combining function: a scalar there is a lane here
            self._if_by_lane(op, values, condition)
            return
        outer, results = self.context.active, None
        for side, region in zip(self._divide(condition), op.regions, strict=False):
            if side is False:
                continue
            self.context.active = side
            end = self._block(region.blocks[0], values)
            produced = [values[slot] for slot in end.operands] if end and op.results else []
            results = self._merge(produced, results)
        self.context.active = outer
        for slot, value in zip(op.results, results or (), strict=True):
            values[slot] = value

    def _if_by_lane(self, op: Op, values: Values, condition: Array) -> None:
        sides = []
        for region in op.regions:
            end = self._block(region.blocks[0], values)
            sides.append([values[slot] for slot in end.operands] if end else [])
        for slot, yes, no in zip(op.results, *sides, strict=True):
            values[slot] = np.where(condition, yes, no)

    def _for(self, op: Op, values: Values) -> None:
        low, high, step = (values[slot] for slot in op.operands[:3])
        carried = [values[slot] for slot in op.operands[3:]]
        block = op.regions[0].blocks[0]
        outer = self.context.active
        counter = low
        unsigned = op.text.startswith("unsigned")
        while True:
            inside = (
                numerics.as_unsigned(counter) < numerics.as_unsigned(high) if unsigned else counter < high
            )
            running, _ = self._divide(inside)
            if running is False:
                break
            self.context.active = running
            for slot, value in zip(block.arguments, (counter, *carried), strict=True):
                values[slot] = value
            end = self._block(block, values)
            if carried and end is not None:
                carried = self._merge([values[slot] for slot in end.operands], carried)
            counter = counter + step
        self.context.active = outer
        for slot, value in zip(op.results, carried, strict=True):
            values[slot] = value

    def _while(self, op: Op, values: Values) -> None:
        carried = [values[slot] for slot in op.operands]
        before, after = (region.blocks[0] for region in op.regions)
        outer, results = self.context.active, None
        while True:
            for slot, value in zip(before.arguments, carried, strict=True):
                values[slot] = value
            test = self._block(before, values)
            if test is None:
                raise Fault("exception", "a loop without a condition")
            passed = [values[slot] for slot in test.operands[1:]]
            results = self._merge(passed, results)
            running, _ = self._divide(values[test.operands[0]])
            if running is False:
                break
            self.context.active = running
            for slot, value in zip(after.arguments, passed, strict=False):
                values[slot] = value
            end = self._block(after, values)
            carried = self._merge([values[slot] for slot in end.operands] if end else [], carried)
        self.context.active = outer
        for slot, value in zip(op.results, results or (), strict=True):
            values[slot] = value

    def _call_op(self, op: Op, values: Values) -> None:
        name = op.text.partition("@")[2].partition("(")[0].strip('" ')
        results = self._call(self.module.functions[name], [values[slot] for slot in op.operands])
        for slot, value in zip(op.results, results, strict=True):
            values[slot] = value

    def _combiner(self, op: Op, values: Values) -> reductions.Combine:
        block = op.regions[0].blocks[0]

        def combine(left: tuple[Array, ...], right: tuple[Array, ...]) -> tuple[Array, ...]:
            for slot, value in zip(block.arguments, (*left, *right), strict=True):
                values[slot] = value
            end = self._block(block, values)
            return tuple(values[slot] for slot in end.operands) if end else ()

        return combine

    def _fold(self, op: Op, values: Values) -> None:
        operands = tuple(values[slot] for slot in op.operands)
        function = reductions.reduce if op.name == "tt.reduce" else reductions.scan
        for slot, value in zip(op.results, function(op, operands, self._combiner(op, values)), strict=True):
            values[slot] = value

    def _map(self, op: Op, values: Values) -> None:
        block = op.regions[0].blocks[0]
        operands = np.broadcast_arrays(*(values[slot] for slot in op.operands))
        if len(block.arguments) != len(operands):
            raise Fault("unsupported", "tl.map_elementwise with packed elements")
        for slot, value in zip(block.arguments, operands, strict=True):
            values[slot] = value
        end = self._block(block, values)
        for slot, source in zip(op.results, end.operands if end else (), strict=True):
            values[slot] = values[source]


def _choose(mask: Mask, new: Array, old: Array) -> Array:
    if mask is None or new is old:
        return new
    return np.where(mask.reshape((-1,) + (1,) * (new.ndim - 1)), new, old)


def _order(region: Region) -> list[Block]:
    """Every block after all that branch to it."""
    by_label = {block.label: block for block in region.blocks}
    finished: list[Block] = []
    seen: set[str] = set()

    def visit(block: Block) -> None:
        seen.add(block.label)
        for op in block.ops[-1:]:
            for label, _ in op.successors:
                if label not in seen:
                    visit(by_label[label])
        finished.append(block)

    visit(region.blocks[0])
    return finished[::-1]


_CONTROL: dict[str, Callable[[Machine, Op, Values], None]] = {
    "scf.if": Machine._if,
    "scf.for": Machine._for,
    "scf.while": Machine._while,
    "tt.call": Machine._call_op,
    "tt.reduce": Machine._fold,
    "tt.scan": Machine._fold,
    "tt.map_elementwise": Machine._map,
}
