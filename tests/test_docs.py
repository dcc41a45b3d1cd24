"""The documents keep their word: marked blocks run, commands and options exist, links lead somewhere.

In a page, an HTML comment right before a fenced block marks it:

- ``<!-- run -->``: a ``bash`` or ``python`` block which must succeed. A page's blocks run in order in one empty folder.
- ``<!-- run slow -->``: the same, left to the slow tests.
- ``<!-- file: NAME -->``: the block is written to that file in the folder.
"""

from __future__ import annotations

import functools
import itertools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "envs/*/README.md", "trainers/*/README.md", "plugins/*/README.md")
    for page in ROOT.glob(pattern)
)
FENCE = re.compile(r"^(?P<indent> *)(?P<ticks>```+)(?P<language>\w*)")
MARK = re.compile(r"^ *<!-- (?P<what>run|run slow|file: (?P<file>[\w./-]+)) -->$")
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page; ``mark`` is "", "run", "run slow" or "file: NAME"."""

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
    if block.mark.startswith("file: "):
        file = folder / block.mark.removeprefix("file: ")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
        return
    commands = {"bash": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
    assert block.language in commands, f"{block.where}: a block marked to be run is bash or python"
    scripts = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    result = subprocess.run(
        [*commands[block.language], block.text],
        cwd=folder,
        env={**os.environ, "PATH": scripts},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, (
        f"{block.where} exits {result.returncode}:\n{result.stdout}\n{result.stderr}"
    )


def pages_with(*marks: str) -> list[Path]:
    return [page for page in PAGES if any(block.mark in marks for block in blocks(page))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages_with("run"), ids=name_of)
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.mark and block.mark != "run slow":
            run(block, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", pages_with("run slow"), ids=name_of)
def test_marked_blocks_run_with_the_slow_ones(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.mark:
            run(block, tmp_path)


@functools.cache
def options_of(command: str) -> frozenset[str]:
    """The long options that ``rftgym COMMAND --help`` names; fails where there is no such command."""
    arguments = [sys.executable, "-m", "rftgym", *command.split(), "--help"]
    wide = {**os.environ, "COLUMNS": "300"}
    result = subprocess.run(arguments, capture_output=True, text=True, env=wide, check=False)
    assert result.returncode == 0, f"rftgym {command} --help: {result.stderr}"
    return frozenset(re.findall(r"--[a-z][a-z-]*", result.stdout)) | {"--help"}


def rftgym_commands(block: Block) -> Iterator[list[str]]:
    """The words of each ``rftgym ...`` command in a bash block, up to a pipe or a redirection."""
    for line in block.text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        for separator, group in itertools.groupby(lexer, key=lambda word: not word.strip("|&;<>")):
            words = [] if separator else list(group)
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words.pop(0)  # variables set for one command
            if words and Path(words[0]).name == "rftgym":
                yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_exist(page: Path) -> None:
    for block in blocks(page):
        if block.language != "bash":
            continue
        for words in rftgym_commands(block):
            command = words[0] if words and not words[0].startswith("-") else ""
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            unknown = used - options_of(command)
            assert not unknown, f"{block.where}: rftgym {command} has no {', '.join(sorted(unknown))}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for block in blocks(page):
        if block.language == "bash":
            for target in re.findall(r"^make ([a-z-]+)", block.text, re.MULTILINE):
                assert target in targets, f"{block.where}: the Makefile has no target {target}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for block in blocks(page):
        text = text.replace(block.text, "")  # kernel[grid](x) is no link
    for target in LINK.findall(text):
        assert (page.parent / target).exists(), f"{name_of(page)} links to {target}, which is not there"


class TestConvention:
    """The checks above would notice."""

    def page(self, folder: Path, text: str) -> list[Block]:
        (folder / "page.md").write_text(text, encoding="utf-8")
        return list(blocks(folder / "page.md"))

    def test_a_mark_belongs_to_the_next_block_only(self, tmp_path: Path) -> None:
        text = "<!-- run -->\n\n```bash\na\n```\n\n```bash\nb\n```\n\n<!-- run slow -->\nWords\n\n```python\nc\n```\n"
        assert [block.mark for block in self.page(tmp_path, text)] == ["run", "", ""]

    def test_a_failing_block_is_named_by_page_and_line(self, tmp_path: Path) -> None:
        (block,) = self.page(tmp_path, "# Page\n\n<!-- run -->\n```bash\nfalse | cat\n```\n")
        with pytest.raises(AssertionError, match=r"page\.md:4 exits 1"):
            run(block, tmp_path)

    def test_files_are_there_for_the_blocks_behind_them(self, tmp_path: Path) -> None:
        file = "<!-- file: a/b.txt -->\n```text\nhello\n```\n\n"
        text = file + "<!-- run -->\n```python\nassert open('a/b.txt').read() == 'hello\\n'\n```\n"
        for block in self.page(tmp_path, text):
            run(block, tmp_path)

    def test_commands_are_found_behind_pipes_variables_and_continued_lines(self, tmp_path: Path) -> None:
        text = (
            "```bash\nA=1 .venv/bin/rftgym eval \\\n  --env 'x|y' | rftgym list --json  # --not this\n```\n"
        )
        (block,) = self.page(tmp_path, text)
        assert list(rftgym_commands(block)) == [["eval", "--env", "x|y"], ["list", "--json"]]
