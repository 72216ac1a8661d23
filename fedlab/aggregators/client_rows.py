"""What the clients sent for one tensor, a row for each client, wherever the rows lie."""

import tensorflow as tf


class ClientRows:
    """The clients' values of one tensor, to be read a block of coordinates at a time.

    Attributes:
      num_clients: int32 scalar tensor.
      dtype: of the numbers.
      shape: `tf.TensorShape` of one client's tensor, fully known; coordinates are counted in row order.
    """

    def __init__(self, num_clients, dtype, shape, read_block):
        """Makes rows from a function that reads them.

        Args:
          num_clients: int32 scalar tensor.
          dtype: of the numbers.
          shape: of one client's tensor.
          read_block: function from a client's index and the first coordinate, int32 scalar tensors, and a
            number of coordinates, an int, to a tensor of that many numbers.
        """
        self.num_clients = num_clients
        self.dtype = dtype
        self.shape = tf.TensorShape(shape)
        self._read_block = read_block

    def read_block(self, client: tf.Tensor, start: tf.Tensor, size: int) -> tf.Tensor:
        """Reads `size` numbers of a client, from the coordinate `start` on; [size]."""
        return tf.ensure_shape(self._read_block(client, start, size), [size])


def rows_of_stack(stack: tf.Tensor) -> ClientRows:
    """The rows of a tensor of shape [clients, ...], of which only the number of clients may be unknown."""
    shape = stack.shape[1:]
    num_clients = tf.shape(stack)[0]
    flat = tf.reshape(stack, [num_clients, shape.num_elements()])

    def read_block(client, start, size):
        return tf.reshape(tf.slice(flat, [client, start], [1, size]), [size])

    return ClientRows(num_clients, stack.dtype, shape, read_block)


def rows_of_dataset(dataset: tf.data.Dataset) -> list[ClientRows]:
    """The rows of a dataset of clients: each element a tuple, one client's tensors of known shapes.

    The tensors stay where they are: nothing is copied before a block is read. To be called inside a
    `tf.function`.

    Returns:
      For each tensor of the tuple, its rows.
    """
    specs = dataset.element_spec
    none = [
        tf.TensorArray(spec.dtype, 0, dynamic_size=True, element_shape=[spec.shape.num_elements()])
        for spec in specs
    ]

    def add_client(collected, tensors):
        num_clients, arrays = collected
        rows = zip(arrays, tensors, strict=True)
        return num_clients + 1, tuple(array.write(num_clients, tf.reshape(row, [-1])) for array, row in rows)

    num_clients, arrays = dataset.reduce((tf.constant(0), tuple(none)), add_client)
    return [
        ClientRows(num_clients, spec.dtype, spec.shape, _reader_of(array))
        for array, spec in zip(arrays, specs, strict=True)
    ]


def _reader_of(array):
    return lambda client, start, size: tf.slice(array.read(client), [start], [size])
