"""Where TFF computations run: in this process, on TFF's workers, or on remote ones.

Nothing here imports TensorFlow or TFF until a function is called.
"""


def use_in_process(*, clients_at_a_time=None, default_num_clients=0):
    """Runs TFF computations in this process, from now on; `import fedlab` calls this.

    Args:
      clients_at_a_time: how many clients of a cohort may run side by side; None is one for each CPU.
        Results do not depend on it.
      default_num_clients: how many clients there are where the arguments do not say.
    """
    from fedlab.runtime import in_process

    in_process.set_default(in_process.create_context(clients_at_a_time, default_num_clients))
