"""`deliver.yml` from the verdict to production, as the platform would run it."""

import json
import re
import shutil

from ..champion.conftest import blocks, champions, started
from ..champion.test_promoting import AGAINST, another
from ..made import git, passes
from .conftest import MODEL, nearest
from .platforms import Platform, platform, read_output
from .runner import Completed
from .triggers import Event

__all__ = ["champions", "platform", "started"]


def results(completed: Completed) -> dict[str, str]:
    return {name: job.result for name, job in completed.jobs.items()}


def test_a_fresh_repository_is_green_and_says_how_to_have_a_release(platform: Platform) -> None:
    completed = platform.run(Event("push"))
    assert completed.result == "success", read_output(completed.jobs["release"])
    assert results(completed)["image"] == "skipped"
    assert "Not released" in completed.summary
    assert "storage=s3" in completed.summary
    assert platform.pulls == []


def test_a_better_model_is_proposed_merged_built_tried_and_deployed(  # noqa: PLR0915 (one story)
    platform: Platform,
) -> None:
    platform.share()
    before = platform.repository.state()
    completed = platform.run(Event("push"))
    assert completed.result == "success", read_output(completed.jobs["release"])
    assert results(completed) == {
        "release": "success",
        **dict.fromkeys(("image", "attest", "staging", "production"), "skipped"),
    }
    assert platform.repository.state() == before  # main takes no pushes
    (pull,) = platform.pulls
    assert pull["head"] == "release/champion-1"
    assert "close this pull request and reopen it" in pull["body"]
    assert "Its pull request" in completed.summary

    tip = platform.repository.git("rev-parse", "release/champion-1")
    completed = platform.run(Event("push"), {"RELEASE_TOKEN": "of-the-team"})
    assert platform.repository.git("rev-parse", "release/champion-1") == tip  # approvals stay
    assert len(platform.pulls) == 1
    assert "reopen" not in platform.pulls[0]["body"]

    platform.merge("release/champion-1")
    merged = platform.repository.git("rev-parse", "HEAD")
    (platform.repository.folder / "note.md").write_text("Something else.\n")
    platform.repository.commit("Note")
    assert platform.engine == ""
    completed = platform.run(Event("push"), DEPLOY="yes")
    assert completed.result == "success", read_output(*completed.jobs.values())
    # A private repository, and nobody said otherwise.
    assert results(completed)["attest"] == "skipped"
    assert platform.repository.git("rev-parse", "champion-1^{commit}") == merged
    assert platform.engine == "login pull build run run push image login login"
    image = "ghcr.io/acme/project:champion-1@sha256:"
    assert [line.split("sha256:")[0] for line in platform.deployed] == [
        f"staging {image.removesuffix('sha256:')}",
        f"production {image.removesuffix('sha256:')}",
    ]
    assert (completed.jobs["staging"].environment, completed.jobs["production"].environment) == (
        "staging",
        "production",
    )
    assert re.search(r"champion-1 answers \d+ canary rows", read_output(completed.jobs["image"]))
    bom = json.loads((completed.artifacts / "sbom-champion-1/sbom.json").read_text())
    assert {"fastapi", "scikit-learn"} <= {part["name"] for part in bom["components"]}
    assert "mlflow" not in {part["name"] for part in bom["components"]}

    shutil.rmtree(platform.folder / "engine/local")
    completed = platform.run(
        Event("workflow_dispatch", {"inputs": {"again": "champion-1", "rollback": "false"}})
    )
    assert completed.result == "success", read_output(*completed.jobs.values())
    assert platform.engine == "login pull run run image"  # the bytes that ran before
    assert results(completed)["staging"] == "skipped"
    assert "is pushed and not deployed" in completed.summary

    state = platform.repository.state()
    completed = platform.run(
        Event("workflow_dispatch", {"inputs": {"again": "", "rollback": "true"}})
    )
    assert completed.result == "success", read_output(completed.jobs["release"])
    assert results(completed)["image"] == "skipped"  # the rule has none yet
    assert "built once its pull request is merged" in completed.summary
    assert platform.pulls[-1]["head"] == "release/rollback-1"
    assert platform.repository.state() == state
    platform.merge("release/rollback-1")
    completed = platform.run(Event("push"), ATTEST="yes")
    assert completed.result == "success", read_output(*completed.jobs.values())
    assert platform.engine == "login pull build run run push image login"
    assert results(completed)["attest"] == "success"
    assert "the rule answers" in read_output(completed.jobs["image"])
    completed = platform.run(Event("push"))
    assert "The challenger is champion-1, which was rolled back" in completed.summary


def test_a_rollback_deploys_the_image_of_before_at_once(platform: Platform) -> None:
    repository = platform.repository
    platform.share()
    passes(repository.run("churn", "promote"), "champion-1: ")
    another(repository)
    passes(repository.run("churn", "promote", *AGAINST), "champion-2: ")
    inputs = {"again": "champion-1", "rollback": "false"}
    completed = platform.run(Event("workflow_dispatch", {"inputs": inputs}))
    output = read_output(completed.jobs["image"])
    assert "not judged: the champion is on one machine. Next: " in output
    assert platform.engine == ""
    passes(repository.run("dvc", "push", "--all-tags"))
    completed = platform.run(Event("workflow_dispatch", {"inputs": inputs}))
    assert completed.result == "success", read_output(*completed.jobs.values())
    assert platform.engine == "login pull build run run push image"
    state = repository.state()
    inputs = {"again": "", "rollback": "true"}
    completed = platform.run(Event("workflow_dispatch", {"inputs": inputs}), DEPLOY="yes")
    assert completed.result == "success", read_output(*completed.jobs.values())
    assert platform.engine == "login pull run run image login login"
    assert "champion-1 is deployed again." in completed.summary
    assert [line.partition("@")[0] for line in platform.deployed] == [
        "staging ghcr.io/acme/project:champion-1",
        "production ghcr.io/acme/project:champion-1",
    ]
    (pull,) = platform.pulls
    assert pull["head"] == "release/rollback-1"
    assert repository.state() == state
    platform.merge("release/rollback-1")
    passes(repository.run("dvc", "checkout"))
    repository.settled()


def test_a_main_that_no_longer_ships_closes_its_pull_request(platform: Platform) -> None:
    repository = platform.repository
    platform.share()
    assert platform.run(Event("push")).result == "success"
    path = repository.folder / MODEL
    path.write_text(nearest(path.read_text(encoding="utf-8")), encoding="utf-8")
    passes(repository.run("dvc", "repro"))
    repository.commit("The nearest neighbour")
    branch = "release/champion-1"
    ours = repository.git("rev-parse", branch)
    words = ("commit-tree", f"{branch}^{{tree}}", "-p", branch, "-m", "Theirs")
    theirs = git(repository.folder, "-c", "user.email=s@e.org", *words).strip()
    repository.git("update-ref", f"refs/heads/{branch}", theirs)
    completed = platform.run(Event("push"))
    assert completed.result == "success", read_output(completed.jobs["release"])
    assert platform.pulls[0]["state"] == "open"  # somebody else has pushed to it
    repository.git("update-ref", f"refs/heads/{branch}", ours)
    completed = platform.run(Event("push"))
    assert completed.result == "success", read_output(completed.jobs["release"])
    assert "The pull request of release/champion-1 is closed." in completed.summary
    assert "Nothing to release. Hold: " in completed.summary
    (pull,) = platform.pulls
    assert pull["state"] == "closed"
    assert "Main changed. Hold: " in pull["comment"]


def test_every_command_of_the_page_is_accounted_for() -> None:
    counts = {heading: len(lines) for heading, lines in blocks("delivery.md").items()}
    assert counts == {
        "From the verdict to production": 1,  # here, and test_proposals.py
        "Roll back": 2,  # here
        "Retrain": 3,  # test_scheduled.py
        "Update the template": 1,  # test_scheduled.py
        "For an organisation": 1,  # rendering/test_workflows.py
    }
