#!/bin/sh
# Measures Kindred beside implicit, hnswlib and SciPy, and writes docs/benchmarks.md.
#
#   deploy/bench/peers.sh [flags of `bench peers`, such as -only als/ml-1m -quick]
#
# WORK is where the environment and the data are (default build/bench); the results are in docs/benchmarks.json.
# DATASETS, if set, is a folder that holds ml-1m; its cases are missing without it.
set -eu
cd "$(dirname "$0")/../.."
work=${WORK:-build/bench}
mkdir -p "$work"
go build -o "$work/bench" ./cmd/bench

python=
if ! command -v python3 >/dev/null 2>&1; then
  echo "*** NO python3: THE PEERS ARE NOT MEASURED, ONLY OUR SIDE ***" >&2
elif "$work/venv/bin/python" -c 'import implicit, hnswlib, scipy, sklearn, threadpoolctl' 2>/dev/null; then
  python=$work/venv/bin/python
elif python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet --disable-pip-version-check -r deploy/bench/requirements.txt; then
  python=$work/venv/bin/python
else
  echo "*** PyPI CANNOT BE REACHED (or a wheel is missing): THE PEERS ARE NOT MEASURED, ONLY OUR SIDE ***" >&2
fi

# A case that fails does not keep the others from being measured and written down.
failed=0
"$work/bench" peers -work "$work" -datasets "${DATASETS:-}" -python "$python" -script deploy/bench/peers.py "$@" || failed=1
"$work/bench" gobench -work "$work" "$@" || failed=1
"$work/bench" render -work "$work" -out docs/benchmarks.md "$@"
exit $failed
