"""Computations of every kind, each as a function that makes it and runs it.

A case is a function without arguments; it builds its computation, calls it in whatever context is
current, and returns what came back. Running it in two contexts compares them.
"""

import collections

import attrs
import numpy as np
import tensorflow as tf
import tensorflow_federated as tff

CASES = {}

FLOAT_AT_CLIENTS = tff.FederatedType(np.float32, tff.CLIENTS)
INT_AT_CLIENTS = tff.FederatedType(np.int32, tff.CLIENTS)
VECTOR = tff.TensorType(np.float32, [3])
STRUCT = tff.to_type(collections.OrderedDict(weights=VECTOR, bias=np.float32))
SCALAR_FLOAT = tff.TensorType(np.float32)
VECTORS = [
    np.array([1, 2, 3], np.float32),
    np.array([4, 0, -6], np.float32),
    np.array([0.5, 0.25, 9], np.float32),
]
STRUCTS = [
    collections.OrderedDict(weights=vector, bias=np.float32(index)) for index, vector in enumerate(VECTORS)
]


def case(function):
    CASES[function.__name__] = function
    return function


# --- Values, types and containers --------------------------------------------------------------------


@attrs.define
class Attributes:
    a: object
    b: object


Point = collections.namedtuple("Point", "x y")


@case
def tensorflow_computation():
    return tff.tensorflow.computation(lambda x: x + 1, np.int32)(41)


@case
def tensors_of_every_dtype():
    dtypes = [np.bool_, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64]
    dtypes += [np.float16, np.float32, np.float64, np.complex64, np.complex128]
    return [
        tff.tensorflow.computation(lambda x: tf.identity(x), tff.TensorType(dtype, [2]))(
            np.array([0, 1], dtype)
        )
        for dtype in dtypes
    ]


@case
def scalars_of_every_dtype():
    dtypes = [
        np.bool_,
        np.int8,
        np.int32,
        np.int64,
        np.uint8,
        np.float16,
        np.float32,
        np.float64,
        np.complex64,
    ]
    return [tff.tensorflow.computation(lambda x: tf.identity(x), dtype)(dtype(1)) for dtype in dtypes]


@case
def strings():
    join = tff.tensorflow.computation(lambda x: tf.strings.join([x, "!"]), np.str_)
    vector = tff.tensorflow.computation(lambda x: tf.strings.upper(x), tff.TensorType(np.str_, [2]))
    return join("a"), join(b"b\x00c"), vector(["x", "yz"])


@case
def every_python_container():
    @tff.tensorflow.computation
    def make():
        one = tf.constant(1.0)
        return collections.OrderedDict(
            dictionary={"b": one, "a": one + 1},
            ordered=collections.OrderedDict([("z", one), ("y", one + 1)]),
            named=Point(one, one + 1),
            attrs=Attributes(one, [one, (one,)]),
            list=[one, (), []],
            nested={"x": {"y": (one, {"z": one})}},
        )

    return make()


@case
def containers_as_arguments():
    type_spec = tff.StructWithPythonType(
        [
            ("p", tff.StructWithPythonType([("x", np.int32), ("y", np.int32)], Point)),
            ("q", [np.int32, np.int32]),
        ],
        collections.OrderedDict,
    )
    swap = tff.tensorflow.computation(lambda v: (v["q"], v["p"]), type_spec)
    return swap(collections.OrderedDict(p=Point(1, 2), q=[3, 4])), swap({"p": Point(5, 6), "q": (7, 8)})


@case
def several_arguments_by_position_and_name():
    subtract = tff.tensorflow.computation(lambda a, b: a - b, (np.int32, np.int32))
    return subtract(5, 3), subtract(a=1, b=2), subtract(1, b=9)


@case
def a_polymorphic_computation():
    double = tff.tensorflow.computation(lambda x: x + x)
    return double(3), double(1.5), double("ab"), double(np.ones([2], np.float64))


@case
def shapes_unknown_until_called():
    count = tff.tensorflow.computation(lambda x: tf.size(x), tff.TensorType(np.float32, [None]))
    return count(np.zeros(3, np.float32)), count(np.zeros(0, np.float32)), count([1.0, 2.0])


@case
def ragged_and_sparse_inside():
    @tff.tensorflow.computation(tff.TensorType(np.int32, [None]))
    def make(numbers):
        ragged = tf.RaggedTensor.from_row_lengths(numbers, [2, 1])
        return tf.reduce_sum(ragged, axis=1), tf.sparse.to_dense(tf.sparse.from_dense(ragged.to_tensor()))

    return make([1, 2, 3])


@case
def an_empty_structure():
    return tff.federated_computation(lambda: ())(), tff.tensorflow.computation(lambda: ())()


@case
def an_argument_returned_as_it_came():
    return tff.tensorflow.computation(lambda x: x, VECTOR)(VECTORS[0])


@case
def variables_with_initial_values():
    @tff.tensorflow.computation(np.float32)
    def count(x):
        variable = tf.Variable(2.0)
        other = tf.Variable(20.0)
        with tf.control_dependencies([variable.assign_add(x)]):
            return variable.read_value(), other.read_value()

    return count(1.0), count(1.0)


@case
def a_lookup_table():
    @tff.tensorflow.computation(tff.TensorType(np.str_, [None]))
    def look_up(words):
        table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)
        return table.lookup(words)

    return look_up(["a", "z", "b"])


@case
def a_table_that_grows():
    @tff.tensorflow.computation(tff.TensorType(np.str_, [None]))
    def count(words):
        table = tf.lookup.experimental.MutableHashTable(tf.string, tf.int64, 0)
        with tf.control_dependencies([table.insert(words, tf.ones_like(words, tf.int64))]):
            return table.size()

    return count(["a", "b"]), count(["c"])


@case
def loops_and_branches():
    def next_number(n, steps):
        return tf.cond(tf.equal(n % 2, 0), lambda: n // 2, lambda: 3 * n + 1), steps + 1

    @tff.tensorflow.computation(np.int32)
    def collatz(n):
        return tf.while_loop(lambda n, steps: tf.not_equal(n, 1), next_number, (n, 0))[1]

    return [collatz(n) for n in (1, 6, 27)]


@case
def computations_that_call_computations():
    add = tff.tensorflow.computation(lambda a, b: a + b, (np.int32, np.int32))
    twice = tff.tensorflow.computation(lambda a: add(a, add(a, a)), np.int32)
    return tff.federated_computation(lambda a: [twice(a), add(a, twice(a))], np.int32)(4)


@case
def two_graphs_whose_functions_share_a_name():
    def make(factor):
        @tff.tensorflow.computation(np.float32)
        def scale(x):
            @tf.function
            def inner(y):
                return y * factor

            return inner(x)

        return scale

    first, second = make(2.0), make(3.0)
    return tff.federated_computation(lambda x: (first(x), second(x), first(second(x))), np.float32)(1.0)


@case
def a_part_of_a_structure():
    pick = tff.federated_computation(lambda x: x.weights, STRUCT)
    return pick(STRUCTS[1])


# --- Placed values ---------------------------------------------------------------------------------


@case
def identity_at_both_placements():
    at_clients = tff.federated_computation(lambda x: x, tff.FederatedType(STRUCT, tff.CLIENTS))(STRUCTS)
    at_server = tff.federated_computation(lambda x: x, tff.FederatedType(STRUCT, tff.SERVER))(STRUCTS[0])
    return at_clients, at_server


@case
def value_at_both_placements():
    @tff.federated_computation(FLOAT_AT_CLIENTS)
    def place(unused):
        return tff.federated_value(1, tff.CLIENTS), tff.federated_value([2.0, 3.0], tff.SERVER)

    return place([0.0, 0.0])


@case
def eval_at_both_placements():
    constant = tff.tensorflow.computation(lambda: tf.constant([1.0, 2.0]))

    @tff.federated_computation(FLOAT_AT_CLIENTS)
    def evaluate(x):
        return tff.federated_eval(constant, tff.CLIENTS), tff.federated_eval(constant, tff.SERVER), x

    return evaluate([0.0, 1.0])


@case
def broadcast():
    @tff.federated_computation(tff.FederatedType(VECTOR, tff.SERVER), FLOAT_AT_CLIENTS)
    def send(x, unused):
        return tff.federated_broadcast(x)

    return send(VECTORS[0], [1.0, 2.0])


@case
def map_at_both_placements():
    double = tff.tensorflow.computation(lambda x: x * 2, np.float32)

    @tff.federated_computation(FLOAT_AT_CLIENTS, tff.FederatedType(np.float32, tff.SERVER))
    def both(at_clients, at_server):
        return tff.federated_map(double, at_clients), tff.federated_map(double, at_server)

    return both([1.0, 2.0, 3.0], 4.0)


@case
def map_of_a_broadcast():
    add = tff.tensorflow.computation(lambda a, b: a + b, (np.float32, np.float32))

    @tff.federated_computation(tff.FederatedType(np.float32, tff.SERVER), FLOAT_AT_CLIENTS)
    def at_each(model, data):
        return tff.federated_map(add, (tff.federated_broadcast(model), data))

    return at_each(10.0, [1.0, 2.0])


@case
def zip_of_nested_structures():
    @tff.federated_computation(FLOAT_AT_CLIENTS, INT_AT_CLIENTS, tff.FederatedType(np.int32, tff.SERVER))
    def together(a, b, s):
        return tff.federated_zip({"x": a, "y": [b, (a,)]}), tff.federated_zip([s, {"t": s}])

    return together([1.0, 2.0], [3, 4], 5)


@case
def all_equal_clients():
    @tff.federated_computation(tff.FederatedType(np.int32, tff.CLIENTS, all_equal=True), FLOAT_AT_CLIENTS)
    def both(same, different):
        negate = tff.tensorflow.computation(lambda x: -x, np.int32)
        return same, tff.federated_map(negate, same), tff.federated_zip([same, different])

    return both(7, [1.0, 2.0])


@case
def selection_from_placed_structures():
    @tff.federated_computation(tff.FederatedType(STRUCT, tff.CLIENTS), tff.FederatedType(STRUCT, tff.SERVER))
    def pick(clients, server):
        return clients.weights, server.bias, tff.federated_sum(clients.bias)

    return pick(STRUCTS, STRUCTS[2])


@case
def sum_of_structures():
    return tff.federated_computation(tff.federated_sum, tff.FederatedType(STRUCT, tff.CLIENTS))(STRUCTS)


@case
def mean_and_weighted_mean():
    @tff.federated_computation(tff.FederatedType(STRUCT, tff.CLIENTS), FLOAT_AT_CLIENTS)
    def means(value, weight):
        return tff.federated_mean(value), tff.federated_mean(value, weight)

    return means(STRUCTS, [1.0, 2.0, 5.0])


@case
def min_and_max():
    @tff.federated_computation(tff.FederatedType(STRUCT, tff.CLIENTS), INT_AT_CLIENTS)
    def extremes(value, number):
        return tff.federated_min(value), tff.federated_max(value), tff.federated_min(number)

    return extremes(STRUCTS, [3, -1, 2])


@case
def aggregate():
    zero = tff.tensorflow.computation(lambda: (0.0, 0))
    accumulate = tff.tensorflow.computation(
        lambda a, v: (a[0] + v, a[1] + 1), ((np.float32, np.int32), np.float32)
    )
    merge = tff.tensorflow.computation(
        lambda a, b: (a[0] + b[0], a[1] + b[1]), ((np.float32, np.int32), (np.float32, np.int32))
    )
    report = tff.tensorflow.computation(
        lambda sum_, count: sum_ / tf.cast(count, tf.float32), (np.float32, np.int32)
    )

    @tff.federated_computation(FLOAT_AT_CLIENTS)
    def average(x):
        return tff.federated_aggregate(x, zero(), accumulate, merge, report)

    return average([1.0, 2.0, 6.0])


@case
def no_clients_at_all():
    @tff.federated_computation(FLOAT_AT_CLIENTS)
    def total(x):
        return tff.federated_sum(x), tff.federated_max(x)

    return total([])


@case
def secure_sums():
    @tff.federated_computation(INT_AT_CLIENTS)
    def sums(x):
        return (
            tff.federated_secure_sum(x, 100),
            tff.federated_secure_sum_bitwidth(x, 8),
            tff.backends.mapreduce.federated_secure_modular_sum(x, 7),
        )

    return sums([3, 4, 5])


def select_with(intrinsic):
    keys_type = tff.FederatedType(tff.TensorType(np.int32, [2]), tff.CLIENTS)
    value_type = tff.FederatedType(tff.TensorType(np.str_, [4]), tff.SERVER)
    pick = tff.tensorflow.computation(
        lambda value, key: tf.gather(value, key), (tff.TensorType(np.str_, [4]), np.int32)
    )

    @tff.federated_computation(keys_type, tff.FederatedType(np.int32, tff.SERVER), value_type)
    def select(keys, max_key, value):
        return intrinsic(keys, max_key, value, pick)

    slices = select([[0, 1], [3, 3]], 3, ["a", "b", "c", "d"])
    return [[element.numpy() for element in dataset] for dataset in slices]


@case
def select():
    return select_with(tff.federated_select)


@case
def secure_select():
    return select_with(tff.federated_secure_select)


@case
def a_select_that_clients_read():
    keys_type = tff.FederatedType(tff.TensorType(np.int32, [2]), tff.CLIENTS)
    value_type = tff.FederatedType(tff.TensorType(np.float32, [4, 2]), tff.SERVER)
    row = collections.OrderedDict(key=np.int32, row=tff.TensorType(np.float32, [2]))
    pick = tff.tensorflow.computation(
        lambda value, key: collections.OrderedDict(key=key, row=value[key]), (value_type.member, np.int32)
    )
    total = tff.tensorflow.computation(
        lambda rows: rows.reduce(tf.zeros([2]), lambda sum_, item: sum_ + item["row"]), tff.SequenceType(row)
    )

    @tff.federated_computation(keys_type, tff.FederatedType(np.int32, tff.SERVER), value_type)
    def select(keys, max_key, value):
        return tff.federated_map(total, tff.federated_select(keys, max_key, value, pick))

    return select([[0, 1], [3, 3], [2, 0]], 3, np.arange(8, dtype=np.float32).reshape(4, 2))


# --- Sequences -----------------------------------------------------------------------------------------


@case
def datasets_in_and_out():
    batches = tff.SequenceType(collections.OrderedDict(b=VECTOR, a=np.int32))
    double = tff.tensorflow.computation(
        lambda data: data.map(lambda item: collections.OrderedDict(b=item["b"] * 2, a=item["a"] + 1)), batches
    )
    data = tf.data.Dataset.from_tensor_slices(
        collections.OrderedDict(b=np.stack(VECTORS), a=np.array([1, 2, 3], np.int32))
    )
    return double(data), double(list(data.as_numpy_iterator()))


@case
def a_reduction_inside_tensorflow():
    total = tff.tensorflow.computation(
        lambda data: data.reduce(0, lambda a, b: a + b), tff.SequenceType(np.int32)
    )
    return total([1, 2, 3]), total([]), total(tf.data.Dataset.range(4, output_type=tf.int32))


@case
def sequence_reduce():
    add = tff.tensorflow.computation(lambda a, b: a + b, (np.int32, np.int32))
    total = tff.federated_computation(
        lambda data: tff.sequence_reduce(data, 10, add), tff.SequenceType(np.int32)
    )
    return total([1, 2, 3]), total(tf.data.Dataset.range(5, output_type=tf.int32))


@case
def sequence_map_and_reduce_at_clients():
    square = tff.tensorflow.computation(lambda x: x * x, np.int32)
    add = tff.tensorflow.computation(lambda a, b: a + b, (np.int32, np.int32))

    @tff.federated_computation(tff.FederatedType(tff.SequenceType(np.int32), tff.CLIENTS))
    def sums(data):
        return tff.federated_map(
            tff.federated_computation(
                lambda d: tff.sequence_reduce(tff.sequence_map(square, d), 0, add), tff.SequenceType(np.int32)
            ),
            data,
        )

    return sums([[1, 2], [3], []])


# --- tff.aggregators -----------------------------------------------------------------------------------


def rounds_of(process, *arguments, num_rounds=2):
    """Runs an aggregation process, or any with `initialize` and `next`, for some rounds."""
    state, outputs = process.initialize(), []
    for _ in range(num_rounds):
        output = process.next(state, *arguments)
        state = output.state
        outputs.append(output)
    return outputs


def unweighted(name, make_factory, value_type=STRUCT, clients=STRUCTS):
    CASES[f"aggregators_{name}"] = lambda: rounds_of(make_factory().create(tff.to_type(value_type)), clients)


def weighted(name, make_factory):
    CASES[f"aggregators_{name}"] = lambda: rounds_of(
        make_factory().create(STRUCT, SCALAR_FLOAT), STRUCTS, [1.0, 2.0, 5.0]
    )


aggregators = tff.aggregators
INTS = [np.array([1, 2, 3], np.int32), np.array([4, 0, 6], np.int32), np.array([0, 7, 9], np.int32)]
INT_VECTOR = tff.TensorType(np.int32, [3])

unweighted("sum", aggregators.SumFactory)
unweighted("unweighted_mean", aggregators.UnweightedMeanFactory)
weighted("mean", aggregators.MeanFactory)
weighted("zeroing_mean", lambda: aggregators.zeroing_factory(5.0, aggregators.MeanFactory()))
weighted("clipping_mean", lambda: aggregators.clipping_factory(1.5, aggregators.MeanFactory()))
weighted(
    "clipping_at_an_estimated_norm",
    lambda: aggregators.clipping_factory(
        aggregators.PrivateQuantileEstimationProcess.no_noise(1.0, 0.5, 0.2), aggregators.MeanFactory()
    ),
)
weighted("robust", tff.learning.robust_aggregator)
unweighted("secure_sum", lambda: aggregators.SecureSumFactory(10.0, -10.0), VECTOR, VECTORS)
unweighted("secure_sum_of_integers", lambda: aggregators.SecureSumFactory(20), INT_VECTOR, INTS)
unweighted("secure_modular_sum", lambda: aggregators.SecureModularSumFactory(16), INT_VECTOR, INTS)
unweighted("concatenated_sum", lambda: aggregators.concat_factory(aggregators.SumFactory()))
unweighted("encoded_sum", lambda: aggregators.EncodedSumFactory.quantize_above_threshold(8, threshold=100))
unweighted(
    "reservoir_that_holds_all", lambda: aggregators.UnweightedReservoirSamplingFactory(1), VECTOR, VECTORS[:1]
)
unweighted(
    "dp_without_noise",
    lambda: aggregators.DifferentiallyPrivateFactory.gaussian_fixed(0.0, 3, 1.0),
    VECTOR,
    VECTORS,
)
unweighted(
    "dp_adaptive_without_noise",
    lambda: aggregators.DifferentiallyPrivateFactory.gaussian_adaptive(0.0, 3),
    VECTOR,
    VECTORS,
)
unweighted(
    "dp_trees_without_noise",
    lambda: aggregators.DifferentiallyPrivateFactory.tree_aggregation(
        0.0, 3, 1.0, tf.TensorSpec([3]), noise_seed=1
    ),
    VECTOR,
    VECTORS,
)
weighted("debug_measurements", lambda: tff.learning.add_debug_measurements(aggregators.MeanFactory()))


# --- tff.learning and tff.analytics --------------------------------------------------------------------


def client_datasets(num_clients=3):
    """Small linear problems, batches of unequal size, as (x [?, 4], y [?, 1])."""
    random = np.random.default_rng(0)
    datasets = []
    for client in range(num_clients):
        x = random.normal(size=[5 + client, 4]).astype(np.float32)
        y = x.sum(axis=1, keepdims=True) + client
        datasets.append(tf.data.Dataset.from_tensor_slices((x, y)).batch(2))
    return datasets


def linear_model():
    """A Keras model with a regularizer and a metric."""
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Dense(2, kernel_initializer="ones", input_shape=(4,), kernel_regularizer="l2"),
            tf.keras.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    return tff.learning.models.from_keras_model(
        model,
        loss=tf.keras.losses.MeanSquaredError(),
        input_spec=client_datasets(1)[0].element_spec,
        metrics=[tf.keras.metrics.MeanAbsoluteError()],
    )


def learning(name, build):
    CASES[f"learning_{name}"] = lambda: rounds_of(build(), client_datasets())


algorithms = tff.learning.algorithms
sgd = tff.learning.optimizers.build_sgdm(0.05)


def recurrent_model():
    """A Keras model whose gradient is a loop, on the same data: 4 steps of 1 number each."""
    seeded = [tf.keras.initializers.RandomNormal(stddev=0.5, seed=seed) for seed in range(3)]
    model = tf.keras.Sequential(
        [
            tf.keras.layers.Reshape([4, 1], input_shape=(4,)),
            tf.keras.layers.GRU(3, kernel_initializer=seeded[0], recurrent_initializer=seeded[1]),
            tf.keras.layers.Dense(1, kernel_initializer=seeded[2]),
        ]
    )
    return tff.learning.models.from_keras_model(
        model, loss=tf.keras.losses.MeanSquaredError(), input_spec=client_datasets(1)[0].element_spec
    )


learning("weighted_fedavg", lambda: algorithms.build_weighted_fed_avg(linear_model, sgd))
learning(
    "unweighted_fedavg_with_adam_at_the_server",
    lambda: algorithms.build_unweighted_fed_avg(linear_model, sgd, tff.learning.optimizers.build_adam(0.1)),
)
learning("fedavg_of_a_recurrent_model", lambda: algorithms.build_weighted_fed_avg(recurrent_model, sgd))
learning(
    "fedavg_with_a_loop_over_an_iterator",
    lambda: algorithms.build_weighted_fed_avg(
        linear_model, sgd, loop_implementation=tff.learning.LoopImplementation.DATASET_ITERATOR
    ),
)
learning("fedprox", lambda: algorithms.build_weighted_fed_prox(linear_model, 0.1, sgd))
learning(
    "mime_lite",
    lambda: algorithms.build_weighted_mime_lite(linear_model, tff.learning.optimizers.build_sgdm(0.05, 0.9)),
)
learning("fedsgd", lambda: algorithms.build_fed_sgd(linear_model, server_optimizer_fn=sgd))
learning("evaluation", lambda: algorithms.build_fed_eval(linear_model))
learning(
    "secure_fedavg",
    lambda: algorithms.build_weighted_fed_avg(
        linear_model, sgd, model_aggregator=tff.learning.secure_aggregator()
    ),
)


@case
def learning_kmeans():
    data = [
        tf.data.Dataset.from_tensor_slices(np.array(points, np.float32))
        for points in ([[0, 0], [0, 1]], [[9, 9]], [[9, 8], [1, 0]])
    ]
    process = algorithms.build_fed_kmeans(2, (2,), random_seed=(1, 2))
    return rounds_of(process, data, num_rounds=3)


@case
def learning_reconstruction():
    def model_fn():
        model = tf.keras.Sequential(
            [
                tf.keras.layers.Dense(2, kernel_initializer="ones", input_shape=(4,)),
                tf.keras.layers.Dense(1, kernel_initializer="ones"),
            ]
        )
        return tff.learning.models.ReconstructionModel.from_keras_model_and_layers(
            model,
            global_layers=model.layers[:1],
            local_layers=model.layers[1:],
            input_spec=client_datasets(1)[0].element_spec,
        )

    process = algorithms.build_fed_recon(
        model_fn,
        loss_fn=tf.keras.losses.MeanSquaredError,
        metrics_fn=lambda: [tf.keras.metrics.MeanAbsoluteError()],
        server_optimizer_fn=sgd,
        client_optimizer_fn=sgd,
        reconstruction_optimizer_fn=sgd,
    )
    return rounds_of(process, client_datasets())


@case
def learning_functional_model():
    spec = (tf.TensorSpec([None, 4]), tf.TensorSpec([None, 1]))
    model = tff.learning.models.functional_model_from_keras(
        tf.keras.Sequential([tf.keras.layers.Dense(1, kernel_initializer="ones", input_shape=(4,))]),
        tf.keras.losses.MeanSquaredError(),
        spec,
    )
    return rounds_of(algorithms.build_weighted_fed_avg(model, sgd), client_datasets())


@case
def analytics_heavy_hitters():
    words = [["to", "be", "or"], ["not", "to", "be"], ["to"]]
    data = [tf.data.Dataset.from_tensor_slices(client).batch(2) for client in words]
    computation = tff.analytics.heavy_hitters.iblt.build_iblt_computation(
        capacity=10, string_max_bytes=5, max_words_per_user=3, batch_size=2
    )
    result = computation(data)
    order = np.argsort(result.heavy_hitters)
    return result.heavy_hitters[order], result.heavy_hitters_counts[order], result.clients


@case
def analytics_histogram_of_counts():
    @tff.federated_computation(tff.FederatedType(tff.SequenceType(np.int64), tff.CLIENTS))
    def histogram(data):
        count = tff.tensorflow.computation(
            lambda numbers: numbers.reduce(
                tf.zeros([4], tf.int32), lambda sums, n: sums + tf.one_hot(n, 4, dtype=tf.int32)
            ),
            tff.SequenceType(np.int64),
        )
        return tff.federated_sum(tff.federated_map(count, data))

    return histogram([tf.data.Dataset.range(3), tf.data.Dataset.range(1, 4)])
