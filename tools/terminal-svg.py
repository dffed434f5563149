#!/usr/bin/env python3
"""Draws what a command printed on a terminal as an SVG picture: terminal-svg.py <typescript >picture.svg

Reads text with ANSI colours from standard input, as `script -qc COMMAND /dev/null` gives it. The README's picture is
made so: see docs/release.md."""
import html
import re
import sys

COLOURS = {"31": "#f07178", "32": "#9ece6a", "33": "#e0af68", "34": "#7aa2f7", "36": "#7dcfff", "2": "#8a93b2"}
CHAR, LINE, PAD = 8.4, 19, 16


def spans(line):
    style = []
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if code:
            style = [c for c in code.group(1).split(";") if c not in ("", "0")]
        elif part:
            yield part, style


def main():
    text = sys.stdin.read()
    text = re.sub(r"[^\n]*\x1b\[K", "", text).replace("\r", "")  # a progress line that was wiped
    text = re.sub(r"\x1b\[[0-9;?]*[A-Zhlk]", "", text)
    lines = text.rstrip("\n").split("\n")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width = int(max(map(len, plain)) * CHAR + 2 * PAD)
    height = len(lines) * LINE + 2 * PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" role="img">')
    print(f'<rect width="{width}" height="{height}" rx="8" fill="#1a1b26"/>')
    print('<g font-family="ui-monospace,Menlo,Consolas,monospace" font-size="14" fill="#c0caf5" xml:space="preserve">')
    for row, line in enumerate(lines):
        y = PAD + LINE * row + 14
        body = ""
        for part, style in spans(line):
            colour = next((COLOURS[c] for c in style if c in COLOURS), None)
            attributes = (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if "1" in style else "")
            body += f"<tspan{attributes}>{html.escape(part)}</tspan>"
        print(f'<text x="{PAD}" y="{y}" xml:space="preserve">{body}</text>')
    print("</g>\n</svg>")


main()
