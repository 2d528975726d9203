"""The delivered challenger: what must not matter does not, what must matter does, alone or in
company.
"""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from project import contract, model
from project.delivery.models import model_folder

SHOWN = 25
CLOSE = getattr(model, "CLOSE", 1e-12)


@pytest.fixture(scope="module")
def challenger() -> Any:
    return model_folder.load(Path("models/challenger"))[0]


@pytest.mark.everything
def test_a_row_scores_alone_as_in_company_and_in_any_order(
    challenger: Any, sample: pl.DataFrame
) -> None:
    together = model_folder.score(challenger, sample)
    turned = model_folder.score(challenger, sample.reverse()).reverse()
    assert_frame_equal(together, turned, rel_tol=0, abs_tol=CLOSE)
    alone = pl.concat(model_folder.score(challenger, sample[i]) for i in range(SHOWN))
    assert_frame_equal(together.head(SHOWN), alone, rel_tol=0, abs_tol=CLOSE)


@pytest.mark.everything
def test_who_it_is_and_how_it_ended_change_no_score(challenger: Any, sample: pl.DataFrame) -> None:
    hidden = [name for name in (contract.ENTITY, contract.TARGET) if name]
    shuffled = sample.with_columns(sample[name].reverse() for name in hidden)
    assert_frame_equal(
        model_folder.score(challenger, sample),
        model_folder.score(challenger, shuffled),
        check_exact=True,
    )
