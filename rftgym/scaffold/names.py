"""One name in the shapes in which it stands in code, and whether it can be taken."""

from __future__ import annotations

import builtins
import importlib.util
import keyword
import re
import sys
import sysconfig
from dataclasses import dataclass
from importlib.machinery import PathFinder

from rftgym.errors import UsageError
from rftgym.plugins import Plugins
from rftgym.scaffold.kinds import Kind
from rftgym.specs import EnvSpec, PolicySpec

LONGEST = 40
_KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in kebab case, "word-chain", and what comes of it.

    Raises:
        UsageError: it is not in kebab case, too long, a word of Python's own, or begins as the distribution's will.
    """

    kebab: str

    def __post_init__(self) -> None:
        if not _KEBAB.fullmatch(self.kebab) or len(self.kebab) > LONGEST:
            raise UsageError(
                f"name {self.kebab!r:.60}: expected kebab case that begins with a letter (a-z, 0-9, single '-' "
                f"between), {LONGEST} characters at most, say word-chain"
            )
        if self.kebab.startswith("rftgym-"):
            bare = self.kebab.removeprefix("rftgym-")
            raise UsageError(f"name {self.kebab!r}: the distribution is called rftgym-NAME; say {bare}")
        if keyword.iskeyword(self.snake) or keyword.iskeyword(self.camel):
            raise UsageError(f"name {self.kebab!r} is a keyword of Python; take another, say my-{self.kebab}")

    @property
    def snake(self) -> str:
        """As a variable: "word_chain"."""
        return self.kebab.replace("-", "_")

    @property
    def camel(self) -> str:
        """As a class: "WordChain"."""
        return "".join(part.capitalize() for part in self.kebab.split("-"))

    @property
    def distribution(self) -> str:
        """What pip installs: "rftgym-word-chain"."""
        return f"rftgym-{self.kebab}"

    @property
    def module(self) -> str:
        """What Python imports: "rftgym_word_chain"."""
        return f"rftgym_{self.snake}"

    def identifier(self, kind: Kind) -> str:
        """The function or class that is registered: "word_chain", or "WordChainEnv", also of "word-chain-env"."""
        if kind.snake_case:
            return self.snake
        return (self.camel.removesuffix(kind.suffix) or self.camel) + kind.suffix


def check_identifier(name: Name, kind: Kind, taken: frozenset[str]) -> None:
    """Refuse a name which the code would give to two things.

    Args:
        taken: names that the code uses already.

    Raises:
        UsageError: it is one of these, or a built-in function's.
    """
    identifier = name.identifier(kind)
    own = {identifier, f"{identifier}Settings"}
    found = sorted(own & taken) or [each for each in (identifier,) if hasattr(builtins, each)]
    if found:
        raise UsageError(
            f"name {name.kebab!r}: its code uses {found[0]!r} for something else; take another, say my-{name.kebab}"
        )


def check_free(name: Name, kind: Kind, plugins: Plugins) -> None:
    """Refuse a name that an installed plugin has.

    Raises:
        UsageError: says which distribution has it.
    """
    for registration in plugins.registrations(kind.name):
        spec, plugin = registration.spec, registration.plugin
        scheme = spec.scheme if isinstance(spec, EnvSpec | PolicySpec) else None
        if name.kebab in (spec.id, scheme):
            raise UsageError(
                f"{kind.name} {name.kebab!r} is there already: {plugin.distribution} {plugin.version} registers it "
                f"(plugin {plugin.name}). Choose another name, or uninstall that"
            )
    for plugin in plugins.plugins:
        if plugin.name == name.kebab:
            raise UsageError(
                f"plugin {name.kebab!r} is there already, in {plugin.distribution} {plugin.version}. Choose another "
                "name, or uninstall that"
            )
    found = importlib.util.find_spec(name.module)
    if found is not None:
        raise UsageError(f"module {name.module!r} is there already ({found.origin}). Choose another name")


def check_file(name: Name) -> None:
    """Refuse the name of a file that would hide a module of the same name from programs in its folder.

    Raises:
        UsageError: there is such a module.
    """
    if name.snake in sys.stdlib_module_names:
        raise UsageError(
            f"a file {name.snake}.py would hide Python's own module {name.snake!r} from programs in its folder; take "
            f"another name, say my-{name.kebab}"
        )
    found = PathFinder.find_spec(name.snake, [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    if found is not None:
        raise UsageError(
            f"a file {name.snake}.py would hide the module {name.snake!r} ({found.origin}) from programs in its "
            "folder; take another name"
        )
