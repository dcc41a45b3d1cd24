"""What is put behind an answer in the sandbox, as text: it finds the entry, whatever the answer calls or nests it.

A translation may say ``sum_digits`` for ``sumDigits``, may put the function into a class of the source's name, may take
varargs one by one, and may return a deque, a range or the keys of a dict for a list or a set. Objects of its own
classes cannot leave the sandbox; what they hold can, as a tuple ``("$foreign", class name, attributes, text)``. This
text runs next to code nobody trusts: it proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

ENTRY = "rftgym_entry"
DEEPEST_RECURSION = 20_000
"""Frames: Java takes about as many, Python's own limit is a thousand. Deeper ones may overflow the process's stack."""
_TEXT = """

def _rftgym_adapt(wanted, methods, spread, telling, members, space):
    import collections, enum, inspect, sys

    sys.setrecursionlimit({deepest})
    path, _, wanted = wanted.rpartition(".")
    owner = path.rpartition(".")[2]

    def squashed(name):
        return name.replace("_", "").lower()

    def spelled(names, name):
        if name in names:
            return name
        return next((each for each in names if squashed(each) == squashed(name)), None)

    def classes(held, depth=0):
        own = [each for each in list(held.values()) if isinstance(each, type) and depth < 5]
        own = [each for each in own if each.__module__ == space.get("__name__")]
        return own + [inner for each in own for inner in classes(vars(each), depth + 1)]

    def method(kind, name):
        found = vars(kind)[name]
        if isinstance(found, (staticmethod, classmethod)):
            return 0, getattr(kind, name)
        if "self" not in inspect.signature(found).parameters:
            return 0, found
        return 1, lambda *arguments: getattr(kind(), name)(*arguments)  # Java's harness has a new object a call, too

    def find():
        if methods:
            kinds = dict([(kind.__name__, kind) for kind in classes(space)])
            return kinds.get(spelled(kinds, wanted)) or space.get(wanted)
        functions = [name for name, each in space.items() if callable(each) and not isinstance(each, type)]
        function = spelled(functions, wanted) or (wanted if callable(space.get(wanted)) else None)
        found = []
        for kind in classes(space):
            name = spelled([name for name, each in vars(kind).items() if not isinstance(each, type)], wanted)
            if name is not None:
                found.append((kind.__name__ != owner, *method(kind, name)))
        if function is not None and (not found or all(each[0] for each in found)):
            return space[function]
        return min(found, key=lambda each: each[:2])[2] if found else None

    constants = dict(
        [(each.name, each) for kind in classes(space) if issubclass(kind, enum.Enum) for each in kind]
        if members else []
    )

    def meant(value):
        if type(value) is str:
            return constants.get(value, value) if value in members else value
        if type(value) in (list, tuple, set, frozenset):
            return type(value)([meant(each) for each in value])
        return {{meant(key): meant(each) for key, each in value.items()}} if type(value) is dict else value

    room = [0]

    def plain(value, depth=0):
        kind = type(value)
        room[0] = room[0] + 1 if depth else 0
        if kind in (int, float, str, bool, type(None)) or depth > 40 or room[0] > 100000:
            return value
        if kind in (collections.deque, range, bytes, bytearray, type({{}}.values())):
            return [plain(each, depth + 1) for each in value]
        if kind in (type({{}}.keys()), type({{}}.items())):
            return {{plain(each, depth + 1) for each in value}}
        if kind.__module__ == "numpy" and hasattr(value, "tolist"):
            return value.tolist()
        if isinstance(value, enum.Enum) and telling:
            return ("$foreign", kind.__name__, {{}}, value.name)
        if kind in (list, set, frozenset):
            return kind([plain(each, depth + 1) for each in value])
        if isinstance(value, tuple):
            return tuple([plain(each, depth + 1) for each in value])
        if kind is dict:
            return {{plain(key, depth + 1): plain(each, depth + 1) for key, each in value.items()}}
        if kind.__module__ in ("decimal", "datetime") and telling:
            return ("$foreign", kind.__name__, {{}}, str(value))
        if kind.__module__ != space.get("__name__") or not telling:
            return value
        names = [name for each in kind.__mro__ for name in getattr(each, "__slots__", ())]
        held = dict([(name, getattr(value, name)) for name in names if hasattr(value, name)])
        held.update(getattr(value, "__dict__", {{}}))
        return ("$foreign", kind.__name__, {{k: plain(v, depth + 1) for k, v in held.items()}}, str(value))

    entry = find()
    if entry is None:
        return None

    def taken(arguments):
        if members:
            arguments = tuple([meant(each) for each in arguments])
        if not arguments or not (spread or wanted == "main"):
            return arguments
        try:
            kinds = [each.kind for each in inspect.signature(entry).parameters.values()]
        except (TypeError, ValueError):
            return arguments
        if not kinds:  # def main(), which in Java has to take arguments
            return ()
        return (*arguments[:-1], *arguments[-1]) if inspect.Parameter.VAR_POSITIONAL in kinds else arguments

    class Session:
        def __init__(self, *arguments):
            self._rftgym_made = entry(*taken(arguments))

        def __getattr__(self, name):
            made = self._rftgym_made
            java = {{"toString": "__str__", "equals": "__eq__", "hashCode": "__hash__", "size": "__len__",
                    "length": "__len__", "contains": "__contains__", "get": "__getitem__"}}
            public = [each for each in dir(made) if not each.startswith("_")]
            bean = name[3:] if name.startswith("get") else name[2:] if name.startswith("is") else ""
            spelling = spelled(public, name) or java.get(name) or spelled(public, bean) or name
            found = getattr(made, spelling)
            if not callable(found):
                return plain(found)
            return lambda *arguments: plain(found(*[meant(given) for given in arguments]))

    return Session if methods else lambda *arguments: plain(entry(*taken(arguments)))


{entry} = _rftgym_adapt({wanted}, {methods}, {spread}, {telling}, {members}, globals())
"""


def adapted(
    source: str, entry: str, *, session: bool, spread: bool, telling: bool, members: Sequence[str] = ()
) -> str:
    """The answer with the adapter behind it; call `ENTRY` in it.

    Args:
        source: the answer.
        entry: name of the function or class.
        session: the entry is a class, and its methods are called.
        spread: the last argument is Java's varargs.
        telling: results may be objects of the answer's own classes.
        members: texts among the arguments that are given as members of the answer's own Enum.
    """
    text = _TEXT.format(
        deepest=DEEPEST_RECURSION,
        entry=ENTRY,
        wanted=json.dumps(entry),
        methods=session,
        spread=spread,
        telling=telling,
        members=json.dumps(list(members)),
    )
    return source + text
