"""Monitoring: the fourth section of the ML Test Score, seven items."""

import re

from .finding import UNKNOWN, Evidence, Finding, Proof, weigh
from .reading import get, parse_json, parse_yaml
from .subject import Subject

BOTS = (
    ".github/renovate.json",
    "renovate.json",
    ".renovaterc",
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    ".renovaterc.json",
    "renovate.json5",
)
AUDIT = (
    r"\baudit\b|pip-audit|\bsafety (check|scan)|osv-scanner|\btrivy\b|\bgrype\b|"
    r"dependency-review-action|\bsnyk\b"
)
SERVICE = (
    r"(^|/)(service|serving|serve|app|api|inference|predict\w*)(/[^/]+)?\.py$|/delivery/service/"
)


def notified(subject: Subject) -> Finding:
    """Dependency changes result in notification."""
    bots = [
        evidence
        for path in BOTS
        for evidence in subject.cite(path)
        if parse_json(subject.snapshot.files.get(path, ""))
        or parse_yaml(subject.snapshot.files.get(path, ""))
    ]
    audits = subject.reach_on("schedule", AUDIT) + subject.reach(AUDIT)
    proof = subject.prove_runs(audits)
    return weigh(
        bots or audits, audits, proof, next="a bot and a scheduled audit: docs/ways-of-working.md"
    )


def invariants(subject: Subject) -> Finding:
    """Data invariants hold for training and serving inputs."""
    pattern = r"(break|breaks|refus|invalid|bad|wrong|unprocessable|422|quarantine).*"
    served = re.compile(r"service|serv|client|api|422|request", re.I)
    present = [e for e in subject.find_tests(pattern) if served.search(e.path + e.note)]
    reached = [
        e for e in subject.reach_tests(pattern) if served.search(e.path + e.note.split(",")[0])
    ]
    trained = subject.prove("reports/data.json")
    # What the service is given, no file of a repository says.
    proof = UNKNOWN if trained.is_shown else trained
    return weigh(
        present,
        reached,
        proof,
        next=(
            "one contract for training and service, and a test of a bad request: docs/container.md"
        ),
    )


def skew(subject: Subject) -> Finding:
    """Training and serving features compute the same values."""
    pattern = (
        r"online.*batch|batch.*online|training.*serving|serving.*training|\bskew\b|"
        r"same_as_batch|parity"
    )
    reached = subject.reach_tests(pattern)
    return weigh(
        subject.find_tests(pattern),
        reached,
        subject.prove_runs(reached),
        next=(
            "a test that the service answers what the batch says: tests/integration/test_service.py"
        ),
    )


def stale(subject: Subject) -> Finding:
    """Models are not too stale."""
    pattern = r"\brefresh\b|retrain|\btrain\b|dvc (repro|exp)|update_model"
    reached = subject.reach_on("schedule", pattern)
    present = (
        reached
        or subject.find(r"retrain|schedule.*train")
        or subject.search(r"retrain (every|each|weekly|daily|monthly)", subject.documents)
    )
    record = subject.snapshot.files.get("docs/releases.md", "")
    days = re.findall(r"^## (\S+) champion-\d+", record, re.M)
    proof = subject.prove_page("docs/releases.md") if days else UNKNOWN
    if days and proof.is_shown:
        proof = Proof(True, [Evidence("docs/releases.md", 0, "the champion's day", days[-1])])
    return weigh(present, reached, proof, next="retrain on a schedule: docs/delivery.md")


def stable(subject: Subject) -> Finding:
    """The model is numerically stable."""
    pattern = r"is_?finite|isnan|is_nan|is_infinite|is_?inf\b|infinite|assert_all_finite|\bnan\b"
    reached = subject.reach_tests(pattern)
    return weigh(
        subject.find_tests(pattern),
        reached,
        subject.prove_runs(reached[:1]),
        next=(
            "a test that no feature and no score is infinite or missing: "
            "tests/unit/test_features.py"
        ),
    )


def slower(subject: Subject) -> Finding:
    """The model has not experienced a dramatic or slow-leak regression in training speed, serving
    latency, throughput, or RAM usage.
    """
    alerts = subject.search(
        r"histogram_quantile|latency|duration_seconds|memory",
        {
            p: t
            for p, t in subject.snapshot.files.items()
            if re.search(r"alert|rules|prometheus|grafana", p, re.I)
        },
    )
    measured = (
        alerts
        or subject.cite("reports/seconds.json")
        or subject.search(r"prometheus_client|pytest.benchmark|\btimeit\b|tracemalloc")
    )
    pattern = r"benchmark|latency|tracemalloc|max_rss|seconds <|elapsed <|perf_counter"
    return weigh(
        measured,
        subject.reach_tests(pattern) + subject.reach(r"benchmark|locust|\bk6\b"),
        next="a limit on seconds and memory that a test or an alert keeps: deploy/prometheus.yml",
    )


def worse(subject: Subject) -> Finding:
    """The model has not experienced a regression in prediction quality on served data."""
    pattern = (
        r"\bevidently\b|\bnannyml\b|\bwhylogs\b|alibi_detect|\bfeedback\b|delayed_label|"
        r"ground_truth.*join|live_metric"
    )
    watched = subject.cite("project-brief.md", "monitor:") if get(subject.brief, "monitor") else []
    present = (
        watched
        or subject.search(pattern)
        or subject.find(r"^reports/monitor.*\.json$|/delivery/monitor/")
    )
    reached = subject.reach_on("schedule", rf"\bmonitor\b|{pattern}")
    results = subject.find(r"^reports/monitor[^/]*\.json$|^reports/monitor/.*\.json$")
    proof = subject.prove_page(results[0].path) if results else Proof(False)
    return weigh(
        present, reached, proof, next="join what happened to what was answered, on a schedule"
    )


CHECKS = (notified, invariants, skew, stale, stable, slower, worse)
