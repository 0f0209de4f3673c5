"""Plots as SVG, written by hand: bars with whiskers, and lines on two logarithmic axes."""

from collections.abc import Sequence


def bars(title: str, rows: Sequence[tuple[str, float, float, float]], reference: float, unit: str = "x") -> str:
    """An SVG of horizontal bars with whiskers, a dashed line at ``reference``; rows are (name, low, median, high)."""
    left, width, line = 190, 420, 30
    scale = width / max(reference, *(row[3] for row in rows)) / 1.08
    text = 'font-family="sans-serif" font-size="13" fill="#222"'
    height = 44 + line * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {height + 8}">',
        f'<rect width="100%" height="100%" fill="#fff"/><text x="10" y="22" {text} font-weight="bold">{title}</text>',
    ]
    for place, (name, low, median, high) in enumerate(rows):
        y = 38 + line * place
        middle = y + 9
        parts += [
            f'<text x="{left - 8}" y="{middle + 5}" text-anchor="end" {text}>{name}</text>',
            f'<rect x="{left}" y="{y}" width="{median * scale:.1f}" height="18" fill="#3b7dd8"/>',
            f'<path d="M{left + low * scale:.1f} {middle}H{left + high * scale:.1f}" stroke="#123" stroke-width="2"/>',
            f'<text x="{left + max(median, high) * scale + 6:.1f}" y="{middle + 5}" {text}>{median:.2f}{unit}</text>',
        ]
    x = left + reference * scale
    parts.append(f'<path d="M{x:.1f} 32V{height}" stroke="#b33" stroke-dasharray="4 3"/></svg>')
    return "\n".join(parts) + "\n"
