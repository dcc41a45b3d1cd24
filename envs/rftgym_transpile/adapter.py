"""What is put behind an answer in the sandbox, as text: it finds the entry, whatever the answer calls or nests it.

A translation may say ``sum_digits`` for ``sumDigits``, may put the function into a class of the source's name, and may
take varargs one by one. Objects of its own classes cannot leave the sandbox; what they hold can, as a tuple
``("$foreign", class name, attributes, text)``. This text runs next to code nobody trusts: it proves nothing.
"""

from __future__ import annotations

import json

ENTRY = "rftgym_entry"
DEEPEST_RECURSION = 20_000
"""Frames: Java takes about as many, Python's own limit is a thousand. Deeper ones may overflow the process's stack."""
_TEXT = """

def _rftgym_adapt(wanted, methods, spread, telling, space):
    import enum, inspect, re, sys

    sys.setrecursionlimit({deepest})

    def spellings(name):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
        return [name, snake, name + "_", snake + "_"]

    def find():
        for name in spellings(wanted):
            if callable(space.get(name)):
                return space[name]
        for kind in [each for each in list(space.values()) if isinstance(each, type)]:
            if kind.__module__ != space.get("__name__"):
                continue
            for name in spellings(wanted):
                if name in vars(kind):
                    bound = isinstance(vars(kind)[name], (staticmethod, classmethod))
                    if not bound and "self" not in inspect.signature(vars(kind)[name]).parameters:
                        return vars(kind)[name]
                    return getattr(kind if bound else kind(), name)
        return None

    room = [0]

    def plain(value, depth=0):
        kind = type(value)
        room[0] = room[0] + 1 if depth else 0
        if kind in (int, float, str, bool, bytes, type(None)) or depth > 40 or room[0] > 100000:
            return value
        if isinstance(value, enum.Enum):
            return ("$foreign", kind.__name__, {{}}, value.name)
        if kind in (list, set, frozenset):
            return kind([plain(each, depth + 1) for each in value])
        if isinstance(value, tuple):
            return tuple([plain(each, depth + 1) for each in value])
        if kind is dict:
            return {{plain(key, depth + 1): plain(each, depth + 1) for key, each in value.items()}}
        if kind.__module__ != space.get("__name__"):
            return value
        names = [name for each in kind.__mro__ for name in getattr(each, "__slots__", ())]
        held = dict([(name, getattr(value, name)) for name in names if hasattr(value, name)])
        held.update(getattr(value, "__dict__", {{}}))
        return ("$foreign", kind.__name__, {{k: plain(v, depth + 1) for k, v in held.items()}}, str(value))

    entry = find()
    if entry is None:
        return None
    told = plain if telling else lambda value: value

    def taken(arguments):
        if not spread or not arguments:
            return arguments
        try:
            kinds = [each.kind for each in inspect.signature(entry).parameters.values()]
        except (TypeError, ValueError):
            return arguments
        return (*arguments[:-1], *arguments[-1]) if inspect.Parameter.VAR_POSITIONAL in kinds else arguments

    class Session:
        def __init__(self, *arguments):
            self._rftgym_made = entry(*taken(arguments))

        def __getattr__(self, name):
            made = self._rftgym_made
            java = {{"toString": "__str__", "equals": "__eq__", "hashCode": "__hash__", "size": "__len__",
                    "length": "__len__", "contains": "__contains__", "get": "__getitem__"}}
            for each in [*spellings(name), java.get(name, name)]:
                if hasattr(made, each):
                    found = getattr(made, each)
                    return (lambda *arguments: told(found(*arguments))) if callable(found) else told(found)
            raise AttributeError(name)

    if methods:
        return Session
    if not spread and not telling:
        return entry
    return lambda *arguments: told(entry(*taken(arguments)))


{entry} = _rftgym_adapt({wanted}, {methods}, {spread}, {telling}, globals())
"""


def adapted(source: str, entry: str, *, session: bool, spread: bool, telling: bool) -> str:
    """The answer with the adapter behind it; call `ENTRY` in it.

    Args:
        source: the answer.
        entry: name of the function or class.
        session: the entry is a class, and its methods are called.
        spread: the last argument is Java's varargs.
        telling: results may be objects of the answer's own classes.
    """
    text = _TEXT.format(
        deepest=DEEPEST_RECURSION,
        entry=ENTRY,
        wanted=json.dumps(entry.rpartition(".")[2]),
        methods=session,
        spread=spread,
        telling=telling,
    )
    return source + text
