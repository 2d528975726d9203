"""Stage `train`: the rule, and the best of the candidates that challenge it."""

import time
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from ... import contract, features, model
from ..edge.errors import Fixable, run
from ..edge.files import paths, read_json, read_table, write_json
from ..edge.parameters import Settings, read
from ..models import model_folder
from ..problem import training
from ..statistics import influence

CANARIES = (
    20  # rows that show, whenever a model is loaded, that it still scores as on its first day
)
LEAK_ROWS = 20_000  # rows are enough to see a column that alone gives the target away
QUANTILES = [step / 20 for step in range(21)]
CONFIDENCE = 0.95  # of the intervals of the candidates' loss


class Train(Settings):
    """`seed` of the candidates; `leak_auc`: a feature that alone reaches it is a suspected leak."""

    seed: int
    leak_auc: float = Field(gt=0.5, le=1)


def checked(rows: pl.DataFrame) -> pl.DataFrame:
    """The features of `rows`, or a message where `features.py` does not keep its side."""
    x = features.features(rows)
    special = {name for name in (contract.ENTITY, contract.TIME, contract.TARGET) if name}
    if forbidden := special & set(x.columns):
        raise Fixable(
            "features.py: expected features without entity, time and target, found "
            f"{', '.join(sorted(forbidden))}. Next: leave them out, then uv run dvc repro"
        )
    if x.height != rows.height:
        raise Fixable(
            f"features.py: expected {rows.height:,} rows for {rows.height:,} rows, found "
            f"{x.height:,}. Next: keep every row, then uv run dvc repro"
        )
    return x


def suspected(x: pl.DataFrame, y: pl.Series, limit: float, seed: int) -> list[dict[str, Any]]:
    """Features that alone predict the target almost perfectly: `feature`, `auc`, `meant` (the
    contract's reason).
    """
    power = {
        name: training.power_alone(x[name].head(LEAK_ROWS), y.head(LEAK_ROWS), seed)
        for name in x.columns
    }
    return [
        {"feature": name, "auc": auc, "meant": contract.MEANT.get(name)}
        for name, auc in power.items()
        if auc >= limit
    ]


def card(
    name: str,
    kind: str,
    x: pl.DataFrame,
    train: pl.DataFrame,
    until: str | None,
    split: dict[str, Any],
    p: pl.DataFrame,
) -> dict[str, Any]:
    """Where a model comes from: for people who ask, and for code that compares.

    `until` is the time of the last row that it was trained, calibrated or chosen with.
    """
    return {
        "name": name,
        "kind": kind,
        "features": {column: str(dtype).split("(")[0] for column, dtype in x.schema.items()},
        "trained_on": train.height,
        "trained_until": until,
        "rows": {part: split[part]["sha256"] for part in ("train", "validation", "test")},
        "score_quantiles": {
            column: [p[column].quantile(q, "nearest") for q in QUANTILES]
            for column in p.select(pl.selectors.numeric()).columns
        },
    }


def lost(p: pl.DataFrame, rows: pl.DataFrame) -> dict[str, Any]:
    """The mean loss on `rows` under the loss's name, with the bounds of its interval; rows of one
    entity count as one cluster.
    """
    each = training.loss(p, rows[contract.TARGET])
    cluster = rows[contract.ENTITY or "row"].cast(pl.String)
    estimate, lower, upper = influence.mean(each, cluster, CONFIDENCE)
    return {
        training.LOSS: estimate,
        f"{training.LOSS}_lower": lower,
        f"{training.LOSS}_upper": upper,
    }


def timed(seconds: dict[str, float], of: dict[str, Any], path: Path) -> dict[str, Any]:
    """Seconds that each candidate took, with what they were measured `of`. They are kept as long as
    that is the same, so that the same inputs give the same report however busy a machine is.
    """
    try:
        known = read_json(path)
    except Fixable:  # none yet, or both sides of a merge
        known = {}
    if known.get("of") == of and set(known["seconds"]) == set(seconds):
        return dict(known)
    return {"of": of, "seconds": {name: round(took, 2) for name, took in seconds.items()}}


def main(argv: list[str] | None = None) -> int:
    """Fit rule and candidates, choose on validation rows, write both models, how the candidates did
    and how long they took.
    """
    params, train, validation, split, rule_folder, challenger_folder, report, clock = paths(
        argv, __doc__,
        "params", "train", "validation", "split", "rule", "challenger", "report", "seconds",
    )  # fmt: skip
    settings = read(params, "train", Train)
    if absent := [name for name in ("rule", "candidates") if not hasattr(model, name)]:
        raise Fixable(
            "model.py: expected the functions rule() and candidates(seed), found no "
            f"{' and no '.join(absent)}. Next: write it, then uv run dvc repro"
        )
    rows, rows_val, split_report = read_table(train), read_table(validation), read_json(split)
    x, y, x_val, y_val = (
        checked(rows),
        rows[contract.TARGET],
        checked(rows_val),
        rows_val[contract.TARGET],
    )

    rule = training.fit_rule(model.rule(), x, y)
    tried: dict[str, tuple[dict[str, Any], Any, pl.DataFrame]] = {}
    untried, seconds = {}, {}
    for name, candidate in model.candidates(settings.seed).items():
        since = time.perf_counter()
        if hasattr(candidate, "lacks") and (why := candidate.lacks(x)):
            untried[name] = why
            continue
        try:
            fitted = training.fit(candidate, x, y, x_val, y_val)
            p = training.predict(fitted, x_val)
        except (AttributeError, TypeError, ValueError) as error:
            raise Fixable(
                f"model.py: candidates: `{name}`: expected to learn from these features and to "
                f"predict, found {error}. Next: fix model.py, then uv run dvc repro"
            ) from None
        tried[name] = (lost(p, rows_val), fitted, p)
        seconds[name] = time.perf_counter() - since
    if not tried:
        told = "; ".join(f"`{name}`: {why}" for name, why in untried.items()) or "no candidate"
        raise Fixable(
            f"model.py: candidates: expected one that can be tried, found {told}. "
            "Next: fix model.py, then uv run dvc repro"
        )
    chosen = min(tried, key=lambda name: tried[name][0][training.LOSS])

    until = str(rows_val[contract.TIME].max()) if contract.TIME else None
    canaries = rows_val.drop("row").head(CANARIES)
    p_rule = training.predict(rule, x_val)
    model_folder.save(
        rule, rule_folder, card("rule", "rule", x, rows, until, split_report, p_rule), canaries
    )
    _, challenger, p = tried[chosen]
    model_folder.save(
        challenger,
        challenger_folder,
        card(chosen, "model", x, rows, until, split_report, p),
        canaries,
    )
    write_json(
        {
            "chosen": chosen,
            "loss": training.LOSS,
            "rule": lost(p_rule, rows_val),
            "candidates": [{"name": name} | loss for name, (loss, _, _) in tried.items()],
            "not_tried": [{"name": name, "why": why} for name, why in untried.items()],
            "yardstick": training.yardstick(model),
            "features": x.columns,
            "leaks": suspected(x, y, settings.leak_auc, settings.seed),
            "leak_auc": settings.leak_auc,
        },
        report,
    )
    digests = {part: split_report[part]["sha256"] for part in ("train", "validation")}
    of = digests | model_folder.sources() | {"seed": settings.seed}
    write_json(timed(seconds, of, clock), clock)
    return 0


if __name__ == "__main__":
    run(main)
