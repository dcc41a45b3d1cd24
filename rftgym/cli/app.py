"""Click's part of the command line: finds commands on first use and turns errors into one line and an exit code."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence

import click

from rftgym.cli import COMMANDS, version_text
from rftgym.errors import RftgymError, UnknownIdError, UsageError
from rftgym.specs import CommandSpec

INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_NOTHING_SAID: type[click.ClickException] | tuple[()] = getattr(click.exceptions, "NoArgsIsHelpError", ())
"""Raised since Click 8.2 where a group of commands is called without one; Click 8.1 prints the help itself."""
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110, "show_default": True}


class App(click.Group):
    """``rftgym``: built-in commands from a table, others from plugins, none imported before it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Built-in commands in the order of the table, then those of plugins."""
        from rftgym.registry import installed

        return [*COMMANDS, *(id for id in installed().ids("command") if id not in COMMANDS)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """The command of this name.

        Raises:
            UsageError: there is none; says what was meant.
        """
        if cmd_name in COMMANDS:
            module, _, name = COMMANDS[cmd_name][0].partition(":")
            built_in: click.Command = getattr(importlib.import_module(module), name)
            return built_in
        return _plugin_command(cmd_name)

    def get_help(self, ctx: click.Context) -> str:
        """The same text that the instant path prints."""
        from rftgym.cli.catalog import help_text
        from rftgym.registry import installed

        return help_text(installed()).rstrip("\n")


def _plugin_command(name: str) -> click.Command:
    from rftgym.registry import installed

    plugins = installed()
    try:
        command: object = plugins.spec(CommandSpec, name).load()
    except UnknownIdError as error:
        close = difflib.get_close_matches(name, [*COMMANDS, *plugins.ids("command")], n=1)
        hint = f"did you mean {close[0]!r}?" if close else "`rftgym --help` shows all"
        raise UsageError(f"no command {name!r}; {hint}") from error
    if not isinstance(command, click.Command):
        raise RftgymError(f"command {name!r} of a plugin is {type(command).__name__}, not a click.Command")
    return command


def _print_version(context: click.Context, parameter: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(version_text(), nl=False)
        context.exit()


app = App(
    "rftgym",
    context_settings=CONTEXT,
    no_args_is_help=False,
    params=[
        click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
    ],
)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code.

    What goes wrong on purpose becomes one line on standard error; anything else is a bug and keeps its traceback.
    """
    try:
        result = app.main(args=list(arguments), prog_name="rftgym", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except _NOTHING_SAID as error:  # `rftgym export`: its help, as lines
        click.echo(error.format_message(), err=True)
        return UsageError.exit_code
    except click.ClickException as error:
        return _complain(error.format_message(), 2)
    except UnknownIdError as error:
        return _complain(f"{error}{_not_loaded()}", error.exit_code)
    except RftgymError as error:
        return _complain(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _complain("interrupted", INTERRUPTED)
    except SystemExit as error:  # click ends a command in another way
        if not {*arguments[:1]} & {*COMMANDS}:
            raise  # a plugin's command may end as it likes; below ours it was an environment or a reward, unasked
        return _complain(f"{_ended_by(error)} called sys.exit({error.code!r})", RftgymError.exit_code)
    except BrokenPipeError:
        return 0


def _not_loaded() -> str:
    from rftgym.cli.catalog import not_loaded
    from rftgym.registry import installed

    return not_loaded(installed())


def _ended_by(error: SystemExit) -> str:
    """The line that ended the process, as ``file:line (function)``."""
    import traceback

    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno} ({frame.name})"


def _complain(message: str, code: int) -> int:
    click.echo(f"rftgym: error: {' '.join(message.split())}", err=True)
    return code
