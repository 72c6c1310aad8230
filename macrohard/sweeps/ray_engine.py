"""Jobs on a Ray cluster (extra `ray`): one that is named, or a private one; never whatever happens to be running."""

import os
from typing import Any

from macrohard.store import StoreError
from macrohard.sweeps.pool import Event, Job


class RayEngine:
    """A Ray cluster as an engine: one task of one core per job."""

    def __init__(self, address: str = "", jobs: int | None = None) -> None:
        """Joins the cluster at an address, or starts one of `jobs` cores on this machine; a token is required.

        Told to keep to loopback, Ray listens on all interfaces all the same: it is the token that keeps others out.
        """
        os.environ["RAY_AUTH_MODE"] = "token"  # Ray reads these when it is imported
        if address and not (os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")):
            raise StoreError(f"{address}: set RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH; open clusters are not joined")
        if not address:
            import secrets

            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        try:
            import ray
        except ImportError:
            raise StoreError("ray: is not installed; pip install 'macrohard[ray]', or leave --engine out") from None
        more: dict[str, Any] = {} if address else {"num_cpus": jobs or os.cpu_count(), "_node_ip_address": "127.0.0.1"}
        ray.init(address=address or "local", include_dashboard=False, log_to_driver=False, **more)
        self._ray = ray
        self._work = ray.remote(num_cpus=1, max_retries=0)(_work)
        self._running: dict[Any, Job] = {}
        self._n = jobs or int(ray.cluster_resources().get("CPU", 1))

    @property
    def free(self) -> int:
        """Jobs that could be begun now."""
        return self._n - len(self._running)

    def begin(self, job: Job) -> None:
        """Begins a job."""
        self._running[self._work.remote(job)] = job

    def events(self, timeout_s: float) -> list[Event]:
        """What ended since."""
        if not self._running:
            return []
        ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        found = []
        for reference in ready:
            job = self._running.pop(reference)
            try:
                found.append(Event(job, rows=self._ray.get(reference)))
            except self._ray.exceptions.RayError:  # of the worker, of its node, for want of memory: all tried again
                found.append(Event(job, died=True))
        return found

    def close(self) -> None:
        """Leaves the cluster; a private one ends."""
        self._ray.shutdown()


def _work(job: Job) -> list[dict[str, Any]]:
    from macrohard.sweeps import worker

    worker.one_thread()
    return worker.work(job)
