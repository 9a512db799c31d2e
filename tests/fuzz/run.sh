#!/bin/bash
# run.sh [RUNS [SECONDS]]: builds the fuzz targets with clang and runs each that often, or that long if this comes first.
# What they found so far stays in build-fuzz/corpora. Fails where one crashes; the input is then in build-fuzz/crashes.
set -e
cd "$(dirname "$0")/../.."
runs=${1:-1000000} seconds=${2:-60}
cmake -B build-fuzz -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo -DBIFRONS_FUZZ=ON \
    -DBIFRONS_MEDIA=OFF -DBIFRONS_ONEDNN=OFF -DBIFRONS_CUDA=OFF -DBIFRONS_SIM=OFF -DBIFRONS_TESTS=OFF -DBIFRONS_BENCH=OFF \
    >/dev/null
targets="faceset safetensors settings probe"
cmake --build build-fuzz --target $(printf 'fuzz_%s ' $targets) >/dev/null
python3 tests/fuzz/make_corpora.py build-fuzz/corpora
mkdir -p build-fuzz/crashes
failed=0
for name in $targets; do
    log=build-fuzz/$name.log
    build-fuzz/tests/fuzz/fuzz_$name build-fuzz/corpora/$name -dict=build-fuzz/corpora/$name.dict -runs="$runs" \
        -max_total_time="$seconds" -max_len=20000 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix=build-fuzz/crashes/$name- >"$log" 2>&1 || failed=1
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs, $(ls build-fuzz/crashes | grep -c "^$name-") crashes"
done
exit $failed
