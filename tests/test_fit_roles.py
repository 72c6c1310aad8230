"""fit-roles: habits that were simulated come back within their errors, and logs that mean no good are refused."""

import json

import jax
import numpy as np
import pandas as pd
import pytest
from scipy.special import betaincinv, expit
from typer.testing import CliRunner

from agents.attempt import attempt_load
from macrohard.cli import app
from macrohard.habits import habits_of
from macrohard.logs.role_fit import Fit, fitted
from macrohard.logs.role_log import read
from macrohard.scenario import Scenario

KNOWN = {
    "tokens.calls_at_120_min": 40.0,
    "tokens.first_context_tokens": 9000.0,
    "tokens.context_growth_tokens": 1200.0,
    "tokens.decode_tokens_per_call": 650.0,
    "tokens.size_exponent": 0.6,
    "tokens.calls_sd_log": 0.35,
    "tokens.cached_miss": 0.05,
    "tokens.tool_median_s": 60.0,
    "tokens.tool_mean_s": 150.0,
    "capability.horizon_min": 200.0,
    "capability.beta": 0.8,
    "capability.rho": 0.5,
    "tokens.ratio.test": 0.6,
    "tokens.wall_ratio.test": 1.4,
}
HEAD = b"role,minutes,calls,input_tokens,cached_tokens,output_tokens,tool_s,success\n"
TRUE = Scenario.load("laptop", [f"{key}={value}" for key, value in KNOWN.items()], environment={})


def log(n_tickets: int = 1500, tries: int = 2, seed: int = 1) -> pd.DataFrame:
    """Attempts by the simulator's own law of an attempt, with p_i drawn once per ticket."""
    rng = np.random.default_rng(seed)
    able, tokens, n = TRUE.capability, TRUE.tokens, n_tickets * tries
    size = np.repeat(120 * np.exp(0.9 * rng.standard_normal(n_tickets)), tries)
    mean = expit(able.beta * np.log2(able.horizon_min / size))
    m = 1 / able.rho - 1
    p = betaincinv(mean * m, (1 - mean) * m, np.repeat(rng.random(n_tickets), tries))
    good = (rng.random(n) < p).astype(float)
    law = habits_of(TRUE).attempt
    tester = rng.random(n) < 0.3
    ending = np.where(tester, (law.bad_factor - 1) / (law.bad_factor - law.good_factor), good)
    load = jax.vmap(attempt_load, (0, 0, 0, 0, None))(size, rng.standard_normal(n), rng.standard_normal(n), ending, law)
    share = np.where(tester, tokens.ratio.test, 1.0)
    columns = {name: np.asarray(getattr(load, name)) * share for name in ("calls", "input_tokens", "cached_tokens")}
    return pd.DataFrame(
        {"role": np.where(tester, "testing", "coding"), "minutes": size, **columns,
         "output_tokens": np.asarray(load.decode_tokens) * share,
         "tool_s": np.asarray(load.tool_s) * np.where(tester, tokens.wall_ratio.test, 1.0),
         "success": np.where(tester, "", good.astype(int).astype(str)),
         "task": np.repeat([f"t{i}" for i in range(n_tickets)], tries)}
    )  # fmt: skip


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    place = tmp_path_factory.mktemp("log") / "log.csv"
    log().to_csv(place, index=False)
    return place


@pytest.fixture(scope="module")
def fit(path) -> Fit:
    return fitted(read(str(path)), Scenario.load("laptop", environment={}))


@pytest.mark.parametrize("key", [*KNOWN, "tokens.good_factor", "tokens.bad_factor"])
def test_known_habits_come_back_within_their_errors(fit, key):
    """3.5 standard errors and 1 %: the growth of a context shows without noise, its error is nearly 0."""
    true = KNOWN.get(key, {"tokens.good_factor": 0.85, "tokens.bad_factor": 1.18}.get(key))
    assert fit.values[key] == pytest.approx(true, abs=3.5 * fit.errors[key] + 0.01 * true)
    assert fit.errors[key] < 0.2 * true


def test_errors_shrink_as_the_root_of_the_log(fit, path):
    """A quarter of the tickets: errors about twice as large."""
    part = read(str(path)).head(750)
    fewer = fitted(part, TRUE)
    keys = ("tokens.calls_at_120_min", "tokens.tool_median_s", "capability.beta", "tokens.calls_sd_log")
    ratio = np.exp(np.mean([np.log(fewer.errors[key] / fit.errors[key]) for key in keys]))
    assert 1.5 < ratio < 2.7


def test_the_written_scenario_loads_with_the_fitted_keys_and_tells_its_gaps(path, tmp_path, fit):
    out = tmp_path / "own.toml"
    result = CliRunner().invoke(app, ["fit-roles", str(path), "--out", str(out), "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    loaded = Scenario.load(str(out), environment={})
    assert loaded.tokens.calls_at_120_min == pytest.approx(fit.values["tokens.calls_at_120_min"], rel=1e-5)
    assert loaded.tokens.ratio.test == pytest.approx(told["keys"]["tokens.ratio.test"]["value"], rel=1e-5)
    text = out.read_text(encoding="utf-8")
    assert "# not fitted: tokens.ratio.review" in text and "+-" in text
    assert CliRunner().invoke(app, ["fit-roles", str(path), "--out", str(out)]).exit_code == 2


def test_without_retries_or_outcomes_nothing_is_invented():
    """No task column: no rho. No outcome: no capability, no factors of endings. One size: no exponent."""
    whole = log(300)
    bare = read_of(whole.drop(columns="task"))
    assert "capability.rho" not in bare.values and "capability.rho" in bare.missing
    blind = read_of(whole.assign(success=""))
    assert not any(key.startswith("capability") for key in blind.values)
    assert "tokens.good_factor, bad_factor" in blind.missing
    level = read_of(whole.assign(minutes=120))
    assert "tokens.size_exponent" in level.missing and "tokens.size_exponent" not in level.values
    few = read_of(whole.head(20))
    assert few.values == {} and "tokens, capability" in few.missing


def read_of(frame: pd.DataFrame) -> Fit:
    import tempfile

    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        frame.to_csv(file.name, index=False)
        return fitted(read(file.name), Scenario.load("laptop", environment={}))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "cannot be read"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"role,minutes\ncoding,1\n", "lacks calls"),
        (HEAD, "holds no attempt"),
        (HEAD + b"chef,-1,nan,inf,9,x,1,2\n", "row 1, role"),
        (HEAD + b"coding,5,1,10,20,5,1,1\n", "row 1, cached_tokens"),
    ],
)  # fmt: skip
def test_a_log_that_cannot_be_used_is_refused_by_row_and_column(content, told, tmp_path):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    result = CliRunner().invoke(app, ["fit-roles", str(path)])
    assert result.exit_code == 2 and told in result.stderr and "Traceback" not in result.output
