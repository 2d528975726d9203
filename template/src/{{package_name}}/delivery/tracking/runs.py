"""One MLflow run per distinct result.

The reports are the truth; MLflow is fed from them. No other room imports mlflow. It is imported
when something is tracked: that takes a second, and MLflow reads its settings from the environment
as it is imported.
"""

import hashlib
import json
import os
import re
import shlex
import time
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..edge import shell
from ..edge.errors import Fixable
from ..edge.explain import yaml
from ..edge.files import find_main_project, read_json, require_file, sha256
from ..edge.parameters import NEXT, Settings, read
from ..reporting.style import read_style
from ..verdict.decision import Decision, read_decision

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment, Run

Json = dict[str, Any]
PACKAGE = (__package__ or "").partition(".")[0]  # a stage that runs is called `__main__`
NAMES = ("brief", "data", "split", "training", "comparison", "metrics", "slices", "decision")
MODELS = ("rule", "rule_at_prices", "champion", "challenger")
ABOUT_PROMOTION = {"promotion.json", "predictions.parquet"}  # what a champion has besides its model
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # an address may hold a password
}
# uv takes files of the client away with the packages `mlflow` and `mlflow-tracing`, which have the
# same ones, and which releases before 0.4.0 had.
NO_CLIENT = (
    "track: expected the files of the package mlflow-skinny, found that some are missing: {error}\n"
    "Next: uv sync --reinstall-package mlflow-skinny, then uv run dvc repro"
)
HURRIED = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "5"}
PATIENT = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_TIMEOUT": "60"}
NOTE_LENGTH = 4900  # characters that every release of MLflow takes as a description
BATCH = 900  # metrics that one request may bring
KIND = "mlflow.experimentKind"
LOOK = "uv run --isolated --group ui mlflow ui"
OWNER = "package"  # the tag of an experiment by which it is known under another name
ALONE = "svg { background: var(--card); max-width: none; font-family: sans-serif }"


class Track(Settings):
    """`uri`: where MLflow keeps its runs, unless the environment names MLFLOW_TRACKING_URI."""

    uri: str


# --- What a run says: pure ------------------------------------------------------------------------


def flatten(content: Json, before: str = "") -> Json:
    """Nested settings as one level: `{"split": {"test": 0.2}}` becomes `{"split.test": 0.2}`."""
    settings: Json = {}
    for key, value in content.items():
        name = f"{before}{key}"
        settings |= flatten(value, f"{name}.") if isinstance(value, dict) else {name: value}
    return settings


def clean_name(name: str) -> str:
    """A name that MLflow takes: `slices/region = north/gain` becomes `slices/region: north/gain`,
    and another character than letters, digits and `_ - . : /` becomes its number in Unicode.
    """
    return re.sub(r"[^\w\-.:/ ]", lambda m: f"u{ord(m[0]):04x}", name.replace(" = ", ": "))


def list_bounds(name: str, interval: Json) -> dict[str, float]:
    """`name`, `name_lower` and `name_upper` of an estimate; what is not known is left out."""
    parts = {"": interval["estimate"], "_lower": interval["lower"], "_upper": interval["upper"]}
    return {clean_name(name) + end: value for end, value in parts.items() if value is not None}


def name_run(decision: Decision, against: str) -> str:
    """The name of a run: verdict, gain, and which two models were compared."""
    gain = decision.gain.estimate
    worth = ", no prices" if gain is None else f" {gain:+,.0f}"
    return f"{decision.verdict}{worth}: {decision.challenger} against {against}"


def list_metrics(reports: dict[str, Json], decision: Decision) -> dict[str, float]:
    """Every figure with its interval: the gain, the metrics of each model, the slices."""
    measures = reports["metrics"]
    figures = list_bounds("gain", decision.gain.interval._asdict())
    for model in MODELS:
        for metric, interval in measures.get(model, {}).items():
            figures |= list_bounds(f"{model}/{metric}", interval)
    for parts in reports["slices"]["segments"].values():
        for part in parts:
            name = part["slice"].replace("/", " ")
            for metric, interval in part["metrics"].items():
                figures |= list_bounds(f"slices/{name}/{metric}", interval)
    return figures | {f"test/{count}": measures[count] for count in ("n", "positives", "clusters")}


def list_tags(
    reports: dict[str, Json],
    decision: Decision,
    model: str,
    inputs: str,
    commit: dict[str, str],
) -> dict[str, str]:
    """What a run is found by: the verdict, the commit, the hashes of data, model and inputs."""
    split = reports["split"]
    return {
        "verdict": decision.verdict,
        "sentence": decision.sentence,
        "challenger": decision.challenger,
        "champion": decision.champion,
        "compared_by": str(decision.compared_by),
        "source": reports["data"]["source"],
        **{f"data.{part}": split[part]["sha256"] for part in ("train", "validation", "test")},
        "model": model,
        "inputs": inputs,
        **commit,
    }


def shorten_report(markdown: str) -> str:
    """The first sections of the report, as many as a description of a run may hold."""
    text, *sections = re.split(r"(?=^## )", markdown, flags=re.MULTILINE)
    for section in sections:
        if len(text) + len(section) > NOTE_LENGTH:
            break
        text += section
    return text[:NOTE_LENGTH].rstrip()


def extract_charts(page: str, style: str) -> dict[str, str]:
    """The charts of the report's page as SVG files of their own, by name."""
    charts = {}
    for head, body in re.findall(r"<svg ([^>]*)>(.*?)</svg>", page, re.DOTALL):
        name = re.search(r'aria-labelledby="([\w-]+?)(?:-told)?"', head)
        size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', head)
        if name and size:
            width, height = (2 * float(side) for side in size.groups())
            charts[f"{name[1]}.svg"] = (
                f'<svg xmlns="http://www.w3.org/2000/svg" '
                f'xmlns:xlink="http://www.w3.org/1999/xlink" width="{width:g}" height="{height:g}" '
                f"{head}><style>{style}{ALONE}</style>{body}</svg>\n"
            )
    return charts


# --- What a run is made from: files and git -------------------------------------------------------


def hash_folder(folder: Path) -> str:
    """SHA-256 of a model folder: the same for a challenger and the champion that it becomes."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    hashes = {str(path.relative_to(folder)): sha256(path) for path in files}
    return _hash_content(
        {name: value for name, value in hashes.items() if name not in ABOUT_PROMOTION}
    )


def hash_inputs(reports: dict[str, Json], settings: Json, model: str) -> str:
    """SHA-256 of what makes a result: settings, reports and model, but neither the brief's prose
    nor where it is tracked.
    """
    brief = {name: value for name, value in reports["brief"].items() if name != "sections"}
    return _hash_content({**reports, "brief": brief, "settings": settings, "model": model})


def _hash_content(content: Json) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


def read_commit() -> dict[str, str]:
    """The commit, and whether anything but what the pipeline writes differs from it."""
    head = shell.run(["git", "rev-parse", "--verify", "--quiet", "HEAD"]).stdout.strip()
    status = ["git", "status", "--porcelain", "--", ".", ":!reports", ":!dvc.lock"]
    changes = shell.run(status).stdout
    tree = "clean" if head and not changes else "uncommitted changes"
    return {"commit": head or "none", "tree": tree}


# --- Where it goes --------------------------------------------------------------------------------


def read_address(params: Path) -> str:
    """The environment's MLFLOW_TRACKING_URI, or `track: uri:` of `params.yaml`."""
    uri = read(params, "track", Track).uri
    if urlsplit(uri).password:
        raise Fixable(
            f"{params}: expected `track: uri:` without a password, because git keeps this file; "
            f"found one. Next: put the address into the environment as MLFLOW_TRACKING_URI, or "
            f"name and password as MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD; {NEXT}"
        )
    return os.environ.get("MLFLOW_TRACKING_URI") or uri


def remove_secrets(text: str, uri: str) -> str:
    """`text` without the name, password and options that `uri` may hold."""
    parts = urlsplit(uri)
    login = parts.netloc.rpartition("@")[0]
    hidden = [f"{login}@" if login else "", parts.password or "", f"?{parts.query}", parts.query]
    for secret in hidden:
        text = text.replace(secret, "") if len(secret) > 1 else text
    return text


@contextmanager
def connect(uri: str, again: str) -> Iterator["MlflowClient"]:
    """A client of an MLflow that answers; one message within seconds where it does not."""
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    own = {name for name in PATIENT if name not in os.environ}
    os.environ.update({name: HURRIED[name] for name in own})
    try:
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
    except ImportError as error:
        raise Fixable(NO_CLIENT.format(error=error)) from None

    try:
        if not uri.startswith("http"):
            _require_answer(uri)
        client = MlflowClient(uri)
        client.get_experiment_by_name(PACKAGE)
        os.environ.update({name: PATIENT[name] for name in own})
        yield client
    except (MlflowException, SQLAlchemyError, OSError, ImportError) as error:
        root: BaseException = error
        while below := root.__cause__ or root.__context__:
            root = below
        reason = " ".join(str(root if isinstance(root, OSError) else error).split())[:300]
        raise Fixable(
            f"track: expected MLflow to answer at {remove_secrets(uri, uri)}, found: "
            f"{remove_secrets(reason, uri)}\n"
            "Everything before it is finished and kept. Next: fix `track: uri:` in params.yaml, "
            f"or MLFLOW_TRACKING_URI, or start that server; then {again}"
        ) from None


def _require_answer(uri: str) -> None:
    """Ask a database once; MLflow itself would go on asking for minutes.

    A new file has nothing to lose, so nothing waits for the disk while its tables are made: that
    takes 0.5 s in place of 1.5 to 3.
    """
    from sqlalchemy import Engine, create_engine, event

    lite = uri.startswith("sqlite")
    engine = create_engine(uri, connect_args={} if lite else {"connect_timeout": 5})
    if lite and engine.url.database and not (file := Path(engine.url.database)).exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        event.listen(Engine, "connect", lambda new, _: new.execute("PRAGMA synchronous = OFF"))
    engine.connect().close()
    engine.dispose()


def open_experiment(client: "MlflowClient", uri: str, again: str) -> str:
    """The id of this project's experiment, made where there is none.

    Raises Fixable where it was deleted, or has another name now; `again` is what to run afterwards.
    """
    known = client.get_experiment_by_name(PACKAGE)
    if known and known.lifecycle_stage == "deleted":
        words = ["restore", "--experiment-id", known.experiment_id]
        raise _describe_lost_experiment("it deleted", uri, words, again)
    if known and uri.startswith("sqlite") and not _is_below_here(known.artifact_location):
        # The folder was moved or copied: new artifacts must not go to where it was.
        old = known.experiment_id
        client.rename_experiment(old, f"{PACKAGE} (elsewhere, {old})")
        known = None
    elif known is None and (renamed := _find_renamed_experiment(client, uri)):
        words = ["rename", "--experiment-id", renamed.experiment_id, "--new-name", PACKAGE]
        raise _describe_lost_experiment(
            f"it renamed to `{renamed.name}`", uri, words,
            f"{again}. To begin a new one instead, give it a name that begins with `{PACKAGE} (`",
        )  # fmt: skip
    if known is None:
        about = {KIND: "custom_model_development", OWNER: PACKAGE}
        return client.create_experiment(PACKAGE, tags=about)
    if OWNER not in known.tags:
        client.set_experiment_tag(known.experiment_id, OWNER, PACKAGE)
    return known.experiment_id


def _find_renamed_experiment(client: "MlflowClient", uri: str) -> "Experiment | None":
    """The experiment of this project that somebody gave another name.

    It has our tag; in a database of this folder, one of an earlier release keeps its files here.
    """
    for experiment in client.search_experiments():
        here = uri.startswith("sqlite") and _is_below_here(experiment.artifact_location)
        own = experiment.tags.get(OWNER) == PACKAGE or (here and KIND in experiment.tags)
        if own and not experiment.name.startswith(f"{PACKAGE} ("):
            return experiment
    return None


def _describe_lost_experiment(finding: str, uri: str, words: list[str], again: str) -> Fixable:
    """The message for an experiment that is not where runs go, with the command of MLflow's."""
    address = f"MLFLOW_TRACKING_URI={shlex.quote(remove_secrets(uri, uri))} "
    where = "" if "MLFLOW_TRACKING_URI" in os.environ else address
    command = f"{where}uv run mlflow experiments {shlex.join(words)}"
    return Fixable(
        f"track: expected MLflow's experiment `{PACKAGE}` at {remove_secrets(uri, uri)}, found "
        f"{finding}.\nEverything before it is finished and kept. Next: {command}; then {again}"
    )


def _is_below_here(location: str) -> bool:
    return Path(location.removeprefix("file://")).is_relative_to(Path.cwd())


def find_finished_run(client: "MlflowClient", where: str, tag: str, value: str) -> "Run | None":
    """The first finished run with this tag."""
    query = f"tags.`{tag}` = '{value}' and attributes.status = 'FINISHED'"
    first = ["attributes.start_time ASC"]
    runs = client.search_runs([where], query, max_results=1, order_by=first)
    return runs[0] if runs else None


@contextmanager
def start_run(
    client: "MlflowClient", where: str, name: str, about: dict[str, str]
) -> Iterator[str]:
    """The id of a new run; it counts as finished only when everything in it is."""
    run = client.create_run(where, run_name=name, tags=about).info.run_id
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    finally:
        client.set_terminated(run, status)


# --- The stage ------------------------------------------------------------------------------------


def track(params: Path, reports: Path, challenger: Path) -> str:
    """Track what the reports say, unless a run says it already; one sentence on what was done.

    The runs of an experiment, which DVC does in a folder of its own and then removes, are with
    those of the main project.
    """
    params, reports, challenger = (path.resolve() for path in (params, reports, challenger))
    uri, commit = read_address(params), read_commit()
    every = yaml(params.read_text(encoding="utf-8"))
    settings = {name: value for name, value in every.items() if name != "track"}
    contents = {name: read_json(reports / f"{name}.json") for name in NAMES}
    model = hash_folder(require_file(challenger))
    inputs = hash_inputs(contents, settings, model)
    decision = read_decision(reports / "decision.json")
    against = contents["comparison"].get("champion_tag") or decision.champion
    name = name_run(decision, against)
    again = "uv run dvc repro track"
    with chdir(find_main_project(Path.cwd())), connect(uri, again) as client:
        where = open_experiment(client, uri, again)
        if earlier := find_finished_run(client, where, "inputs", inputs):
            return f"MLflow knows this result already: {earlier.info.run_name}"
        about = list_tags(contents, decision, model, inputs, commit)
        about |= {"mlflow.source.name": "dvc.yaml", "mlflow.source.git.commit": about["commit"]}
        about["mlflow.note.content"] = shorten_report(
            require_file(reports / "report.md").read_text("utf-8")
        )
        with start_run(client, where, name, about) as run:
            _log_figures(client, run, contents, decision, settings)
            seconds = read_json(reports / "seconds.json")["seconds"]
            for candidate in contents["training"]["candidates"]:
                figures = candidate | {"seconds": seconds[candidate["name"]]}
                _log_candidate(client, where, run, figures, contents["training"]["chosen"])
            _log_artifacts(client, run, reports, challenger)
    return f"Tracked as {name}. Look: {LOOK}"


def _log_figures(
    client: "MlflowClient", run: str, contents: dict[str, Json], decision: Decision, settings: Json
) -> None:
    """Log parameters, metrics and the hashes of the three tables."""
    from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param

    now = int(time.time() * 1000)
    values = [
        Metric(name, value, now, 0) for name, value in list_metrics(contents, decision).items()
    ]
    params = [Param(clean_name(name), str(value)) for name, value in flatten(settings).items()]
    for start in range(0, len(values), BATCH):
        client.log_batch(run, metrics=values[start : start + BATCH])
    client.log_batch(run, params=params[:100])
    tables = []
    for part in ("train", "validation", "test"):
        digest, rows = contents["split"][part]["sha256"], contents["split"][part]["rows"]
        source = json.dumps({"uri": f"data/{part}.parquet"})
        table = Dataset(part, digest[:12], "local", source, profile=json.dumps({"num_rows": rows}))
        tables.append(DatasetInput(table, [InputTag("mlflow.data.context", part)]))
    client.log_inputs(run, tables)


def _log_candidate(
    client: "MlflowClient", where: str, parent: str, candidate: Json, chosen: str
) -> None:
    """Log a candidate as a run below its parent, with how it did on the validation rows."""
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    values = [
        Metric(
            "training_seconds" if name == "seconds" else f"validation/{clean_name(name)}",
            value,
            now,
            0,
        )
        for name, value in candidate.items()
        if isinstance(value, int | float)
    ]
    about = {"mlflow.parentRunId": parent, "chosen": str(candidate["name"] == chosen).lower()}
    with start_run(client, where, f"candidate: {candidate['name']}", about) as run:
        client.log_batch(run, metrics=values)


def _log_artifacts(client: "MlflowClient", run: str, reports: Path, challenger: Path) -> None:
    """Log the report, its charts, the reports and plots it was run from, and the model's folder."""
    page = require_file(reports / "report.html")
    for path in (page, reports / "report.md"):
        client.log_artifact(run, str(path))
    for name in (*NAMES, "seconds"):
        client.log_artifact(run, str(reports / f"{name}.json"), "reports")
    client.log_artifacts(run, str(reports / "plots"), "plots")
    for name, chart in extract_charts(page.read_text(encoding="utf-8"), read_style()).items():
        client.log_text(run, chart, f"figures/{name}")
    client.log_artifacts(run, str(challenger), "model")
