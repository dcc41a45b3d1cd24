"""Source text as a module, in a sandboxed process."""

from __future__ import annotations

import linecache
import sys
from types import ModuleType


def module_of(source: str, name: str) -> ModuleType:
    """Execute a source text as a module.

    Triton reads the text of kernels from the line cache, and ``dataclasses`` looks its module up by name.
    """
    filename = f"<{name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(source, filename, "exec", dont_inherit=True), module.__dict__)  # noqa: S102  # what the sandboxed process is for
    return module
