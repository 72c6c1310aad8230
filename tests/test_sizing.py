"""Sizing: the bisection against brute force, a plant worked by hand, and every refusal in words."""

import json
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from macrohard import Scenario, size
from macrohard.cli import app
from macrohard.faults import ScenarioError
from macrohard.reliability import reliability
from macrohard.runs import run
from macrohard.sizing import asked, found, judged
from tests.small import small

SHORT = ("run.horizon_h=3", "run.warmup_h=0", "run.series_bins=6")


def search(until="power.unserved_mwh<=1", low=0, high=40, **more):
    return asked(small(), f"power.megapack.n_units={low}:{high}", until, **more)


def tried_by(law, asks, n=3):
    """A search's reply from a law of the value, each seed a little off."""
    return lambda value: judged(asks, value, [law(value) + 1e-9 * seed for seed in range(n)])


@pytest.mark.parametrize("seed", range(30))
def test_bisection_finds_what_trying_every_value_finds(seed):
    """Falling or rising replies, smallest or largest wished for: the answer is that of a full search."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.integers(0, 3, 41))
    rising, largest = bool(seed % 2), bool(seed // 2 % 2)
    law = (lambda value: float(steps[int(value)])) if rising else (lambda value: float(-steps[int(value)]))
    bound = law(int(rng.integers(0, 41)))
    until = f"<={bound + 1e-6}" if rising == largest else f">={bound}"
    asks = search(f"power.unserved_mwh{until}", largest=largest)
    result = found("x", asks, (1, 2, 3), tried_by(law, asks))
    doing = [value for value in range(41) if asks.target.holds(law(value) + 1e-9)]
    assert result.value == (max(doing) if largest else min(doing))
    assert result.is_monotone and len(result.points) <= 8


def test_no_value_does_it():
    """The answer is none, with the nearest figure that was reached."""
    asks = search("power.unserved_mwh<=1")
    result = found("x", asks, (1,), tried_by(lambda n: 100 - n, asks, 1))
    assert result.value is None
    assert (result.reached.value, result.reached.mean) == (40, 60)


def test_the_wished_end_does_it_already():
    """Said, and where more makes it worse, that too."""
    asks = search("power.unserved_mwh<=1")
    result = found("x", asks, (1,), tried_by(lambda n: n, asks, 1))
    assert result.value == 0
    assert "already" in result.remarks[0] and "largest" in result.remarks[1]


def test_a_reply_that_turns_is_told():
    """5 at the ends of a half, 9 within: the way down goes up on the way."""
    asks = search("power.unserved_mwh<=1")
    law = {0: 5.0, 20: 9.0}
    result = found("x", asks, (1, 2), tried_by(lambda n: law.get(int(n), 0.0), asks, 2))
    assert not result.is_monotone and "not monotone: from 0 to 20" in " ".join(result.remarks)
    valley = found("x", asks, (1, 2), tried_by(lambda n: abs(n - 20), asks, 2))
    assert valley.value is None and "search 0 to 20" in valley.remarks[0]


def test_luck_is_no_turn():
    """Seeds that go both ways by chance are not called a turn; all of them the wrong way are."""
    asks = search()
    noisy = {0.0: [9.0, 9.0, 9.0], 20.0: [9.5, 8.4, 9.3], 40.0: [0.0, 0.0, 0.0]}
    assert found("x", asks, (1, 2, 3), lambda v: judged(asks, v, noisy.get(v, [5.0] * 3))).is_monotone
    sure = noisy | {20.0: [9.5, 9.4, 9.6]}
    assert not found("x", asks, (1, 2, 3), lambda v: judged(asks, v, sure.get(v, [5.0] * 3))).is_monotone


def test_the_bound_is_students():
    """Figures 1, 2, 3: mean 2, standard error 1/sqrt(3), t(0.95; 2) = 2.920, so 2 + 1.686 above and 0.314 below."""
    below, above = search("power.unserved_mwh<=3"), search("power.unserved_mwh>=1")
    assert judged(below, 0, [1, 2, 3]).bound == pytest.approx(3.686, abs=1e-3)
    assert judged(above, 0, [1, 2, 3]).bound == pytest.approx(0.314, abs=1e-3)
    assert judged(below, 0, [1, 2, 3]).meets and not judged(replace(below, confident=True), 0, [1, 2, 3]).meets


def test_the_grid_that_never_caps_is_the_peak_demand():
    """Worked apart: with all the grid it wants, the highest peak over the seeds is the least contract that suffices."""
    scenario = small(*SHORT, "power.grid_ramp_mw_per_min=1")
    plenty = scenario.override(["power.grid_mw=1"])
    result = size(scenario, "power.grid_mw=0.004:0.02", "power.capped_mwh<=0", replicates=2, within=0.001)
    peaks = [run(plenty.override([f"run.seed={seed}"])).summary["power"]["load_peak_mw"] for seed in result.seeds]
    assert result.value - 0.001 <= max(peaks) * (1 + 1e-6) and max(peaks) <= result.value * (1 + 1e-6)
    assert result.is_monotone


def test_the_grid_that_is_never_short_in_a_year_is_the_peak_of_the_year():
    """Worked apart: a grid alone is short in every hour above its contract, so the least is the year's highest load."""
    scenario = small("power.grid_ramp_mw_per_min=1", "run.tick_s=3600")
    result = size(scenario, "power.grid_mw=0.004:0.02", "reliability.lolh_h<=0", replicates=2, within=1e-4)
    peak_mw = reliability(scenario, n_seeds=1, tick_s=3600).load_peak_mw
    assert result.value - 1e-4 <= peak_mw * (1 + 2e-5) and peak_mw <= result.value * (1 + 2e-5)
    assert result.is_monotone and result.seeds == (1, 2)


def macrohard(*arguments):
    """What the command prints and how it exits."""
    return CliRunner().invoke(app, ["size", *arguments])


def test_the_command_finds_how_many_gpus_a_rating_holds(tmp_path):
    """ceil(n / 8) servers of 10.2 kW: 0.025 MW hold two, 16 GPUs; 0.001 MW none, which exits with 3."""
    asks = ("laptop", "--vary", "cluster.n_gpus=8:40", "--largest", "--replicates", "1", "--json",
            *(part for each in SHORT for part in ("--set", each)), "--out", str(tmp_path / "here"))  # fmt: skip
    done = macrohard(*asks, "--until", "power.nameplate_it_mw<=0.025")
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["value"] == 16 and told["is_monotone"]
    assert "cluster.n_gpus = 16: 0.0204" in done.stderr
    assert {path.name for path in (tmp_path / "here").iterdir()} == {"size.json", "points.csv", "size.html"}
    missed = macrohard(*asks, "--until", "power.nameplate_it_mw<=0.001")
    assert missed.exit_code == 3
    assert json.loads(missed.stdout)["reached"]["mean"] == pytest.approx(0.0102)


def test_the_command_finds_the_turbines_of_a_year_that_trying_all_finds():
    """Each mean is that of `reliability` with as many seeds; more turbines are never short for longer."""
    hourly = ("run.tick_s=3600", "power.megapack.n_units=0")
    done = macrohard("colossus2-phase1", *(part for each in hourly for part in ("--set", each)), "--replicates", "2",
                     "--vary", "power.sources.0.n_units=5:10", "--until", "reliability.eens_mwh<=50",
                     "--json")  # fmt: skip
    assert done.exit_code == 0, done.stderr
    told = json.loads(done.stdout)
    short_mwh = {}
    for n in range(5, 11):
        scenario = Scenario.load("colossus2-phase1", [*hourly, f"power.sources.0.n_units={n}"])
        short_mwh[n] = reliability(scenario, n_seeds=2, tick_s=3600).adequacy.eens_mwh.mean
    assert sorted(short_mwh.values(), reverse=True) == list(short_mwh.values())
    assert 5 < told["value"] == min(n for n, mwh in short_mwh.items() if mwh <= 50)
    assert {point["value"]: point["mean"] for point in told["points"]}.items() <= short_mwh.items()
    assert told["each_seed"].startswith("a year of the plant alone") and told["seeds"] == [1, 2]


@pytest.mark.parametrize(
    ("vary", "until", "words"),
    [
        ("power.megapack.n_unit=0:3", "power.unserved_mwh<=0", "did you mean power.megapack.n_units?"),
        ("power.megapack.n_units=3:0", "power.unserved_mwh<=0", "LO < HI"),
        ("power.megapack.n_units=0:2.5", "power.unserved_mwh<=0", "whole numbers"),
        ("power.megapack.n_units=-1:2", "power.unserved_mwh<=0", "n_units = -1"),
        ("power.dispatch=0:2", "power.unserved_mwh<=0", "is no quantity"),
        ("power.megapack.n_units=0:2", "power.unserved_mwh=0", "KEY OP NUMBER"),
        ("power.megapack.n_units=0:2", "power.unserved_mwh==0", "which side"),
        ("power.megapack.n_units=0:2", "reliability.lohl_h<=1", "did you mean reliability.lolh_h?"),
    ],
)
def test_what_cannot_be_searched_is_refused(vary, until, words):
    """Exit 2, one line, before anything runs."""
    done = macrohard("laptop", "--vary", vary, "--until", until)
    assert done.exit_code == 2
    assert words in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_both_options_are_asked_for():
    """One line for each that is missing."""
    done = macrohard("laptop")
    assert done.exit_code == 2 and len(done.stderr.strip().splitlines()) == 2


def test_a_figure_nobody_has_is_refused():
    """The nearest one is named."""
    with pytest.raises(ScenarioError, match=r"--until.*did you mean power.unserved_mwh"):
        size(small(*SHORT), "power.grid_mw=0.002:0.02", "power.unserved_mw<=0")
