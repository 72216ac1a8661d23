#!/usr/bin/env bash
# Makes an environment with the packages of Google Colab, at the versions that colab/uv.lock has: without
# fedlab and without TFF, as a notebook finds Colab. Its folder wheels/ holds what the setup cell installs
# there, for tests without the network (80 MB). Fast and silent when all is there; nothing on other machines
# than Colab's kind, Linux on x86-64.
#
#   tools/colab_environment.sh                             .venv-colab, with the Python of .venv
#   tools/colab_environment.sh .venv-colab-3.13 3.13       another folder, another Python
#
# The Python is a command, a path, or a bare version, which uv finds or downloads.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

FOLDER=$(realpath -m "${1:-.venv-colab}")
PYTHON=${2:-.venv/bin/python}
STAMP=$FOLDER/.colab-setup
unset VIRTUAL_ENV UV_PYTHON

say() { printf 'colab: %s\n' "$*" >&2; }
fail() {
  printf 'colab: error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

version_of() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true; }

is_bare_version() { [[ $1 =~ ^[0-9]+(\.[0-9]+)+$ ]]; }

# The program of the installation itself: the same for python3, a pyenv shim and a venv made from them.
installed_program() { "$1" -c 'import os, sys; print(os.path.realpath(sys._base_executable))'; }

# Sets `python`: what uv is to take; and `wanted_version`: "3.13", or in full where a program was named.
choose_python() {
  python=$PYTHON wanted_version=$PYTHON
  if ! is_bare_version "$PYTHON"; then
    wanted_version=$(version_of "$PYTHON")
    [[ -n $wanted_version ]] || fail "there is no Python that runs under the name $PYTHON." \
      "Name one that is installed, or a version such as 3.13, which uv finds or downloads."
    python=$(installed_program "$PYTHON")
  fi
}

# The folder's name is part of it: a venv that was moved or copied does not work.
fingerprint() {
  printf '%s %s\n' "$({ cat colab/pyproject.toml colab/uv.lock colab/requirements.txt && build_system; } | cksum)" "$FOLDER"
}

build_system() { sed -n '/^\[build-system\]/,/^$/p' pyproject.toml; }

is_set_up() {
  [[ -f $STAMP && $(<"$STAMP") == "$(fingerprint)" ]] || return 1
  local version
  version=$(version_of "$FOLDER/bin/python")
  [[ $version == "$wanted_version" || $version == "$wanted_version".* ]]
}

# What colab/set_up.py finds missing here, and what pip builds fedlab with.
download_wheels() {
  local pip=("$FOLDER/bin/python" -m pip --quiet --disable-pip-version-check download --dest "$FOLDER/wheels")
  rm -rf "$FOLDER/wheels"
  missing_here >"$FOLDER/missing.txt" &&
    build_system | sed -n 's/^requires = \["\(.*\)"\]$/\1/p' >"$FOLDER/build.txt" &&
    "${pip[@]}" --no-deps --ignore-requires-python -r "$FOLDER/missing.txt" >&2 &&
    "${pip[@]}" --only-binary :all: -r "$FOLDER/build.txt" >&2
}

missing_here() {
  PYTHONPATH=colab "$FOLDER/bin/python" -c 'if True:
    import pathlib, set_up
    pinned = set_up.read_pinned(pathlib.Path("colab/requirements.txt").read_text())
    print(*set_up.find_missing(pinned), sep="\n")'
}

# Turns a bare version into a path before anything is removed for it.
find_bare_version() {
  python=$("$uv" python find --system --no-project "$PYTHON" 2>/dev/null) && return
  say "downloading Python $PYTHON with uv: there is none on this machine"
  "$uv" python install --quiet "$PYTHON" >&2 && python=$("$uv" python find --system --no-project "$PYTHON") ||
    fail "Python $PYTHON is not on this machine, and uv could not download it: see above." \
      "Name one that is installed: make ${MAKE_TARGET:-test-colab} PYTHON=/path/to/python$PYTHON"
}

main() {
  [[ $(uname -sm) == "Linux x86_64" ]] || return 0
  choose_python
  if is_set_up; then return; fi
  local uv
  uv=$(tools/setup.sh --uv)
  if is_bare_version "$PYTHON"; then find_bare_version; fi
  say "installing Colab's packages into ${FOLDER#"$PWD"/} with Python $wanted_version"
  rm -f "$STAMP"
  UV_PROJECT_ENVIRONMENT=$FOLDER "$uv" sync --quiet --frozen --project colab --python "$python" >&2 ||
    fail "the installation did not finish: see above." \
      "What was downloaded is kept: run the same command again to go on."
  # Compiled once here, and not again in every copy that a test makes.
  env -u PYTHONDONTWRITEBYTECODE TF_CPP_MIN_LOG_LEVEL=3 "$FOLDER/bin/python" -c "import tensorflow" >&2 ||
    fail "TensorFlow does not run in ${FOLDER#"$PWD"/}: see above."
  download_wheels || fail "what the setup cell installs could not be downloaded: see above."
  fingerprint >"$STAMP"
  say "done: ${FOLDER#"$PWD"/} has Colab's packages, on Python $(version_of "$FOLDER/bin/python")"
}

main
