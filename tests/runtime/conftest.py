"""TFF's own C++ worker, for the tests that compare with it."""

import pytest


@pytest.fixture(scope="session")
def worker_context():
    """A context on TFF's own worker, started for the whole session."""
    from fedlab.runtime import tff_workers, worker_process

    worker = worker_process.WorkerProcess(
        worker_process.find_binary(), deadline_s=120, reachable_from_network=True
    )
    yield tff_workers.local_context(worker, default_num_clients=0)
    worker.stop()


@pytest.fixture
def in_process():
    """Runs in this process during the test, and puts the default back afterwards."""
    import fedlab

    fedlab.runtime.use_in_process()
    yield
    fedlab.runtime.use_in_process()
