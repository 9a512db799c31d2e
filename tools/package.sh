#!/bin/bash
# tools/package.sh [CMAKE-OPTION...] - builds the program and packs it, with the demo's portraits, its manual page and shell
# completions: build/packages/bifrons_*.deb, which apt installs with all that it needs on this release, and
# bifrons-*.tar.gz. $DEBFULLNAME and $DEBEMAIL name the package's maintainer.
set -euo pipefail
cd "$(dirname "$0")/.."

tools/setup.sh dpkg-dev
tools/build.sh -DBIFRONS_MEDIA=ON -DBIFRONS_ONEDNN=ON "$@"
tools/demo_pictures.sh build/demo-pictures
cpack --config build/CPackConfig.cmake -B build/packages
ls -l build/packages/bifrons[-_]*
