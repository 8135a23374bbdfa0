#!/usr/bin/env bash
# Install programs of the distribution: programs.sh PACKAGE...
#
# Says what it installs first. Installs without starting or enabling any daemon. A package that
# cannot be had is named and left out: who needs it says so later (a test skips with the reason).
set -euo pipefail

say() { printf 'setup: %s\n' "$*"; }
installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }
offered() {
  [[ "$(apt-cache policy "$1")" == *"Candidate: "[^\(]* ]] || return 1
  # Ubuntu's package of this name only calls for a snap, which containers do not have
  [ "$1" != chromium ] || [[ "$(apt-cache depends chromium)" != *snapd* ]]
}

wanted=()
if ! command -v apt-get dpkg-query > /dev/null; then
  say "no apt-get here; install these by hand for everything to run: $*"
  exit 0
fi
for package; do installed "$package" || wanted+=("$package"); done
[ ${#wanted[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ]; then
  say "not root; for everything to run: apt-get install --no-install-recommends ${wanted[*]}"
  exit 0
fi

say "reading the distribution's package lists"
apt-get -qq update || say "the package lists could not be read anew; going on with the old ones"
available=()
for package in "${wanted[@]}"; do
  if offered "$package"; then available+=("$package"); else say "not offered here, left out: $package"; fi
done
[ ${#available[@]} -gt 0 ] || exit 0
say "installing from the distribution, starting none of them: ${available[*]}"

# Debian asks this program whether a freshly installed daemon may start.
guard=/usr/sbin/policy-rc.d
if [ ! -e "$guard" ]; then
  trap 'rm -f "$guard"' EXIT
  printf '#!/bin/sh\nexit 101\n' > "$guard"
  chmod 755 "$guard"
fi

installed_now() { dpkg-query -W -f '${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort; }
before=$(installed_now)
DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
  -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold \
  "${available[@]}" < /dev/null |
  sed -un 's/^Need to get \(.*\)\.$/setup: \1 to download/p; s/^Setting up \([^ ]*\) .*/setup: + \1/p'

# Nor shall they start with the machine: they are run when something here needs them.
if command -v systemctl > /dev/null; then
  comm -13 <(printf '%s\n' "$before") <(installed_now) | xargs -r dpkg -L |
    sed -En 's#.*/systemd/system/([^/@]*\.(service|timer|socket))$#\1#p' |
    xargs -r systemctl --quiet disable > /dev/null 2>&1 || true
fi
say "the distribution's programs are in place"
