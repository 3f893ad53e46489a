#!/bin/sh
# Installs npm packages of exact versions for tests, each set in a folder of its own,
# and prints that folder: deploy/services/npm.sh NAME@VERSION... A second run finds them
# there. Install scripts do not run.
set -eu
. "$(dirname "$0")/common.sh"
[ $# -gt 0 ] || missing "name the packages: NAME@VERSION..."
for package in "$@"; do
  case $package in
  ?*@[0-9]*) ;;
  *) missing "$package has no exact version; write NAME@VERSION" ;;
  esac
done
command -v npm >/dev/null 2>&1 || missing "npm is not installed"
dir=$cache/npm/$(printf '%s\n' "$@" | sort | sha256sum | cut -c1-16)
if [ ! -e "$dir/complete" ]; then
  mkdir -p "$dir"
  [ -e "$dir/package.json" ] || echo '{"private":true}' >"$dir/package.json"
  locked npm install --prefix "$dir" --no-audit --no-fund --ignore-scripts --save-exact --loglevel error "$@" >&2 ||
    missing "npm could not install $*"
  : >"$dir/complete"
fi
echo "$dir"
