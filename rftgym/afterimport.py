"""Doing something once another module has been imported, without importing it.

``import rftgym`` must stay instant, so it cannot import Gymnasium in order to register environments there, and
Gymnasium 1.x does not look for plugins. What remains, if the order of two imports is not to matter, is to be called
when a program imports Gymnasium.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec


def import_after(first: str, then: str) -> None:
    """Import module ``then`` as soon as ``first`` has been imported; now, if it has been."""
    if first in sys.modules:
        importlib.import_module(then)
    else:
        sys.meta_path.insert(0, _Watch(first, then))


class _Watch:
    """A finder which leaves finding to the others, and takes itself away once its module is imported."""

    def __init__(self, first: str, then: str) -> None:
        self._first, self._then = first, then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._first or self not in sys.meta_path:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        loader = spec.loader if spec is not None else None
        if loader is not None:
            execute, then = loader.exec_module, self._then

            def exec_module(module: ModuleType) -> None:
                execute(module)
                importlib.import_module(then)

            loader.exec_module = exec_module  # type: ignore[method-assign]  # of this one import's loader
        return spec
