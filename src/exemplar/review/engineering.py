"""Engineering: what any repository of code needs, whatever it predicts."""

import re

from .finding import UNKNOWN, Evidence, Finding, Proof, weigh
from .model import prove_review
from .reading import as_list, get, parse_toml, parse_yaml
from .subject import Subject

LOCKS = (
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "pixi.lock",
    "conda-lock.yml",
    "Pipfile.lock",
    "pylock.toml",
)
PINNED = re.compile(r"uses: [\w./-]+@[0-9a-f]{40}$")
USES = re.compile(r"uses: [\w-]+/[\w./-]+@\S+")


def locked(subject: Subject) -> Finding:
    """Libraries are locked, and CI installs what the lock file names."""
    present = [each for name in LOCKS for each in subject.cite(name)]
    requirements = subject.snapshot.files.get("requirements.txt", "")
    lines = [line for line in requirements.splitlines() if re.match(r"[\w.\[\]-]+", line)]
    if not present and lines and all("==" in line for line in lines):
        present = subject.cite("requirements.txt", "==")
    reached = subject.reach(
        r"--frozen|--locked|poetry install|pdm (sync|install)|pip install .*-r |pixi (run|"
        r"install)|pip-sync|pipenv (sync|install --deploy)|conda-lock install"
    )
    return weigh(
        present,
        reached,
        subject.prove_runs(reached),
        next="uv lock, commit uv.lock, and uv sync --frozen in CI",
    )


def linted(subject: Subject) -> Finding:
    """Code is formatted and keeps rules that are written down."""
    tools = set(parse_toml(subject.snapshot.files.get("pyproject.toml", "")).get("tool", {}))
    present = subject.find(r"(^|/)(\.?ruff\.toml|\.flake8|\.pylintrc|setup\.cfg|tox\.ini)$")
    if tools & {"ruff", "black", "flake8", "pylint"}:
        present = subject.cite("pyproject.toml", "[tool.")
    reached = subject.reach(r"\bruff\b|\bflake8\b|\bpylint\b|\bblack\b")
    return weigh(
        present or reached,
        reached,
        subject.prove_runs(reached),
        next="ruff as a hook, and the hooks in CI: docs/hooks.md",
    )


def typed(subject: Subject) -> Finding:
    """Types are declared and checked."""
    tools = set(parse_toml(subject.snapshot.files.get("pyproject.toml", "")).get("tool", {}))
    present = subject.find(r"^(\.?mypy\.ini|pyrightconfig\.json)$")
    if tools & {"mypy", "pyright", "basedpyright", "ty", "pyre"}:
        present = subject.cite("pyproject.toml", "[tool.")
    reached = subject.reach(r"\bmypy\b|\b(based)?pyright\b|\bty check\b")
    return weigh(
        present or reached,
        reached,
        subject.prove_runs(reached),
        next="mypy as a hook: docs/hooks.md",
    )


def tested(subject: Subject) -> Finding:
    """Tests that can fail run in every pull request."""
    present = subject.find_tests(r"")
    reached = subject.reach_tests(r"")
    count = len(reached)
    shown = (
        [reached[0]._replace(note=f"and {count - 1} more: {reached[0].note}")]
        if count > 1
        else reached
    )
    return weigh(
        present,
        shown,
        subject.prove_runs(reached),
        next="uv run pytest in a workflow on pull_request",
    )


def layered(subject: Subject) -> Finding:
    """Tests have levels: units, parts together, the whole."""
    levels = {
        name
        for test in subject.tests
        for name in re.findall(
            r"(?:^|/)(unit|integration|system|e2e|functional|end_to_end)(?=/|_)", test.path
        )
    }
    present = [
        e
        for e in subject.find_tests(r"")
        if re.search(r"(unit|integration|system|e2e|functional|end_to_end)", e.path)
    ]
    run = {
        name
        for test, _ in subject.required_tests
        for name in re.findall(
            r"(?:^|/)(unit|integration|system|e2e|functional|end_to_end)(?=/|_)", test.path
        )
    }
    reached = present if len(run) > 1 and run == levels else []
    reached = [e._replace(note=f"levels in CI: {', '.join(sorted(run))}") for e in reached[:1]]
    return weigh(present, reached, next="tests/unit, tests/integration and tests/system, all in CI")


def hooked(subject: Subject) -> Finding:
    """What git checks before a commit, CI checks too."""
    present = (
        subject.cite(".pre-commit-config.yaml")
        if subject.hooks
        else subject.find(r"^(lefthook\.ya?ml|\.husky/)")
    )
    reached = subject.reach(r"pre-commit(\s+run|/action)|prek run|lefthook run")
    return weigh(
        present,
        reached,
        subject.prove_runs(reached),
        next="pre-commit run --all-files in CI: docs/hooks.md",
    )


def secret_free(subject: Subject) -> Finding:
    """No password, token or key comes into git."""
    pattern = r"\bsecrets\b|gitleaks|trufflehog|detect-secrets|detect-private-key|ggshield"
    leaked = subject.find(r"(^|/)(\.env|id_rsa|credentials\.json|.*\.pem)$")
    if leaked:
        return Finding(0.0, False, leaked, "revoke it, then take it out of the history")
    hooks = subject.search(pattern, {".pre-commit-config.yaml": "\n".join(subject.hooks)})
    present = [Evidence(".pre-commit-config.yaml", 0, hooks[0].note)] if hooks else []
    reached = subject.reach(pattern)
    return weigh(
        present or reached,
        reached,
        subject.prove_runs(reached),
        next="the hook secrets: docs/ways-of-working.md",
    )


def contained(subject: Subject) -> Finding:
    """Workflows may do what they need and no more, and run code that nobody can replace."""
    paths = [path for path in subject.snapshot.files if path.startswith(".github/workflows/")]
    if not paths:
        images = subject.search(
            r"^\s*image:.*(@sha256:\w+|:\d)",
            {p: t for p, t in subject.snapshot.files.items() if ".gitlab-ci" in p},
        )
        return weigh(
            subject.cite(".gitlab-ci.yml"), images, next="images by their digest, in .gitlab-ci.yml"
        )
    present = [each for path in paths for each in subject.cite(path)]
    broad = [path for path in paths if not is_narrow(parse_yaml(subject.snapshot.files[path]))]
    loose = [
        Evidence(step.path, step.line, f"{step.command} is not pinned to a commit")
        for step in subject.steps
        if USES.match(step.command) and not PINNED.match(step.command)
    ]
    faults = [
        Evidence(path, 0, "its token may do more than it says it needs") for path in broad
    ] + loose
    reached = [] if faults else present
    return weigh(
        faults or present,
        reached,
        next="permissions: {} on top, and actions by their commit: docs/delivery.md",
    )


def is_narrow(workflow: object) -> bool:
    """Whether a workflow says what its token may do, and that is not everything."""
    top = get(workflow, "permissions")
    jobs = [get(job, "permissions") for job in (get(workflow, "jobs") or {}).values()]
    if "write-all" in [top, *jobs]:
        return False
    return top is not None or all(each is not None for each in jobs)


def protected(subject: Subject) -> Finding:
    """The main branch takes only what was reviewed and is green."""
    present = subject.cite(".github/rules.json", "required_status_checks") or subject.find(
        r"(^|/)CODEOWNERS$|^\.github/settings\.yml$"
    )
    names = {
        str(get(c, "context"))
        for rule in as_list(get(subject.report(".github/rules.json"), "rules"))
        for c in as_list(get(rule, "parameters", "required_status_checks"))
    }
    jobs = {step.job for step in subject.steps if step.can_stop}
    reached = (
        subject.cite(
            ".github/rules.json", "required_status_checks", f"asks for {', '.join(sorted(names))}"
        )
        if names and names <= jobs
        else []
    )
    required = subject.host.required_checks
    proof = prove_review(subject)
    if required is not None:
        reached = (
            [
                Evidence(
                    subject.host.sources[0],
                    0,
                    f"asks for {', '.join(sorted(required)) or 'no check'}",
                )
            ]
            if required
            else []
        )
        present = present or reached
    return weigh(
        present,
        reached,
        proof if proof.is_shown is not None else UNKNOWN,
        next="gh api --method POST repos/{owner}/{repo}/rulesets --input .github/rules.json",
    )


def licensed(subject: Subject) -> Finding:
    """Who may use the code is written down."""
    present = subject.find(r"^(LICENSE|LICENCE|COPYING)[^/]*$")
    project = parse_toml(subject.snapshot.files.get("pyproject.toml", "")).get("project", {})
    declared = get(project, "license")
    stated = subject.cite("pyproject.toml", "license") if declared else []
    reached = stated if present or declared == "LicenseRef-Proprietary" else []
    proof = Proof(True, reached) if reached else Proof(False)
    return weigh(
        present or stated,
        reached,
        proof,
        next="a LICENSE and license in pyproject.toml, or LicenseRef-Proprietary there",
    )


CHECKS = (
    locked,
    linted,
    typed,
    tested,
    layered,
    hooked,
    secret_free,
    contained,
    protected,
    licensed,
)
