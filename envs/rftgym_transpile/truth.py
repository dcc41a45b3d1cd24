"""What a source does: its tests, recorded, or found out by running it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rftgym.errors import UsageError
from rftgym.sandbox.functions import Call
from rftgym_transpile.compare import same
from rftgym_transpile.notation import Varargs, call_of, decode, tag_of
from rftgym_transpile.programs import Program, Ran

BATCH = 64
RESULT_KEYS = frozenset({"returns", "void", "raises", "bases", "args", "stdout", "calls"})
Run = Callable[[Sequence[Program]], list[Ran]]


@dataclass(frozen=True, slots=True)
class Truth:
    """A task's tests.

    Attributes:
        inputs: canonical; ``expected``: the source's results.
        calls: the same inputs for Python.
        constant: how many tests the best answer passes that always does the same, or hands an argument back.
        telling: some result is an object of the source's own class.
        constants: names of enum constants among the arguments.
    """

    inputs: tuple[Any, ...]
    expected: tuple[Mapping[str, Any], ...]
    calls: tuple[Call, ...]
    constant: int
    telling: bool
    constants: tuple[str, ...]

    @property
    def session(self) -> bool:
        """The entry is a class."""
        return self.calls[0].steps is not None

    @property
    def spread(self) -> bool:
        """The entry takes varargs: one list, which an answer's function may want one by one."""
        return _takes_varargs(self.calls[0])


def truth_of(inputs: Sequence[Any], expected: Sequence[Any]) -> Truth:
    """A truth from canonical tests.

    Raises:
        UsageError: they are not canonical, or not as many.
    """
    if not inputs or len(inputs) != len(expected):
        raise UsageError(
            f"{len(inputs)} inputs and {len(expected)} expected results; give as many, at least one"
        )
    for each in expected:
        if not isinstance(each, Mapping) or not each or not set(each) <= RESULT_KEYS:
            raise UsageError(f"{each!r:.80} is no expected result; see the README for the notation")
    written = [json.dumps(each, sort_keys=True) for each in expected]
    constant = max(*map(written.count, written), *_handed_back(inputs, expected)) if len(written) > 1 else 0
    telling = any(tag in text for text in written for tag in ('"$record"', '"$object"', '"$enum"'))
    calls = [call_of(each) for each in inputs]
    if not all(map(_takes_varargs, calls)):
        calls = [
            _spread(call) for call in calls
        ]  # some calls mean another method of the name, without varargs
    constants = tuple(sorted(set(_constants(list(inputs)))))
    return Truth(tuple(inputs), tuple(expected), tuple(calls), constant, telling, constants)


def _handed_back(inputs: Sequence[Any], expected: Sequence[Mapping[str, Any]]) -> Iterator[int]:
    """By argument, how many tests an answer passes that returns it as it came."""
    plain = [each if isinstance(each, list) else [] for each in inputs]
    for place in range(max(map(len, plain))):
        yield sum(
            set(wanted) == {"returns"} and place < len(given) and _is(wanted["returns"], given[place])
            for given, wanted in zip(plain, expected, strict=True)
        )


def _is(returned: Any, argument: Any) -> bool:
    try:
        return same(returned, decode(argument))
    except UsageError:
        return False


def _constants(value: Any) -> Iterator[str]:
    tag, inner = tag_of(value)
    if tag == "$enum":
        yield str(inner)
    elif isinstance(inner, list | dict):
        for each in inner.values() if isinstance(inner, dict) else inner:
            yield from _constants(each)


def _takes_varargs(call: Call) -> bool:
    return bool(call.args) and type(call.args[-1]) is Varargs


def _spread(call: Call) -> Call:
    if _takes_varargs(call):
        return Call((*call.args[:-1], *call.args[-1]), call.steps)
    return call


class Truths:
    """The truths of tasks, each found out once; thread-safe.

    Args:
        runs: by source language, what runs programs; None where its toolchain is not there.
        missing: by source language, what raises the error that says so.
    """

    def __init__(self, run: Callable[[str], Run | None], missing: Callable[[str], UsageError]) -> None:
        self._run = run
        self._missing = missing
        self._lock = threading.Lock()
        self._known: dict[str, Truth | UsageError] = {}

    def of(
        self, id: str, data: Mapping[str, Any], waiting: Iterable[tuple[str, Mapping[str, Any]]] = ()
    ) -> Truth:
        """The truth of a task.

        Args:
            id: of the task; for messages.
            data: of the task.
            waiting: other tasks (id, data) that will be wanted: they are run along with it.
        Raises:
            UsageError: the source does not compile, never ends, or the like; or its toolchain is not there.
        """
        key = _key(data)
        with self._lock:
            if key not in self._known:
                self._find_out(id, data, waiting)
            found = self._known[key]
        if isinstance(found, UsageError):
            raise UsageError(str(found))
        return found

    def _find_out(
        self, id: str, data: Mapping[str, Any], waiting: Iterable[tuple[str, Mapping[str, Any]]]
    ) -> None:
        language = data["source_language"]
        run = None if data.get("recorded") else self._run(language)
        if run is None:
            self._known[_key(data)] = _attempt(id, lambda: self._as_given(data))
            return
        batch = {_key(data): (id, data)}
        for each, more in waiting:
            if len(batch) < BATCH and not more.get("recorded") and _key(more) not in self._known:
                batch.setdefault(_key(more), (each, more))
        programs = [Program(more["source"], more["entry"], more["inputs"]) for _, more in batch.values()]
        for (key, (each, more)), ran in zip(batch.items(), run(programs), strict=True):
            self._known[key] = _attempt(each, lambda more=more, ran=ran: _checked(more, ran))  # type: ignore[misc]

    def _as_given(self, data: Mapping[str, Any]) -> Truth:
        if data.get("recorded"):
            return truth_of(data["inputs"], data["expected"])
        if data.get("expected") is None:
            raise UsageError(f"it has no 'expected', and {self._missing(data['source_language'])}")
        return truth_of(
            [_canonical(each) for each in data["inputs"]], [_result(each) for each in data["expected"]]
        )


def _attempt(id: str, find: Callable[[], Truth]) -> Truth | UsageError:
    try:
        return find()
    except UsageError as error:
        return UsageError(f"task {id!r}: {error}")


def _key(data: Mapping[str, Any]) -> str:
    return json.dumps([data["source"], data["entry"], data["inputs"], data.get("expected")], sort_keys=True)


def _checked(data: Mapping[str, Any], ran: Ran) -> Truth:
    if ran.status != "ok":
        raise UsageError(f"its {data['source_language']} source cannot be used: {ran.status}: {ran.message}")
    given = data.get("expected")
    if given is not None:
        for index, (one, real) in enumerate(zip(given, ran.expected, strict=True)):
            if not _agrees(_result(one), real):
                told, done = json.dumps(one), json.dumps(real)
                raise UsageError(
                    f"input {index}: 'expected' says {told:.100}, but the source does {done:.100}"
                )
    return truth_of(ran.inputs, ran.expected)


def _result(given: Any) -> dict[str, Any]:
    """An expected result as a user may write it: the bare value, too."""
    if isinstance(given, dict) and given and set(given) <= RESULT_KEYS:
        full = dict(given)
        if "returns" in full:
            full["returns"] = _canonical(full["returns"])
        if "raises" in full:
            full["raises"] = str(full["raises"]).rpartition(".")[2]
        if "calls" in full:
            full["calls"] = [_result(each) for each in full["calls"]]
        return full
    return {"returns": _canonical(given)}


def _canonical(value: Any) -> Any:
    """Plain JSON as canonical JSON: an object is a map."""
    tag, inner = tag_of(value)
    if isinstance(value, list):
        return [_canonical(each) for each in value]
    if isinstance(inner, dict) and not tag and set(inner) != {"new", "calls"}:
        return {"$map": [[key, _canonical(each)] for key, each in inner.items()]}
    return value


def _agrees(given: Mapping[str, Any], real: Mapping[str, Any]) -> bool:
    """Whether what a user expects is what the source did, as far as the user says."""
    if "calls" in given:
        calls = real.get("calls", [])
        return len(calls) == len(given["calls"]) and all(map(_agrees, given["calls"], calls))
    if "raises" in given:
        return given["raises"] in (real.get("raises"), *real.get("bases", ()))
    if "returns" in given and "returns" in real:
        if not _alike(real["returns"], given["returns"]):
            return False
    elif "returns" in given and not _tells(given["returns"], real):
        return False
    return "stdout" not in given or _trimmed(given["stdout"]) == _trimmed(real.get("stdout", ""))


def _tells(given: Any, real: Mapping[str, Any]) -> bool:
    """Whether it says what the source did that returned nothing: an exception's name, what was printed or changed."""
    if "raises" in real:
        name = given.rpartition(".")[2] if isinstance(given, str) else None
        return name in (real["raises"], *real.get("bases", ()))
    if given is None or (isinstance(given, str) and _trimmed(given) == _trimmed(real.get("stdout", ""))):
        return "void" in real
    changed = real.get("args", [])
    return "void" in real and any(_alike(each, given) for each in [*changed, changed])


def _trimmed(text: Any) -> str:
    return str(text).rstrip("\n")


def _alike(real: Any, given: Any) -> bool:
    """Whether a user's JSON means a real result: sets may be lists there, and the keys of maps are text."""
    (tag, inner), (kind, told) = tag_of(real), tag_of(given)
    if tag in ("$set", "$orderedset") and isinstance(given, list):
        return _all_alike(sorted(inner, key=json.dumps), sorted(given, key=json.dumps))
    if tag == "$map" and kind == "$map":
        named = {str(decode(key)): each for key, each in told}
        pairs = [(str(decode(key)), each) for key, each in inner]
        return len(named) == len(pairs) and all(
            key in named and _alike(each, named[key]) for key, each in pairs
        )
    if isinstance(real, list) and isinstance(given, list):
        return _all_alike(real, given)
    if tag == "$float" and isinstance(given, str):
        return given.lower() == str(decode(real)) or given.lower() == f"{decode(real)}inity"
    return same(real, decode(given))


def _all_alike(real: Sequence[Any], given: Sequence[Any]) -> bool:
    return len(real) == len(given) and all(map(_alike, real, given))
