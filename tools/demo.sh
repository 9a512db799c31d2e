#!/bin/bash
# tools/demo.sh - from nothing to a swapped video: installs what is missing, builds, fetches two public-domain portraits
# out of Debian packages (unpacked, not installed), and runs `bifrons demo`. Options are passed on to it.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh
cmake --preset release -DBIFRONS_MEDIA=ON -DBIFRONS_ONEDNN=ON
cmake --build --preset release --target bifrons

pictures=build/demo-pictures
fetch() { # PACKAGE FILE
    [ -f "$pictures/$(basename "$2")" ] && return
    local scratch
    scratch=$(mktemp -d)
    chmod 755 "$scratch"
    (cd "$scratch" && apt-get download -q "$1" && dpkg-deb -x "$1"_*.deb .)
    mkdir -p "$pictures"
    cp "$scratch/$2" "$pictures/"
    rm -r "$scratch"
}
fetch facedetect usr/share/doc/facedetect/examples/grace_hopper_512x512.jpg
fetch python3-skimage usr/lib/python3/dist-packages/skimage/data/astronaut.png

exec build/bifrons demo "$@"
