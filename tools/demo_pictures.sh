#!/bin/bash
# tools/demo_pictures.sh FOLDER - fetches the demo's two public-domain portraits into FOLDER, out of Debian packages that
# are unpacked and not installed. Does nothing where they are there.
set -euo pipefail
folder=$1

fetch() { # PACKAGE FILE
    [ -f "$folder/$(basename "$2")" ] && return
    local scratch
    scratch=$(mktemp -d)
    chmod 755 "$scratch"
    (cd "$scratch" && apt-get download -q "$1" && dpkg-deb -x "$1"_*.deb .)
    mkdir -p "$folder"
    cp "$scratch/$2" "$folder/"
    rm -r "$scratch"
}
fetch facedetect usr/share/doc/facedetect/examples/grace_hopper_512x512.jpg
fetch python3-skimage usr/lib/python3/dist-packages/skimage/data/astronaut.png
