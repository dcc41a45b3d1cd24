"""``python -m rftgym_chess.build --seed 0``: make the data anew."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from rftgym_chess.build import play
from rftgym_chess.build.analyst import Analyst
from rftgym_chess.build.puzzles import Finder, found

DATA = Path(__file__).parent.parent / "data"


@click.command()
@click.option("--seed", default=0, show_default=True, help="Of the games in which positions are looked for.")
@click.option("--only", type=click.Choice(["puzzles", "games"]), help="Make one of the two files.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=DATA, help="Folder for the files."
)
def main(seed: int, only: str | None, out: Path) -> None:
    """Make the data of the chess environments anew.

    The same seed and version of Stockfish give the same files. Takes about a quarter of an hour of one processor core.
    """
    with Analyst() as analyst:
        click.echo(f"{analyst.name}, seed {seed}")
        if only != "games":
            save = partial(_write, out / "puzzles.jsonl")
            rows = Finder(analyst, seed, click.echo, save).find()
            save(rows)
            for line in found(rows):
                click.echo(line)
        if only != "puzzles":
            save = partial(_write, out / "games.jsonl")
            save(play.rows(analyst, seed, click.echo, save))


def _write(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    lines = (json.dumps(row, separators=(",", ":")) for row in rows)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    main()
