"""Tools for a language model: a Python function with annotations and a docstring becomes a JSON schema and a call.

::

    def lookup(store: Store, /, table: str, key: str) -> str:
        '''Find the value of a key in a table.'''

    toolbox = Toolbox(lookup)
    print(toolbox.text())                                        # what a prompt says of the tools, a line each
    result = toolbox.run('{"name": "lookup", "arguments": {"table": "price", "key": "kiwi"}}', store)

What stands before the ``/`` is given by the environment, never by the model, and is in no schema. What a model writes
is data: whatever is wrong with it is told in one line (:class:`Result`); nothing that it writes raises an exception.
"""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from rftgym.errors import ContractError

Kind = Literal["ok", "too_long", "json", "duplicate", "shape", "unknown_tool", "arguments", "refused"]
"""ok: the tool ran. too_long: more than `LONGEST_CALL` characters. json: no JSON. duplicate: an object names a key
twice. shape: not {"name": ..., "arguments": {...}}. unknown_tool: there is none of that name. arguments: missing,
unknown or of another type. refused: the tool itself says no (:class:`ToolError`)."""
LONGEST_CALL = 1000
LONGEST_ECHO = 40
_ARGUMENT = re.compile(r"^ *(?P<name>\w+)(?: \([^)]*\))?: *(?P<text>.+)$")


class ToolError(Exception):
    """A tool cannot do what it was asked for: told to the model in one line, never a failure of the episode."""


class CallError(Exception):
    """A call that cannot be made; ``kind`` says why, the message is for the model."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind: Kind = kind


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose arguments fit the tool's schema."""

    name: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call.

    Attributes:
        kind: "ok", or what was wrong.
        text: the tool's result, or one line about what was wrong.
        call: None where it was not understood.
    """

    kind: Kind
    text: str
    call: Call | None = None


class Tool:
    """A function that a model may call.

    Args:
        function: annotated; its docstring's first line describes it, the ``Args:`` section its arguments. Parameters
            before a ``/`` are the environment's.

    Attributes:
        name, description: as a prompt shows them.

    Raises:
        ContractError: an argument has no annotation, or there is no docstring.
    """

    def __init__(self, function: Callable[..., object]) -> None:
        self.name = function.__name__
        self.description, described = _described(function)
        self._function = function
        self._model = _model(function, described)

    @cached_property
    def definition(self) -> dict[str, Any]:
        """Name, description and the JSON schema of the arguments ("parameters")."""
        schema = _untitled(self._model.model_json_schema())
        return {"name": self.name, "description": self.description, "parameters": schema}

    def checked(self, arguments: dict[str, Any]) -> Call:
        """The call with these arguments.

        Raises:
            CallError: some are missing, unknown or of another type; values are not converted.
        """
        try:
            model = self._model.model_validate(arguments)
        except ValidationError as error:
            wrong = "; ".join(_wrong(each) for each in error.errors(include_url=False)[:3])
            raise CallError("arguments", f"arguments of {self.name}: {wrong}") from error
        return Call(self.name, {name: getattr(model, name) for name in type(model).model_fields})

    def run(self, call: Call, *context: object) -> str:
        """The function's result as text.

        Raises:
            ToolError: the function refuses.
        """
        return str(self._function(*context, **call.arguments))


class Toolbox:
    """The tools of an environment.

    Args:
        functions: see :class:`Tool`.
    """

    def __init__(self, *functions: Callable[..., object]) -> None:
        self.tools = {tool.name: tool for tool in map(Tool, functions)}

    def text(self) -> str:
        """The definitions as compact JSON, a line each."""
        return "\n".join(
            json.dumps(tool.definition, separators=(",", ":"), ensure_ascii=False)
            for tool in self.tools.values()
        )

    def read(self, text: str) -> Call:
        """The call that a text makes.

        Args:
            text: ``{"name": "...", "arguments": {...}}``.
        Raises:
            CallError: it makes none.
        """
        found = _loaded(text)
        if not isinstance(found, dict) or set(found) != {"name", "arguments"}:
            raise CallError("shape", 'a call reads {"name": "...", "arguments": {...}} and nothing else')
        name, arguments = found["name"], found["arguments"]
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise CallError("shape", "a call's name is text and its arguments are an object")
        if name not in self.tools:
            raise CallError("unknown_tool", f"unknown tool {echo(name)}; tools are {', '.join(self.tools)}")
        return self.tools[name].checked(arguments)

    def run(self, text: str, *context: object) -> Result:
        """Read a call and make it.

        Args:
            text: as a model wrote it.
            context: what the functions take before their ``/``, the same for all.
        """
        try:
            call = self.read(text)
        except CallError as error:
            return Result(error.kind, str(error))
        try:
            return Result("ok", self.tools[call.name].run(call, *context), call)
        except ToolError as error:
            return Result("refused", str(error), call)


def echo(text: str) -> str:
    """Text of a model as it may be repeated to it: quoted, ASCII, on one line and short."""
    cut = text if len(text) <= LONGEST_ECHO else f"{text[:LONGEST_ECHO]}..."
    return json.dumps(cut)


def _loaded(text: str) -> Any:
    """JSON without what Python's reader lets pass: a key named twice, NaN and the infinities."""
    if len(text) > LONGEST_CALL:
        raise CallError("too_long", f"the call has {len(text)} characters; {LONGEST_CALL} are allowed")
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise CallError("json", f"not JSON: {error.msg} at character {error.pos + 1}") from error
    except (RecursionError, ValueError) as error:  # nested too deeply; more digits than Python converts
        raise CallError(
            "json", "not JSON that can be read: nested too deeply, or a number too long"
        ) from error


def _once(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise CallError("duplicate", f"{echo(name)} is given twice")
        found[name] = value
    return found


def _no_constant(name: str) -> NoReturn:
    raise CallError("json", f"not JSON: {name} is no number")


def _described(function: Callable[..., object]) -> tuple[str, dict[str, str]]:
    """A docstring's first line, and what its ``Args:`` section says by argument."""
    lines = (inspect.getdoc(function) or "").splitlines()
    if not lines:
        raise ContractError(
            f"tool {function.__name__!r} has no docstring; its first line is what a model reads"
        )
    behind = lines[lines.index("Args:") + 1 :] if "Args:" in lines else []
    section = behind[: behind.index("")] if "" in behind else behind
    found = [match for line in section if line.startswith(" ") and (match := _ARGUMENT.match(line))]
    return lines[0], {match["name"]: match["text"] for match in found}


def _model(function: Callable[..., object], described: dict[str, str]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for each in inspect.signature(function, eval_str=True).parameters.values():
        if each.kind is each.POSITIONAL_ONLY:
            continue
        if each.annotation is each.empty or each.kind in (each.VAR_POSITIONAL, each.VAR_KEYWORD):
            raise ContractError(
                f"tool {function.__name__!r}: argument {each.name!r} needs a name of its own and an annotation"
            )
        default = ... if each.default is each.empty else each.default
        fields[each.name] = (each.annotation, Field(default, description=described.get(each.name)))
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    return create_model(function.__name__, __config__=config, **fields)


def _wrong(error: Any) -> str:
    where = echo(".".join(str(part) for part in error["loc"]))
    if error["type"] == "missing":
        return f"{where} is missing"
    if error["type"] == "extra_forbidden":
        return f"there is no {where}"
    return f"{where}: {error['msg']}"


def _untitled(schema: Any) -> Any:
    """A schema without the titles that pydantic makes up from names: a model reads every word."""
    if isinstance(schema, list):
        return [_untitled(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: _untitled(value)
        for name, value in schema.items()
        if not (name == "title" and isinstance(value, str))
    }
