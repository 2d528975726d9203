"""ML infrastructure: the third section of the ML Test Score, seven items."""

import re

from .finding import UNKNOWN, Evidence, Finding, Proof, weigh
from .model import GATE, SPECIFICATION
from .subject import Subject
from .testing import Test

METRIC = (
    r"accuracy|\bf1|roc_auc|\bauc\b|\brmse\b|\bmae\b|\br2_score|precision|recall|log_loss|"
    r"\bmape\b|\bscore\b"
)
LOADS = re.compile(r"joblib\.load|pickle\.load|load_model|from_pretrained|skops|torch\.load")
SPLITS = re.compile(r"train_test_split|StratifiedKFold|KFold\(")
CANARY = r"canar(y|ies)|\bshadow\b|traffic[-_]?split|argo.?rollouts|flagger|--no-traffic|--traffic"


def reproducible(subject: Subject) -> Finding:
    """Training is reproducible."""
    present = subject.cite("dvc.lock") or subject.search(
        r"random_state\s*=\s*\w|np\.random\.seed|manual_seed|default_rng\(\w|set_seed\(|"
        r"seed_everything"
    )
    reached = subject.reach(r"check --committed|dvc (repro|status|pull)|git diff --exit-code")
    reached += subject.reach_tests(r"same_(seed|scores|model|result)|twice|reproduc|determinis")
    proof = subject.prove_run("reports/training.json")
    return weigh(present, reached, proof, next="uv run dvc repro, and commit dvc.lock and reports/")


def unit_tested(subject: Subject) -> Finding:
    """Model specification code is unit tested."""
    modules = {
        path.removesuffix(".py").rpartition("/")[2]
        for path, text in subject.code.items()
        if re.search(SPECIFICATION, text) and path.endswith(".py")
    }
    present = subject.select_tests(modules, subject.find_tests(""))
    reached = subject.select_tests(modules, subject.reach_tests(""))
    return weigh(
        present,
        reached,
        subject.prove_runs(reached),
        next="a test that fits it on few rows: tests/unit/",
    )


def integration_tested(subject: Subject) -> Finding:
    """The full ML pipeline is integration tested."""
    whole = re.compile(
        r"(^|/)(system|e2e|end_to_end)[/_]|test_\w*(pipeline|end_to_end|e2e|workflow)"
    )
    runs = r"\bdvc\b|pipeline|subprocess|\brun\(|\bmain\("
    present = [each for each in subject.find_tests(runs) if whole.search(each.path)]
    reached = [each for each in subject.reach_tests(runs) if whole.search(each.path)]
    return weigh(
        present,
        reached,
        subject.prove_runs(reached),
        next="a test that runs the pipeline on a sample: tests/system/",
    )


def scores_training_rows(test: Test) -> bool:
    """Whether a test scores a model that was saved on a split of its own, mostly training rows."""
    text = test.module
    return bool(LOADS.search(text) and SPLITS.search(text) and ".fit(" not in text)


def find_quality_tests(subject: Subject) -> tuple[list[Evidence], list[Evidence]]:
    """Return the tests that hold the model to a limit, and those of them that a required step runs
    and that score rows which no training saw.
    """
    limits = re.compile(rf"assert .*({METRIC}).*(>|<)|assert .*(>|<).*({METRIC})", re.I)
    present, held_out = [], set()
    for test in subject.tests:
        if limits.search(test.source):
            is_own_split = scores_training_rows(test)
            note = "scores a saved model on a split of its own: mostly training rows"
            present.append(Evidence(test.path, test.line, note if is_own_split else test.name))
            held_out |= set() if is_own_split else {(test.path, test.line)}
    reached = [each for each in subject.reach_tests("") if (each.path, each.line) in held_out]
    return present, reached


def validated(subject: Subject) -> Finding:
    """Model quality is validated before attempting to serve it."""
    present, tests = find_quality_tests(subject)
    gate = subject.reach(GATE)
    if subject.brief.get("success"):
        present = subject.cite("project-brief.md", "success:")
    proof = subject.prove("reports/decision.json", "reports/metrics.json") if gate else UNKNOWN
    return weigh(
        present,
        gate + tests,
        proof,
        next="the gate in every pull request, on rows that no training saw: docs/gate.md",
    )


def debugged(subject: Subject) -> Finding:
    """The model allows debugging by observing the step-by-step computation of training or
    inference on a single example.
    """
    pattern = r"\bpoint\b|one_row|single_(row|example)|\bshap\b|\blime\b|\bexplain"
    tests = subject.find_tests(pattern)
    return weigh(
        tests or subject.search(r"\bshap\b|\blime\b|\bexplain_row|def explain"),
        subject.reach_tests(pattern),
        subject.prove_runs(subject.reach_tests(pattern)[:1]),
        next="a test on one hand-written row, from features to action: tests/integration/",
    )


def canary(subject: Subject) -> Finding:
    """Models are tested via a canary process before they enter production serving environments."""
    present = subject.search(
        CANARY,
        {
            p: t
            for p, t in subject.snapshot.files.items()
            if p.endswith((".yml", ".yaml", "deploy")) or p.startswith("deploy/")
        },
    )
    reached = subject.reach_on("push", CANARY) + subject.reach_on("release", CANARY)
    return weigh(
        present,
        reached,
        UNKNOWN,
        next="try the image with canary rows before it is pushed: docs/delivery.md",
    )


def rolled_back(subject: Subject) -> Finding:
    """Models can be quickly and safely rolled back to a previous serving version."""
    runbook = subject.search(
        r"roll(ed)?[ -]?back",
        {p: t for p, t in subject.documents.items() if "releases.md" not in p},
    )
    reached = subject.reach(r"roll-?back|rollout undo", [s for s in subject.steps if not s.is_soft])
    proof = UNKNOWN
    record = subject.snapshot.files.get("docs/releases.md", "")
    if days := re.findall(r"^## (\S+) rollback-\d+", record, re.M):
        proof = subject.prove_page("docs/releases.md")
        proof = proof._replace(
            evidence=[*proof.evidence, Evidence("docs/releases.md", 0, "the newest", days[-1])]
        )
    elif record:
        proof = Proof(None, [Evidence("docs/releases.md", 0, "no rollback on record yet")])
    return weigh(
        runbook or reached,
        reached,
        proof,
        next="rehearse uv run PACKAGE rollback: docs/champion.md",
    )


CHECKS = (reproducible, unit_tested, integration_tested, validated, debugged, canary, rolled_back)
