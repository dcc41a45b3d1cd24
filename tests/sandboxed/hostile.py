"""What jobs try in test_sandbox.py. This folder is shown to the sandbox; nothing else of the tests is."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

WARMED = []


def warm():
    WARMED.append(os.getpid())


def start_thread():
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()


def fail():
    raise LookupError("nothing to warm up with")


def echo(header, blobs):
    return header, blobs


def preloaded(header, blobs):
    return {"warmed": len(WARMED)}, ()


def aligned(header, blobs):
    for blob in blobs:
        blob[:1] = b"!"  # they may be written to
    places = [ctypes.addressof(ctypes.c_char.from_buffer(blob)) % 64 for blob in blobs]
    return {"places": places, "first": [blob[0] for blob in blobs]}, ()


def attempt(header, blobs):
    """Try Python statements; tell how each one failed, or what it left in `result`."""
    said = {}
    for code in header["try"]:
        names = {
            "os": os,
            "socket": socket,
            "Path": Path,
            "subprocess": subprocess,
            "ctypes": ctypes,
            "sys": sys,
        }
        names |= {"signal": signal, "resource": resource, **header.get("names", {})}
        try:
            exec(code, names)
            said[code] = ["done", repr(names.get("result"))]
        except BaseException as error:  # noqa: BLE001 - whatever it is, it's reported
            said[code] = [type(error).__name__, str(error)]
    return said, ()


def raise_(header, blobs):
    raise ValueError("no such luck")


class Unspeakable(Exception):
    def __str__(self):
        raise SystemExit("not even that")


def raise_unspeakable(header, blobs):
    raise Unspeakable


def spin(header, blobs):
    for number in range(1, 65):
        with contextlib.suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    while True:
        pass


def sleep(header, blobs):
    time.sleep(header["seconds"])
    return header, ()


def eat_memory(header, blobs):
    hoard = []
    while True:
        hoard.append(bytearray(1 << 20))


def fork_bomb(header, blobs):
    made = 0
    for _ in range(2000):
        try:
            if not os.fork():
                while True:
                    try:
                        os.fork()
                    except OSError:
                        time.sleep(0.01)
            made += 1
        except OSError:
            break
    return {"made": made}, ()


def leave_daemon(header, blobs):
    """Fork twice, in sessions and groups of their own where that's allowed, and answer while they live on."""
    for _ in range(4):
        if not os.fork():
            for call in (os.setsid, lambda: os.setpgid(0, 0)):
                with contextlib.suppress(OSError):
                    call()
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            if not os.fork():
                os.execv(
                    sys.executable,
                    [header["marker"], "-S", "-c", "import time; time.sleep(100)", header["marker"]],
                )
            time.sleep(100)
    time.sleep(header.get("seconds", 0.3))
    return {"left": 4}, ()


def flood(header, blobs):
    for fd in range(3, 256):
        try:
            while True:
                os.write(fd, b"x" * 65536)
        except OSError:
            continue
    return {}, ()


def big_answer(header, blobs):
    return {}, [bytes(header["bytes"])]


def _pipe():
    """The pipe that the answer is written to, found as a hostile job would find it."""
    import stat

    for fd in range(3, 256):
        try:
            if stat.S_ISFIFO(os.fstat(fd).st_mode):
                return fd
        except OSError:
            continue
    raise LookupError


def forge(header, blobs):
    """Write what `blobs` holds as the answer, byte for byte, and be gone."""
    os.write(_pipe(), bytes(blobs[0]))
    os._exit(header.get("exit", 0))


def answer_then_hang(header, blobs):
    text = json.dumps({"header": {"status": "ok", "message": "", "answer": {}}, "sizes": []}).encode()
    os.write(_pipe(), struct.pack("<I", len(text)) + text)
    os.close(_pipe())
    time.sleep(100)


def die(header, blobs):
    if header["how"] == "exit":
        os._exit(header["code"])
    if header["how"] == "segfault":
        ctypes.string_at(0)
    if header["how"] == "abort":
        os.abort()
    if header["how"] == "recursion":
        sys.setrecursionlimit(10**9)
        nested = []
        for _ in range(10**5):
            nested = [nested]
        repr(nested) and json.dumps(nested)
        re = None
        for _ in range(10**6):
            re = (re,)
        hash(re)
    return {}, ()


def kill_everything(header, blobs):
    said = []
    for pid in [-1, 0, os.getppid(), *header["pids"], *range(2, 300)]:
        try:
            if pid not in (0, os.getpid()):
                os.kill(pid, signal.SIGKILL)
                said.append(pid)
        except OSError:
            pass
    return {"signalled": said}, ()


def descriptors(header, blobs):
    kinds = {}
    for fd in range(256):
        try:
            kinds[fd] = oct(os.fstat(fd).st_mode)
        except OSError:
            continue
    return {"open": kinds}, ()


def fill_scratch(header, blobs):
    written, number = 0, 0
    try:
        while True:
            with Path(f"file-{number}").open("wb") as file:
                for _ in range(16):
                    written += file.write(bytes(1 << 16))
                    file.flush()
            number += 1
    except OSError as error:
        return {"written": written, "why": error.strerror, "at": str(Path.cwd())}, ()


def litter(header, blobs):
    """Leave what is hard to remove: a deep tree, links to elsewhere, folders that nobody may enter."""
    Path("link").symlink_to(header["outside"])
    Path("shut").mkdir(0)
    for _ in range(header.get("depth", 1500)):
        Path("d").mkdir()
        os.chdir("d")
    return {}, ()
