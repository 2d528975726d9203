"""Stage `brief`: the brief, checked, as JSON for the stages after it."""

from ..edge.brief import BriefError, read
from ..edge.errors import Fixable, run
from ..edge.files import paths, write_json


def main(argv: list[str] | None = None) -> int:
    """Read `project-brief.md`, write `reports/brief.json` with the words of each section."""
    path, report = paths(argv, __doc__, "brief", "report")
    try:
        brief, sections = read(path)
    except BriefError as error:
        raise Fixable(str(error)) from None
    words = {heading: len(text.split()) for heading, text in sections.items()}
    write_json(brief.model_dump(mode="json") | {"sections": words}, report)
    return 0


if __name__ == "__main__":
    run(main)
