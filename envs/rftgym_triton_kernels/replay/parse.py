"""Text of TTIR to records.

The printed form of the operations in use is regular enough for one rule: operands are the `%names` before the types,
types follow the last " : ". Structured operations (loops, branches, reductions) have rules of their own.
"""

from __future__ import annotations

import re

from rftgym_triton_kernels.replay.ir import Block, Function, Op, Region, Type, parse_type

__all__ = ["Module", "parse"]

_LOCATION = re.compile(r"\s*\bloc\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
_TRAILING = re.compile(r"\s*\bloc\((#loc\d*|unknown)\)$")
_HEAD = re.compile(r'(?:(%[\w.$-]+(?:, %[\w.$-]+)*)(?::(\d+))? = )?"?([a-z_]+\.[\w.]+)"?(.*)$', re.DOTALL)
_VALUE = re.compile(r"%[\w.$-]+(?:#\d+)?")
_FUNCTION = re.compile(
    r"tt\.func (?:(public|private) )?@(?:\"([^\"]+)\"|([\w.$-]+))\((.*?)\)(?: -> .*)?(?: attributes .*)?\s*\{$"
)
_ARGUMENT = re.compile(r"(%[\w.$-]+): ([^%]+?)(?:,\s*(?=%)|$)")
_PARAMETER = re.compile(r'%[\w.$-]+: [^%"]*loc\("([^"]+)"')
_ATTRIBUTES = re.compile(r"\s*\{[^{}]*\}")
_TABLE = re.compile(r"(#loc\d*) = loc\((.*)\)$")
_PLACE = re.compile(r'"([^"]*)":(\d+):\d+')
_NAMED = re.compile(r'"[^"]*"\((#loc\d*)\)')
_REFERENCE = re.compile(r"#loc\d*")
_SUCCESSOR = re.compile(r"(\^\w+)(?:\(([^)]*?) : [^)]*\))?")
_COMPARISONS = frozenset({"arith.cmpi", "arith.cmpf"})
_WITHOUT_RESULT = frozenset({"tt.store", "tt.atomic_store"})
_WITHOUT_OPERANDS = frozenset({"tt.assert", "tt.print"})  # no effect here, and any text in them


class Module:
    """Functions by name, and where each operation stands in a source file."""

    def __init__(self, functions: dict[str, Function], locations: dict[str, str]):
        self.functions = functions
        self._locations = locations

    @property
    def kernel(self) -> Function:
        """The function that a launch runs."""
        return next(function for function in self.functions.values() if function.public)

    def line(self, location: str) -> int | None:
        """The line of the kernels' module that a location stands for: the innermost of its call sites that lies there.

        Args:
            location: A reference such as "#loc12", as operations carry it. The module's file is the one that is none:
                its name is in angle brackets.
        """
        text = self._locations.get(location, "")
        place = _PLACE.match(text)
        if place:
            return int(place[2]) if place[1].startswith("<") else None
        references = [_NAMED.match(text)[1]] if _NAMED.match(text) else _REFERENCE.findall(text)  # type: ignore[index]
        lines = (self.line(reference) for reference in references if reference != location)
        return next((line for line in lines if line is not None), None)


def parse(text: str) -> Module:
    """Read a whole module.

    Raises:
        ValueError: The text isn't TTIR of the kind that Triton 3.6 to 3.9 print.
    """
    locations = {}
    lines = []
    for raw in text.splitlines():
        line = raw.strip()
        if line.startswith("#"):
            entry = _TABLE.match(line)
            if entry:
                locations[entry[1]] = entry[2]
        elif line:
            lines.append(line)
    functions = {}
    position = 0
    while position < len(lines):
        if lines[position].startswith("tt.func"):
            reader = _Reader(lines, position)
            function = reader.function()
            functions[function.name] = function
            position = reader.position
        else:
            position += 1
    if not any(function.public for function in functions.values()):
        raise ValueError("no public function in the kernel's intermediate representation")
    return Module(functions, locations)


class _Reader:
    """Reads one function, line by line."""

    def __init__(self, lines: list[str], position: int):
        self.lines, self.position = lines, position
        self.slots: dict[str, int] = {}  # a name's latest meaning: sibling regions use names again
        self.count = 0
        self.awaited: set[str] = set()  # read before they are defined, as the order of blocks may have it
        self.types: dict[int, Type] = {}

    def function(self) -> Function:
        line = self.lines[self.position]
        head = _FUNCTION.match(_LOCATION.sub("", line))
        if head is None:
            raise ValueError(f"not a function's head: {line[:120]}")
        self.position += 1
        names, types = self._arguments(head[4])
        region, _ = self._region(Block("", names, types))
        return Function(
            head[2] or head[3], region, head[1] == "public", self.count, tuple(_PARAMETER.findall(line))
        )

    def _slot(self, name: str) -> int:
        if name not in self.slots:
            self.awaited.add(name)
            self._new(name)
        return self.slots[name]

    def _new(self, name: str) -> int:
        self.slots[name] = self.count
        self.count += 1
        return self.count - 1

    def _operands(self, text: str) -> tuple[int, ...]:
        return tuple(self._slot(name) for name in _VALUE.findall(text))

    def _arguments(self, text: str) -> tuple[tuple[int, ...], tuple[Type, ...]]:
        pairs = [
            (match[1], parse_type(match[2]))
            for match in _ARGUMENT.finditer(_ATTRIBUTES.sub("", text).strip())
        ]
        return self._define([name for name, _ in pairs], tuple(type_ for _, type_ in pairs))

    def _define(self, names: list[str], types: tuple[Type, ...]) -> tuple[tuple[int, ...], tuple[Type, ...]]:
        slots = tuple(self.slots[name] if name in self.awaited else self._new(name) for name in names)
        self.awaited.difference_update(names)
        self.types.update(zip(slots, types, strict=True))
        return slots, types

    def _region(self, first: Block) -> tuple[Region, str]:
        """Read blocks up to the closing brace; the line with that brace tells what follows."""
        region = Region([first])
        while True:
            line = self.lines[self.position]
            self.position += 1
            if line.startswith("}"):
                return region, line
            if line.startswith("^"):
                self._label(region, line)
            else:
                region.blocks[-1].ops.append(self._op(line))

    def _label(self, region: Region, line: str) -> None:
        text = _LOCATION.sub("", line.split("//")[0]).strip().rstrip(":")
        label, _, rest = text.partition("(")
        slots, types = self._arguments(rest.rstrip(")"))
        if len(region.blocks) == 1 and not region.blocks[0].ops:
            region.blocks = []  # an explicit label replaces the implied entry
        region.blocks.append(Block(label, slots, types))

    def _op(self, line: str) -> Op:
        trailing = _TRAILING.search(line)
        location = trailing[1] if trailing else ""
        text = _LOCATION.sub("", line)
        head = _HEAD.match(text)
        if head is None:
            raise ValueError(f"not an operation: {text[:120]}")
        name, rest = head[3], head[4].strip()
        if rest.endswith("{"):
            op = self._structured(name, rest)
        elif name in {"cf.br", "cf.cond_br"}:
            op = self._branch(name, rest)
        else:
            op = self._plain(name, rest)
        op.location = op.location or location
        if head[1]:
            names = (
                [f"{head[1]}#{index}" for index in range(int(head[2]))] if head[2] else head[1].split(", ")
            )
            if len(op.types) == 1 and len(names) > 1:
                op.types *= len(names)
            op.results, op.types = self._define(names, op.types)
        return op

    def _branch(self, name: str, rest: str) -> Op:
        condition = self._operands(rest.split("^")[0])
        op = Op(name, (), condition, ())
        op.successors = [(match[1], self._operands(match[2] or "")) for match in _SUCCESSOR.finditer(rest)]
        return op

    def _plain(self, name: str, rest: str) -> Op:
        body, _, types = rest.rpartition(" : ")
        if not body:
            body, types = (types, "") if rest[:2] != ": " else ("", rest[2:])
        if name == "arith.constant":
            return Op(name, (), (), (parse_type(types or "i1"),), body)
        if name in _WITHOUT_OPERANDS:
            return Op(name, (), (), (), body)
        operands = self._operands(body.split("{")[0])
        results = self._result_types(name, operands, types)
        sources = tuple(self.types.get(slot, Type("?")) for slot in operands)
        return Op(name, (), operands, results, body, sources=sources)

    def _result_types(self, name: str, operands: tuple[int, ...], types: str) -> tuple[Type, ...]:
        for arrow in (" -> ", " to "):
            if arrow in types:
                types = types.rpartition(arrow)[2]
                return tuple(
                    parse_type(part) for part in _split(types.strip().removeprefix("(").removesuffix(")"))
                )
        listed = tuple(parse_type(part) for part in _split(types))
        if name in _COMPARISONS:
            return (Type("i1", listed[0].shape),)
        if name == "arith.select":
            return (listed[-1],)
        if name == "tt.load" and listed[0].element == "ptr":
            return (Type(listed[0].pointee, listed[0].shape),)
        if name in _WITHOUT_RESULT:
            return ()
        return listed if name.endswith(("yield", "return", "condition")) else listed[:1]

    def _structured(self, name: str, rest: str) -> Op:
        if name == "scf.for":
            return self._for(rest)
        if name == "scf.while":
            return self._while(rest)
        if name == "scf.if":
            return self._if(rest)
        if rest.endswith("({"):  # the generic form: reductions, scans and the like
            operands = self._operands(rest.split("<{")[0])
            regions, close = self._regions()
            types = _LOCATION.sub("", close).rpartition(" -> ")[2]
            results = tuple(
                parse_type(part) for part in _split(types.strip().removeprefix("(").removesuffix(")"))
            )
            sources = tuple(self.types.get(slot, Type("?")) for slot in operands)
            return Op(name, (), operands, results, rest, _end(close), regions, sources=sources)
        raise ValueError(f"unknown structured operation {name}")

    def _regions(self) -> tuple[list[Region], str]:
        regions = []
        close = "}, {"
        while close.startswith("}, {"):
            region, close = self._region(Block("", (), ()))
            regions.append(region)
        return regions, close

    def _for(self, rest: str) -> Op:
        bounds, _, carried = rest.partition(" iter_args(")
        induction, *limits = _VALUE.findall(bounds)
        pairs, _, tail = carried.partition(") -> (")
        names = [part.split("=")[0].strip() for part in pairs.split(",")] if carried else []
        starts = [part.split("=")[1].strip() for part in pairs.split(",")] if carried else []
        types = tuple(parse_type(part) for part in _split(tail.rpartition(")")[0])) if carried else ()
        counter = parse_type(rest.rpartition(" : ")[2].rstrip("{ ")) if " : " in rest else Type("index")
        operands = tuple(self._slot(name) for name in (*limits, *starts))
        slots, _ = self._define([induction, *names], (counter, *types))
        region, close = self._region(Block("", slots, (counter, *types)))
        return Op("scf.for", (), operands, types, bounds, _end(close), [region])

    def _while(self, rest: str) -> Op:
        pairs, _, tail = rest.partition(") : (") if "= %" in rest else ("", "", rest)
        arguments = [part.strip(" (").split(" = ") for part in pairs.split(",")] if pairs else []
        before, after = tail.rstrip("{ ").split(" -> ", 1)
        inner = tuple(parse_type(part) for part in _split(before.strip(" ()"))) if arguments else ()
        outer = tuple(parse_type(part) for part in _split(after.strip().removeprefix("(").removesuffix(")")))
        operands = tuple(self._slot(value.strip()) for _, value in arguments)
        slots, _ = self._define([name.strip() for name, _ in arguments], inner)
        condition, _ = self._region(Block("", slots, inner))
        body, close = self._region(Block("", (), ()))
        return Op("scf.while", (), operands, outer, "", _end(close), [condition, body])

    def _if(self, rest: str) -> Op:
        head, _, tail = rest.partition(" -> (")
        types = tuple(parse_type(part) for part in _split(tail.rpartition(")")[0])) if tail else ()
        operands = self._operands(head)
        regions = []
        region, close = self._region(Block("", (), ()))
        regions.append(region)
        if close.startswith("} else"):
            region, close = self._region(Block("", (), ()))
            regions.append(region)
        return Op("scf.if", (), operands, types, "", _end(close), regions)


def _end(close: str) -> str:
    trailing = _TRAILING.search(close)
    return trailing[1] if trailing else ""


def _split(text: str) -> list[str]:
    """Split at commas which stand outside every bracket."""
    if "," not in text:
        return [text] if text.strip() else []
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        if character in "<([{":
            depth += 1
        elif character in ">)]}" and text[index - 1 : index + 1] != "->":
            depth -= 1
        elif character == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    return [*parts, text[start:]]
