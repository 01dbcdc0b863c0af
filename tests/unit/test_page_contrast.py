"""The dashboard's colours, light and dark: text has a contrast of 4.5 to its ground, marks have 3."""
import os
import re

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEXT = [("ink", "bg"), ("ink", "card"), ("soft", "bg"), ("soft", "card"), ("card", "ink"),
        ("red", "card"), ("ink", "green-bg"), ("ink", "amber-bg"), ("ink", "red-bg"),
        ("ink", "grey-bg"), ("green", "green-bg"), ("amber", "amber-bg"), ("red", "red-bg"),
        ("grey", "grey-bg")]
MARKS = [(name, "card") for name in ("blue", "green", "amber", "violet", "grey", "intake",
                                     "decode", "mysql", "redis", "settle")]


def palettes():
    with open(os.path.join(ROOT, "consumer/watch/page/style.css"), encoding="utf-8") as f:
        blocks = re.findall(r":root[^{}]*\{([^}]*)\}", f.read())
    found = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block)) for block in blocks]
    return [p for p in found if p]


def luminance(color):
    digits = color[1:]
    if len(digits) == 3:
        digits = "".join(2 * d for d in digits)
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    r, g, b = (v / 12.92 if v <= 0.03928 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_dark_is_the_same_by_preference_and_by_choice():
    light, preferred, chosen = palettes()
    assert preferred == chosen and set(preferred) == set(light)


@pytest.mark.parametrize("pairs,least", [(TEXT, 4.5), (MARKS, 3)], ids=["text", "marks"])
def test_colours_can_be_told_from_their_ground(pairs, least):
    for palette in palettes():
        weak = {(a, b): contrast(palette[a], palette[b]) for a, b in pairs}
        assert {pair: ratio for pair, ratio in weak.items() if ratio < least} == {}
