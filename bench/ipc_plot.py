# SPDX-License-Identifier: ISC
"""Line and bar charts as SVG, written by hand: no fonts, no scripts; the colours suit light and dark
pages, which the picture asks its viewer for."""

import math
from html import escape

WIDTH, HEIGHT = 900, 480
LEFT, RIGHT, TOP, BOTTOM = 78, 280, 52, 56
SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
STYLE = """
text { font: 13px system-ui, sans-serif; fill: #333; }
.title { font-size: 16px; font-weight: 600; }
.grid { stroke: #8884; stroke-width: 1; }
.axis { stroke: #888; stroke-width: 1; }
.line { fill: none; stroke-width: 2; }
@media (prefers-color-scheme: dark) { text { fill: #ccc; } }
"""


def number(value):
    """As people write it: 1.2M, 64K, 1,536, 0.5."""
    for limit, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= limit:
            return f"{value / float('1e' + str(int(math.log10(limit)) // 3 * 3)):.3g}{letter}"
    return f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.2g}"


def size(value):
    """Bytes: 8, 512, 4K, 64K."""
    return f"{value // 1024}K" if value >= 1024 else str(value)


class Picture:
    def __init__(self, title, width=WIDTH, height=HEIGHT):
        self.width, self.height = width, height
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            f'aria-label="{escape(title)}">', f"<style>{STYLE}</style>"]
        self.text(LEFT, 28, title, cls="title")

    def text(self, x, y, text, anchor="start", cls="", turn=None):
        extra = f' class="{cls}"' if cls else ""
        extra += f' transform="rotate({turn} {x:.1f} {y:.1f})"' if turn else ""
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>'
                           f"{escape(text)}</text>")

    def line(self, x1, y1, x2, y2, cls):
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                           f'class="{cls}"/>')

    def path(self, points, colour, dash=""):
        where = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        extra = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(f'<polyline points="{where}" class="line" stroke="{colour}"{extra}/>')
        for x, y in points:
            self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>')

    def box(self, x, y, width, height, colour):
        self._parts.append(f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" '
                           f'height="{height:.1f}" fill="{colour}"/>')

    def save(self, path):
        path.write_text("\n".join([*self._parts, "</svg>", ""]), encoding="utf-8")


def decades(least, most):
    first, last = math.floor(math.log10(least)), math.ceil(math.log10(most))
    return [10.0 ** power for power in range(first, max(last, first + 1) + 1)]


def apart(places, least):
    """Moves labels that are nearer than LEAST to each other; the order stays."""
    moved, free = {}, -math.inf
    for key in sorted(places, key=places.get):
        free = moved[key] = max(places[key], free + least)
    return moved


def lines(path, title, x_label, y_label, series, x_name=str):
    """SERIES: {name: [(x, y)]}. Both axes are logarithmic; the x values are powers of two."""
    series = {name: [(x, y) for x, y in points if y > 0] for name, points in series.items()}
    series = {name: points for name, points in series.items() if points}
    xs = sorted({x for points in series.values() for x, _ in points})
    ys = [y for points in series.values() for _, y in points]
    ticks = decades(min(ys), max(ys))
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    span_x, span_y = math.log(xs[-1] / xs[0]) or 1, math.log(ticks[-1] / ticks[0])

    def place(x, y):
        return (LEFT + (right - LEFT) * math.log(x / xs[0]) / span_x,
                bottom - (bottom - TOP) * math.log(y / ticks[0]) / span_y)

    picture = Picture(title)
    for tick in ticks:
        _, y = place(xs[0], tick)
        picture.line(LEFT, y, right, y, "grid")
        picture.text(LEFT - 8, y + 4, number(tick), "end")
    for x in xs:
        picture.text(place(x, ticks[0])[0], bottom + 20, x_name(x), "middle")
    picture.line(LEFT, bottom, right, bottom, "axis")
    picture.text((LEFT + right) / 2, HEIGHT - 12, x_label, "middle")
    picture.text(18, (TOP + bottom) / 2, y_label, "middle", turn=-90)
    ends = {}
    for index, (name, points) in enumerate(series.items()):
        places = [place(x, y) for x, y in sorted(points)]
        picture.path(places, SERIES[index % len(SERIES)], "5 4" if index >= len(SERIES) else "")
        ends[name] = places[-1][1]
    labels = apart(ends, 17)
    down = max(0, max(labels.values()) - bottom)
    for index, name in enumerate(series):
        y = labels[name] - down
        dashed = index >= len(SERIES)
        for x in (0, 8) if dashed else (0, 6):
            picture.box(right + 12 + x, y - 2, 6, 4, SERIES[index % len(SERIES)])
        picture.text(right + 32, y + 4, name)
    picture.save(path)


def bars(path, title, unit, groups, parts):
    """GROUPS: [(label, {part: value})], one horizontal bar each, stacked in the order of PARTS."""
    step, thick = 46, 26
    picture = Picture(title, WIDTH, TOP + step * len(groups) + 76)
    left, right = 190, WIDTH - 120
    most = max(sum(values.values()) for _, values in groups)
    scale = (right - left) / most
    for row, (label, values) in enumerate(groups):
        x, y = left, TOP + 8 + row * step
        picture.text(left - 10, y + thick / 2 + 5, label, "end")
        for index, part in enumerate(parts):
            width = values.get(part, 0) * scale
            picture.box(x, y, width, thick, SERIES[index % len(SERIES)])
            x += width
        picture.text(x + 8, y + thick / 2 + 5, f"{sum(values.values()):,.0f} {unit}")
    y = TOP + step * len(groups) + 34
    for index, part in enumerate(parts):
        x = left + index * (WIDTH - left - 20) / len(parts)
        picture.box(x, y - 10, 12, 12, SERIES[index % len(SERIES)])
        picture.text(x + 18, y, part)
    picture.save(path)
