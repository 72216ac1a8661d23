"""The README's index of notebooks: made from their scripts and from what was measured.

`tools/notebook_index.py` writes it between the two marks in README.md.
"""

import sys

import notebook_sources

README = notebook_sources.ROOT / "README.md"
BEGIN = "<!-- The index below is made by `make notebooks`. -->"
END = "<!-- End of the index. -->"
_BADGES = {
    "colab": ("Open in Colab", "https://colab.research.google.com/assets/colab-badge.svg"),
    "binder": ("Open in Binder", "https://mybinder.org/badge_logo.svg"),
}


def make_index():
    """The index as a Markdown table, a row for each notebook."""
    measured = notebook_sources.read_measured()
    rows = [_row(source, measured.get(source.stem)) for source in notebook_sources.find_built()]
    return "\n".join(["| notebook | you will learn | on two cores | |", "|---|---|---|---|", *rows])


def _row(source, measured):
    name = notebook_sources.notebook_of(source).name
    title = f"[{notebook_sources.title_of(source)}](notebooks/{name})"
    badges = " ".join(
        f"[![{label}]({image})]({notebook_sources.opening_url(name, service)})"
        for service, (label, image) in _BADGES.items()
    )
    lesson = notebook_sources.lesson_of(source)
    return f"| {title} | {lesson} | {notebook_sources.describe_measured(measured)} | {badges} |"


def with_index(text):
    """A README's text with the index as it should be.

    Raises:
      ValueError: the marks are missing.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"README.md lacks the lines {BEGIN!r} and {END!r}, between which the index goes.")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    return f"{before}{BEGIN}\n\n{make_index()}\n\n{END}{after}"


def update_readme():
    """Writes the index into README.md, where it differs."""
    text = README.read_text(encoding="utf-8")
    updated = with_index(text)
    if updated != text:
        README.write_text(updated, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(update_readme())
