"""The tree of errors that rftgym raises on purpose.

The command line maps them to exit codes: ``UsageError`` (and all below it) to 2, every other ``RftgymError`` to 1.
"""

from __future__ import annotations

from collections.abc import Iterable


class RftgymError(Exception):
    """Base of every error that rftgym raises on purpose. The message names the thing, the place and the cure."""

    exit_code = 1


class UsageError(RftgymError):
    """The caller asked for something that cannot be: a bad option, file, id or value. Nothing was written."""

    exit_code = 2


class UnknownIdError(UsageError):
    """No plugin registered this id."""

    def __init__(self, kind: str, id: str, known: Iterable[str], *, shown_by: str = "") -> None:
        """``shown_by`` is the command that shows all that is known; ``rftgym list KIND`` by default."""
        import difflib  # only where there is an error to explain: `rftgym --help` is quick

        names = sorted(known)
        found = difflib.get_close_matches(id, names, n=3, cutoff=0.5)
        likeness = [difflib.SequenceMatcher(None, name, id).ratio() for name in found]
        close = [name for name, ratio in zip(found, likeness, strict=True) if ratio > max(likeness) - 0.15]
        hint = (
            f"did you mean {' or '.join(repr(name) for name in close)}?"
            if close
            else f"known: {', '.join(names) or 'none'}"
        )
        if id.startswith(("./", "../", "/", "~")):
            hint = f"if it is a file, its name ends with .py: ./my_{kind}.py or ./my_{kind}.py:NAME"
        super().__init__(f"unknown {kind} {id!r}; {hint} (`{shown_by or f'rftgym list {kind}'}` shows all)")
        self.kind, self.id, self.close = kind, id, close


class DuplicateIdError(UsageError):
    """Two distributions registered the same id of one kind."""

    def __init__(self, kind: str, id: str, owners: Iterable[str]) -> None:
        who = " and ".join(owners)
        super().__init__(f"{kind} {id!r} is registered by {who}; uninstall one of them, or rename its id")
        self.kind, self.id = kind, id


class MissingPackageError(UsageError):
    """A package that is an optional extra of rftgym's, or of a plugin's, is not installed."""

    def __init__(
        self, what: str, package: str, extra: str, *, why: object = "", distribution: str = "rftgym"
    ) -> None:
        """``what`` needs ``package``, which ``pip install 'distribution[extra]'`` brings."""
        reason = f" ({why})" if why else ""
        super().__init__(f"{what} needs the package {package}{reason}: pip install '{distribution}[{extra}]'")


class PluginError(RftgymError):
    """A plugin could not be loaded or broke its contract."""


class ContractError(RftgymError):
    """An extension (environment, reward, policy, trainer) broke the contract that its base class states."""


class InfrastructureError(RftgymError):
    """A fault that is not the answer's: a network hiccup, a killed worker. It may be tried again."""


class RunFailed(RftgymError):
    """A run ended early for a reason that its message gives; what it had done is on disk."""
