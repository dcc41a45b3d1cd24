"""Waiting for a job, and telling how it ended from what was observed and from what it said."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import time
from typing import Any

from rftgym.errors import InfrastructureError
from rftgym.sandbox import wire
from rftgym.sandbox.child import CONFINED
from rftgym.sandbox.contract import Job, Outcome, Status

CHUNK, LARGE_CHUNK = 1 << 16, 1 << 20
ENVELOPE = 1 << 14  # room for what stands around a job's header, and for a message


class Reader:
    """Collects one job's answer from its pipe, and its fate from the zygote's line."""

    def __init__(self, answer: int, line: socket.socket, warden: int, most: int) -> None:
        os.set_blocking(answer, False)
        with contextlib.suppress(OSError):  # fewer turns for a large answer; not everybody may have that much
            fcntl.fcntl(answer, fcntl.F_SETPIPE_SZ, LARGE_CHUNK)
        self.answer, self.line, self.warden, self.most = answer, line, warden, most + ENVELOPE
        self.message = bytearray()
        self.confined = False
        self.overflowed = False

    def collect(self, deadline: float) -> dict[str, Any] | None:
        """Read until the fate is known.

        Args:
            deadline: on the clock of ``time.monotonic``; far beyond the job's own, which the zygote keeps.
        Returns:
            What the zygote observed; None when it died or has gone silent.
        """
        poll = select.poll()
        for fd in (self.answer, self.line.fileno(), self.warden):
            poll.register(fd, select.POLLIN)
        while True:
            events = dict(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
            if not events:
                return None
            if self.answer in events and not self._read():
                poll.unregister(self.answer)
            if self.line.fileno() in events:
                told = self.line.recv(4096)
                if told == CONFINED:
                    self.confined = True
                elif told:
                    while self._read():
                        pass
                    fate: dict[str, Any] = json.loads(told)
                    return fate
                else:
                    return None
            elif self.warden in events:
                return None

    def _read(self) -> bool:
        """Take what is there. False: nothing is, or nothing more is wanted."""
        if self.overflowed:
            return False
        try:
            piece = os.read(self.answer, LARGE_CHUNK if len(self.message) >= CHUNK else CHUNK)
        except BlockingIOError:
            return False
        self.message += piece
        if len(self.message) > self.most:
            self.overflowed = True
            self.message.clear()
            self.line.shutdown(socket.SHUT_WR)  # no longer wanted
            return False
        return bool(piece)


def judge(job: Job, fate: dict[str, Any], reader: Reader) -> Outcome:
    """The outcome of a job.

    Raises:
        InfrastructureError: the job never ran, because its fences could not be put up.
    """
    code, limits = fate["exit"], job.limits
    if not reader.confined:
        raise InfrastructureError(f"a job could not be shut in: {_complaint(reader) or f'exit {code}'}")
    seconds = fate["seconds"]
    if reader.overflowed:
        return Outcome("output", message=f"answered more than {limits.output_bytes} bytes", seconds=seconds)
    if fate["killed"]:
        return Outcome("timeout", message=f"ran longer than {limits.wall_seconds:g} s", seconds=seconds)
    if code < 0:
        return _died(job, -code, fate)
    try:
        return _answer(reader.message, code, seconds)
    except wire.Garbled as error:
        said = f"exited with {code}: " if code else ""
        return Outcome("crash", message=f"{said}{error}", seconds=seconds)


def _died(job: Job, number: int, fate: dict[str, Any]) -> Outcome:
    seconds, limit = fate["seconds"], job.limits.cpu_seconds
    # The kernel counts by the tick when it enforces this limit, and exactly when it reports: half is near enough.
    if number == signal.SIGXCPU or (number == signal.SIGKILL and fate["cpu"] >= limit / 2):
        return Outcome("timeout", message=f"computed longer than {limit:g} s", seconds=seconds)
    if (
        number == signal.SIGKILL
    ):  # nothing inside can do that to the first process; the kernel does when memory ends
        return Outcome("memory", message="killed by the kernel, probably out of memory", seconds=seconds)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return Outcome("crash", message=f"killed by {name}", seconds=seconds)


def _answer(message: bytearray, code: int, seconds: float) -> Outcome:
    outer, views = wire.unpack(memoryview(message), wire.ANSWER_HEADER_BYTES)
    status: Status
    status, header, text = outer.get("status"), outer.get("answer"), outer.get("message")  # type: ignore[assignment]
    if status not in ("ok", "error", "memory") or not isinstance(header, dict) or not isinstance(text, str):
        raise wire.Garbled("the answer has the wrong shape")
    if code:
        raise wire.Garbled("it had answered before")
    return Outcome(status, header, tuple(bytes(view) for view in views), text, seconds)


def _complaint(reader: Reader) -> str:
    try:
        return str(wire.unpack(memoryview(reader.message), wire.ANSWER_HEADER_BYTES)[0].get("message"))
    except wire.Garbled:
        return ""
