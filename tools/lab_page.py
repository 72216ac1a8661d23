"""Notebooks in a real JupyterLab and a real browser, driven as a person would."""

import contextlib
import json
import re
import subprocess
import sys
import time
import uuid

import nbformat
import requests

from notebook_kernel import kernel_environment

_STARTS_WITHIN_S = 60
_ENDS_WITHIN_S = 15
_OVERRIDES = {
    # No question about news, no look for updates: there is no network.
    "@jupyterlab/apputils-extension:notification": {
        "checkForUpdates": False,
        "doNotDisturbMode": True,
        "fetchNews": "false",
    },
    # Cells that are scrolled away stay in the page.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
}
_SESSION = "jupyterapp.shell.currentWidget.sessionContext.session"

# Runs code in the kernel and gathers what it prints, and the error that it ends in.
_RUN = f"""async code => {{
  const future = {_SESSION}.kernel.requestExecute({{code, store_history: false}});
  let text = "";
  future.onIOPub = ({{header, content}}) => {{
    if (header.msg_type == "stream") text += content.text;
    if (header.msg_type == "error") text += `${{content.ename}}: ${{content.evalue}}`;
  }};
  await future.done;
  return text;
}}"""


class LabServer:
    """JupyterLab as a process of its own, with its own settings, serving one folder.

    Attributes:
      url: where it answers, ending in "/".
      folder: what it serves.
    """

    def __init__(self, folder):
        self.folder = folder / "notebooks"
        self._home = folder
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        self.folder.mkdir()
        settings = self._home / "config" / "labconfig"
        settings.mkdir(parents=True)
        (settings / "default_setting_overrides.json").write_text(json.dumps(_OVERRIDES))
        environment = self._stack.enter_context(kernel_environment()) | {
            f"JUPYTER_{kind.upper()}_DIR": str(self._home / kind) for kind in ("config", "data", "runtime")
        }
        self._log = self._stack.enter_context(open(self._home / "log.txt", "w", encoding="utf-8"))
        self._process = subprocess.Popen(
            self._command(), env=environment, cwd=self.folder, stdout=self._log, stderr=subprocess.STDOUT
        )
        self.url = self._wait_for_url()
        return self

    def _command(self):
        return [
            *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
            *("--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={self.folder}"),
            # No password: it serves this machine, for as long as the tests run.
            *("--IdentityProvider.token=", "--ServerApp.password=", "--ServerApp.disable_check_xsrf=True"),
            "--LabApp.expose_app_in_browser=True",
        ]

    def _wait_for_url(self):
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            for file in (self._home / "runtime").glob("jpserver-*.json"):
                with contextlib.suppress(ValueError, requests.ConnectionError):
                    url = json.loads(file.read_text())["url"]
                    if requests.get(f"{url}api/status", timeout=5).ok:
                        return url
            time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"JupyterLab did not start:\n{(self._home / 'log.txt').read_text()[-3000:]}")

    def __exit__(self, *unused):
        self._process.terminate()
        try:
            self._process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._stack.close()

    def end_kernels(self):
        """Ends the kernels that pages have left."""
        for session in requests.get(f"{self.url}api/sessions", timeout=30).json():
            requests.delete(f"{self.url}api/sessions/{session['id']}", timeout=30)


def notebook_of(*cells):
    """A notebook with these code cells."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code) for code in cells])
    notebook.metadata.kernelspec = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return notebook


class NotebookPage:
    """A notebook, open in JupyterLab.

    Attributes:
      page: Playwright's Page, for `page.get_by_role(...)` and the like.
    """

    def __init__(self, server, browser, notebook, viewport):
        self._server = server
        name = f"notebook-{uuid.uuid4().hex[:8]}.ipynb"
        nbformat.write(notebook, server.folder / name)
        self.context = browser.new_context(viewport=viewport)
        self.context.set_default_timeout(30_000)
        self.context.route(_elsewhere(server.url), lambda route: route.abort())
        self.page = self.context.new_page()
        self.page.goto(f"{server.url}lab/tree/{name}?reset")
        self.page.wait_for_function(f"window.{_SESSION.replace('.', '?.')}?.kernel", timeout=60_000)
        # The kernel has answered: what is run from here on really runs.
        self.page.evaluate(f"async () => {{ await {_SESSION}.kernel.info }}")
        if self.page.evaluate("!jupyterapp.shell.leftCollapsed"):
            self._command("application:toggle-left-area")

    def _command(self, name, arguments=None):
        call = "([name, settings]) => jupyterapp.commands.execute(name, settings).then(() => null)"
        return self.page.evaluate(call, [name, arguments or {}])

    def run_all(self):
        """Runs all cells and waits for their end.

        Raises:
          AssertionError: a cell ended in an error.
        """
        self._command("notebook:run-all-cells")
        # The command ends early where a cell fails as announced; the kernel takes its requests in order.
        self.run("")
        errors = self.errors()
        assert not errors, "\n".join(errors)

    def errors(self):
        """The errors that no tag announces, as "NameError: name 'x' is not defined"."""
        cells = [cell for cell in self.cells() if "raises-exception" not in cell["metadata"].get("tags", ())]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        return [f"{out['ename']}: {out['evalue']}" for out in outputs if out["output_type"] == "error"]

    def outputs(self):
        """The outputs of all code cells, as a notebook file has them, in order."""
        return [output for cell in self.cells() for output in cell.get("outputs", ())]

    def cells(self):
        """The notebook's cells, as its file has them."""
        return self.page.evaluate("jupyterapp.shell.currentWidget.content.model.toJSON().cells")

    def run(self, code):
        """Runs code in the notebook's kernel, in a cell of no notebook; returns what it printed.

        Answers only when the kernel's main thread does: a widget's work must not keep it.
        """
        return self.page.evaluate(_RUN, code)

    def wait_until(self, condition, within_s):
        """Waits until an expression is True in the kernel.

        Raises:
          AssertionError: it was not in time.
        """
        deadline = time.monotonic() + within_s
        while self.run(f"print({condition})") != "True\n":
            assert time.monotonic() < deadline, condition
            time.sleep(0.02)

    def interrupt(self):
        """Interrupts the kernel, as its button does."""
        self.page.evaluate(f"{_SESSION}.kernel.interrupt()")

    def use_theme(self, name):
        """Changes the theme: "JupyterLab Light" or "JupyterLab Dark"."""
        self._command("apputils:change-theme", {"theme": name})
        light = "false" if "Dark" in name else "true"
        self.page.wait_for_selector(f'body[data-jp-theme-light="{light}"]', state="attached")

    def widget(self, title):
        """The widget of fedlab's with this heading, as a Playwright Locator."""
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator(".fedlab").filter(has=heading)

    def photograph(self, widget, file):
        """Writes a picture of a widget, whole, even where it is higher than the page."""
        self.page.set_viewport_size(self.page.viewport_size | {"height": 2400})
        widget.scroll_into_view_if_needed()
        widget.screenshot(path=file)

    def close(self):
        """Closes the page and ends its kernel."""
        self.context.close()
        self._server.end_kernels()


def _elsewhere(url):
    """A pattern of all addresses but the server's: the page must do without the network."""
    return re.compile(rf"^(?!{re.escape(url)}|data:|blob:|about:|ws://127\.0\.0\.1).*")
