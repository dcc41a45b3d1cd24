"""Syntax trees are made by several threads at once, whatever the collector does meanwhile."""

from __future__ import annotations

import ast
import gc
import sys
import threading

import pytest

from rftgym.syntax import parse, parse_expression

SOURCE = (
    "def f(x):\n"
    + "".join(f"    y{i} = [x, (x + {i}, {{'a': -x}})]\n" for i in range(400))
    + "    return x\n"
)


class Churn:
    """Garbage whose end runs Python code, at which the interpreter may turn to another thread."""

    def __init__(self) -> None:
        self.me = self

    def __del__(self) -> None:
        sum(range(200))


def test_threads_do_not_collide() -> None:
    """With ``ast.parse`` on Python 3.11.7 most of the threads fail."""
    raised: list[Exception] = []

    def work() -> None:
        try:
            for _ in range(10):
                Churn()
                parse(SOURCE)
                parse_expression("[" * 20 + "]" * 20)
        except Exception as error:  # noqa: BLE001  # whatever it is, the assertion shows it
            raised.append(error)

    threshold, interval = gc.get_threshold(), sys.getswitchinterval()
    gc.set_threshold(50)
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        gc.set_threshold(*threshold)
        sys.setswitchinterval(interval)
    assert raised == []


def test_trees_and_errors_are_those_of_ast() -> None:
    assert ast.dump(parse(SOURCE)) == ast.dump(ast.parse(SOURCE))
    assert ast.dump(parse_expression("1 + a")) == ast.dump(ast.parse("1 + a", mode="eval").body)
    with pytest.raises(SyntaxError):
        parse("def f(:")
    with pytest.raises(SyntaxError):
        parse_expression("a = 1")
