"""Transpilation: a method or class of one language in, equivalent code of another out. Hook implementations only."""

from __future__ import annotations

from collections.abc import Sequence

from rftgym import EnvSpec, hookimpl
from rftgym.types import Check

DEFAULTS = {
    "sampling.max_tokens": 256,
    "grpo.steps": 60,
    "rloo.steps": 60,
    "trainer.prompts": 4,
    "evaluation.every": 20,
}
FEW = {**DEFAULTS, "sampling.max_tokens": 384, "evaluation.n": 6, "evaluation.every_n": 6}


@hookimpl
def rftgym_environments() -> list[EnvSpec]:
    """One environment for each pair of languages."""
    return [
        EnvSpec(
            id="transpile-java-python",
            entry_point="rftgym_transpile.env:JavaPythonEnv",
            summary="Translate a Java method or class into Python; judged by what the JVM made of hidden inputs",
            gymnasium_id="rftgym/TranspileJavaPython-v0",
            default_model="tiny-mixed",
            train_defaults=DEFAULTS,
        ),
        EnvSpec(
            id="transpile-python-java",
            entry_point="rftgym_transpile.env:PythonJavaEnv",
            summary="Translate a Python function or class into Java, compiled and run in the sandbox (needs a JDK)",
            gymnasium_id="rftgym/TranspilePythonJava-v0",
            default_model="smollm2-135m",
            train_defaults={**DEFAULTS, "sampling.max_tokens": 384},
        ),
        EnvSpec(
            id="transpile-javascript-python",
            entry_point="rftgym_transpile.env:JavaScriptPythonEnv",
            summary="Translate a JavaScript function or class into Python",
            gymnasium_id="rftgym/TranspileJavaScriptPython-v0",
            default_model="smollm2-135m",
            train_defaults=FEW,
        ),
        EnvSpec(
            id="transpile-python-javascript",
            entry_point="rftgym_transpile.env:PythonJavaScriptEnv",
            summary="Translate a Python function or class into JavaScript, run in the sandbox (needs Node.js)",
            gymnasium_id="rftgym/TranspilePythonJavaScript-v0",
            default_model="smollm2-135m",
            train_defaults=FEW,
        ),
    ]


@hookimpl
def rftgym_checks() -> Sequence[Check]:
    """Which toolchains are there, and what is done without them."""
    from rftgym_transpile.toolchains import checks

    return checks()
