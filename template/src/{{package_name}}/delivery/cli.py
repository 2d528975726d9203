"""The commands of this repository; each verb imports what it needs, so that --help is quick."""

import os
from collections.abc import Callable
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from .edge import errors

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_show_locals=False)
ROOMS = Path(__file__).parent
Because = Annotated[str | None, typer.Option(help="Why, for the record in docs/releases.md.")]
Name = Annotated[str | None, typer.Option(help="Who decides, for the record.")]


Verb = Callable[..., None]


def verb(room: str) -> Callable[[Verb], Verb]:
    """Offer a verb only where the room that it needs was not deleted."""
    return app.command() if (ROOMS / room / "__init__.py").exists() else lambda function: function


@app.callback()
def commands() -> None:
    """From a brief that the business can read to a model that is delivered."""


@app.command()
def start() -> None:
    """Git, environment, pipeline, first commit, then the decision; run it as often as you like."""
    from .start import main

    raise typer.Exit(main())


@verb("adopt")
def adopt(
    source: Annotated[
        Path, typer.Argument(help="A table: .csv, .parquet, .jsonl, a folder of them, ….")
    ],
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="What is predicted.")] = None,
    entity: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Who or what a row is about.")
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="When a row was known.")
    ] = None,
    horizon: Annotated[
        str | None,
        typer.Option(metavar="8w", help="How long after that the target is known: 8w, 30d, 12h."),
    ] = None,
    segment: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Groups to judge one by one; may be repeated."),
    ] = None,
    feature: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="A model may use it all the same; may be repeated."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="No model may use it; may be repeated."),
    ] = None,
    date_form: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=FORM", help="How its dates are written: born=%d.%m.%Y."),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE", help="A value that means no value: income=-9."),
    ] = None,
    decimal: Annotated[
        str | None, typer.Option(metavar="SIGN", help="What fractions begin with: , or .")
    ] = None,
    problem: Annotated[
        str | None,
        typer.Option(metavar="KIND", help="classification or regression, where both could be."),
    ] = None,
    meaning: Annotated[str | None, typer.Option(help="What the target means, in words.")] = None,
    unit: Annotated[str | None, typer.Option(help="What one row is: customer.")] = None,
    action: Annotated[str | None, typer.Option(help="What is done for a unit: call.")] = None,
    rule: Annotated[
        str | None,
        typer.Option(
            help="What is done today: \"tenure < 12 and plan = 'flexible'\", or a column."
        ),
    ] = None,
    currency: Annotated[str | None, typer.Option(metavar="GBP", help="Of the prices.")] = None,
    right: Annotated[
        float | None, typer.Option(help="What the action is worth where it was right.")
    ] = None,
    wrong: Annotated[
        float | None, typer.Option(help="What it costs where it was not, or one unit of error.")
    ] = None,
    at_most: Annotated[int | None, typer.Option(help="How many can be acted on …", min=1)] = None,
    out_of: Annotated[int | None, typer.Option(help="… of how many …", min=1)] = None,
    every: Annotated[
        str | None, typer.Option(metavar="week", help="… in each day, week or month.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Ask nothing: the safe side of what is not said.")
    ] = False,
    update: Annotated[
        bool,
        typer.Option(
            "--update", help="A newer table: hold it against contract.py; with --yes, widen it."
        ),
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", hidden=True)] = False,
) -> None:
    """A table of your own becomes contract, features, models, tests and a brief, then a decision.

    What is not said is inferred, or asked at a terminal where the table cannot tell. Every decision
    is in docs/decisions/; files that you have edited are never overwritten.
    """
    if update:
        from .adopt.snapshot import hold_snapshot

        raise typer.Exit(hold_snapshot(source, yes=yes))
    if target is None:
        raise errors.Fixable(
            "adopt: expected --target COLUMN, what is predicted, found none. Next: the same "
            "command with it"
        )
    from .adopt.answers import build_answers
    from .adopt.write import write_drafts
    from .start import main

    answers = build_answers(
        target, problem=problem, meaning=meaning, entity=entity, time=time, horizon=horizon,
        segments=segment, features=feature, ignored=ignore, dates=date_form, decimal=decimal,
        missing=missing, unit=unit, action=action, rule=rule, currency=currency, right=right,
        wrong=wrong, at_most=at_most, out_of=out_of, every=every,
    )  # fmt: skip
    table = source.absolute()
    raise typer.Exit(main(lambda root: write_drafts(root, table, answers, yes=yes, fresh=fresh)))


@app.command()
def check(
    committed: Annotated[
        bool, typer.Option("--committed", help="Also: the last commit says what comes out here.")
    ] = False,
) -> None:
    """Every gate of a pull request: brief, stages, reports up to date, verdict."""
    from .checks.check import main

    raise typer.Exit(main(against_commit=committed))


@app.command()
def install() -> None:
    """In a larger repository: hooks and workflows of this folder at its root, where they work."""
    from .checks.subfolder import main

    raise typer.Exit(main())


@verb("platform")
def bring() -> None:
    """What a clone lacks before its model can be judged: data, models, the champion."""
    from .platform.bring import main

    raise typer.Exit(main())


@verb("platform")
def summary(
    against: Annotated[
        str | None,
        typer.Option(help="The commit to compare with (default: main of origin)."),
    ] = None,
    tests: Annotated[bool, typer.Option("--tests", help="Only what the last tests say.")] = False,
) -> None:
    """The model of a pull request on one page: verdict, money, slices, what changed."""
    from .platform.summary import main

    raise typer.Exit(main(against, tests=tests))


@app.command()
def secrets(
    against: Annotated[
        str | None, typer.Option(help="Only the commits that this one does not have.")
    ] = None,
) -> None:
    """No password, token or key in any commit that leads here."""
    from .checks.secrets_in_git import main

    raise typer.Exit(main(date.today(), against))


@app.command()
def audit(
    service_url: Annotated[
        str | None, typer.Option(help="An advisory service of your own that speaks OSV.")
    ] = None,
) -> None:
    """Nothing known against the libraries of uv.lock but what .github/exceptions.toml excuses."""
    from .checks.audit import main

    raise typer.Exit(main(date.today(), service_url))


@app.command()
def champion() -> None:
    """Which model is in charge, since when, why, and what it would be worth."""
    from .promotion.champion import champion

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
    from .promotion.promote import promote

    raise typer.Exit(promote(refresh=refresh, because=because, name=name))


@app.command()
def rollback(because: Because = None, name: Name = None) -> None:
    """Put back in charge what was there before the present champion; recorded and tagged."""
    from .promotion.rollback import rollback

    raise typer.Exit(rollback(because=because, name=name))


@verb("platform")
def release(
    rollback: Annotated[
        bool, typer.Option("--rollback", help="Back to what was in charge before.")
    ] = False,
    again: Annotated[str | None, typer.Option(help="Deploy a tag again: champion-1.")] = None,
) -> None:
    """On main: propose the challenger where the verdict is ship, or tag what was merged."""
    from .platform.release import main

    raise typer.Exit(main(rollback=rollback, tag=again))


@verb("platform")
def refresh(
    propose: Annotated[
        bool, typer.Option("--propose", help="After dvc repro: a pull request if it is better.")
    ] = False,
) -> None:
    """The newest snapshot of the data, where it comes from somewhere; else why there is none."""
    from .platform.refresh import main

    raise typer.Exit(main(propose=propose))


@verb("platform")
def template_update() -> None:
    """The template's newest release as a pull request, conflicts in plain sight."""
    from .platform.template_update import main

    raise typer.Exit(main())


@app.command()
def score(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A .csv or .parquet table.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="The .parquet file to write.")],
    model: Annotated[Path, typer.Option(help="Folder of the model.")] = Path("models/champion"),
) -> None:
    """What the champion says of every row of a table, and the action that the brief makes of it."""
    from .models.score import main

    raise typer.Exit(main(source, target, model))


@verb("service")
def serve(
    port: Annotated[int, typer.Option(help="Where to listen.", min=0, max=65535)] = 8000,
    host: Annotated[str, typer.Option(help="For whom: 0.0.0.0 is everybody.")] = "127.0.0.1",
) -> None:
    """The champion over HTTP: /predict, /health, /ready; /docs says what a request looks like."""
    # One thread scores a few rows sooner than several that wait for each other. It has to be set
    # before scikit-learn is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from .service.app import main

    raise typer.Exit(main(Path("models/champion"), port, host))


@verb("service")
def canaries(
    url: Annotated[str, typer.Argument(help="Of a running service: http://127.0.0.1:8000")],
    wait: Annotated[float, typer.Option(help="Seconds until it has to answer.", min=0)] = 0,
) -> None:
    """A running service answers the champion's canary rows as on the day that it was made."""
    from .service.canaries import main

    raise typer.Exit(main(url, Path("models/champion"), wait))


if (ROOMS / "tables/record.py").exists():  # where a language model may be asked
    app.command()(import_module(f"{__package__}.tables.record").record)


def run() -> None:
    """What the installed command runs."""
    errors.run(app)


if __name__ == "__main__":
    run()
