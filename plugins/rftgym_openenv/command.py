"""``rftgym export openenv``."""

from __future__ import annotations

import contextlib

import click

from rftgym.cli import options
from rftgym.errors import MissingPackageError
from rftgym_openenv.listening import LARGEST_MESSAGE_BYTES, listener

LOOPBACK = ("127.0.0.1", "localhost", "::1")


@click.group("export")
def command() -> None:
    """Offer an environment to other frameworks."""


@command.command("openenv")
@click.argument("env")
@click.option(
    "--host",
    default="127.0.0.1",
    help="Address to listen at. Whoever reaches it may play: there is no login.",
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8000, help="Port to listen at; 0 takes a free one."
)
@click.option("--max-sessions", type=click.IntRange(1), default=256, help="Connections at a time.")
@options.config_options
@options.env_options
def serve_openenv(env: str, host: str, port: int, max_sessions: int) -> None:
    """Serve an environment as an OpenEnv server, until interrupted.

    ENV is whatever --env takes: an id, a mix, a file. Clients connect with openenv's GenericEnvClient, or as
    openenv:http://HOST:PORT from another rftgym; an action is {"completion": text}.
    """
    config = options.resolved([{"env": {"id": env}}, *options.layers()])
    from rftgym.registry import make_configured

    made = make_configured(config.env, config.rewards)
    listening = listener(host, port)
    try:
        import uvicorn

        from rftgym_openenv.serve import make_app
    except ImportError as error:
        raise MissingPackageError("export openenv", "openenv", "openenv", why=error) from error
    host, port = listening.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    click.echo(f"{env} at http://{shown}:{port} for {max_sessions} sessions at a time; Ctrl-C ends it")
    if host not in LOOPBACK:
        click.echo("anybody who reaches this address may play: there is no login", err=True)
    application = make_app(made, max_sessions=max_sessions)
    settings = uvicorn.Config(application, log_level="warning", ws_max_size=LARGEST_MESSAGE_BYTES)
    try:
        with contextlib.suppress(KeyboardInterrupt):  # that is how it ends
            uvicorn.Server(settings).run(sockets=[listening])
    finally:
        made.close()
