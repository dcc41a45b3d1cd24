"""Things that are named by a file instead of by an installed plugin's id: ``./my_env.py:MyEnv``.

For a quick try: nothing has to be packaged. The file is imported once a process, and again when it has changed; its
folder is searched for modules that it imports itself, and a run keeps a copy of it.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

from rftgym.errors import UsageError

if TYPE_CHECKING:  # what a file needs is imported when one is named: `rftgym list` imports this module
    from pathlib import Path
    from types import ModuleType

_REFERENCE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>[A-Za-z_]\w*(?:\.\w+)*))?", re.DOTALL)
_SOURCE = "__imported_source__"
"""Name of a module's attribute: the bytes of the file that it was made from."""


def is_file(id: str) -> bool:
    """Whether an id names a file: ``PATH.py`` or ``PATH.py:NAME``."""
    return ".py" in id and _REFERENCE.fullmatch(id) is not None


def split(id: str) -> tuple[Path, str]:
    """The file that an id names, and the name in it ("" where the id has none).

    Raises:
        UsageError: it names no file.
    """
    from pathlib import Path

    found = _REFERENCE.fullmatch(id)
    if found is None:
        raise UsageError(f"{id!r} names no file; it would read ./my_env.py:MyEnv")
    return Path(os.path.expanduser(found["path"])), found["name"] or ""  # noqa: PTH111  # ~nobody stays as it is


def is_there(id: str) -> bool:
    """Whether an id names a file that there is."""
    return is_file(id) and os.path.isfile(split(id)[0])  # noqa: PTH113  # never raises: no file has a NUL in its name


def absolute(id: str) -> str:
    """An id with its file's whole path, where it names one; any other id as it is.

    Raises:
        UsageError: no file can be called so.
    """
    if not is_file(id):
        return id
    path, name = split(id)
    whole = _whole(path)
    return f"{whole}:{name}" if name else str(whole)


def label(id: str) -> str:
    """An id as it is shown and used in names: a file without its folder, anything else as it is."""
    if not is_file(id):
        return id
    path, name = split(id)
    return f"{path.name}:{name}" if name else path.name


def module_from(path: Path) -> ModuleType:
    """The module of a file as it is now, imported once a process; a changed file is another module.

    Raises:
        UsageError: there is no such file, or it cannot be imported; names the line.
    """
    import importlib.util

    file = _whole(path)
    source = _read(path, file)
    name = _module_name(file, source)
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise UsageError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    _execute(module, source, path, file)
    return module


def _execute(module: ModuleType, source: bytes, path: Path, file: Path) -> None:
    """Run the very bytes that gave the module its name: not those of a later moment, nor an old ``__pycache__``."""
    folder = str(file.parent)
    new = folder not in sys.path
    if new:
        sys.path.append(folder)  # at the end: what stands beside the file hides nothing
    vars(module)[_SOURCE] = source
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, str(file), "exec", dont_inherit=True), vars(module))  # noqa: S102  # the user's own
    except BaseException as error:
        sys.modules.pop(module.__name__, None)
        if new and folder in sys.path:
            sys.path.remove(folder)
        if not isinstance(error, Exception | SystemExit):
            raise
        raise UsageError(f"{path}{_line(error, file)}: {type(error).__name__}: {_text(error)}") from error


def source_of(path: Path) -> bytes:
    """A file's content as this process imported it; as it is now, where it has not been imported.

    Raises:
        UsageError: it cannot be read.
    """
    file = _whole(path)
    now = _read(path, file)
    if _module_name(file, now) in sys.modules:
        return now
    imported = [module for name, module in sys.modules.items() if name.startswith(_prefix(file))]
    source: bytes = vars(imported[-1])[_SOURCE] if imported else now
    return source


def named_in(module: ModuleType, name: str) -> Any:
    """An object of a module by its dotted name.

    Raises:
        AttributeError: there is none.
    """
    target: Any = module
    for part in name.split("."):
        target = getattr(target, part)
    return target


def only_name(kind: str, base: type | None, path: Path) -> str:
    """The name of the only thing of a kind that a file holds.

    Args:
        base: what such a thing derives from, or is; None: it can be anything that is called.

    Raises:
        UsageError: there is none, or more than one.
    """
    module = module_from(path)
    if base is None:
        raise UsageError(f"name the {kind} in {path}, as in {path}:my_{kind}")
    own = {
        name: value
        for name, value in vars(module).items()
        if (isinstance(value, base) and not name.startswith("_"))
        or (isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__)
    }
    names = [name for name, value in own.items() if not _lacking(value)] or list(own)
    if len(names) != 1:
        found = f"has {', '.join(names)}" if names else "has none"
        raise UsageError(
            f"which {kind} of {path}? It {found}; name one as in {path}:{(names or ['NAME'])[0]}"
        )
    return names[0]


def unfit(target: Any, base: type | None, *, objects: bool) -> str:
    """Why something that a file holds cannot be what it was named for; "" where it can.

    Args:
        base: as :func:`only_name` takes it.
        objects: it may be an object, or a function that makes one; else it is a class.
    """
    if base is None:
        return "" if callable(target) else "it cannot be called"
    if isinstance(target, type) and issubclass(target, base):
        lacking = _lacking(target)
        return f"it lacks {', '.join(lacking)}" if lacking else ""
    if objects and (isinstance(target, base) or (callable(target) and not isinstance(target, type))):
        return ""
    return f"it does not derive from {base.__module__}.{base.__qualname__}"


def _lacking(value: Any) -> list[str]:
    """Methods that a class promises and does not have."""
    return sorted(getattr(value, "__abstractmethods__", ())) if isinstance(value, type) else []


def digest(path: Path) -> str:
    """SHA-256 of :func:`source_of` a file, in hexadecimal digits."""
    return _sha256(source_of(path))


def _sha256(data: bytes) -> str:
    import hashlib

    return hashlib.sha256(data).hexdigest()


def _prefix(file: Path) -> str:
    """What the names of a file's modules begin with."""
    return f"rftgym_file_{_sha256(os.fsencode(file))[:12]}_"


def _module_name(file: Path, source: bytes) -> str:
    stem = re.sub(r"\W", "_", file.stem)
    return f"{_prefix(file)}{_sha256(source)[:12]}_{stem}"


def _whole(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a loop of links, a NUL
        raise UsageError(f"no file at {str(path)!r:.300}: {error}") from error


def _read(path: Path, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise UsageError(f"no file at {path}") from error
    except OSError as error:
        raise UsageError(f"cannot read {str(path)!r:.300}: {error.strerror}") from error


def _text(error: BaseException) -> str:
    """What an error says, also of a class that cannot say it."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001  # the user's own class
        return "(it has no text)"


def _line(error: BaseException, file: Path) -> str:
    """The file's own line at which it went wrong."""
    import traceback

    if isinstance(error, SyntaxError) and error.filename == str(file):
        return f", line {error.lineno}"
    lines = [
        frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(file)
    ]
    return f", line {lines[-1]}" if lines else ""
