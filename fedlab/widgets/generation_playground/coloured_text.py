"""Text whose characters are tinted by their probability: the less probable, the stronger the tint.

Every tint is one orange, more or less see-through, so that the order shows on light and on dark pages, and to
readers who do not tell colours apart. The improbable are underlined as well.
"""

import itertools

from fedlab.widgets.parts.markup import escape

# Below each, the tint is one step stronger; style.css has the tints, fedlab-step-1 to fedlab-step-4.
_BOUNDS = (0.5, 0.2, 0.05, 0.01)
_STEPS_IN_WORDS = ("50% or more", "20 to 50%", "5 to 20%", "1 to 5%", "below 1%")


def step_of(probability):
    """How strong the tint is: 0 for what was expected (50% or more) to 4 for a surprise (below 1%)."""
    return sum(probability < bound for bound in _BOUNDS)


def plain_text(start, characters):
    """A text and its continuation, as a block that keeps spaces and line breaks.

    Args:
      start: what was given.
      characters: (character, probability) pairs that were written after it.
    """
    return _block(_start(start) + _keep_returns("".join(character for character, _ in characters)))


def coloured_text(start, characters):
    """The same with tints. Screen readers get the text in one piece, instead of a piece a tint."""
    tinted = "".join(_run(step, run) for step, run in itertools.groupby(characters, _step_and_line_end))
    plain = _keep_returns(start + "".join(character for character, _ in characters))
    return _block(_start(start) + tinted, hidden=True) + f'<p class="fedlab-unseen">{plain}</p>'


def legend():
    """What the tints mean."""
    samples = "".join(
        f'<li><span class="fedlab-step-{step}" aria-hidden="true">abc</span> {words}</li>'
        for step, words in enumerate(_STEPS_IN_WORDS)
    )
    return f'<p>How probable the model found each character:</p><ul class="fedlab-legend">{samples}</ul>'


def _block(content, hidden=False):
    return f'<pre class="fedlab-text"{" aria-hidden=true" if hidden else ""}>{content}</pre>'


def _start(start):
    return f"<strong>{_keep_returns(start)}</strong>"


def _step_and_line_end(pair):
    character, probability = pair
    return step_of(probability), character == "\n"


def _run(step_and_line_end, run):
    step, is_line_end = step_and_line_end
    text = _keep_returns("".join(character for character, _ in run))
    if not step:
        return text
    return f'<span class="fedlab-step-{step}{" fedlab-line-end" if is_line_end else ""}">{text}</span>'


def _keep_returns(text):
    # HTML would read a carriage return, which is one of the 86 characters, as a line break.
    return escape(text).replace("\r", "&#13;")
