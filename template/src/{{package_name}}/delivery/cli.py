"""The commands of this repository; each verb imports what it needs, so that --help is quick."""

import typer

from .pipeline import errors

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)


@app.callback()
def commands() -> None:
    """From a brief that the business can read to a model that is delivered."""


@app.command()
def start() -> None:
    """Git, environment, pipeline, first commit, then the decision; run it as often as you like."""
    from .start import main

    raise typer.Exit(main())


@app.command()
def check() -> None:
    """The gates that a pull request has to pass: brief, stages, reports, decision."""
    from .check import main

    raise typer.Exit(main())


def run() -> None:
    """What the installed command runs."""
    errors.run(app)
