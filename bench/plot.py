"""Draw how the cost grows, as an SVG of our own that reads on light and dark pages.

Fields above each other share the axis of sizes, which is logarithmic; every point carries its
number, so that colour alone tells nothing.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

from bench.table import number

WIDTH, HEIGHT, GAP = 720, 190, 90
LEFT, RIGHT, TOP, INSET = 70, 20, 60, 50
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #444 }
.title { font-weight: 600; fill: #222 }
.axis { stroke: #999; stroke-width: 1 }
.grid { stroke: #ddd; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.a { stroke: #1f6f8b; fill: #1f6f8b } .b { stroke: #b3541e; fill: #b3541e }
.line.a, .line.b { fill: none }
text.a { fill: #1f6f8b; stroke: none } text.b { fill: #b3541e; stroke: none }
@media (prefers-color-scheme: dark) {
  text { fill: #bbb } .title { fill: #eee } .axis { stroke: #777 } .grid { stroke: #333 }
  .a { stroke: #6cc3de; fill: #6cc3de } .b { stroke: #f0a070; fill: #f0a070 }
  .line.a, .line.b { fill: none } text.a { fill: #6cc3de } text.b { fill: #f0a070 }
}
"""

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One quantity over the sizes."""

    name: str
    style: str
    points: Sequence[Point]
    below: bool = False  # where the numbers stand, so that two lines can lie close

    @property
    def words_off(self) -> float:
        """Return how far below its point a number stands."""
        return 18.0 if self.below else -9.0


@dataclass(frozen=True)
class Field:
    """A plot of its own, with its title."""

    title: str
    lines: Sequence[Line]


def draw(fields: Sequence[Field], summary: str) -> str:
    """Return the whole picture; *summary* is what a screen reader says of it."""
    height = TOP + len(fields) * (HEIGHT + GAP)
    sizes = sorted({x for field in fields for line in field.lines for x, _ in line.points})
    across = _scale(sizes, LEFT + INSET, WIDTH - RIGHT - INSET, logarithmic=True)
    drawn = [
        part
        for index, field in enumerate(fields)
        for part in _field(field, sizes, across, TOP + index * (HEIGHT + GAP))
    ]
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{escape(summary)}</title><style>{STYLE}</style>"
    )
    return "\n".join([head, *drawn, "</svg>", ""])


def _field(
    field: Field, sizes: Sequence[float], across: Callable[[float], float], top: float
) -> list[str]:
    values = [y for line in field.lines for _, y in line.points]
    most = _round_up(max(values, default=1.0))
    bottom = top + HEIGHT
    upward = _scale([0.0, most], bottom, top)
    parts = [f'<text class="title" x="{LEFT}" y="{top - 36}">{escape(field.title)}</text>']
    for step in range(5):
        value = most * step / 4
        y = upward(value)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(_text(LEFT - 8, y + 4, number(value), "end"))
    parts.append(
        f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>'
    )
    parts += [_text(across(size), bottom + 34, short(size), "middle") for size in sizes]
    for place, line in enumerate(field.lines):
        parts += _line(line, across, upward)
        legend = f"— {escape(line.name)}"
        parts.append(
            f'<text class="{line.style}" x="{LEFT + 230 * place}" y="{top - 18}">{legend}</text>'
        )
    return parts


def _line(
    line: Line, across: Callable[[float], float], upward: Callable[[float], float]
) -> list[str]:
    spots = [(across(x), upward(y), y) for x, y in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in spots)
    parts = [f'<polyline class="line {line.style}" points="{path}"/>']
    for x, y, value in spots:
        parts.append(f'<circle class="{line.style}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
        parts.append(_text(x, y + line.words_off, number(value), "middle"))
    return parts


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _scale(
    domain: Sequence[float], start: float, end: float, *, logarithmic: bool = False
) -> Callable[[float], float]:
    """Return how values between the first and the last of *domain* lie between two places."""
    bend = math.log10 if logarithmic else float
    low, high = bend(domain[0]), bend(domain[-1])

    def place(value: float) -> float:
        share = (bend(value) - low) / (high - low) if high > low else 0.5
        return round(start + share * (end - start), 1)

    return place


def _round_up(value: float) -> float:
    """Return a round number not below *value*, so that the lines of the grid are round too."""
    power = 10.0 ** math.floor(math.log10(value)) if value > 0 else 1.0
    return next(power * step for step in (1, 2, 4, 6, 8, 10) if power * step >= value)


def short(size: float) -> str:
    """Write a size as people say it."""
    if size >= 1_000_000:
        return f"{size / 1_000_000:g} million"
    return f"{size / 1_000:g} thousand" if size >= 1_000 else f"{size:g}"
