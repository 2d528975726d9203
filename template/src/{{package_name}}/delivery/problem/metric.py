"""What a metric is: its words, and what each unit adds to it; and which metrics this project has.

Those of the kind of problem are in `metrics.py` beside this file, a team's own in `metrics.py` of
the package. Whatever names a metric (the brief, slices, report, MLflow) asks here.
"""

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import polars as pl

from ..edge.brief import Priced
from ..edge.errors import Fixable, explain_team_error

Form = Literal["money", "share", "number"]
Bounds = tuple[float, float]
Brief = Priced[Any]
EVERY_UNIT = pl.lit(1.0)
UNIT = "{unit}"  # stands for the brief's unit
NEXT = "Next: fix metrics.py, then uv run dvc repro"
RESERVED = ("gain",)  # what slices call the gain over the champion


@dataclass(frozen=True, eq=False)
class Metric:
    """A metric: how people read it, and how it is made from the outcomes table.

    `label` and `meaning` are its words; `{unit}` in the meaning stands for the brief's unit,
    `{unit}s` for several. `form` says how its figures are written. It is sum(numerator) /
    sum(denominator) over units, two expressions over the columns of the outcomes table; a metric
    that is no ratio of sums has no numerator, and the brief cannot name it. `bounds` are the lowest
    and the highest numerator that one unit can have, or a function of brief and outcomes tables
    that finds them; without any, 0 and 1 for a share, else what units had. Two models are
    `comparable` on it if the same units count for both: if the denominator knows the truth alone,
    not what a model did.
    """

    label: str
    meaning: str
    form: Form
    numerator: pl.Expr | None = None
    denominator: pl.Expr = EVERY_UNIT
    bounds: Bounds | Callable[[Brief, list[pl.DataFrame]], Bounds] | None = None
    comparable: bool = False


@cache
def load_metrics() -> dict[str, Metric]:
    """Every metric of this project by its name: those of the kind of problem, then the team's.

    Raises:
        Fixable: the team's `metrics.py` cannot be used.
    """
    from .metrics import METRICS

    own = _load_own()
    for name, metric in own.items():
        for fault in _find_faults(name, metric, taken={*METRICS, *RESERVED}):
            raise Fixable(f"metrics.py: METRICS: `{name}`: {fault}. {NEXT}")
    return METRICS | own


def needs_prices(metric: Metric) -> bool:
    """Whether a metric is made of what units are worth (`value`, and `score` as what is expected of
    it), and so means nothing while prices are unknown.
    """
    parts = [] if metric.numerator is None else [metric.numerator, metric.denominator]
    return any({"value", "score"} & set(part.meta.root_names()) for part in parts)


def load_ratios() -> dict[str, Metric]:
    """The metrics that a line of the brief can name: those that are a ratio of sums."""
    return {name: metric for name, metric in load_metrics().items() if metric.numerator is not None}


def list_ratios(brief: Brief) -> list[str]:
    """The names of the metrics that are measured for each model: those that are a ratio of sums;
    while prices are unknown, those of them that need none.
    """
    ratios = load_ratios()
    return [name for name in ratios if brief.value.is_known or not needs_prices(ratios[name])]


def list_slice_metrics(brief: Brief) -> list[str]:
    """Those of them that are shown for each slice, the team's among them."""
    from .metrics import METRICS, SLICES

    own = (name for name in load_metrics() if name not in METRICS)
    return [name for name in (*SLICES, *own) if name in list_ratios(brief)]


def measure_units(name: str, outcome: pl.DataFrame) -> pl.DataFrame:
    """What each unit adds to a metric: `numerator` and `denominator` (Float64).

    Raises:
        Fixable: an expression of the metric does not give one number for each unit.
    """
    metric = load_ratios()[name]
    parts = {"numerator": metric.numerator, "denominator": metric.denominator}
    columns = [_evaluate(name, part, expression, outcome) for part, expression in parts.items()]
    return pl.DataFrame(columns)


def find_bounds(name: str, brief: Brief, *outcomes: pl.DataFrame) -> Bounds:
    """The lowest and the highest numerator that one unit of these outcomes tables can have."""
    metric = load_ratios()[name]
    if callable(metric.bounds):
        return metric.bounds(brief, list(outcomes))
    if metric.bounds is not None or metric.form == "share":
        return metric.bounds or (0.0, 1.0)
    numerators = pl.concat(measure_units(name, table)["numerator"] for table in outcomes)
    low, high = numerators.min(), numerators.max()
    assert isinstance(low, float)
    assert isinstance(high, float)
    return min(low, 0.0), max(high, 0.0)


def _load_own() -> dict[str, Metric]:
    """The team's metrics by name, as they stand in `metrics.py`."""
    try:
        from ... import metrics
    except Exception as error:  # whatever a module may raise while it is imported
        fault = f"metrics.py: expected a module, found {type(error).__name__}: {error}. {NEXT}"
        raise Fixable(explain_team_error(error) or fault) from None
    own = getattr(metrics, "METRICS", None)
    if not isinstance(own, dict):
        raise Fixable(f"metrics.py: expected METRICS, a dict of name to Metric, found none. {NEXT}")
    return own


def _find_faults(name: object, metric: object, taken: Container[object]) -> Iterator[str]:
    """What is wrong with an entry of the team's METRICS."""
    if not isinstance(name, str) or not name.isidentifier():
        yield "expected a name of letters, digits and _"
    if name in taken:
        yield "expected a name of its own, found one that is taken"
    if not isinstance(metric, Metric):
        yield f"expected a Metric, found {type(metric).__name__}"
        return
    if metric.form not in get_args(Form):
        yield f"expected the form {', '.join(get_args(Form))}, found {metric.form!r}"
    for part in ("numerator", "denominator"):
        if not isinstance(expression := getattr(metric, part), pl.Expr):
            yield f"expected a {part} like pl.col('value'), found {expression!r}"
    bounds: object = metric.bounds
    if not (bounds is None or callable(bounds) or (isinstance(bounds, tuple) and len(bounds) == 2)):
        yield f"expected bounds like (0.0, 1.0), or a function, found {bounds!r}"
    try:
        metric.meaning.format(unit="unit")
    except (LookupError, ValueError, AttributeError):
        yield f"expected a meaning with no brace but {UNIT}, found {metric.meaning!r}"


def _evaluate(name: str, part: str, expression: pl.Expr | None, outcome: pl.DataFrame) -> pl.Series:
    """An expression of a metric for each unit, as Float64 named `part`."""
    assert expression is not None
    column = expression.cast(pl.Float64).alias(part)
    expected = f"metrics.py: METRICS: `{name}`: {part}: expected one number for each unit"
    try:
        values = outcome.with_columns(column)[part]
        last = outcome.tail(1).with_columns(column)[part]
    except pl.exceptions.PolarsError as error:
        reason, columns = str(error).splitlines()[0].partition("; valid")[0], outcome.columns
        raise Fixable(f"{expected} from {', '.join(columns)}; found {reason}. {NEXT}") from None
    if not values.is_finite().fill_null(True).all():
        raise Fixable(f"{expected}, found {values.filter(~values.is_finite())[0]}. {NEXT}")
    if not values.tail(1).equals(last):
        raise Fixable(f"{expected}, found one that depends on the other units. {NEXT}")
    return values
