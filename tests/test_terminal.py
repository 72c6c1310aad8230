"""The summary and the plots of a run on terminals of all kinds."""

import io

import fake_result
import pandas as pd
import pytest
from rich.console import Console
from test_report import edge_cases

from macrohard.report import print_summary, show
from macrohard.report.sparks import curve, spark


def printed(result: fake_result.FakeResult, width: int = 80, encoding: str = "utf-8", colour: bool = False) -> str:
    raw = io.BytesIO()
    sink = io.TextIOWrapper(raw, encoding=encoding, newline="")
    console = Console(file=sink, width=width, force_terminal=colour, no_color=not colour)
    print_summary(result, console)
    show(result, console)
    sink.flush()
    return raw.getvalue().decode(encoding)


def test_summary_holds_every_subject() -> None:
    """Work, tokens, GPU-hours, megawatts, Megapack, cost, what held back, assumptions, weight and digest."""
    out = printed(fake_result.result())
    subjects = ("Work", "Tokens", "GPUs", "Megawatts", "Megapack", "Cost", "Held back by", "Assumed", "Digest")
    for subject in subjects:
        assert subject in out
    assert "each for 800 real ones" in out and "nameplate" in out and "GWh" in out


def test_the_plant_is_told() -> None:
    """Units, starts and outages, heat rate, what held the Megapacks, NOx against its permit, water."""
    out = printed(fake_result.result(), 200)
    assert "of 7; 4 starts, 31 unit-hours out of order, 24 in maintenance or without permit" in out
    assert "9,930" in out and "held by MW in 30 min, by MWh in the rest" in out
    assert "57.2 short tons in a year at this rate, 714 without catalyst; 66 % of the permit" in out
    assert "l a ticket" in out


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    assert max(len(line) for line in printed(fake_result.result(), width).splitlines()) <= width


def test_no_colour_means_no_escapes() -> None:
    """Without colour nothing but text is printed; with colour the text is the same."""
    assert "\x1b" not in printed(fake_result.result())
    assert "\x1b[" in printed(fake_result.result(), colour=True)


def test_plain_letters_where_the_terminal_has_no_others() -> None:
    """An ASCII terminal gets ASCII and no error."""
    assert printed(fake_result.result(), encoding="ascii").isascii()


@pytest.mark.parametrize("case", edge_cases())
def test_edges_are_printed(case: str) -> None:
    """Odd runs print without an error and without a nan."""
    out = printed(edge_cases()[case])
    assert out.strip() and " nan" not in out and "None" not in out


def test_markup_in_names_is_text() -> None:
    """A scenario name in square brackets is printed as it is."""
    result = fake_result.result(n_bins=10)
    result.summary["scenario"] = {"name": "[red]site[/blue]", "seed": 1}
    assert "[red]site[/blue]" in printed(result)


def test_unknown_column_is_answered_with_the_known_ones() -> None:
    sink = io.StringIO()
    show(fake_result.result(n_bins=10), Console(file=sink, width=80), ("nope",))
    assert "No column 'nope'" in sink.getvalue() and "load_mw" in sink.getvalue()


def test_sparkline_rises_with_its_values() -> None:
    assert spark(pd.Series(range(8)).to_numpy(dtype=float), 8) == "▁▂▃▄▅▆▇█"
    assert spark(pd.Series([1.0, float("nan"), 1.0]).to_numpy(), 3) == "▁ ▁"


def test_curve_fills_its_box() -> None:
    """As many rows and columns as asked for, the highest value on top, the lowest at the bottom."""
    drawn = curve(pd.Series([0.0, 1.0]).to_numpy(), 10, 3, 0.0, 1.0)
    assert [len(line) for line in drawn] == [10, 10, 10]
    assert drawn[0][-1] != "\u2800" and drawn[0][0] == "\u2800" and drawn[2][0] != "\u2800"
