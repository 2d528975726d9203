"""The style of the report's page, apart from what draws and writes it."""

from pathlib import Path


def read_style() -> str:
    """The style sheet of the page."""
    return Path(__file__).with_name("report.css").read_text(encoding="utf-8")
