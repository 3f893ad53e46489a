#!/bin/sh
# Starts bin/kindred on loopback with made-up models of 27 k and 1 M items, loads it with
# `kindred load`, stops it, and writes the figures into docs/benchmarks.md.
#
#   deploy/bench/http.sh [flags of `bench http`, such as -only http/27k -quick]
#
# WORK is where the data are (default build/bench); the results are in docs/benchmarks.json.
set -eu
cd "$(dirname "$0")/../.."
work=${WORK:-build/bench}
mkdir -p "$work"
go build -o "$work/bench" ./cmd/bench
CGO_ENABLED=0 go build -trimpath -o "$work/kindred" ./cmd/kindred
failed=0
"$work/bench" http -work "$work" -kindred "$work/kindred" "$@" || failed=1
"$work/bench" render -work "$work" -out docs/benchmarks.md "$@"
exit $failed
