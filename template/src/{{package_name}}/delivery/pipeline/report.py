"""Stage `report`: everything above for people, in Markdown and as one HTML file."""

import polars as pl

from ..edge.errors import run
from ..edge.files import paths, present, read_json, write_text
from ..reporting.sections import NAMES, markdown, page, sections


def main(argv: list[str] | None = None) -> int:
    """Read what the stages wrote, write `report.md` and `report.html`."""
    folder, card, as_markdown, as_html = paths(argv, __doc__, "reports", "card", "markdown", "html")
    reports = {name: read_json(folder / f"{name}.json") for name in NAMES}
    curves = [folder / "plots" / name for name in ("calibration.csv", "value.csv")]
    parts = sections(
        reports | {"card": read_json(card)}, *(pl.read_csv(present(path)) for path in curves)
    )
    write_text(markdown(parts), as_markdown)
    write_text(page(parts, reports["decision"]["verdict"]), as_html)
    return 0


if __name__ == "__main__":
    run(main)
