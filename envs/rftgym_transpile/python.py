"""Python programs as sources: what they do, told in the notation in which the harnesses of other languages tell it."""

from __future__ import annotations

from typing import Any

from rftgym.errors import UsageError
from rftgym.sandbox.functions import PythonFunctions, Result
from rftgym_transpile import adapter
from rftgym_transpile.notation import call_of, encode
from rftgym_transpile.programs import Program, Ran

_STATUS = {"syntax": "compile", "import": "crash"}


def run_python(program: Program, functions: PythonFunctions) -> Ran:
    """What becomes of a Python program.

    Raises:
        InfrastructureError: the sandbox failed.
    """
    try:
        calls = [call_of(each) for each in program.inputs]
    except UsageError as error:
        return Ran("inputs", str(error))
    session = calls[0].steps is not None
    text = adapter.adapted(program.source, program.entry, session=session, spread=False, telling=True)
    ran = functions.run(text, adapter.ENTRY, calls)
    message = ran.message.replace(adapter.ENTRY, program.entry)
    if ran.status != "ok":
        return Ran(_STATUS.get(ran.status, ran.status), message)
    if any(each.kind in ("timeout", "not_run") for each in ran.results):
        return Ran("timeout", "an input takes too long")
    try:
        told = [_told(result, call.args) for result, call in zip(ran.results, calls, strict=True)]
    except ValueError as error:
        return Ran("output", str(error))
    return Ran("ok", "", tuple(program.inputs), tuple(told))


def _told(result: Result, given: tuple[Any, ...] | None) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if result.kind == "exception":
        said = {"raises": result.exception, "bases": list(result.bases)}
    elif (
        given is not None
        and isinstance(result.value, list)
        and result.value
        and isinstance(result.value[0], Result)
    ):
        said = {"calls": [_told(each, None) for each in result.value]}
    else:
        said = {"returns": encode(result.value)}
    if given is not None and "calls" not in said:
        before, after = encode(list(given)), encode(list(result.args))
        if before != after:
            said["args"] = after
    if result.stdout:
        said["stdout"] = result.stdout
    return said
