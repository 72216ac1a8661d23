import nbformat.v4
import pytest

from notebook_outputs import WIDGET, clean_outputs, is_progress_bar, machine_paths_in, what_is_compared


def bar(text):
    return nbformat.v4.new_output("display_data", {"text/plain": text})


def stderr(text):
    return nbformat.v4.new_output("stream", name="stderr", text=text)


@pytest.mark.parametrize(
    "text",
    [
        "100%|██████████| 4/4",
        "rounds:  50%|█████     | 2/4 [00:01<00:01,  1.75round/s]",
        "  0%|          | 0/25 [00:00<?, ?client/s]",
    ],
)
def test_progress_bars_are_recognised(text):
    assert is_progress_bar(bar(text))


@pytest.mark.parametrize("text", ["accuracy 44%", "a | b | 4/4", "100%|███| 4/4 and more text", "4/4"])
def test_other_texts_are_no_progress_bars(text):
    assert not is_progress_bar(bar(text))


def test_bars_on_stderr_are_left_out_and_warnings_stay():
    bars = "\r  0%|          | 0/4 [00:00<?, ?it/s]\r100%|██████████| 4/4 [00:00<00:00, 98.1it/s]\n"
    warning = stderr("<cell>: UserWarning: careful\n")
    printed = nbformat.v4.new_output("stream", name="stdout", text="100%|█| 4/4")
    assert what_is_compared([stderr(bars), warning, printed]) == [warning, printed]


def test_a_bar_and_a_warning_in_one_stream_leave_the_warning():
    (output,) = what_is_compared([stderr("100%|█| 4/4 [00:01<00:00]\nUserWarning: careful\n")])
    assert "UserWarning: careful" in output["text"]
    assert "4/4" not in output["text"]


def test_the_outputs_that_are_compared_are_not_changed():
    output = stderr("100%|█| 4/4 [00:01<00:00]\nUserWarning: careful\n")
    what_is_compared([output])
    assert "4/4" in output["text"]


def test_a_path_of_this_machine_is_found_in_an_output(tmp_path, monkeypatch):
    monkeypatch.setattr("pathlib.Path.home", lambda: tmp_path)
    cell = nbformat.v4.new_code_cell(outputs=[nbformat.v4.new_output("stream", text=f"{tmp_path}/a.txt")])
    (found,) = machine_paths_in(nbformat.v4.new_notebook(cells=[cell]))
    assert found == f"cell 1: {tmp_path}"


def test_of_a_widget_its_facts_are_kept_and_not_its_address_in_a_kernel_that_is_gone():
    shown = nbformat.v4.new_output(
        "execute_result", {"text/plain": "Othello, 3 batches", WIDGET: {"model_id": "1234"}}
    )
    cell = nbformat.v4.new_code_cell(outputs=[shown])
    clean_outputs(nbformat.v4.new_notebook(cells=[cell]))
    assert [output.data for output in cell.outputs] == [{"text/plain": "Othello, 3 batches"}]
