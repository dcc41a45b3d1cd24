"""Source text as a module, in a sandboxed process."""

from __future__ import annotations

import linecache
from types import ModuleType


def module_of(source: str, name: str) -> ModuleType:
    """Execute a source text as a module. Triton reads the text of kernels from the line cache, so it is put there."""
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(name)
    exec(compile(source, filename, "exec"), module.__dict__)  # noqa: S102  # what the sandboxed process is for
    return module
