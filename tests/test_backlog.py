"""The backlog: real sizes, a graph without cycles, and files whose faults are all named."""

import time

import networkx as nx
import numpy as np
import pytest

from macrohard import backlog

SHARES = [0.7, 0.1, 0.1, 0.1]


def drawn(n_epics=40, tickets=10, seed=1, blocked=0.044, blockers=1.7):
    return backlog.generate(n_epics, tickets, 120.0, 0.73, np.arange(n_epics) * 2.0, blocked, blockers, SHARES, seed)


def test_kinds_are_those_of_the_agents():
    work = pytest.importorskip("agents.work")
    assert backlog.KINDS == work.KINDS


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("n_epics", "tickets"), [(1, 1), (3, 0), (40, 10), (700, 3)])
def test_rows_of_an_epic_lie_together_and_the_graph_has_no_cycle(n_epics, tickets, seed):
    made = drawn(n_epics, tickets, seed, blocked=0.5)
    dag = backlog.graph(made)
    assert nx.is_directed_acyclic_graph(dag)
    assert made.is_epic.sum() == n_epics and len(made.is_epic) == n_epics * (tickets + 1)
    rows = np.arange(len(made.epic))
    assert (made.epic[made.is_epic] == rows[made.is_epic]).all()
    assert (made.epic == np.maximum.accumulate(np.where(made.is_epic, rows, 0))).all()
    assert (np.diff(made.arrival_h) >= 0).all()
    assert all(made.epic[a] == made.epic[b] for a, b in dag.edges)


def test_needs_count_the_parents_and_every_ticket_needs_its_epic():
    made = drawn(700, 8, blocked=0.3)
    dag = backlog.graph(made)
    assert [degree for _, degree in sorted(dag.in_degree())] == made.n_needs.tolist()
    assert all(dag.has_edge(int(made.epic[row]), row) for row in dag if not made.is_epic[row])
    assert (made.n_needs[made.is_epic] == 0).all()


def test_shares_and_sizes_come_out_as_asked():
    """4.4 % blocked by 1.7 others, median 120 min, sd of ln 0.73, within sampling error of 5,000 tickets' graph."""
    made = drawn(5000, 10)
    tickets = ~made.is_epic
    blockers = made.n_needs[tickets] - 1
    assert (blockers > 0).mean() == pytest.approx(0.044, abs=0.009)
    assert blockers[blockers > 0].mean() == pytest.approx(1.7, abs=0.2)
    assert np.median(made.size_min[tickets]) == pytest.approx(120.0)
    assert np.log(made.size_min[tickets]).std() == pytest.approx(0.73, abs=0.01)
    assert (np.bincount(made.kind[tickets], minlength=4) / tickets.sum()).tolist() == pytest.approx(SHARES, abs=0.01)


def test_size_ratios_are_those_of_the_story_points():
    """0.77 is the pooled sd of ln(size / project median); a project's own is 0.73 (MODEL)."""
    ratios, shares, sd = backlog.size_ratios()
    assert shares.sum() == pytest.approx(1.0) and sd == pytest.approx(0.766, abs=0.005) and ratios.min() > 0


def test_the_same_seed_draws_the_same_backlog_and_another_seed_another():
    one, two, other = drawn(seed=7), drawn(seed=7), drawn(seed=8)
    assert all(np.array_equal(getattr(one, name), getattr(two, name)) for name in one.__dataclass_fields__)
    assert not np.array_equal(one.size_min, other.size_min)


def test_an_arrival_for_each_epic_is_asked_for():
    with pytest.raises(ValueError, match="3 arrivals for 4 epics"):
        backlog.generate(4, 2, 120.0, 0.7, [0.0, 1.0, 2.0], 0.0, 1.0, SHARES, 1)


def test_a_hundred_thousand_tickets_take_under_one_and_a_half_seconds():
    start = time.perf_counter()
    drawn(10_000, 10)
    assert time.perf_counter() - start < 1.5


def write(tmp_path, text):
    path = tmp_path / "backlog.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_becomes_rows_with_an_epic_before_its_tickets(tmp_path):
    path = write(
        tmp_path,
        "id,size_min,needs,epic,priority,kind\na,60,,pay,1,\nc,30,a;b,ship,0,frontend\nb,90,a,pay,,office\nd,15,,,3,\n",
    )
    made = backlog.read(path)
    # rows: 0 epic pay, 1 a, 2 b, 3 epic ship, 4 c, 5 epic of d alone, 6 d
    assert made.is_epic.tolist() == [True, False, False, True, False, True, False]
    assert made.epic.tolist() == [0, 0, 0, 3, 3, 5, 5]
    assert made.size_min.tolist() == [75.0, 60.0, 90.0, 30.0, 30.0, 15.0, 15.0]
    assert made.n_needs.tolist() == [0, 1, 2, 0, 3, 0, 1]
    assert made.children.tolist() == [[1, 2], [2, 4], [4, -1], [4, -1], [-1, -1], [6, -1], [-1, -1]]
    assert made.kind.tolist() == [0, 0, 3, 0, 1, 0, 0]
    assert made.priority.tolist() == [1, 1, 2, 0, 0, 3, 3]
    assert (made.arrival_h == 0).all()


def test_all_faults_of_a_file_are_named_at_once(tmp_path):
    path = write(
        tmp_path,
        "id,size_min,needs,epic,priority,kind\n"
        "a,60,c,e,1,\nb,-5,a,e,1,\nc,nan,b,e,9,\na,60,,e,1,\nd,60,zz d,e,1,magic\n,1e9,,e,1,\nf,5,,e,1,office,8\n",
    )
    with pytest.raises(ValueError) as caught:
        backlog.read(path)
    text = str(caught.value)
    for said in [
        "line 3: ticket 'b': size_min '-5'",
        "line 4: ticket 'c': size_min 'nan'",
        "line 4: ticket 'c': priority '9'",
        "line 5: id 'a' is already that of line 2",
        "line 6: ticket 'd' needs 'zz', which is no id of this file",
        "line 6: ticket 'd' needs itself",
        "kind 'magic' is not one of ordinary",
        "line 7: id is empty",
        "line 8: ticket 'f': more cells than columns",
        "cycle: ",
    ]:
        assert said in text
    ring = next(line for line in text.splitlines() if "cycle" in line)
    assert {"a", "b", "c"} <= set(ring.split("cycle: ")[1].split(" (")[0].split(" -> "))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("id,size_min,needs,epic\na,1,,e\n", "column 'priority' is missing"),
        ("id,size_min,needs,epic,priority,owner\na,1,,e,1,me\n", "unknown column 'owner'"),
        ("id,size_min,needs,epic,priority\n", "holds no tickets"),
        ("", "column 'id' is missing"),
    ],
)
def test_a_file_that_is_no_backlog_is_refused(tmp_path, text, said):
    with pytest.raises(ValueError, match=said):
        backlog.read(write(tmp_path, text))


def test_a_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="cannot be read"):
        backlog.read(tmp_path / "none.csv")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00id")
    with pytest.raises(ValueError, match="cannot be read"):
        backlog.read(tmp_path / "binary.csv")


def test_many_faults_are_shortened_and_a_long_chain_is_no_cycle(tmp_path):
    bad = "id,size_min,needs,epic,priority\n" + "".join(f"t{i},0,,e,1\n" for i in range(80))
    with pytest.raises(ValueError, match="30 more faults"):
        backlog.read(write(tmp_path, bad))
    chain = "id,size_min,needs,epic,priority\n" + "".join(
        f"t{i},5,{f't{i - 1}' if i else ''},e{i // 10},1\n" for i in range(5000)
    )
    assert backlog.read(write(tmp_path, chain)).n_needs.max() == 2


def test_one_huge_epic_is_refused_before_it_takes_the_memory(tmp_path):
    text = "id,size_min,needs,epic,priority\n" + "".join(f"t{i},5,,e,1\n" for i in range(8000))
    with pytest.raises(ValueError, match="use smaller epics"):
        backlog.read(write(tmp_path, text))
