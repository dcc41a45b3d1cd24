"""Places to run code nobody trusts. Hook implementations only."""

from __future__ import annotations

from rftgym import SandboxSpec, hookimpl


@hookimpl
def rftgym_sandboxes() -> list[SandboxSpec]:
    """The framework's own sandbox, and the same with another program around it."""
    return [
        SandboxSpec(
            "bubblewrap",
            "rftgym_sandboxes.bubblewrap:BubblewrapSandbox",
            "The local sandbox inside bubblewrap (bwrap)",
        ),
        SandboxSpec(
            "podman",
            "rftgym_sandboxes.podman:PodmanSandbox",
            "The local sandbox inside a podman container",
        ),
        SandboxSpec(
            "local",
            "rftgym.sandbox:LocalSandbox",
            "Forked processes behind what the kernel offers: namespaces, Landlock, filters, limits",
        ),
    ]
