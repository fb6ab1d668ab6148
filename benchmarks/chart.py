"""A line chart as plain SVG: panels side by side, the horizontal axis by powers of ten, the vertical from 0."""

from collections.abc import Mapping
from html import escape

_WIDTH, _HEIGHT = 430, 340  # pixels of a panel
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 58, 40, 50  # pixels around its plot
_GAP = 13  # pixels between two names at the ends of lines
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56514d")  # told apart with every kind of colour vision
_STEPS = (1, 2, 2.5, 5, 10)  # what a tick may be, times a power of ten
_TICKS = 5

Lines = Mapping[str, Mapping[int, float]]  # name -> {x: y}


def draw(panels: Mapping[str, Lines], x: str, y: str) -> str:
    """Return the chart. panels: title -> lines. x, y: what the axes count."""
    shown = {title: lines for title, lines in panels.items() if lines}
    parts = [_panel(title, lines, x, y, number * _WIDTH) for number, (title, lines) in enumerate(shown.items())]
    size = f"{len(parts) * _WIDTH} {_HEIGHT}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="100%" height="100%" fill="#fff"/>\n{"".join(parts)}</svg>\n'
    )


def _panel(title: str, lines: Lines, x: str, y: str, left: int) -> str:
    places = sorted({one for line in lines.values() for one in line})
    step = _step(max(max(line.values()) for line in lines.values()))
    top = step * -(-max(max(line.values()) for line in lines.values()) // step)
    plot_width, plot_height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def across(value: int) -> float:
        return _LEFT + plot_width * places.index(value) / max(len(places) - 1, 1)

    def up(value: float) -> float:
        return _TOP + plot_height * (1 - value / top)

    parts = [
        _text(_LEFT, 18, title, size=14),
        _text(_LEFT, 32, y),
        _text(_LEFT + plot_width / 2, _HEIGHT - 12, x, "middle"),
    ]
    for tick in range(round(top / step) + 1):
        height = up(tick * step)
        parts.append(f'<path d="M{_LEFT} {height:.1f}h{plot_width}" stroke="#ddd"/>')
        parts.append(_text(_LEFT - 6, height + 4, f"{tick * step:,.0f}", "end"))
    parts += [_text(across(one), _HEIGHT - 30, f"{one:,}", "middle") for one in places]
    last = _TOP - _GAP
    ordered = sorted(lines.items(), key=lambda line: -line[1][max(line[1])])
    colours = dict(zip(lines, _COLOURS, strict=False))
    for name, line in ordered:
        points = " ".join(f"{across(one):.1f},{up(line[one]):.1f}" for one in sorted(line))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colours[name]}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{across(one):.1f}" cy="{up(line[one]):.1f}" r="3" fill="{colours[name]}"/>' for one in line
        ]
        last = max(last + _GAP, up(line[max(line)]) + 4)
        parts.append(_text(_WIDTH - _RIGHT + 8, last, name, colour=colours[name]))
    return f'<g transform="translate({left} 0)">\n' + "\n".join(parts) + "\n</g>\n"


def _step(largest: float) -> float:
    power = 10.0 ** (len(str(int(largest / _TICKS))) - 1)
    return next(one * power for one in _STEPS if one * power * _TICKS >= largest)


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = "#222", size: int = 11) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}">{escape(text)}</text>'
    )
