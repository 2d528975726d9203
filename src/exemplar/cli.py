"""The command `exemplar`; each verb imports what it needs, so that --help is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import Mendable

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)


def version(wanted: bool) -> None:
    """Print the version and stop."""
    if wanted:
        from importlib.metadata import version as installed

        typer.echo(f"exemplar {installed('exemplar')}")
        raise typer.Exit


@app.callback()
def commands(
    _version: Annotated[
        bool, typer.Option("--version", callback=version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Repositories for machine-learning teams, in which a brief decides what ships."""


@app.command()
def new(
    destination: Annotated[Path, typer.Argument(help="The folder to make, for example ../churn")],
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Answer one question; may be repeated."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Default: the clone that this runs from."),
    ] = None,
) -> None:
    """Make a repository and run it: git, environment, pipeline, first commit, decision."""
    from .new import make

    raise typer.Exit(make(destination, answer or [], defaults=defaults, template=template))


def run() -> None:
    """What the installed command runs: what a person can mend is one message and exit code 2."""
    try:
        app()
    except Mendable as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
