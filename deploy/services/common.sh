# Sourced by the scripts of this folder: where what they install is kept, and how they
# say that something is missing. Nothing is installed inside the repository.
cache=${KINDRED_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/kindred-test}
mkdir -p "$cache"

missing() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# locked COMMAND... runs alone among all test processes of this machine.
locked() {
  if command -v flock >/dev/null 2>&1; then
    flock "$cache/lock" "$@"
  else
    "$@"
  fi
}
