#!/bin/bash
# tools/demo.sh - from nothing to a swapped video: installs what is missing, builds, fetches two public-domain portraits
# out of Debian packages (unpacked, not installed), and runs `bifrons demo`. Options are passed on to it.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh
tools/build.sh -DBIFRONS_MEDIA=ON -DBIFRONS_ONEDNN=ON
echo "== demo"
tools/demo_pictures.sh build/demo-pictures

trap 'cat build/cuda_warning.txt >&2' EXIT # the last words of the log
build/bifrons demo "$@"
