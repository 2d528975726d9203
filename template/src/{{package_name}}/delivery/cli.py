"""The commands of this repository; each verb imports what it needs, so that --help is quick."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from .pipeline import errors

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)
Because = Annotated[str | None, typer.Option(help="Why, for the record in docs/releases.md.")]
Name = Annotated[str | None, typer.Option(help="Who decides, for the record.")]


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
    """Every gate of a pull request: brief, stages, reports up to date, verdict."""
    from .check import main

    raise typer.Exit(main())


@app.command()
def champion() -> None:
    """Which model is in charge, since when, why, and what it would be worth."""
    from .promote import champion

    raise typer.Exit(champion())


@app.command()
def promote(
    refresh: Annotated[
        bool, typer.Option("--refresh", help="Also on the verdict refresh.")
    ] = False,
    because: Because = None,
    name: Name = None,
) -> None:
    """Put the challenger in charge, on main and if the verdict is ship; recorded and tagged."""
    from .promote import promote

    raise typer.Exit(promote(refresh=refresh, because=because, name=name))


@app.command()
def rollback(because: Because = None, name: Name = None) -> None:
    """Put back in charge what was there before the present champion; recorded and tagged."""
    from .promote import rollback

    raise typer.Exit(rollback(because=because, name=name))


@app.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A .csv or .parquet table.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The .parquet file to write.")],
    model: Annotated[Path, typer.Option(help="Folder of the model.")] = Path("models/champion"),
) -> None:
    """The champion's probabilities and the brief's action for every row of a table."""
    from .score import main

    raise typer.Exit(main(source, target, model))


if find_spec(f"{__package__}.record"):  # where a language model may be asked
    app.command()(import_module(f"{__package__}.record").record)


def run() -> None:
    """What the installed command runs."""
    errors.run(app)


if __name__ == "__main__":
    run()
