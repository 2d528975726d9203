"""Secrets in the history and advisories of libraries, each found once and excused until a day."""

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from ..made import UV, Completed, git
from .conftest import Checked

TOKEN = "ghp_" + "a1B2" * 9  # in two parts, so that scanners pass this file
OPEN = "CVE-2025-69872"
ADVISORY = {  # as OSV tells it; the id and its alias: github/advisory-database pull request 6927
    "id": "GHSA-w8v5-vhqr-4h9v",
    "aliases": [OPEN],
    "modified": "2026-02-17T00:00:00Z",
    "published": "2026-02-11T00:00:00Z",
    "summary": "DiskCache has unsafe pickle deserialization",
    "affected": [
        {
            "package": {"ecosystem": "PyPI", "name": "diskcache"},
            "ranges": [
                {
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "0"}, {"last_affected": "5.6.3"}],
                }
            ],
        }
    ],
}
EXCEPTIONS = ".github/exceptions.toml"


def churn(repository: Checked, *words: str) -> Completed:
    return repository.run(UV, "run", "--frozen", "churn", *words)


def says(completed: Completed, code: int, *words: str) -> None:
    """Ends with this code, and the sentence is where this code puts it."""
    assert completed.returncode == code, completed
    text = completed.stderr if code == 2 else completed.stdout
    assert "Traceback" not in completed.stderr
    for word in words:
        assert word in text, completed


def commit(repository: Checked, name: str, content: str) -> None:
    repository.write(name, content)
    git(repository.folder, "add", "--all")
    git(repository.folder, "commit", "--no-verify", "--quiet", "--message", name)


def except_(repository: Checked, name: str, until: str) -> None:
    entry = f'[[exception]]\nid = "{name}"\nbecause = "revoked"\nuntil = {until}\n'
    repository.append(EXCEPTIONS, entry)


# --- Secrets -------------------------------------------------------------------------------------


def test_a_repository_as_rendered_has_no_secret(generated: Checked) -> None:
    says(churn(generated, "secrets"), 0, "No secret in 1 commits.")


def test_a_secret_that_was_taken_out_again_is_found_and_not_shown(generated: Checked) -> None:
    commit(generated, "docs/access.md", f"Use this:\n{TOKEN}\n")
    commit(generated, "docs/access.md", "Ask Ann.\n")
    commit(generated, "docs/more.md", "More.\n")
    completed = churn(generated, "secrets")
    says(
        completed,
        1,
        "docs/access.md:2 (commit ",
        "found a secret, GitHub Token, secret-",
        "revoke it",
    )
    assert TOKEN not in completed.stdout + completed.stderr
    says(churn(generated, "secrets", "--against", "HEAD~1"), 0, "No secret in 1 commits.")
    says(churn(generated, "secrets", "--against", "first"), 1, "docs/access.md:2")


def test_a_secret_that_only_a_merge_brought_is_found(generated: Checked) -> None:
    git(generated.folder, "checkout", "--quiet", "-B", "other")
    commit(generated, "docs/other.md", "Other.\n")
    git(generated.folder, "checkout", "--quiet", "-B", "mine", "first")
    commit(generated, "docs/mine.md", "Mine.\n")
    git(generated.folder, "merge", "--quiet", "--no-commit", "other")
    commit(generated, "docs/mine.md", f"{TOKEN}\n")
    try:
        says(churn(generated, "secrets", "--against", "first"), 1, "docs/mine.md:1", "GitHub Token")
    finally:
        git(generated.folder, "checkout", "--quiet", "-B", "main", "first")


def test_a_password_in_the_shared_settings_of_dvc_is_found_before_the_commit(
    generated: Checked,
) -> None:
    generated.append(".dvc/config", "    secret_access_key = kEy9kEy8kEy7kEy6\n")
    completed = generated.check("secrets")
    assert completed.returncode == 1
    assert ".dvc/config:" in completed.stdout


def test_a_secret_is_excused_until_a_day_and_only_there(generated: Checked) -> None:
    new = ("secrets", "--against", "first")
    commit(generated, "docs/access.md", f"{TOKEN}\n")
    name = re.search(r"secret-\w{12}", churn(generated, *new).stdout)
    assert name is not None
    before = (generated.folder / EXCEPTIONS).read_text()
    except_(generated, name[0], "2999-01-31")
    says(churn(generated, *new), 0)
    commit(generated, "docs/more.md", f"{TOKEN}\n")
    says(churn(generated, *new), 1, "docs/more.md:1")
    generated.write(EXCEPTIONS, before)
    except_(generated, name[0], "2026-01-31")
    says(churn(generated, *new), 1, f"{name[0]} was excused until 2026-01-31: revoked")


def test_a_history_that_was_cut_off_is_not_judged(generated: Checked) -> None:
    commit(generated, "docs/more.md", "More.\n")
    cut = generated.folder / ".git/shallow"
    cut.write_text(git(generated.folder, "rev-parse", "HEAD"))
    try:
        says(churn(generated, "secrets"), 2, "git fetch --unshallow")
    finally:
        cut.unlink()
    says(churn(generated, "secrets", "--against", "nowhere"), 2, "nowhere")


# --- Advisories ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A service on this machine that answers as OSV does: it knows one advisory."""

    class Osv(BaseHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

        def answer(self, reply: Any) -> None:
            content = json.dumps(reply).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            advisories = {"vulns": [{"id": ADVISORY["id"], "modified": ADVISORY["modified"]}]}
            names = [query["package"]["name"] for query in request["queries"]]
            self.answer({"results": [advisories if name == "diskcache" else {} for name in names]})

        def do_GET(self) -> None:
            self.answer(ADVISORY)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def test_what_is_excused_passes_until_its_day(generated: Checked, service: str) -> None:
    audit = ("audit", "--service-url", service)
    says(churn(generated, *audit), 0, "no known vulnerabilities")
    text = (generated.folder / EXCEPTIONS).read_text()
    generated.write(EXCEPTIONS, re.sub(r"until = \S+", "until = 2026-01-31", text))
    says(churn(generated, *audit), 1, "diskcache", f"{OPEN} was excused until 2026-01-31", "Next:")


def test_what_nobody_excused_is_red(generated: Checked, service: str) -> None:
    (generated.folder / EXCEPTIONS).unlink()
    completed = churn(generated, "audit", "--service-url", service)
    says(completed, 1, "diskcache 5.6.3 has 1 known vulnerability", str(ADVISORY["id"]))


def test_a_service_that_does_not_answer_is_never_a_pass(generated: Checked, nobody: str) -> None:
    words = ("churn", "audit", "--service-url", f"http://{nobody}/")
    completed = generated.run("env", "UV_HTTP_RETRIES=0", UV, "run", "--frozen", *words)
    says(completed, 2, "Nothing was judged")


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ('[[exception]]\nid = "A"\nbecause = "b"\n', "`until`"),
        ('[[exception]]\nid = "A"\nbecause = "b"\nuntil = "soon"\n', "`until`"),
        ('[[exception]]\nid = "A"\nbecause = " "\nuntil = 2999-01-31\n', "`because`"),
        ('[[exception]]\nid = "A"\nbecause = "b"\nuntil = 2999-01-31\nwho = "me"\n', "who"),
        ('ignore = ["A"]\n', "[[exception]] and nothing else"),
        ("[[exception\n", "expected TOML"),
    ],
)
def test_an_exception_needs_a_reason_and_a_day(generated: Checked, entry: str, words: str) -> None:
    generated.write(EXCEPTIONS, entry)
    says(churn(generated, "secrets"), 2, EXCEPTIONS, words)
