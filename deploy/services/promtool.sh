#!/bin/sh
# Prints the path of promtool. Where there is none, takes it from Debian's package prometheus, which is
# unpacked into the cache and not installed: no root is needed and no service started.
set -eu
. "$(dirname "$0")/common.sh"
[ -z "${PROMTOOL:-}" ] || { echo "$PROMTOOL"; exit 0; }
command -v promtool && exit 0
command -v apt-get >/dev/null 2>&1 || missing "no promtool, and no apt-get to install one; set PROMTOOL to its path"
dir=$cache/prometheus
if [ ! -x "$dir/usr/bin/promtool" ]; then
  mkdir -p "$dir/deb"
  locked sh -c "cd '$dir/deb' && { apt-get download prometheus >&2 || { apt-get update >&2 && apt-get download prometheus >&2; }; }" ||
    missing "apt-get could not download Debian's package prometheus; set PROMTOOL to promtool's path"
  for deb in "$dir"/deb/*.deb; do dpkg-deb -x "$deb" "$dir" || missing "Debian's package prometheus could not be unpacked"; done
  rm -rf "$dir/deb"
fi
[ -x "$dir/usr/bin/promtool" ] || missing "Debian's package prometheus was unpacked and has no promtool"
echo "$dir/usr/bin/promtool"
