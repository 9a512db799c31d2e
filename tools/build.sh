#!/bin/bash
# tools/build.sh [CMAKE-OPTION...] - builds the program build/bifrons, without tests, simulator and benchmarks. CUDA is
# compiled where a usable GPU and nvcc are found; should that fail, the program is built for the processor alone, and the
# reason, which goes into build/cuda_warning.txt, ends the log.
set -euo pipefail
cd "$(dirname "$0")/.."

build() { cmake --preset program "$@" && cmake --build --preset program; }
warning=build/cuda_warning.txt

echo "== build"
if ! build "$@"; then
    grep -qs '^BIFRONS_CUDA:STRING=AUTO' build/CMakeCache.txt && grep -q '^CMAKE_CUDA_COMPILER:.*/nvcc' build/CMakeCache.txt || exit 1
    build "$@" -DBIFRONS_CUDA=OFF
    echo "Built for the processor alone: the CUDA kernels did not compile; what nvcc said is further up." >$warning
fi
cat $warning >&2
