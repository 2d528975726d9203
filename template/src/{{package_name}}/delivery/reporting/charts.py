"""Charts as SVG text that goes straight into a page: the same figures are the same text.

Colours are names that the page's style sheet fills in, so charts follow light, dark and print.
"""

import html
import io
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, FuncFormatter

from ..problem.words import format_number

WIDTH = 5.6  # inches of 72 units: near the width of a phone, so that text stays readable there
TONES = "card ink quiet line rule champion challenger holds unclear violated too-few"
COLOURS = {tone: f"#0000{number:02x}" for number, tone in enumerate(TONES.split(), start=1)}
MARKERS = {"rule": "s", "champion": "D", "violated": "X"}
DASHES = {"rule": (0, (4, 2)), "champion": (0, (1, 1.2))}
STYLE: Any = {  # keys are plain text in older releases of matplotlib, literals in newer ones
    "svg.fonttype": "none",
    "svg.hashsalt": "report",
    "font.size": 10.5,
    "axes.unicode_minus": False,
    "axes.edgecolor": COLOURS["line"],
    "axes.labelcolor": COLOURS["quiet"],
    "axes.titlecolor": COLOURS["ink"],
    "axes.titlelocation": "left",
    "axes.titlesize": 10.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "text.color": COLOURS["ink"],
    "text.parse_math": False,
    "xtick.color": COLOURS["line"],
    "ytick.color": COLOURS["line"],
    "xtick.labelcolor": COLOURS["quiet"],
    "ytick.labelcolor": COLOURS["ink"],
    "figure.constrained_layout.h_pad": 0.08,
    "figure.constrained_layout.w_pad": 0.06,
    "grid.color": COLOURS["line"],
    "grid.linewidth": 0.6,
}


class Dot(NamedTuple):
    """One estimate with its interval; no bounds where there are too few units to tell."""

    label: str
    tone: str
    estimate: float | None
    lower: float | None
    upper: float | None
    note: str = ""


class Panel(NamedTuple):
    """Dots on one axis, of shares or of other numbers; `limit` is what must not be crossed."""

    title: str
    dots: Sequence[Dot]
    share: bool
    limit: float | None = None


def draw_gain(sentence: str, dot: Dot, marks: Sequence[tuple[float, str]], unit: str) -> str:
    """Draw the gain with its interval against zero; `marks` are further places with their names."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 1.85), layout="constrained")
        axes = figure.subplots()
        _draw_dots(axes, [dot._replace(note="")])
        box = {"facecolor": COLOURS["card"], "linewidth": 0, "pad": 1}
        axes.annotate(dot.note, (dot.estimate or 0, 0), (0, 9), textcoords="offset points",
                      ha="center", weight="bold", color=COLOURS[dot.tone], bbox=box)  # fmt: skip
        for place, name in [(0.0, "no gain"), *marks]:
            colour = COLOURS["quiet" if place else "ink"]
            axes.axvline(place, color=colour, linewidth=1.2, linestyle="--" if place else "-")
            side, away = ("right", -4) if place < 0 else ("left", 4)
            axes.annotate(name, (place, 1.75 if place else 1.2), (away, 0), ha=side, va="center",
                          textcoords="offset points", fontsize=9.5, color=colour)  # fmt: skip
        axes.set_ylim(-0.6, 2.1)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.12)
        axes.xaxis.set_major_formatter(_format_numbers(share=False))
        axes.set_xlabel(unit)
        return _write_svg(figure, "gain", sentence)


def draw_panels(name: str, sentence: str, panels: Sequence[Panel], columns: int = 1) -> str:
    """Draw small charts: the first takes the whole width, the others stand `columns` to a row."""
    with rc_context(STYLE):
        rows = [panels[:1], *(panels[k : k + columns] for k in range(1, len(panels), columns))]
        tall = [max(len(panel.dots) for panel in row) for row in rows]
        height = sum(0.72 + 0.235 * number for number in tall)
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        ratios = [1.4 + number for number in tall]
        grid = figure.add_gridspec(len(rows), columns, height_ratios=ratios)
        for y, row in enumerate(rows):
            for x, panel in enumerate(row):
                axes = figure.add_subplot(grid[y, x if y else slice(None)])
                _draw_dots(axes, panel.dots)
                axes.set_title(panel.title)
                axes.margins(x=0.1)
                axes.xaxis.set_major_formatter(_format_numbers(share=panel.share))
                axes.locator_params(axis="x", nbins=4 if y and columns > 1 else 6)
                if panel.limit is not None:
                    axes.axvline(panel.limit, color=COLOURS["ink"], linewidth=1.2)
                if x:
                    axes.set_yticklabels([])
        return _write_svg(figure, name, sentence)


def draw_map(name: str, sentence: str, dots: Sequence[Dot], labels: tuple[str, str]) -> str:
    """Draw dots side by side against zero, each in its tone, and what each tone says at the top."""
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=True, axis="y")
        axes.axhline(0, color=COLOURS["ink"], linewidth=1.2)
        seen = set()
        for place, dot in enumerate(dots):
            colour = COLOURS[dot.tone]
            if dot.lower is not None and dot.upper is not None:
                axes.plot([place, place], [dot.lower, dot.upper], color=colour, linewidth=2.2,
                          solid_capstyle="round")  # fmt: skip
            label = None if dot.note in seen else dot.note
            seen.add(dot.note)
            axes.plot([place], [dot.estimate or 0.0], MARKERS.get(dot.tone, "o"), color=colour,
                      markersize=6.5, label=label)  # fmt: skip
        axes.set_xticks(range(len(dots)), [dot.label for dot in dots])
        axes.set_xlabel(labels[0])
        axes.set_ylabel(labels[1])
        axes.yaxis.set_major_formatter(_format_numbers(share=False))
        axes.yaxis.set_tick_params(labelcolor=COLOURS["quiet"])
        figure.legend(loc="outside upper left", ncols=3, frameon=False, handlelength=1.5)
        return _write_svg(figure, name, sentence)


def draw_curves(
    name: str,
    sentence: str,
    lines: dict[str, tuple[list[float], list[float]]],
    labels: tuple[str, str],
    mark: tuple[float, str] | None = None,
    diagonal: bool = False,
) -> str:
    """Draw a curve for each model over shares, named at the top; `mark` is a place on the x axis.

    With a `diagonal`, y holds shares too.
    """
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 3.1), layout="constrained")
        axes = figure.subplots()
        axes.grid(visible=True)
        for model, (x, y) in lines.items():
            marker = MARKERS.get(model, "o") if len(x) <= 20 else None
            axes.plot(x, y, color=COLOURS[model], linewidth=2, marker=marker, markersize=5,
                      linestyle=DASHES.get(model, "-"), label=model)  # fmt: skip
        if mark:
            axes.axvline(mark[0], color=COLOURS["ink"], linewidth=1.2)
            axes.annotate(mark[1], (mark[0], 0.03), (4, 0), textcoords="offset points",
                          xycoords=axes.get_xaxis_transform(), fontsize=9.5)  # fmt: skip
        if diagonal:
            axes.axline((0, 0), slope=1, color=COLOURS["quiet"], linewidth=1)
        for axis, label, share in zip(
            (axes.xaxis, axes.yaxis), labels, (True, diagonal), strict=True
        ):
            axis.set_major_formatter(_format_numbers(share=share))
            axis.set_label_text(label)
        axes.yaxis.set_tick_params(labelcolor=COLOURS["quiet"])
        figure.legend(loc="outside upper left", ncols=3, frameon=False, handlelength=2.6)
        return _write_svg(figure, name, sentence)


def _draw_dots(axes: Axes, dots: Sequence[Dot]) -> None:
    """Draw dots with whiskers, the first on top; an open dot has no bounds."""
    for place, dot in enumerate(dots):
        colour, y = COLOURS[dot.tone], -place
        if dot.estimate is None:
            continue
        if dot.lower is not None and dot.upper is not None:
            axes.plot(
                [dot.lower, dot.upper], [y, y], color=colour, linewidth=2.2, solid_capstyle="round"
            )
        axes.plot([dot.estimate], [y], MARKERS.get(dot.tone, "o"), color=colour, markersize=6.5,
                  fillstyle="none" if dot.lower is None else "full")  # fmt: skip
    for place, dot in enumerate(dots):
        axes.text(1.01, -place, dot.note, transform=axes.get_yaxis_transform(), va="center",
                  fontsize=9.5, color=COLOURS[dot.tone])  # fmt: skip
    axes.set_yticks([-place for place in range(len(dots))], [dot.label for dot in dots])
    axes.set_ylim(0.6 - len(dots), 0.6)
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.grid(visible=True, axis="x")


def _format_numbers(*, share: bool) -> Formatter:
    """How an axis writes its numbers: in percent, or as they are."""
    return (
        FuncFormatter(lambda x, _: f"{100 * x:.6g}%")
        if share
        else FuncFormatter(lambda x, _: format_number(x))
    )


def _write_svg(figure: Figure, name: str, sentence: str) -> str:
    """The figure as an element of a page, with ids of its own; `sentence` says it in words."""
    target = io.StringIO()
    nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    figure.savefig(target, format="svg", transparent=True, metadata=nothing)
    body = re.sub(r"^.*?<svg[^>]*>|<style.*?</style>", "", target.getvalue(), flags=re.DOTALL)
    body = re.sub(r"font-family: [^;\"]*;? ?", "", body).replace("xlink:href", "href")
    body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", body)
    for tone, colour in COLOURS.items():
        body = body.replace(colour, f"var(--{tone})")
    body = re.sub(r"\s*\n\s*", "\n", body)
    width, height = (round(72 * inches, 1) for inches in figure.get_size_inches())
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="{name}-told">\n'
        f'<title id="{name}-told">{html.escape(sentence)}</title>{body.strip()}'
    )
