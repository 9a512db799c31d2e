#!/bin/bash
# tools/test.sh - installs what is missing, builds, and runs the tests.
#
#   tools/test.sh          quick tier: release build with the simulator, one GPU architecture where nvcc is found
#   tools/test.sh --all    also: the benchmarks, the CUDA device on an emulated GPU, the minimal build with sanitizers, the
#                          simulator's race check, one GPU architecture of each generation (all: the preset all-gpus,
#                          before a release), comparison with LibTorch, a short run of the fuzz targets
set -euo pipefail
cd "$(dirname "$0")/.."

all=false
case "${1-}" in
"") ;;
--all) all=true ;;
*) echo "usage: tools/test.sh [--all]" >&2 && exit 2 ;;
esac

packages=()
if $all; then packages=(libtorch-dev clang libclang-rt-dev libomp-dev); fi
tools/setup.sh --tests "${packages[@]}"

# Where there is an nvcc, a broken CUDA build is a failure and never a reason to build without.
cuda=OFF
for nvcc in "${CUDACXX:-}" "$(command -v nvcc || true)" /usr/local/cuda/bin/nvcc; do
    if [ -x "$nvcc" ]; then export CUDACXX=$nvcc cuda=ON && break; fi
done

build() { # PRESET TARGET CMAKE-OPTION...
    local preset=$1 target=$2
    shift 2
    echo "== build $preset $target $*"
    cmake --preset "$preset" "$@"
    cmake --build --preset "$preset" --target $target
}

check() { # PRESET CTEST-OPTION...
    local preset=$1
    shift
    echo "== test $preset $*"
    ctest --preset "$preset" -j2 "$@"
    grep -hs "^Skipped: " "build-$preset/Testing/Temporary/LastTest.log" || true # why a test did not run
}

# 90a without -real: its PTX, too, which the emulated GPU runs.
gpus=90a-real all_parts=OFF emulator=OFF
if $all; then gpus="80-real;90a;120-real" all_parts=ON emulator=$cuda; fi
build release all -DBIFRONS_MEDIA=ON -DBIFRONS_ONEDNN=ON -DBIFRONS_CUDA=$cuda -DBIFRONS_CUDA_ARCHS="$gpus" \
    -DBIFRONS_PTXAS_REPORTS=$all_parts -DBIFRONS_TORCH_PARITY=$all_parts -DBIFRONS_BENCH=$all_parts \
    -DBIFRONS_EMULATOR=$emulator
# Training curves on the simulator, minutes of a core, are left to --all; single training steps stay.
if $all; then check release; else check release -E "curves.*/sim"; fi

if $all; then
    # What needs few libraries, without them, and hostile files under the sanitizers.
    build asan "bifrons kernels_tests engine_tests model_tests data_tests tools_tests"
    # Minutes of arithmetic there, which the release build has done, are left out.
    check asan -L "kernels|engine|model|data|tools" \
        -E "curves|(Autoencoder|Adversary)\.gradients|Backbones|a_new_model_without_settings"
    build simcheck "kernels_tests engine_tests access_counts"
    check simcheck -L "kernels|engine" -E "/(cpu|cpu_1|cuda)( |$)"
    echo "== fuzz"
    tests/fuzz/run.sh 20000 40
    if [ $cuda = ON ]; then tools/kernel_resources.sh build-release; fi
fi
