"""Static examination: the author's source, as far as an environment reaches it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from rftgym.conformance import habits
from rftgym.conformance.findings import Finding, finding
from rftgym.conformance.playing import Env
from rftgym.conformance.raised import shown_path
from rftgym.conformance.reach import Definition, Source, Sources
from rftgym.conformance.rules import Severity
from rftgym.conformance.subject import Subject, parts_of, plain
from rftgym.conformance.taint import WRITTEN, flows

_CONSTRUCTING = frozenset({"__init__", "make_tasks", "make_rubric"})


def check_source(subject: Subject) -> Iterator[Finding]:
    """Habits in the source of an environment, its rewards, its parser and its taskset."""
    members: Sequence[Env] = list(getattr(subject.first, "parts", {}).values()) or [subject.first]
    functions = [each for env in members for each in functions_of(env)]
    components = [plain(c.function) for env in members for c in env.rubric.components]
    parsers = [type(env.parser) for env in members]
    owners = {part.__name__ for env in members for part in parts_of(env) if isinstance(part, type)}
    sources = Sources(subject.modules, owners)
    if sources.unread:
        subject.notes.left_out.append(f"the source of {', '.join(sources.unread)}: it cannot be read")
    yield from examined(sources, functions, components, parsers)
    for owner in {part for env in members for part in type(env).__mro__}:
        source = next((each for each in sources.all if each.name == owner.__module__), None)
        if source is not None:
            places = habits.shared_attributes(source, owner.__name__)
            yield from _found("mutable-class-attribute", source, places)


def functions_of(env: Env) -> list[Any]:
    """The functions that an environment's parts are made of."""
    found: list[Any] = []
    for part in parts_of(env):
        found += methods_of(part) if isinstance(part, type) else [part]
    return found


def methods_of(owner: type) -> list[Any]:
    """The functions that a class defines, properties' getters included."""
    found = []
    for value in vars(owner).values():
        value = (
            getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", value)
        )
        if inspect.isfunction(inspect.unwrap(value) if callable(value) else value):
            found.append(value)
    return found


def examined(
    sources: Sources, functions: Iterable[Any], components: Iterable[Any], parsers: Iterable[type] = ()
) -> Iterator[Finding]:
    """What is found in functions and in what they call.

    Args:
        functions: all that belong to the subject.
        components: those of them that are reward functions.
        parsers: classes whose ``parse`` reads completions.
    """
    defined = _definitions(sources, functions)
    rewards = _definitions(
        sources, [m for c in components for m in ([c] if inspect.isroutine(c) else _calls(c))]
    )
    readers = _definitions(sources, [vars(each)["parse"] for each in parsers if "parse" in vars(each)])
    responds = [each for each in defined if each.name == "respond"]
    judging = sources.reached([*rewards, *readers, *responds])
    everything = sources.reached([*defined, *rewards, *readers])
    yield from _each(everything, "global-random-call", habits.global_random)
    yield from _each(everything, "set-order", habits.set_orders)
    yield from _each(everything, "hash-of-text", habits.hashes)
    yield from _each(everything, "shell", habits.shells)
    yield from _each(judging, "clock-in-judging", habits.clocks)
    own = {id(each) for each in rewards}
    for definition in sources.reached(rewards):
        severity: Severity = "error" if id(definition) in own else "warning"
        yield from _found("swallowed-exception", definition.source, habits.swallowed(definition), severity)
    roots = [*((each, WRITTEN & set(each.parameters)) for each in rewards)]
    roots += [(each, each.parameters[2:3]) for each in responds]  # type: ignore[misc]  # self, state, turn, rng
    roots += [(each, each.parameters[1:2]) for each in readers]  # type: ignore[misc]  # self, completion
    for flow in flows(sources, roots):
        yield from _found("runs-untrusted-text", flow.definition.source, habits.runs_text(flow))
        yield from _found("assert-on-completion", flow.definition.source, habits.asserts(flow))
    making = [each for each in defined if each.name in _CONSTRUCTING]
    yield from _each(sources.reached(making), "network-in-source", habits.downloads)


def _calls(owner: Any) -> list[Any]:
    """Of a class whose instances are reward functions."""
    return (
        [value for name, value in vars(owner).items() if name == "__call__"]
        if isinstance(owner, type)
        else []
    )


def _definitions(sources: Sources, functions: Iterable[Any]) -> list[Definition]:
    found = {id(each): each for function in functions if (each := sources.definition(function)) is not None}
    return list(found.values())


def _each(
    definitions: Iterable[Definition], check: str, look: Callable[[Definition], Iterator[habits.Place]]
) -> Iterator[Finding]:
    for definition in definitions:
        yield from _found(check, definition.source, look(definition))


def _found(
    check: str, source: Source, places: Iterable[habits.Place], severity: Severity | None = None
) -> Iterator[Finding]:
    for node, what in places:
        line = getattr(node, "lineno", 0)
        yield finding(check, what, f"{shown_path(source.file)}:{line}", severity=severity)
