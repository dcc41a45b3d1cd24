"""The documents keep their word: marked blocks run, commands and options exist, links lead somewhere.

How a block is marked is said in :mod:`pages`.
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
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # tests are no package
from pages import ROOT, SITE, Block, blocks, is_run, is_slow, printed_as, run, session, write

sys.path.remove(str(Path(__file__).parent))

PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "envs/*/README.md", "trainers/*/README.md", "plugins/*/README.md")
    for page in ROOT.glob(pattern)
)
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:|#)(?P<target>[^)#\s]+)")


def pages_with(*, slow: bool) -> list[Path]:
    return [page for page in PAGES if any(is_run(b) and is_slow(b) == slow for b in blocks(page))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", pages_with(slow=False), ids=name_of)
def test_marked_blocks_run(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.mark and not is_slow(block):
            run(block, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", pages_with(slow=True), ids=name_of)
def test_marked_blocks_run_with_the_slow_ones(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.mark:
            run(block, tmp_path)


@functools.cache
def options_of(command: str, site: str) -> frozenset[str]:
    """The long options that ``rftgym COMMAND --help`` names; fails where there is no such command.

    Args:
        site: where the plugins of the page are, which may add commands.
    """
    arguments = [sys.executable, "-m", "rftgym", *command.split(), "--help"]
    wide = {**os.environ, "COLUMNS": "300", "PYTHONPATH": site}
    result = subprocess.run(arguments, capture_output=True, text=True, env=wide, check=False)
    assert result.returncode == 0, f"rftgym {command} --help: {result.stderr}"
    return frozenset(re.findall(r"--[a-z][a-z-]*", result.stdout)) | {"--help"}


def rftgym_commands(block: Block) -> Iterator[list[str]]:
    """The words of each ``rftgym ...`` command in a shell's block, up to a pipe or a redirection."""
    text = block.text
    if block.language == "console":
        text = "\n".join(command for command, _ in session(text))
    for line in text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
        lexer.whitespace_split = True
        for separator, group in itertools.groupby(lexer, key=lambda word: not word.strip("|&;<>")):
            words = [] if separator else list(group)
            while words and re.fullmatch(r"\w+=.*", words[0]):
                words.pop(0)  # variables set for one command
            if words and Path(words[0]).name == "rftgym":
                yield words[1:]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_and_options_exist(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.mark.startswith("plugin file: "):
            write(block, tmp_path)
    site = str(tmp_path / SITE) if (tmp_path / SITE).exists() else ""
    for block in blocks(page):
        if block.language not in ("bash", "console"):
            continue
        for words in rftgym_commands(block):
            named = 2 if words[:1] == ["export"] else 1  # a group of commands
            command = " ".join(itertools.takewhile(lambda word: not word.startswith("-"), words[:named]))
            used = {word.partition("=")[0] for word in words if word.startswith("--")}
            unknown = used - options_of(command, site)
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

    def test_a_file_may_come_in_pieces(self, tmp_path: Path) -> None:
        text = "<!-- file: a.py -->\n```python\nx = 1\n```\n<!-- more file: a.py -->\n```python\ny = 2\n```\n"
        for block in self.page(tmp_path, text):
            run(block, tmp_path)
        assert (tmp_path / "a.py").read_text() == "x = 1\n\n\ny = 2\n"

    def test_commands_are_found_behind_pipes_variables_and_continued_lines(self, tmp_path: Path) -> None:
        text = (
            "```bash\nA=1 .venv/bin/rftgym eval \\\n  --env 'x|y' | rftgym list --json  # --not this\n```\n"
        )
        (block,) = self.page(tmp_path, text)
        assert list(rftgym_commands(block)) == [["eval", "--env", "x|y"], ["list", "--json"]]

    def test_a_session_shows_what_its_commands_print(self, tmp_path: Path) -> None:
        text = "<!-- shell -->\n```console\n$ echo a  b; echo c\na b\n...\n$ echo \\\n   d\nd\n$ echo anything\n```\n"
        (block,) = self.page(tmp_path, text)
        assert list(session(block.text)) == [
            ("echo a  b; echo c", ["a b", "..."]),
            ("echo \\\n   d", ["d"]),
            ("echo anything", []),
        ]
        run(block, tmp_path)

    def test_a_session_that_prints_something_else_is_told(self, tmp_path: Path) -> None:
        (block,) = self.page(tmp_path, "<!-- shell -->\n```console\n$ echo a\nb\n```\n")
        with pytest.raises(AssertionError, match=r"page\.md:2: echo a prints\na\n"):
            run(block, tmp_path)

    def test_an_exit_code_is_compared(self, tmp_path: Path) -> None:
        (block,) = self.page(tmp_path, "<!-- shell exit 3 -->\n```console\n$ exit 3\n$ exit 2\n```\n")
        with pytest.raises(AssertionError, match="exit 2 exits 2"):
            run(block, tmp_path)

    @pytest.mark.parametrize(
        ("expected", "output", "same"),
        [
            (["a ... c"], "a b c\n", True),
            (["a", "..."], "a\n", True),
            (["a", "...", "d"], "a\nb\nc\nd\n", True),
            (["..."], "", True),
            (["a"], "a\nb\n", False),
            (["a", "...", "d"], "a\nb\n", False),
            (["[a] (b)"], "[a] (b)\n\n", True),
            (["a.c"], "abc\n", False),
        ],
    )
    def test_dots_stand_for_anything_and_for_nothing_else(
        self, expected: list[str], output: str, same: bool
    ) -> None:
        assert printed_as(expected, output) is same

    def test_a_plugin_file_is_a_plugin_of_the_page(self, tmp_path: Path) -> None:
        source = (
            "from rftgym import RewardSpec, hookimpl\n"
            "@hookimpl\ndef rftgym_rewards(): return [RewardSpec('x', 'y:z')]\n"
        )
        plugin = f"<!-- plugin file: rftgym_nothing/__init__.py -->\n```python\n{source}```\n\n"
        listed = (
            "<!-- shell -->\n```console\n$ rftgym list reward | grep nothing\n  x  rftgym-nothing 0.1\n```\n"
        )
        for block in self.page(tmp_path, plugin + listed):
            run(block, tmp_path)
