"""The command `exemplar`; each verb imports what it needs, so that --help is quick."""

import io
import sys
from pathlib import Path
from typing import Annotated

import typer

from .errors import Fixable

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)


def print_version(is_requested: bool) -> None:
    """Print the version and stop."""
    if is_requested:
        from importlib.metadata import version

        typer.echo(f"exemplar {version('exemplar')}")
        raise typer.Exit


@app.callback()
def commands(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=print_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Repositories for machine-learning teams, in which a brief decides what ships."""


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def new(
    context: typer.Context,
    destination: Annotated[Path, typer.Argument(help="The folder to make, for example ../churn")],
    defaults: Annotated[bool, typer.Option("--defaults", help="Ask nothing.")] = False,
    answer: Annotated[
        list[str] | None,
        typer.Option(metavar="KEY=VALUE", help="Answer one question; may be repeated."),
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(
            metavar="PATH_OR_URL",
            help="What Copier takes, gh:OWNER/NAME too. Default: where this runs from.",
        ),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Begin with this table, and no simulation.")
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="The column of it that is predicted.")
    ] = None,
) -> None:
    """Make a repository and run it: git, environment, pipeline, first commit, decision.

    With --table and --target it begins with a table of your own. More options are then those of
    the new repository's `adopt`: --entity, --time, --segment, --yes and the like.
    """
    from .new import Adoption, create_repository

    if (table is None) != (target is None):
        raise Fixable("--table and --target: expected both, found one of them.")
    if table is None and context.args:
        context.fail(f"No such option or argument: {' '.join(context.args)}")
    adoption = None
    if table is not None and target is not None:
        asks_nothing = ["--yes"] if defaults and "--yes" not in context.args else []
        adoption = Adoption(table.absolute(), target, [*context.args, *asks_nothing])
    raise typer.Exit(
        create_repository(
            destination, answer or [], defaults=defaults, template=template, adoption=adoption
        )
    )


@app.command()
def update(
    path: Annotated[Path, typer.Argument(help="The repository to update.")] = Path(),
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether there is an update: 0 no, 1 yes.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Also merge what changed in files that are yours.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
) -> None:
    """Bring a repository to the newest template: preview, branch, merge, fast lane."""
    from . import update as verb

    raise typer.Exit(
        verb.check_for_update(path) if check else verb.update(path, adopt=adopt, yes=yes)
    )


@app.command()
def diff(
    old: Annotated[str, typer.Argument(help="A release, another revision, or .")],
    new: Annotated[str, typer.Argument(help=". is the clone with what is not committed.")] = ".",
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
    """Show what changes for a project between two versions of the template, by owner."""
    from . import difference

    raise typer.Exit(
        difference.diff(old, new, template=template, answers=answer or [], patch=patch)
    )


@app.command()
def release(
    version: Annotated[str, typer.Argument(help="For example 0.2.0")] = "",
    template: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Default: the clone that this runs from.")
    ] = None,
    tags: Annotated[
        bool, typer.Option("--tags", help="Only tag the releases that landed without a tag.")
    ] = False,
) -> None:
    """Make a release of the template: version, changelog, update tests, commit, tag."""
    from . import release as verb

    raise typer.Exit(verb.tag_landed(template) if tags else verb.release(version, template))


@app.command()
def workflows(
    destination: Annotated[Path, typer.Argument(help="The folder, for example workflow-templates")],
    template: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Default: the clone that this runs from."),
    ] = None,
) -> None:
    """Write the template's workflows for an organisation's .github: for other repositories."""
    from .workflows import write_workflows

    raise typer.Exit(write_workflows(destination, template))


@app.command()
def review(
    paths: Annotated[list[Path], typer.Argument(help="Repositories, generated or not.")],
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write it as JSON; - is here.")
    ] = None,
    host: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="What gh api wrote: rules or check runs."),
    ] = None,
    since: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier --json: say what moved.")
    ] = None,
    all_checks: Annotated[
        bool, typer.Option("--all", help="Every check, and where its evidence stands.")
    ] = False,
) -> None:
    """Say which practices a repository has, and which are shown to work; nothing of it is run."""
    from . import review as verb

    raise typer.Exit(
        verb.review(
            paths, json_file=json_file, host_files=host or [], since=since, with_all=all_checks
        )
    )


@app.command()
def fleet(
    paths: Annotated[list[Path] | None, typer.Argument(help="Repositories.")] = None,
    list_file: Annotated[
        Path | None, typer.Option("--from", metavar="LIST", help="A file, a folder on each line.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write it as JSON; - is here.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write one page that needs nothing else.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option(metavar="FILE", help="An earlier --json: say what moved.")
    ] = None,
    template: Annotated[
        str | None,
        typer.Option(metavar="PATH_OR_URL", help="Default: the clone that this runs from."),
    ] = None,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="Also whether the next update conflicts; slower.")
    ] = False,
) -> None:
    """Show a row for each repository: owner, verdict, champion, score, how far behind."""
    from . import fleet as verb

    raise typer.Exit(
        verb.fleet(
            paths or [],
            list_file=list_file,
            json_file=json_file,
            html_file=html,
            since=since,
            template=template,
            conflicts=conflicts,
        )
    )


def run() -> None:
    """Run the installed command; an error that a person can fix is one message and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding != "utf-8":
            stream.reconfigure(errors="replace")  # for a terminal that lacks a character
    try:
        app()
    except Fixable as error:
        print(error, file=sys.stderr)
        sys.exit(2)
