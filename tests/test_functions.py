"""Running strangers' functions: what comes back is typed and plain, whatever they do, and other runs are unharmed."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rftgym.errors import UsageError
from rftgym.sandbox import Limits, functions, values
from rftgym.sandbox.contract import MEBIBYTE, Outcome
from rftgym.sandbox.functions import Call, PythonFunctions, Ran

THREE = [Call((1,)), Call((2,)), Call((3,))]


@pytest.fixture(scope="module")
def runner() -> Iterator[PythonFunctions]:
    limits = Limits(
        wall_seconds=6, cpu_seconds=6, memory_bytes=256 * MEBIBYTE, output_bytes=2 * MEBIBYTE, processes=6
    )
    with PythonFunctions(workers=4, limits=limits, call_seconds=0.2) as made:
        yield made


# ---- values

scalars = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=8)
    | st.text(st.characters(), max_size=8) | st.sampled_from(["\ud800", "a\udfff", "\udc80\ud8ff"])
)  # fmt: skip
hashables = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3)
)
plain = st.recursive(
    hashables | st.sets(hashables, max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(hashables, inner, max_size=3)
    ),
)


def _exactly(value: Any) -> Any:
    """Something that is equal only for values of the same types, signs and NaNs."""
    if isinstance(value, list | tuple):
        return (type(value), [_exactly(each) for each in value])
    if isinstance(value, set | frozenset):
        return (type(value), sorted(map(repr, map(_exactly, value))))
    if isinstance(value, dict):
        return (dict, [(_exactly(key), _exactly(each)) for key, each in value.items()])
    if isinstance(value, float):
        return (float, repr(value))
    return (type(value), value)


def _there_and_back(value: Any) -> Any:
    text = json.dumps(values.encode(value), ensure_ascii=False).encode()
    return values.decode(json.loads(text))


@given(plain)
def test_values_survive_the_way_exactly(value: Any) -> None:
    assert _exactly(_there_and_back(value)) == _exactly(value)


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(
                    ["int", "float", "str", "bytes", "tuple", "set", "frozenset", "dict", "opaque", "x"]
                ),
                inner,
            )
        ),
    )
)
def test_any_json_is_a_value_or_a_bad_value(encoded: Any) -> None:
    try:
        values.decode(encoded)
    except values.BadValue:
        return


class Colour(IntEnum):
    RED = 7


class Liar(str):
    def __eq__(self, other: object) -> bool:
        return True

    def __str__(self) -> str:
        return "something else"

    def __len__(self) -> int:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


class LyingList(list[int]):
    def __iter__(self) -> Iterator[int]:
        return iter([42])


class LyingDict(dict[str, int]):
    def items(self) -> Any:
        return [("x", 1)]

    def __iter__(self) -> Iterator[str]:
        return iter("x")


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (Colour.RED, 7),
        (Liar("honest"), "honest"),
        (LyingList([1, 2]), [1, 2]),
        (LyingDict(a=5), {"a": 5}),
    ],
    ids=["counter", "ordered", "enum", "text", "list", "dict"],
)
def test_of_a_subclass_the_plain_part_is_taken(value: Any, taken: Any) -> None:
    decoded = _there_and_back(value)
    assert type(decoded) is type(taken) and decoded == taken


def test_what_is_not_plain_is_opaque() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    wide: list[Any] = []
    for _ in range(60):
        wide = [wide, wide]
    for value in (cycle, deep, wide, "x" * (values.MOST_CHARACTERS + 1), 1 << 10**7, (each for each in "")):
        assert isinstance(_there_and_back(value), values.Opaque)
    assert _there_and_back([1j]) == [values.Opaque("complex", "1j")]


@pytest.mark.timeout(20)
def test_members_that_collide_on_purpose_are_refused_at_once() -> None:
    modulus = (1 << 61) - 1
    encoded = {"set": [{"int": hex(number * modulus)} for number in range(1, 60_000)]}
    with pytest.raises(values.BadValue, match="one hash"):
        values.decode(encoded)


# ---- honest functions


def test_results_have_values_arguments_and_output(runner: PythonFunctions) -> None:
    source = "def f(items, n):\n    print('hello', n)\n    items.append(n)\n    return {n: (n, {n})}\n"
    ran = runner.run(source, "f", [Call(([1], 2)), Call(([], 10**40))])
    assert (ran.status, ran.message) == ("ok", "")
    first, second = ran.results
    assert first.value == {2: (2, {2})} and first.args == ([1, 2], 2) and first.stdout == "hello 2\n"
    assert second.value == {10**40: (10**40, {10**40})} and second.seconds < 5


def test_exceptions_are_named_with_their_bases(runner: PythonFunctions) -> None:
    source = (
        "class Odd(KeyError): pass\ndef f(x):\n    if x == 1: raise Odd('why')\n    raise SystemExit(3)\n"
    )
    odd, left, _ = runner.run(source, "f", THREE).results
    assert (odd.kind, odd.exception, odd.bases[:2]) == ("exception", "Odd", ("KeyError", "LookupError"))
    assert "why" in odd.message and left.exception == "SystemExit"


def test_a_class_is_constructed_and_taken_through_steps(runner: PythonFunctions) -> None:
    source = """
class Tally:
    def __init__(self, start): self.value = start
    def add(self, n):
        if n < 0: raise ValueError('negative')
        self.value += n
        return self.value
"""
    steps = (("add", (2,)), ("add", (-1,)), ("value", ()), ("nothing", ()))
    (result,) = runner.run(source, "Tally", [Call((1,), steps)]).results
    assert [each.value for each in result.value] == [3, None, 3, None]
    assert [each.exception for each in result.value] == ["", "ValueError", "", "AttributeError"]


def test_an_entry_may_lie_in_a_class(runner: PythonFunctions) -> None:
    source = "class Box:\n    @staticmethod\n    def twice(x): return 2 * x\n"
    assert runner.run(source, "Box.twice", [Call((4,))]).results[0].value == 8


def test_runs_share_nothing_and_may_run_at_once(runner: PythonFunctions) -> None:
    source = "import sys\nseen = getattr(sys, 'seen', 0)\nsys.seen = seen + 1\ndef f(x): return seen, x\n"
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda n: runner.run(source, "f", [Call((n,))]), range(12)))
    assert [each.results[0].value for each in ran] == [(0, n) for n in range(12)]


def test_after_closing_it_starts_again() -> None:
    made = PythonFunctions(workers=1)
    for _ in range(2):
        assert made.run("def f(): return 1", "f", [Call()]).results[0].value == 1
        made.close()


# ---- sources that do not get as far as a call


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("def f(x:", "syntax"),
        ("\x00", "syntax"),
        ("\ud800", "syntax"),
        ("x" * (functions.LONGEST_SOURCE + 1), "syntax"),
        ("(" * 100_000, "syntax"),
        ("-" * 100_000 + "1", "syntax"),
        ("import no_such_module", "import"),
        ("raise SystemExit", "import"),
        ("1 / 0", "import"),
        ("class E(Exception):\n def __str__(s):\n  while 1: pass\nraise E", "import"),
        ("g = 1", "missing"),
        ("f = 1", "missing"),
        ("while True: pass", "timeout"),
        ("import os; os._exit(0)", "crash"),
        ("import os\nwhile True:\n    os.write(3, b'x' * 65536)", "crash"),
    ],
)
def test_a_source_without_a_function_has_a_status(runner: PythonFunctions, source: str, status: str) -> None:
    ran = runner.run(source, "f", THREE)
    assert ran.status in (status, "output" if "65536" in source else status)
    assert [each.kind for each in ran.results] == ["not_run"] * 3


# ---- hostile functions: (source, status, kinds of the three results)

SECOND = "def f(x):\n    if x == 2: {0}\n    return x\n"
HOSTILE = {
    "endless loop": (SECOND.format("\n        while True: pass"), "ok", "value timeout value"),
    "loop that catches everything": (
        "def f(x):\n  while True:\n    try:\n      while True: pass\n    except BaseException: pass",
        "timeout", "timeout timeout not_run",
    ),
    "loop inside C": (SECOND.format("sum(range(10**12))"), "timeout", "value timeout value"),
    "sleep": (SECOND.format("__import__('time').sleep(60)"), "ok", "value timeout value"),
    "exit": (SECOND.format("__import__('os')._exit(0)"), "crash", "value not_run value"),
    "signal to itself": (
        SECOND.format("__import__('os').kill(__import__('os').getpid(), 11)"), "crash", "value not_run value",
    ),
    "signals to all": ("import os\ndef f(x):\n    os.kill(-1, 9)\n    return x", "ok", "exception exception exception"),
    "closed descriptors": (
        "import os\ndef f(x):\n    os.closerange(0, 99)\n    return x", "crash", "not_run not_run not_run",
    ),
    "endless recursion": ("def f(x): return f(x)", "ok", "exception exception exception"),
    "fork bomb": ("import os\ndef f(x):\n    while True: os.fork()", "ok", "exception exception exception"),
    "gigabyte of text": ("def f(x): return 'x' * 10**9", "ok", "exception exception exception"),
    "large text": ("def f(x): return 'x' * 10**7", "ok", "value value value"),
    "generator": ("def f(x):\n    yield x", "ok", "value value value"),
    "patched reports": (
        "import rftgym.sandbox.calling as c\nc.dumped = lambda report: b'nonsense'\ndef f(x): return x",
        "crash", "not_run not_run not_run",
    ),
    "patched builtins": (
        "import builtins\nbuiltins.type = builtins.isinstance = builtins.len = lambda *a: True\ndef f(x): return x",
        None, None,
    ),
    "trickle": (
        "import os, time\ndef f(x):\n    while True: os.write(3, b'\\x7f') and time.sleep(0.01)",
        "timeout", "timeout timeout not_run",
    ),
    "flood": (
        "import os\ndef f(x):\n    while True: os.write(3, b'\\xff' * 65536)", "output", "not_run not_run not_run",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_function_gets_a_typed_result_in_time(runner: PythonFunctions, name: str) -> None:
    source, status, kinds = HOSTILE[name]
    ran = runner.run(source, "f", THREE)
    _check_shape(ran)
    if status is not None and kinds is not None:
        assert (ran.status, " ".join(each.kind for each in ran.results)) == (status, kinds), ran
    assert runner.run("def f(x): return x", "f", THREE).status == "ok"


def _check_shape(ran: Ran) -> None:
    assert len(ran.results) == 3
    for text in (ran.message, *(each.message for each in ran.results)):
        text.encode()
        assert len(text) <= functions.MESSAGE_CHARACTERS


def test_output_is_cut_and_input_is_empty(runner: PythonFunctions) -> None:
    source = (
        "def f(x):\n  print('y' * 10**6)\n  try:\n    input()\n  except EOFError:\n    return 'nothing'\n"
    )
    (result,) = runner.run(source, "f", [Call((1,))]).results
    assert result.value == "nothing" and result.stdout == "y" * functions.STDOUT_CHARACTERS


def test_the_world_outside_cannot_be_seen(runner: PythonFunctions) -> None:
    for source in (
        "def f(x): return open('/etc/passwd').read()",
        "def f(x): return open('/tmp/left-behind', 'w')",
        "import socket\ndef f(x): return socket.socket()",
        "import subprocess\ndef f(x): return subprocess.run(['/bin/true'])",
    ):
        assert runner.run(source, "f", [Call((1,))]).results[0].kind == "exception"


def test_a_forged_report_is_an_answer_like_any_other(runner: PythonFunctions) -> None:
    """Whoever takes the process over may name results, of any shape, and can't do more."""
    forged = '{"kind": "value", "value": {"set": [[]]}}'
    source = f"""
import os, struct
def f(x):
    for data in (b'{forged}',) * 3:
        os.write(3, struct.pack('<I', len(data)) + data)
    os._exit(0)
"""
    ran = runner.run(source, "f", THREE)
    assert ran.status == "crash" and {each.kind for each in ran.results} == {"not_run"}
    honest = source.replace(forged, '{"kind": "value", "value": 7}')
    assert [each.value for each in runner.run(honest, "f", THREE).results] == [7, 7, 7]


@pytest.mark.parametrize(
    "report",
    [
        b"", b"[]", b"1", b"{}", b'{"kind": "gift"}', b'{"kind": "value", "value": {"int": "x"}}', b"nonsense",
        b'{"kind": "exception", "exception": 5}', b'{"kind": "exception", "bases": "ab"}', b"[" * 100_000,
        b'{"kind": "value", "args": []}', b'{"kind": "value", "seconds": NaN}',
        b'{"kind": "value", "value": 1' + b"0" * 5000,
    ],
)  # fmt: skip
def test_reports_of_any_shape_are_survived(report: bytes) -> None:
    outcome = Outcome("ok", {"status": "ok", "message": ""}, (report,))
    ran = functions._ran(outcome, [Call((1,))])
    assert ran.results[0].kind == "not_run" and ran.status == ("ok" if not report else "crash")


def test_arguments_that_are_not_plain_are_the_callers_fault(runner: PythonFunctions) -> None:
    for argument in (object(), [1j], "x" * (values.MOST_CHARACTERS + 1)):
        with pytest.raises(UsageError, match="call 0"):
            runner.run("def f(x): return x", "f", [Call((argument,))])
    with pytest.raises(UsageError, match="call_seconds"):
        PythonFunctions(call_seconds=math.nan)


def test_without_a_process_namespace_it_works_in_one_process() -> None:
    from rftgym.sandbox import Job, LocalSandbox

    if not any(layer.name == "namespaces" and layer.available for layer in LocalSandbox.detect()):
        pytest.skip("needs namespaces; see rftgym doctor")
    calls = functions._written(THREE)
    header = {"entry": "f", "call_seconds": 0.2, "seconds": 5.0, "most_bytes": 1 << 20}
    with LocalSandbox(["rftgym.sandbox.called"], without=["namespaces"]) as sandbox:
        for source, kinds in (
            ("def f(x): return x", "value value value"),
            (SECOND.format("\n        while True: pass"), "value timeout value"),
            (SECOND.format("__import__('os')._exit(0)"), "not_run not_run not_run"),
        ):
            ran = functions._ran(
                sandbox.run(Job(functions.FUNCTION, header, (source.encode(), calls))), THREE
            )
            assert " ".join(each.kind for each in ran.results) == kinds
