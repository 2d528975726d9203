"""The command `exemplar`; each verb imports what it needs, so that --help is quick."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import Fixable

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


@app.command()
def update(
    path: Annotated[Path, typer.Argument(help="The repository to update.")] = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether one is there: 0 no, 1 yes.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Also merge what changed in files that are yours.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Bring a repository to the newest template: preview, branch, merge, fast lane."""
    from .update import check as look
    from .update import update as bring

    raise typer.Exit(look(path) if check else bring(path, adopt=adopt, yes=yes))


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A release, another revision, or .")],
    new: Annotated[str, typer.Argument(help=". is the clone as it stands.")] = ".",
    patch: Annotated[bool, typer.Option("--patch", help="Every line.")] = False,
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="For a project with this answer; may be repeated."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Default: the clone that this runs from."),
    ] = None,
) -> None:
    """What changes for a project between two versions of the template, by owner."""
    from .difference import diff as compare

    raise typer.Exit(compare(old, new, template=template, answers=answer or [], patch=patch))


@app.command()
def release(
    version: Annotated[str, typer.Argument(help="For example 0.2.0")],
    template: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Default: the clone that this runs from.")
    ] = None,
) -> None:
    """Make a release of the template: version, changelog, update tests, commit, tag."""
    from .release import release as make

    raise typer.Exit(make(version, template))


@app.command()
def workflows(
    destination: Annotated[Path, typer.Argument(help="The folder, for example workflow-templates")],
    template: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Default: the clone that this runs from."),
    ] = None,
) -> None:
    """The template's workflows for an organisation's .github: for repositories not generated."""
    from .workflows import write

    raise typer.Exit(write(destination, template))


def run() -> None:
    """What the installed command runs: what a person can fix is one message and exit code 2."""
    try:
        app()
    except Fixable as problem:
        print(problem, file=sys.stderr)
        sys.exit(2)
