"""Reading entry points without importlib.metadata: the same answers, and that module where folders are not enough."""

from __future__ import annotations

import importlib.metadata
import sys
import zipfile
from pathlib import Path

import pytest

from rftgym.entrypoints import EntryPoint, installed_entry_points


def distribution(
    root: Path, name: str, entries: str, *, version: str = "1.0", suffix: str = "dist-info"
) -> Path:
    """An installed distribution, as far as metadata go."""
    folder = root / f"{name.replace('-', '_')}-{version}.{suffix}"
    folder.mkdir(parents=True)
    headers = "METADATA" if suffix == "dist-info" else "PKG-INFO"
    (folder / headers).write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nName: not this\n"
    )
    (folder / "entry_points.txt").write_text(entries)
    return root


def as_tuples(
    found: list[EntryPoint] | list[importlib.metadata.EntryPoint],
) -> list[tuple[str, str, str, str]]:
    return sorted(
        (e.name, e.value, e.dist.name if e.dist else "", e.dist.version if e.dist else "") for e in found
    )


@pytest.mark.parametrize("group", ["rftgym", "console_scripts", "pytest11", "no.such.group"])
def test_agrees_with_importlib_metadata_about_what_is_installed_here(group: str) -> None:
    assert as_tuples(installed_entry_points(group)) == as_tuples(
        list(importlib.metadata.entry_points(group=group))
    )


@pytest.mark.parametrize("suffix", ["dist-info", "egg-info"])
def test_reads_sections_comments_and_extras_as_packaging_writes_them(tmp_path: Path, suffix: str) -> None:
    text = (
        "# a comment\n[other]\nx = y\n\n[ rftgym ]\n; another\nplain = os\n attribute=os.path : join [extra]\n"
        "[rftgym.x]\nz = no\n"
    )
    root = distribution(tmp_path, "some-thing", text, version="2.3", suffix=suffix)
    found = installed_entry_points("rftgym", [str(root)])
    assert [(e.name, e.dist.name, e.dist.version) for e in found if e.dist] == [
        ("plain", "some-thing", "2.3"),
        ("attribute", "some-thing", "2.3"),
    ]
    assert [e.load().__name__ for e in found] == ["os", "join"]


def test_of_two_distributions_of_one_name_the_first_on_the_path_counts(tmp_path: Path) -> None:
    first = distribution(tmp_path / "first", "Some.Thing", "[rftgym]\na = os\n", version="1.0")
    second = distribution(tmp_path / "second", "some-thing", "[rftgym]\nb = os\n", version="2.0")
    path = [str(first), str(tmp_path / "is-not-there"), str(second)]
    assert [e.name for e in installed_entry_points("rftgym", path)] == ["a"]
    assert [e.name for e in installed_entry_points("rftgym", path[::-1])] == ["b"]


def test_zip_files_are_left_to_importlib_metadata(tmp_path: Path) -> None:
    wheel = tmp_path / "thing.zip"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        file.writestr("thing-1.0.dist-info/entry_points.txt", "[rftgym]\nzipped = os\n")
    folder = distribution(tmp_path / "folder", "other", "[rftgym]\nplain = os\n")
    found = installed_entry_points("rftgym", [str(wheel), str(folder)])
    assert as_tuples(found) == [("plain", "os", "other", "1.0"), ("zipped", "os", "thing", "1.0")]


def test_import_hooks_that_find_distributions_are_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hidden = distribution(tmp_path, "hidden", "[rftgym]\nhooked = os\n")

    class Hook(importlib.metadata.DistributionFinder):
        def find_spec(self, *arguments: object) -> None:
            return None

        def find_distributions(self, context: object = None) -> list[importlib.metadata.Distribution]:
            return [importlib.metadata.PathDistribution(next(hidden.iterdir()))]

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Hook()])
    assert "hooked" in [e.name for e in installed_entry_points("rftgym")]
