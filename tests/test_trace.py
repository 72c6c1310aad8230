"""macrohard trace: the bundled hour, the user's own logs, and what comes of them in GPU-hours and watts."""

import gzip
import json
import time

import numpy as np
import pytest
from typer.testing import CliRunner

from macrohard.cli import app
from macrohard.colossus.requests import Requests
from macrohard.faults import ScenarioError
from macrohard.logs.request_log import BUNDLED, dispersion, read, scaled
from macrohard.logs.trace import trace
from macrohard.scenario import Scenario
from macrohard.siting import nameplate

LAPTOP = Scenario.load("laptop", environment={})
HOUR = read(BUNDLED)


def ran(*arguments: str):
    return CliRunner().invoke(app, ["trace", *arguments])


def test_the_bundled_hour_is_whole_and_takes_seconds():
    """8,819 requests, 18,059,974 prompt tokens and 245,896 answered, as in the published file."""
    began = time.perf_counter()
    told = trace(LAPTOP, HOUR).summary
    assert time.perf_counter() - began < 10
    assert told["requests"]["n"] == 8819 == told["requests"]["served"]
    assert told["tokens"]["prefill_tokens"] == 18_059_974 and told["tokens"]["decode_tokens"] == 245_896


@pytest.mark.parametrize("scale", [0.3, 1.0, 2.5, 12.0])
def test_requests_are_conserved_at_any_load(scale):
    counts = trace(LAPTOP, scaled(HOUR, scale, 1), given=HOUR).summary["requests"]
    assert counts["n"] == counts["served_by_end_of_log"] + counts["open_at_end_of_log"] + counts["refused"]
    assert counts["n"] == counts["served"] + counts["refused"] == pytest.approx(8819 * scale, rel=0.03)


def test_scaling_keeps_the_rhythm():
    """Rates of minutes scale as they are: the excess of the index of dispersion over 1 scales with the load."""
    more = scaled(HOUR, 4.0, 1)
    minutes, four = (np.histogram(r.arrival_s, np.arange(0, 3421, 60))[0] for r in (HOUR, more))
    assert np.corrcoef(minutes, four)[0, 1] > 0.999 and four.sum() == pytest.approx(4 * minutes.sum(), rel=0.005)
    assert dispersion(more.arrival_s, 60) == pytest.approx(4 * dispersion(HOUR.arrival_s, 60), rel=0.03)
    assert (np.diff(more.arrival_s) >= 0).all() and scaled(HOUR, 1.0, 1) is HOUR


def test_a_poisson_stream_has_a_dispersion_of_one_and_the_log_far_more():
    steady = np.cumsum(np.random.default_rng(1).exponential(0.4, 8819))
    assert dispersion(steady, 10) == pytest.approx(1, abs=0.2) and dispersion(HOUR.arrival_s, 10) > 50
    assert np.isnan(dispersion(np.array([0.0, 1.0]), 10))


def test_bursts_cost_latency_that_a_steady_stream_of_the_same_load_does_not():
    rng = np.random.default_rng(1)
    even = np.sort(rng.uniform(0, HOUR.arrival_s[-1], 3 * 8819))
    bursty = scaled(HOUR, 3.0, 1)
    steady = Requests(even, bursty.context_tokens, bursty.generated_tokens, bursty.computed_tokens)
    tails = [trace(LAPTOP, each).summary["latency"]["ttft_s"]["p99"] for each in (bursty, steady)]
    assert tails[0] > 3 * tails[1]


def test_power_lies_between_waiting_and_the_rating_and_busy_time_adds_up():
    """Idle GPUs wait at 0.25 of their limit; at 30 times the load the bursts draw more, never beyond the rating."""
    calm, full = (trace(LAPTOP, scaled(HOUR, each, 1)) for each in (1.0, 30.0))
    rated = nameplate(LAPTOP).site_mw
    idle = calm.series["load_mw"][calm.series["utilization"] == 0]
    assert idle.max() - idle.min() < 0.01 * idle.max()
    assert idle.max() <= calm.summary["power"]["load_peak_mw"] < full.summary["power"]["load_peak_mw"] < rated
    for each in (calm, full):
        gpu = each.summary["gpu"]
        assert 0 < gpu["utilization_mean"] <= 1 and gpu["gpu_h_busy"] == pytest.approx(each.series["gpu_h_busy"].sum())
        assert each.series["utilization"].between(0, 1).all()


def test_a_cached_prefix_saves_prompt_time():
    """Half of each prompt from the cache: fewer GPU-hours, an earlier first token."""
    half = Requests(HOUR.arrival_s, HOUR.context_tokens, HOUR.generated_tokens, HOUR.context_tokens / 2)
    whole, cached = trace(LAPTOP, HOUR).summary, trace(LAPTOP, half).summary
    assert cached["gpu"]["gpu_h_busy"] < whole["gpu"]["gpu_h_busy"]
    assert cached["latency"]["ttft_s"]["mean"] < whole["latency"]["ttft_s"]["mean"]
    assert cached["tokens"]["cached_tokens"] == pytest.approx(whole["tokens"]["input_tokens"] / 2)


def test_a_cluster_of_pools_apart_serves_the_hour():
    told = trace(Scenario.load("colossus2-phase1", environment={}), HOUR).summary
    assert told["requests"]["served"] == 8819 and told["gpu"]["n_prefill_replicas"] > 0


def test_a_cluster_without_gpus_is_refused():
    for setting in ("cluster.n_gpus=0", "training.share=1"):
        with pytest.raises(ScenarioError):
            trace(LAPTOP.override([setting]), HOUR)


def test_csv_json_lines_gz_and_azures_own_columns_read_alike(tmp_path):
    rows = [(0.0, 100, 5), (0.5, 200, 6), (2.25, 300, 7)]
    csv = "arrival_s,context_tokens,generated_tokens\n" + "".join(f"{a},{c},{g}\n" for a, c, g in rows[::-1])
    lines = "\n".join(json.dumps({"arrival_s": a, "context_tokens": c, "generated_tokens": g}) for a, c, g in rows)
    azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n" + "".join(
        f"2023-11-16 18:00:{10 + a:010.7f},{c},{g}\n" for a, c, g in rows
    )
    (tmp_path / "a.csv").write_text(csv)
    (tmp_path / "b.jsonl").write_text(lines)
    (tmp_path / "c.csv").write_text(azure)
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(csv.encode()))
    for name in ("a.csv", "b.jsonl", "c.csv", "d.csv.gz"):
        found = read(str(tmp_path / name))
        assert found.arrival_s == pytest.approx([0, 0.5, 2.25]) and found.context_tokens.tolist() == [100, 200, 300]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", b"", "is no table"),
        ("a.csv", b"\xff\xfe\x00\x01", "not UTF-8"),
        ("a.csv", b"x,y\n1,2\n", "no such column"),
        ("a.csv", b"arrival_s,context_tokens,generated_tokens\n", "holds no request"),
        ("a.csv", b"arrival_s,context_tokens,generated_tokens\n0,5,1\nnan,5,1\n1,-5,1\n1,5,inf\n", "row 2, arrival_s"),
        ("a.csv", b"arrival_s,context_tokens,generated_tokens,cached_tokens\n0,5,1,6\n", "row 1, cached_tokens"),
        ("a.jsonl", b'{"arrival_s": 1}\n[1]\n', "line 2"),
        ("a.jsonl", b'{"arrival_s": {}, "context_tokens": [], "generated_tokens": null}\n', "row 1"),
        ("a.csv.gz", b"no gzip", "cannot be read"),
    ],
)
def test_a_log_that_is_none_is_refused_by_row(name, content, told, tmp_path):
    (tmp_path / name).write_bytes(content)
    result = ran(str(tmp_path / name))
    assert result.exit_code == 2 and told in result.stderr and "Traceback" not in result.output


def test_one_request_is_a_log(tmp_path):
    (tmp_path / "one.csv").write_text("arrival_s,context_tokens,generated_tokens\n1e9,0,0\n")
    result = ran(str(tmp_path / "one.csv"), "--json", "--out", str(tmp_path / "out"))
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["requests"]["served"] == 1


def test_the_command_prints_writes_and_draws(tmp_path):
    result = CliRunner(env={"COLUMNS": "80"}).invoke(
        app, ["trace", BUNDLED, "--scale", "2", "--out", str(tmp_path / "o")]
    )
    assert result.exit_code == 0, result.output
    assert "Burstiness" in result.stdout and max(map(len, result.stdout.splitlines()[:-1])) <= 80
    assert {each.name for each in (tmp_path / "o").iterdir()} == {
        "trace.json",
        "trace.html",
        "series.csv",
        "requests.csv",
    }
    page = (tmp_path / "o" / "trace.html").read_text(encoding="utf-8")
    assert page.count('<svg class="chart"') == 2 * 4 and "src=" not in page
    assert json.loads((tmp_path / "o" / "trace.json").read_text())["log"]["scale"] == 2


def test_a_scale_beyond_reason_is_refused():
    assert ran(BUNDLED, "--scale", "100000").exit_code == 2
    assert ran("no-such-log.csv").exit_code == 2
