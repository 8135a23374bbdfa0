#!/usr/bin/env bash
# Make the virtual environment with everything: environment.sh VENV PYTHON
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$1 python=$2

say() { printf 'setup: %s\n' "$*"; }

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
  say "needs Python 3.11 or later; '$python' is $("$python" --version 2>&1 || echo missing)."
  say "Name another one: make setup PYTHON=/path/to/python3"
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
  deploy/setup/programs.sh python3-venv
  if ! "$python" -c 'import ensurepip, venv' 2> /dev/null; then
    say "'$python' cannot make virtual environments; install python3-venv, then run this again"
    exit 1
  fi
fi
if [ ! -x "$venv/bin/pip" ]; then
  say "making the virtual environment $venv"
  "$python" -m venv "$venv"
fi
say "installing what pyproject.toml names (about 100 packages)"
PYTHONUNBUFFERED=1 "$venv/bin/pip" install --disable-pip-version-check --no-input --progress-bar off \
  --editable '.[ansible,fast,dev]' | sed -un 's/^Collecting \([^ ]*\).*/setup: + \1/p; s/^Successfully installed.*/setup: Python packages are in place/p'
