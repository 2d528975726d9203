"""The model in charge as a service holds it: read once, checked as `score` checks it, and asked for
many rows at a time.
"""

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from ... import contract
from ..edge.errors import Fixable
from ..edge.files import describe_fix, read_table
from ..models import in_charge, model_folder
from ..models.card import read_card
from ..problem import outcomes
from ..problem.action import find_last_with_room, has_own, need_no_room
from ..tables.spot import compute_spot

LOG = logging.getLogger("uvicorn.error")
RULE_ON_TEST = Path("data/predictions/rule.parquet")
Act = Callable[[pl.DataFrame], pl.DataFrame]


class Champion(NamedTuple):
    """The model in charge, ready to answer."""

    name: str
    """`champion-3`, or `the rule`."""

    model: str
    """The name in its card."""

    fitted: Any
    act: Act
    """From rows with scores (`row` first, `p_…`) to actions, each row by itself."""

    canaries: pl.DataFrame

    def describe(self) -> dict[str, str]:
        """What answers, as responses say it."""
        return {"champion": self.name, "model": self.model}

    def answer(self, rows: pl.DataFrame) -> list[dict[str, Any] | None]:
        """An answer to each row, in their order; None where the champion cannot score a row.

        `rows` has `row` and the contract's columns, and keeps the contract.
        """
        scores = model_folder.score(self.fitted, rows)
        named = [name for name in ("row", contract.ENTITY, contract.TIME) if name]
        scored = pl.DataFrame([*(rows[name] for name in named), *scores])
        if any(column.null_count() for column in scores):
            scored = scored.drop_nulls(scores.columns)
            scores = scored.select(scores.columns)
        actions, predictions = self.act(scored).to_dicts(), scores.to_dicts()
        answers: list[dict[str, Any] | None] = [None] * rows.height
        for row, action, p in zip(scored["row"], actions, predictions, strict=True):
            answers[row] = action | {"model": p}
        return answers


def load_champion(folder: Path, brief: outcomes.PricedBrief) -> Champion:
    """The champion in `folder`.

    Raises:
        Fixable: it must not be used.
    """
    tag = in_charge.read_tag(folder)
    weights = folder.with_name("rule") if in_charge.read_champion_card(folder).is_rule else folder
    try:
        fitted, card = model_folder.load(weights)
    except Fixable as error:
        own = f"\nA service runs the champion's own code: git checkout {tag}, then uv sync"
        raise Fixable(f"{error}{own if tag else ''}") from None
    canaries = read_table(weights / model_folder.CANARIES).with_row_index("row")
    act = plan_single_actions(weights, brief)
    return Champion(in_charge.read_name(folder), card.name, fitted, act, canaries)


def plan_single_actions(folder: Path, brief: outcomes.PricedBrief) -> Act:
    """`outcomes.act` for rows that come one at a time.

    Where the brief limits how many units of a batch are acted on, a row is acted on if it would be
    among the test rows of the model in `folder`; of equal rows, the share that there is room for.
    """
    if brief.decision.out_of is None:
        return partial(outcomes.act, brief=brief)
    others = read_scores_on_test(folder).with_row_index("row")
    last = find_last_with_room(outcomes.rank(others, brief), brief.decision.capacity)
    no_more = brief.replace(decision={"at_most": 0})

    def act(rows: pl.DataFrame) -> pl.DataFrame:
        # The lot of a row depends on what it says alone, so that it gets the same answer each time.
        texts = (str(row[1:]) for row in rows.iter_rows())
        lots = pl.Series("row", [int(compute_spot(text) * others.height) for text in texts])
        ranked = outcomes.rank(pl.DataFrame([lots, *rows.get_columns()[1:]]), brief)
        return outcomes.cut(need_no_room(ranked, last), no_more)

    return act


def read_scores_on_test(folder: Path) -> pl.DataFrame:
    """The `p_…` columns of the model in `folder` for the test rows: those kept with a promoted
    model, or for the rule those that the pipeline wrote last. Where they are not here, as in an
    image of the rule or with a champion of an early release, those of its canary rows.

    Raises:
        Fixable: they are those of another model.
    """
    canaries = read_table(folder / model_folder.CANARIES).select("^p_.*$")
    is_rule = read_card(folder / "card.json", fix=describe_fix(folder)).is_rule
    file = RULE_ON_TEST if is_rule else folder / in_charge.PREDICTIONS
    if not file.exists():
        if not has_own(canaries):
            LOG.warning("%s is not here: room is kept by %d canary rows", file, canaries.height)
        return canaries
    scores = read_table(file).select("^p_.*$")
    if scores.schema != canaries.schema:
        raise Fixable(
            f"{file}: expected the columns {', '.join(canaries.columns)}, as the model in "
            f"{folder} gives, found {', '.join(scores.columns)}. Next: uv run dvc repro"
        )
    return scores
