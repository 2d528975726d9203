"""Stage `train`: the rule, and the best of the candidates that challenge it."""

import inspect
import itertools
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
from pydantic import Field

from ... import contract, features, model
from ..edge.errors import Fixable, run
from ..edge.explain import nearest
from ..edge.files import parse_paths, read_json, read_table, write_json
from ..edge.parameters import Seed, Settings, read
from ..models import model_folder
from ..models.card import ModelCard
from ..problem import power, separation, training
from ..problem.action import drop_own
from ..statistics import influence
from ..statistics.interval import Interval

CANARIES = 20  # rows that show, whenever a model is loaded, that it scores as on its first day
LEAK_ROWS = 20_000  # rows are enough to see a column that alone gives the target away
STRONGEST = 5  # features that the report shows with their power
QUANTILES = [step / 20 for step in range(21)]
CONFIDENCE = 0.95  # of the intervals of the candidates' loss
SETTING = "Next: fix the name, or let `candidates` take it, then uv run dvc repro"


Setting = bool | int | float | str


class Train(Settings):
    """`seed` of the candidates; `leak_auc`: a feature that alone reaches it is a suspected leak;
    `candidates`: what else `candidates` of `model.py` takes, by its name: a value, or several of
    which each is tried.
    """

    seed: Seed
    leak_auc: float = Field(gt=0.5, le=1)
    candidates: dict[str, Setting | list[Setting]] = Field(default={})


class Part(NamedTuple):
    """Rows of the contract with their features and their target."""

    rows: pl.DataFrame
    x: pl.DataFrame
    y: pl.Series


class Trial(NamedTuple):
    """A fitted model, its predictions for the validation rows and its loss there, and how each way
    to calibrate it did.
    """

    name: str
    fitted: Any
    predictions: pl.DataFrame
    loss: Interval
    calibration: list[Any]


class Strength(NamedTuple):
    """A feature, how well it alone predicts the target, or what of it it `tells` (None: it could
    not be checked), and the contract's reason if meant.
    """

    feature: str
    auc: float | None
    tells: str
    meant: str | None


def read_part(path: Path) -> Part:
    """The rows of a part with their features and their target."""
    rows = read_table(path)
    return Part(rows, compute_features(rows), rows[contract.TARGET])


def compute_features(rows: pl.DataFrame) -> pl.DataFrame:
    """The features of `rows`.

    Raises:
        Fixable: `features.py` gives entity, time or target, or another number of rows.
    """
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


def measure_features(part: Part, seed: int) -> tuple[list[Strength], dict[str, int]]:
    """How well each feature alone predicts the target, the strongest first; and the groups of rows
    that are too small to check what tells them, each with its rows.
    """
    labels = power.label(part.y)
    rows = separation.choose_rows(labels, LEAK_ROWS)
    clusters = name_clusters(part.rows[rows])
    groups = separation.build_groups(labels, rows, clusters, seed)
    x, y = part.x[rows], part.y[rows]
    powers = {name: power.measure(x[name], y, groups) for name in x.columns}
    strengths = [
        Strength(name, *powers[name], contract.MEANT.get(name))
        for name in sorted(powers, key=lambda name: (-separation.rank(powers[name]), name))
    ]
    return strengths, separation.count_rare(groups)


def estimate_loss(predictions: pl.DataFrame, rows: pl.DataFrame) -> Interval:
    """The mean loss on `rows`; rows of one entity count as one cluster."""
    loss = training.compute_loss(predictions, rows[contract.TARGET])
    return influence.mean(loss, name_clusters(rows), CONFIDENCE)


def name_clusters(rows: pl.DataFrame) -> pl.Series:
    """What rows belong together by: the entity where there is one, else each row is alone."""
    return rows[contract.ENTITY or "row"].cast(pl.String)


def describe_loss(loss: Interval) -> dict[str, float | None]:
    """A mean loss and its bounds under the loss's name."""
    name = training.LOSS
    return {name: loss.estimate, f"{name}_lower": loss.lower, f"{name}_upper": loss.upper}


def require_functions() -> None:
    """Raise Fixable where `model.py` lacks `rule` or `candidates`."""
    if missing := [name for name in ("rule", "candidates") if not hasattr(model, name)]:
        raise Fixable(
            "model.py: expected the functions rule() and candidates(seed), found no "
            f"{' and no '.join(missing)}. Next: write it, then uv run dvc repro"
        )


def fit_rule(train: Part, validation: Part) -> Trial:
    """The rule, fitted on training rows."""
    fitted = training.fit_rule(model.rule(), train.x, train.y)
    predictions = training.predict(fitted, validation.x)
    return Trial("rule", fitted, predictions, estimate_loss(predictions, validation.rows), [])


def fit_candidate(name: str, candidate: Any, train: Part, validation: Part) -> Trial:
    """A candidate, fitted on training rows and calibrated on validation rows.

    Raises:
        Fixable: it cannot learn from these features, or cannot predict.
    """
    try:
        fitted, calibration = training.fit(
            candidate, train.x, train.y, validation.x, validation.y, name_clusters(validation.rows)
        )
        predictions = training.predict(fitted, validation.x)
    except (AttributeError, TypeError, ValueError) as error:
        raise Fixable(
            f"model.py: candidates: `{name}`: expected to learn from these features and to "
            f"predict, found {error}. Next: fix model.py, then uv run dvc repro"
        ) from None
    loss = estimate_loss(predictions, validation.rows)
    return Trial(name, fitted, predictions, loss, calibration)


def list_candidates(settings: Train) -> dict[str, Any]:
    """The candidates of `model.py` with every combination of their settings in `params.yaml`: each
    model once, and named by what sets it apart from others of its name.

    Raises:
        Fixable: `candidates` takes no such setting.
    """
    values = {
        name: value if isinstance(value, list) else [value]
        for name, value in settings.candidates.items()
    }
    make: Callable[..., dict[str, Any]] = model.candidates
    accepted = [*inspect.signature(make).parameters][1:]  # the first is the seed
    if unknown := [name for name in values if name not in accepted]:
        raise Fixable(
            f"params.yaml: train: candidates: expected what `candidates` of model.py takes besides "
            f"the seed ({', '.join(accepted) or 'nothing'}), found "
            f"`{unknown[0]}`{nearest(unknown[0], accepted)}. {SETTING}"
        )
    trials: dict[str, dict[str, tuple[str, Any]]] = {}
    for combination in itertools.product(*values.values()):
        chosen = dict(zip(values, combination, strict=True))
        mark = ", ".join(f"{name} {chosen[name]}" for name in values if len(values[name]) > 1)
        for name, candidate in make(settings.seed, **chosen).items():
            settled = candidate.get_params() if hasattr(candidate, "get_params") else mark
            trials.setdefault(name, {}).setdefault(repr(settled), (mark, candidate))
    return {
        f"{name} ({mark})" if len(models) > 1 else name: candidate
        for name, models in trials.items()
        for mark, candidate in models.values()
    }


def divide_candidates(settings: Train, x: pl.DataFrame) -> tuple[dict[str, Any], dict[str, str]]:
    """The candidates that can be tried, and for each other one the reason why not.

    Raises:
        Fixable: none can be tried.
    """
    candidates = list_candidates(settings)
    reasons = {
        name: reason
        for name, candidate in candidates.items()
        if hasattr(candidate, "lacks") and (reason := candidate.lacks(x))
    }
    if not (usable := {name: candidates[name] for name in candidates if name not in reasons}):
        finding = "; ".join(f"`{name}`: {reason}" for name, reason in reasons.items())
        raise Fixable(
            "model.py: candidates: expected one that can be tried, found "
            f"{finding or 'no candidate'}. Next: fix model.py, then uv run dvc repro"
        )
    return usable, reasons


def fit_candidates(
    candidates: dict[str, Any], train: Part, validation: Part
) -> tuple[list[Trial], dict[str, float]]:
    """A trial of each candidate, and the seconds that each took."""
    trials, seconds = [], {}
    for name, candidate in candidates.items():
        start = time.perf_counter()
        trials.append(fit_candidate(name, candidate, train, validation))
        seconds[name] = time.perf_counter() - start
    return trials, seconds


Fit = Callable[[dict[str, Any], Part, Part], tuple[list[Trial], dict[str, float]]]


def choose(trials: list[Trial]) -> Trial:
    """The trial with the lowest mean loss; one that is not defined comes last."""
    return min(trials, key=lambda trial: (trial.loss.estimate is None, trial.loss.estimate))


def describe_trials(trials: list[Trial]) -> str:
    """The loss of each trial on the validation rows, the lowest first: a line for each."""
    in_order = sorted(trials, key=lambda trial: (trial.loss.estimate is None, trial.loss.estimate))
    return "\n".join(
        f"{training.LOSS} {trial.loss.format('{:,.4f}'.format)}: {trial.name}" for trial in in_order
    )


def build_card(
    trial: Trial, kind: str, train: Part, validation: Part, hashes: dict[str, str]
) -> ModelCard:
    """The card of a model, but for what the writing of its folder fills in; `hashes` are the
    SHA-256 of train, validation and test rows.
    """
    numbers = drop_own(trial.predictions).select(pl.selectors.numeric())
    return ModelCard(
        name=trial.name,
        kind=kind,
        features={column: str(dtype).split("(")[0] for column, dtype in train.x.schema.items()},
        trained_on=train.rows.height,
        trained_until=str(validation.rows[contract.TIME].max()) if contract.TIME else None,
        rows=hashes,
        score_quantiles={
            column.name: [column.quantile(share, "nearest") for share in QUANTILES]
            for column in numbers
        },
    )


def build_report(
    rule: Trial,
    challenger: Trial,
    trials: list[Trial],
    not_tried: dict[str, str],
    train: Part,
    settings: Train,
) -> dict[str, Any]:
    """The content of `reports/training.json`."""
    strengths, rare = measure_features(train, settings.seed)
    leaks = [each for each in strengths if (each.auc or 0.0) >= settings.leak_auc]
    return {
        "chosen": challenger.name,
        "loss": training.LOSS,
        "rule": describe_loss(rule.loss),
        "candidates": [{"name": trial.name} | describe_loss(trial.loss) for trial in trials],
        "not_tried": [{"name": name, "why": reason} for name, reason in not_tried.items()],
        "calibration": [way._asdict() for way in challenger.calibration],
        "yardstick": training.measure_judge(model),
        "features": train.x.columns,
        "leaks": [leak._asdict() for leak in leaks],
        "leak_auc": settings.leak_auc,
        "strongest": [each._asdict() for each in strengths[:STRONGEST]],
        "not_checked": [{"group": name, "rows": count} for name, count in rare.items()],
    }


def keep_seconds(seconds: dict[str, float], inputs: dict[str, Any], path: Path) -> dict[str, Any]:
    """The seconds that each candidate took, with the inputs that they were measured `of`. Those in
    `path` are kept while their inputs are the same: then the same inputs give the same report,
    however busy a machine is.
    """
    try:
        kept: dict[str, Any] = read_json(path)
    except Fixable:  # none yet, or both sides of a merge
        kept = {}
    if kept.get("of") == inputs and set(kept["seconds"]) == set(seconds):
        return kept
    return {"of": inputs, "seconds": {name: round(took, 2) for name, took in seconds.items()}}


def main(argv: list[str] | None = None, *, fit: Fit = fit_candidates) -> int:
    """Fit rule and candidates, choose on validation rows, write both models, how the candidates did
    and how long they took. `fit` is another way to a trial of each candidate: `checks/derive.py`
    takes the challenger that is there.
    """
    params, train_path, validation_path, split, *folders, report, clock = parse_paths(
        argv, __doc__,
        "params", "train", "validation", "split", "rule", "challenger", "report", "seconds",
    )  # fmt: skip
    settings = read(params, "train", Train)
    require_functions()
    train, validation = read_part(train_path), read_part(validation_path)
    parts = read_json(split)
    hashes = {name: parts[name]["sha256"] for name in ("train", "validation", "test")}

    rule = fit_rule(train, validation)
    candidates, not_tried = divide_candidates(settings, train.x)
    trials, seconds = fit(candidates, train, validation)
    challenger = choose(trials)
    if settings.candidates:
        print(describe_trials(trials))

    canaries = validation.rows.drop("row").head(CANARIES)
    for trial, kind, folder in zip((rule, challenger), ("rule", "model"), folders, strict=True):
        card = build_card(trial, kind, train, validation, hashes)
        model_folder.save(trial.fitted, folder, card, canaries)
    write_json(build_report(rule, challenger, trials, not_tried, train, settings), report)
    rows = {name: hashes[name] for name in ("train", "validation")}
    inputs = rows | model_folder.hash_sources() | {"seed": settings.seed}
    inputs |= {"candidates": settings.candidates} if settings.candidates else {}
    write_json(keep_seconds(seconds, inputs, clock), clock)
    return 0


if __name__ == "__main__":
    run(main)
