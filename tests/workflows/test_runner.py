"""The runner does what the platform's documentation says, and says no to everything else."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ..made import git
from .emulated import Failed, Use
from .expressions import NotRunnable
from .reading import ExpressionInRun
from .runner import Completed, run
from .triggers import Event, selected, triggers
from .triggers import starts as starts_

PUSH, PROPOSAL = Event("push"), Event("pull_request", head="idea")
FLOW = ".github/workflows/flow.yml"
DISPATCH = "workflow_dispatch"


def job(*steps: Any, **more: Any) -> dict[str, Any]:
    """A job; a string among its steps is a script."""
    specs = [{"run": step} if isinstance(step, str) else step for step in steps]
    return {"runs-on": "ubuntu-latest", "steps": specs} | {
        key.replace("_", "-"): value for key, value in more.items()
    }


def flow(on: Any = "push", permissions: Any = None, **more: Any) -> dict[str, Any]:
    """A workflow; its jobs are what is not one of its other keys."""
    known = {"name", "run_name", "env", "defaults", "concurrency"}
    keys = {key.replace("_", "-"): more[key] for key in more.keys() & known}
    jobs = {key: more[key] for key in more if key not in known}
    return {"on": on, "permissions": permissions or {}, **keys, "jobs": jobs}


class Made:
    """A repository with a workflow, and its runs."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.runs = folder / "made", folder / "runs"

    def write(self, name: str, text: str | dict[str, Any]) -> None:
        """Commit a file; JSON is YAML."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text if isinstance(text, str) else json.dumps(text))
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", name)

    @property
    def head(self) -> str:
        return git(self.folder, "rev-parse", "HEAD").strip()

    def branch(self, name: str) -> None:
        git(self.folder, "checkout", "--quiet", "-B", name)

    def run(
        self, workflow: str | dict[str, Any] | None = None, event: Event = PUSH, **options: Any
    ) -> Completed:
        if workflow:
            self.write(FLOW, workflow)
        if event is PROPOSAL or event.head == "idea":
            git(self.folder, "branch", "--force", "idea")
        return run(self.folder, FLOW, event, folder=self.runs, **options)

    def steps(self, *steps: Any, **options: Any) -> Completed:
        return self.run(flow(a=job(*steps)), **options)


@pytest.fixture(scope="module")
def seed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a file to copy."""
    made = Made(tmp_path_factory.mktemp("seed"))
    made.folder.mkdir()
    git(made.folder, "init", "--quiet", "-b", "main", "--template=")
    made.write("data.txt", "one\n")
    return made.folder


@pytest.fixture
def made(seed: Path, tmp_path: Path) -> Made:
    shutil.copytree(seed, tmp_path / "made")
    return Made(tmp_path)


def refused(made: Made, workflow: str | dict[str, Any], *reasons: str, **options: Any) -> None:
    with pytest.raises(NotRunnable) as error:
        made.run(workflow, **options)
    for reason in (FLOW, *reasons):
        assert reason in str(error.value)


OPENED = {"action": "opened"}
CHECKOUT = {"uses": "actions/checkout@v5"}


def uses(action: str, id: str = "", **inputs: str) -> dict[str, Any]:
    arguments = {key.replace("_", "-"): value for key, value in inputs.items()}
    return {"uses": f"{action}@v1", "with": arguments} | ({"id": id} if id else {})


# Events


@pytest.mark.parametrize("on", ["push", ["pull_request", "push"], {"push": None}])
def test_on_has_three_forms(made: Made, on: Any) -> None:
    assert made.run(flow(on, a=job("true"))).triggered
    assert not made.run(event=Event("issues")).triggered


def test_on_is_a_word_and_not_true(made: Made) -> None:
    text = """
        on: [push]
        permissions: {}
        jobs:
          a: &a {runs-on: [x], env: {NO: no, OCTAL: 010}, steps: [{run: 'echo $NO $OCTAL'}]}
          b: *a
    """
    completed = made.run(text)
    assert [job.steps[0].text for job in completed.jobs.values()] == ["no 10\n", "no 10\n"]
    assert completed.jobs["a"].runs_on == ["x"]
    assert completed.result == "success"


@pytest.mark.parametrize(
    ("filters", "ref", "starts"),
    [
        ({}, "refs/heads/main", True),
        ({}, "refs/tags/v1", True),
        ({"branches": ["main"]}, "refs/heads/main", True),
        ({"branches": "main"}, "refs/heads/main", True),
        ({"branches": ["main"]}, "refs/heads/maine", False),
        ({"branches": ["main"]}, "refs/tags/main", False),
        ({"branches": ["rel/**", "!rel/**-x"]}, "refs/heads/rel/a/b", True),
        ({"branches": ["rel/**", "!rel/**-x"]}, "refs/heads/rel/a-x", False),
        ({"branches-ignore": ["rel/*"]}, "refs/heads/rel/a", False),
        ({"branches-ignore": ["rel/*"]}, "refs/heads/rel/a/b", True),
        ({"branches-ignore": ["rel/*"]}, "refs/tags/v1", False),
        ({"tags": ["v[0-9]+.*"]}, "refs/tags/v12.3", True),
        ({"tags": ["v[0-9]+.*"]}, "refs/tags/v.3", False),
        ({"tags": ["v*"]}, "refs/heads/v1", False),
        ({"tags-ignore": ["v*"]}, "refs/tags/v1", False),
        ({"tags-ignore": ["v*"], "branches": ["x"]}, "refs/heads/x", True),
    ],
)
def test_a_push_is_filtered_by_its_ref(filters: dict[str, Any], ref: str, starts: bool) -> None:
    assert starts_(triggers({"push": filters}), Event("push", ref=ref), Path()) is starts


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("*", "a.md", True),
        ("*", "a/b.md", False),
        ("**", "a/b.md", True),
        ("**.js", "a/b.js", True),
        ("*.jsx?", "a.js", True),
        ("docs/**/*.md", "docs/a.md", True),
        ("docs/**/*.md", "docs/a/b/c.md", True),
        ("docs/**/*.md", "doc/a.md", False),
        ("**/docs/**", "docs/a.md", True),
        ("**/docs/**", "a/docs/b/c.md", True),
        ("**/README.md", "README.md", True),
        ("**/README.md", "aREADME.md", False),
        ("**/*-post.md", "a/my-post.md", True),
        ("[CB]at", "Cat", True),
        ("[CB]at", "Rat", False),
        ("a.b", "axb", False),
    ],
)
def test_patterns_are_those_of_the_cheat_sheet(pattern: str, name: str, matches: bool) -> None:
    assert selected(name, [pattern]) is matches


@pytest.mark.parametrize(
    ("filters", "starts"),
    [
        ({"paths": ["src/**"]}, True),
        ({"paths": ["docs/**"]}, False),
        ({"paths": ["**", "!src/**"]}, False),
        ({"paths-ignore": ["src/**"]}, False),
        ({"paths-ignore": ["src/*.txt"]}, True),
    ],
)
@pytest.mark.parametrize("name", ["push", "pull_request"])
def test_paths_are_those_that_changed(
    made: Made, filters: dict[str, Any], starts: bool, name: str
) -> None:
    made.write(FLOW, flow({name: filters}, a=job("true")))
    event = Event(name, {"before": made.head}, head="idea")
    made.branch("idea")
    made.write("src/a.py", "")
    assert run(made.folder, FLOW, event, folder=made.runs).triggered is starts


def test_a_push_of_unknown_beginning_has_no_paths(made: Made) -> None:
    refused(made, flow({"push": {"paths": ["a"]}}, a=job("true")), "`before`")


@pytest.mark.parametrize(
    ("on", "event", "starts"),
    [
        ({"pull_request": None}, Event("pull_request", {"action": "reopened"}), True),
        ({"pull_request": None}, Event("pull_request", {"action": "closed"}), False),
        ({"pull_request": {"types": ["closed"]}}, Event("pull_request", OPENED), False),
        ({"pull_request": {"types": "closed"}}, Event("pull_request", {"action": "closed"}), True),
        ({"pull_request": {"branches": ["main"]}}, Event("pull_request", OPENED), True),
        ({"pull_request": {"branches-ignore": ["ma*"]}}, Event("pull_request", OPENED), False),
        ({"pull_request_review": None}, Event("pull_request_review", {"action": "edited"}), True),
        ({"schedule": [{"cron": "0 5 * * 1"}]}, Event("schedule", {"schedule": "0 5 * * 1"}), True),
        (
            {"schedule": [{"cron": "0 5 * * 1"}]},
            Event("schedule", {"schedule": "0 6 * * 1"}),
            False,
        ),
        ({"issues": {"types": ["opened"]}}, Event("issues", {"action": "opened"}), True),
        ({"issues": {"types": ["opened"]}}, Event("issues", {"action": "closed"}), False),
        ({"issues": None}, Event("issues", {"action": "closed"}), True),
        (
            {"workflow_run": {"workflows": ["A"], "branches": ["main"]}},
            Event("workflow_run", {"workflow_run": {"name": "A", "head_branch": "main"}}),
            True,
        ),
        (
            {"workflow_run": {"workflows": ["A"], "branches": ["main"]}},
            Event("workflow_run", {"workflow_run": {"name": "A", "head_branch": "x"}}),
            False,
        ),
        (
            {"workflow_run": {"workflows": ["A"]}},
            Event("workflow_run", {"workflow_run": {"name": "B", "head_branch": "x"}}),
            False,
        ),
    ],
)
def test_other_events_are_filtered_too(on: dict[str, Any], event: Event, starts: bool) -> None:
    assert starts_(triggers(on), event, Path()) is starts


@pytest.mark.parametrize(
    ("on", "reason"),
    [
        ("pul_request", "'pul_request'"),
        ({"push": {"branch": ["main"]}}, "branch cannot"),
        ({"push": {"types": ["opened"]}}, "types cannot"),
        ({"push": {"branches": ["a"], "branches-ignore": ["b"]}}, "exclude each other"),
        ({"push": {"branches": ["!a"]}}, "excludes everything"),
        ({"schedule": [{"cron": "0 5 * *"}]}, "five fields"),
        ({"schedule": None}, "five fields"),
    ],
)
def test_what_on_cannot_say_is_refused(on: Any, reason: str) -> None:
    with pytest.raises(NotRunnable, match=reason):
        starts_(triggers(on), Event("push", ref="refs/heads/main"), Path())


def test_an_event_that_starts_nothing_runs_nothing(made: Made) -> None:
    completed = made.run(flow({"push": {"branches": ["x"]}}, a=job("true")))
    assert (completed.triggered, completed.result, completed.jobs) == (False, "skipped", {})


INPUTS = {
    "level": {"type": "choice", "options": ["low", "high"]},
    "dry": {"type": "boolean", "default": True},
    "count": {"type": "number", "default": 3},
    "note": {"required": True},
}
SHOW_INPUTS = {"run": 'echo "$ALL"', "env": {"ALL": "${{ toJSON(inputs) }}"}}


def test_inputs_by_hand_have_defaults_and_kinds(made: Made) -> None:
    event = Event(DISPATCH, {"inputs": {"note": "hm", "dry": "false"}})
    shown = {"run": "echo $SAID", "env": {"SAID": "${{ github.event.inputs.dry == 'false' }}"}}
    completed = made.run(flow({DISPATCH: {"inputs": INPUTS}}, a=job(SHOW_INPUTS, shown)), event)
    expected = {"level": "low", "dry": False, "count": "3", "note": "hm"}
    assert json.loads(completed.jobs["a"].steps[0].text) == expected
    assert completed.jobs["a"].steps[1].text == "true\n"


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "note is required"),
        ({"note": "", "other": ""}, "other are not declared"),
        ({"note": "", "level": "middle"}, "none of low, high"),
        ({"note": "", "dry": "perhaps"}, "no boolean"),
        ({"note": "", "count": "many"}, "no number"),
    ],
)
def test_wrong_inputs_by_hand_are_refused(made: Made, values: dict[str, str], reason: str) -> None:
    workflow = flow({DISPATCH: {"inputs": INPUTS}}, a=job("true"))
    refused(made, workflow, reason, event=Event(DISPATCH, {"inputs": values}))


def test_an_event_tells_of_itself_in_context_variables_and_file(made: Made) -> None:
    shown = {
        "A": "${{ github.event_name }} ${{ github.ref }} ${{ github.head_ref }}",
        "B": "${{ github.event.pull_request.head.repo.full_name }} ${{ github.event.custom.x }}",
        "C": "${{ github.actor }} ${{ github.repository_owner }} ${{ github.event.number }}",
    }
    script = "echo $A; echo $B; echo $C; echo $GITHUB_REF_NAME $GITHUB_BASE_REF $GITHUB_JOB $CI"
    file = 'python3 -c \'import json, os; e = json.load(open(os.environ["GITHUB_EVENT_PATH"]))'
    steps = [{"run": script, "env": shown}, file + '; print(e["action"])\'']
    event = Event("pull_request", {"custom": {"x": 5}}, head="idea", actor="mona", fork=True)
    completed = made.run(flow("pull_request", a=job(*steps)), event)
    assert completed.jobs["a"].steps[0].text.splitlines() == [
        "pull_request refs/pull/1/merge idea",
        "mona/project 5",
        "mona acme 1",
        "1/merge main a true",
    ]
    assert completed.jobs["a"].steps[1].text == "opened\n"


def test_a_proposal_runs_on_what_merging_would_give(made: Made) -> None:
    made.write(FLOW, flow("pull_request", a=job(CHECKOUT, "cat data.txt new.txt")))
    made.branch("idea")
    made.write("new.txt", "idea\n")
    made.branch("other")
    git(made.folder, "checkout", "--quiet", "main")
    made.write("data.txt", "two\n")
    completed = run(made.folder, FLOW, PROPOSAL, folder=made.runs)
    assert completed.jobs["a"].steps[1].text == "two\nidea\n"


def test_a_proposal_in_conflict_runs_nothing(made: Made) -> None:
    made.write(FLOW, flow("pull_request", a=job("true")))
    made.branch("idea")
    made.write("data.txt", "idea\n")
    git(made.folder, "checkout", "--quiet", "main")
    made.write("data.txt", "two\n")
    with pytest.raises(NotRunnable, match="does not merge"):
        run(made.folder, FLOW, PROPOSAL, folder=made.runs)


def test_a_workflow_is_read_from_the_commit(made: Made) -> None:
    made.write(FLOW, flow(a=job("echo first")))
    first = made.head
    made.write(FLOW, flow(a=job("echo second")))
    (made.folder / FLOW).write_text("nonsense")
    assert made.run(event=Event("push", sha=first)).jobs["a"].steps[0].text == "first\n"
    with pytest.raises(NotRunnable, match=r"no\.yml: is not in the commit"):
        run(made.folder, ".github/workflows/no.yml", PUSH, folder=made.runs)


# Secrets and permissions

SHOW_SECRET: dict[str, Any] = {
    "run": "echo got:$S:${#S}; echo ${#T}",
    "env": {"S": "${{ secrets.KEY }}"},
}
SHOW_SECRET["env"] |= {"T": "${{ secrets.GITHUB_TOKEN }}"}
TOKEN_LENGTH = "40"


@pytest.mark.parametrize(
    ("event", "length", "level"),
    [
        (PUSH, 6, "write"),
        (PROPOSAL, 6, "write"),
        (Event("pull_request", head="idea", fork=True), 0, "read"),
        (Event("pull_request_target", head="idea", fork=True), 6, "write"),
        (Event("push", actor="dependabot[bot]"), 0, "read"),
    ],
)
def test_a_fork_gets_no_secrets_and_may_write_nothing(
    made: Made, event: Event, length: int, level: str
) -> None:
    on = ["push", "pull_request", "pull_request_target"]
    workflow = flow(on, {"contents": "write", "checks": "none"}, a=job(SHOW_SECRET))
    completed = made.run(workflow, event, secrets={"KEY": "s3cret"})
    masked = "***" if length else ""
    assert completed.jobs["a"].steps[0].text == f"got:{masked}:{length}\n{TOKEN_LENGTH}\n"
    assert completed.jobs["a"].permissions.get("contents") == level


def test_permissions_of_a_job_replace_those_of_the_workflow(made: Made) -> None:
    workflow = flow(
        "push", {"contents": "read"}, a=job("true"), b=job("true", permissions={"checks": "write"})
    )
    workflow["jobs"]["c"] = job("true", permissions="read-all")
    jobs = made.run(workflow).jobs
    assert jobs["a"].permissions == {"contents": "read"}
    assert jobs["b"].permissions == {"checks": "write"}
    assert jobs["c"].permissions["contents"] == jobs["c"].permissions["issues"] == "read"


@pytest.mark.parametrize(
    ("permissions", "reason"),
    [({"content": "read"}, "content"), ({"contents": "admin"}, "admin"), ("all", "not a mapping")],
)
def test_permissions_that_do_not_exist_are_refused(
    made: Made, permissions: Any, reason: str
) -> None:
    refused(made, flow("push", permissions, a=job("true")), reason)
    refused(made, flow(a=job("true", permissions=permissions)), "job a", reason)


def test_a_workflow_has_to_say_its_permissions(made: Made) -> None:
    refused(made, {"on": "push", "jobs": {"a": job("true")}}, "missing: permissions")


def test_secrets_are_masked_wherever_they_are_shown(made: Made) -> None:
    shown = {"run": "echo in=$S; echo ::warning::is $S; echo $S >> $GITHUB_STEP_SUMMARY"}
    completed = made.steps({**shown, "env": {"S": "${{ secrets.S }}"}}, secrets={"S": "ab\ncd"})
    step = completed.jobs["a"].steps[0]
    assert step.text == "in=*** ***\n::warning::is *** ***\n"
    assert step.annotations[0]["message"] == "is *** ***"
    assert completed.summary == "*** ***\n"


# Jobs


def test_jobs_wait_for_those_that_they_need(made: Made) -> None:
    workflow = flow(b=job("echo $A", needs="a"), a=job("echo x=$((6 * 7)) >> $GITHUB_OUTPUT"))
    workflow["jobs"]["a"]["steps"][0]["id"] = "sum"
    workflow["jobs"]["a"]["outputs"] = {"x": "is ${{ steps.sum.outputs.x }}"}
    workflow["jobs"]["b"]["env"] = {"A": "${{ needs.a.result }}: ${{ needs.a.outputs.x }}"}
    completed = made.run(workflow)
    assert list(completed.jobs) == ["a", "b"]
    assert completed.jobs["a"].outputs == {"x": "is 42"}
    assert completed.jobs["b"].steps[0].text == "success: is 42\n"


@pytest.mark.parametrize(
    ("condition", "result"),
    [
        (None, "skipped"),
        ("${{ success() }}", "skipped"),
        ("failure()", "success"),
        ("always()", "success"),
        ("!cancelled() && needs.b.result == 'skipped'", "success"),
        ("needs.b.result == 'skipped'", "skipped"),
    ],
)
def test_a_failure_reaches_all_that_come_after(
    made: Made, condition: str | None, result: str
) -> None:
    more = {"if": condition} if condition else {}
    workflow = flow(a=job("exit 3"), b=job("true", needs="a"), c=job("true", needs=["b"], **more))
    completed = made.run(workflow)
    results = [completed.jobs[name].result for name in "abc"]
    assert results == ["failure", "skipped", result]
    assert completed.result == "failure"


def test_a_job_after_a_skipped_one_is_skipped_however_the_one_between_ended(made: Made) -> None:
    between = job("true", needs="a", **{"if": "always()"})
    workflow = flow(a=job("true", **{"if": False}), b=between, c=job("true", needs="b"))
    completed = made.run(workflow)
    assert [completed.jobs[name].result for name in "abc"] == ["skipped", "success", "skipped"]
    assert completed.result == "success"


def test_a_run_of_skipped_jobs_is_skipped(made: Made) -> None:
    assert made.run(flow(a=job("true", **{"if": "github.ref == 'x'"}))).result == "skipped"


def test_a_job_may_fail_if_it_says_so(made: Made) -> None:
    workflow = flow(a=job("false", continue_on_error=True), b=job("true", needs="a"))
    completed = made.run(workflow)
    assert (completed.jobs["a"].outcome, completed.jobs["a"].result) == ("failure", "success")
    assert completed.jobs["b"].result == completed.result == "success"


def test_a_job_has_its_environment_name_and_concurrency(made: Made) -> None:
    deploy = job(
        {"id": "go", "run": "echo at=here >> $GITHUB_OUTPUT"},
        name="Deploy ${{ github.ref_name }}",
        environment={"name": "live-${{ vars.KIND }}", "url": "x://${{ steps.go.outputs.at }}"},
        concurrency={"group": "g-${{ github.ref }}", "cancel-in-progress": "${{ 1 == 1 }}"},
    )
    workflow = flow(
        a=deploy,
        b=job("true", environment="test"),
        concurrency="all-${{ github.workflow }}",
        name="Main",
    )
    completed = made.run(workflow, variables={"KIND": "eu"})
    a = completed.jobs["a"]
    assert (a.name, a.environment, a.url) == ("Deploy main", "live-eu", "x://here")
    assert a.concurrency == {"group": "g-refs/heads/main", "cancel-in-progress": True}
    assert completed.jobs["b"].environment == "test"
    assert completed.concurrency == {"group": "all-Main"}


def test_a_job_has_a_machine_of_its_own(made: Made) -> None:
    mark = "touch mark ~/mark $RUNNER_TEMP/mark ${TMPDIR}/mark"
    look = "ls; ls ~; ls $RUNNER_TEMP/mark $TMPDIR 2>&1 || true"
    completed = made.run(flow(a=job(mark, "ls"), b=job(look, needs="a")))
    assert completed.jobs["a"].steps[1].text == "mark\n"
    assert "mark\n" not in completed.jobs["b"].steps[0].text


def test_a_process_has_a_bare_environment(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "leaked")
    completed = made.steps("env; command -v python || true", environment={"THEIRS": "given"})
    output = completed.jobs["a"].steps[0].text
    assert "OURS" not in output
    assert "VIRTUAL_ENV" not in output
    assert ".venv" not in output
    assert "THEIRS=given" in output


def test_time_runs_out_for_a_job(made: Made) -> None:
    steps = ["sleep 20", "true", {"run": "echo late", "if": "cancelled()"}]
    completed = made.run(flow(a=job(*steps, timeout_minutes=1)), minute=0.2)
    a = completed.jobs["a"]
    assert [step.outcome for step in a.steps.all] == ["cancelled", "skipped", "success"]
    assert a.result == completed.result == "cancelled"


def test_time_runs_out_for_a_step_and_what_it_started(made: Made) -> None:
    slow = {"run": "(sleep 1; touch ~/late) & sleep 20", "timeout-minutes": 1, "id": "slow"}
    after = {"run": "sleep 1.2; ls ~", "if": "failure()"}
    completed = made.steps(slow, after, minute=0.2)
    assert [step.outcome for step in completed.jobs["a"].steps.all] == ["failure", "success"]
    assert "timed out" in completed.annotations[0]["message"]
    assert completed.jobs["a"].steps[1].text == ""


def test_what_nothing_bounds_is_stopped(made: Made) -> None:
    with pytest.raises(NotRunnable, match="job a: step sleep 20: took more than"):
        made.steps("sleep 20", longest=0.2)


def test_what_a_step_leaves_running_ends_with_the_job(made: Made, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    completed = made.steps(f"(sleep 0.5; touch {mark}) &", "echo on")
    assert completed.jobs["a"].steps[1].text == "on\n"
    subprocess.run(["sleep", "0.7"], check=True)
    assert not mark.exists()


# Steps


@pytest.mark.parametrize(
    ("shell", "script", "outcome"),
    [
        (None, "false; true", "failure"),
        (None, "false | true", "success"),
        (None, "[[ -o pipefail ]] || echo ${BASH_VERSION:+bash}", "success"),
        ("bash", "false | true", "failure"),
        ("sh", "false; true", "failure"),
        ("sh", "false | true", "success"),
        ("python", "import sys; sys.exit(3)", "failure"),
        ("python", "import os", "success"),
        ("bash {0}", "false; true", "success"),
        ("env python3 -I {0}", "print(1)", "success"),
    ],
)
def test_shells(made: Made, tmp_path: Path, shell: str | None, script: str, outcome: str) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "python").symlink_to(str(shutil.which("python3")))
    path = f"{tools}:/usr/local/bin:/usr/bin:/bin"
    step = {"run": script, **({"shell": shell} if shell else {})}
    assert made.steps(step, environment={"PATH": path}).jobs["a"].steps[0].outcome == outcome


def test_an_unknown_shell_is_refused(made: Made) -> None:
    refused(made, flow(a=job({"run": "x", "shell": "fish"})), "job a", "step x", "'fish'")


def test_defaults_hold_for_every_script(made: Made) -> None:
    shown = {"run": "basename $PWD; set -o | grep pipefail"}
    workflow = flow(
        a=job(
            "mkdir -p in/x", {**shown, "working-directory": "in/x", "shell": "bash -e {0}"}, shown
        ),
        defaults={"run": {"shell": "bash", "working-directory": "."}},
    )
    workflow["jobs"]["a"]["defaults"] = {"run": {"working-directory": "in"}}
    workflow["jobs"]["a"]["steps"][0]["working-directory"] = "."
    steps = made.run(workflow).jobs["a"].steps
    assert steps[1].text.split() == ["x", "pipefail", "off"]
    assert steps[2].text.split() == ["in", "pipefail", "on"]


def test_a_working_directory_has_to_exist(made: Made) -> None:
    completed = made.steps({"run": "true", "working-directory": "none"})
    assert completed.result == "failure"
    assert "none does not exist" in completed.annotations[0]["message"]


def test_variables_of_the_inner_place_win(made: Made) -> None:
    script = "echo $A $B $C $D $GITHUB_REF_NAME"
    own = {"C": "step ${{ env.C }}", "D": "${{ env.A }}", "GITHUB_REF_NAME": "no"}
    workflow = flow(
        env={"A": "flow", "B": "flow", "C": 1},
        a=job({"run": script, "env": own}, script, env={"B": "job", "GITHUB_REF_NAME": "no"}),
    )
    steps = made.run(workflow).jobs["a"].steps
    assert steps[0].text == "flow job step 1 flow main\n"
    assert steps[1].text == "flow job 1 main\n"


def test_a_step_speaks_through_files(made: Made) -> None:
    write = """
        echo "A=1=2" >> $GITHUB_ENV
        printf 'B<<END\\nx\\n y\\nEND\\n' >> $GITHUB_ENV
        printf 'one=1\\nmany<<E\\na=b\\n\\nc\\nE\\n' >> $GITHUB_OUTPUT
        mkdir tools; printf '#!/bin/sh\\necho ran' > tools/made-here; chmod +x tools/made-here
        echo $PWD/tools >> $GITHUB_PATH
        echo '# Done' >> $GITHUB_STEP_SUMMARY
        echo s=1 >> $GITHUB_STATE
    """
    read = {"run": 'echo "$A/$B/$C"; made-here', "env": {"C": "${{ env.A }}"}}
    shown = {"run": 'echo "$M"', "env": {"M": "${{ toJSON(steps.w) }}"}}
    completed = made.steps({"run": write, "id": "w"}, read, shown)
    steps = completed.jobs["a"].steps
    assert steps[1].text == "1=2/x\n y/1=2\nran\n"
    outputs = {"one": "1", "many": "a=b\n\nc"}
    assert json.loads(steps[2].text) == {
        "outputs": outputs,
        "outcome": "success",
        "conclusion": "success",
    }
    assert steps["w"].outputs == outputs
    assert completed.summary == completed.jobs["a"].summary == "# Done\n"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo nonsense >> $GITHUB_OUTPUT", "Invalid format 'nonsense'"),
        ("echo 'a<<E' >> $GITHUB_ENV", "delimiter not found 'E'"),
        ("head -c 1048577 /dev/zero >> $GITHUB_STEP_SUMMARY", "up to 1024k"),
        ("exit 7", "exit code 7"),
    ],
)
def test_a_step_can_fail_in_many_ways(made: Made, script: str, message: str) -> None:
    completed = made.steps(script)
    assert completed.result == "failure"
    assert message in completed.annotations[0]["message"]


def test_a_step_speaks_through_commands(made: Made) -> None:
    script = """
        echo "::warning file=a.py,line=3,title=A%2C b::Look%0Ahere"
        echo "::error::bad" >&2
        echo "::notice::fine"
        echo "::add-mask::hidden"
        echo "is hidden now"
        echo "::stop-commands::tok"
        echo "::error::not this"
        echo "::tok::"
        echo "::debug::x"
    """
    completed = made.steps(script, "echo hidden still")
    assert completed.annotations == [
        {"kind": "warning", "file": "a.py", "line": "3", "title": "A, b", "message": "Look\nhere"},
        {"kind": "error", "message": "bad"},
        {"kind": "notice", "message": "fine"},
    ]
    assert "is *** now\n" in completed.jobs["a"].steps[0].text
    assert completed.jobs["a"].steps[1].text == "*** still\n"


@pytest.mark.parametrize("command", ["set-output name=a", "set-env name=a", "save-state name=a"])
def test_commands_that_are_gone_are_refused(made: Made, command: str) -> None:
    refused(made, flow(a=job(f"echo '::{command}::1'")), "job a", "no longer a command")


def test_a_secret_does_not_leave_a_job_as_output(made: Made) -> None:
    steps = [{"id": "s", "run": "echo ::add-mask::abc; echo v=abc >> $GITHUB_OUTPUT"}]
    outputs = {"v": "x${{ steps.s.outputs.v }}", "w": "w"}
    assert made.run(flow(a=job(*steps, outputs=outputs))).jobs["a"].outputs == {"v": "", "w": "w"}


def test_steps_go_on_after_a_failure_only_if_they_ask_to(made: Made) -> None:
    steps = [
        {"run": "exit 1", "continue-on-error": "${{ true }}", "id": "may"},
        {"run": "echo $O", "env": {"O": "${{ steps.may.outcome }} ${{ steps.may.conclusion }}"}},
        {"run": "false", "name": "bad"},
        "true",
        {"run": "true", "if": "steps.may.outcome == 'failure'"},
        {"run": "true", "if": "${{ failure() }}"},
        {"run": "echo $S", "if": "always()", "env": {"S": "${{ job.status }}"}},
        {"run": "true", "if": "!cancelled() && env.MODE == 'x'", "env": {"MODE": "x"}},
    ]
    results = made.steps(*steps).jobs["a"].steps
    assert results[1].text == "failure success\n"
    ends = [step.conclusion for step in results.all]
    assert ends == ["success"] * 2 + ["failure"] + ["skipped"] * 2 + ["success"] * 3
    assert results["bad"].outcome == "failure"
    assert results[6].text == "failure\n"


# Slips


@pytest.mark.parametrize(
    ("spec", "reasons"),
    [
        (job({"run": "true", "if": "${{ false }} && true"}), ["step true", "always true"]),
        (job({"run": "true", "env": {"A": "${{ steps.b.outcome }}"}}), ["env", "no 'b'"]),
        (job("true", env={"A": "${{ needs.x.result }}"}), ["env", "no 'x'"]),
        (job("true", env={"A": "${{ inputs.x }}"}), ["env", "no 'x'"]),
        (job("true", env={"A": "${{ matrix.x }}"}), ["env", "no context 'matrix'"]),
        (job("true", env={"A": "${{ github.even_name }}"}), ["env", "no 'even_name'"]),
        (job("true", env={"A": "${{ env.A }}"}), ["env", "no context 'env'"]),
        (job("true", **{"if": "secrets.A"}), ["if", "no context 'secrets'"]),
        (job({"run": "true", "if": "secrets.A == ''"}), ["if", "no context 'secrets'"]),
        (job("true", **{"if": "matrix.x == 1"}), ["if", "no context 'matrix'"]),
        (job("true", **{"if": "hashFiles('a') == ''"}), ["if", "no function 'hashfiles'"]),
        (job({"run": "true", "continue-on-error": "yes"}), ["'yes' is neither"]),
        (job("true", continue_on_error="${{ github.ref }}"), ["is neither"]),
        (job("true", strategy={"matrix": {"x": [1]}}), ["not known here: strategy"]),
        (job("true", services={"db": {"image": "postgres:17"}}), ["not known here: services"]),
        (job("true", container="python"), ["not known here: container"]),
        (job("true", runs_on="windows-latest"), ["no windows-latest"]),
        (job("true", runs_on=["self-hosted", "macos-15"]), ["no macos-15"]),
        (job(["true"]), ["is not a mapping"]),
        ([], ["is not a mapping"]),
        (job("true", environment="${{ steps }}"), ["no context 'steps'"]),
        (job({"run": "true", "id": "1x"}), ["id '1x'"]),
        (job({"run": "true", "id": "x"}, {"run": "true", "id": "x"}), ["id 'x'"]),
        (job({"run": "true", "background": True}), ["not known here: background"]),
        (job({"run": "true", "uses": "a/b@v1"}), ["not known here: uses"]),
        (job({"name": "none"}), ["step none", "missing: uses"]),
        (job("true", step=[]), ["not known here: step"]),
        ({"steps": []}, ["missing: runs-on"]),
        (job("true", needs="b"), ["'b' is no other job"]),
        (job("true", needs="a"), ["'a' is no other job"]),
        (job("true", timeout_minutes=0), ["0 is no time"]),
        (job(uses("some/thing")), ["step some/thing@v1", "no action 'some/thing@v1'"]),
        (job({"uses": "actions/checkout"}), ["no ref"]),
        (job({"uses": "docker://alpine:3"}), ["no action 'docker://alpine:3'"]),
        (job("true", concurrency={"cancel-in-progress": True}), ["missing: group"]),
        (job("true", defaults={"run": {"shel": "bash"}}), ["not known here: shel"]),
        ({"uses": "./.github/workflows/a.yml"}, ["not known here: uses"]),
    ],
)
def test_slips_are_refused_with_their_place(made: Made, spec: Any, reasons: list[str]) -> None:
    refused(made, flow(a=spec), *reasons)


def test_slips_are_found_in_what_would_not_run(made: Made) -> None:
    never = {"if": False}
    refused(made, flow(a=job({**uses("some/thing"), **never}, **never)), "job a", "some/thing")
    refused(made, flow(a=job({"run": "x", "name": "${{ nothing }}"}, **never)), "no context")
    refused(made, flow("issues", a=job("x", needs="y")), "job a", "'y'")
    wrong = job("x", defaults={"run": {"shel": "sh"}}, **never)
    refused(made, flow(a=wrong), "job a", "shel")
    refused(made, flow(a=job("x"), defaults={"steps": {}}), "not known here: steps")


def test_a_step_sees_only_the_steps_before_it(made: Made) -> None:
    early = {"run": "true", "env": {"A": "${{ steps.late.outcome }}"}}
    refused(made, flow(a=job(early, {"run": "true", "id": "late"})), "no 'late'")


def test_an_output_that_a_needed_job_does_not_declare_is_a_slip(made: Made) -> None:
    late = job("true", needs="a", env={"A": "${{ needs.a.outputs.x }}"})
    refused(made, flow(a=job("true"), b=late), "job b", "no 'x'")


def test_an_expression_in_a_script_is_an_error_of_its_kind(made: Made) -> None:
    with pytest.raises(ExpressionInRun, match=r"flow\.yml: job a: step Greet: .*echo"):
        made.steps({"run": "echo ${{ github.ref }}", "name": "Greet", "if": False})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("on: push\non: push\n", "duplicate key"),
        ("- a", "not a mapping"),
        ("# nothing", "missing: jobs, on, permissions"),
        ("on: push\npermissions: {}\nenv: {A: 2026-01-01}\njobs: {}", "not JSON serializable"),
    ],
)
def test_what_is_no_workflow_is_refused(made: Made, text: str, reason: str) -> None:
    refused(made, text, reason)


# Actions


def test_a_checkout_is_shallow_and_holds_what_the_event_is_about(made: Made) -> None:
    made.write("data.txt", "first\n")
    first = made.head
    git(made.folder, "tag", "v1")
    made.write("data.txt", "second\n")
    look = "cat data.txt; git rev-list --count HEAD; git branch --show-current; git tag"
    folder = {"working-directory": "deep/er", "run": look}
    steps = [
        CHECKOUT,
        look,
        uses("actions/checkout", fetch_depth="0", path="deep/er"),
        folder,
        uses("actions/checkout", ref="v1", path="tag"),
        {**folder, "working-directory": "tag"},
        uses("actions/checkout", ref=first, path="sha"),
        {**folder, "working-directory": "sha"},
    ]
    outputs = [step.text.split() for step in made.steps(*steps).jobs["a"].steps.all]
    assert outputs[1] == ["second", "1", "main"]
    assert outputs[3] == ["second", "4", "main", "v1"]
    assert outputs[5] == ["first", "1", "v1"]
    assert outputs[7] == ["first", "1"]


def test_a_checkout_takes_away_what_was_there(made: Made) -> None:
    completed = made.steps("touch before", CHECKOUT, "ls", "touch after", CHECKOUT, "ls")
    assert completed.jobs["a"].steps[2].text == "data.txt\n"
    assert completed.jobs["a"].steps[5].text == "after\ndata.txt\n"


def test_a_checkout_keeps_its_token_only_if_asked(made: Made) -> None:
    look = {"run": "git config --get-regexp extraheader || echo none"}
    completed = made.steps(
        CHECKOUT, look, uses("actions/checkout", persist_credentials="false"), look
    )
    assert "AUTHORIZATION" in completed.jobs["a"].steps[1].text
    completed = made.steps(uses("actions/checkout", persist_credentials="false"), look)
    assert completed.jobs["a"].steps[1].text == "none\n"


@pytest.mark.parametrize(
    ("level", "inputs", "outcome"),
    [
        ("write", {}, "success"),
        ("read", {}, "failure"),
        ("write", {"persist_credentials": "false"}, "failure"),
    ],
)
def test_a_push_needs_the_permission_and_the_token(
    made: Made, level: str, inputs: dict[str, str], outcome: str
) -> None:
    push = "git push origin HEAD:refs/heads/new"
    steps = [uses("actions/checkout", **inputs), push]
    completed = made.run(flow("push", {"contents": level}, a=job(*steps)))
    assert completed.jobs["a"].steps[1].outcome == outcome
    assert ("new" in git(made.folder, "branch")) is (outcome == "success")


def test_a_commit_needs_an_author(made: Made) -> None:
    commit = "git commit --allow-empty -m x"
    named = f"git -c user.name=a -c user.email=a@b {commit.removeprefix('git ')}"
    completed = made.steps(CHECKOUT, named, commit)
    outcomes = [step.outcome for step in completed.jobs["a"].steps.all]
    assert outcomes == ["success", "success", "failure"]


def test_a_checkout_of_what_does_not_exist_fails(made: Made) -> None:
    completed = made.steps(uses("actions/checkout", ref="nowhere"))
    assert "'nowhere' could not be found" in completed.annotations[0]["message"]
    refused(made, flow(a=job(uses("actions/checkout", repository="a/b"))), "only the repository")
    refused(made, flow(a=job(uses("actions/checkout", lfs="true"))), "lfs are not emulated")


FILL = "cat kept/* ~/too/x 2>/dev/null || mkdir -p kept ~/too; echo $V | tee kept/x > ~/too/x"


def test_artifacts_go_from_job_to_job(made: Made) -> None:
    make = "mkdir -p out/in; echo 1 > out/in/x; echo 2 > out/.h; echo 3 > y; chmod +x y"
    up = [
        uses("actions/upload-artifact", "up", name="tree", path="out"),
        uses("actions/upload-artifact", name="star", path="out/**/x"),
        uses("actions/upload-artifact", name="file", path="y"),
        uses("actions/upload-artifact", name="two", path="out/in/x\ny\n!**/z"),
        uses("actions/upload-artifact", name="all", path="out", include_hidden_files="true"),
    ]
    down = [
        uses("actions/download-artifact", name="tree", path="got"),
        uses("actions/download-artifact", path="each", pattern="[ft]*"),
        uses("actions/download-artifact", path="flat", pattern="[sf]*", merge_multiple="true"),
        "find . -type f | sort; test ! -x each/file/y",
    ]
    completed = made.run(flow(a=job(make, *up), b=job(*down, needs="a")))
    assert completed.jobs["b"].steps[3].text.split() == [
        "./each/file/y",
        "./each/tree/in/x",
        "./each/two/out/in/x",
        "./each/two/y",
        "./flat/in/x",
        "./flat/y",
        "./got/in/x",
    ]
    assert completed.jobs["a"].steps["up"].outputs["artifact-id"] == "1"
    assert (completed.artifacts / "all/.h").read_text() == "2\n"
    assert completed.result == "success"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([uses("actions/download-artifact", name="x")], "not found for name: x"),
        ([uses("actions/upload-artifact", path="x", if_no_files_found="error")], "No files"),
        ([uses("actions/upload-artifact", name="a/b", path="x")], "not valid: a/b"),
        (["touch x", *[uses("actions/upload-artifact", path="x")] * 2], "already exists: artifact"),
    ],
)
def test_artifacts_fail_as_on_the_platform(made: Made, steps: list[Any], message: str) -> None:
    completed = made.steps(*steps)
    assert completed.result == "failure"
    assert message in completed.annotations[-1]["message"]


def test_an_artifact_of_nothing_is_only_a_warning(made: Made) -> None:
    completed = made.steps(uses("actions/upload-artifact", path="x"))
    assert (completed.result, completed.annotations[0]["kind"]) == ("success", "warning")


def test_actions_of_others_are_given_by_the_caller(made: Made) -> None:
    def greet(use: Use) -> None:
        (use.workspace / "hello").write_text(use.inputs["who"])
        use.outputs["said"] = use.environment["WORD"]
        use.exported["NEW"] = "new"
        use.log.append("::notice::hello")
        if use.inputs["who"] == "nobody":
            raise Failed("nobody is here")

    step = {**uses("some/one", "g", who="${{ 1 == 1 }}"), "env": {"WORD": "hi"}}
    look = {"run": "cat hello; echo /$NEW/$S", "env": {"S": "${{ steps.g.outputs.said }}"}}
    completed = made.steps(step, look, actions={"some/one": greet})
    assert completed.jobs["a"].steps[1].text == "true/new/hi\n"
    assert completed.annotations == [{"kind": "notice", "message": "hello"}]
    completed = made.steps(
        uses("some/one", who="nobody"), environment={"WORD": ""}, actions={"some/one": greet}
    )
    assert completed.annotations[-1] == {"kind": "error", "message": "nobody is here"}


ACTION: dict[str, Any] = {
    "name": "Set up",
    "inputs": {
        "kind": {"description": "?", "default": "plain"},
        "who": {"required": True},
        "ref": {"default": "${{ github.ref_name }}"},
    },
    "outputs": {"said": {"value": "${{ steps.say.outputs.said }} ${{ inputs.kind }}"}},
    "runs": {
        "using": "composite",
        "steps": [
            {
                "id": "say",
                "shell": "bash",
                "run": 'echo "said=$W $OUTER $R" >> $GITHUB_OUTPUT; echo NEXT=1 >> $GITHUB_ENV',
                "env": {"W": "${{ inputs.who }}", "R": "${{ inputs.ref }}"},
            },
            {
                "shell": "sh",
                "run": "echo $N; ls $GITHUB_ACTION_PATH",
                "env": {"N": "${{ env.NEXT }}"},
            },
            {"shell": "bash", "run": "false", "if": "inputs.who == 'nobody'", "name": "bad"},
            {"shell": "bash", "run": "echo after", "if": "${{ failure() }}"},
        ],
    },
}
LOCAL = {"uses": "./.github/actions/set-up", "id": "up", "env": {"OUTER": "outer"}}


def test_an_action_of_the_repository_runs_its_steps(made: Made) -> None:
    made.write(".github/actions/set-up/action.yml", ACTION)
    shown = {"run": "echo $S/$NEXT$OUTER", "env": {"S": "${{ steps.up.outputs.said }}"}}
    completed = made.steps(CHECKOUT, {**LOCAL, "with": {"who": "me"}}, shown)
    step = completed.jobs["a"].steps["up"]
    assert step.text == "1\naction.yml\n"
    assert [inner.outcome for inner in step.steps.all] == ["success"] * 2 + ["skipped"] * 2
    assert completed.jobs["a"].steps[2].text == "me outer main plain/1\n"


def test_an_action_fails_with_its_steps(made: Made) -> None:
    made.write(".github/actions/set-up/action.yml", ACTION)
    completed = made.steps(CHECKOUT, {**LOCAL, "with": {"who": "nobody"}}, "true")
    step = completed.jobs["a"].steps["up"]
    assert [inner.outcome for inner in step.steps.all][2:] == ["failure", "success"]
    assert (step.outcome, completed.jobs["a"].steps[2].outcome) == ("failure", "skipped")


def test_an_action_is_where_the_checkout_put_it(made: Made) -> None:
    made.write(".github/actions/set-up/action.yml", ACTION)
    completed = made.steps({**LOCAL, "with": {"who": "me"}})
    assert "is it checked out?" in completed.annotations[0]["message"]


def test_time_runs_out_for_an_action(made: Made) -> None:
    sleep = {"run": "sleep 20", "shell": "bash"}
    slow = {"name": "Slow", "runs": {"using": "composite", "steps": [sleep]}}
    made.write("slow/action.yml", slow)
    completed = made.steps(CHECKOUT, {"uses": "./slow", "timeout-minutes": 1}, minute=0.3)
    assert completed.jobs["a"].steps[1].outcome == "failure"


@pytest.mark.parametrize(
    ("change", "arguments", "reason"),
    [
        ({}, {}, "missing: who"),
        ({}, {"who": "me", "what": "x"}, "not known here: what"),
        ({"using": "node20", "main": "x.js"}, {"who": "me"}, "not known here: main"),
        ({"steps": [{"run": "true"}]}, {"who": "me"}, "name its shell"),
        ({"steps": [{"run": "${{ 1 }}", "shell": "sh"}]}, {"who": "me"}, "expression in run"),
        ({"steps": [{"run": "x", "shell": "${{ inputs.x }}"}]}, {"who": "me"}, "no 'x'"),
        ({"steps": [{"uses": "./a", "if": "secrets.A"}]}, {"who": "me"}, "context 'secrets'"),
    ],
)
def test_slips_of_and_in_an_action_are_refused(
    made: Made, change: dict[str, Any], arguments: dict[str, str], reason: str
) -> None:
    made.write(".github/actions/set-up/action.yml", ACTION | {"runs": ACTION["runs"] | change})
    refused(made, flow(a=job({**LOCAL, "with": arguments, "if": False})), "job a", "set-up", reason)


def test_an_output_that_an_action_does_not_have_is_a_slip(made: Made) -> None:
    made.write(".github/actions/set-up/action.yml", ACTION)
    shown = {"run": "true", "env": {"S": "${{ steps.up.outputs.sad }}"}}
    refused(made, flow(a=job({**LOCAL, "with": {"who": "me"}}, shown)), "no 'sad'")


# Workflows that call workflows

CALLED = ".github/workflows/called.yml"
ON_CALL: dict[str, Any] = {
    "inputs": {
        "count": {"type": "number", "required": True},
        "dry": {"type": "boolean", "default": "${{ github.ref_name == 'main' }}"},
        "note": {"type": "string"},
    },
    "secrets": {"KEY": {"required": True}, "OTHER": {"required": False}},
    "outputs": {"sum": {"value": "${{ jobs.in.outputs.sum }}!"}},
}


SECRETS = {"KEY": "abc", "OTHER": "12345"}
