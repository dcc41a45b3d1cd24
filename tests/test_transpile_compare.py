"""What counts as the same result in two languages."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym.errors import UsageError
from rftgym.sandbox.functions import Call
from rftgym.sandbox.values import Opaque
from rftgym_transpile.compare import same
from rftgym_transpile.exceptions import java_accepts, javascript_accepts, python_accepts
from rftgym_transpile.notation import Varargs, call_of, decode, encode
from rftgym_transpile.outcomes import Did, accepts, agrees, alike, of_harness
from rftgym_transpile.truth import truth_of

leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
keys = st.integers() | st.text(max_size=3)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=3)
        | st.sets(st.integers(), max_size=4)
    ),
    max_leaves=12,
)


@given(values)
def test_a_value_is_the_same_as_itself_and_survives_the_notation(value: Any) -> None:
    written = json.loads(json.dumps(encode(value)))
    assert same(written, value)
    assert same(written, decode(written))


@given(values, values)
def test_what_is_the_same_is_written_alike_up_to_order_and_numbers(one: Any, other: Any) -> None:
    if same(encode(one), other) and same(encode(other), one):
        assert type(one) is type(other) or {type(one), type(other)} <= {int, float}


@given(st.integers())
def test_an_integer_is_no_other_number(value: int) -> None:
    assert same(value, value)
    assert not same(value, value + 1)
    assert not same(value, str(value))
    if abs(value) < 2**50:
        assert not same(value, float(value))
        assert same(float(value), value)


TABLE: list[tuple[Any, Any, bool]] = [
    (1, True, False),
    (0, False, False),
    (True, 1, False),
    (None, False, False),
    (None, 0, False),
    (1.0, 1, True),
    (1.0, True, False),
    (0.1, 0.1 + 1e-12, True),
    (0.1, 0.1001, False),
    (0.0, 0, True),
    (-0.0, 0.0, False),
    (-0.0, -0.0, True),
    (0.0, 1e-300, False),
    (1e300, 10**400, False),
    ({"$float": "nan"}, math.nan, True),
    ({"$float": "nan"}, 0.0, False),
    ({"$float": "nan"}, None, False),
    ({"$float": "inf"}, math.inf, True),
    ({"$float": "-inf"}, math.inf, False),
    ({"$float32": 0.1}, 0.1, True),
    ({"$float32": 0.1}, 0.10000000149011612, True),
    ({"$float32": 0.1}, 0.1000001, False),
    ({"$float32": 16777216.0}, 16777218.0, False),
    ({"$float32": {"$float": "inf"}}, 1e39, True),
    ({"$char": "a"}, "a", True),
    ({"$char": "a"}, 97, False),
    ("a", ["a"], False),
    ([1, 2], (1, 2), True),
    ([1, 2], [2, 1], False),
    ([1, 2], {1, 2}, False),
    ([], None, False),
    ({"$set": [1, 2]}, {2, 1}, True),
    ({"$set": [1, 2]}, [1, 2], False),
    ({"$set": [1]}, {True}, False),
    ({"$set": [0.1]}, {0.1 + 1e-13}, True),
    ({"$orderedset": [1, 2]}, [1, 2], True),
    ({"$orderedset": [1, 2]}, [2, 1], False),
    ({"$orderedset": [1, 2]}, {2, 1}, True),
    ({"$set": [[1, 2]]}, {(1, 2)}, True),
    ({"$map": [["a", 1], ["b", 2]]}, {"b": 2, "a": 1}, True),
    ({"$map": [["a", 1]]}, {"a": True}, False),
    ({"$map": [[1, "a"]]}, {True: "a"}, False),
    ({"$map": [[{"$char": "a"}, 1]]}, {"a": 1}, True),
    ({"$map": [["a", 1]]}, {"a": 1, "b": 2}, False),
    ({"$map": []}, {}, True),
    ({"$map": []}, [], False),
    ({"$enum": "RED"}, "RED", True),
    ({"$enum": "RED"}, ("$foreign", "Colour", {}, "RED"), True),
    ({"$enum": "RED"}, ("$foreign", "Colour", {}, "BLUE"), False),
    ({"$record": ["P", [["x", 1], ["y", 2]]]}, (1, 2), True),
    ({"$record": ["P", [["x", 1], ["y", 2]]]}, (2, 1), False),
    ({"$record": ["P", [["x", 1], ["y", 2]]]}, {"y": 2, "x": 1}, True),
    ({"$record": ["P", [["x", 1]]]}, ("$foreign", "P", {"_x": 1}, "P()"), True),
    ({"$object": ["Foo", None]}, ("$foreign", "Foo", {}, ""), True),
    ({"$object": ["Foo", None]}, Opaque("Foo", ""), True),
    ({"$object": ["Foo", None]}, Opaque("Bar", ""), False),
    ({"$object": ["Foo", "Foo[1]"]}, "Foo[1]", True),
    ({"$number": 3}, 3.0, True),
    ({"$number": 3}, 3, True),
    ({"$number": 3}, True, False),
    ({"$number": 0.5}, 0.5, True),
    (1, Opaque("Evil", ""), False),
    ({"unknown": 1}, {"unknown": 1}, False),
]


@pytest.mark.parametrize(("expected", "got", "agree"), TABLE)
def test_comparison(expected: Any, got: Any, agree: bool) -> None:
    assert same(expected, got) is agree


RUNTIME = ["RuntimeException", "Exception", "Throwable"]


@pytest.mark.parametrize(
    ("raised", "bases", "name", "name_bases", "accepted"),
    [
        ("ArithmeticException", RUNTIME, "ZeroDivisionError", ["ArithmeticError", "Exception"], True),
        ("ArithmeticException", RUNTIME, "OverflowError", ["ArithmeticError"], True),
        ("ArithmeticException", RUNTIME, "ValueError", ["Exception"], False),
        ("ArithmeticException", RUNTIME, "ArithmeticException", ["Exception"], True),
        ("NullPointerException", RUNTIME, "AttributeError", ["Exception"], True),
        ("NullPointerException", RUNTIME, "TypeError", ["Exception"], True),
        ("NullPointerException", RUNTIME, "IndexError", ["LookupError"], False),
        (
            "ArrayIndexOutOfBoundsException",
            ["IndexOutOfBoundsException"],
            "IndexError",
            ["LookupError"],
            True,
        ),
        ("ArrayIndexOutOfBoundsException", ["IndexOutOfBoundsException"], "KeyError", ["LookupError"], False),
        ("InputMismatchException", ["NoSuchElementException"], "StopIteration", [], True),
        ("NumberFormatException", ["IllegalArgumentException"], "ValueError", ["Exception"], True),
        ("NumberFormatException", ["IllegalArgumentException"], "UnicodeError", ["ValueError"], True),
        ("RuntimeException", ["Exception", "Throwable"], "RuntimeError", ["Exception"], True),
        ("RuntimeException", ["Exception", "Throwable"], "Exception", ["BaseException"], True),
        (
            "RuntimeException",
            ["Exception", "Throwable"],
            "ZeroDivisionError",
            ["ArithmeticError", "Exception"],
            False,
        ),
        ("Exception", ["Throwable"], "KeyError", ["LookupError", "Exception"], False),
        ("ShortException", ["Exception", "Throwable"], "ShortError", ["Exception"], True),
        ("ShortException", ["Exception", "Throwable"], "ShortException", ["Exception"], True),
        ("ShortException", ["Exception", "Throwable"], "LongError", ["Exception"], False),
        ("ShortException", ["IllegalStateException", *RUNTIME], "RuntimeError", ["Exception"], True),
        ("StackOverflowError", ["VirtualMachineError", "Error"], "RecursionError", ["RuntimeError"], True),
    ],
)
def test_exceptions_of_java_in_python(
    raised: str, bases: list[str], name: str, name_bases: list[str], accepted: bool
) -> None:
    assert python_accepts(raised, bases, name, name_bases) is accepted


def test_exceptions_of_java_and_javascript() -> None:
    illegal = ["IllegalArgumentException", *RUNTIME]
    assert java_accepts("ValueError", ["Exception"], "NumberFormatException", illegal)
    assert java_accepts("IllegalArgumentException", RUNTIME, "NumberFormatException", illegal)
    assert not java_accepts("ValueError", ["Exception"], "ArithmeticException", RUNTIME)
    assert not java_accepts("ArithmeticException", RUNTIME, "RuntimeException", RUNTIME[1:])
    assert java_accepts("RuntimeError", ["Exception"], "RuntimeException", RUNTIME[1:])
    assert javascript_accepts("RangeError") and not javascript_accepts("ReferenceError")


def test_what_an_answer_leaves_behind_counts() -> None:
    accept = accepts("python", "java")
    kept, changed = Did("value", 1, args=([1, 2],)), Did("value", 1, args=([2, 1],))
    assert agrees({"returns": 1}, kept, [[1, 2]], accept)
    assert not agrees({"returns": 1}, changed, [[1, 2]], accept)
    assert agrees({"returns": 1, "args": [[2, 1]]}, changed, [[1, 2]], accept)
    assert not agrees({"returns": 1, "args": [[2, 1]]}, kept, [[1, 2]], accept)
    assert agrees({"void": True}, Did("value", "anything", args=([1],)), [[1]], accept)


def test_what_is_printed_counts_where_the_source_prints() -> None:
    accept = accepts("python", "java")
    assert agrees({"returns": 1, "stdout": "a\n"}, Did("value", 1, stdout="a"), [], accept)
    assert not agrees({"returns": 1, "stdout": "a\n"}, Did("value", 1), [], accept)
    assert agrees({"returns": 1}, Did("value", 1, stdout="debugging"), [], accept)


def test_a_session_agrees_step_by_step() -> None:
    accept = accepts("python", "java")
    expected = {"calls": [{"returns": 1}, {"raises": "IllegalStateException", "bases": RUNTIME}]}
    right = (Did("value", 1), Did("exception", raised=("RuntimeError", "Exception")))
    assert agrees(expected, Did("value", steps=right), None, accept)
    assert not agrees(expected, Did("value", steps=right[:1]), None, accept)
    assert not agrees(expected, Did("value", steps=(right[1], right[1])), None, accept)
    assert not agrees(expected, Did("exception", raised=("RuntimeError",)), None, accept)


def test_a_result_of_another_kind_does_not_count_as_run() -> None:
    assert alike({"returns": 1}, Did("value", 2.5))
    assert not alike({"returns": 1}, Did("value", None))
    assert not alike({"returns": 1}, Did("exception", raised=("ValueError",)))
    assert alike({"raises": "X"}, Did("exception", raised=("ValueError",)))


@pytest.mark.parametrize("said", [None, 5, [], {"returns": {"a": 1, "b": 2}}, {"returns": {"$set": 5}}])
def test_a_stranger_may_say_anything(said: Any) -> None:
    try:
        did = of_harness(said, [1])
    except UsageError:
        return
    assert did.kind == "not_run"


def test_inputs_become_calls() -> None:
    assert call_of([1, "a"]) == Call((1, "a"))
    assert call_of({"new": [1], "calls": [["add", 2]]}) == Call((1,), (("add", (2,)),))
    assert type(call_of([{"$varargs": [1, 2]}]).args[0]) is Varargs
    wrong: Any
    for wrong in (5, {"new": 1, "calls": []}, {"new": []}):
        with pytest.raises(UsageError, match="is no input"):
            call_of(wrong)
    with pytest.raises(UsageError, match=r"\$map"):
        decode({"a": 1, "b": 2})
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    with pytest.raises(UsageError, match="levels"):
        decode(deep)


def test_the_best_constant_answer_is_counted() -> None:
    truth = truth_of([[1], [2], [3]], [{"returns": 0}, {"returns": 0}, {"returns": 1}])
    assert truth.constant == 2 and not truth.session and not truth.spread and not truth.telling
    with pytest.raises(UsageError, match="2 inputs and 1 expected"):
        truth_of([[1], [2]], [{"returns": 0}])
