"""Sends only the largest numbers of an update, both ways, with error feedback at the server.

Sparsification: Aji and Heafield 2017, arXiv:1704.05021. Error feedback: Stich et al. 2018, arXiv:1809.07599.
"""

import collections
import numbers

import tensorflow as tf
import tensorflow_federated as tff

from fedlab.aggregators.client_norms import sum_of_squares, sum_squares_of_block
from fedlab.aggregators.largest_numbers import keep_largest, keep_largest_of_tensor
from fedlab.aggregators.value_types import check_numbers, zeros_in_graph
from fedlab.aggregators.wire_bytes import (
    bytes_of_nonzero,
    count_bytes,
    count_nonzero,
    count_uncompressed_bytes,
    is_nonzero,
)
from fedlab.aggregators.wrapper import WrapperFactory, next_computation


def subtract_kept(total, kept):
    """Returns what `keep_largest` left out: the total, with 0 where it kept a number."""
    return tf.nest.map_structure(
        lambda whole, part: tf.where(is_nonzero(part), tf.zeros([], whole.dtype), whole), total, kept
    )


def add(left, right):
    """Adds two structures."""
    return tf.nest.map_structure(tf.add, left, right)


def compress_upload(value, fraction):
    """Compresses one client's value, and measures what that does to it.

    Returns:
      (the value with zeros; OrderedDict of bytes and uncompressed_bytes, int64, and of squares and
      uncompressed_squares, float64).
    """
    tensors = tf.nest.flatten(value)
    kept = [keep_largest_of_tensor(tensor, fraction) for tensor in tensors]
    num_bytes = [
        bytes_of_nonzero(count_nonzero(numbers), tensor)
        for tensor, (_, numbers) in zip(tensors, kept, strict=True)
    ]
    squares = [sum_squares_of_block(numbers) for _, numbers in kept]
    measured = collections.OrderedDict(
        bytes=tf.add_n([tf.zeros([], tf.int64), *num_bytes]),
        uncompressed_bytes=count_uncompressed_bytes(value),
        squares=tf.add_n([tf.zeros([], tf.float64), *squares]),
        uncompressed_squares=sum_of_squares(value),
    )
    return tf.nest.pack_sequence_as(value, [sparse for sparse, _ in kept]), measured


class TopKFactory(WrapperFactory):
    """Compresses values on the way to the server, and the result on the way back to the clients.

    Upload: every client keeps `upload_fraction` of the numbers in each tensor, the largest. What it leaves
    out is lost: error feedback would have the client remember it until next time, but clients in TFF keep
    nothing between rounds, and may never be drawn again. `upload_kept` measures the loss.

    Download: the server keeps `download_fraction` of the result and remembers the rest as its residual, the
    state. The residual is added to the next result, so that nothing is lost, only late: the results of
    all rounds and the last residual add up to what the inner factory gave. A fraction of 1.0 turns either
    off.

    The inner factory decides whether it is weighted. As the outer factory, around a mean, it needs no
    more than that; inside a mean, as value_sum_factory, the residual of one round would be divided by the
    weights of the next: give it `download_fraction=1.0` there.

    The inner factory gets values with zeros in them, so that it may be any: bytes are counted as a sparse
    encoding would have them, not saved in this simulation.

    NaN and infinite values count as the largest. Integers are compressed as floats are. A round without
    clients gives what the inner factory makes of none, plus residual: around TFF's means that is NaN, unless
    they are made with no_nan_division=True.

    State: OrderedDict(residual=of the value type, top_k=the inner factory's state).

    Measurements:
      upload_bytes, upload_uncompressed_bytes: of all clients together, int64.
      upload_kept: how much of the clients' squared norms was sent, from 0 to 1, float32; 1 if all were 0,
        NaN if some were not finite.
      download_bytes, download_uncompressed_bytes: of one copy of the result, int64.
      top_k: the inner factory's measurements.
    """

    def __init__(self, inner_factory=None, *, upload_fraction=0.1, download_fraction=0.1):
        """Makes the factory.

        Args:
          inner_factory: factory that aggregates the clients' sparse values, weighted or not; default
            `tff.aggregators.SumFactory()`.
          upload_fraction: of the numbers in each tensor, how many a client sends, above 0, at most 1.
          download_fraction: of those in the result, how many the server sends.

        Raises:
          TypeError: inner_factory is not a factory; a fraction is not a number.
          ValueError: a fraction is out of range.
        """
        super().__init__(inner_factory)
        self.upload_fraction = _check_fraction("upload_fraction", upload_fraction)
        self.download_fraction = _check_fraction("download_fraction", download_fraction)

    def create(self, value_type, *weight_type):
        """Makes the aggregation process for values of a type: integers and floats, in any structure."""
        value_type = check_numbers(value_type, self)
        inner_process = self.inner_factory.create(value_type, *weight_type)
        _check_result(inner_process, value_type, self.inner_factory)

        def compress(value):
            return compress_upload(value, self.upload_fraction)

        def compress_download(result, residual):
            total = add(result, residual)
            sparse_result = keep_largest(total, self.download_fraction)
            return sparse_result, subtract_kept(total, sparse_result)

        @tff.tensorflow.computation
        def no_residual():
            return zeros_in_graph(value_type)

        @tff.federated_computation
        def initialize_fn():
            residual = tff.federated_eval(no_residual, tff.SERVER)
            return tff.federated_zip(
                collections.OrderedDict(residual=residual, top_k=inner_process.initialize())
            )

        def next_fn(state, value, *weight):
            # At the clients.
            sparse_value, upload = tff.federated_map(tff.tensorflow.computation(compress), value)

            # Inner aggregation.
            inner = inner_process.next(state["top_k"], sparse_value, *weight)
            upload = tff.federated_sum(upload)

            # At the server.
            result, residual = tff.federated_map(
                tff.tensorflow.computation(compress_download), (inner.result, state["residual"])
            )

            # Output.
            state = tff.federated_zip(collections.OrderedDict(residual=residual, top_k=inner.state))
            measurements = tff.federated_map(
                tff.tensorflow.computation(report), (upload, result, inner.measurements)
            )
            return tff.templates.MeasuredProcessOutput(state, result, measurements)

        return tff.templates.AggregationProcess(
            initialize_fn,
            next_computation(next_fn, initialize_fn.type_signature.result, value_type, weight_type),
        )


def report(upload, result, inner_measurements):
    """Makes the measurements of a round."""
    squares, no_loss = upload["uncompressed_squares"], tf.ones([], tf.float64)
    return collections.OrderedDict(
        upload_bytes=upload["bytes"],
        upload_uncompressed_bytes=upload["uncompressed_bytes"],
        upload_kept=tf.cast(
            tf.where(tf.equal(squares, 0.0), no_loss, upload["squares"] / squares), tf.float32
        ),
        download_bytes=count_bytes(result),
        download_uncompressed_bytes=count_uncompressed_bytes(result),
        top_k=inner_measurements,
    )


def _check_fraction(name, fraction):
    if not isinstance(fraction, numbers.Real):
        raise TypeError(f"{name}={fraction!r}: give a number, such as 0.1.")
    if not 0 < fraction <= 1:
        raise ValueError(f"{name}={fraction!r}: give a number above 0 and at most 1; 1 sends everything.")
    return float(fraction)


def _check_result(inner_process, value_type, inner_factory):
    given = inner_process.next.type_signature.result.result.member
    if not value_type.is_equivalent_to(given):
        raise TypeError(
            f"TopKFactory remembers what it did not send of the result, so the result must be of the value "
            f"type, {value_type}, but inner_factory={type(inner_factory).__name__}(...) gives {given}."
        )
