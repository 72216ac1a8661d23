"""A real Jupyter kernel: whatever ends it, no process and no socket stays."""

import queue
import time

import jupyter_client
import psutil
import pytest

pytestmark = pytest.mark.slow

BEGIN = """
import fedlab, numpy as np, tensorflow as tf, tensorflow_federated as tff
count_to = tff.tensorflow.computation(
    lambda n: tf.while_loop(lambda i: i < n, lambda i: i + 1, [tf.constant(0, tf.int64)])[0], np.int64
)
total = tff.federated_computation(
    lambda x: tff.federated_sum(tff.federated_map(count_to, x)), tff.FederatedType(np.int64, tff.CLIENTS)
)
print(total([5, 6]))
"""
ENDLESS = "print('begun', flush=True); total([2**62] * 3)"


class Kernel:
    """A kernel and a client to it."""

    def __init__(self):
        self.manager, self._client = jupyter_client.manager.start_new_kernel(
            kernel_name="python3", startup_timeout=120
        )

    def run(self, code, *, until=None, within_s=120):
        """Runs a cell; returns what it printed and the name of its error, or "" where it had none."""
        request, printed = self._client.execute(code), ""
        while True:
            message = self._next_message(within_s)
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            if message["msg_type"] == "stream":
                printed += content["text"]
                if until and until in printed:
                    return printed, request
            elif message["msg_type"] == "error":
                return printed, content["ename"]
            elif message["msg_type"] == "status" and content["execution_state"] == "idle":
                return printed, ""

    def error_of(self, request, within_s=60):
        """Waits for a cell that is under way to end; returns the name of its error."""
        name = ""
        while True:
            message = self._next_message(within_s)
            if message["parent_header"].get("msg_id") != request:
                continue
            if message["msg_type"] == "error":
                name = message["content"]["ename"]
            elif message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                time.sleep(0.5)  # Jupyter drops cells that it finds waiting after an error.
                return name

    def _next_message(self, within_s):
        try:
            return self._client.get_iopub_msg(timeout=within_s)
        except queue.Empty:
            pytest.fail(f"The kernel said nothing for {within_s} s.")

    def family(self):
        """The kernel's process and all its descendants."""
        kernel = psutil.Process(self.manager.provisioner.process.pid)
        return [kernel, *kernel.children(recursive=True)]

    def wait_until_ready(self):
        self._client.wait_for_ready(timeout=60)

    def close(self):
        self._client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.close()


def assert_gone(family, within_s=60):
    _, alive = psutil.wait_procs(family, timeout=within_s)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []


def listening_ports(process):
    return {
        connection.laddr.port for connection in process.net_connections() if connection.status == "LISTEN"
    }


def test_a_kernel_runs_rounds_without_child_or_socket_and_interrupts_and_restarts(kernel):
    own = kernel.family()
    ports = listening_ports(own[0])
    assert kernel.run(BEGIN) == ("11\n", "")
    # fedlab adds neither a process nor a listening socket to the kernel's own.
    assert [process.pid for process in kernel.family()] == [process.pid for process in own]
    assert listening_ports(own[0]) == ports

    _, request = kernel.run(ENDLESS, until="begun")
    time.sleep(1)
    kernel.manager.interrupt_kernel()
    assert kernel.error_of(request) == "KeyboardInterrupt"
    assert kernel.run("print(total([5, 6]))") == ("11\n", "")

    family = kernel.family()
    kernel.manager.restart_kernel(now=False)
    kernel.wait_until_ready()
    assert_gone(family)
    assert kernel.run("import fedlab; print(len(fedlab.__version__) > 0)") == ("True\n", "")


@pytest.mark.parametrize("ending", ["kill -9", "shutdown", "exit()"])
def test_a_kernel_that_ends_in_the_middle_of_a_round_leaves_nothing(kernel, ending):
    assert kernel.run(BEGIN) == ("11\n", "")
    family = kernel.family()
    if ending == "exit()":
        kernel.run(
            "import threading; threading.Thread(target=lambda: total([2**62] * 3), daemon=True).start()"
        )
        kernel.run("exit()")
    else:
        kernel.run(ENDLESS, until="begun")
    if ending == "kill -9":
        family[0].kill()
    elif ending == "shutdown":
        kernel.manager.shutdown_kernel(now=False)
    assert_gone(family, within_s=60)
