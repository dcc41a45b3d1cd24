"""The beginning of a plugin of one's own, whole and working: what ``rftgym init`` writes."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.registry import installed
from rftgym.runs.atomic import name_directory, staging, writing
from rftgym.scaffold import example
from rftgym.scaffold.kinds import KINDS
from rftgym.scaffold.names import Name, check_file, check_free, check_identifier

__all__ = ["KINDS", "Scaffold", "scaffold"]


@dataclass(frozen=True, slots=True)
class Scaffold:
    """What was written.

    Attributes:
        id: under which it can be used: an id, once it is installed, or a file and a name in it.
        path: of the folder or the file.
        files: below that folder; of a single file its name.
        commands: what to do next.
    """

    kind: str
    id: str
    path: Path
    files: tuple[str, ...]
    commands: tuple[str, ...]


def scaffold(
    kind: str,
    name: str,
    directory: str | Path = ".",
    *,
    single_file: bool = False,
    plugins: Plugins | None = None,
) -> Scaffold:
    """Write an installable distribution ``rftgym-NAME``, or one file, that works as it is.

    Args:
        kind: "env", "reward", "trainer" or "policy".
        name: in kebab case; its id.
        directory: in which the folder or the file is made.
        single_file: the module alone, for ``--env ./word_chain.py:WordChainEnv``.

    Raises:
        UsageError: there is no such kind; the name cannot be or is taken; something is there already, or cannot be
            written. Nothing was written.
    """
    if kind not in KINDS:
        raise UsageError(f"no kind {kind!r} to begin; there are {', '.join(KINDS)}")
    chosen, parsed = KINDS[kind], Name(name)
    check_identifier(parsed, chosen, example.identifiers(chosen))
    if single_file:
        check_file(parsed)
        path = _free(Path(directory) / f"{parsed.snake}.py")
        _write_file(path, example.single_file(chosen, parsed))
        id = f"{_typed(path)}:{parsed.identifier(chosen)}"
        return Scaffold(kind, id, path, (path.name,), _commands(chosen.file_commands, id, path))
    check_free(parsed, chosen, plugins or installed())
    path = _free(Path(directory) / parsed.distribution)
    files = example.package(chosen, parsed)
    _write_folder(path, files)
    commands = _commands(chosen.package_commands, name, path)
    return Scaffold(kind, name, path, tuple(sorted(files)), commands)


def _free(path: Path) -> Path:
    if os.path.lexists(path):
        raise UsageError(f"{path} is there already: remove it, or choose another name or --dir")
    return path


def _write_folder(path: Path, files: Mapping[str, str]) -> None:
    """All of it, or nothing."""
    try:
        with staging(path) as temporary:
            for name, text in files.items():
                file = temporary / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
            name_directory(temporary, [path])
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _write_file(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with writing(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror or error}") from error


def _commands(templates: tuple[str, ...], id: str, path: Path) -> tuple[str, ...]:
    return tuple(each.format(id=shlex.quote(id), folder=shlex.quote(_typed(path))) for each in templates)


def _typed(path: Path) -> str:
    """A path as pip and ``--env`` know it for one."""
    return str(path) if path.is_absolute() else f"./{path}"
