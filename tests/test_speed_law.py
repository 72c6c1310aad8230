"""The curve of a stream's speed against the streams at once: the law of the tick, for the work of the tick."""

import numpy as np
import pytest
from small import small
from test_pools import two

from macrohard.blueprint import draw
from macrohard.colossus.cluster import fleet
from macrohard.colossus.serving import serve
from macrohard.floor.desks import demand
from macrohard.floor.tick import advance, clock_at
from macrohard.results.metrics import Kept, series
from macrohard.results.speed_law import speed_law

TICKS = 200


@pytest.mark.parametrize("scenario", [small(), two()], ids=["one LLM", "two LLMs"])
def test_the_curve_is_the_law_of_the_next_tick(scenario):
    """Where the curve has as many streams decoding as the law makes of the desks' own demand, it has its speed."""
    plan = draw(scenario)
    state = advance(plan.shop, plan.params, plan.opening(), TICKS)
    kept = Kept.of(plan.shop, plan.params, state)
    curves = speed_law(plan, kept, series(kept))
    params = plan.params
    asked = demand(state.desks, state.speed, params.tick_s, params.weight, plan.shop.n_llms)
    n_gpus = fleet(params.site.cluster, clock_at(params, state.tick).hour).n_serving * params.site.cluster.pool_share
    served = serve(params.site.serving, n_gpus, asked, 1.0)
    at_work = np.ravel(asked.n_streams) > 0
    assert len(curves) == at_work.sum() > 0
    for curve, streams, speed in zip(
        curves, np.ravel(served.streams_active)[at_work], np.ravel(served.tok_s_per_stream)[at_work], strict=True
    ):
        xs, ys = curve["streams_active"], curve["tok_s_per_stream"]
        assert len(xs) == len(ys) and (np.diff(xs) >= 0).all() and (np.diff(ys) <= 0).all()
        assert xs[0] < streams <= xs[-1]
        assert np.interp(streams, xs, ys) == pytest.approx(speed, rel=0.01)  # straight lines between points


def test_nobody_at_work_has_no_curve():
    """An idle factory has no work whose speed a law could tell."""
    plan = draw(small("backlog.mode=arrivals", "backlog.n_epics=1", "backlog.arrivals_per_day=0", "run.horizon_h=240"))
    state = advance(plan.shop, plan.params, plan.opening(), plan.n_ticks)
    kept = Kept.of(plan.shop, plan.params, state)
    assert not (np.asarray(state.desks.ticket) >= 0).any()
    assert speed_law(plan, kept, series(kept)) == []
