"""What ``rftgym init`` can begin, and which part of the example distribution is the model for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One part of the example distribution.

    Attributes:
        name: of the extension point: "env".
        id: under which the example registers its own.
        hook: of the plugin's module that registers it.
        module: the file that holds it; its test is ``test_`` and the same name.
        package_commands: what to do next with a package; ``{id}`` is its id, ``{folder}`` where it is.
        file_commands: the same with a single file.
        suffix: what its class's name ends with.
        snake_case: it is a function, and no class.
    """

    name: str
    id: str
    hook: str
    module: str
    package_commands: tuple[str, ...]
    file_commands: tuple[str, ...]
    suffix: str = ""
    snake_case: bool = False


INSTALL = "pip install -e {folder}"
OF_A_REWARD = (
    "rftgym eval --env wordle --reward {id}=0.2 -n 32",
    "rftgym train --env wordle --reward {id}=0.2 --steps 2",
)
KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "env",
            "sort-digits",
            "rftgym_environments",
            "env.py",
            (INSTALL, "rftgym check {id}", "rftgym audit {id}", "rftgym train --env {id} --steps 2"),
            ("rftgym check {id}", "rftgym audit {id}", "rftgym train --env {id} --steps 2"),
            suffix="Env",
        ),
        Kind(
            "reward",
            "no-shouting",
            "rftgym_rewards",
            "reward.py",
            (INSTALL, "rftgym check {id}", *OF_A_REWARD),
            ("rftgym check {id}", *OF_A_REWARD),
            snake_case=True,
        ),
        Kind(
            "trainer",
            "best-of-group",
            "rftgym_trainers",
            "trainer.py",
            (INSTALL, "rftgym info {id}", "rftgym train --env wordle --trainer {id} --steps 2"),
            (
                "rftgym train --env wordle --trainer {id} --steps 2",
                "rftgym train --env wordle --trainer {id} --steps 20 --set trainer.group_size=16",
                "rftgym train --env wordle --trainer grpo --steps 20",
            ),
        ),
        Kind(
            "policy",
            "prompt-parrot",
            "rftgym_policies",
            "policy.py",
            (INSTALL, "rftgym info {id}", "rftgym eval --env wordle --model {id} -n 32"),
            (
                "rftgym eval --env wordle --model {id} -n 32",
                "rftgym eval --env wordle --model {id} -n 32 --temperature 0",
                "rftgym eval --env wordle --model tiny -n 32",
            ),
        ),
    )
}
