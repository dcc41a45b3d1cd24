"""Things that are named by a file instead of by an installed plugin's id: ``./my_env.py:MyEnv``.

For a quick try: nothing has to be packaged. The file is imported once a process, its folder is searched for modules
that it imports itself, and a run keeps a copy of it.
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from rftgym.errors import UsageError

_REFERENCE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[A-Za-z_]\w*(?:\.\w+)*))?", re.DOTALL)


def is_file(id: str) -> bool:
    """Whether an id names a file: ``PATH.py`` or ``PATH.py:NAME``."""
    return ".py" in id and _REFERENCE.fullmatch(id) is not None


def split(id: str) -> tuple[Path, str]:
    """The file that an id names, and the name in it ("" where the id has none).

    Raises:
        UsageError: it names no file.
    """
    found = _REFERENCE.fullmatch(id)
    if found is None:
        raise UsageError(f"{id!r} names no file; it would read ./my_env.py:MyEnv")
    return Path(found["path"]).expanduser(), found["name"] or ""


def absolute(id: str) -> str:
    """An id with its file's whole path, where it names one; any other id as it is."""
    if not is_file(id):
        return id
    path, name = split(id)
    return f"{path.resolve()}:{name}" if name else str(path.resolve())


def label(id: str) -> str:
    """An id as it is shown and used in names: a file without its folder, anything else as it is."""
    if not is_file(id):
        return id
    path, name = split(id)
    return f"{path.name}:{name}" if name else path.name


def module_from(path: Path) -> ModuleType:
    """The module of a file, imported once a process.

    Raises:
        UsageError: there is no such file, or it cannot be imported; names the line.
    """
    file = path.resolve()
    name = f"rftgym_file_{hashlib.sha256(str(file).encode()).hexdigest()[:12]}_{_identifier(file.stem)}"
    if name in sys.modules:
        return sys.modules[name]
    if not file.is_file():
        raise UsageError(f"no file at {path}")
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    if str(file.parent) not in sys.path:
        sys.path.append(str(file.parent))  # at the end: what stands beside the file hides nothing
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise UsageError(f"{path}{_line(error, file)}: {type(error).__name__}: {error}") from error
    return module


def named_in(module: ModuleType, name: str) -> Any:
    """An object of a module by its dotted name.

    Raises:
        AttributeError: there is none.
    """
    target: Any = module
    for part in name.split("."):
        target = getattr(target, part)
    return target


def digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _identifier(text: str) -> str:
    return re.sub(r"\W", "_", text)


def _line(error: BaseException, file: Path) -> str:
    """The file's own line at which it went wrong."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f", line {error.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    return f", line {lines[-1]}" if lines else ""
