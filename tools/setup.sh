#!/usr/bin/env bash
# Sets up what a make target needs; fast and silent when everything is there.
#
#   tools/setup.sh        .venv holds what uv.lock says
#   tools/setup.sh --uv   a uv that is new enough exists; prints its path
#
# Needs Python (the versions that pyproject.toml names) and no other tool: uv is fetched into .tools/
# where it is missing. PYTHON chooses the Python: a command (python3.13), a path, or a bare version
# (3.13), which uv finds or downloads. Without PYTHON, an existing .venv is kept.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PYTHON=${PYTHON:-}
STAMP=.venv/.fedlab-setup
# A uv, a venv or a pip configured for another project must not decide where this one is installed.
unset VIRTUAL_ENV PIP_TARGET PIP_PREFIX PIP_USER UV_PYTHON
export UV_PROJECT_ENVIRONMENT="$PWD/.venv" PIP_ROOT_USER_ACTION=ignore PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf 'setup: %s\n' "$*" >&2; }
fail() {
  printf 'setup: error: %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# --- The one place where versions are decided ---------------------------------------------------

# requires-python = ">=3.11,<3.14"  ->  11 and 13
minors_in_pyproject() {
  sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' pyproject.toml
}
read -r oldest_minor too_new_minor < <(minors_in_pyproject) ||
  fail "pyproject.toml has no line like: requires-python = \">=3.11,<3.14\""
newest_minor=$((too_new_minor - 1))
supported="Python 3.$oldest_minor to 3.$newest_minor"
oldest_uv=$(sed -n 's/^required-version = ">=\(.*\)"$/\1/p' pyproject.toml)
locked_uv=$(sed -n '/^name = "uv"$/{n;s/^version = "\(.*\)"$/\1/p;}' uv.lock)

# --- Python -------------------------------------------------------------------------------------

# "3.13.0", or nothing where the command is missing or broken (as pyenv's shims can be).
version_of() { "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true; }

suits() { # 3.13.0 or 3.13
  local major minor
  IFS=. read -r major minor _ <<<"$1"
  [[ $major == 3 && $minor =~ ^[0-9]+$ ]] && ((minor >= oldest_minor && minor <= newest_minor))
}

is_bare_version() { [[ $1 =~ ^[0-9]+(\.[0-9]+)+$ ]]; }

# The program of the installation itself: the same for python3, a pyenv shim and a venv made from them.
installed_program() { "$1" -c 'import os, sys; print(os.path.realpath(sys._base_executable))'; }

ways_out() {
  ways=(
    "Install one (on Debian and Ubuntu, for instance: apt install python3.$newest_minor) and name it:"
    "    make ${MAKE_TARGET:-test} PYTHON=python3.$newest_minor"
    "or let uv download one:"
    "    make ${MAKE_TARGET:-test} PYTHON=3.$newest_minor"
  )
}

# Sets `python`: a path, or the bare version that was asked for.
choose_python() {
  local candidate version found=""
  ways_out
  if is_bare_version "$PYTHON"; then
    suits "$PYTHON" || fail "PYTHON=$PYTHON: fedlab runs on $supported." "${ways[@]}"
    python=$PYTHON
    return
  fi
  if [[ -n $PYTHON ]]; then
    version=$(version_of "$PYTHON")
    [[ -n $version ]] || fail "PYTHON=$PYTHON: there is no Python that runs under this name." "${ways[@]}"
    suits "$version" || fail "PYTHON=$PYTHON is Python $version; fedlab runs on $supported." "${ways[@]}"
    python=$(installed_program "$PYTHON")
    return
  fi
  local minor candidates=(.venv/bin/python python3)
  for ((minor = newest_minor; minor >= oldest_minor; minor--)); do candidates+=("python3.$minor"); done
  for candidate in "${candidates[@]}" python; do
    version=$(version_of "$candidate")
    [[ -n $version ]] || continue
    if suits "$version"; then
      python=$(installed_program "$candidate")
      return
    fi
    found+="${found:+, }$candidate is Python $version"
  done
  fail "fedlab runs on $supported; ${found:-there is no python3 on the PATH}." "${ways[@]}"
}

# --- uv -----------------------------------------------------------------------------------------

uv_is_new_enough() {
  local version
  version=$("$1" --version 2>/dev/null | sed -n 's/^uv \([0-9.]*\).*/\1/p') || return 1
  [[ -n $version && $(printf '%s\n' "$oldest_uv" "$version" | sort -V | head -n 1) == "$oldest_uv" ]]
}

# Sets `uv`: the one on the PATH, or the project's own.
find_uv() {
  local candidate
  for candidate in uv "$PWD/.tools/uv/bin/uv"; do
    if command -v "$candidate" >/dev/null && uv_is_new_enough "$candidate"; then
      uv=$(command -v "$candidate")
      return
    fi
  done
  return 1
}

fetch_uv() {
  local fetcher=$python
  if is_bare_version "$fetcher"; then fetcher=$(command -v python3 || command -v python || true); fi
  [[ -n $fetcher ]] || fail "uv $oldest_uv or newer is missing, and there is no python3 to fetch it with." \
    "Install uv: https://docs.astral.sh/uv/getting-started/installation/"
  say "fetching uv $locked_uv into .tools/ (about 20 MB)"
  rm -rf .tools/uv .tools/uv.part
  # pip first: it knows a proxy's or a classroom's own package index. Debian's python3 may lack it.
  if "$fetcher" -m pip --version >/dev/null 2>&1; then
    "$fetcher" -m pip install --no-deps --target .tools/uv.part "uv==$locked_uv" >&2 || true
  fi
  uv_is_new_enough .tools/uv.part/bin/uv ||
    { rm -rf .tools/uv.part && "$fetcher" tools/fetch_uv.py uv.lock .tools/uv.part >&2; } ||
    fail "uv $locked_uv could not be fetched: see above." \
      "Set-up needs the network once. Run the same command again, or install uv yourself:" \
      "https://docs.astral.sh/uv/getting-started/installation/"
  mv .tools/uv.part .tools/uv
  find_uv || fail ".tools/uv/bin/uv was fetched but does not run on this machine."
}

# --- The environment ----------------------------------------------------------------------------

# The folder's name is part of it: a venv that was moved or copied does not work.
fingerprint() { printf '%s %s\n' "$(cat pyproject.toml uv.lock | cksum)" "$PWD"; }

is_set_up() { [[ -f $STAMP && $(<"$STAMP") == "$(fingerprint)" ]]; }

# Whether .venv was made from the Python that is asked for; no wish, no difference.
venv_has_the_python() {
  local version
  version=$(version_of .venv/bin/python)
  [[ -n $version ]] || return 1
  if [[ -z $PYTHON ]]; then
    suits "$version"
  elif is_bare_version "$PYTHON"; then
    [[ $version == "$PYTHON" || $version == "$PYTHON".* ]]
  else
    [[ $(installed_program .venv/bin/python) == "$python" ]]
  fi
}

# Turns a bare version into a path before anything is removed for it.
find_bare_version() {
  if venv_has_the_python; then
    python=$(installed_program .venv/bin/python)
  elif ! python=$("$uv" python find --system --no-project "$PYTHON" 2>/dev/null); then
    say "downloading Python $PYTHON with uv: there is none on this machine"
    "$uv" python install "$PYTHON" >&2 && python=$("$uv" python find --system --no-project "$PYTHON") ||
      fail "PYTHON=$PYTHON: not on this machine, and uv could not download it: see above." \
        "Name a Python that is installed: make ${MAKE_TARGET:-test} PYTHON=/path/to/python3"
  fi
}

install_environment() {
  if is_bare_version "$python"; then find_bare_version; fi
  if [[ -e .venv ]] && { ! venv_has_the_python || was_moved; }; then
    say "removing .venv: it was made for another Python or another folder"
    rm -rf .venv
  fi
  if [[ -e .venv ]]; then
    say "bringing .venv to what uv.lock says"
  else
    say "installing what uv.lock says into .venv with $python (3 GB; a minute or a few)"
  fi
  rm -f "$STAMP"
  { sync && install_portable_tff; } ||
    fail "the installation did not finish: see above." \
      "What was downloaded is kept: run the same command again to go on." \
      "Where a proxy puts in its own certificate (UnknownIssuer), set UV_SYSTEM_CERTS=1 first."
  fingerprint >"$STAMP"
  say "done: .venv has Python $(version_of .venv/bin/python)"
}

sync() {
  local command=("$uv" sync --frozen --compile-bytecode)
  if $tff_is_portable; then command+=(--no-install-package tensorflow-federated); fi
  "${command[@]}" --python "$python"
}

# TFF's wheel is for Linux on x86-64; elsewhere its Python is installed, without the program inside.
install_portable_tff() {
  $tff_is_portable || return 0
  "$python" tools/portable_tff.py >&2 &&
    "$uv" pip install --no-deps --compile-bytecode portable/tensorflow_federated-*.whl --python .venv/bin/python
}

was_moved() { [[ -f $STAMP && $(<"$STAMP") != *" $PWD" ]]; }

# TFF's wheel asks for glibc 2.31; all others for less.
has_old_glibc() {
  local version
  version=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed -n 's/^glibc //p')
  [[ -n $version && $version != 2.31 && $(printf '%s\n' 2.31 "$version" | sort -V | head -n 1) == "$version" ]]
}

# Sets `tff_is_portable`: whether TFF is installed without its program.
check_platform() {
  local platform
  platform=$(uname -sm)
  case $platform in
    "Linux x86_64") if has_old_glibc; then tff_is_portable=true; else tff_is_portable=false; fi ;;
    "Linux aarch64" | "Darwin arm64") tff_is_portable=true ;;
    "Darwin x86_64")
      fail "this is a Mac with an Intel processor, and TensorFlow 2.20 is not published for these." \
        "Use a hosted notebook such as Binder or Colab: docs/install.md."
      ;;
    *) fail "make does not set up fedlab on this machine, $platform." "docs/install.md says what works here." ;;
  esac
}

main() {
  if [[ ${1:-} == --uv ]]; then
    find_uv || { choose_python && fetch_uv; }
    printf '%s\n' "$uv"
    return
  fi
  if is_set_up && [[ -z $PYTHON ]] && venv_has_the_python; then return; fi
  check_platform
  choose_python
  if is_set_up && venv_has_the_python; then return; fi
  find_uv || fetch_uv
  install_environment
}

main "$@"
