"""What a visitor of Binder meets: JupyterLab starts, shows notebook 00, and notebooks run beside it.

    python tools/binder_session.py ENVIRONMENT NOTEBOOK...

Run it with `small_machine.run_small`, in the folder that Binder starts in. Prints a line for each step; ends
with the exit code 1 at the first that fails.
"""

import contextlib
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

import portpicker

BASE_URL, TOKEN = "/user/visitor/", "token"
START_S = 300
# BinderHub starts jupyter-lab with these, in the words of Jupyter's old server and of its new one.
_OPTIONS = [f"base_url={BASE_URL}", f"token={TOKEN}", "trust_xheaders=True"]


@contextlib.contextmanager
def jupyter_lab(programs):
    """Starts JupyterLab as BinderHub does; gives the address that it answers at."""
    port = portpicker.pick_unused_port()
    options = [f"--{app}.{option}" for app in ("NotebookApp", "ServerApp") for option in _OPTIONS]
    command = [programs / "jupyter-lab", "--ip=127.0.0.1", f"--port={port}", "--no-browser", "--allow-root"]
    server = subprocess.Popen([*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}{BASE_URL}"
    finally:
        server.terminate()
        server.wait()


def open_first_page(address):
    """Returns the path that a visitor is led to.

    Raises:
      TimeoutError: nothing answered.
    """
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}?token={TOKEN}", timeout=START_S) as page:
                return page.url.removeprefix(address).partition("?")[0]
        except urllib.error.URLError:
            time.sleep(0.2)
    raise TimeoutError(f"JupyterLab did not answer within {START_S} s.")


def main(environment, *notebooks):
    """Starts, looks, and runs the notebooks one after the other, outputs thrown away."""
    programs = pathlib.Path(environment, "bin")
    with jupyter_lab(programs) as address:
        print(f"JupyterLab opens {open_first_page(address)}", flush=True)
        for notebook in notebooks:
            started = time.monotonic()
            subprocess.run([programs / "jupyter-execute", notebook], check=True)
            print(f"{pathlib.Path(notebook).stem}: {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
