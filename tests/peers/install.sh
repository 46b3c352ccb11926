#!/bin/sh
# Install the clients that `make test-peers` runs, each from its lock file.
# PYTHON is the interpreter that their environment is made with.
set -eu
peers=$(dirname "$0")

require() {
    if ! command -v "$1" >/dev/null; then
        echo "test-peers: $1 is missing. Install $2, then run it again." >&2
        exit 1
    fi
}

require node "Node.js 18 or newer"
require npm "npm 9 or newer, which comes with most builds of Node.js"
require go "Go 1.18 or newer"
require "${PYTHON:=python3}" "Python 3.11 or newer, or name one in PYTHON"

"$PYTHON" -m venv --clear "$peers/.venv" || {
    echo "test-peers: $PYTHON cannot make an environment. Install its package" \
        "venv (Debian: python3-venv), then run it again." >&2
    exit 1
}
"$peers/.venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --require-hashes --requirement "$peers/python/requirements.lock"

npm ci --prefix "$peers/node" --ignore-scripts --no-audit --no-fund --silent

cd "$peers/go"
GOTOOLCHAIN=local go build -mod=readonly -o ../build/go-lumber .
