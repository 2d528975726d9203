"""For each check, the edit of a repository that takes its practice away, or that brings it."""

from collections.abc import Callable
from functools import partial

from exemplar.review.snapshot import Snapshot

from .edits import drop, edit, put, seal

Mutation = Callable[[Snapshot], Snapshot]
DAY = "2026-11-29"


def without(pattern: str) -> Mutation:
    """Delete what matches."""
    return partial(drop, pattern=pattern)


def replacing(path: str, old: str, new: str) -> Mutation:
    """Replace every place of a text."""
    return partial(edit, path=path, old=old, new=new)


def without_tests(pattern: str) -> Mutation:
    """Take the assertions out of every test file whose name matches."""

    def mutate(snapshot: Snapshot) -> Snapshot:
        for path in [p for p in snapshot.files if p.startswith("tests/") and p.endswith(".py")]:
            if any(name in path for name in pattern.split("|")):
                snapshot = put(snapshot, {path: None})
        return snapshot

    return mutate


def adding(path: str, text: str) -> Mutation:
    """Add a file."""
    return lambda snapshot: put(snapshot, {path: text})


def rerun(mutation: Mutation) -> Mutation:
    """Run the pipeline after the edit."""
    return lambda snapshot: seal(mutation(snapshot))


WORKFLOW = ".github/workflows/pull-request.yml"
DELIVER = ".github/workflows/deliver.yml"
BRIEF = "project-brief.md"
HOOKS = ".pre-commit-config.yaml"

MUTATIONS: dict[str, Mutation] = {
    "Data 1": without(r"/contract\.py$"),
    "Data 2": replacing("reports/training.json", '"strongest"', '"others"'),
    "Data 3": adding(f"docs/decisions/{DAY}-survey.md", "The cost of each feature: GBP 3 a row."),
    "Data 4": rerun(replacing("reports/training.json", '"survey_score",', '"age_band",')),
    "Data 5": replacing(HOOKS, "data-in-git|data_in_git", "nothing"),
    "Data 6": without_tests("unit/"),
    "Data 7": without(r"/features\.py$"),
    "Model 1": without(r"rules\.json$"),
    "Model 2": replacing(BRIEF, "^risk:", "experiment: {name: calls, share: 0.5}\nrisk:"),
    "Model 3": adding("src/search.py", "from sklearn.model_selection import GridSearchCV\n"),
    "Model 4": adding("src/back.py", "def backtest(): ...\n"),
    "Model 5": replacing("reports/training.json", '"rule": {', '"dull": {'),
    "Model 6": replacing(BRIEF, "^.*where: each segment.*\\n", ""),
    "Model 7": replacing("src/churn/contract.py", r"\"region\", \"age_band\"\]", '"region"]'),
    "Infra 1": replacing("src/churn/features.py", r"\+ 1\)", "+ 2)"),
    "Infra 2": without_tests("candidates|rule|training|delivered|value|stages|service"),
    "Infra 3": without_tests("test_pipeline"),
    "Infra 4": replacing("reports/decision.json", '"verdict": "\\w+"', '"verdict": "ship!"'),
    "Infra 5": without_tests("integration|unit|system"),
    "Infra 6": replacing(DELIVER, "canaries", "nothing"),
    "Infra 7": replacing(DELIVER, "(?i)rollback", "again"),
    "Monitor 1": replacing(".github/workflows/audit.yml", "churn audit$", "churn champion"),
    "Monitor 2": without_tests("test_service"),
    "Monitor 3": without_tests("test_service"),
    "Monitor 4": without(r"retrain\.yml$"),
    "Monitor 5": without_tests("unit/"),
    "Monitor 6": without(r"reports/seconds\.json$"),
    "Monitor 7": adding("reports/monitor.json", "{}"),
    "Delivery 1": replacing(WORKFLOW, "churn check --committed", "churn check --committed || true"),
    "Delivery 2": replacing("reports/decision.json", '"estimate": 3', '"estimate": 9'),
    "Delivery 3": replacing("docs/releases.md", "Model: ", "Model: f"),
    "Delivery 4": replacing(WORKFLOW, "churn bring|dvc repro --force", "churn summary"),
    "Delivery 5": adding("customers.parquet", "PAR1"),
    "Delivery 6": replacing(".dvc/config", "s3://acme/churn", "/mnt/disk"),
    "Delivery 7": lambda s: put(s, {"params.yaml": None, "dvc.yaml": None}),
    "Delivery 8": replacing(DELIVER, r"docker (build|push)|deploy/deploy", "echo"),
    "Engineering 1": without(r"^uv\.lock$"),
    "Engineering 2": replacing(HOOKS, "ruff (format|check)", "true"),
    "Engineering 3": replacing(HOOKS, "frozen mypy", "frozen true"),
    "Engineering 4": replacing(WORKFLOW, "uv run pytest", "uv run pytest --collect-only"),
    "Engineering 5": replacing(WORKFLOW, "sample or everything or system", "not system"),
    "Engineering 6": replacing(WORKFLOW, "pre-commit run --all-files", "churn check"),
    "Engineering 7": adding(".env", "PASSWORD=x"),
    "Engineering 8": replacing(WORKFLOW, r"checkout@[0-9a-f]{40}", "checkout@v7"),
    "Engineering 9": without(r"rules\.json$"),
    "Engineering 10": without(r"^LICENSE$"),
    "People 1": replacing(BRIEF, "^## Users$", "## Others"),
    "People 2": replacing(BRIEF, "^value: .*$", "value: unset"),
    "People 3": replacing(BRIEF, r"^- \d{4}-\d\d-\d\d", "- lately"),
    "People 4": without(rf"decisions/{DAY}-weekly\.md$"),
    "People 5": without(r"runbook\.md$"),
    "People 6": replacing("docs/team.md", "Ada", "   "),
    "People 7": replacing(BRIEF, "^review_by: .*$", "review_by: 2026-11-01"),
    "People 8": without(r"pull_request_template\.md$"),
    "People 9": without(r"^README\.md$"),
}
RAISING = {"Data 3", "Model 2", "Model 3", "Model 4", "Monitor 7"}
"""What a generated repository lacks, and a mutation brings."""
