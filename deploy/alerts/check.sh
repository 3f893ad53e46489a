#!/bin/sh
# Checks the alert rules with promtool and runs their tests.
set -eu
cd "$(dirname "$0")"
promtool=$(../services/promtool.sh)
"$promtool" check rules kindred.rules.yaml
"$promtool" test rules kindred.test.yaml
