"""What sandboxes have in common that put another program around the local one."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar

from rftgym.errors import RftgymError
from rftgym.sandbox import Launch, Layer, LocalSandbox

# For a warden that cannot make namespaces itself: jobs become another user, whose litter has to be removed.
CAPABILITIES = ("CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETGID", "CAP_SETUID")

FOLDER = Path("/warden")  # the warden's own, in memory


class OuterSandbox(LocalSandbox):
    """The local sandbox inside something else.

    Attributes:
        outer: the layer's name.
        provides: the layer's detail, where it is there.
        cure: what makes it available.
    """

    outer: ClassVar[str]
    provides: ClassVar[str]
    cure: ClassVar[str]

    @abstractmethod
    def around(self, launch: Launch) -> Launch: ...

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The fences that are up in this very sandbox, the outermost first."""
        return (Layer(self.outer, True, self.provides), *super().layers)

    @classmethod
    def detect(cls) -> tuple[Layer, ...]:
        """The outer layer and those inside, found by putting them up; only the outer one where that fails."""
        try:
            with cls(allow_unsafe=True) as sandbox:
                return sandbox.layers
        except RftgymError as error:
            return (Layer(cls.outer, False, str(error), cls.cure),)
