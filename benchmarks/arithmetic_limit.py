"""What the arithmetic of one batch costs at the least: its matrix products, each in its fastest form.

A contender of `rounds.py`: the products are measured in the same run as the rounds. One batch of 8 x 100
characters needs 100 recurrent products forward and 100 backward, which follow each other, and a few
products over all characters at once. Everything else (gates, softmax, the optimizer) counts as nothing.

A product has several forms that give the same numbers, and TensorFlow's kernels run them at very different
speeds. Each is repeated inside one TensorFlow loop, so that no dispatch is measured.
"""

import dataclasses
import time
from collections.abc import Callable

import tensorflow as tf

import job
import taking_turns

_STEPS = job.ROWS * job.CHARACTERS  # 800 characters of a batch
_GATES = 3 * job.RNN_UNITS
_MEASURE_FOR_S = 0.1


@dataclasses.dataclass(frozen=True)
class Product:
    """left @ right, with either of them transposed first; and how often one batch needs it."""

    name: str
    left: tuple[int, int]
    right: tuple[int, int]
    times: int
    transpose_a: bool = False
    transpose_b: bool = False


PRODUCTS = (
    Product("recurrent, forward", (job.ROWS, job.RNN_UNITS), (job.RNN_UNITS, _GATES), job.CHARACTERS),
    Product(
        "recurrent, backward",
        *((job.ROWS, _GATES), (job.RNN_UNITS, _GATES), job.CHARACTERS),
        transpose_b=True,
    ),
    Product("recurrent weights' gradient", (_STEPS, job.RNN_UNITS), (_STEPS, _GATES), 1, transpose_a=True),
    Product("input, forward", (_STEPS, job.EMBEDDING_SIZE), (job.EMBEDDING_SIZE, _GATES), 1),
    Product("input, backward", (_STEPS, _GATES), (job.EMBEDDING_SIZE, _GATES), 1, transpose_b=True),
    Product("input weights' gradient", (_STEPS, job.EMBEDDING_SIZE), (_STEPS, _GATES), 1, transpose_a=True),
    Product("output, forward", (_STEPS, job.RNN_UNITS), (job.RNN_UNITS, job.VOCABULARY_SIZE), 1),
    Product(
        "output, backward",
        *((_STEPS, job.VOCABULARY_SIZE), (job.RNN_UNITS, job.VOCABULARY_SIZE), 1),
        transpose_b=True,
    ),
    Product(
        "output weights' gradient",
        *((_STEPS, job.RNN_UNITS), (_STEPS, job.VOCABULARY_SIZE), 1),
        transpose_a=True,
    ),
)


def forms_of(product: Product, right: tf.Tensor) -> dict[str, Callable[[tf.Tensor], tf.Tensor]]:
    """The product's forms, by name: functions of the left side.

    Where the right side holds weights, a transposed copy of it may be made before the loop.
    """
    a, b = product.transpose_a, product.transpose_b
    as_it_is = {
        "plain": lambda left: tf.matmul(left, right, transpose_a=a, transpose_b=b),
        "turned round": lambda left: tf.transpose(
            tf.matmul(right, left, transpose_a=not b, transpose_b=not a)
        ),
    }
    if a:  # A gradient of weights: both sides are new in every batch.
        return as_it_is
    stored = tf.transpose(right)
    return as_it_is | {
        "stored transposed": lambda left: tf.matmul(left, stored, transpose_b=not b),
        "stored transposed, turned round": lambda left: tf.transpose(
            tf.matmul(stored, left, transpose_a=b, transpose_b=True)
        ),
    }


class TimedForm:
    """One form of a product in a TensorFlow loop, over left sides that change from step to step."""

    def __init__(self, form: Callable[[tf.Tensor], tf.Tensor], left_shape: tuple[int, int]):
        lefts = tf.random.stateless_normal([4, *left_shape], seed=[1, 2])

        @tf.function
        def repeat(times: tf.Tensor) -> tf.Tensor:
            # The sum makes each step wait for the one before, and keeps the products from being left out.
            def step(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                with tf.control_dependencies([total]):
                    left = lefts[index % 4]
                return index + 1, total + form(left)[0, 0]

            return tf.while_loop(lambda index, _: index < times, step, [0, 0.0], parallel_iterations=1)[1]

        self._repeat = repeat

    def seconds(self) -> float:
        """Seconds of one product."""
        once = self._time(2) / 2
        times = max(4, min(2000, int(_MEASURE_FOR_S / once)))
        return self._time(times) / times

    def _time(self, times: int) -> float:
        times = tf.constant(times)
        started = time.perf_counter()
        self._repeat(times).numpy()
        return time.perf_counter() - started


class ArithmeticLimit:
    """The products of a batch, ready to be timed."""

    def __init__(self):
        self._timed = {}
        for product in PRODUCTS:
            right = tf.random.stateless_normal(product.right, seed=[3, 4])
            self._timed[product] = {
                name: TimedForm(form, product.left) for name, form in forms_of(product, right).items()
            }

    def measure(self) -> dict[str, dict]:
        """Of each product: seconds of each form, and how often a batch needs it."""
        return {
            product.name: {
                "forms": {name: timed.seconds() for name, timed in forms.items()},
                "times": product.times,
            }
            for product, forms in self._timed.items()
        }


if __name__ == "__main__":
    taking_turns.serve(ArithmeticLimit)
