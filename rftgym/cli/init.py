"""``rftgym init``."""

from __future__ import annotations

import click

from rftgym.cli import options, output

KINDS = (
    "env",
    "reward",
    "trainer",
    "policy",
)  # said here too, so that --help imports nothing else; a test compares


@click.command("init")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("name", metavar="NAME")
@click.option("--dir", "directory", default=".", metavar="DIR", help="Where to make it.")
@click.option(
    "--single-file", is_flag=True, help="One file and no package, for a quick try: --env ./my_env.py:MyEnv."
)
@options.json_option
def command(kind: str, name: str, directory: str, single_file: bool, as_json: bool) -> None:
    """Begin a plugin that works as it is: an environment, a reward, a trainer or a policy.

    Makes the folder rftgym-NAME, an installable distribution with code, a test, a README and a CI file. NAME, say
    word-chain, becomes the id. What is there already is never touched.
    """
    from rftgym.scaffold import scaffold

    made = scaffold(kind, name, directory, single_file=single_file)
    if as_json:
        output.print_json(
            {
                "kind": made.kind,
                "id": made.id,
                "path": str(made.path),
                "files": list(made.files),
                "commands": list(made.commands),
            }
        )
        return
    click.echo(f"{made.path}")
    if not single_file:
        click.echo("".join(f"  {file}\n" for file in made.files), nl=False)
    click.echo("\nNext:\n" + "\n".join(f"  {line}" for line in made.commands))
