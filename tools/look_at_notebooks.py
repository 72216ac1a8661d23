"""Photographs the notebooks as pages: light and dark, on a laptop and on a phone, to look at them.

    tools/look_at_notebooks.py /tmp/pages 00 01

Prints what is wider than the page. The browser is that of `tools/get_browser.py`.
"""

import argparse
import pathlib
import sys

import nbconvert
from playwright.sync_api import sync_playwright

import notebook_sources
from get_browser import get_browser

WIDTHS_PX = {"laptop": 1280, "phone": 390}
THEMES = ("light", "dark")
# Elements that reach beyond the page, unless something around them scrolls.
_WIDER = """() => [...document.querySelectorAll('pre, table, img, p, li, h1, h2')].filter(element => {
  for (let around = element; around; around = around.parentElement)
    if (['auto', 'scroll', 'hidden'].includes(getComputedStyle(around).overflowX)) return false;
  return element.getBoundingClientRect().right > window.innerWidth + 1;
}).map(element => element.tagName + ': ' + element.textContent.slice(0, 60))"""


def to_html(notebook, theme):
    """The page that `jupyter nbconvert --to html` makes of a notebook file."""
    return nbconvert.HTMLExporter(theme=theme).from_filename(str(notebook))[0]


def photograph(browser, html, width_px, picture):
    """Writes a picture of the whole page; returns descriptions of what is wider than it."""
    page = browser.new_page(viewport={"width": width_px, "height": 900})
    page.set_content(html, wait_until="load")
    page.screenshot(path=picture, full_page=True)
    wider = page.evaluate(_WIDER)
    page.close()
    return wider


def main(arguments=None):
    """Writes NN_name-THEME-DEVICE.png for every notebook, theme and device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, help="where the pictures go")
    parser.add_argument("names", nargs="*", help="numbers of notebooks, such as 00; default all")
    settings = parser.parse_args(arguments)
    settings.folder.mkdir(parents=True, exist_ok=True)
    chromium = get_browser()
    with sync_playwright() as playwright:
        # No sandbox: containers have none to give, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for source in notebook_sources.find_sources(settings.names):
            for theme in THEMES:
                html = to_html(notebook_sources.notebook_of(source), theme)
                for device, width_px in WIDTHS_PX.items():
                    picture = settings.folder / f"{source.stem}-{theme}-{device}.png"
                    wider = photograph(browser, html, width_px, picture)
                    print(picture, *(f"\n  wider than the page: {text}" for text in wider))
        browser.close()


if __name__ == "__main__":
    sys.exit(main())
