"""Several LLMs at once: pools of GPUs, roles on them, and escalation from a small LLM to a large one."""

import dataclasses
import json
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import on_paper
import pytest
from small import small
from typer.testing import CliRunner

from agents.capability import beta_quantile_table, success_chance
from macrohard.blueprint import draw
from macrohard.cli import app
from macrohard.colossus import cluster as cluster_of
from macrohard.colossus import pools as pools_of
from macrohard.colossus.cluster import fleet
from macrohard.colossus.layout import serving_of
from macrohard.colossus.serving import Demand, serve
from macrohard.faults import ScenarioError
from macrohard.habits import first_llm, habits_of
from macrohard.report import Facts, page
from macrohard.runs import run
from macrohard.scenario import Scenario
from macrohard.siting import site_of_scenario
from macrohard.uncertainty import draws, laid

SMALL_LLM = '{name = "light", llm = "gpt-oss-120b", share = 0.5, horizon_min = 60.0%s}'
LARGE_LLM = '{name = "heavy", llm = "Qwen3-235B", share = 0.5, precision = "fp8", horizon_min = 431.0%s}'
SITE = ("cluster.n_gpus=16", "power.grid_mw=0.1", "run.horizon_h=6", "run.warmup_h=1", "backlog.size_median_min=240")


def two(*settings: str, light: str = "", heavy: str = "") -> Scenario:
    """A small LLM for all roles and a large one for what it cannot do, on a server each; 20 agents, 6 hours."""
    models = f"serving.models=[{SMALL_LLM % light}, {LARGE_LLM % heavy}]"
    return small(*SITE, "serving.gpus_per_replica=8", models, *settings)


@cache
def escalating() -> object:
    return run(two())


def test_tokens_are_conserved_over_the_pools():
    """Whole tokens: what the pools served is what was served, whatever moved between them."""
    summary = escalating().summary
    for kind in ("prefill_tokens", "decode_tokens"):
        by_pool = [pool[kind] for pool in summary["gpu"]["pools"]]
        assert all(tokens > 0 for tokens in by_pool) and sum(by_pool) == summary["tokens"][kind]


def test_tokens_and_gpu_hours_of_the_roles_are_those_of_the_pools():
    """Roles move between pools with their tickets: both ways of counting give the same whole tokens, all GPU-hours."""
    summary = escalating().summary
    pools, roles = summary["gpu"]["pools"], summary["tokens"]["by_role"].values()
    for kind in ("prefill_tokens", "decode_tokens"):
        assert sum(role[kind] for role in roles) == sum(pool[kind] for pool in pools)
    by_role = sum(role["gpu_h_busy"] for role in summary["gpu"]["by_role"].values())
    assert by_role == pytest.approx(summary["gpu"]["gpu_h_busy"], rel=1e-6)


def test_the_page_of_a_run_of_two_llms_is_whole():
    """Its operating points and figures, each LLM by its name."""
    html = page(Facts.of(escalating()))
    assert on_paper.faults(html) == [] and "pools.<wbr>heavy" in html


def test_figures_of_the_pools_add_up_to_those_of_the_site():
    summary, series = escalating().summary, escalating().series
    pools = summary["gpu"]["pools"]
    assert [pool["name"] for pool in pools] == ["light", "heavy"]
    assert [pool["llm"] for pool in pools] == ["gpt-oss-120b", "Qwen3-235B-A22B"]
    assert sum(pool["n_gpus"] for pool in pools) == summary["gpu"]["n_gpus"] == 16
    assert sum(pool["streams_mean"] for pool in pools) == pytest.approx(summary["gpu"]["streams_mean"], rel=1e-5)
    busy = sum(pool["utilization_mean"] * pool["n_gpus"] for pool in pools) / 16
    assert busy == pytest.approx(summary["gpu"]["utilization_mean"], rel=1e-5)
    together = series["light_streams"] + series["heavy_streams"]
    assert np.allclose(together, series["streams_busy"])


def test_gpus_that_train_are_in_no_pool():
    """Half of 32 train: 8 are left to each LLM."""
    gpu = run(two("cluster.n_gpus=32", "training.share=0.5", "run.horizon_h=2")).summary["gpu"]
    assert gpu["n_gpus"] == 32 and [pool["n_gpus"] for pool in gpu["pools"]] == [8, 8]


def test_only_escalation_takes_work_to_the_large_llm():
    """Nobody starts there: without escalation it stands idle; with it, it has no more tickets than were escalated."""
    assert escalating().summary["work"]["escalations"] > 0
    alone = run(two("workforce.max_escalations=0")).summary
    light, heavy = alone["gpu"]["pools"]
    assert heavy["decode_tokens"] == heavy["utilization_mean"] == 0 and light["decode_tokens"] > 0
    assert alone["work"]["escalations"] == 0


def test_a_role_is_served_by_the_llm_that_names_it():
    """Managers on the large LLM: it works from the first hour without a single escalation."""
    scenario = two("workforce.max_escalations=0", heavy=', roles = ["management"]')
    assert [first_llm(scenario, role) for role in ("management", "coding", "testing", "design")] == [1, 0, 0, 0]
    light, heavy = run(scenario).summary["gpu"]["pools"]
    assert light["decode_tokens"] > 0 < heavy["decode_tokens"]


def test_a_list_of_one_is_no_list():
    """The same LLM named by an entry of its own gives the same bits."""
    settings = ("run.horizon_h=6", "run.warmup_h=1")
    plain = run(small(*settings)).summary
    listed = run(small(*settings, 'serving.models=[{name = "all", llm = "gpt-oss-120b", share = 1.0}]')).summary
    assert plain["run"]["digest"] == listed["run"]["digest"]
    assert plain["gpu"]["pools"] == listed["gpu"]["pools"] == []


def test_two_equal_halves_serve_as_one_whole():
    """An LLM on 720 GPUs for 5,000 streams, or twice on 360 for 2,500: the same speed, flow, shares and power."""
    one = serving_of("GB200", "DeepSeek-R1", "fp4", placement="disaggregated", prefill_share=0.62)
    halves = pools_of.stacked([one, one])
    job = dict(calls=35.0, decode_tokens=17e3, prefill_tokens=1.4e5, input_tokens=2.3e6, tool_s=280.0)
    whole = serve(one, 720.0, Demand(n_streams=5e3, **job))
    twice = Demand(n_streams=jnp.full(2, 2.5e3), **{name: jnp.full(2, value) for name, value in job.items()})
    parts = serve(halves, jnp.full(2, 360.0), twice)
    for field in dataclasses.fields(whole):
        seen, expected = getattr(parts, field.name), float(getattr(whole, field.name))
        adds = field.name in ("streams_active", "streams_resident", "streams_waiting", "decode_tok_s", "prefill_tok_s")
        assert seen.shape == (2,)
        assert float(jnp.sum(seen) if adds else seen[0]) == pytest.approx(expected, rel=1e-5, abs=1e-3), field.name


def test_power_is_that_of_each_pool_by_its_gpus():
    """By hand: a busy pool of a quarter of the GPUs, the rest waiting, draw between waiting and busy, a quarter up."""
    entry = '{name = "%s", llm = "gpt-oss-120b", share = %s}'
    models = f"serving.models=[{entry % ('a', 0.25)}, {entry % ('b', 0.75)}]"
    site = site_of_scenario(small("cluster.n_gpus=64", "serving.gpus_per_replica=8", models))
    now = fleet(site.cluster, 0.0)
    nothing = serve(site.serving, now.n_serving * site.cluster.pool_share, _jobs([0.0, 0.0]))

    def it_mw(busy: list[float]) -> float:
        shares = dict(busy_share=jnp.asarray(busy), u_mem=jnp.full(2, 0.5), u_flop=jnp.full(2, 0.25))
        return float(cluster_of.draw(site.cluster, now, dataclasses.replace(nothing, **shares), 20.0).it_mw)

    idle, all_busy = it_mw([0.0, 0.0]), it_mw([1.0, 1.0])
    assert it_mw([1.0, 0.0]) == pytest.approx(idle + 0.25 * (all_busy - idle), rel=1e-5)
    assert it_mw([0.0, 1.0]) == pytest.approx(idle + 0.75 * (all_busy - idle), rel=1e-5)


def _jobs(streams: list[float]) -> Demand:
    each = dict(calls=35.0, decode_tokens=17e3, prefill_tokens=1.4e5, input_tokens=2.3e6, tool_s=280.0)
    return Demand(
        n_streams=jnp.asarray(streams), **{name: jnp.full(len(streams), value) for name, value in each.items()}
    )


def test_means_over_pools_by_hand():
    """(1*2 + 3*6) / 8 = 2.5; pools that weigh nothing count alike: (2 + 6) / 2 = 4."""
    assert float(pools_of.mean(jnp.array([2.0, 6.0]), jnp.array([7.0, 1.0]))) == pytest.approx(2.5)
    assert float(pools_of.mean(jnp.array([2.0, 6.0]), jnp.zeros(2))) == pytest.approx(4.0)
    assert float(pools_of.total(jnp.array([2.0, 6.0]))) == 8.0
    assert pools_of.mean(5.0, 1.0) == pools_of.total(5.0) == 5.0


def test_each_llm_solves_by_its_own_horizon():
    """60 minutes against 431 at the same ticket: each chance is that of the LLM alone."""
    habits = habits_of(two(heavy=", beta = 0.6, rho = 0.5"))
    assert habits.able(0) == (60.0, pytest.approx(0.45))
    assert habits.able(1) == (431.0, pytest.approx(0.6))
    for llm, rho in enumerate((0.70, 0.5)):
        alone = jnp.asarray(beta_quantile_table(rho))
        for mean, quantile in ((0.3, 0.9), (0.7, 0.2)):
            seen = success_chance(habits.success_table, mean, quantile, llm)
            assert float(seen) == float(success_chance(alone, mean, quantile))


def test_a_draw_of_the_horizon_moves_all_llms_alike():
    plan = draw(two())
    drawn = draws(plan.scenario, 3)
    horizon = next(each for each in drawn if each.key == "capability.horizon_min")
    for number in range(3):
        habits = laid(plan, drawn, number, seed=5).params.habits["coding"]
        assert np.allclose(habits.horizon_min, np.array([60.0, 431.0]) * horizon.drawn[number] / 431.0, rtol=1e-5)
    shapes = [jax.tree.map(np.shape, each.params) for each in (plan, laid(plan, drawn, 0, seed=5))]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize(
    ("settings", "key", "words"),
    [
        (["serving.models.1.share=0.4"], "serving.models.0.share", "add to 0.9"),
        (["serving.models.1.name=light"], "serving.models.1.name", "no other entry"),
        (["serving.models.0.roles=['coding']", "serving.models.1.roles=['coding']"], "serving.models.1.roles", "once"),
        (["serving.models.1.llm=Qwen3-Codr-480B"], "serving.models.1.llm", "Qwen3-Coder-480B"),
        (["serving.models.1.roles=['coder']"], "serving.models.1.roles", "coding"),
        (["serving.models.0.share=0.6", "serving.models.1.share=0.4"], "cluster.n_gpus", "6.4 for Qwen3-235B"),
    ],
)
def test_what_does_not_go_together_is_refused_at_the_door(settings, key, words):
    with pytest.raises(ScenarioError) as refused:
        draw(two().override(settings))
    assert any(fault.key.startswith(key) and words in str(fault) for fault in refused.value.faults), refused.value


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (["cluster.n_gpus=4", "serving.gpus_per_replica=8"], "cluster.n_gpus"),
        (["training.share=0.5", "serving.gpus_per_replica=8"], "cluster.n_gpus"),
        (["serving.gpus_per_replica=8", "serving.placement=disaggregated"], "cluster.n_gpus"),
        (
            ["serving.gpus_per_replica=8", "cluster.build_out=[[2026-02-01, 2], [2026-02-02, 8]]"],
            "cluster.build_out.0.n_gpus",
        ),
    ],
)
def test_part_of_a_replica_is_refused(settings, key):
    """Eight GPUs hold one copy of the LLM: fewer that serve cannot hold one, at no step of the build-out."""
    with pytest.raises(ScenarioError) as refused:
        draw(small(*settings))
    assert refused.value.faults[0].key == key and "8" in str(refused.value)


def test_no_gpu_that_serves_is_no_part_of_a_replica():
    """A cluster that is not there yet, or trains only, may be looked at."""
    for settings in (["cluster.n_gpus=0"], ["training.share=1.0"]):
        assert draw(small(*settings, "serving.gpus_per_replica=8")).n_ticks > 0


def test_a_request_log_goes_to_the_llm_that_is_named(tmp_path):
    """Half of 16 GPUs holds gpt-oss four times and Qwen3-235B once; an unknown name is refused."""
    log = tmp_path / "log.csv"
    log.write_text("arrival_s,context_tokens,generated_tokens\n" + "".join(f"{i},2000,100\n" for i in range(5)))
    scenario = tmp_path / "two.toml"
    scenario.write_text(two().given_toml())
    answers = [
        CliRunner().invoke(app, ["trace", str(log), str(scenario), "--json", *more])
        for more in ([], ["--llm", "heavy"], ["--llm", "hevy"])
    ]
    assert [answer.exit_code for answer in answers] == [0, 0, 2]
    assert [json.loads(answer.stdout)["gpu"]["n_replicas"] for answer in answers[:2]] == [4, 1]
    assert "heavy" in answers[2].stderr
