"""`import fedlab`, then `import tensorflow_federated`: each case in a Python process of its own."""

import os
import subprocess
import sys
import textwrap

import nbclient
import nbformat
import numpy as np
import pytest
import tensorflow as tf
import tensorflow_federated as tff

from fedlab import stand_ins


def run_python(code, *options, **environment):
    """Runs code in a new process; returns the completed process."""

    variables = {name: value for name, value in os.environ.items() if name not in CHOSEN_BY_FEDLAB}
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env=variables | environment,
    )


CHOSEN_BY_FEDLAB = ("TF_USE_LEGACY_KERAS", "TF_CPP_MIN_LOG_LEVEL")


def test_import_fedlab_imports_neither_tensorflow_nor_tff():
    result = run_python(
        """
        import sys, fedlab
        heavy = {"tensorflow", "tensorflow_federated", "keras", "tf_keras", "numpy", "matplotlib"}
        print(sorted(heavy & set(sys.modules)))
        """
    )
    assert result.stdout.strip() == "[]", result.stderr


def test_tff_imports_and_computes_in_a_script_without_a_word():
    result = run_python(
        """
        import fedlab
        import tensorflow_federated as tff
        import numpy as np

        @tff.tensorflow.computation(np.int32)
        def double(x):
            return 2 * x

        print(tff.__version__, double(21))
        """
    )
    assert result.stdout.strip() == "0.87.0 42"
    assert result.stderr == ""


def test_secure_sums_are_made_without_a_page_of_tensorflows_log():
    result = run_python(
        """
        import fedlab, gc, logging, numpy as np, tensorflow_federated as tff
        tff.aggregators.SecureSumFactory(8.0).create(tff.to_type(np.float32))
        gc.collect()
        logging.getLogger("tensorflow").error("what else it has to say")
        """
    )
    assert "never used" not in result.stderr
    assert "what else it has to say" in result.stderr
    assert result.returncode == 0


def test_warnings_as_errors_do_not_stop_the_import():
    result = run_python("import fedlab, tensorflow_federated", "-W", "error")
    assert result.returncode == 0, result.stderr


def test_tf_keras_is_what_tensorflow_shows():
    result = run_python("import fedlab, tensorflow as tf; print(tf.keras.Sequential.__module__)")
    assert result.stdout.startswith("tf_keras.")


def test_tensorflow_with_keras_3_before_fedlab_is_one_clear_error():
    result = run_python("import tensorflow\nimport fedlab")
    assert result.returncode == 1
    assert (
        result.stderr.strip()
        .splitlines()[-1]
        .startswith("ImportError: TensorFlow was imported before fedlab and runs with Keras 3")
    )
    assert "Restart the kernel" in result.stderr


def test_keras_3_chosen_before_the_variable_was_set_is_noticed_too():
    result = run_python(
        """
        import os, tensorflow as tf
        tf.keras.Sequential
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        import fedlab
        """
    )
    assert "ImportError: TensorFlow was imported before fedlab" in result.stderr


def test_tensorflow_with_tf_keras_before_fedlab_is_fine():
    result = run_python(
        "import tensorflow, fedlab, tensorflow_federated as tff; print(tff.__version__)",
        TF_USE_LEGACY_KERAS="1",
    )
    assert result.stdout.strip() == "0.87.0", result.stderr


def test_stand_ins_are_gone_after_tffs_import():
    result = run_python(
        """
        import sys, fedlab, tensorflow_federated
        stood_in = {"jax", "vizier", "tensorflow_probability", "distutils"}
        print(sorted(name for name in sys.modules if name.split(".")[0] in stood_in))
        import jax
        """
    )
    assert result.stdout.strip() == "[]"
    assert result.stderr.strip().endswith("ModuleNotFoundError: No module named 'jax'")


def test_another_jax_is_neither_used_nor_harmed(tmp_path):
    (tmp_path / "jax").mkdir()
    (tmp_path / "jax" / "__init__.py").write_text("version = '0.7.2'\njit = 'the real one'")
    code = """
        import jax, fedlab
        import tensorflow_federated
        import jax as after
        print(after is jax, after.jit)
        """
    result = run_python(code, PYTHONPATH=str(tmp_path))
    assert result.stdout.strip() == "True the real one", result.stderr


def test_tff_jax_says_why_it_is_not_there():
    with pytest.raises(
        stand_ins.NotAvailableError, match="tff.jax is not available.*tff.tensorflow.computation"
    ):
        tff.jax.computation(lambda x: x, np.int32)


def test_vizier_tuning_says_why_it_is_not_there():
    with pytest.raises(stand_ins.NotAvailableError, match="google-vizier"):
        tff.learning.programs.train_model_with_vizier(None)


def test_privacy_queries_are_the_real_ones_and_the_rest_says_why_it_is_missing():
    import tensorflow_privacy as tfp

    query = tfp.GaussianSumQuery(l2_norm_clip=1.0, stddev=0.0)
    clipped = query.preprocess_record(
        query.derive_sample_params(query.initial_global_state()), tf.constant([3.0, 4.0])
    )
    np.testing.assert_allclose(clipped, [0.6, 0.8])  # of norm 5, scaled down to norm 1
    with pytest.raises(AttributeError, match="DPKerasSGDOptimizer is not available.*dp_query"):
        tfp.DPKerasSGDOptimizer  # noqa: B018


def test_geometric_stand_in_has_the_mean_and_spread_of_the_distribution():
    tf.random.set_seed(1)
    success = 0.3
    draws = stand_ins.Geometric(probs=tf.constant(success, tf.float64)).sample([40_000]).numpy()
    assert draws.min() == 0
    assert draws.mean() == pytest.approx((1 - success) / success, rel=0.03)
    assert draws.var() == pytest.approx((1 - success) / success**2, rel=0.06)
    assert np.mean(draws == 0) == pytest.approx(success, abs=0.01)


def test_bernoulli_stand_in_has_the_mean_of_the_distribution():
    tf.random.set_seed(1)
    draws = stand_ins.Bernoulli(
        probs=tf.fill([40_000], tf.constant(0.2, tf.float64)), dtype=tf.int64
    ).sample()
    assert set(draws.numpy()) == {0, 1}
    assert draws.numpy().mean() == pytest.approx(0.2, abs=0.01)


def test_tff_computes_inside_a_running_event_loop_in_a_real_notebook():
    cells = [
        "import fedlab\nimport tensorflow_federated as tff\nimport asyncio, numpy as np",
        "asyncio.get_running_loop().run_until_complete(asyncio.sleep(0, 'nested'))",
        "@tff.federated_computation(tff.FederatedType(np.float32, tff.CLIENTS))\n"
        "def average(x):\n    return tff.federated_mean(x)\n"
        "float(average([1.0, 2.0, 6.0]))",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    shown = [
        [output.get("data", output).get("text/plain") for output in cell.outputs] for cell in notebook.cells
    ]
    assert shown == [[], ["'nested'"], ["3.0"]]
