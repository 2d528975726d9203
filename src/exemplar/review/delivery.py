"""Delivery: from a change to a model in charge, on record."""

import re

from .finding import UNKNOWN, Evidence, Finding, Proof, weigh
from .infrastructure import find_quality_tests
from .model import GATE
from .reading import as_list, get, parse_yaml
from .subject import Subject

DATA = re.compile(
    (
        r"\.(csv|tsv|parquet|feather|arrow|xlsx?|npy|npz|h5|hdf5|pkl|pickle|joblib|skops|onnx|"
        r"pt|pth|safetensors|sqlite|db)$"
    ),
    re.I,
)
SMALL = 1_048_576  # bytes
LOCK = re.compile(r"(^|[-./])lock(\.\w+)?$|\.lock$")
FIGURES = re.compile(r"^(reports|docs|tests?|notebooks|benchmarks)/")
URL = re.compile(r"^\s*url\s*=\s*(\S+)", re.M)
REMOTE = re.compile(
    r"^(s3|gs|azure|abfss?|https?|ssh|webdavs?|gdrive|oss|hdfs|adl|wasbs?)://|^\w[\w.-]+@[\w.-]+:"
)


def gated(subject: Subject) -> Finding:
    """A gate judges the model in every pull request, and can say no."""
    tests, reached_tests = find_quality_tests(subject)
    reached = subject.reach(GATE) + reached_tests
    present = subject.cite("project-brief.md", "success:") or tests
    return weigh(
        present or reached,
        reached,
        subject.prove_runs(reached),
        next="uv run PACKAGE check --committed in the pull request: docs/gate.md",
    )


def decided(subject: Subject) -> Finding:
    """The decision on the newest model is committed, and belongs to these files."""
    present = subject.cite("reports/decision.json", '"verdict"') or subject.find(
        r"^reports/.*(metrics|evaluation).*\.json$|^metrics\.json$"
    )
    reached = subject.reach(r"check --committed|dvc (repro|status)|git diff --exit-code")
    proof = subject.prove(present[0].path) if present else UNKNOWN
    return weigh(
        present, reached, proof, next="uv run dvc repro, then commit dvc.lock and reports/"
    )


def recorded(subject: Subject) -> Finding:
    """What is in charge, since when and why, is on record, and the pointer agrees."""
    record = subject.snapshot.files.get("docs/releases.md", "")
    models = re.findall(r"^- Model: (\S+)", record, re.M)
    days = re.findall(r"^## (\S+) ", record, re.M)
    pointer = subject.hash_file("models/champion")
    present = (
        subject.cite("docs/releases.md")
        or subject.cite("models/champion.dvc")
        or subject.find(r"(^|/)MODEL_?REGISTRY|mlflow.*registered")
    )
    agrees = not models or models[-1] == pointer
    reached = subject.reach(r"\bcheck --committed\b") if agrees else []
    proof = Proof(None, [Evidence("docs/releases.md", 0, "no model was promoted yet")])
    if record:
        proof = subject.prove_page("docs/releases.md")
        proof = proof._replace(
            evidence=[
                *proof.evidence,
                Evidence("docs/releases.md", 0, "the newest", days[-1] if days else ""),
            ]
        )
    return weigh(present, reached, proof, next="uv run PACKAGE promote on main: docs/champion.md")


def versioned(subject: Subject) -> Finding:
    """The data that a model learned from is versioned with the code."""
    pointers = subject.find(r"^(?!models/).*\.dvc$(?<!\.dvc/config)")
    pointers = [each for each in pointers if not each.path.startswith(".dvc/")]
    stages = subject.cite("dvc.lock")
    lfs = subject.search(
        r"filter=lfs", {".gitattributes": subject.snapshot.files.get(".gitattributes", "")}
    )
    present = (
        pointers
        or stages
        or lfs
        or subject.search(r"lakefs|delta_table|iceberg|as_of_timestamp|snapshot_id")
    )
    reached = subject.reach(r"dvc (pull|repro|status|fetch)|\bbring\b|lakefs|git lfs")
    proof = subject.prove_run("reports/data.json")
    return weigh(
        present,
        reached,
        proof,
        next="uv run dvc add the table, then commit its .dvc file: docs/your-data.md",
    )


def kept_out(subject: Subject) -> Finding:
    """Neither data nor models are in git."""
    heavy = [
        Evidence(path, 0, f"{size:,} bytes")
        for path, size in subject.snapshot.sizes.items()
        if (size > SMALL and not LOCK.search(path))
        or (DATA.search(path) and not FIGURES.match(path))
    ]
    if heavy:
        return Finding(
            0.0, False, heavy[:3], "uv run dvc add it, and git rm --cached: docs/hooks.md"
        )
    ignored = subject.cite(".gitignore", "data") or subject.cite(".gitignore")
    reached = subject.reach(r"data[-_]in[-_]git|check-added-large-files")
    # The listing of HEAD is the proof.
    proof = Proof(True, [Evidence(".", 0, "no table, no model, no file above 1 MiB at HEAD")])
    if subject.is_simulated:
        proof = Proof(False, [Evidence(".", 0, "simulated: there is no data of a team yet")])
    return weigh(ignored, reached, proof, next="the hook data-in-git: docs/hooks.md")


def shared(subject: Subject) -> Finding:
    """Data and models are where the whole team finds them, not on one disk."""
    config = subject.snapshot.files.get(".dvc/config", "")
    urls = URL.findall(config)
    away = [url for url in urls if REMOTE.match(url)]
    present = subject.cite(
        ".dvc/config", "url", f"on this disk: {urls[0]}" if urls and not away else ""
    )
    if not urls:
        present = []
    reached = subject.reach(r"dvc (pull|fetch|push)|\bbring\b") if away else []
    return weigh(
        present,
        reached,
        UNKNOWN,
        next="uv run dvc remote add, to storage that a team shares: docs/storage.md",
    )


def traced(subject: Subject) -> Finding:
    """Each result is traced: run, parameters, figures and the commit."""
    tools = r"(mlflow|wandb|neptune|clearml|comet_ml|dvclive|aim)\b"
    present = subject.search(rf"\b{tools}", subject.settings)
    present += subject.search(rf"^\s*(import|from) {tools}")
    reached = subject.reach(r"dvc (repro|exp run)|\btrack\b|train")
    uri = str(get(parse_yaml(subject.snapshot.files.get("params.yaml", "")), "track", "uri") or "")
    is_local = uri.startswith("sqlite") or not uri
    note = (
        f"{uri} is on one disk"
        if is_local
        else f"{uri}: whether it has these runs, the server knows"
    )
    proof = Proof(
        False if is_local and uri else None, [Evidence("params.yaml", 0, note)] if uri else []
    )
    return weigh(present, reached, proof, next="a tracking server for the team: docs/tracking.md")


def released(subject: Subject) -> Finding:
    """A release is built from main by a workflow, and deployed by what was built."""
    present = subject.find(
        r"(^|/)(Dockerfile|Containerfile)[^/]*$|\.github/workflows/(deliver|deploy|"
        r"release|cd)[^/]*$"
    )
    builds = (
        r"docker (build|buildx)|build-push-action|kaniko|buildah|podman build|bentoml|"
        r"sagemaker|az ml|gcloud (run|ai)|kubectl|helm|(^|[\s./])deploy[/\s]"
    )
    reached = subject.reach_on("push", builds) + subject.reach_on("release", builds)
    tags = as_list(
        re.findall(r"^## (\S+) champion-", subject.snapshot.files.get("docs/releases.md", ""), re.M)
    )
    proof = Proof(
        None, [Evidence("docs/releases.md", 0, "the newest release", tags[-1])] if tags else []
    )
    return weigh(present, reached, proof, next="the workflow deliver: docs/delivery.md")


CHECKS = (gated, decided, recorded, versioned, kept_out, shared, traced, released)
