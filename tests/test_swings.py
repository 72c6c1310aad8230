"""Sub-second swings: a sine by hand, Parseval, smoothing never widens, faster than real time."""

import numpy as np
import pytest
from typer.testing import CliRunner

from macrohard.cli import app
from macrohard.colossus import swings as law
from macrohard.report.swing_page import write_swing_page
from macrohard.scenario import Scenario
from macrohard.swings import swings

DT = 0.01


def sine(amplitude: float, hertz: float, seconds: float = 20.0) -> np.ndarray:
    time = np.arange(round(seconds / DT)) * DT
    return 100 + amplitude * np.sin(2 * np.pi * hertz * time)


def test_a_sine_has_one_line_of_half_its_amplitude_squared():
    """10 MW at 0.5 Hz: variance 50 MW^2, all of it at 0.5 Hz."""
    hertz, power = law.spectrum(sine(10, 0.5), DT)
    assert hertz[power.argmax()] == pytest.approx(0.5)
    assert power.max() == pytest.approx(50)
    assert power.sum() == pytest.approx(50)


def test_a_sine_is_judged_as_by_hand():
    """10 MW at 0.5 Hz: range 20 MW, rms 7.07 MW all in band; over 0.1 s at most 20*sin(0.05 pi)/0.1 = 31.3 MW/s."""
    seen = law.judged(law.habits(), sine(10, 0.5), DT)
    assert seen.range_mw == pytest.approx(20, rel=1e-3)
    assert seen.band_mw == pytest.approx(50**0.5)
    assert seen.band_share == pytest.approx(1)
    assert seen.ramp_mw_per_s == pytest.approx(20 * np.sin(0.05 * np.pi) / 0.1, rel=1e-3)
    assert law.judged(law.habits(), sine(10, 0.05, 40), DT).band_share == pytest.approx(0, abs=1e-9)
    assert law.judged(law.habits(limit_range_mw=2001), sine(10, 0.5), DT).band_share == 0  # within a hundredth of it


@pytest.mark.parametrize("n", [999, 1000])
def test_parseval(n):
    """The spectrum adds up to the variance, for even and odd lengths."""
    series = np.random.default_rng(n).normal(50, 3, n)
    assert law.spectrum(series, DT)[1].sum() == pytest.approx(series.var())


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("smooth", [law.filled, law.gpu_smoothed, lambda *scene: law.shelved(*scene)[0]])
def test_smoothing_never_widens(smooth, seed):
    """Filler, GPU smoothing and shelves leave power within its own lowest and highest."""
    swing = np.random.default_rng(seed).uniform(0.3, 0.8)
    habits = law.habits(step_s=np.random.default_rng(seed).uniform(0.4, 5))
    job = law.training(habits, 80.0, swing, 70.0, DT, seed)
    after = smooth(habits, job, 80.0, DT)
    assert after.min() >= job.min() - 1e-9
    assert after.max() <= job.max() + 1e-9


def test_gpu_ramp_and_floor_hold():
    """No step steeper than the ramp, no power below the floor."""
    habits = law.habits()
    after = law.gpu_smoothed(habits, law.training(habits, 80.0, 0.8, 70.0, DT), 80.0, DT)
    assert np.abs(np.diff(after)).max() <= habits.gpu_ramp_share_per_s * 80 * DT + 1e-9
    assert after.min() >= habits.gpu_floor_share * 80 - 1e-9


def test_shelves_give_back_what_they_take():
    """The energy a shelf holds never leaves its bounds."""
    habits = law.habits()
    job = law.training(habits, 80.0, 0.5, 70.0, DT)
    drawn, given = law.shelved(habits, job, 80.0, DT)
    assert np.abs(np.cumsum(given) * DT).max() <= habits.shelf_store_s * 80 + 1e-9
    assert np.abs(given).max() <= habits.shelf_share * 80 + 1e-9
    assert drawn + given == pytest.approx(job)


def test_a_shelf_never_stops_at_once():
    """As it empties its power falls by at most its taper: 0.3 / 0.05 a second of what it gives, never a step."""
    habits = law.habits()
    long_dip = np.where(np.arange(1000) < 200, 80.0, 40.0)
    given = law.shelved(habits, long_dip, 80.0, DT)[1]
    later = given[201:]
    taper = habits.shelf_share / habits.shelf_store_s
    assert np.abs(np.diff(later)).max() <= taper * np.abs(later).max() * DT + 1e-9


def test_megapacks_answer_a_step_as_by_hand():
    """Nothing within the dead time of 0.02 s, 95 % of the step at 0.1 s: 1 - e^-3 = 0.950."""
    habits = law.habits(megapack_average_s=1e9)
    step = np.where(np.arange(100) < 20, 50.0, 60.0)
    given = law.bridged(habits, step, 1e3, DT)[1]
    assert given[21] == pytest.approx(0, abs=1e-9)
    assert given[20 + 9] == pytest.approx(10 * (1 - np.exp(-3)), rel=1e-3)


def test_a_store_holds_what_is_given_and_taken():
    """36 MW for 1 s one way and then the other: 0.01 MWh between fullest and emptiest."""
    assert law.store_mwh(np.r_[np.full(100, 36.0), np.full(100, -36.0)], DT) == pytest.approx(0.01)


def test_megapacks_at_once_never_widen():
    """Without delay what the grid sees lies between power and its average; with it, fast edges pass."""
    habits = law.habits(megapack_delay_s=0.0, megapack_response_s=1e-6)
    job = law.training(habits, 80.0, 0.5, 70.0, DT)
    after, given = law.bridged(habits, job, 1e3, DT)
    assert np.ptp(after) <= np.ptp(job)
    assert np.abs(law.bridged(habits, job, 5.0, DT)[1]).max() <= 5.0
    assert after + given == pytest.approx(job)


def test_no_training_no_swing():
    """A swing of nothing leaves serving noise only: no swing within the band's reach of a thousandth of a job."""
    habits = law.habits(checkpoint_share=1.0)
    assert np.ptp(law.training(habits, 80.0, 0.0, 70.0, DT)) == pytest.approx(0, abs=1e-9)


def test_the_ladder_of_110_000_gpus_runs_faster_than_real_time(tmp_path):
    """All rungs are there, the page is whole, smoothing everything reserves no more than the Megapacks have."""
    found = swings(Scenario.load("colossus2-phase1", environment={}), 30.0)
    assert [each.name for each in found.rungs] == list(law.LADDER)
    assert found.document()["simulated_s_per_s"] > 1
    assert 0 < found.reserve_mw <= found.megapacks_mw
    assert found.rungs[-1].verdict.range_mw < found.rungs[0].verdict.range_mw
    write_swing_page(found, tmp_path / "swings.html")
    assert (tmp_path / "swings.html").read_text().count('<svg class="chart"') == 2 * 2 * len(
        found.rungs
    )  # wide and narrow


def test_what_would_pass_passes_and_less_does_not():
    """Each search names a value that passes; a step back towards the table fails; some combination passes."""
    found = swings(Scenario.load("colossus2-phase1", environment={}), 70.0)
    assert any(need.to is not None for need in found.needs)
    for need in found.needs:
        assert need.rung.verdict.passes == (need.to is not None)
    faster = next(need for need in found.needs if need.name == "all, Megapacks faster")
    assert faster.to < faster.table
    again = swings(Scenario.load("colossus2-phase1", environment={}), 70.0, changed={"megapack_response_s": faster.to})
    assert again.rungs[-1].verdict.passes
    slower = {"megapack_response_s": faster.to * 1.05}
    assert not swings(Scenario.load("colossus2-phase1", environment={}), 70.0, changed=slower).rungs[-1].verdict.passes


def test_searches_cost_the_same_however_long_the_stretch():
    """What is found over 150 s is what is found over the 120 s that searches look at, and the output says so."""
    short, long = (swings(Scenario.load("colossus2-phase1", environment={}), s).document() for s in (120.0, 150.0))
    assert long["would_pass"] == short["would_pass"] and long["ladder"] != short["ladder"]
    assert (short["searched_s"], long["searched_s"], long["seconds"]) == (120, 120, 150)
    told = CliRunner().invoke(app, ["swings", "--seconds", "130"]).stdout
    assert "over the first 120 s" in told


def test_unknown_figures_are_refused():
    """The error names what there is."""
    with pytest.raises(ValueError, match="choose from step_s"):
        law.habits(stepp=1.0)
    with pytest.raises(ValueError, match="swings.megapack_response_s"):
        law.habits(megapack_delay_s=0.2)
    with pytest.raises(ValueError, match="swings.filler_share"):
        law.habits(filler_share=1.5)
