#!/usr/bin/env bash
# Makes an environment with the packages of Google Colab, at the versions that colab/uv.lock has: without
# fedlab and without TFF, as a notebook finds Colab. Fast and silent when it is there.
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
fingerprint() { printf '%s %s\n' "$(cat colab/pyproject.toml colab/uv.lock | cksum)" "$FOLDER"; }

is_set_up() {
  [[ -f $STAMP && $(<"$STAMP") == "$(fingerprint)" ]] || return 1
  local version
  version=$(version_of "$FOLDER/bin/python")
  [[ $version == "$wanted_version" || $version == "$wanted_version".* ]]
}

main() {
  choose_python
  if is_set_up; then return; fi
  local uv
  uv=$(tools/setup.sh --uv)
  say "installing Colab's packages into ${FOLDER#"$PWD"/} with Python $wanted_version"
  rm -f "$STAMP"
  UV_PROJECT_ENVIRONMENT=$FOLDER "$uv" sync --quiet --frozen --project colab --python "$python" >&2 ||
    fail "the installation did not finish: see above." \
      "Where no Python $wanted_version was found, name one: an installed command, or a path." \
      "What was downloaded is kept: run the same command again to go on."
  fingerprint >"$STAMP"
  say "done: ${FOLDER#"$PWD"/} has Colab's packages, on Python $(version_of "$FOLDER/bin/python")"
}

main
