"""The example distribution with everything of one kind left in it and all names replaced.

It is the only source of what ``rftgym init`` writes: there is no second set of templates to be kept in step with it.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import rftgym
from rftgym.errors import RftgymError
from rftgym.scaffold.kinds import KINDS, Kind
from rftgym.scaffold.names import Name

_PACKAGE = Path(rftgym.__file__).parent
PLACES = (_PACKAGE / "scaffold" / "example", _PACKAGE.parent / "plugins" / "rftgym-example")
"""Of the example distribution: in an installed wheel, and in a checkout, of which the wheel's is a copy."""
DISTRIBUTION, MODULE = "rftgym-example", "rftgym_example"
COMMON = "## Names"
"""The section of the example's README that belongs to every kind."""


def folder() -> Path:
    """Where the example distribution is.

    Raises:
        RftgymError: nowhere; the installation is damaged.
    """
    for place in PLACES:
        if (place / "pyproject.toml").is_file():
            return place
    raise RftgymError(f"rftgym's example plugin is missing from {PLACES[0]}: install rftgym again")


def package(kind: Kind, name: Name) -> dict[str, str]:
    """The files of a distribution of the user's own, by path."""
    files = {
        "pyproject.toml": _read("pyproject.toml"),
        "README.md": _sections(_read("README.md"), kind),
        ".github/workflows/ci.yml": _lines(_read(".github/workflows/ci.yml"), kind),
        f"{MODULE}/__init__.py": hook_module(_read(f"{MODULE}/__init__.py"), kind.hook),
        f"{MODULE}/{kind.module}": _code(kind),
        f"{MODULE}/py.typed": "",
        f"tests/test_{kind.module}": _read(f"tests/test_{kind.module}"),
    }
    return {renamed(path, kind, name): renamed(text, kind, name) for path, text in files.items()}


def single_file(kind: Kind, name: Name) -> str:
    """The module alone."""
    return renamed(_code(kind), kind, name)


def identifiers(kind: Kind) -> frozenset[str]:
    """All names that the example's code uses, but for those which are replaced."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(_code(kind))):
        if isinstance(node, ast.ImportFrom | ast.Import):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.Name):
            found.add(node.id)
    own = Name(kind.id).identifier(kind)
    return frozenset(found - {own, f"{own}Settings"})


def renamed(text: str, kind: Kind, name: Name) -> str:
    """A text of the example, with the user's name in the place of the example's; in one pass, so never twice."""
    old = Name(kind.id)
    table = {
        DISTRIBUTION: name.distribution,
        MODULE: name.module,
        f'example = "{MODULE}"': f'{name.kebab} = "{name.module}"',  # the entry point
        old.kebab: name.kebab,
        old.snake: name.snake,
        old.identifier(kind): name.identifier(kind),
        old.camel: name.camel,  # whole: Gymnasium's rftgym/WordleEnv-v0 of "wordle-env" is not wordle's
    }
    longest_first = sorted(table, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: table[found[0]], text)


def hook_module(source: str, hook: str) -> str:
    """A plugin's module with one of its hooks and what that needs."""
    tree, lines = ast.parse(source), source.splitlines()
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == hook)
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} | {"annotations"}
    imports = []
    for node in (each for each in tree.body if isinstance(each, ast.ImportFrom)):
        names = [alias.name for alias in node.names if alias.name in used]
        if names:
            imports.append(f"from {node.module} import {', '.join(names)}")
    head = "\n".join(lines[: tree.body[0].end_lineno])
    body = "\n".join(lines[function.decorator_list[0].lineno - 1 : function.end_lineno])
    return "\n\n".join([head, *imports]) + f"\n\n\n{body}\n"


def _code(kind: Kind) -> str:
    return _read(f"{MODULE}/{kind.module}")


def _read(path: str) -> str:
    return (folder() / path).read_text(encoding="utf-8")


def _sections(readme: str, kind: Kind) -> str:
    """The head of the README, the section about one kind, and the common one."""
    head, *sections = re.split(r"^(?=## )", readme, flags=re.MULTILINE)
    kept = [each for each in sections if each.startswith(COMMON) or f"`{kind.id}`" in each.partition("\n")[0]]
    return "".join([head, *kept])


def _lines(text: str, kind: Kind) -> str:
    """The lines that do not speak of another kind's part."""
    others = [each.id for each in KINDS.values() if each is not kind]
    kept = [line for line in text.splitlines(keepends=True) if not any(other in line for other in others)]
    return "".join(kept)
