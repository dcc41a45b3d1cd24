"""The marked blocks of a page in docs: read, written to files, run as a reader would.

In a page, an HTML comment right before a fenced block marks it:

- ``<!-- run -->``: a ``bash`` or ``python`` block which must succeed. A page's blocks run in order in one empty folder.
- ``<!-- run slow -->``: the same, left to the slow tests.
- ``<!-- shell -->``: a ``console`` block: commands behind ``$ ``, each followed by what it prints. They run like the
  others and must print that; ``...`` stands for anything, and a command with no line below it may print anything.
  ``<!-- shell exit 2 -->`` expects that exit code of each of them. ``slow`` as above.
- ``<!-- file: NAME -->``: the block is written to that file in the folder.
- ``<!-- more file: NAME -->``: the block is added to that file, behind two empty lines.
- ``<!-- plugin file: NAME -->``: the block is written to where packages are installed, and the module or package that
  NAME begins with is a plugin there, of a distribution of its name.

What a block installs with pip goes to a folder of the page's own, without a network.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<language>\w*)")
MARK = re.compile(
    r"^ *<!-- (?P<what>run|run slow|shell( exit \d+)?( slow)?|(plugin |more )?file: [\w./-]+) -->$"
)
SITE = "site-packages"
"""Where a page's plugins are, in its folder."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``mark`` is what the comment before it says, or ""."""

    page: Path
    line: int
    language: str
    text: str
    mark: str

    @property
    def where(self) -> str:
        name = self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page
        return f"{name}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page, without the indentation that a list or an admonition gives them."""
    mark = ""
    lines = iter(enumerate(page.read_text(encoding="utf-8").splitlines(), start=1))
    for number, line in lines:
        if marked := MARK.match(line):
            mark = marked["what"]
        elif fence := FENCE.match(line):
            body = []
            for _, inside in lines:
                if inside.strip() == fence["ticks"]:
                    break
                body.append(inside.removeprefix(fence["indent"]))
            yield Block(page, number, fence["language"], "\n".join(body) + "\n", mark)
            mark = ""
        elif line.strip():
            mark = ""


def run(block: Block, folder: Path) -> None:
    """Run one marked block in a folder; fails with the page, the line and what was printed."""
    if "file: " in block.mark:
        write(block, folder)
    elif block.mark.startswith("shell"):
        run_session(block, folder)
    else:
        commands = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
        assert block.language in commands, f"{block.where}: a block marked to be run is bash or python"
        result = started([*commands[block.language], block.text], folder)
        assert result.returncode == 0, f"{block.where} exits {result.returncode}:\n{result.stdout}"


def write(block: Block, folder: Path) -> None:
    """Write a block to its file, and register it where it is a plugin's."""
    kind, _, name = block.mark.partition("file: ")
    file = (folder / SITE if kind == "plugin " else folder) / name
    file.parent.mkdir(parents=True, exist_ok=True)
    before = f"{file.read_text(encoding='utf-8')}\n\n" if kind == "more " else ""
    file.write_text(before + block.text, encoding="utf-8")
    if kind == "plugin ":
        install(folder / SITE, name.partition("/")[0].removesuffix(".py"))


def install(site: Path, module: str) -> None:
    """What pip leaves of a distribution that has one plugin: ``rftgym_x`` of ``rftgym-x`` is called ``x``."""
    metadata = site / f"{module}-0.1.dist-info"
    metadata.mkdir(exist_ok=True)
    name, plugin = module.replace("_", "-"), module.removeprefix("rftgym_").replace("_", "-")
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text(f"[rftgym]\n{plugin} = {module}\n")


def started(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a reader would, in a virtual environment; both of its outputs come as one, as in a terminal."""
    return subprocess.run(
        command,
        cwd=folder,
        env={
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONPATH": str(folder / SITE),
            "COLUMNS": "110",
            "PIP_TARGET": str(folder / SITE),
            "PIP_NO_INDEX": "1",
            "PIP_NO_DEPS": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it as: no isolation
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )


def session(text: str) -> Iterator[tuple[str, list[str]]]:
    """Commands of a ``console`` block, each with the lines that it should print."""
    command, expected, goes_on = "", list[str](), False
    for line in text.splitlines():
        if goes_on:
            command += f"\n{line}"
        elif line.startswith("$ "):
            if command:
                yield command, expected
            command, expected = line.removeprefix("$ "), []
        else:
            expected.append(line)
        goes_on = command.endswith("\\") and not expected
    yield command, expected


def printed_as(expected: list[str], output: str) -> bool:
    """Whether an output is what a page shows, blanks aside; ``...`` is anything, on a line of its own any lines."""
    pattern = "".join(
        r"(.*\n)*"
        if line.strip() == "..."
        else re.escape(" ".join(line.split())).replace(r"\.\.\.", ".*") + r"\n"
        for line in expected
    )
    lines = "".join(f"{' '.join(line.split())}\n" for line in output.rstrip().splitlines())
    return re.fullmatch(pattern, lines) is not None


def run_session(block: Block, folder: Path) -> None:
    """Type a ``console`` block's commands, and compare what they print."""
    assert block.language == "console", f"{block.where}: a session is a console block"
    code = int(found[1]) if (found := re.search(r"exit (\d+)", block.mark)) else 0
    for command, expected in session(block.text):
        result = started(["bash", "-euo", "pipefail", "-c", command], folder)
        assert result.returncode == code, (
            f"{block.where}: {command} exits {result.returncode}:\n{result.stdout}"
        )
        assert not expected or printed_as(expected, result.stdout), (
            f"{block.where}: {command} prints\n{result.stdout}\nand not\n" + "\n".join(expected)
        )


def is_run(block: Block) -> bool:
    """Whether the block is to be run, and not only written."""
    return block.mark.startswith(("run", "shell"))


def is_slow(block: Block) -> bool:
    """Whether that is left to the slow tests."""
    return block.mark.endswith(" slow")
