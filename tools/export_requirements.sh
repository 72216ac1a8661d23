#!/usr/bin/env bash
# Prints the run-time half of uv.lock, as plain pip and Binder read it: requirements.txt. With --colab,
# what of it Colab may lack: colab/requirements.txt, for colab/set_up.py.
# `make requirements` writes both files; tests compare them with the lock. UV names the uv to use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv=${UV:-$(tools/setup.sh --uv)}
export_lock() {
  "$uv" export --frozen --quiet --no-dev --no-emit-project --no-hashes --no-annotate --no-header "$@"
}

if [[ ${1:-} == --colab ]]; then
  cat <<'HEADER'
# Exported from uv.lock by `make requirements`; do not edit.
#
# What fedlab needs beside TensorFlow, the widgets and a notebook's server, which are Colab's own.
# colab/set_up.py installs of this list what Colab lacks, and leaves what Colab has.
HEADER
  export_lock --prune tensorflow --prune tf-keras --prune ipywidgets --prune jupyterlab
  exit
fi

cat <<'HEADER'
# Exported from uv.lock by `make requirements`; do not edit.
#
# With plain pip, on Python 3.11 to 3.13 and Linux x86-64 (elsewhere: docs/install.md), in the project's folder:
#
#   pip install --no-deps --ignore-requires-python -r requirements.txt -e .
#
# --no-deps --ignore-requires-python: TensorFlow Federated's own metadata asks for packages that no
# longer exist and for Python < 3.12; this list is complete without it.
HEADER
export_lock
