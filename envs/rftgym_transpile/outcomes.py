"""What an answer did in one test, whatever its language, and whether that is what the source did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rftgym.sandbox.functions import Result
from rftgym_transpile.compare import same
from rftgym_transpile.exceptions import java_accepts, javascript_accepts, python_accepts
from rftgym_transpile.notation import decode, tag_of

Accepts = Callable[[str, Sequence[str], str, Sequence[str]], bool]


@dataclass(frozen=True, slots=True)
class Did:
    """What an answer did in one test, or in one step of a session.

    Attributes:
        kind: "value", "exception", "timeout" or "not_run".
        value: what it returned, plain Python; with ``steps``, None.
        args: the arguments afterwards; None where that is not known.
        raised: name of the exception's class and of its bases.
        stdout: what it printed.
        steps: of a session.
        message: why it was not run.
    """

    kind: str
    value: Any = None
    args: tuple[Any, ...] | None = None
    raised: tuple[str, ...] = ()
    stdout: str = ""
    steps: tuple[Did, ...] | None = None
    message: str = field(default="", compare=False)


def of_python(result: Result, *, session: bool) -> Did:
    """From the runner of Python functions."""
    raised = (result.exception, *result.bases) if result.kind == "exception" else ()
    if session and result.kind == "value":
        steps = tuple(of_python(each, session=False) for each in result.value)
        return Did("value", steps=tuple(_without_args(each) for each in steps), stdout=result.stdout)
    return Did(result.kind, result.value, result.args, raised, result.stdout, None, result.message)


def _without_args(did: Did) -> Did:
    return Did(did.kind, did.value, None, did.raised, did.stdout, None, did.message)


def of_harness(said: Any, given: Any) -> Did:
    """From a harness's canonical result; a stranger may have written it.

    Args:
        given: the canonical input, which stands for the arguments that are not said to have changed.
    Raises:
        UsageError: a value is not canonical.
    """
    if not isinstance(said, Mapping):
        return Did("not_run", message="no result")
    stdout = str(said.get("stdout", ""))
    if isinstance(said.get("calls"), list):
        return Did(
            "value",
            steps=tuple(_without_args(of_harness(each, None)) for each in said["calls"]),
            stdout=stdout,
        )
    after = said.get("args", given)
    args = tuple(map(decode, after)) if isinstance(after, list) else None
    if "raises" in said:
        bases = said.get("bases", [])
        names = [said["raises"], *(bases if isinstance(bases, list) else [])]
        return Did("exception", None, args, tuple(map(str, names)), stdout)
    return Did("value", decode(said.get("returns")), args, (), stdout)


def accepts(target: str, source: str) -> Accepts:
    """Which exceptions of the target stand for those of the source."""
    if "javascript" in (target, source):
        return lambda raised, bases, name, more: javascript_accepts(name)
    return python_accepts if target == "python" else java_accepts


def agrees(expected: Mapping[str, Any], did: Did, given: Any, accept: Accepts) -> bool:
    """Whether an answer did in a test what the source did.

    Args:
        expected: what the source did.
        given: the canonical input.
    """
    if "calls" in expected:
        steps = did.steps if did.kind == "value" and did.steps is not None else ()
        if len(steps) != len(expected["calls"]):
            return False
        if not all(
            agrees({**each, "stdout": ""}, step, None, accept)
            for each, step in zip(expected["calls"], steps, strict=True)
        ):
            return False
        printed = expected.get("stdout", "") + "".join(each.get("stdout", "") for each in expected["calls"])
        spoken = did.stdout + "".join(each.stdout for each in steps)
        return _says(printed, spoken)
    if "raises" in expected:
        if did.kind != "exception" or not did.raised:
            return False
        if not accept(expected["raises"], expected.get("bases", ()), did.raised[0], did.raised[1:]):
            return False
    elif did.kind != "value" or not ("void" in expected or same(expected.get("returns"), did.value)):
        return False
    return _says(expected.get("stdout", ""), did.stdout) and _left(expected, did, given)


def _says(expected: str, printed: str) -> bool:
    """A source that prints wants the same printed; of one that is silent, no matter what is printed."""
    return not expected or expected.rstrip("\n") == printed.rstrip("\n")


def _left(expected: Mapping[str, Any], did: Did, given: Any) -> bool:
    """Whether the arguments are afterwards what the source makes of them."""
    if did.args is None or not isinstance(given, list):
        return True
    if "args" in expected:
        wanted = expected["args"]
    elif "raises" in expected or (given and tag_of(given[-1])[0] == "$varargs"):
        return True
    else:
        wanted = given
    if len(wanted) != len(did.args):
        return False
    # A StringBuilder is given as text, which Python cannot change.
    return all(isinstance(each, str) or same(each, left) for each, left in zip(wanted, did.args, strict=True))


def alike(expected: Mapping[str, Any], did: Did) -> bool:
    """Whether an answer ended in the way the source did: a result of the same kind, be it another one."""
    if "raises" in expected:
        return did.kind == "exception"
    if did.kind != "value":
        return False
    if "void" in expected or did.steps is not None:
        return True
    return _kind(decode(expected.get("returns"))) == _kind(did.value)


def _kind(value: Any) -> str:
    kinds = {"int": "number", "float": "number", "tuple": "list", "frozenset": "set"}
    name = type(value).__name__
    return kinds.get(name, name)
