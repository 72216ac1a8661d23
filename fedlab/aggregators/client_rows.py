"""What each client sent, as one row of numbers for each dtype, so that all tensors are worked on as one."""

import tensorflow as tf


def flatten(value) -> tuple[tf.Tensor, ...]:
    """Puts all numbers of a structure into one row for each dtype, the dtypes in the order of appearance.

    ([[1., 2.]], 7, [3.]) -> ([1., 2., 3.], [7]).

    Args:
      value: structure of tensors of known shape, taken in the order of `tf.nest`.
    """
    parts = {}
    for tensor in tf.nest.flatten(value):
        parts.setdefault(tensor.dtype, []).append(tf.reshape(tensor, [tensor.shape.num_elements()]))
    return tuple(tf.concat(tensors, axis=0) for tensors in parts.values())


def unflatten(rows, specs):
    """Makes a structure again of the rows that `flatten` gave for it.

    Args:
      rows: a row of numbers for each dtype.
      specs: structure of `tf.TensorSpec`.
    """
    specs_of_dtypes = {}
    for spec in tf.nest.flatten(specs):
        specs_of_dtypes.setdefault(spec.dtype, []).append(spec)
    parts = {
        dtype: iter(tf.split(row, [spec.shape.num_elements() for spec in group]))
        for row, (dtype, group) in zip(rows, specs_of_dtypes.items(), strict=True)
    }
    return tf.nest.map_structure(lambda spec: tf.reshape(next(parts[spec.dtype]), spec.shape), specs)


def rows_of_stack(stack) -> list[tf.TensorArray]:
    """The rows of clients whose values are stacked.

    Args:
      stack: structure, not an empty one, of tensors of shape [clients, ...]; only the number of clients may
        be unknown.

    Returns:
      For each dtype, the clients' rows.
    """
    num_clients = tf.shape(tf.nest.flatten(stack)[0])[0]
    none = _no_rows(
        flatten(tf.nest.map_structure(lambda tensor: tf.zeros(tensor.shape[1:], tensor.dtype), stack))
    )

    def add_client(client, arrays):
        rows = flatten(tf.nest.map_structure(lambda tensor: tensor[client], stack))
        return client + 1, _write(arrays, client, rows)

    return list(tf.while_loop(lambda client, _: client < num_clients, add_client, (tf.constant(0), none))[1])


def rows_of_dataset(dataset: tf.data.Dataset) -> list[tf.TensorArray]:
    """The rows of clients in a dataset: each element what `flatten` gave for a client. Nothing is copied.

    Returns:
      For each dtype, the clients' rows.
    """

    def add_client(collected, rows):
        client, arrays = collected
        return client + 1, _write(arrays, client, rows)

    dataset = dataset.with_options(_without_optimizations())
    return list(dataset.reduce((tf.constant(0), _no_rows(dataset.element_spec)), add_client)[1])


def _without_optimizations():
    # tf.data's optimizer writes the dataset down as a graph, with all its tensors, and reads it again.
    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False
    options.autotune.enabled = False
    return options


def _no_rows(specs):
    return tuple(
        tf.TensorArray(spec.dtype, 0, dynamic_size=True, element_shape=spec.shape, clear_after_read=False)
        for spec in specs
    )


def _write(arrays, client, rows):
    return tuple(array.write(client, row) for array, row in zip(arrays, rows, strict=True))
