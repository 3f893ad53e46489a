#!/bin/sh
# Prints the path of a Chromium for tests. Where there is none, installs Debian's package
# chromium, for which it needs to be root or to have sudo without a password.
set -eu
. "$(dirname "$0")/common.sh"
find_chromium() {
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome-stable google-chrome; do
    [ -n "$name" ] && command -v "$name" && return 0
  done
  return 1
}
find_chromium && exit 0
command -v apt-get >/dev/null 2>&1 || missing "no Chromium, and no apt-get to install one; set CHROMIUM to its path"
as_root=
if [ "$(id -u)" != 0 ]; then
  as_root="sudo -n"
  sudo -n true 2>/dev/null || missing "no Chromium, and neither root nor sudo to install Debian's package chromium; set CHROMIUM to its path"
fi
export DEBIAN_FRONTEND=noninteractive
locked sh -c "$as_root apt-get install -y --no-install-recommends chromium >&2 ||
  { $as_root apt-get update >&2 && $as_root apt-get install -y --no-install-recommends chromium >&2; }" ||
  missing "apt-get could not install Debian's package chromium"
find_chromium || missing "Debian's package chromium was installed and there is still none"
