#!/bin/sh
# Installs what tests and scripts take from npm, in the versions of npm/package-lock.json
# and checked against its hashes, and prints the folder that has it. A second run finds it
# there. Install scripts do not run. To take another version: change npm/package.json, then in npm/
#   npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts
set -eu
. "$(dirname "$0")/common.sh"
command -v npm >/dev/null 2>&1 || missing "npm is not installed"
lists=$(dirname "$0")/npm
dir=$cache/npm/$(cat "$lists/package.json" "$lists/package-lock.json" | sha256sum | cut -c1-16)
if [ ! -e "$dir/complete" ]; then
  mkdir -p "$dir"
  cp "$lists/package.json" "$lists/package-lock.json" "$dir/"
  # not npm ci: it refuses a list that lacks other systems' optional packages, which not every registry has
  locked npm install --no-save --prefix "$dir" --no-audit --no-fund --ignore-scripts --loglevel error >&2 ||
    missing "npm could not install what $lists/package-lock.json lists"
  : >"$dir/complete"
fi
echo "$dir"
