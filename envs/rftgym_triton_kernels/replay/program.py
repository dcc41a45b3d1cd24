"""Kernels made ready to run: compiled as far as the intermediate representation, read, and bound to numpy."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rftgym_triton_kernels.replay.analysis import summarize
from rftgym_triton_kernels.replay.faults import Fault
from rftgym_triton_kernels.replay.liveness import note_last_uses
from rftgym_triton_kernels.replay.lower import Frontend, Signature, signature
from rftgym_triton_kernels.replay.machine import bind
from rftgym_triton_kernels.replay.parse import parse

__all__ = ["Library", "Program"]

_numbers = itertools.count()


class Program:
    """One compiled launch.

    Args:
        text: Its intermediate representation.
        kernel: Name of the kernel.
        parameters: Those which it still takes, in order; None to take the names out of the text.
    Raises:
        Fault: It holds something that can't be run here.
    """

    def __init__(self, text: str, kernel: str, parameters: Sequence[str] | None = None):
        try:
            self.module = parse(text)
        except ValueError as error:
            raise Fault("unsupported", str(error), kernel) from error
        function = self.module.kernel
        self.parameters = tuple(function.parameters if parameters is None else parameters)
        self.types = function.region.blocks[0].types
        if len(self.parameters) != len(self.types):
            raise Fault("unsupported", "the compiled kernel doesn't name its parameters", kernel)
        try:
            bind(self.module)
        except Fault as fault:
            self.blame(fault, kernel)
            raise
        for each in self.module.functions.values():
            note_last_uses(each.region)
        self.summary = summarize(function, others=len(self.module.functions) > 1)

    def blame(self, fault: Fault, kernel: str) -> None:
        """Put the kernel's name and the line of its source into a fault."""
        fault.kernel = fault.kernel or kernel
        if fault.line is None and fault.location:
            fault.line = self.module.line(fault.location)


class Library:
    """The programs of an answer, each made once.

    Args:
        source: The vetted module of kernels.
        blobs: Where a launch brings its intermediate representation along, `"lowered"` is the index of its text here.
    """

    def __init__(self, source: str, blobs: Sequence[bytes | memoryview]):
        self._source, self._blobs = source, blobs
        self._frontend: Frontend | None = None
        self._made: dict[int | Signature, Program | Fault] = {}
        self._prescribed: dict[str, dict[str, str]] = {}

    def program(self, launch: Mapping[str, Any]) -> Program:
        """What a launch runs.

        Raises:
            Fault: The kernel can't be compiled, or not be run.
        """
        lowered = launch.get("lowered")
        if lowered is not None:
            try:
                return self._once(
                    lowered, lambda: Program(bytes(self._blobs[lowered]).decode(), launch["kernel"])
                )
            except Fault as fault:
                if fault.kind != "unsupported":  # what another target's pipeline left in, ours may take out
                    raise
        wanted = self._signature(launch)
        return self._once(
            wanted, lambda: Program(self._sources().lower(wanted), wanted.kernel, wanted.runtime)
        )

    def _once(self, key: int | Signature, make: Callable[[], Program]) -> Program:
        if key not in self._made:
            try:
                self._made[key] = make()
            except Fault as fault:
                self._made[key] = fault
        program = self._made[key]
        if isinstance(program, Fault):
            raise program
        return program

    def _sources(self) -> Frontend:
        if self._frontend is None:
            self._frontend = Frontend(self._source, f"kernels-{next(_numbers)}")
        return self._frontend

    def _signature(self, launch: Mapping[str, Any]) -> Signature:
        kernel = launch["kernel"]
        if kernel not in self._prescribed:
            self._prescribed[kernel] = self._sources().prescribed(kernel)
        return signature(kernel, launch["arguments"], self._prescribed[kernel])
