"""The delivered challenger: what must not matter does not, what must matter does, alone or in
company.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from project import contract, features, model
from project.delivery.pipeline import brief, model_folder, problem

SHOWN = 25


@pytest.fixture(scope="module")
def challenger() -> Any:
    return model_folder.load(Path("models/challenger"))[0]


def scores(fitted: Any, rows: pl.DataFrame) -> np.ndarray:
    return model_folder.scores(fitted, rows).to_numpy()


@pytest.mark.everything
def test_a_row_scores_alone_as_in_company_and_in_any_order(
    challenger: Any, sample: pl.DataFrame
) -> None:
    together = scores(challenger, sample)
    assert np.allclose(together, scores(challenger, sample.reverse())[::-1], atol=1e-12)
    alone = [scores(challenger, sample[i])[0] for i in range(SHOWN)]
    assert np.allclose(together[:SHOWN], alone, atol=1e-12)


@pytest.mark.everything
def test_who_it_is_and_how_it_ended_change_no_score(challenger: Any, sample: pl.DataFrame) -> None:
    hidden = [name for name in (contract.ENTITY, contract.TARGET) if name]
    shuffled = sample.with_columns(sample[name].reverse() for name in hidden)
    assert np.array_equal(scores(challenger, sample), scores(challenger, shuffled))


def test_the_score_moves_as_the_business_knows_it_must(
    challenger: Any, every_row: pl.DataFrame
) -> None:
    told = brief.read(Path("project-brief.md"))[0].model_dump(mode="json")
    x = features.features(every_row)
    before = problem.leaning(problem.predict(challenger, x), told)
    for name, sign in model.DIRECTION.items():
        step = x[name].std()
        stepped = x.with_columns((pl.col(name) + step).cast(x.schema[name]))
        after = problem.leaning(problem.predict(challenger, stepped), told)
        moved = sign * (after - before)
        assert (moved > -1e-9).all(), (
            f"{name}: {(moved <= -1e-9).sum():,} of {x.height:,} rows move the wrong way"
        )
