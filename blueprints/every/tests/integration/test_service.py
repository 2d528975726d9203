"""The service: it answers what `score` answers, row by row, and refuses rows that break the
contract.
"""

import html
import json
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient
from polars.testing import assert_frame_equal

from project import contract
from project.delivery.edge.brief import read_project_brief
from project.delivery.models import score
from project.delivery.problem import outcomes
from project.delivery.service import app

pytestmark = pytest.mark.everything  # the champion is brought with the data, so these wait for it
CHAMPION = Path("models/champion")
SHOWN = 60


@pytest.fixture(scope="module")
def brief() -> outcomes.PricedBrief:
    return outcomes.require_prices(read_project_brief(Path("project-brief.md"))[0])


@pytest.fixture(scope="module")
def client(brief: outcomes.PricedBrief) -> TestClient:
    return TestClient(app.build_service(CHAMPION, brief))


def in_json(rows: pl.DataFrame) -> dict[str, Any]:
    """Rows without their target, as a request has them."""
    return {"rows": json.loads(rows.drop(contract.TARGET).write_json())}


def test_online_says_what_batch_says(
    client: TestClient, brief: outcomes.PricedBrief, sample: pl.DataFrame
) -> None:
    rows = sample.head(SHOWN)
    response = client.post("/predict", json=in_json(rows))
    assert response.status_code == 200, response.text
    answers = response.json()["answers"]
    limited = brief.decision.out_of is not None
    free = brief.replace(decision={"at_most": None, "out_of": None}) if limited else brief
    batch = score.score_rows(rows, partial(score.predict, CHAMPION), free)
    online = pl.DataFrame(
        [answer["model"] for answer in answers], schema=batch.select("^p_.*$").schema
    )
    assert_frame_equal(online, batch.select("^p_.*$").fill_nan(None), rel_tol=0, abs_tol=1e-12)
    alone = []
    for row in rows.iter_slices(1):
        alone += client.post("/predict", json=in_json(row)).json()["answers"]
    one_by_one, together = (
        pl.DataFrame(records, infer_schema_length=None) for records in (alone, answers)
    )
    assert_frame_equal(one_by_one, together, rel_tol=1e-9, abs_tol=1e-9)  # the last digits may move
    if not limited:
        assert [answer["action"] for answer in answers] == batch["action"].to_list()


def test_the_example_that_it_shows_is_answered(client: TestClient, point: pl.DataFrame) -> None:
    (shown,) = client.get("/openapi.json").json()["components"]["schemas"]["Rows"]["examples"]
    page = client.get("/docs").text
    assert html.escape(json.dumps(shown, indent=1, ensure_ascii=False)) in page
    assert "//" not in page, "it loads nothing from another host"
    assert shown == in_json(point)
    response = client.post("/predict", json=shown)
    assert response.status_code == 200, response.text
    assert len(response.json()["answers"]) == 1


def test_a_row_that_breaks_the_contract_is_refused_by_name(
    client: TestClient, sample: pl.DataFrame
) -> None:
    body = in_json(sample.head(2))
    name = next(iter(body["rows"][1]))
    del body["rows"][1][name]
    refused = client.post("/predict", json=body)
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "rows", 1, name]


def test_it_says_who_is_in_charge_and_that_it_is_ready(
    client: TestClient, sample: pl.DataFrame
) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    ready = client.get("/ready").json()
    answer = client.post("/predict", json=in_json(sample.head(1))).json()
    assert ready == {"status": "ready", "champion": answer["champion"], "model": answer["model"]}
