#!/bin/sh
# tools/setup.sh - installs what building, testing and running Bifrons needs on Debian 12, where it is missing.
#
#   tools/setup.sh [PACKAGE...]      further packages, e.g. libtorch-dev
#
# Needs root, or sudo that asks for no password. Asks nothing. Does nothing where all is installed.
set -eu

build="cmake ninja-build g++ git"
headers="libcli11-dev libeigen3-dev libstb-dev libtomlplusplus-dev libxxhash-dev nlohmann-json3-dev"
compute="libdnnl-dev"
media="ffmpeg libblas-dev libdlib-dev libdlib-data liblapack-dev libopencv-core-dev libopencv-dnn-dev libopencv-imgcodecs-dev libopencv-imgproc-dev
       libopencv-objdetect-dev opencv-data"
tests="clang-format-14 libbenchmark-dev libgtest-dev libopencv-photo-dev"

missing=""
for package in $build $headers $compute $media $tests "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

give_up() {
    echo "setup.sh: $1. Needed packages:$missing" >&2
    exit 1
}
command -v apt-get >/dev/null || give_up "this system has no apt-get; install the packages' equivalents"
root=""
if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || give_up "packages are missing; install them as root"
    root="sudo -n"
fi
echo "setup.sh: installing$missing" >&2
$root apt-get update -q
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
