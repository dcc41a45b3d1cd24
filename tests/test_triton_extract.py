"""Stage 1 of the kernel judge: what is read out of an answer, and what is refused by its syntax alone."""

from __future__ import annotations

import ast
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rftgym_triton_kernels.extract import extract, find_source
from rftgym_triton_kernels.verdict import Refused

HEAD = "import torch\nimport triton\nimport triton.language as tl\nimport math, os\n"
WRAPPER = "def f(x):\n    out = torch.empty_like(x)\n    k[(1,)](x, out, 4, N=4)\n    return out\n"


def kernel(
    body: str, *, before: str = "", parameters: str = "x, out, n, N: tl.constexpr", decorator="@triton.jit"
):
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return f"{HEAD}{before}\n{decorator}\ndef k({parameters}):\n{lines}\n{WRAPPER}"


def refusal(source: str) -> Refused:
    with pytest.raises(Refused) as caught:
        extract(source, "f", ("x",))
    return caught.value


STORE = "i = tl.arange(0, N)\ntl.store(out + i, tl.load(x + i, mask=i < n), mask=i < n)"


def test_what_comes_out_is_a_module_of_kernels_only():
    found = extract(
        kernel(STORE, before="C: tl.constexpr = 2 * 8\nD = tl.constexpr(math.log(2))"), "f", ("x",)
    )
    module = ast.parse(found.module())
    functions = [node.name for node in module.body if isinstance(node, ast.FunctionDef)]
    assert functions == ["k"] and found.kernels["k"].parameters == ("x", "out", "n", "N")
    assert found.kernels["k"].constexprs == {"N"}
    assert found.constants["C"] == "C = tl.constexpr(16)" and found.constants["D"].startswith(
        "D = tl.constexpr(0.69"
    )
    assert all(found.formatting.values()) and found.wrapper == ("x",)


@pytest.mark.parametrize(
    "imports",
    [
        "import triton.language as T\n",
        "from triton import language as T\n",
        "T = triton.language\n",
    ],
)
def test_other_names_for_the_language_become_the_canonical_one(imports):
    body = "i = T.arange(0, N)\nT.store(out + i, T.load(x + i))"
    found = extract(kernel(body, before=imports, parameters="x, out, n, N: T.constexpr"), "f", ("x",))
    assert "tl.arange" in found.module() and "T." not in found.kernels["k"].source


@pytest.mark.parametrize(
    "imports",
    [
        "from triton.language.extra import libdevice",
        "from triton.language.extra.cuda import libdevice",
        "import triton.language.extra.cuda.libdevice as libdevice",
    ],
)
def test_libdevice_has_one_name(imports):
    body = "i = tl.arange(0, N)\ntl.store(out + i, libdevice.tanh(tl.load(x + i)))"
    assert "libdevice.tanh" in extract(kernel(body, before=imports), "f", ("x",)).module()


def test_decorators_of_triton_are_understood_and_dropped():
    tuned = (
        "@triton.autotune(configs=[triton.Config({'N': 4})], key=['n'])\n@triton.jit(do_not_specialize=['n'])"
    )
    found = extract(kernel(STORE, decorator=tuned), "f", ("x",))
    assert "autotune" not in found.module() and found.kernels["k"].unspecialised == {"n"}


def test_a_kernel_brings_along_what_it_calls_and_nothing_else():
    before = "@triton.jit\ndef helper(v):\n    return v + 1\n\n@triton.jit\ndef other(v):\n    return v\n"
    body = "i = tl.arange(0, N)\ntl.store(out + i, helper(tl.load(x + i)))"
    found = extract(kernel(body, before=before), "f", ("x",))
    assert "def helper" in found.module(frozenset({"k"})) and "def other" not in found.module(
        frozenset({"k"})
    )


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("torch.exp(x)", "cheat"),
        ("os.system('true')", "cheat"),
        ("open('/etc/passwd')", "cheat"),
        ("__import__('os')", "cheat"),
        ("import os", "cheat"),
        ("y = [v for v in x]", "cheat"),
        ("y = (lambda: 1)()", "cheat"),
        ("x.__class__.__mro__", "cheat"),
        ("tl.core", "cheat"),
        ("tl._experimental", "cheat"),
        ("tl.inline_asm_elementwise('', '', [], tl.float32, True, 1)", "cheat"),
        ("f(x)", "cheat"),
        ("global n\nn = 1", "cheat"),
        ("try:\n    pass\nexcept ValueError:\n    pass", "cheat"),
        ("with x:\n    pass", "cheat"),
        ("tl.exp = tl.sin", "cheat"),
        ("y = f'{x}'", "cheat"),
        ("nowhere + 1", "compile"),
        ("y = x.frobnicate()", "compile"),
        ("y = 1j", "compile"),
        ("y = b''", "compile"),
        ("y = PLAIN + 1", "compile"),
        ("tl = 3", "compile"),
        ("y = tl.math.special.exp(x)", "compile"),
        ("y = triton.testing.do_bench(x)", "compile"),
    ],
)
def test_a_body_that_is_no_kernel_is_refused_and_says_where(body, kind):
    found = refusal(kernel(f"{body}\n{STORE}", before="PLAIN = 3\n"))
    assert (found.stage, found.kind) == ("extract", kind)
    assert "kernel k" in found.message


@pytest.mark.parametrize(
    ("source", "kind", "words"),
    [
        (HEAD + WRAPPER, "format", "no @triton.jit"),
        (kernel(STORE).replace("def f(", "def g("), "format", "no function f"),
        (kernel(STORE) + "def broken(:\n", "format", "line"),
        ("\0", "format", "null"),
        ("x = " + "(" * 300 + ")" * 300, "format", ""),
        ("-" * 5000 + "1", "format", ""),
        ("x = 1\n" * 20_000, "format", "characters"),
        (f"x = 0x{'f' * 6000}\n", "format", "bits"),
        (kernel(STORE, before="@triton.jit\ndef k(x):\n    pass\n"), "cheat", "two kernels"),
        (kernel(STORE, decorator="@print\n@triton.jit"), "cheat", "decorator"),
        (kernel(STORE, parameters="x, out, n, N: tl.constexpr = print()"), "cheat", "default"),
        (kernel(STORE, parameters="*x"), "compile", "args"),
        (kernel(STORE, parameters="tl, out, n, N"), "compile", "hides"),
    ],
)
def test_an_answer_that_cannot_be_read_says_why(source, kind, words):
    found = refusal(source)
    assert found.kind == kind and words in found.message


@pytest.mark.parametrize(
    ("completion", "source", "tagged"),
    [
        ("<kernel>\na\n</kernel>", "a", True),
        ("thinking <kernel>a</kernel> no, <kernel>\nb\n</kernel> done", "b", True),
        ("<think><kernel>a</kernel></think><kernel>b</kernel>", "b", True),
        ("<kernel>\n```python\na\n```\n</kernel>", "a", True),
        ("Here:\n```python\na\n```\n", "a", False),
        ("<code>a</code>", "a", False),
        ("So:\nimport torch\nx = 1", "import torch\nx = 1", False),
        ("I cannot do that.", None, False),
        ("", None, False),
    ],
)
def test_code_is_found_where_models_put_it(completion, source, tagged):
    assert find_source(completion) == (source, tagged)


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(text):
    find_source(text)
    found = refusal(text)
    assert found.stage == "extract" and "\n" not in found.message.replace("\\n", "")


@pytest.mark.parametrize(
    ("before", "inside", "words"),
    [
        ("import gc", "gc.collect()", "uses gc"),
        ("import sys as s", "s.exit()", "uses sys"),
        ("", "torch.os.kill(1, 9)", "uses .os"),
        ("", "'{0.__class__}'.format(x)", "reaches for a dunder"),
        ("from os import *", "system('true')", "everything of os"),
        ("from inspect import stack", "stack()", "uses inspect.stack"),
        ("", "open('/etc/passwd')", "uses open"),
        ("", "eval('1')", "uses eval"),
        ("", "__builtins__", "uses __builtins__"),
        ("", "x.__class__", "uses .__class__"),
        ("", "torch.allclose = print", "sets .allclose"),
        ("torch.Tensor.__eq__ = print", "pass", "sets .__eq__"),
        ("cache = {}", "cache[0] = x", "keeps cache"),
        ("cache = {}", "cache.setdefault(0, x)", "keeps cache"),
        ("calls = 0", "global calls", "keeps calls"),
        ("", "torch.cuda.stream(torch.cuda.Stream())", "leaves the current stream"),
        ("", "triton.jit(print)", "made at run time"),
        ("def k(x):\n    return x", "pass", "k is a kernel"),
    ],
)
def test_a_wrapper_has_no_use_for_this(before, inside, words):
    wrapper = WRAPPER.replace("    out =", f"    {inside}\n    out =", 1)
    found = refusal(kernel(STORE, before=before).replace(WRAPPER, wrapper))
    assert found.kind == "cheat" and words in found.message


@pytest.mark.parametrize(
    "more",
    [
        "import os, sys, gc, time\n",
        "import logging\nlog = logging.getLogger(__name__)\nimport os\nDEBUG = os.environ.get('DEBUG', '0')\n",
        "from dataclasses import dataclass\n@dataclass\nclass Shape:\n    rows: int = 1\n",
        "torch.backends.cuda.matmul.allow_tf32 = True\n",
        "import numpy as np\nSIZE = np.prod([2, 2])\n",
        "class Layer(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.n = 1\n",
        "if __name__ == '__main__':\n    import sys\n    sys.exit(0)\n",
        "def helper(shape):\n    sizes = []\n    sizes.append(1)\n    sizes[0] = 2\n    return sizes\n",
        "import functools\n@functools.lru_cache\ndef block(n):\n    return triton.next_power_of_2(n)\n",
    ],
)
def test_honest_habits_are_left_alone(more):
    assert extract(kernel(STORE) + more, "f", ("x",)).kernels


def test_a_completion_is_searched_in_linear_time():
    start = time.perf_counter()
    find_source("<kernel>" * 30_000)
    assert time.perf_counter() - start < 0.5
