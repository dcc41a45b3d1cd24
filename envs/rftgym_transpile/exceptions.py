"""Which exception of one language stands for which of another."""

from __future__ import annotations

from collections.abc import Sequence

_OUT_OF_RANGE = frozenset({"IndexError"})
_BAD_VALUE = frozenset({"ValueError"})
PYTHON_FOR: dict[str, frozenset[str]] = {
    "ArithmeticException": frozenset({"ArithmeticError"}),  # with ZeroDivisionError and OverflowError
    "ArrayIndexOutOfBoundsException": _OUT_OF_RANGE,
    "StringIndexOutOfBoundsException": _OUT_OF_RANGE,
    "IndexOutOfBoundsException": _OUT_OF_RANGE,
    "EmptyStackException": _OUT_OF_RANGE,
    "NoSuchElementException": frozenset({"LookupError", "StopIteration", "ValueError"}),
    "NullPointerException": frozenset({"AttributeError", "TypeError"}),
    "ClassCastException": frozenset({"TypeError"}),
    "ArrayStoreException": frozenset({"TypeError"}),
    "IllegalArgumentException": _BAD_VALUE,
    "NumberFormatException": _BAD_VALUE,
    "DateTimeException": _BAD_VALUE,
    "ParseException": _BAD_VALUE,
    "NegativeArraySizeException": _BAD_VALUE,
    "IllegalFormatException": frozenset({"ValueError", "TypeError", "IndexError"}),
    "PatternSyntaxException": frozenset({"ValueError", "error", "PatternError"}),
    "IllegalStateException": frozenset({"RuntimeError", "ValueError"}),
    "ConcurrentModificationException": frozenset({"RuntimeError"}),
    "UnsupportedOperationException": frozenset({"NotImplementedError", "TypeError", "AttributeError"}),
    "StackOverflowError": frozenset({"RecursionError"}),
    "AssertionError": frozenset({"AssertionError"}),
    "IOException": frozenset({"OSError"}),
    "UncheckedIOException": frozenset({"OSError"}),
    "TimeoutException": frozenset({"TimeoutError"}),
}
"""Python's classes for Java's; subclasses on either side follow their bases."""
NO_SUCH_CONSTANT = "Enum.valueOf"
"""The harness puts this behind the bases of what ``Colour.valueOf(name)`` throws; Python has ``Colour[name]``."""
_TELLING_NOTHING = frozenset(
    {"RuntimeException", "Exception", "Error", "Throwable", "RuntimeError", "BaseException"}
)
_PLAIN_PYTHON = ("RuntimeError", "Exception")
_MISTAKES = frozenset({"ReferenceError", "SyntaxError", "NameError", "UnboundLocalError", "ImportError"})
"""What JavaScript or Python throws at code that is no working program."""


def python_accepts(raised: str, bases: Sequence[str], name: str, name_bases: Sequence[str]) -> bool:
    """Whether a Python exception stands for a Java one: by the table, or by its name.

    Args:
        raised: the Java class, and ``bases``, those above it, nearest first.
        name: the Python class, and ``name_bases``, those above it.
    """
    if raised in (name, *name_bases) and raised not in ("Exception", "Error"):
        return True
    if name == raised.removesuffix("Exception") + "Error":
        return True
    if name == "ValueError" and raised == "NullPointerException":  # what a check for None often raises
        return True
    if name == "KeyError" and NO_SUCH_CONSTANT in bases:
        return True
    known = next((each for each in (raised, *bases) if each in PYTHON_FOR), None)
    if known is not None:
        return not PYTHON_FOR[known].isdisjoint((name, *name_bases))
    return (
        name in _PLAIN_PYTHON
    )  # one that Java's library does not know, or a plain one: nothing closer exists


def java_accepts(raised: str, bases: Sequence[str], name: str, name_bases: Sequence[str]) -> bool:
    """Whether a Java exception stands for another one, or for a Python one: both stand for the same in Python."""
    if raised == name:
        return True
    return not _in_python(raised, bases).isdisjoint(_in_python(name, name_bases))


def _in_python(raised: str, bases: Sequence[str]) -> frozenset[str]:
    for each in (raised, *bases):
        if each in PYTHON_FOR:
            return PYTHON_FOR[each]
    telling = frozenset((raised, *bases)) - _TELLING_NOTHING
    return telling or frozenset(_PLAIN_PYTHON)


def javascript_accepts(name: str) -> bool:
    """Whether what is thrown on one side of JavaScript may stand for anything that is thrown on the other."""
    return name not in _MISTAKES
