"""What `deploy/deploy` asks of `docker`, done with processes: a stand-in for a container engine.

`images.json` beside this state says what there is: by name, its id, labels and command. A
container is a process; `containers.json` knows it by the name of its Compose project.
"""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("ENGINE_STATE", "."))


def find_image(name: str) -> dict[str, Any] | None:
    """An image by its name or id."""
    images = json.loads((STATE / "images.json").read_text())
    matches = [image for image in images if name in (image["name"], image["id"])]
    return matches[0] if matches else None


def containers() -> dict[str, Any]:
    file = STATE / "containers.json"
    return json.loads(file.read_text()) if file.exists() else {}


def keep(current: dict[str, Any]) -> None:
    (STATE / "containers.json").write_text(json.dumps(current))


def end(pid: int) -> None:
    """Stop a process that was started here, and wait until its port is free."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(200):
            state = Path(f"/proc/{pid}/stat")
            if not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z":
                return
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)


def remove(project: str) -> None:
    current = containers()
    if project in current:
        end(current.pop(project)["pid"])
    keep(current)


def compose(project: str, verb: str, words: list[str]) -> int:
    """`docker compose --project-name PROJECT VERB ... service`."""
    assert words[-1] == "service", words
    if verb == "ps" and project in containers():
        print(project)
    if verb == "rm":
        remove(project)
    if verb == "up":
        assert os.environ["POSTGRES_PASSWORD"], "compose.yaml asks for it whatever is started"
        remove(project)
        image = find_image(os.environ["IMAGE"])
        assert image is not None
        port = os.environ["SERVICE_PORT"]
        with (STATE / "log").open("a") as log:
            process = subprocess.Popen(
                [*image["command"], "--port", port], cwd=image["folder"], stdout=log, stderr=log,
                env=os.environ | {"PYTHONPATH": f"{image['folder']}/src"}, start_new_session=True,
            )  # fmt: skip
        keep(containers() | {project: {"image": image["id"], "pid": process.pid}})
    return 0


def main(words: list[str]) -> int:
    """Do what the words say, as far as `deploy/deploy` says them."""
    with (STATE / "asked").open("a") as journal:
        journal.write(" ".join(words) + "\n")
    if words[:2] == ["compose", "--project-name"]:
        return compose(words[2], words[3], words[4:])
    if words[:2] == ["image", "inspect"]:
        if (image := find_image(words[2])) is None:
            return 1
        print(json.dumps([{"Id": image["id"], "Config": {"Labels": image["labels"]}}]))
        return 0
    if words[0] == "inspect":
        print(json.dumps([{"Image": containers()[words[1]]["image"]}]))
        return 0
    print(f"no such image: {words}", file=sys.stderr)
    return 1


def stand_in(champion: str, port: int) -> None:
    """A service that says at once that it is ready."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"status": "ready", "champion": champion}).encode())

    HTTPServer(("127.0.0.1", port), Answer).serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "stand-in":
        stand_in(sys.argv[2], int(sys.argv[4]))
    sys.exit(main(sys.argv[1:]))
