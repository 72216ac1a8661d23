"""The glossary: in order, each term once, and every link to one of its terms has a target."""

import pathlib
import re

ROOT = pathlib.Path(__file__).parent.parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS = re.findall(r"^### (.+)$", GLOSSARY, re.MULTILINE)


def anchor_of(term):
    """As GitHub and JupyterLab's readers make it of a heading."""
    return re.sub(r"[^\w\- ]", "", term.lower()).replace(" ", "-")


def test_terms_are_in_order_and_each_is_there_once():
    assert sorted(set(TERMS), key=str.casefold) == TERMS


def test_every_term_is_explained():
    entries = re.split(r"^### .+$", GLOSSARY, flags=re.MULTILINE)[1:]
    assert all(len(entry.split()) >= 10 for entry in entries)


def test_every_link_to_a_term_has_a_target():
    anchors = {anchor_of(term) for term in TERMS}
    texts = {"docs/glossary.md": re.findall(r"\]\(#([^)]+)\)", GLOSSARY)}
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("notebooks/sources/*.py")]:
        texts[path.name] = re.findall(r"glossary\.md#([\w-]+)", path.read_text(encoding="utf-8"))
    missing = {name: set(links) - anchors for name, links in texts.items() if set(links) - anchors}
    assert not missing
    assert texts["docs/glossary.md"]
