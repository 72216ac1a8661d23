"""One call of a computation: how many clients, how many at a time, and whether to stop."""

import concurrent.futures
import threading

from tensorflow.python.eager import cancellation


class Run:
    """What all steps of one call of a computation share."""

    def __init__(self, num_clients, clients_at_a_time):
        """Args: num_clients: of this cohort; clients_at_a_time: how many may run side by side."""
        self.num_clients = num_clients
        self.clients_at_a_time = clients_at_a_time
        self.cancellation = cancellation.CancellationManager()
        self._stopped = threading.Event()

    def stop(self):
        """Ends the run: TensorFlow's steps that are under way, and all that would follow."""
        self._stopped.set()
        self.cancellation.start_cancel()

    def check(self):
        """Raises CancelledError once the run has been stopped."""
        if self._stopped.is_set():
            raise concurrent.futures.CancelledError("The computation was interrupted.")

    def for_each_client(self, function, arguments):
        """Calls a function for every client, some side by side; returns results in the clients' order.

        The first error stops the clients that have not begun, and is raised.
        """
        tasks = list(enumerate(arguments))
        workers = min(self.clients_at_a_time, len(tasks))
        if workers <= 1:
            return [self._one(function, index, argument) for index, argument in tasks]
        with concurrent.futures.ThreadPoolExecutor(workers, thread_name_prefix="fedlab-client") as pool:
            futures = [pool.submit(self._one, function, index, argument) for index, argument in tasks]
            try:
                return [future.result() for future in futures]
            except BaseException:
                for future in futures:
                    future.cancel()
                raise

    def _one(self, function, index, argument):
        self.check()
        return function(index, argument)
