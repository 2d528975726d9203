"""MLflow holds each result once and whole; the registry follows; a dead server is told."""

import contextlib
import hashlib
import json
import shutil
import sqlite3
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from ..made import UV, Completed, call, fixable, passes, stopped
from .conftest import LOG, Seen, Tracked

OWN = "sqlite:///mlflow.db"
SECRET = "hunter2"
SECONDS = 60  # MLflow itself goes on for minutes


def dearer(tracked: Tracked) -> None:
    """Another price, which is another result of the same model."""
    tracked.edit("project-brief.md", "call: {leaves: 40,", "call: {leaves: 50,")


def intervals(name: str, interval: dict[str, Any]) -> dict[str, float]:
    parts = {name: "estimate", f"{name}_lower": "lower", f"{name}_upper": "upper"}
    return {key: interval[part] for key, part in parts.items() if interval[part] is not None}


def check_whole(tracked: Tracked, seen: Seen) -> None:
    """The run says what the reports say, candidates and files included."""
    run, reports = seen.run, tracked.folder / "reports"
    decision, metrics = tracked.json("reports/decision.json"), tracked.json("reports/metrics.json")
    assert run["status"] == "FINISHED"
    assert run["tags"]["verdict"] == decision["verdict"]
    assert run["tags"]["sentence"] == decision["sentence"]
    gain = decision["gain"]
    assert run["name"].startswith(f"{decision['verdict']} {gain['estimate']:+,.0f}: ")
    expected = intervals("gain", gain)
    for model in ("rule", "challenger", "champion"):
        for metric, interval in metrics[model].items():
            expected |= intervals(f"{model}/{metric}", interval)
    assert "challenger/value_per_1000_lower" in expected
    assert expected.items() <= run["metrics"].items()
    part = tracked.json("reports/slices.json")["segments"]["region"][0]
    assert part["slice"] == "region = east"
    recall = intervals("slices/region: east/recall", part["metrics"]["recall"])
    assert recall.items() <= run["metrics"].items()
    seconds = tracked.json("reports/seconds.json")["seconds"]
    for candidate in tracked.json("reports/training.json")["candidates"]:
        (child,) = [c for c in seen.candidates if c["name"] == f"candidate: {candidate['name']}"]
        assert child["tags"]["mlflow.parentRunId"] == run["id"]
        losses = ("log_loss", "log_loss_lower", "log_loss_upper")
        expected = {f"validation/{name}": candidate[name] for name in losses}
        assert child["metrics"] == expected | {"training_seconds": seconds[candidate["name"]]}
        assert child["tags"]["chosen"] == str(candidate["name"] == decision["challenger"]).lower()
    assert len(seen.candidates) == 2
    mine = [f"reports/{path.name}" for path in reports.glob("*.json")]
    mine += [f"plots/{path.name}" for path in (reports / "plots").iterdir()]
    mine += [f"model/{path.name}" for path in (tracked.folder / "models/challenger").iterdir()]
    mine += ["report.html", "report.md"]
    drawn = [name for name in run["files"] if name.startswith("figures/")]
    assert sorted([*mine, *drawn]) == run["files"]
    assert {"figures/gain.svg", "figures/calibration.svg", "figures/value.svg"} <= set(drawn)


def test_the_first_run_of_the_pipeline_is_in_the_default_database(tracked: Tracked) -> None:
    seen = tracked.seen(OWN)
    check_whole(tracked, seen)
    run, split = seen.run, tracked.json("reports/split.json")
    assert run["params"]["ingest.settings.customers"] == "5000"
    assert run["params"]["split.validation"] == "0.2"
    assert not [name for name in run["params"] if name.startswith("track")]
    assert run["tags"]["data.test"] == split["test"]["sha256"]
    assert set(run["inputs"]) == {"train", "validation", "test"}
    assert split["train"]["sha256"].startswith(run["inputs"]["train"])
    assert run["tags"]["mlflow.note.content"].startswith("# Keep the customers")
    assert "## Champion against challenger" in run["tags"]["mlflow.note.content"]
    assert len(run["tags"]["mlflow.note.content"]) < 5000
    assert run["tags"]["commit"] == "none", "the first commit comes after the first run"
    assert tracked.git("status", "--porcelain") == ""


def test_files_are_the_same_bytes_and_our_loader_takes_the_model(tracked: Tracked) -> None:
    run = tracked.seen(OWN).run
    where = Path(run["uri"].removeprefix("file://"))
    assert where.is_relative_to(tracked.folder / "mlruns")
    for name, home in (("model", "models/challenger"), ("plots", "reports/plots"), ("", "reports")):
        for path in (tracked.folder / home).iterdir():
            kept = where / ("reports" if path.suffix == ".json" and not name else name) / path.name
            assert path.is_dir() or kept.read_bytes() == path.read_bytes(), kept
    for path in (where / "figures").iterdir():
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        assert "--ink: #" in path.read_text(), "its colours come along"
    check = f"from pathlib import Path; from churn.delivery.models import model_folder as m;\
 print(m.load(Path({str(where / 'model')!r}))[1].name)"
    passes(tracked.python("-c", check), tracked.json("reports/decision.json")["challenger"])


def test_the_same_result_is_one_run_however_often_it_is_tracked(tracked: Tracked) -> None:
    passes(tracked.run("dvc", "repro", "--force", "--single-item", "track"), "knows this result")
    passes(tracked.track(*LOG, uri=OWN), "MLflow knows this result already: ")
    check_whole(tracked, tracked.seen(OWN))


def test_prose_is_no_new_result_and_a_price_is(tracked: Tracked) -> None:
    first = tracked.seen(OWN).run
    tracked.append("project-brief.md", "\nSome more words on the problem.\n")
    passes(tracked.run("dvc", "repro"), "Running stage 'track'", "knows this result")
    assert tracked.seen(OWN).run["id"] == first["id"]
    tracked.git("commit", "--quiet", "--all", "--message", "More words")
    dearer(tracked)
    tracked.git("commit", "--quiet", "--all", "--message", "Another price")
    passes(tracked.run("dvc", "repro"), "Tracked as ")
    new, old = tracked.seen(OWN).runs
    assert old["id"] == first["id"]
    assert new["metrics"]["gain"] > old["metrics"]["gain"]
    assert new["tags"]["model"] == old["tags"]["model"], "prices change without retraining"
    assert new["tags"]["commit"] == tracked.git("rev-parse", "HEAD").strip()
    assert new["tags"]["tree"] == "clean", "what the run itself writes does not count"


def test_the_run_of_an_experiment_in_a_folder_of_its_own_is_with_the_others(
    tracked: Tracked,
) -> None:
    first = tracked.seen(OWN).run
    dearer(tracked)
    passes(tracked.run("dvc", "exp", "run", "--temp"), "Running stage 'track'", "Tracked as ")
    new, old = tracked.seen(OWN).runs
    assert old["id"] == first["id"]
    assert new["metrics"]["gain"] > old["metrics"]["gain"]
    assert new["status"] == "FINISHED"
    assert sorted(new["files"]) == sorted(old["files"])
    assert Path(new["uri"].removeprefix("file://")).is_relative_to(tracked.folder / "mlruns")
    assert new["tags"]["commit"] == tracked.git("rev-parse", "HEAD").strip()
    assert new["tags"]["tree"] == "uncommitted changes", "the price is not committed yet"


def test_an_edit_that_is_not_committed_is_told(tracked: Tracked, empty: str) -> None:
    tracked.append("src/churn/features.py", "\n# An idea.\n")
    passes(tracked.track(*LOG, uri=empty), "Tracked as ")
    run = tracked.seen(empty).run
    assert run["tags"]["tree"] == "uncommitted changes"
    assert run["tags"]["commit"] == tracked.git("rev-parse", "HEAD").strip()


def test_where_it_is_tracked_is_no_part_of_the_result(tracked: Tracked, empty: str) -> None:
    tracked.edit("params.yaml", f"uri: {OWN}", f"uri: {empty}")
    passes(tracked.run("dvc", "repro"), "Running stage 'track'", "Tracked as ")
    assert tracked.seen(empty).run["tags"]["inputs"] == tracked.seen(OWN).run["tags"]["inputs"]


def test_a_run_that_was_killed_half_way_does_not_count(tracked: Tracked, empty: str) -> None:
    inputs = tracked.seen(OWN).run["tags"]["inputs"]
    half = f"from mlflow import MlflowClient as C; c = C({empty!r});\
 c.create_run(c.create_experiment('churn'), tags={{'inputs': {inputs!r}}})"
    passes(tracked.python("-c", half))
    passes(tracked.track(*LOG, uri=empty), "Tracked as ")
    assert {run["status"] for run in tracked.seen(empty).runs} == {"RUNNING", "FINISHED"}


def test_a_result_that_cannot_be_tracked_whole_is_a_failed_run(
    tracked: Tracked, empty: str
) -> None:
    (tracked.folder / "reports/report.html").unlink()
    fixable(tracked.track(*LOG, uri=empty), "reports/report.html: expected to exist")
    assert tracked.seen(empty).run["status"] == "FAILED"


def test_a_copy_of_the_folder_keeps_its_own_artifacts(tracked: Tracked, tmp_path: Path) -> None:
    before = sorted(tracked.folder.glob("mlruns/*/*"))
    other = tmp_path / "copy"
    shutil.copytree(tracked.folder, other, ignore=shutil.ignore_patterns(".venv", "mlruns"))
    (other / ".venv").symlink_to(tracked.folder / ".venv")
    copy = Tracked(other, tracked.how)
    passes(copy.track(*LOG, uri=OWN), "Tracked as ")
    assert sorted(tracked.folder.glob("mlruns/*/*")) == before
    assert Path(copy.seen(OWN).run["uri"].removeprefix("file://")).is_relative_to(other)


def change_experiment(tracked: Tracked, *statements: str) -> None:
    """What somebody did to the experiment, as MLflow writes it into its tables."""
    with contextlib.closing(sqlite3.connect(tracked.folder / "mlflow.db")) as database, database:
        for statement in statements:
            assert database.execute(statement).rowcount == 1, statement


DELETED = "UPDATE experiments SET lifecycle_stage = 'deleted' WHERE name = 'churn'"
RENAMED = "UPDATE experiments SET name = 'attrition' WHERE name = 'churn'"
OF_ANOTHER_RELEASE = "DELETE FROM experiment_tags WHERE key = 'package'"  # which says whose it is


@pytest.mark.parametrize(
    ("statements", "finding", "back"),
    [
        ([DELETED], "found it deleted", "restore --experiment-id 1"),
        ([RENAMED], "found it renamed to `attrition`", "rename --experiment-id 1 --new-name churn"),
        (
            [OF_ANOTHER_RELEASE, RENAMED],
            "give it a name that begins with `churn (`",
            "rename --experiment-id 1 --new-name churn",
        ),
    ],
)
def test_an_experiment_that_was_deleted_or_renamed_comes_back_by_the_command_of_the_message(
    tracked: Tracked, statements: list[str], finding: str, back: str
) -> None:
    change_experiment(tracked, *statements)
    command = f"MLFLOW_TRACKING_URI={OWN} uv run mlflow experiments {back}; then uv run dvc repro"
    completed = tracked.run("dvc", "repro", "--force", "--single-item", "track")
    stopped(completed, f"expected MLflow's experiment `churn` at {OWN}", finding, command)
    restored = tracked.python("-m", "mlflow", "experiments", *back.split())
    assert restored.returncode == 0, restored
    passes(tracked.track(*LOG, uri=OWN), "knows this result")


def test_an_experiment_that_was_put_aside_makes_room_for_a_new_one(tracked: Tracked) -> None:
    change_experiment(tracked, RENAMED.replace("attrition", "churn (2026)"))
    passes(tracked.track(*LOG, uri=OWN), "Tracked as ")
    assert {"churn", "churn (2026)"} <= tracked.seen(OWN).experiments.keys()


@pytest.mark.cold
def test_files_that_uv_took_away_with_the_package_mlflow_come_back_by_the_command(
    tracked: Tracked, tmp_path: Path
) -> None:
    """As where a repository of 0.3.3, which had `mlflow`, is updated and synchronized."""
    (client,) = (tracked.folder / ".venv").resolve().glob("lib/python*/site-packages/mlflow")
    shutil.move(client, tmp_path)
    command = "uv sync --reinstall-package mlflow-skinny"
    fixable(tracked.track(*LOG, uri=OWN), "files of the package mlflow-skinny", command)
    assert call(tracked.folder, UV, *command.split()[1:]).returncode == 0
    passes(tracked.track(*LOG, uri=OWN), "knows this result")


# --- A server -------------------------------------------------------------------------------------


def test_a_real_server_gets_the_same_and_no_password_is_told(tracked: Tracked, server: str) -> None:
    uri = f"http://someone:{SECRET}@{server}"
    completed = tracked.track(*LOG, uri=uri)
    passes(completed, "Tracked as ")
    again = tracked.track(*LOG, uri=uri)
    passes(again, "knows this result")
    registered = tracked.registry("params.yaml", LOG[2], "champion-1", uri=uri)
    passes(registered, "churn: version 1 is the champion")
    for process in (completed, again, registered):
        assert SECRET not in process.stdout + process.stderr
    seen = tracked.seen(f"http://{server}")
    check_whole(tracked, seen)
    assert seen.run["tags"]["inputs"] == tracked.seen(OWN).run["tags"]["inputs"]
    assert seen.alias == "1"
    words = ("artifacts", "download", "-u", "models:/churn@champion", "-d", "fetched")
    fetched = tracked.python("-m", "mlflow", *words, MLFLOW_TRACKING_URI=f"http://{server}")
    assert fetched.returncode == 0, fetched
    for path in (tracked.folder / LOG[2]).iterdir():
        kept = tracked.folder / "fetched" / path.name
        assert kept.read_bytes() == path.read_bytes()


def test_a_dead_server_fails_the_last_stage_alone(tracked: Tracked, nobody: str) -> None:
    dearer(tracked)
    completed = tracked.run("dvc", "repro", MLFLOW_TRACKING_URI=f"http://someone:{SECRET}@{nobody}")
    stopped(
        completed,
        f"track: expected MLflow to answer at http://{nobody}, found: [Errno 111] Connection "
        "refused",
        "Everything before it is finished and kept.",
        "uv run dvc repro track",
        "failed to reproduce 'track'",
        "exited with 2",
    )
    assert SECRET not in completed.stdout + completed.stderr
    assert "Running stage 'report'" in completed.stdout
    left = tracked.run("dvc", "status", "--json")
    assert list(json.loads(left.stdout)) == ["track"]
    passes(tracked.run("dvc", "repro", "track"), "Tracked as ")
    assert len(tracked.seen(OWN).runs) == 2


def test_a_server_that_never_answers_is_given_up_within_seconds(
    tracked: Tracked, mute: str
) -> None:
    since = time.monotonic()
    completed = tracked.track(*LOG, uri=f"http://{mute}")
    fixable(completed, f"at http://{mute}, found: ", "timed out")
    assert time.monotonic() - since < SECONDS


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        (f"postgresql://someone:{SECRET}@{{nobody}}/churn", "No module named 'psycopg"),
        (f"http://{{nobody}}/?token={SECRET}", "at http://{nobody}/, found: "),
        ("sqlite:///reports", "unable to open database file"),  # a folder
        ("sqlite:////dev/null/mlflow.db", "/dev/null/mlflow.db, found: "),
    ],
)
def test_what_an_address_lacks_is_told_at_once(
    tracked: Tracked, uri: str, words: str, nobody: str
) -> None:
    since = time.monotonic()
    completed = tracked.track(*LOG, uri=uri.format(nobody=nobody))
    fixable(completed, words.format(nobody=nobody), "MLFLOW_TRACKING_URI", "uv run dvc repro track")
    assert SECRET not in completed.stdout + completed.stderr
    assert time.monotonic() - since < SECONDS


def test_a_password_in_params_is_refused_and_not_repeated(tracked: Tracked) -> None:
    tracked.edit("params.yaml", f"uri: {OWN}", f"uri: https://someone:{SECRET}@example.com")
    completed = tracked.run("dvc", "repro", "track")
    stopped(
        completed, "params.yaml: expected `track: uri:` without a password", "MLFLOW_TRACKING_URI"
    )
    assert SECRET not in completed.stdout + completed.stderr


def test_nothing_is_reported_to_those_who_make_mlflow(tracked: Tracked, empty: str) -> None:
    check = f"from churn.delivery.tracking import runs\n\
with runs.connect({empty!r}, ''): from mlflow.telemetry.client import get_telemetry_client\n\
from mlflow.telemetry.utils import is_telemetry_disabled\n\
print(get_telemetry_client(), is_telemetry_disabled())"
    passes(tracked.python("-c", check), "None True")


# --- The registry ---------------------------------------------------------------------------------


def champion(tracked: Tracked, source: str, *extra: str) -> str:
    """A champion folder as `promote` makes it."""
    folder = tracked.folder / "models/champion"
    shutil.rmtree(folder)
    shutil.copytree(tracked.folder / source, folder)
    for name in extra:
        (folder / name).write_text("{}")
    return "models/champion"


def register(tracked: Tracked, folder: str, tag: str) -> Completed:
    return tracked.registry("params.yaml", folder, tag, uri=OWN)


def test_the_alias_follows_the_champion_and_a_tag_is_one_version(tracked: Tracked) -> None:
    folder = champion(tracked, "models/challenger", "promotion.json", "predictions.parquet")
    for _ in range(2):
        passes(register(tracked, folder, "champion-1"), "churn: version 1 is the champion")
    seen = tracked.seen(OWN)
    assert seen.alias == "1"
    assert list(seen.versions) == ["champion-1"]
    assert seen.versions["champion-1"]["run"] == seen.run["id"], "the run that made the model"
    passes(register(tracked, folder, "champion-2"), "churn: version 2 is the champion")
    assert tracked.seen(OWN).alias == "2"
    passes(register(tracked, folder, "champion-1"), "churn: version 1 is the champion")
    seen = tracked.seen(OWN)
    assert seen.alias == "1"
    assert len(seen.versions) == 2


def test_a_model_that_no_run_has_gets_a_run_of_its_own(tracked: Tracked) -> None:
    folder = champion(tracked, "models/challenger", "promotion.json", "predictions.parquet")
    with (tracked.folder / folder / "model.skops").open("ab") as file:
        file.write(b"another")
    passes(register(tracked, folder, "champion-7"), "churn: version 1 is the champion")
    seen = tracked.seen(OWN)
    (own,) = [run for run in seen.runs if run["name"] == "champion-7"]
    assert seen.versions["champion-7"]["run"] == own["id"]
    assert own["files"] == ["model/canaries.parquet", "model/card.json", "model/model.skops"]


def test_with_the_rule_in_charge_no_version_is_the_champion(tracked: Tracked) -> None:
    passes(register(tracked, "models/champion", "rule"), "The rule is in charge")
    folder = champion(tracked, "models/challenger")
    passes(register(tracked, folder, "champion-1"), "version 1 is")
    (tracked.folder / folder / "card.json").write_text('{"name": "rule", "kind": "rule"}')
    passes(register(tracked, folder, "rule"), "The rule is in charge")
    assert tracked.seen(OWN).alias == ""


def test_without_a_server_nothing_is_registered_and_the_command_is_named(
    tracked: Tracked, nobody: str
) -> None:
    uri = f"http://{nobody}"
    completed = tracked.registry("params.yaml", LOG[2], "champion-1", uri=uri)
    again = f"params.yaml {LOG[2]} champion-1"
    fixable(completed, uri, f"uv run python -m churn.delivery.tracking.registry {again}")


# --- Names ----------------------------------------------------------------------------------------


def test_names_that_mlflow_does_not_take_stay_apart(tracked: Tracked) -> None:
    check = "from churn.delivery.tracking.runs import clean_name\n\
print([clean_name(name) for name in ('age = 65+', 'age = 65-', 'age = 65*', 'région = n')])"
    passes(tracked.python("-c", check), "['age: 65u002b', 'age: 65-', 'age: 65u002a', 'région: n']")


def test_a_model_is_known_by_its_content(tracked: Tracked, tmp_path: Path) -> None:
    ask = "from pathlib import Path; from churn.delivery.tracking.runs import hash_folder;\
 import sys; print(hash_folder(Path(sys.argv[1])))"
    known = tracked.seen(OWN).run["tags"]["model"]
    copy = tmp_path / "copy"
    shutil.copytree(tracked.folder / LOG[2], copy)
    passes(tracked.python("-c", ask, str(copy)), known)
    (copy / "model.skops").write_bytes(hashlib.sha256().digest())
    assert known not in tracked.python("-c", ask, str(copy)).stdout
