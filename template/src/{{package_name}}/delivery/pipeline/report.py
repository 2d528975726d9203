"""Stage `report`: everything above for people, in Markdown and as one HTML file."""

import polars as pl

from ..edge.brief import read_brief
from ..edge.errors import run
from ..edge.files import parse_paths, read_json, require_file, write_text
from ..problem import outcomes
from ..reporting.sections import NAMES, build_sections, render_markdown, render_page
from ..verdict.decision import read_decision


def main(argv: list[str] | None = None) -> int:
    """Read what the stages wrote, write `report.md` and `report.html`."""
    folder, card, as_markdown, as_html = parse_paths(
        argv, __doc__, "reports", "card", "markdown", "html"
    )
    brief = outcomes.require_prices(read_brief(folder / "brief.json"))
    decision = read_decision(folder / "decision.json")
    reports = {name: read_json(folder / f"{name}.json") for name in NAMES}
    calibration, value = (
        pl.read_csv(require_file(folder / "plots" / name))
        for name in ("calibration.csv", "value.csv")
    )
    parts = build_sections(brief, decision, reports, read_json(card), calibration, value)
    write_text(render_markdown(parts), as_markdown)
    write_text(render_page(parts, decision.verdict), as_html)
    return 0


if __name__ == "__main__":
    run(main)
