"""What is inferred from a table, what is asked, and what is decided on the safe side."""

import importlib
import os
import pty
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn import datasets

from .conftest import Room

CHANCE = random.Random(3)
ROWS = 400
LEFT = [CHANCE.random() < 0.3 for _ in range(ROWS)]
DAYS = [date(2023, 1, 1) + timedelta(days=n) for n in range(ROWS)]


def choose(*words: str) -> list[str]:
    """A word for each row."""
    return [CHANCE.choice(words) for _ in range(ROWS)]


SEX = choose("female", "male")
CUSTOMERS = pl.DataFrame(
    {
        "row": range(1, ROWS + 1),
        "number": range(1, ROWS + 1),
        "customer_id": [f"C{CHANCE.randrange(150):04}" for _ in range(ROWS)],
        "order_id": [f"O{n:06}" for n in range(ROWS)],
        "email": [f"user{n}@example.org" for n in range(ROWS)],
        "full_name": choose("Ada Lovelace", "Jo Smith", *[f"Bo Nr{n}" for n in range(20)]),
        "signup": [day.strftime("%d.%m.%Y") for day in DAYS],
        "renewal": [f"{day.month:02}/{day.day % 12 + 1:02}/{day.year}" for day in DAYS],
        "plan": choose("basic", "pro"),
        "tariff": None,
        "region": choose("north", "south", "east"),
        "sex": SEX,
        "title": ["Mrs" if sex == "female" else "Mr" for sex in SEX],
        "salutation_words": [
            "dear Mrs" if s == "female" and n % 50 else "dear Mr" for n, s in enumerate(SEX)
        ],
        "age": [f"{CHANCE.randrange(18, 90)}" for _ in range(ROWS)],
        "charge": [
            f"{CHANCE.uniform(1, 2000):,.2f}".replace(",", "#").replace(".", ",").replace("#", ".")
            for _ in range(ROWS)
        ],
        "visits": ["-999" if n % 20 == 0 else f"{CHANCE.randrange(30)}" for n in range(ROWS)],
        "score": [CHANCE.choice(["k.A.", "1", "2", "3"]) for _ in range(ROWS)],
        "plz": [f"0{CHANCE.randrange(1000, 1400)}" for _ in range(ROWS)],
        "notes": [
            " ".join(choose("late", "again", "called", "twice", "about")[:8]) + f" {n}"
            for n in range(ROWS)
        ],
        "tags": ["|".join(CHANCE.sample("abcde", 3)) for _ in range(ROWS)],
        "constant": "x",
        "nearly_empty": ["x" if n % 100 == 0 else "" for n in range(ROWS)],
        "cancelled_on": [str(day) if left else "" for day, left in zip(DAYS, LEFT, strict=True)],
        "left": ["Ja" if left else "Nein" for left in LEFT],
    }
).with_columns(tariff=pl.col("plan").replace({"basic": "1", "pro": "2"}))

EXPECTED = {
    "row": ("int", "ignored"),
    "number": ("int", "ignored"),
    "customer_id": ("text", "entity"),
    "order_id": ("text", "ignored"),
    "email": ("text", "personal"),
    "full_name": ("text", "personal"),
    "signup": ("date", "time"),
    "renewal": ("date", "ignored"),
    "plan": ("category", "feature"),
    "tariff": ("int", "ignored"),
    "region": ("category", "segment"),
    "sex": ("category", "segment"),
    "title": ("category", "ignored"),
    "salutation_words": ("category", "ignored"),
    "age": ("int", "personal"),
    "charge": ("float", "feature"),
    "visits": ("int", "feature"),
    "score": ("int", "feature"),
    "plz": ("text", "ignored"),
    "notes": ("text", "ignored"),
    "tags": ("text", "ignored"),
    "constant": ("category", "ignored"),
    "nearly_empty": ("category", "ignored"),
    "cancelled_on": ("date", "ignored"),
    "left": ("category", "target"),
}


@pytest.fixture(scope="module")
def customers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table as a German office writes it: semicolons, Windows-1252, decimal commas."""
    path = tmp_path_factory.mktemp("tables") / "customers.csv"
    path.write_text(CUSTOMERS.write_csv(separator=";"), encoding="cp1252")
    return path


@pytest.fixture(scope="module")
def proposal(rooms: dict[str, Room], customers: Path) -> Any:
    """What is proposed for it on the safe side."""
    return rooms["classification"].propose(customers, "left")


def test_each_column_has_a_type_and_a_role_with_a_reason(proposal: Any) -> None:
    columns = {column.name: column for column in proposal.columns}
    uses = {name: (column.kind, column.role) for name, column in columns.items()}
    assert uses == EXPECTED
    assert all(column.reason and 0 < column.confidence <= 1 for column in proposal.columns)
    assert "counts the rows" in columns["number"].reason
    assert "same as `plan`" in columns["tariff"].reason
    assert "says what `sex` says" in columns["salutation_words"].reason
    assert "two ways" in columns["renewal"].reason
    assert columns["region"].also == ("feature",)
    assert columns["sex"].also == ("personal",)
    assert columns["left"].categories == ("Ja", "Nein")
    assert (columns["charge"].low, columns["charge"].high) == (0, 5000)
    assert (columns["visits"].low, columns["visits"].high) == (0, 100)
    assert columns["visits"].nullable
    assert columns["score"].nullable
    doubts = {name: column.doubt for name, column in columns.items() if column.doubt}
    assert doubts == {
        "order_id": "entity", "renewal": "notation", "sex": "protected",
        "salutation_words": "protected", "age": "protected", "cancelled_on": "afterwards",
    }  # fmt: skip


def test_rows_are_what_the_pipeline_reads_with_the_keys_that_are_proposed(
    rooms: dict[str, Room], proposal: Any, customers: Path
) -> None:
    room = rooms["classification"]
    assert proposal.read == {
        "separator": ";", "decimal": ",", "dates": ["%d.%m.%Y"], "missing": ["-999", "k.A."],
    }  # fmt: skip
    read = room.load("tables.read").Read(**proposal.read)
    raw = room.load("tables.sources").read_file(customers, read)
    used = [column for column in proposal.columns if column.role != "ignored"]
    schema = room.load("adopt.propose").build_schema(used)
    raw = raw.select(column.name for column in used).with_row_index("row")
    kept, wrong = room.load("tables.conform").to_contract(raw, schema, read)
    assert wrong.is_empty()
    assert kept.drop("row").equals(proposal.rows)
    assert proposal.rows["signup"].to_list() == DAYS
    assert proposal.rows["visits"].null_count() == ROWS // 20


def test_each_decision_has_a_source_and_what_nobody_said_stays_open(proposal: Any) -> None:
    decided = {line.subject: line for line in proposal.decided}
    assert set(EXPECTED) <= set(decided)
    assert decided["plan"].source == "inferred"
    assert decided["cancelled_on"].source == "the safe side"
    assert decided["sex"].source == "the safe side"
    assert decided["visits: -999"] == decided["visits: -999"].__class__(
        "visits: -999", "no value", "a number far from all others", "the safe side"
    )
    assert decided["horizon"].decision == "0 days"
    words = "\n".join(proposal.open)
    for part in ("worth", "today", "`cancelled_on`", "`renewal`", "`sex`", "How long after"):
        assert part in words


def test_what_a_person_says_comes_first(room: Room, customers: Path) -> None:
    proposal = room.propose(
        customers, "left", entity="order_id", time="renewal", dates={"renewal": "%m/%d/%Y"},
        features=("sex", "title", "cancelled_on"), segments=("plan",), ignored=("region",),
        missing={"visits": ()}, horizon=timedelta(days=30),
    )  # fmt: skip
    columns = {column.name: column for column in proposal.columns}
    assert columns["order_id"].role == "entity"
    assert columns["renewal"].role == "time"
    assert proposal.rows["renewal"][0].isoformat() == "2023-01-02"
    assert columns["sex"].also == ("personal", "feature")
    assert [columns[name].role for name in ("title", "cancelled_on")] == ["feature"] * 2
    assert columns["plan"].role == "segment"
    assert columns["region"].role == "ignored"
    assert columns["visits"].low < 0
    subjects = {line.subject for line in proposal.decided if line.source == "a person"}
    assert {"order_id", "renewal", "sex", "title", "cancelled_on", "plan", "region"} <= subjects
    assert "horizon" in subjects


def test_a_number_that_a_person_takes_for_no_value_and_a_kind_that_was_inferred_are_told_so(
    room: Room, customers: Path
) -> None:
    options = {"missing": {"visits": ("-999",)}, "problem": "classification"}
    proposal = room.propose(customers, "left", **options)
    sources = {line.subject: line.source for line in proposal.decided}
    assert sources["visits: -999"] == "a person"
    assert sources["kind of problem"] == "inferred"
    other = room.propose(customers, "visits", problem="classification")
    (kind,) = (line for line in other.decided if line.subject == "kind of problem")
    assert (kind.source, kind.reason) == ("a person", "a person said so")


def test_a_terminal_asks_at_most_seven_things_and_then_the_business(
    room: Room, customers: Path
) -> None:
    answers = {
        "Dates": "month/day/year", "no value": "", "is predicted": "has cancelled",
        "row about": "customer_id", "known: at": "signup", "How many days": "30",
        "Left out": "none", "persons": "sex, age", "whom": "call customer",
        "decided today": "visits < 3", "it worth": "40 EUR and 5",
        "acted on": "400 of 5,000 every week",
    }  # fmt: skip
    questions = []

    def ask(question: str, default: str) -> str:
        questions.append(question)
        (answer,) = [answer for part, answer in answers.items() if part in question]
        return answer or default

    proposal = room.propose(customers, "left", ask)
    assert len(questions) == len(answers)
    assert sum(len(question.splitlines()) for question in questions) < 20
    text = "\n".join(questions)
    for value in ("user1@", "Lovelace", "C0001", "O0000"):
        assert value not in text
    whole = proposal.answers
    assert (whole.meaning, whole.entity, whole.time, whole.horizon.days) == (
        "has cancelled", "customer_id", "signup", 30,
    )  # fmt: skip
    assert (whole.action, whole.unit, whole.rule) == ("call", "customer", "visits < 3")
    assert (whole.right, whole.wrong, whole.currency) == (40, 5, "EUR")
    assert (whole.at_most, whole.out_of, whole.every) == (400, 5000, "week")
    columns = {column.name: column for column in proposal.columns}
    assert columns["sex"].also == ("personal", "feature")
    assert columns["salutation_words"].role == "feature"
    assert columns["renewal"].role == "ignored"
    assert "the time is" in columns["renewal"].reason
    assert proposal.open == ()
    assert not [line for line in proposal.decided if line.source == "the safe side"]


AT_A_TERMINAL = """
import sys
from pathlib import Path
from {package}.delivery.adopt.proposal import Answers
from {package}.delivery.adopt.propose import propose
from {package}.delivery.adopt.write import ask
a = propose(Path(sys.argv[1]), Answers("left"), ask).answers
print("AT LAST", a.meaning, a.entity, a.time, a.rule, a.right)
"""


def test_at_a_real_terminal_enter_takes_the_safe_side(room: Room, customers: Path) -> None:
    folder = Path(str(importlib.import_module(room.package).__file__)).parents[1]
    code = AT_A_TERMINAL.format(package=room.package)
    screen, keyboard = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", code, str(customers)],
        env=os.environ | {"PYTHONPATH": str(folder)},
        stdin=keyboard, stdout=keyboard, stderr=keyboard,
    ) as process:  # fmt: skip
        os.close(keyboard)
        os.write(screen, b"\n" * 100)  # more than it asks for, so that it ends
        text = b""
        while b"AT LAST" not in text or not text.endswith(b"\n"):
            text += os.read(screen, 10_000)  # an OSError where the process ends before
    os.close(screen)
    assert process.returncode == 0
    words = text.decode()
    assert "`left` is predicted: Ja in " in words
    assert "AT LAST None customer_id signup None None" in words


def test_an_answer_that_cannot_be_read_is_asked_again_and_then_left(
    room: Room, customers: Path
) -> None:
    questions = []

    def ask(question: str, default: str) -> str:
        questions.append(question)
        return "what?"

    proposal = room.propose(customers, "left", ask)
    assert len(questions) < 40
    assert "expected one of" in "".join(questions)
    assert proposal.answers.right is None
    assert proposal.answers.entity == "customer_id"


BUNDLED = {
    "iris": ("classification", 5),
    "wine": ("classification", 14),
    "breast_cancer": ("classification", 31),
    "digits": ("classification", 65),
    "diabetes": ("regression", 11),
}


@pytest.mark.parametrize("name", BUNDLED)
def test_the_tables_of_scikit_learn(
    rooms: dict[str, Room], write: Callable[..., Path], name: str
) -> None:
    problem, width = BUNDLED[name]
    bunch = getattr(datasets, f"load_{name}")()
    names = [str(feature) for feature in bunch.feature_names]
    table = pl.DataFrame(bunch.data, names).with_columns(target=pl.Series(bunch.target))
    proposals = [
        rooms[problem].propose(write(table, f"t.{suffix}"), "target")
        for suffix in ("csv", "parquet")
    ]
    assert proposals[0].problem == problem
    assert len(proposals[0].columns) == width
    roles = [{column.name: column.role for column in p.columns} for p in proposals]
    assert roles[0] == roles[1]
    features = {n for n, role in roles[0].items() if role == "feature"}
    others = {
        "iris": {"petal length (cm)", "petal width (cm)"},  # each tells one kind from all others
        "diabetes": {"age", "sex"},
        "digits": {"pixel_0_0", "pixel_4_0", "pixel_4_7"},  # the same in every row
    }.get(name, set())
    assert features == set(names) - others


KINDS: dict[str, tuple[list[Any], str]] = {
    "yes and no": (["yes", "no"], "classification"),
    "three words": (["a", "b", "c"], "classification"),
    "codes": ([0, 1, 2, 3], "classification"),
    "marks": ([3, 4, 5, 6, 7, 8, 9], "regression"),
    "children": ([0] * 300 + [1] * 60 + [2] * 30 + [3] * 9 + [4] * 1, "regression"),
    "fractions": ([0.5, 1.0, 1.5], "regression"),
    "amounts": ([n * 7 for n in range(90)], "regression"),
}


@pytest.mark.parametrize("what", KINDS)
def test_the_kind_of_problem_is_that_of_the_target(
    room: Room, write: Callable[..., Path], capsys: pytest.CaptureFixture[str], what: str
) -> None:
    values, problem = KINDS[what]
    table = pl.DataFrame({"x": range(ROWS), "y": (values * ROWS)[:ROWS]})
    assert room.load("adopt.kind").main([str(write(table)), "y"]) == 0
    assert capsys.readouterr().out == f"{problem}\n"


def test_a_log_and_a_table_of_intents_are_sent_to_their_pages(
    room: Room, write: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    log = pl.DataFrame(
        {
            "userId": [n % 40 for n in range(1600)],
            "movieId": [n // 40 for n in range(1600)],
            "rating": [CHANCE.randrange(1, 6) for _ in range(1600)],
        }
    )
    sentences = [f"how do I {word} the thing that I bought" for word in ("mend", "pay", "send")]
    intents = pl.DataFrame(
        {
            "text": [f"{CHANCE.choice(sentences)} {n}" for n in range(ROWS)],
            "intent": [f"intent {n % 40}" for n in range(ROWS)],
        }
    )
    kind, fixable = room.load("adopt.kind"), room.load("edge.errors").Fixable
    for table, target, problem in ((log, "rating", "ranking"), (intents, "intent", "answering")):
        assert kind.main([str(write(table)), target]) == 0
        assert capsys.readouterr().out == f"{problem}\n"
        with pytest.raises(fixable, match=f"docs/{problem}.md"):
            room.propose(write(table), target)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_whole_numbers_are_times_or_no_value_where_that_is_said(
    room: Room, write: Callable[..., Path], name: str
) -> None:
    table = pl.DataFrame(
        {
            "year": [1990 + n % 20 for n in range(ROWS)],
            "unix": [1_700_000_000 + 977 * n for n in range(ROWS)],
            "visits": [-999 if n % 20 == 0 else n % 30 for n in range(ROWS)],
            "left": LEFT,
        }
    )
    source = write(table, name)
    plain = room.propose(source, "left")
    assert {column.name: column.role for column in plain.columns} == {
        "year": "feature", "unix": "ignored", "visits": "feature", "left": "target",
    }  # fmt: skip
    assert [column.doubt for column in plain.columns] == ["time", "time", None, None]
    assert plain.rows["visits"].null_count() == ROWS // 20
    assert plain.read["missing"] == ["-999"]
    by_year, by_second = (room.propose(source, "left", time=time) for time in ("year", "unix"))
    assert by_year.rows["year"][21] == date(1991, 1, 1)
    assert by_year.read["dates"] == ["%Y"]
    assert by_second.rows["unix"][0].isoformat() == "2023-11-14T22:13:20"
    assert by_second.read["dates"] == ["%s"]


def test_prices_of_a_number_are_asked_in_its_own_words(
    rooms: dict[str, Room], write: Callable[..., Path]
) -> None:
    table = pl.DataFrame({"x": [n % 90 for n in range(ROWS)], "y": [n / 7 for n in range(ROWS)]})
    answers = {"predicted": "", "done with": "price car", "today": "", "too high": "2 GBP and 1"}
    questions = []

    def ask(question: str, default: str) -> str:
        questions.append(question)
        (answer,) = [answer for part, answer in answers.items() if part in question]
        return answer

    whole = rooms["regression"].propose(write(table), "y", ask).answers
    assert len(questions) == 4
    assert (whole.action, whole.unit, whole.wrong, whole.right) == ("price", "car", 2, 1)
    assert (whole.currency, whole.rule, whole.at_most, whole.meaning) == ("GBP", None, None, None)


def test_another_kind_of_problem_than_that_of_the_repository_is_said(
    rooms: dict[str, Room], write: Callable[..., Path]
) -> None:
    table = pl.DataFrame({"x": [n % 90 for n in range(ROWS)], "y": [n / 7 for n in range(ROWS)]})
    fixable = rooms["classification"].load("edge.errors").Fixable
    with pytest.raises(fixable, match=r"found regression: .*exemplar new"):
        rooms["classification"].propose(write(table), "y")
    assert rooms["regression"].propose(write(table), "y").target.kind == "float"


def test_the_kind_is_found_without_the_libraries_of_a_repository(
    room: Room, write: Callable[..., Path]
) -> None:
    source = write(pl.DataFrame({"x": range(ROWS), "y": LEFT}))
    code = (
        "import sys; from sorted_out.delivery.adopt.kind import main; "
        f"main([{str(source)!r}, 'y']); "
        "print(sorted({'dataframely', 'sklearn', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    folder = Path(str(room.load("adopt.kind").__file__)).parents[3]
    completed = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert completed.stdout == "classification\n[]\n"
