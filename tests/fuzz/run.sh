#!/bin/bash
# run.sh [RUNS [SECONDS]]: builds the fuzz targets with clang and runs them side by side, each that often, or that long
# if this comes first. What they found so far stays in build-fuzz/corpora. Fails where one crashes; the input is then in
# build-fuzz/crashes. Needs clang with libFuzzer and OpenMP (Debian: clang libclang-rt-dev libomp-dev),
# libarchive and libonnx.
set -e
cd "$(dirname "$0")/../.."
runs=${1:-1000000} seconds=${2:-60}
cmake -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBIFRONS_FUZZ=ON \
    -DBIFRONS_MEDIA=OFF -DBIFRONS_ONEDNN=OFF -DBIFRONS_CUDA=OFF -DBIFRONS_SIM=OFF -DBIFRONS_TESTS=OFF -DBIFRONS_BENCH=OFF \
    >/dev/null
targets="faceset faceswap pickle safetensors settings probe pack dfm"
cmake --build build-fuzz --target $(printf 'fuzz_%s ' $targets) >build-fuzz/build.log || { cat build-fuzz/build.log && exit 1; }
python3 tests/fuzz/make_corpora.py build-fuzz/corpora
mkdir -p build-fuzz/crashes
export ASAN_OPTIONS=malloc_context_size=1:quarantine_size_mb=4:detect_leaks=0 # half the time an input
fuzz() { # NAME
    build-fuzz/tests/fuzz/fuzz_$1 build-fuzz/corpora/$1 -dict=build-fuzz/corpora/$1.dict -runs="$runs" \
        -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix=build-fuzz/crashes/$1- >build-fuzz/$1.log 2>&1
}
declare -A process
for name in $targets; do fuzz $name & process[$name]=$!; done
failed=0
for name in $targets; do
    wait ${process[$name]} || failed=1
    runs_done=$(sed -n 's/^stat::number_of_executed_units: *//p' build-fuzz/$name.log)
    echo "$name: $runs_done runs, $(find build-fuzz/crashes -name "$name-*" | wc -l) crashes"
done
exit $failed
