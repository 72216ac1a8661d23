"""What is kept of a notebook's outputs: no widget state, no library frames, no path of a machine.

The same rules serve the tool that writes notebooks and the test that compares them.
"""

import html
import pathlib
import re
import sys

from fedlab.plots.style import IN_WORDS

ROOT = pathlib.Path(__file__).parent.parent
WIDGET = "application/vnd.jupyter.widget-view+json"

# tqdm's text form, of which "100%|██████████| 4/4" is kept: "rounds: 100%|██████████| 4/4 [00:09<00:00]".
_BAR = re.compile(r"^(?P<kept>[^\n|]*\d+%\|[^|\n]*\| \S+/\S+)(?P<times>\s\[[^\n]*\])?$", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CELL_FILE = re.compile(r"\S*ipykernel_\d+/\d+\.py:\d+")


def is_progress_bar(output):
    """Whether an output is nothing but a progress bar, as a widget or as text."""
    if output["output_type"] not in ("display_data", "execute_result"):
        return False
    return _BAR.fullmatch(output["data"].get("text/plain", "")) is not None


def what_is_compared(outputs):
    """The outputs without progress bars, on stderr too: how far they got and when differs each time.

    And without the words below figures: they are those of the figure's own text form, which is compared.
    """
    kept = [_without_bar_lines(output) for output in outputs if not is_progress_bar(output)]
    return [output for output in kept if output is not None and not is_figure_in_words(output)]


def is_figure_in_words(output):
    """Whether an output is the folded description that fedlab.plots puts below a figure."""
    if output["output_type"] != "display_data":
        return False
    return str(output["data"].get("text/html", "")).startswith(f"<details><summary>{IN_WORDS}</summary>")


def _without_bar_lines(output):
    """An output without the bars among its lines on stderr; None where nothing else is there."""
    if output["output_type"] != "stream" or output["name"] != "stderr":
        return output
    text = _BAR.sub("", output["text"].replace("\r", "\n"))
    if text == output["text"]:
        return output
    return type(output)(output, text=text.strip("\n") + "\n") if text.strip() else None


def clean_outputs(notebook):
    """Makes the outputs of an executed notebook fit to be committed, in place."""
    widgets = _widget_states(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [kept for output in cell.outputs if (kept := _clean(output, widgets)) is not None]
            _merge_streams(cell)


def _clean(output, widgets):
    if output.output_type == "error":
        output.traceback = _shorten_traceback(output.traceback)
    elif output.output_type == "stream":
        output.text = _CELL_FILE.sub("<cell>", output.text)
    elif WIDGET in output.data and is_progress_bar(output):
        bar = _final_bar(output.data[WIDGET]["model_id"], widgets)
        if bar is None:
            return None
        output.data = {"text/plain": bar}
        output.metadata = {}
    elif "text/plain" in output.get("data", {}):
        # A widget lives in the kernel that showed it; its facts in words last.
        output.data.pop(WIDGET, None)
    return output


def _merge_streams(cell):
    """One output for each run of text to the same stream: how it was cut differs each time."""
    merged = []
    for output in cell.outputs:
        last = merged[-1] if merged else None
        if last is not None and _stream(output) and _stream(output) == _stream(last):
            last.text += output.text
        else:
            merged.append(output)
    cell.outputs = merged


def _stream(output):
    """The name of the stream that an output went to; None for other outputs."""
    return output.name if output.output_type == "stream" else None


def _widget_states(notebook):
    stored = notebook.metadata.get("widgets", {})
    return stored.get("application/vnd.jupyter.widget-state+json", {}).get("state", {})


def _final_bar(model_id, widgets):
    """How a bar ended, as "100%|██████████| 4/4"; None for one that was closed when done."""
    parts = [widgets.get(child.removeprefix("IPY_MODEL_"), {}) for child in _children(model_id, widgets)]
    if len(parts) != 3:
        return None
    label, bar, counts = (part.get("state", {}) for part in parts)
    share = bar.get("value", 0) / (bar.get("max") or 1)
    label, counts = (html.unescape(part.get("value", "")).strip() for part in (label, counts))
    drawn = "█" * round(10 * share)
    # "4/4 [00:09<00:00]": how long it took differs each time.
    count = counts.split("[")[0].strip()
    return f"{label}|{drawn:<10}| {count}"


def _children(model_id, widgets):
    box = widgets.get(model_id, {}).get("state", {})
    layout = widgets.get(box.get("layout", "").removeprefix("IPY_MODEL_"), {}).get("state", {})
    hidden = layout.get("display") == "none" or layout.get("visibility") == "hidden"
    return [] if hidden else box.get("children", [])


def _shorten_traceback(frames):
    """Keeps the learner's own frames and the error; says how many frames of libraries are left out."""
    kept, left_out = [], 0
    for frame in frames:
        if _ANSI.sub("", frame).startswith("File "):
            left_out += 1
            continue
        kept += _note(left_out)
        left_out = 0
        kept.append(frame)
    return kept + _note(left_out)


def _note(left_out):
    return [f"    ... {left_out} frame{'s' * (left_out > 1)} inside libraries ..."] if left_out else []


def machine_paths_in(notebook):
    """Lists the outputs (as cell number and text) that name a folder of this machine."""
    places = {str(ROOT), sys.prefix, str(pathlib.Path.home())} - {"/"}
    return [
        f"cell {number}: {place}"
        for number, cell in enumerate(notebook.cells, start=1)
        for output in cell.get("outputs", [])
        for place in sorted(places)
        if place in str({key: value for key, value in output.items() if key != "metadata"})
    ]
