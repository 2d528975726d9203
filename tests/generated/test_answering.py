"""Answers of a language model: recorded once within a budget, judged, and never sent unless they
rest on a prepared passage. The language model here is a small server that answers by rule.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import polars as pl
import pytest

from ..made import Completed, Repository, fixable, passes

KEY = "a-key-that-nobody-may-keep"
INVENTED = "Bring the rug to our shop, and you get a new one for nothing."
SAID = {
    " rug": INVENTED,
    "refund": "Your refund is on its way within 5 working days after the return has reached us.",
    "invoice": "You find the invoice as a PDF under My Orders.",
    "password": "Choose Forgotten Password on the login page; we send you a link by e-mail.",
    "gift card": "A gift card is valid for 24 months.",
}
"""What is said where a question holds these words, the first that fits; else HAND OVER."""

answering = pytest.mark.parametrize("repository", ["answering"], indirect=True)


class Model(ThreadingHTTPServer):
    """A language model on this machine; `refusals` are the codes that it answers first."""

    def __init__(self, *refusals: int) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.refusals = list(refusals)
        self.requests: list[dict[str, Any]] = []
        self.keys: set[str | None] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Answer(BaseHTTPRequestHandler):
    """One request to the model."""

    server: Model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.refusals:
            self.reply(self.server.refusals.pop(0), {"error": "not now"})
            return
        self.server.requests.append(body)
        self.server.keys.add(self.headers["Authorization"])
        question = body["messages"][-1]["content"].lower()
        answer = next((words for key, words in SAID.items() if key in question), "HAND OVER")
        choice = {"message": {"role": "assistant", "content": answer}}
        usage = {"prompt_tokens": 1_000, "completion_tokens": 20}
        is_known = self.path == "/v1/chat/completions"
        self.reply(200 if is_known else 404, {"choices": [choice], "usage": usage})

    def reply(self, code: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After", "0")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def model() -> Iterator[Model]:
    with Model() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def few(repository: Repository) -> Repository:
    """The repository with fewer questions, so that asking all of them takes seconds."""
    repository.edit("params.yaml", "questions: 10000 ", "questions: 700 ")
    return repository


def record(repository: Repository, url: str, *words: str) -> Completed:
    variables = {"LANGUAGE_MODEL_URL": url, "LANGUAGE_MODEL_KEY": KEY, "no_proxy": "127.0.0.1"}
    return repository.run(repository.package, "record", *words, **variables)


def kept(repository: Repository) -> pl.DataFrame:
    return pl.read_parquet(repository.folder / "data/questions.parquet")


def by_hand(repository: Repository) -> None:
    """Let the pipeline read the recorded table, and the language model be the only candidate."""
    example = repository.code("example")
    repository.edit("params.yaml", f"source: {example}", "source: data/questions.parquet")
    both = '{"retrieval": Retrieval(seed), "language model": LanguageModel()}'
    repository.edit(repository.code("model"), both, '{"language model": LanguageModel()}')


@answering
def test_without_an_address_nothing_is_asked(repository: Repository) -> None:
    words = "LANGUAGE_MODEL_URL: expected the address of a language model's API, found "
    fixable(record(repository, ""), words + "nothing. Next: export LANGUAGE_MODEL_URL=")
    fixable(record(repository, "file:///etc/passwd"), words + "file:///etc/passwd. Next: ")


@answering
def test_a_server_that_is_not_there_is_one_message(few: Repository) -> None:
    with Model() as gone:
        url = gone.url
    completed = record(few, url)
    fixable(
        completed,
        f"{url}/chat/completions: expected an answer, found ",
        "Next: see that the server",
    )
    assert KEY not in completed.stdout + completed.stderr


@answering
def test_a_server_that_says_no_for_good_is_not_asked_again(few: Repository, model: Model) -> None:
    model.refusals = [401, 401]
    fixable(record(few, model.url), "found 401 ", "not now", "LANGUAGE_MODEL_KEY are right")
    assert model.refusals == [401]


@answering
def test_a_server_that_is_busy_is_asked_again_and_not_for_ever(
    few: Repository, model: Model
) -> None:
    model.refusals = [429, 503, 500, 429, 503]
    fixable(record(few, model.url), "found 503 ")
    assert (model.refusals, model.requests) == ([], [])
    model.refusals = [429, 503]
    passes(record(few, model.url, "--budget", "0.004"), "questions without an answer were asked")
    assert len(model.requests) > 0


@answering
def test_the_budget_is_never_passed_and_a_second_run_asks_only_what_is_left(
    few: Repository, model: Model
) -> None:
    price = 1_000 * 0.12e-6 + 20 * 0.48e-6
    passes(record(few, model.url, "--budget", "0.02"), "could exceed the budget of 0.02")
    first = len(model.requests)
    known = kept(few)
    assert 0 < first * price <= 0.02 < (first + 20) * price
    assert known["recorded"].is_not_null().sum() == first

    passes(record(few, model.url), "Next: in params.yaml, write `source: data/questions.parquet`")
    questions = known.filter(pl.col("wording").str.strip_chars() != "").height
    assert len(model.requests) == questions == kept(few)["recorded"].is_not_null().sum()
    both = kept(few).filter(known["recorded"].is_not_null())
    assert both["recorded"].equals(known["recorded"].drop_nulls())
    assert kept(few).drop("recorded").equals(known.drop("recorded"))

    passes(record(few, model.url), "0 of 0 questions without an answer were asked, for 0.0000.")
    assert len(model.requests) == questions
    assert "wdir" not in (few.folder / "data/questions.parquet.dvc").read_text()


@answering
def test_the_key_is_sent_and_kept_nowhere(few: Repository, model: Model) -> None:
    completed = record(few, model.url, "--budget", "0.005")
    assert model.keys == {f"Bearer {KEY}"}
    assert KEY not in completed.stdout + completed.stderr
    files = [path for path in few.folder.rglob("*") if path.is_file()]
    assert files
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []


@answering
def test_another_prompt_has_answers_of_its_own(few: Repository, model: Model) -> None:
    passes(record(few, model.url, "--budget", "0.005"))
    first = len(model.requests)
    few.edit(few.code("model"), "Answer in one or two sentences", "Answer in one sentence")
    passes(record(few, model.url, "--budget", "0.005"))
    assert model.requests[first]["messages"][1] == model.requests[0]["messages"][1]
    [answers] = kept(few)["recorded"].drop_nulls().head(1)
    assert len(json.loads(answers)) == 2


@answering
def test_without_recorded_answers_the_language_model_is_not_tried(repository: Repository) -> None:
    training = repository.json("reports/training.json")
    [untried] = training["not_tried"]
    assert untried["name"] == "language model"
    assert "there are no recorded answers to " in untried["why"]
    report = (repository.folder / "reports/report.md").read_text(encoding="utf-8")
    assert "**Not tried: language model**, because there are no recorded answers" in report
    assert training["yardstick"]["told"] in report


@answering
def test_recorded_answers_make_a_candidate_and_an_invented_one_is_never_sent(
    few: Repository, model: Model
) -> None:
    passes(record(few, model.url))
    by_hand(few)
    model.shutdown()
    passes(few.run("dvc", "repro", "evaluate"), "Running stage 'evaluate'")
    assert few.json("models/challenger/card.json")["name"] == "language model"
    predictions = pl.read_parquet(few.folder / "data/predictions/challenger.parquet")
    sent = pl.read_parquet(few.folder / "data/outcomes/challenger.parquet")
    assert predictions["p_cost"].to_list() == pytest.approx([0.0001296] * predictions.height)
    assert predictions["p_ms"].min() > 0  # type: ignore[operator]

    invented = (predictions["p_said"] == INVENTED).to_list()
    assert sum(invented) > 3
    assert sent.filter(invented)["action"].unique().to_list() == ["hand over"]
    assert sent.filter(invented)["grounded"].unique().to_list() == [False]
    refunds = predictions["p_said"] == SAID["refund"]
    assert predictions.filter(refunds)["p_intent"].unique().to_list() == ["refund_when"]
    assert "answer" in sent.filter(refunds)["action"].unique()
    assert sent.filter(predictions["p_said"] == "")["grounded"].null_count() > 0

    metrics = few.json("reports/metrics.json")["challenger"]
    assert metrics["grounded_share"]["estimate"] < 1
    assert metrics["cost_per_1000"]["estimate"] == pytest.approx(0.1296)
    assert metrics["unrecorded_share"]["estimate"] == 0


@answering
def test_a_question_without_a_recorded_answer_is_handed_over_and_counted(
    few: Repository, model: Model
) -> None:
    passes(record(few, model.url))
    by_hand(few)
    rows = kept(few)
    last = rows["asked_on"].rank("ordinal") > rows.height - 5
    without = pl.when(last).then(pl.lit(None, pl.String)).otherwise("recorded").alias("recorded")
    rows.with_columns(without).write_parquet(few.folder / "data/questions.parquet")
    passes(few.run("dvc", "repro"), "Running stage 'report'")
    predictions = pl.read_parquet(few.folder / "data/predictions/challenger.parquet")
    sent = pl.read_parquet(few.folder / "data/outcomes/challenger.parquet")
    missing = predictions["p_ms"] == -1
    assert 3 <= missing.sum() <= 5
    assert sent.filter(missing)["action"].unique().to_list() == ["hand over"]
    assert set(predictions.filter(missing)["p_intent"]) == {"none"}
    counted = few.json("reports/metrics.json")["challenger"]["unrecorded_share"]["estimate"]
    assert counted == pytest.approx(missing.mean())
    assert "unrecorded share" in (few.folder / "reports/report.md").read_text(encoding="utf-8")
