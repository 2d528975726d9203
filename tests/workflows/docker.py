#!/usr/bin/env python3
"""What stands for the container engine and a registry in tests of workflows: an image is a folder.

It knows the commands of `deliver.yml` and refuses everything else with exit code 64. What the
Dockerfile asks before it makes an image, that the champion is the one of the commit, is asked here
too, and `run --detach` starts the real service.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

KEPT = Path(os.environ.get("DOCKER_KEPT", ""))
PACKAGE = os.environ.get("DOCKER_PACKAGE", "")
PARTS = ("src", "models", "project-brief.md", "dvc.lock")


def place(side: str, image: str) -> Path:
    """The folder of an image: without a colon, which would end a path in PYTHONPATH."""
    return KEPT / side / image.replace("/", "%2F").replace(":", "%3A")


def log(words: list[str]) -> None:
    with (KEPT / "log").open("a") as file:
        file.write(" ".join(words) + "\n")


def digest(image: str) -> str:
    return "sha256:" + hashlib.sha256((place("local", image) / "made").read_bytes()).hexdigest()


def build(words: list[str]) -> int:
    arguments = dict(word.split("=", 1) for word in words if "=" in word)
    env = os.environ | {"PYTHONPATH": "src"}
    command = [
        "uv",
        "run",
        "python",
        "-m",
        f"{PACKAGE}.delivery.service.built_in",
        arguments["VERSION"],
    ]
    if (completed := subprocess.run(command, env=env, check=False)).returncode:
        return completed.returncode
    folder = place("local", words[words.index("--tag") + 1])
    for part in PARTS:
        source, target = Path(part), folder / part
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    export = next(
        line for line in Path("Dockerfile").read_text().split("&&") if "uv export" in line
    )
    line = export.split("\n\n")[0].replace("\\\n", " ").partition("\nWORKDIR")[0].splitlines()[0]
    line = line.replace("/opt/uv/bin/uv", "uv").replace(
        "/opt/service/sbom.json", f"{folder}/sbom.json"
    )
    subprocess.run(line, shell=True, check=True)
    (folder / "made").write_text(f"{time.time_ns()} {arguments}")
    return 0


def start(image: str, published: str) -> int:
    folder = place("local", image)
    address, _, inside = published.rpartition(":")
    assert inside == "8000", published  # where the image listens, which has that port to itself
    words = ["uv", "run", "python", "-m", f"{PACKAGE}.delivery.cli", "serve"]
    words += ["--port", address.rpartition(":")[2]]
    env = os.environ | {"PYTHONPATH": str(folder / "src")}
    project = ["--project", str(Path.cwd())]
    with (KEPT / "service.log").open("a") as file:
        subprocess.Popen(
            [*words[:2], *project, *words[2:]], cwd=folder, env=env, stdout=file, stderr=file
        )
    return 0


def main(words: list[str]) -> int:  # noqa: PLR0911 (one answer each)
    """Do it as Docker would."""
    log(words)
    match words:
        case ["login", "ghcr.io", "--username", _, "--password-stdin"]:
            return 0 if sys.stdin.read().strip() else 1
        case ["pull", "--quiet", image]:
            if not place("registry", image).exists():
                print(f"Error response from daemon: {image}: not found", file=sys.stderr)
                return 1
            shutil.copytree(place("registry", image), place("local", image), dirs_exist_ok=True)
            return 0
        case ["build", *_]:
            return build(words)
        case ["run", "--rm", "--entrypoint", "cat", image, "/opt/service/sbom.json"]:
            print((place("local", image) / "sbom.json").read_text())
            return 0
        case ["run", "--detach", *_, "--publish", published, image]:
            return start(image, published)
        case ["push", "--quiet", image]:
            shutil.copytree(place("local", image), place("registry", image), dirs_exist_ok=True)
            return 0
        case ["image", "inspect", "--format", shown, image]:
            assert shown == 'digest={{index (split (index .RepoDigests 0) "@") 1}}', shown
            print(f"digest={digest(image)}")
            return 0
    print(f"docker: not known here: {words}", file=sys.stderr)
    return 64


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
