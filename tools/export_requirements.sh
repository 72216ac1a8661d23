#!/usr/bin/env bash
# Prints requirements.txt: the run-time half of uv.lock, as plain pip and Binder read it.
# `make requirements` writes the file; a test compares it with the lock. UV names the uv to use.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

uv=${UV:-$(tools/setup.sh --uv)}
cat <<'HEADER'
# Exported from uv.lock by `make requirements`; do not edit.
#
# With plain pip, on Python 3.11 to 3.13 and Linux x86-64, in the project's folder:
#
#   pip install --no-deps --ignore-requires-python -r requirements.txt -e .
#
# --no-deps --ignore-requires-python: TensorFlow Federated's own metadata asks for packages that no
# longer exist and for Python < 3.12; this list is complete without it.
HEADER
"$uv" export --frozen --quiet --no-dev --no-emit-project --no-hashes --no-annotate --no-header
