"""People: the brief, decisions, the runbook, ways of working.

A page that people write is ready (0.5) where its required parts are filled in, and in force where
it was looked after within 90 days and the business is no simulation.
"""

import re
from datetime import date

from .finding import Evidence, Finding, Proof, weigh
from .subject import BRIEF, Subject

ASKED = ("title", "phase", "owner", "sponsor", "outcome", "decision")
PROSE = ("Problem", "Users", "How wrong answers are handled", "Alternatives considered", "Data")
DECISION = re.compile(r"(^|/)(decisions?|adrs?|rfcs?)/(?!TEMPLATE|template|README)[^/]+\.md$")
ROW = re.compile(r"^\|([^|\n]*)\|([^|\n]*)\|", re.M)


def brief(subject: Subject) -> Finding:
    """A brief says what the problem is, who it is for and what good means."""
    present = subject.cite(BRIEF) or subject.find(
        r"(^|/)(brief|charter|prd|requirements|problem[-_]statement)[^/]*\.md$"
    )
    missing = [key for key in ASKED if not subject.brief.get(key)]
    missing += [name for name in PROSE if not subject.sections.get(name)]
    checked = subject.reach(r"project[-_]brief|check --committed")
    reached = [*subject.cite(BRIEF), *checked] if checked and not missing else []
    if present and missing and subject.brief:
        present = [present[0]._replace(note=f"without {', '.join(missing[:4])}")]
    return weigh(
        present, reached, subject.prove_page(BRIEF), next="fill in project-brief.md: docs/brief.md"
    )


def priced(subject: Subject) -> Finding:
    """What a right and a wrong action are worth is agreed, with a sponsor's name."""
    value = subject.brief.get("value")
    present = subject.cite(BRIEF, "value:") if value else []
    is_priced = isinstance(value, dict) and re.search(r"\d", str(value)) is not None
    reached = present if is_priced and subject.brief.get("sponsor") else []
    return weigh(
        present,
        reached,
        subject.prove_page(BRIEF),
        next="agree on prices with the sponsor: docs/brief.md",
    )


def evidenced(subject: Subject) -> Finding:
    """What is known, and how, is written down with its day."""
    days = [
        day
        for day in re.findall(
            r"^\s*[-*] (\d{4}-\d\d-\d\d)", subject.sections.get("Evidence", ""), re.M
        )
        if parse_day(day)
    ]
    present = subject.cite(BRIEF, "## Evidence") if subject.sections.get("Evidence") else []
    newest = max(days, default="")
    age = (subject.snapshot.today - date.fromisoformat(newest)).days if newest else None
    shown = age is not None and 0 <= age <= 90 and not subject.is_simulated
    note = "the newest, of a simulated business" if subject.is_simulated else "the newest"
    proof = Proof(shown, [Evidence(BRIEF, 0, note, newest)] if newest else [])
    return weigh(
        present,
        present if days else [],
        proof,
        next="a bullet with its day under Evidence: docs/brief.md",
    )


def decisions(subject: Subject) -> Finding:
    """Decisions are recorded: what forced them, the alternatives, when to look again."""
    files = subject.snapshot.files
    paths = sorted(path for path in files if DECISION.search(path))
    own = [path for path in paths if not path.endswith("start-from-the-template.md")]
    complete = [
        p
        for p in own or paths
        if re.search(r"^#+ .*(alternative|option)", files[p], re.I | re.M)
        and re.search(r"^#+ .*(decision|outcome)", files[p], re.I | re.M)
    ]
    present = [each for path in paths[-1:] for each in subject.cite(path)]
    reached = [each for path in complete[-1:] for each in subject.cite(path)]
    recent = [path for path in complete if path in own and subject.snapshot.is_recent(path)]
    note = "none of the team's own yet" if not own else "none of the last 90 days"
    proof = (
        Proof(True, subject.cite(recent[-1]))
        if recent
        else Proof(False, [Evidence("docs/decisions", 0, note)])
    )
    return weigh(
        present,
        reached,
        proof,
        next="docs/decisions/TEMPLATE.md: one page for the next choice that is hard to undo",
    )


def runbook(subject: Subject) -> Finding:
    """A runbook says what to do when something is wrong."""
    paths = [
        path
        for path in subject.documents
        if re.search(r"runbook|playbook|incident|on-?call", path, re.I)
    ]
    present = [each for path in paths[:1] for each in subject.cite(path)]
    text = subject.documents[paths[0]] if paths else ""
    is_usable = (
        bool(re.search(r"`[^`\n]+`|^    \S|^```", text, re.M))
        and len(re.findall(r"^## ", text, re.M)) > 1
    )
    proof = subject.prove_page(paths[0]) if paths else Proof(False)
    return weigh(
        present,
        present if is_usable else [],
        proof,
        next="docs/runbook.md: what is seen, what it means, the command",
    )


def named(subject: Subject) -> Finding:
    """Who answers for what, and who is on call, has a name."""
    present = subject.cite("docs/team.md") or subject.find(
        r"(^|/)(CODEOWNERS|MAINTAINERS|OWNERS|team)[^/]*$"
    )
    rows = [
        (role.strip(), who.strip())
        for role, who in ROW.findall(subject.snapshot.files.get("docs/team.md", ""))
    ]
    roles = [
        (role, who)
        for role, who in rows
        if role and role.lower() != "role" and not set(role) <= set("-: ")
    ]
    empty = [role for role, who in roles if not who]
    reached = present if roles and not empty else []
    if present and empty:
        present = [present[0]._replace(note=f"no name for {', '.join(empty)}")]
    return weigh(
        present,
        reached,
        subject.prove_page("docs/team.md"),
        next="a name for each role: docs/team.md",
    )


def looked_at_again(subject: Subject) -> Finding:
    """The brief names the day on which it is looked at again, and that day is ahead."""
    day = parse_day(str(subject.brief.get("review_by") or ""))
    present = subject.cite(BRIEF, "review_by:") if subject.brief.get("review_by") else []
    is_ahead = day is not None and day >= subject.snapshot.today
    if present and not is_ahead:
        present = [present[0]._replace(note="overdue")]
    return weigh(
        present,
        present if is_ahead else [],
        subject.prove_page(BRIEF),
        next="review_by in project-brief.md: docs/brief.md",
    )


def questioned(subject: Subject) -> Finding:
    """Work begins with a question: forms for issues and pull requests ask what is to be learned."""
    form = subject.find(r"(^|/)(pull_request_template|merge_request_templates/.*)\.md$")
    issues = subject.find(r"^\.(github/ISSUE_TEMPLATE|gitlab/issue_templates)/(?!config)")
    asks = subject.search(
        r"hypothes|what (will|would|do we) (be )?learn|change our mind|definition of done",
        {e.path: subject.snapshot.files.get(e.path, "") for e in [*form, *issues]},
    )
    proof = Proof(None)
    return weigh(
        form or issues,
        asks if form and issues else [],
        proof,
        next="a form for pull requests and for issues: docs/ways-of-working.md",
    )


def begun(subject: Subject) -> Finding:
    """Somebody new can begin: the README says how to install, run and test."""
    present = [
        each for path in ("README.md", "README.rst", "readme.md") for each in subject.cite(path)
    ][:1]
    text = subject.snapshot.files.get(present[0].path, "") if present else ""
    says = [
        re.search(pattern, text, re.I | re.M)
        for pattern in (
            r"install|uv sync|\bstart\b|setup|conda env",
            r"\brun\b|python |make ",
            r"\btest|pytest",
        )
    ]
    reached = present if all(says) and re.search(r"^```|^    \S|`[^`]+`", text, re.M) else []
    return weigh(
        present, reached, Proof(None), next="README.md: the commands to install, run and test"
    )


def parse_day(text: str) -> date | None:
    """Return a day from `2027-03-31`, or None."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


CHECKS = (brief, priced, evidenced, decisions, runbook, named, looked_at_again, questioned, begun)
