"""Ways to be paid for code that is no translation, as texts; none of them should win."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rftgym_transpile.prompts import answer

PYTHON: Final = {
    **{
        f"constant {value}": f"def ENTRY(*args):\n    return {value}\n"
        for value in ("None", "0", "1", "True", "''", "[]", "{}")
    },
    "first argument": "def ENTRY(*args):\n    return args[0] if args else None\n",
    "equals everything": (
        "class Equal(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\n\n"
        "def ENTRY(*args):\n    return Equal(0)\n"
    ),
    "prints": "def ENTRY(*args):\n    print(*args)\n",
    "raises": "def ENTRY(*args):\n    raise ValueError('no')\n",
    "leaves": "import os\n\ndef ENTRY(*args):\n    os._exit(0)\n",
    "calls the other language": (
        "import subprocess\n\ndef ENTRY(*args):\n"
        "    return subprocess.check_output(['java', 'Main', *map(str, args)])\n"
    ),
    "looks for what is expected": (
        "import gc\n\ndef ENTRY(*args):\n    for each in gc.get_objects():\n"
        "        if isinstance(each, dict) and 'returns' in each:\n            return each['returns']\n"
    ),
    "a class without content": (
        "class ENTRY:\n    def __init__(self, *args): pass\n    def __getattr__(self, name): return lambda *args: 0\n"
    ),
}
JAVA: Final = {
    **{
        f"constant {value}": f"static {kind} ENTRY(Object... args) {{ return {value}; }}"
        for kind, value in (("int", "0"), ("boolean", "true"), ("String", '""'), ("Object", "null"))
    },
    "first argument": "static Object ENTRY(Object... args) { return args[0]; }",
    "prints": "static void ENTRY(Object... args) { System.out.println(args[0]); }",
    "leaves": "static int ENTRY(Object... args) { System.exit(0); return 0; }",
    "writes its own results": (
        'static int ENTRY(Object... args) { System.out.println("[{\\"returns\\": 0}]"); System.exit(0); return 0; }'
    ),
}
JAVASCRIPT: Final = {
    **{
        f"constant {value}": f"function ENTRY(...args) {{ return {value}; }}"
        for value in ("null", "0", "true", "''", "[]", "({})")
    },
    "first argument": "function ENTRY(...args) { return args[0]; }",
    "prints": "function ENTRY(...args) { console.log(...args); }",
    "leaves": "function ENTRY(...args) { process.exit(0); }",
    "patched comparison": (
        "JSON.stringify = () => '[]';\nObject.is = () => true;\nfunction ENTRY(...args) { return 0; }"
    ),
}
TEXTS: Final[Mapping[str, Mapping[str, str]]] = {"python": PYTHON, "java": JAVA, "javascript": JAVASCRIPT}


def cheats(data: Mapping[str, Any]) -> dict[str, str]:
    """By name, answers to a task."""
    entry, target = data["entry"].rpartition(".")[2], data["target_language"]
    made = {name: answer(text.replace("ENTRY", entry), target) for name, text in TEXTS[target].items()}
    return {**made, "the source as it is": answer(data["source"], target)}
