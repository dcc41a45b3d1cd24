"""Ways to be paid for an answer whose kernel does nothing, as texts; ``tests/triton_battery`` has hundreds more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

HEAD: Final = "import torch\nimport triton\nimport triton.language as tl\n\n"
IDLE: Final = """\
@triton.jit
def kernel(x_ptr, out_ptr, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    ok = i < n
    x = tl.load(x_ptr + i, mask=ok)
    tl.store(out_ptr + i, VALUE, mask=ok)

"""
LAUNCH: Final = """\
    FIRST = FIRST.contiguous()
    out = torch.empty_like(FIRST)
    n = out.numel()
    if n > 0:
        kernel[(triton.cdiv(n, 1024),)](FIRST, out, n, BLOCK=1024)
"""
WRAPPERS: Final = {
    "no launch": "    return torch.empty_like(FIRST)\n",
    "input handed back": "    return FIRST\n",
    "torch does the work": f"{LAUNCH}    return reference(ARGS)\n",
    "torch after the kernel": f"{LAUNCH}    out.copy_(reference(ARGS))\n    return out\n",
    "falls back": (
        "    try:\n        raise RuntimeError\n    except Exception:\n        return reference(ARGS)\n"
        f"{LAUNCH}    return out\n"
    ),
    "leaves": "    import sys\n    sys.exit(0)\n",
    "leaves at once": "    import os\n    os._exit(0)\n",
    "prints": "    print('PASSED', '{\"success\": true}')\n    return FIRST\n",
    "by name": "    return getattr(torch, 'NAME', lambda *a: a[0])(ARGS)\n",
    "patched comparison": "    torch.allclose = lambda *a, **k: True\n    return torch.zeros_like(FIRST)\n",
    "reads the judge": (
        "    import sys\n    frame = sys._getframe()\n    while frame:\n        if 'expected' in frame.f_locals:\n"
        "            return frame.f_locals['expected']\n        frame = frame.f_back\n    return FIRST\n"
    ),
}
VALUES: Final = {"zeros": "x * 0.0", "ones": "x * 0.0 + 1.0", "copy": "x", "noise": "x * 1.5 + 0.25"}


def cheats(data: Mapping[str, Any]) -> dict[str, str]:
    """By name, answers to a problem; the reference is in its prompt."""
    signature = data["signature"]
    arguments = signature.partition("(")[2].removesuffix(")")
    names = [each.partition("=")[0].strip() for each in arguments.split(",")]
    reference = data["reference"].replace(f"def {data['name']}(", "def reference(")

    def module(value: str, body: str, *, more: str = "") -> str:
        kernel = IDLE.replace("VALUE", value)
        text = body.replace("FIRST", names[0]).replace("ARGS", ", ".join(names)).replace("NAME", data["name"])
        return f"<kernel>\n{HEAD}{more}{kernel}def {signature}:\n{text}</kernel>"

    found = {
        f"kernel of {name}": module(value, f"{LAUNCH}    return out\n") for name, value in VALUES.items()
    }
    found |= {
        name: module("x", body, more=f"{reference}\n" if "reference(" in body else "")
        for name, body in WRAPPERS.items()
    }
    found["kernel that does not compile"] = module("x + nowhere", f"{LAUNCH}    return out\n")
    return found
