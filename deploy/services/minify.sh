#!/bin/sh
# Writes a browser script and what it imports as one minified file to standard output, below
# a line that names the SHA-256 of all scripts of its folder: deploy/services/minify.sh FILE.
# A test beside the folder compares what is committed with what this makes.
set -eu
LC_ALL=C
export LC_ALL
file=$1
esbuild=$("$(dirname "$0")/npm.sh")/node_modules/.bin/esbuild
printf '//%s %s\n' "$(basename "$file")" "$(cat "$(dirname "$file")"/*.js | sha256sum | cut -c1-16)"
"$esbuild" "$file" --bundle --minify --format=iife --target=es2020 --log-level=warning
