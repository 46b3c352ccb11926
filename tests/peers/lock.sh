#!/bin/sh
# Write the lock files anew after a version was changed. The machine's own
# registries are asked; none of them is named in what is written.
set -eu
cd "$(dirname "$0")"

"${UV:-uv}" pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-emit-index-url --no-header --upgrade \
    python/requirements.in --output-file python/requirements.lock
npm install --prefix node --package-lock-only --ignore-scripts --no-audit --no-fund
(cd go && go mod tidy)
