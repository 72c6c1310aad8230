"""Scenarios: what is taken, what is refused and in which words, and that no text whatever ends in a traceback."""

import os
import random
import tomllib
from datetime import date
from pathlib import Path

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from macrohard import Scenario, ScenarioError, names
from macrohard.scenario import bundled, source_text
from macrohard.scenario.contradictions import rough_bugs_per_ticket
from macrohard.scenario.fields import leaves
from macrohard.scenario.limits import estimate
from macrohard.scenario.reference import commented, markdown


def faults(text: str, *settings: str) -> list[str]:
    """The lines with which a scenario is refused."""
    with pytest.raises(ScenarioError) as refused:
        Scenario.parse(text, "own.toml", settings)
    lines = str(refused.value).splitlines()
    assert len(lines) == len(refused.value.faults)
    return lines


def test_three_faults_make_three_lines():
    """Range, nan and a misspelt key are all reported at once."""
    lines = faults("[cluster]\nn_gpus = -5\npue = nan\n[workforce]\ncodin = 3\n")
    assert [line.split(" = ")[0] for line in lines] == [
        "own.toml: workforce.codin",
        "own.toml: cluster.n_gpus",
        "own.toml: cluster.pue",
    ]
    assert "did you mean workforce.coding?" in lines[0]
    assert "-5" in lines[1] and "from 0 to 100,000,000" in lines[1]
    assert "nan" in lines[2] and "from 1 to 5" in lines[2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[run]\nseed = 1.5", ["run.seed = 1.5", "whole number", "without a fraction"]),
        ('[run]\nhorizon_h = "168"', ["'168'", "a number above 0", "without quotes"]),
        ("[run]\nhorizon_h = inf", ["inf", "neither nan nor inf"]),
        ("[run]\nhorizon_h = 0", ["above 0", "larger"]),
        ("[run]\nstart = 7", ["run.start", "a date like 2026-02-01"]),
        ("[run]\nwarmup_h = 200", ["below run.horizon_h = 168", "shorten"]),
        ("[run]\nname = 'a\\u001bb'", ["run.name"]),
        ("[workforce]\ncoding = true", ["coding = true", "a whole number"]),
        ("[workforce]\ntopology = 'hybird'", ["did you mean 'hybrid'?"]),
        ("[serving]\nkv_held_in_tools = 1", ["true or false"]),
        ("[serving]\nllm = 'deepseek-r2'", ["did you mean", "and", "more"]),
        ("[serving]\nplacement = 'split'", ["one of aggregated, disaggregated"]),
        ("[cluster]\ngpu = 'GB2000'", ["did you mean 'GB200'?"]),
        (
            "[cluster]\nn_gpus = 6\nbuild_out = [[2026-02-01, 5], [2026-01-01, 6]]",
            ["build_out.1.date", "after 2026-02-01"],
        ),
        (
            "[cluster]\nn_gpus = 7\nbuild_out = [[2026-02-01, 5]]",
            ["cluster.n_gpus = 7", "allowed: 5, which the last step"],
        ),
        ("[power]\nsources = [{n_units = 3}]", ["power.sources.0.kind", "is missing"]),
        ("[power]\nsources = [{kind = 'solar'}]", ["power.sources.0.p_nom_mw", "rating"]),
        ("[power]\ndispatch = 'folow'", ["did you mean 'follow'?"]),
        ("[power.megapack]\nsoc_min = 0.96", ["soc_min", "soc_max"]),
        ("[power.megapack]\nreserve = 0.05", ["from soc_min = 0.1 to below soc_max = 0.95"]),
        ("[power.megapack]\nsoc_start = 0.99", ["soc_start"]),
        ("[backlog.kinds]\noffice = 0.3", ["add to 1", "1.3"]),
        ("[backlog]\nfile = '/no/such/file.csv'", ["no such file"]),
        ("[quality]\ndefects_per_kloc = 80", ["fewer than 1 bug ticket"]),
        ("[tokens]\ntool_median_s = 100\ntool_mean_s = 50", ["tool_median_s"]),
        ("serving = 3", ["serving = 3", "a table"]),
        ("[servin]\nllm = 'x'", ["did you mean serving?"]),
    ],
)
def test_a_fault_names_file_key_value_range_and_remedy(text, words):
    """Each single fault makes one line with all that is needed to mend it."""
    (line,) = faults(text)
    assert line.startswith("own.toml: ")
    for word in words:
        assert word in line


def test_contradictions_are_found_beside_other_faults():
    """A wrong seed does not hide that the warm-up is too long."""
    lines = faults("[run]\nseed = -1\nwarmup_h = 500\n")
    assert len(lines) == 2 and "run.seed" in lines[0] and "run.warmup_h" in lines[1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[workforce]\ncoding = 1_000_000_000_000", ["workforce.coding", "3.6e+05 GB", "memory_limit_gb = 16"]),
        ("[run]\nhorizon_h = 1e15\ntick_s = 3600", ["1e+15 ticks", "at most 100,000,000"]),
        ("[backlog]\nn_epics = 1_000_000_000_000", ["backlog.n_epics", "GB"]),
        ("[backlog]\narrivals_per_day = 1e12", ["backlog.arrivals_per_day", "GB"]),
    ],
)
def test_hostile_sizes_are_refused_with_the_estimate_and_the_limit(text, words):
    """Nothing is allocated: the refusal is arithmetic."""
    (line,) = faults(text)
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    "content",
    [
        b"a = " + b"[" * 5000,
        b"a = " + b"[" * 50 + b"]" * 50,
        b".".join([b"a"] * 3000) + b" = 1",
        b"[run]\nseed = " + b"9" * 5000,
        b"[run]\nseed = " + b"9" * 30,
        b"\xff\xfe[run]",
        b"[run]\nseed = 1\nseed = 2",
        b"[run",
        b"\x00",
        b"x = 1\n" * 100_000,
    ],
)
def test_monstrous_files_are_refused(tmp_path, content):
    """Deep nesting, endless integers, other encodings, broken and endless files: one line, no traceback."""
    file = tmp_path / "own.toml"
    file.write_bytes(content)
    with pytest.raises(ScenarioError) as refused:
        Scenario.load(file, environment={})
    (line,) = str(refused.value).splitlines()
    assert line.startswith(str(file)) and len(line) < 500


def test_what_is_no_file_is_refused(tmp_path):
    """A folder, a pipe, a missing file and a name with a null byte."""
    os.mkfifo(tmp_path / "pipe.toml")
    for path in (tmp_path, tmp_path / "pipe.toml", tmp_path / "none.toml", "a\x00b.toml", ""):
        with pytest.raises(ScenarioError):
            Scenario.load(path, environment={})


def test_an_unknown_bundled_name_is_answered_with_the_nearest():
    """A name without a suffix is taken for a bundled one."""
    with pytest.raises(ScenarioError, match=r"did you mean laptop\?"):
        Scenario.load("labtop", environment={})


def test_set_beats_environment_beats_file_beats_default(tmp_path):
    """And each value says where it came from."""
    file = tmp_path / "own.toml"
    file.write_text("[cluster]\nn_gpus = 1\ngpu = 'H200'\npue = 1.5\n")
    environment = {"MACROHARD_CLUSTER__N_GPUS": "2", "MACROHARD_CLUSTER__PUE": "1.2", "MACROHARD_FAST": "1"}
    scenario = Scenario.load(file, ["cluster.n_gpus=3"], environment)
    assert (scenario.cluster.n_gpus, scenario.cluster.pue, scenario.cluster.gpu) == (3, 1.2, "H200")
    assert scenario.origin("cluster.n_gpus") == "--set"
    assert scenario.origin("cluster.pue") == "environment MACROHARD_CLUSTER__PUE"
    assert scenario.origin("cluster.gpu") == str(file)
    assert scenario.origin("cluster.overhead") == "default"
    assert scenario.name == "own"


def test_a_misspelt_environment_variable_is_refused():
    """It would be ignored in silence otherwise."""
    with pytest.raises(ScenarioError, match=r"environment MACROHARD_CLUSTER__N_GPU.*did you mean cluster.n_gpus"):
        Scenario.load("laptop", environment={"MACROHARD_CLUSTER__N_GPU": "2"})


def test_set_takes_toml_and_bare_texts():
    """Tables, arrays, items of arrays, dates, none, and texts without quotes."""
    scenario = Scenario.load(
        "colossus2-phase1",
        [
            "power.sources.0.n_units=3",
            "power.sources.1={kind='solar', p_nom_mw=5}",
            "power.curtailment=[{date=2026-02-02, hours=2, mw=30}]",
            "cluster.n_gpus=120000",
            "cluster.build_out=[[2026-03-01, 120000]]",
            "serving.llm=kimi_k2",
            "run.name=2026",
            "run.start=2026-02-03",
            "cluster.pue=1.3",
            "cluster.pue=none",
            "power.megapack={n_units=10}",
        ],
        environment={},
    )
    assert [source.n_units for source in scenario.power.sources] == [3, 1]
    assert scenario.power.sources[1].kind == "solar"
    assert scenario.power.curtailment[0].date.hour == 0
    assert scenario.cluster.build_out[0].n_gpus == 120000
    assert (scenario.serving.llm, scenario.name, scenario.run.start) == ("Kimi-K2", "2026", date(2026, 2, 3))
    assert scenario.cluster.pue is None
    assert scenario.power.megapack.n_units == 10
    assert scenario.override(["power.sources=[]"]).power.sources == ()


@pytest.mark.parametrize(
    "setting", ["cluster", "=3", "cluster=3", "cluster..n_gpus=3", "cluster.n_gpus.x=3", "power.sources.9.n_units=3"]
)
def test_a_setting_that_sets_nothing_is_refused(setting):
    """Wrong form, no such place."""
    assert len(faults("[power]\nsources = []", setting)) == 1


def test_the_faults_of_file_environment_and_set_come_together(tmp_path):
    """One line each, each with its place."""
    file = tmp_path / "own.toml"
    file.write_text("[cluster]\nn_gpus = -1\n")
    with pytest.raises(ScenarioError) as refused:
        Scenario.load(file, ["run.seed=-1"], {"MACROHARD_RUN__TICK_S": "0"})
    lines = str(refused.value).splitlines()
    assert len(lines) == 3
    assert "(--set): run.seed" in lines[1] and "(environment MACROHARD_RUN__TICK_S): run.tick_s" in lines[0]


def test_a_warm_up_left_out_is_a_day_or_a_quarter():
    """Short runs need no second setting."""
    assert Scenario.parse("").run.warmup_h == 24
    assert Scenario.load("colossus2-phase1", ["run.horizon_h=24"], {}).run.warmup_h == 6


@pytest.mark.parametrize("name", bundled())
def test_a_bundled_scenario_reads_back_equal(name):
    """Loaded, written out with all values, read again: equal, with an equal fingerprint."""
    scenario = Scenario.load(name, environment={})
    again = Scenario.parse(scenario.to_toml())
    assert again == scenario and again.sha256 == scenario.sha256 and hash(again) == hash(scenario)
    assert scenario.name == name and scenario.run.about
    assert rough_bugs_per_ticket(scenario.backlog, scenario.capability, scenario.quality) < 0.5


@pytest.mark.parametrize("name", bundled())
def test_every_figure_of_a_bundled_site_has_a_source_or_is_marked_assumed(name):
    """In [cluster], [power], [serving] and below, lines with a figure carry a comment, unless it is 0."""
    section = ""
    for line in source_text(name).splitlines():
        section = line.strip("[] ").split("]")[0] if line.startswith("[") else section
        key, _, value = line.partition(" = ")
        figure = value.split("#")[0].strip()
        if section.split(".")[0] in ("cluster", "power", "serving") and figure[:1].isdecimal() and figure != "0":
            assert "#" in line or (name == "laptop" and key == "n_gpus"), f"{name}: {line}"


def test_the_default_scenario_is_the_one_of_the_interface():
    """110,000 GB200, 30 MW of grid, 7 Titan 350, 168 Megapacks; at least 2,000 agents for 1 to 2.5 million."""
    scenario = Scenario.load(environment={})
    assert scenario.name == "colossus2-phase1" == names.DEFAULT_SCENARIO == next(iter(bundled()))
    assert (scenario.cluster.gpu, scenario.cluster.n_gpus, scenario.power.grid_mw) == ("GB200", 110_000, 30)
    assert (scenario.power.sources[0].kind, scenario.power.sources[0].n_units) == ("titan350", 7)
    assert scenario.power.megapack.n_units == 168
    assert scenario.n_agents >= 2000
    assert 1e6 <= scenario.n_agents * scenario.workforce.weight <= 2.5e6


def test_a_million_agents_and_a_million_tickets_are_allowed():
    """As is a year of minutes for a thousand agents."""
    Scenario.parse("[workforce]\ncoding = 1_000_000\n[backlog]\nn_epics = 90_000\n")
    Scenario.parse("[workforce]\ncoding = 1_000\n[run]\nhorizon_h = 8760\n[backlog]\narrivals_per_day = 1_000\n")


def test_the_estimate_grows_with_what_is_asked_for():
    """More agents, tickets and hours never need less."""
    base = Scenario.parse("")
    for change in ("workforce.coding=5000", "backlog.n_epics=5000", "run.horizon_h=5000"):
        more = base.override([change])
        for one, other in zip(
            vars(estimate(base.run, base.workforce, base.backlog)).values(),
            vars(estimate(more.run, more.workforce, more.backlog)).values(),
            strict=True,
        ):
            assert other >= one


def test_every_key_says_what_it_is_and_takes():
    """Keys whose name says it all are few."""
    silent = [path for path, field in leaves(Scenario) if not field.description]
    assert len(silent) < 20, silent
    reference = markdown()
    for path, _ in leaves(Scenario):
        assert f"| `{path[-1]}` |" in reference


def test_the_reference_in_docs_is_the_one_the_package_makes():
    """Run `macrohard schema --markdown > docs/scenario.md` after changing a key."""
    assert (Path(__file__).parents[1] / "docs" / "scenario.md").read_text(encoding="utf-8") == markdown()


@pytest.mark.parametrize("name", bundled())
def test_the_commented_form_reads_back_equal(name):
    """With all keys, and with the marks of the defaults taken away, too."""
    scenario = Scenario.load(name, environment={})
    text = commented(scenario, "own.toml")
    assert Scenario.parse(text) == scenario
    bare = "\n".join(line.removeprefix("# ") if " = " in line and "[" in line else line for line in text.splitlines())
    assert Scenario.parse(bare) == scenario
    assert set(tomllib.loads(bare)) == set(Scenario.model_fields)


def test_the_backlog_file_lies_beside_the_scenario_and_counts_by_its_content(tmp_path):
    """Moving both changes nothing; changing a ticket does."""
    prints = []
    for folder, content in (("a", "id\n1\n"), ("b", "id\n1\n"), ("c", "id\n2\n")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "work.csv").write_text(content)
        (tmp_path / folder / "own.toml").write_text("[backlog]\nfile = 'work.csv'\n")
        prints.append(Scenario.load(tmp_path / folder / "own.toml", environment={}).sha256)
    assert prints[0] == prints[1] != prints[2]


VALUES = ["-1", "0", "1e400", "nan", "-inf", '"x"', "''", "[]", "[[]]", "{}", "true", "2026-01-01", "07:32:00"]
VALUES += ["9" * 400, "0x7fffffffffffffff", "[1, 'a']", "{a = {b = {}}}", '"\\u0000"', '"\\U0001F600"', "1e-320"]
VALUES += ["[" * 99 + "]" * 99]


def mutated(text: str, dice: random.Random) -> bytes:
    """A scenario with a few lines or bytes changed, as a slip of the hand or malice would."""
    lines = text.splitlines()
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(lines))
        key, equals, _ = lines[place].partition("=")
        match dice.randrange(6):
            case 0 if equals:
                lines[place] = f"{key}= {dice.choice(VALUES)}"
            case 1:
                lines.insert(place, dice.choice(lines))
            case 2:
                del lines[place]
                lines = lines or [""]
            case 3:
                lines[place] = lines[place].replace(dice.choice(lines[place] or " "), chr(dice.randrange(0x300)))
            case 4:
                lines[place] = f"{key[: dice.randrange(len(key) + 1)]}{key}={dice.choice(VALUES)}"
            case _:
                lines[place] = dice.choice(["[power]", "[[power.sources]]", "[[run]]", "[a.b.c]", "x", "'", '"""'])
    content = bytearray("\n".join(lines).encode())
    for _ in range(dice.choice([0, 0, 1, 3])):
        content[dice.randrange(len(content) or 1) : 1] = bytes([dice.randrange(256)])
    return bytes(content)


@pytest.mark.parametrize("seed", range(20))
def test_mutated_files_are_taken_or_refused_in_words(seed, tmp_path):
    """4,000 damaged scenarios: each loads and reads back equal, or is refused line by line; nothing else is raised."""
    dice = random.Random(seed)
    texts = [source_text(name) for name in bundled()] + [Scenario.parse("").to_toml()]
    file = tmp_path / "own.toml"
    for _ in range(200):
        file.write_bytes(mutated(dice.choice(texts), dice))
        try:
            scenario = Scenario.load(file, environment={})
        except ScenarioError as refused:
            lines = str(refused).splitlines()
            assert len(lines) == min(len(refused.faults), 101)
            assert all(line.startswith(str(file)) and line.isprintable() for line in lines)
        else:
            assert Scenario.parse(scenario.to_toml()) == scenario


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_no_setting_whatever_ends_in_a_traceback(key, value):
    """Neither an odd key nor an odd value."""
    for setting in (f"{key}={value}", key, f"run.{key}={value}", f"serving.llm={value}", f"power.sources={value}"):
        try:
            Scenario.parse("", settings=[setting])
        except ScenarioError as refused:
            assert str(refused).isprintable() or "\n" in str(refused)


def test_the_names_known_at_the_door_are_those_of_the_tables():
    """The lists that need no JAX say what the code behind them says."""
    from agents import teams
    from macrohard.colossus.policies import POLICIES

    assert set(names.DISPATCH) == set(POLICIES)
    assert set(names.TOPOLOGIES) == set(teams.TOPOLOGIES)
    assert set(names.SCAFFOLDS) == set(names.rows("scaffolds"))
    assert {"GB200", "H100"} <= set(names.rows("gpus")) and "DeepSeek-R1" in names.rows("llms")
    assert {"smt130", "titan350", "pe6000", "recip", "solar", "gas_turbine"} <= set(names.supplies())


def test_an_error_crosses_to_another_process_whole():
    """Pickled and back, as a pool of workers does."""
    import pickle

    with pytest.raises(ScenarioError) as refused:
        Scenario.parse("[run]\nseed = -1")
    assert str(pickle.loads(pickle.dumps(refused.value))) == str(refused.value)
    scenario = Scenario.load("laptop", ["run.seed=5"], {})
    again = pickle.loads(pickle.dumps(scenario))
    assert again == scenario and again.origin("run.seed") == "--set"


def test_override_takes_pairs_as_it_takes_texts():
    """Numbers, texts, dates and nothing; a single text is one setting."""
    base = Scenario.parse("")
    pairs = [
        ("cluster.n_gpus", 16),
        ("cluster.gpu", "B200"),
        ("run.start", date(2026, 7, 1)),
        ("serving.gpus_per_replica", None),
    ]
    texts = ["cluster.n_gpus=16", "cluster.gpu=B200", "run.start=2026-07-01", "serving.gpus_per_replica=none"]
    assert base.override(pairs) == base.override(texts) == base.override([*texts[:2], *pairs[2:]])
    assert base.override("run.seed=3").run.seed == 3
    with pytest.raises(ScenarioError, match="cluster.n_gpus"):
        base.override([("cluster.n_gpus", -1)])


def test_a_scenario_written_whole_lays_out_the_same_plant():
    """Figures that the table of turbines has too are not taken for set because the file names all keys."""
    from macrohard.siting import site_of_scenario

    scenario = Scenario.load("colossus2-full", environment={})
    again = Scenario.parse(scenario.to_toml())
    for one, other in zip(
        jax.tree.leaves(site_of_scenario(scenario)), jax.tree.leaves(site_of_scenario(again)), strict=True
    ):
        assert (np.asarray(one) == np.asarray(other)).all()
