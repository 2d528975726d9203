"""Stage `brief`: the brief, checked, as JSON for the stages after it."""

from ..edge.errors import run
from ..edge.files import parse_paths, write_json
from ..problem.brief import read_known_brief


def main(argv: list[str] | None = None) -> int:
    """Read `project-brief.md`, write `reports/brief.json` with the words of each section."""
    path, report = parse_paths(argv, __doc__, "brief", "report")
    brief, sections = read_known_brief(path)
    words = {heading: len(text.split()) for heading, text in sections.items()}
    write_json(brief.model_dump(mode="json") | {"sections": words}, report)
    return 0


if __name__ == "__main__":
    run(main)
