"""The sandbox holds: against what hostile code tries, with all layers and with some of them missing."""

from __future__ import annotations

import gc
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym import SandboxSpec, hookimpl
from rftgym.errors import InfrastructureError, PluginError, RftgymError, UnknownIdError, UsageError
from rftgym.plugins import Plugins
from rftgym.registry import make_sandbox
from rftgym.sandbox import Job, Limits, LocalSandbox, Outcome, commands, kernel, seccomp, wire
from rftgym_sandboxes.bubblewrap import BubblewrapSandbox
from rftgym_sandboxes.podman import PodmanSandbox

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the local sandbox is built on Linux")
JOBS = Path(__file__).parent / "sandboxed"
NOBODY = 65534
# Which sandbox, and what the machine lacks: nothing; namespaces (most containers); Landlock; filters; a user for it.
MODES = {
    "all": ("local", ()),
    "no namespaces": ("local", ("namespaces",)),
    "no namespaces, same user": ("local", ("namespaces", "separate user")),
    "no root of its own": ("local", ("own root",)),
    "no landlock, no filters": ("local", ("landlock", "seccomp")),
    "same user": ("local", ("separate user",)),
    "bubblewrap": ("bubblewrap", ()),
    "bubblewrap, no namespaces in it": ("bubblewrap", ("namespaces",)),
    "bubblewrap, no namespaces in it, same user": ("bubblewrap", ("namespaces", "separate user")),
}
KINDS = ["local", "bubblewrap"]
# Podman is asked for nowhere: it is tried where it is there and can start containers.
if PodmanSandbox.detect()[0].available:
    KINDS.append("podman")
    MODES |= {"podman": ("podman", ()), "podman, no namespaces in it": ("podman", ("namespaces",))}
WALLS = pytest.mark.parametrize(
    ("kind", "without"),
    [
        pytest.param(kind, lack, id="-".join((kind, *lack)))
        for kind in KINDS
        for lack in ((), ("namespaces",))
    ],
)
PROGRAMS = {"bubblewrap": "bwrap"}  # what a kind of sandbox needs


def sandbox_of(without: tuple[str, ...] = (), kind: str = "local", **others: Any) -> LocalSandbox:
    if not shutil.which(PROGRAMS.get(kind, "true")):
        pytest.skip(f"there is no {PROGRAMS[kind]} here")
    made = make_sandbox(kind, preload=["hostile:warm"], path=[JOBS], workers=4, without=without, **others)
    assert isinstance(made, LocalSandbox)
    return made


@pytest.fixture(scope="module")
def sandbox() -> Iterator[LocalSandbox]:
    with sandbox_of() as made:
        yield made


@pytest.fixture(scope="module", params=list(MODES))
def weaker(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    kind, without = MODES[request.param]
    with sandbox_of(without, kind) as made:
        yield made


@pytest.fixture(scope="module")
def guarded(request: pytest.FixtureRequest) -> Iterator[LocalSandbox]:
    """Landlock and filters alone, as in most containers."""
    with sandbox_of(("namespaces",)) as made:
        yield made


def job(function: str, header: dict[str, Any] | None = None, *blobs: bytes, **limits: Any) -> Job:
    return Job(f"hostile:{function}", header or {}, blobs, Limits(**{"wall_seconds": 5, **limits}))


def attempts(sandbox: LocalSandbox, *code: str, **limits: Any) -> dict[str, list[str]]:
    outcome = sandbox.run(job("attempt", {"try": code}, **limits))
    assert outcome.status == "ok", outcome
    return outcome.header


def processes(marker: str) -> list[str]:
    found = []
    for each in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = each.read_bytes().decode(errors="replace")
        except OSError:
            continue
        if marker in text:
            found.append(text)
    return found


def eventually_gone(marker: str) -> bool:
    end = time.monotonic() + 10
    while processes(marker) and time.monotonic() < end:
        time.sleep(0.02)
    return not processes(marker)


# ---------------------------------------------------------------------------------------------------- honest work
def test_a_job_answers_and_everything_is_warmed_once(weaker: LocalSandbox) -> None:
    outcome = weaker.run(job("echo", {"a": [1, None, "x"]}, b"bytes", b"", bytes(range(256)) * 1000))
    assert (outcome.status, outcome.header, outcome.message) == ("ok", {"a": [1, None, "x"]}, "")
    assert outcome.blobs == (b"bytes", b"", bytes(range(256)) * 1000)
    assert 0 < outcome.seconds < 5
    assert weaker.run(job("preloaded")).header == {"warmed": 1}


def test_blobs_are_aligned_and_can_be_written_to(sandbox: LocalSandbox) -> None:
    mine = bytes(100), bytes(7), bytes(1)
    outcome = sandbox.run(job("aligned", {}, *mine))
    assert outcome.header == {"places": [0, 0, 0], "first": [33, 33, 33]}, outcome
    assert mine == (bytes(100), bytes(7), bytes(1))


def test_what_a_function_raises_is_told(weaker: LocalSandbox) -> None:
    outcome = weaker.run(job("raise_"))
    assert (outcome.status, outcome.message) == ("error", "ValueError: no such luck")
    assert "raise_" in outcome.header["traceback"]


def test_a_function_that_is_not_there_is_an_error(sandbox: LocalSandbox) -> None:
    assert sandbox.run(job("nowhere")).message.startswith("AttributeError")
    assert sandbox.run(Job("no_such_module:f")).message.startswith("ModuleNotFoundError")


def test_a_header_that_json_cannot_say_is_refused(sandbox: LocalSandbox) -> None:
    with pytest.raises(UsageError, match="hostile:echo"):
        sandbox.run(job("echo", {"a": object()}))


def test_jobs_run_side_by_side_up_to_the_number_of_workers(sandbox: LocalSandbox) -> None:
    sandbox.start()
    with ThreadPoolExecutor(8) as pool:
        start = time.monotonic()
        outcomes = list(pool.map(lambda _: sandbox.run(job("sleep", {"seconds": 0.4})), range(8)))
        spent = time.monotonic() - start
    assert all(outcome.status == "ok" for outcome in outcomes)
    assert 0.8 <= spent < 2.4, "four at a time"


# ---------------------------------------------------------------------------------------------- nothing gets out
def test_the_network_is_out_of_reach(weaker: LocalSandbox) -> None:
    code = (
        "socket.create_connection(('127.0.0.1', 9), timeout=1)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET6, socket.SOCK_STREAM).connect(('::1', 9))",
    )
    said = attempts(weaker, *code)
    # Where there is a network without interfaces, the kernel says so; where there are filters, there are no sockets.
    assert all(kind in ("PermissionError", "OSError") for kind, _ in said.values()), said
    assert not any("refused" in text for _, text in said.values()), (
        "that is an answer from the machine's own network"
    )


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """A file that the world may read: file modes are not what protects it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/") and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    file = tmp_path / "secret.txt"
    file.write_text("hidden", encoding="utf-8")
    file.chmod(0o644)
    return file


def has_fences_for_files(sandbox: LocalSandbox) -> bool:
    found = {layer.name: layer.available for layer in sandbox.layers}
    return found["own root"] or found["landlock"]


def test_files_outside_can_be_neither_read_nor_changed(weaker: LocalSandbox, secret: Path) -> None:
    assert has_fences_for_files(weaker)
    name, folder = str(secret), str(secret.parent)
    code = (
        f"result = open({name!r}).read()",
        f"open({name!r}, 'w')",
        f"open({folder!r} + '/new', 'w')",
        f"os.listdir({folder!r})",
        f"os.unlink({name!r})",
        f"os.rename({name!r}, {name + '2'!r})",
        f"os.truncate({name!r}, 0)",
        f"os.chmod({name!r}, 0)",
        f"os.utime({name!r})",
        f"os.symlink('/etc', {folder!r} + '/link')",
        f"os.mkdir({folder!r} + '/sub')",
        f"os.listdir({str(Path.home())!r})" if Path.home() != Path("/") else "os.listdir('/var')",
        "open('/etc/passwd').read()",
        "open('/etc/hostname', 'w')",
        "open('/tmp/rftgym-was-here', 'w')",
        "open('/dev/shm/rftgym-was-here', 'w')",
        "open('/var/tmp/rftgym-was-here', 'w')",
        "open('rftgym-was-here', 'w')",
        "open('/proc/self/environ').read()",
        "open('/proc/1/environ').read()",
        "os.listdir('/proc/self/fd')",
        "open(os.__file__, 'a')",
        f"os.chmod({str(JOBS / 'hostile.py')!r}, 0o777)",
        "os.chroot('/')",
    )
    said = attempts(weaker, *code)
    # A folder that leads to the interpreter shows that much and no more.
    allowed = {text: answer for text, answer in said.items() if answer[0] == "done" and "listdir" not in text}
    assert not allowed
    assert said[f"os.listdir({folder!r})"][0] != "done"
    assert secret.read_text(encoding="utf-8") == "hidden" and secret.stat().st_mode & 0o777 == 0o644
    assert [each.name for each in secret.parent.iterdir()] == ["secret.txt"]


def test_secrets_in_the_environment_are_not_seen(monkeypatch: pytest.MonkeyPatch, secret: Path) -> None:
    monkeypatch.setenv("API_KEY", "sk-hidden")
    with LocalSandbox(["hostile:warm"], path=[JOBS], environment={"WANTED": "yes"}) as sandbox:
        said = attempts(sandbox, "result = dict(os.environ)", "ctypes.CDLL(None).getenv(b'API_KEY') and 1/0")
    assert "hidden" not in str(said) and "'WANTED': 'yes'" in str(said) and "ZeroDivision" not in str(said)


def test_what_is_named_as_readable_is_readable_and_nothing_else_of_it(secret: Path) -> None:
    with LocalSandbox(["hostile:warm"], path=[JOBS], readable=[secret]) as sandbox:
        said = attempts(sandbox, f"result = open({str(secret)!r}).read()", f"open({str(secret)!r}, 'w')")
    (read, text), (written, _) = said.values()
    assert read == "done" and "hidden" in text and written in ("PermissionError", "OSError")


def test_no_descriptor_but_the_answers_is_open(weaker: LocalSandbox) -> None:
    with tempfile.TemporaryFile() as mine:
        os.set_inheritable(mine.fileno(), True)
        opened = weaker.run(job("descriptors")).header["open"]
    assert [mode[:-3] for mode in opened.values()] == ["0o20", "0o20", "0o20", "0o10"], (
        "three devices and a pipe"
    )


def test_programs_cannot_be_started(sandbox: LocalSandbox, guarded: LocalSandbox) -> None:
    code = (
        "os.execv('/bin/true', ['true'])",
        "subprocess.run(['/bin/true'])",
        "os.posix_spawn('/bin/true', ['true'], {})",
    )
    for each in (sandbox, guarded):
        assert {kind for kind, _ in attempts(each, *code).values()} <= {"PermissionError", "BlockingIOError"}


def test_dangerous_calls_are_refused(sandbox: LocalSandbox, guarded: LocalSandbox) -> None:
    libc = "c = ctypes.CDLL(None, use_errno=True); r = "
    column = int(kernel.MACHINE != "x86_64")
    number = {name: pair[column] for name, pair in seccomp.NEVER.items()}
    calls = {
        "ptrace": "c.ptrace(0, 0, 0, 0)",
        "unshare": "c.unshare(0x10000000)",
        "setns": "c.setns(0, 0)",
        "mount": "c.mount(b'x', b'/', b'tmpfs', 0, None)",
        "umount": "c.umount2(b'/', 2)",
        "personality": "c.personality(0x40000)",
        "bpf": f"c.syscall({number['bpf']}, 0, 0, 0)",
        "io_uring": f"c.syscall({number['io_uring_setup']}, 1, 0)",
        "userfaultfd": f"c.syscall({number['userfaultfd']}, 0)",
        "perf": f"c.syscall({number['perf_event_open']}, 0, 0, -1, -1, 0)",
        "keyctl": f"c.syscall({number['keyctl']}, 0, 0)",
        "memfd": "c.memfd_create(b'x', 0)",
        "shm": "c.shmget(0, 4096, 0o1600)",
        "clone with a namespace": f"c.syscall({seccomp.CLONE[column]}, 0x10000000 | 17, 0, 0, 0, 0)",
        "process_vm_readv": f"c.syscall({number['process_vm_readv']}, os.getpid(), 0, 0, 0, 0, 0)",
        "prlimit of others": f"c.syscall({seccomp.PRLIMIT64[column]}, 2, 7, 0, 0)",
        "seccomp": f"c.syscall({number['seccomp']}, 0, 0, 0)",
        "setuid": "c.setresuid(0, 0, 0)",
        "newer than known": "c.syscall(600)",
    }
    code = [f"{libc}{call}; result = r, ctypes.get_errno()" for call in calls.values()]
    for each in (sandbox, guarded):
        said = attempts(each, *code)
        for name, text in zip(calls, code, strict=True):
            assert said[text] in (["done", "(-1, 1)"], ["done", "(-1, 38)"], ["done", "(-1, 11)"]), (
                name,
                said[text],
            )


def test_the_other_doors_of_an_x86_kernel_are_shut_too(sandbox: LocalSandbox) -> None:
    """32-bit calls (int 0x80) have numbers of their own; x32 ones carry a bit."""
    call = "c = ctypes.CDLL(None, use_errno=True); r = c.syscall(0x40000000 + 41, 2, 1, 0)"
    code = f"{call}; result = r, ctypes.get_errno()"
    assert attempts(sandbox, code)[code] == ["done", "(-1, 38)"]
    if kernel.MACHINE == "x86_64":
        machine = "b814000000cd80c3"  # mov eax, 20 (getpid there); int 0x80; ret
        run = (
            f"import mmap; m = mmap.mmap(-1, 4096, prot=7); m.write(bytes.fromhex({machine!r}));"
            "result = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))()"
        )
        outcome = sandbox.run(job("attempt", {"try": [run]}))
        assert outcome.status == "crash" and "SIGSYS" in outcome.message, outcome


def test_capabilities_are_gone(weaker: LocalSandbox) -> None:
    code = (
        "import struct; h = (ctypes.c_uint32 * 2)(0x20080522, 0); d = (ctypes.c_uint32 * 6)();"
        "r = ctypes.CDLL(None).capget(h, d); result = r, list(d)"
    )
    assert attempts(weaker, code)[code] == ["done", "(0, [0, 0, 0, 0, 0, 0])"]


# ------------------------------------------------------------------------------------------------- nothing stays
@pytest.mark.parametrize("function", ["spin", "sleep", "answer_then_hang"])
def test_what_takes_too_long_is_killed(weaker: LocalSandbox, function: str) -> None:
    start = time.monotonic()
    outcome = weaker.run(job(function, {"seconds": 100}, wall_seconds=0.3))
    assert outcome.status == "timeout" and "0.3 s" in outcome.message
    assert 0.3 <= outcome.seconds < 2 and time.monotonic() - start < 3


def test_processor_time_is_limited(sandbox: LocalSandbox, guarded: LocalSandbox) -> None:
    with ThreadPoolExecutor(2) as pool:
        spin = job("spin", cpu_seconds=1, wall_seconds=30)
        outcomes = list(pool.map(lambda each: each.run(spin), (sandbox, guarded)))
    for outcome in outcomes:
        assert outcome.status == "timeout" and "computed longer than 1 s" in outcome.message, outcome


def test_memory_is_limited(weaker: LocalSandbox) -> None:
    outcome = weaker.run(job("eat_memory", memory_bytes=200 << 20))
    assert outcome.status == "memory", outcome
    assert weaker.run(job("echo")).status == "ok"


def test_a_fork_bomb_is_defused_and_leaves_nothing(weaker: LocalSandbox) -> None:
    before = len(list(Path("/proc").glob("[0-9]*")))
    outcome = weaker.run(job("fork_bomb", processes=20, wall_seconds=3))
    assert outcome.status == "ok" and outcome.header["made"] < 20, outcome
    assert len(list(Path("/proc").glob("[0-9]*"))) < before + 10


def test_one_process_means_one(weaker: LocalSandbox) -> None:
    said = attempts(
        weaker, "os.fork()", "import threading; threading.Thread(target=int).start()", processes=1
    )
    assert {kind for kind, _ in said.values()} <= {"BlockingIOError", "RuntimeError"}, said


def test_daemons_do_not_outlive_their_job(weaker: LocalSandbox) -> None:
    marker = f"rftgym-daemon-{time.monotonic_ns()}"
    outcome = weaker.run(job("leave_daemon", {"marker": marker}, allow_exec=True))
    assert outcome.status == "ok", outcome
    assert not processes(marker), "when a job is over, it is over"
    outcome = weaker.run(
        job("leave_daemon", {"marker": marker, "seconds": 100}, allow_exec=True, wall_seconds=0.5)
    )
    assert outcome.status == "timeout" and not processes(marker)


def test_signals_reach_nobody_else(weaker: LocalSandbox) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        pids = [os.getpid(), os.getppid(), bystander.pid]
        outcome = weaker.run(job("kill_everything", {"pids": pids}))
        assert outcome.status in ("ok", "crash", "memory"), outcome
        assert bystander.poll() is None
        assert weaker.run(job("preloaded")).header == {"warmed": 1}
    finally:
        bystander.kill()
        bystander.wait()


# ---------------------------------------------------------------------------------------- answers are only answers
def test_a_flood_is_cut_off(weaker: LocalSandbox) -> None:
    outcome = weaker.run(job("flood", output_bytes=1 << 20))
    assert outcome.status == "output" and "1048576" in outcome.message
    assert weaker.run(job("big_answer", {"bytes": 2 << 20}, output_bytes=1 << 20)).status == "output"
    assert weaker.run(job("big_answer", {"bytes": 1 << 20}, output_bytes=1 << 20)).status == "ok"


def framed(text: str, tail: bytes = b"", length: int | None = None) -> bytes:
    return (
        struct.pack("<I", len(text) if length is None else length)
        + text.encode("utf-8", "surrogatepass")
        + tail
    )


HONEST = '{"header": {"status": "ok", "message": "", "answer": {}}, "sizes": []}'
FORGERIES = {
    "nothing": b"",
    "too short": b"\x01",
    "noise": bytes(range(256)),
    "cut off": framed(HONEST)[:-3],
    "huge length": framed(HONEST, length=2**32 - 1),
    "trailing bytes": framed(HONEST, b"more"),
    "missing blobs": framed(HONEST.replace("[]", "[5]")),
    "negative size": framed(HONEST.replace("[]", "[-1]")),
    "size is true": framed(HONEST.replace("[]", "[true]")),
    "huge size": framed(HONEST.replace("[]", "[1e400]")),
    "header is a list": framed('{"header": [], "sizes": []}'),
    "list": framed("[]"),
    "unknown status": framed(HONEST.replace('"ok"', '"timeout"')),
    "status is a list": framed(HONEST.replace('"ok"', '["ok"]')),
    "answer is text": framed(HONEST.replace("{}", '"x"')),
    "message is a number": framed(HONEST.replace('"message": ""', '"message": 1')),
    "deep nesting": framed("[" * 50_000),
    "long number": framed(HONEST.replace("{}", '{"n": ' + "9" * 10_000 + "}")),
    "half a character": framed(HONEST.replace("{}", '{"n": "\\ud800"}')),
    "pickle": b"cos\nsystem\n(S'true'\ntR.",
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_answer_is_a_crash(sandbox: LocalSandbox, name: str) -> None:
    outcome = sandbox.run(job("forge", {}, FORGERIES[name]))
    assert outcome.status == "crash" and outcome.message and not outcome.header and not outcome.blobs, outcome


def test_an_answer_before_a_crash_does_not_count(sandbox: LocalSandbox) -> None:
    assert sandbox.run(job("forge", {}, framed(HONEST))).status == "ok", "it is an answer like any other"
    assert sandbox.run(job("forge", {"exit": 3}, framed(HONEST))).status == "crash"


@given(st.binary(max_size=400))
def test_any_bytes_are_a_message_or_garbled(noise: bytes) -> None:
    try:
        header, blobs = wire.unpack(memoryview(noise))
    except wire.Garbled:
        return
    assert isinstance(header, dict) and all(isinstance(blob, memoryview) for blob in blobs)


@given(
    st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())),
    st.lists(st.binary(max_size=300), max_size=6),
)
def test_messages_come_back_as_they_were(header: dict[str, Any], blobs: list[bytes]) -> None:
    header = {key: value for key, value in header.items() if len(str(value)) < 4000}
    message = b"".join(wire.pack(header, blobs))
    try:
        found, views = wire.unpack(memoryview(message))
    except wire.Garbled:
        assert "\\ud" in json.dumps(header), "only half characters are refused"
        return
    assert found == header and [bytes(view) for view in views] == blobs


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"how": "exit", "code": 0}, "no answer"),
        ({"how": "exit", "code": 7}, "exited with 7"),
        ({"how": "exit", "code": 121}, "exited with 121"),
        ({"how": "segfault"}, "SIGSEGV"),
        ({"how": "abort"}, "SIG"),
    ],
)
def test_a_death_is_a_crash(weaker: LocalSandbox, how: dict[str, Any], said: str) -> None:
    outcome = weaker.run(job("die", how))
    assert outcome.status == "crash" and said in outcome.message, outcome
    assert weaker.run(job("raise_unspeakable")).status == "crash"
    assert weaker.run(job("echo")).status == "ok"


def test_endless_recursion_takes_nobody_along(sandbox: LocalSandbox) -> None:
    outcome = sandbox.run(job("die", {"how": "recursion"}))
    assert outcome.status in ("crash", "error", "memory"), outcome
    assert sandbox.run(job("preloaded")).header == {"warmed": 1}


# ------------------------------------------------------------------------------------------------------- scratch
def test_a_scratch_folder_is_private_limited_and_gone(weaker: LocalSandbox) -> None:
    limits = {"scratch_bytes": 4 << 20, "file_bytes": 1 << 20, "wall_seconds": 1}
    assert attempts(weaker, "open('x', 'x').write('y')", **limits) == {
        "open('x', 'x').write('y')": ["done", "None"]
    }
    said = attempts(
        weaker,
        "open('x', 'x')",
        "result = os.environ['HOME'] == os.environ['TMPDIR'] == os.getcwd()",
        **limits,
    )
    assert [answer[0] for answer in said.values()] == ["done", "done"] and "True" in str(said), (
        "the folder is a new one"
    )
    outcome = weaker.run(job("fill_scratch", {}, **limits))
    if {layer.name: layer.available for layer in weaker.layers}["own root"]:
        assert outcome.status == "ok" and outcome.header["written"] <= 4 << 20, outcome
    assert attempts(weaker, "open('x', 'x')")["open('x', 'x')"][0] != "done", "there is none unless asked for"


def test_litter_is_removed_whatever_it_is(guarded: LocalSandbox, secret: Path) -> None:
    outcome = guarded.run(job("litter", {"outside": str(secret.parent)}, scratch_bytes=1 << 20))
    assert outcome.status == "ok", outcome
    assert secret.exists()
    end = time.monotonic() + 20
    while (left := list(guarded._current().folder.glob("job-*"))) and time.monotonic() < end:
        time.sleep(0.02)
    assert not left


# ------------------------------------------------------------------------------------------------------ commands
def test_a_command_gets_files_and_gives_files(weaker: LocalSandbox) -> None:
    script = "cat in/a >out; echo said; echo complained >&2; exit 3"
    made = commands.command(["sh", "-c", script], files={"in/a": b"content"}, outputs=["out", "missing"])
    result = commands.finished(weaker.run(made))
    assert result == commands.Result(3, b"said\n", b"complained\n", {"out": b"content"})


def test_a_command_is_shut_in_as_well(weaker: LocalSandbox, secret: Path) -> None:
    marker = f"rftgym-left-{time.monotonic_ns()}"
    script = f"cat {secret}; echo x >{secret}; : >/tmp/rftgym-was-here; (exec -a {marker} sleep 50) &"
    result = commands.finished(weaker.run(commands.command(["bash", "-c", script])))
    assert result.stdout == b"" and result.stderr
    assert secret.read_text(encoding="utf-8") == "hidden" and not processes(marker)


def test_a_command_runs_nothing_outside_of_the_system_but_itself(
    sandbox: LocalSandbox, tmp_path: Path
) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for each in (mine, other):
        each.write_text(
            f"#!/bin/sh\necho {each.name}; {other} \n" if each == mine else "#!/bin/sh\necho other\n"
        )
        each.chmod(0o755)
    tmp_path.chmod(0o755)
    with LocalSandbox(path=[JOBS], readable=[tmp_path]) as own:
        result = commands.finished(own.run(commands.command([str(mine)])))
    assert result.stdout == b"mine\n" and b"ermission denied" in result.stderr


def test_bad_commands_are_refused() -> None:
    with pytest.raises(UsageError, match="no such program"):
        commands.command(["no-such-program-anywhere"])
    for name in ("../x", "/etc/x", "", ".stdout"):
        with pytest.raises(UsageError, match="not a name"):
            commands.command(["sh"], outputs=[name])
    with pytest.raises(InfrastructureError, match="timeout"):
        commands.finished(Outcome("timeout", message="late"))


# ---------------------------------------------------------------------------------------------- life of a sandbox
def zygote_of(sandbox: LocalSandbox) -> int:
    warden = sandbox._current().pid
    return int(Path(f"/proc/{warden}/task/{warden}/children").read_text(encoding="ascii").split()[0])


@WALLS
def test_a_killed_zygote_is_replaced_and_its_jobs_are_tried_again(
    kind: str, without: tuple[str, ...]
) -> None:
    with sandbox_of(without, kind) as sandbox, ThreadPoolExecutor(3) as pool:
        sandbox.start()
        pending = [pool.submit(sandbox.run, job("sleep", {"seconds": 0.5})) for _ in range(3)]
        time.sleep(0.2)
        os.kill(zygote_of(sandbox), signal.SIGKILL)
        assert [each.result(timeout=20).status for each in pending] == ["ok"] * 3
        os.kill(zygote_of(sandbox), signal.SIGKILL)
        assert sandbox.run(job("echo")).status == "ok"


def test_a_zygote_that_dies_again_is_a_failure_of_the_infrastructure() -> None:
    with sandbox_of() as sandbox, ThreadPoolExecutor(1) as pool:
        sandbox.start()
        pending = pool.submit(sandbox.run, job("sleep", {"seconds": 30}, wall_seconds=40))
        for _ in range(2):
            time.sleep(0.5)
            os.kill(zygote_of(sandbox), signal.SIGKILL)
        with pytest.raises(InfrastructureError, match="died twice"):
            pending.result(timeout=20)


PARENT = """
import sys, threading, time
from rftgym.registry import make_sandbox
from rftgym.sandbox import *
sandbox = make_sandbox({kind!r}, preload=["hostile:warm"], path=[{jobs!r}], workers=2, without={without!r})
sandbox.start()
run = lambda: sandbox.run(Job("hostile:leave_daemon", {{"marker": {marker!r}, "seconds": 50}},
                              limits=Limits(allow_exec=True, wall_seconds=60)))
threading.Thread(target=run, daemon=True).start()
time.sleep(0.8)
print("running", flush=True)
time.sleep(60)
"""


@WALLS
def test_nothing_survives_a_parent_that_is_killed(
    kind: str, without: tuple[str, ...], tmp_path: Path
) -> None:
    marker = f"rftgym-orphan-{time.monotonic_ns()}"
    text = PARENT.format(jobs=str(JOBS), marker=marker, kind=kind, without=without)
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None and parent.stdout.readline() == b"running\n"
        assert processes(marker), "or this test shows nothing"
        parent.kill()
    assert eventually_gone(marker) and eventually_gone(str(tmp_path))
    end = time.monotonic() + 5
    while list(tmp_path.iterdir()) and time.monotonic() < end:
        time.sleep(0.02)
    assert not list(tmp_path.iterdir())


def usage_of_this_process() -> tuple[int, int]:
    gc.collect()
    folders = Path(tempfile.gettempdir()).glob("rftgym-sandbox-*")
    return len(list(Path("/proc/self/fd").iterdir())), len(list(folders))


def usage(sandbox: LocalSandbox) -> tuple[int, int, int]:
    gc.collect()
    zygote = zygote_of(sandbox)
    return (
        len(list(Path("/proc/self/fd").iterdir())),
        threading.active_count(),
        len(list(Path(f"/proc/{zygote}/fd").iterdir())),
    )


def resident(pid: int | str) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096


@pytest.mark.parametrize("kind", KINDS)
def test_five_hundred_jobs_leave_nothing_behind(kind: str) -> None:
    before = set(Path(tempfile.gettempdir()).iterdir())
    with sandbox_of(kind=kind) as sandbox, ThreadPoolExecutor(4) as pool:
        kinds = [job("echo", {}, b"x" * 1000), job("raise_"), job("die", {"how": "exit", "code": 1})]
        kinds += [job("echo", scratch_bytes=1 << 16), job("sleep", {"seconds": 9}, wall_seconds=0.1)]
        list(pool.map(sandbox.run, kinds * 10))
        held, mine, zygotes = usage(sandbox), resident("self"), resident(zygote_of(sandbox))
        outcomes = list(pool.map(sandbox.run, kinds * 100))
        assert {outcome.status for outcome in outcomes} == {"ok", "error", "crash", "timeout"}
        assert usage(sandbox) == held
        assert resident("self") < mine + (16 << 20) and resident(zygote_of(sandbox)) < zygotes + (8 << 20)
        assert not Path(f"/proc/{zygote_of(sandbox)}/task/{zygote_of(sandbox)}/children").read_text().split()
    assert set(Path(tempfile.gettempdir()).iterdir()) <= before


@pytest.mark.parametrize("kind", KINDS)
def test_closing_ends_all_and_twice_is_once(kind: str) -> None:
    sandbox = sandbox_of(kind=kind)
    sandbox.start()
    zygote = zygote_of(sandbox)
    sandbox.close()
    sandbox.close()
    assert not Path(f"/proc/{zygote}").exists()
    with pytest.raises(UsageError, match="closed"):
        sandbox.run(job("echo"))


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_program_around_the_sandbox_that_dies_is_replaced_and_takes_all_along(kind: str) -> None:
    with sandbox_of(kind=kind) as sandbox:
        sandbox.start()
        connection = sandbox._current()
        assert connection.pid != connection.process.pid, "or this test shows nothing"
        connection.process.kill()
        connection.process.wait()
        assert sandbox.run(job("preloaded")).header == {"warmed": 1}
        poll = select.poll()
        poll.register(connection.warden, select.POLLIN)
        assert poll.poll(10_000), "the first warden has not ended"


@pytest.mark.parametrize("kind", KINDS)
def test_a_sandbox_outlives_the_thread_that_started_it(kind: str) -> None:
    """Signals at the parent's death come when the starting thread ends, not the process."""
    with ThreadPoolExecutor(1) as pool:
        sandbox = pool.submit(sandbox_of, kind=kind).result()
    with sandbox:
        before = sandbox._current().pid
        assert sandbox.run(job("echo")).status == "ok" and sandbox._current().pid == before


def test_a_missing_program_is_told_with_its_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    before = usage_of_this_process()
    with pytest.raises(RftgymError, match="apt-get install bubblewrap"):
        make_sandbox("bubblewrap")
    (layer,) = BubblewrapSandbox.detect()
    assert (layer.name, layer.available) == ("bubblewrap", False) and "bwrap" in layer.detail and layer.cure
    (layer,) = PodmanSandbox.detect()
    assert (layer.name, layer.available) == ("podman", False) and "needs" in layer.detail and layer.cure
    refusing = tmp_path / "bwrap"
    refusing.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
    refusing.chmod(0o755)
    with pytest.raises(RftgymError, match="No permissions to create"):
        make_sandbox("bubblewrap")
    assert usage_of_this_process() == before


def test_sandboxes_are_made_by_id() -> None:
    with pytest.raises(UnknownIdError, match="did you mean 'bubblewrap'"):
        make_sandbox("bublewrap")
    with pytest.raises(UsageError, match="moat"):
        make_sandbox("local", moat=True)
    plugins = Plugins()
    plugins.add(
        SimpleNamespace(
            rftgym_sandboxes=hookimpl(
                lambda: [SandboxSpec("none", "builtins:dict")], specname="rftgym_sandboxes"
            )
        ),
        name="none",
    )
    with pytest.raises(PluginError, match=r"'none'.*no class that derives"):
        make_sandbox("none", plugins=plugins)


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_wall_around_the_zygote_is_reported_and_stands(kind: str) -> None:
    with sandbox_of(("namespaces",), kind) as sandbox:  # or the warden has left those of the wall for its own
        layers = [layer.name for layer in sandbox.layers]
        assert layers[:2] == [kind, "namespaces"] and sandbox.layers[0].available
        mine = {each: Path(f"/proc/self/ns/{each}").readlink() for each in ("net", "ipc", "uts", "mnt")}
        warden = sandbox._current().pid
        status = Path(f"/proc/{warden}/status").read_text(encoding="ascii")
        assert int(status.partition("CapEff:")[2].split()[0], 16).bit_count() < 10
        root = {each.name for each in Path(f"/proc/{warden}/root").iterdir()}
        assert not {"home", "boot", "srv", "mnt"} & root
        assert all(Path(f"/proc/{warden}/ns/{each}").readlink() != name for each, name in mine.items())


def test_a_preload_that_fails_or_leaves_threads_is_told() -> None:
    with (
        LocalSandbox(["hostile:fail"], path=[JOBS]) as sandbox,
        pytest.raises(RftgymError, match="nothing to warm up"),
    ):
        sandbox.run(job("echo"))
    with (
        LocalSandbox(["hostile:start_thread"], path=[JOBS]) as sandbox,
        pytest.raises(RftgymError, match="1 threads"),
    ):
        sandbox.start()


def test_below_the_floor_there_is_no_sandbox_unless_one_insists() -> None:
    lacking = ("namespaces", "seccomp")
    with pytest.raises(RftgymError, match="allow-unsafe-sandbox"):
        sandbox_of(lacking)
    with sandbox_of(lacking, allow_unsafe=True) as sandbox:
        assert sandbox.run(job("echo")).status == "ok"


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="moat"):
        LocalSandbox(without=["moat"])
    with pytest.raises(UsageError, match="/home"):
        LocalSandbox(readable=["/home"])
    with pytest.raises(UsageError, match="wall_seconds"):
        Limits(wall_seconds=0)


def test_detection_tells_each_layer_with_a_cure_where_it_lacks() -> None:
    layers = LocalSandbox.detect()
    assert [layer.name for layer in layers] == [
        "namespaces",
        "own root",
        "landlock",
        "seccomp",
        "separate user",
    ]
    assert all(layer.detail and bool(layer.cure) != layer.available for layer in layers)


# The interpreter may lie in a home that nobody else enters: show it at its place all the same.
BECOME = """
import json, os, sys
from pathlib import Path
from rftgym.sandbox import kernel
for place in (sys.base_prefix, sys.prefix) if os.geteuid() == 0 else ():
    shut = [each for each in reversed(Path(place).resolve().parents) if not each.stat().st_mode & 1]
    if shut:
        kernel.unshare(kernel.CLONE_NEWNS)
        kernel.mount("none", "/", None, kernel.MS_REC | kernel.MS_PRIVATE)
        fd = os.open(place, os.O_PATH)
        kernel.mount("tmpfs", str(shut[0]), "tmpfs", 0, "mode=755")
        Path(place).mkdir(parents=True)
        kernel.mount(f"/proc/self/fd/{fd}", place, None, kernel.MS_BIND)
if os.geteuid() == 0 and USER:
    os.setgroups([]); os.setresgid(USER, USER, USER); os.setresuid(USER, USER, USER)
os.environ.update(HOME="/nonexistent", TMPDIR="/tmp")
from rftgym.registry import make_sandbox
from rftgym.sandbox import *
with make_sandbox(KIND, preload=["hostile:warm"], path=[JOBS], without=WITHOUT) as sandbox:
    code = ["result = open(secret).read()", "open(secret, 'w')", "os.kill(pid, 9)", "socket.socket()",
            "subprocess.run(['/bin/true'])", "os.chmod(secret, 0)", "os.setuid(0)"]
    header = {"try": code, "names": {"secret": SECRET, "pid": os.getpid()}}
    run = lambda name, header={}, **limits: sandbox.run(Job("hostile:" + name, header, limits=Limits(**limits)))
    scratch = run("attempt", {"try": ["open('x', 'w').write('y')"]}, scratch_bytes=1 << 20)
    program = sandbox.run(commands.command(["sh", "-c", "echo $((6 * 7))"]))
    print(json.dumps({
        "said": run("attempt", header).header,
        "memory": run("eat_memory", memory_bytes=100 << 20).status,
        "timeout": run("spin", wall_seconds=0.3).status,
        "made": run("fork_bomb", processes=10, wall_seconds=3).header.get("made"),
        "scratch": list(scratch.header.values()),
        "program": bytes(program.blobs[0]).decode(),
        "layers": {layer.name: layer.available for layer in sandbox.layers},
    }))
""".replace("import *", "import Job, Limits, commands")


@WALLS
@pytest.mark.parametrize("user", [NOBODY, 0], ids=["ordinary user", "root"])
def test_jobs_of_root_and_of_an_ordinary_user_are_as_safe(
    user: int, kind: str, without: tuple[str, ...]
) -> None:
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        Path(folder).chmod(0o755)
        secret = Path(folder, "secret")
        secret.write_text("hidden", encoding="utf-8")
        if os.geteuid() == 0:
            os.chown(secret, user, user)
        named = {"USER": user, "KIND": kind, "WITHOUT": without, "JOBS": str(JOBS), "SECRET": str(secret)}
        text = "".join(f"{name} = {value!r}\n" for name, value in named.items()) + BECOME
        done = subprocess.run(
            [sys.executable, "-c", text], capture_output=True, text=True, cwd="/", timeout=60
        )
        if kind == "podman" and user:
            assert "has to be started by root" in done.stderr
            return
        assert not done.returncode, done.stderr
        told = json.loads(done.stdout)
        assert all(kind != "done" for kind, _ in told["said"].values()), told
        assert (told["memory"], told["timeout"]) == ("memory", "timeout") and told["made"] < 10
        assert told["scratch"] == [["done", "None"]] and told["program"] == "42\n"
        assert told["layers"]["namespaces"] == (not without)
        assert told["layers"]["separate user"] == (os.geteuid() == 0 and not user)
        assert secret.read_text(encoding="utf-8") == "hidden" and secret.stat().st_mode & 0o400
