#!/bin/bash
# tools/gpu.sh - what needs a GPU, for machines that have nothing but a driver.
#
#   tools/gpu.sh build          here: the programs for one architecture (ARCH, 90a-real), into gpu-kit/; EMULATED=1 makes
#                               programs with the emulated GPU of tests/emulator, to rehearse the steps without one
#   gpu-kit/gpu.sh all          there: conform, test, bench and sanitize, as far as time allows
#   gpu-kit/gpu.sh test         every test of kernels, engine, model and training on the device cuda
#   gpu-kit/gpu.sh sanitize     memcheck, racecheck, initcheck and synccheck on the kernels' tests
#   gpu-kit/gpu.sh conform      records what the instructions' wrappers give, for tests/golden/
#   gpu-kit/gpu.sh bench        bifrons-bench --quick
#   gpu-kit/gpu.sh grid         the whole benchmark; hours
#   gpu-kit/gpu.sh report       the table of what has been done so far
#
# A call stops before ten minutes (BUDGET seconds, 560) and continues where it stopped when run again, on the same machine;
# on another one it needs the last call's results in gpu-kit/results. It appends JSON lines to files in
# $OUT (default gpu-kit/results). A part that takes more than CAP seconds (240) is given up.
# Exit codes: 0 done, 1 something failed, 2 usage, 4 no usable GPU, 130 not finished: run it again.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
step=${1-}
budget=${BUDGET:-560}
kept=${XDG_CACHE_HOME:-${HOME:-$here}/.cache}/bifrons-gpu # results of earlier calls; $OUT may be emptied between them

# ---- here: build ---------------------------------------------------------------------------------------------------

build() {
    set -e
    cd "$here/.."
    local arch=${ARCH:-90a-real} folder=build-gpu compressed=-Xfatbin=-compress-all
    local programs="tests/kernels_tests tests/engine_tests tests/model_tests tests/tools_tests tests/ptx_conform bench/bifrons-bench bifrons"
    if [ -n "${EMULATED-}" ]; then arch=90a-virtual folder=build-emulated compressed=; fi
    cmake -S . -B $folder -G Ninja -DCMAKE_BUILD_TYPE=Release -DBIFRONS_CUDA=ON -DBIFRONS_CUDA_ARCHS="$arch" \
        -DBIFRONS_MEDIA=OFF -DBIFRONS_ONEDNN=OFF -DBIFRONS_SIM=OFF -DBIFRONS_BENCH=ON -DBIFRONS_EMULATOR="${EMULATED:-OFF}" \
        -DCMAKE_CUDA_FLAGS=$compressed -DCMAKE_BUILD_RPATH='$ORIGIN' ${CMAKE_OPTIONS-}
    cmake --build $folder -j "${JOBS:-$(nproc)}"
    rm -rf gpu-kit.new
    mkdir gpu-kit.new
    if [ -d gpu-kit/results ]; then mv gpu-kit/results gpu-kit.new/; fi
    for program in $programs; do
        if [ -n "${EMULATED-}" ]; then
            cp "$folder/tests/emulator/$(basename "$program")_emulated" "gpu-kit.new/$(basename "$program")"
        else
            cp "$folder/$program" gpu-kit.new/
        fi
    done
    cp $folder/bench/bifrons-peer-*.so gpu-kit.new/ 2>/dev/null || echo "gpu.sh: built without cuDNN and cuBLASLt as peers"
    cp bench/peer_pytorch_step.py tools/gpu.sh gpu-kit.new/
    strip gpu-kit.new/*_tests gpu-kit.new/ptx_conform gpu-kit.new/bifrons*
    # What a bare machine may lack: Google Benchmark, OpenMP. The libraries of C and C++ are its own.
    for program in gpu-kit.new/*_tests gpu-kit.new/bifrons gpu-kit.new/bifrons-bench; do
        ldd "$program" | awk '$3 ~ /^\// && $1 !~ /^lib(c|m|dl|pthread|rt|stdc\+\+|gcc_s)\.so/ {print $3}'
    done | sort -u | xargs -r -I{} cp -L {} gpu-kit.new/
    echo "$(git describe --always --dirty)${EMULATED:+-emulated}" >gpu-kit.new/commit
    rm -rf gpu-kit
    mv gpu-kit.new gpu-kit
    du -sh gpu-kit
    if [ -n "${EMULATED-}" ]; then return; fi
    # The sources travel with it.
    local bytes
    bytes=$(($(du -sb gpu-kit | cut -f1) + $(git ls-files -z | du -cb --files0-from=- | tail -1 | cut -f1)))
    if [ "$bytes" -gt $((63 << 20)) ]; then echo "gpu.sh: gpu-kit and sources have $bytes bytes; 64 MiB travel" >&2 && return 1; fi
}

# ---- there: what all steps share -----------------------------------------------------------------------------------

say() { echo "gpu.sh: $*"; }

# record STEP NAME STATUS SECONDS [DETAIL]: one JSON line.
record() {
    local detail=${5-}
    detail=${detail//\\/\\\\}
    printf '{"step": "%s", "name": "%s", "status": "%s", "seconds": %s, "commit": "%s", "device": "%s", "driver": "%s", "date": "%s", "detail": "%s"}\n' \
        "$1" "$2" "$3" "$4" "$commit" "$device" "$driver" "$(date -u +%FT%TZ)" "${detail//\"/\\\"}" >>"$OUT/gpu.jsonl"
}

# done_before STEP NAME: this commit has passed it on this device already, or took longer than CAP allows now.
done_before() {
    case $commit in *-dirty*) return 1 ;; esac
    grep -sE "\"step\": \"$1\", \"name\": \"$2\", \"status\": \"(passed|over ${CAP:-240} s)\"" "$OUT/gpu.jsonl" |
        grep -qF "\"commit\": \"$commit\", \"device\": \"$device\""
}

begin=$SECONDS
left() { echo $((budget - (SECONDS - begin))); }

# attempt STEP NAME COMMAND...: runs it within what is left of the time, and records how it went.
failures=0 unfinished=0
attempt() {
    local step=$1 name=$2 started=$SECONDS status
    shift 2
    if done_before "$step" "$name"; then return; fi
    if [ "$(left)" -lt 15 ]; then unfinished=$((unfinished + 1)) && return; fi
    local limit=${CAP:-240} capped=true
    if [ "$(left)" -lt "$limit" ]; then limit=$(left) capped=false; fi
    timeout -k 5 "$limit" "$@" >"$OUT/log.tmp" 2>&1 </dev/null
    status=$?
    local seconds=$((SECONDS - started)) tail
    tail=$(grep -a -E 'ERROR SUMMARY|FAILED|PASSED|RACECHECK SUMMARY|failed' "$OUT/log.tmp" | tail -3 | tr '\n\t' '  ' | tr -d '\000-\037')
    case $status in
    0)
        # Tests that were all skipped, or none, did not pass.
        local how=passed
        if [ "$step" != conform ] && ! grep -qa '       OK ' "$OUT/log.tmp"; then how=skipped; fi
        record "$step" "$name" $how $seconds "$tail" && say "$step $name: $how, $seconds s"
        ;;
    124 | 137)
        if $capped; then
            # Under the sanitizer it may just be slow; a test that takes so long hangs.
            if [ "$step" = test ]; then failures=$((failures + 1)); fi
            record "$step" "$name" "over $limit s" $seconds "$tail" && say "$step $name: given up after $seconds s"
        else
            unfinished=$((unfinished + 1)) && say "$step $name: no time left"
        fi
        ;;
    *)
        failures=$((failures + 1))
        record "$step" "$name" failed $seconds "$tail"
        say "$step $name: failed with exit code $status"
        { echo "==== $step $name" && tail -c 20000 "$OUT/log.tmp"; } >>"$OUT/failures.log"
        tail -n 15 "$OUT/log.tmp"
        ;;
    esac
}

finish() {
    rm -f "$OUT/log.tmp"
    mkdir -p "$kept" && cp "$OUT"/*.jsonl "$kept/"
    report
    if [ $failures -gt 0 ]; then exit 1; fi
    if [ $unfinished -gt 0 ]; then say "$unfinished left; run it again to continue" && exit 130; fi
    exit 0
}

# suites PROGRAM: its test suites that have cases on the device cuda.
suites() {
    local listed
    listed=$("$here/$1" --gtest_list_tests --gtest_filter='*/cuda:*/cuda_*' | awk '/^[^ ].*\.$/ {sub(/\.$/, "", $1); print $1}')
    if [ -z "$listed" ]; then say "$1 lists no test on the device cuda. Build it with CUDA." >&2 && exit 1; fi
    echo "$listed"
}

need_gpu() {
    local why
    if ! why=$("$here/bifrons-bench" --device cuda --list --filter adam 2>&1); then
        echo "gpu.sh: no GPU: $why" >&2
        exit 4
    fi
    commit=$(cat "$here/commit")
    device=$(nvidia-smi --query-gpu=name --format=csv,noheader 2>/dev/null | head -1)
    driver=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>/dev/null | head -1)
    export OUT=${OUT:-$here/results}
    mkdir -p "$OUT"
    for earlier in "$here"/results/*.jsonl "$kept"/*.jsonl; do
        [ -f "$earlier" ] && [ ! -f "$OUT/$(basename "$earlier")" ] && cp "$earlier" "$OUT/"
    done
    # Python's packages bring cuDNN and cuBLASLt where the system has none.
    local packages
    packages=$(python3 -c 'import nvidia; print("\n".join(nvidia.__path__))' 2>/dev/null |
        while read -r folder; do find "$folder" -type d -name lib; done | tr '\n' ':')
    export LD_LIBRARY_PATH=${LD_LIBRARY_PATH-}:$packages BIFRONS_PEER_PYTHON=${BIFRONS_PEER_PYTHON:-python3}
}

# ---- the steps -----------------------------------------------------------------------------------------------------

run_tests() {
    for program in kernels_tests engine_tests model_tests tools_tests; do
        list=$(suites $program) || exit 1
        for suite in $list; do
            attempt test "$program $suite" "$here/$program" --gtest_filter="$suite.*/cuda:$suite.*/cuda_*"
        done
    done
}

# Small tests that between them start every kernel; racecheck looks at shared memory alone and is the slowest.
sanitized=${SANITIZE:-'Epilogue|Conv2d|Dense|Mse|L1|Bce|Dssim|Mask|Optim|Update|Norm|Augment|BlurOutside|Match|Recolor|Rng|Poisson|Color|PixelNorm|Pool|Upsample|Channels|Cast|Total|Step|Device'}

sanitize() {
    local sanitizer
    sanitizer=$(command -v compute-sanitizer || ls /usr/local/cuda/bin/compute-sanitizer 2>/dev/null)
    if [ -z "$sanitizer" ]; then
        say "compute-sanitizer: not found; it comes with the CUDA toolkit"
        failures=$((failures + 1))
        return
    fi
    # Some virtual machines hide from it the GPU that programs see.
    local probe
    probe=$(timeout -k 5 60 "$sanitizer" "$here/kernels_tests" --gtest_filter='*MseTest.anchors_by_hand/cuda' 2>&1)
    if grep -qi 'device not supported' <<<"$probe"; then
        record sanitize all skipped 0 "compute-sanitizer: device not supported"
        say "compute-sanitizer does not run on this machine (device not supported)"
        return
    fi
    # Several suites in a process, as each start takes seconds. Blocks of the Poisson solver wait for each other, which
    # racecheck slows down beyond use.
    local groups group
    groups=$(suites kernels_tests) || exit 1
    groups=$(grep -E "$sanitized" <<<"$groups" | paste -sd '         \n')
    for tool in memcheck racecheck synccheck initcheck; do
        while read -r group; do
            local filter=
            for suite in $group; do
                if [ $tool = racecheck ] && [[ $suite = *Poisson* ]]; then continue; fi
                filter+="$suite.*/cuda:"
            done
            if [ -z "$filter" ]; then continue; fi
            attempt sanitize "$tool ${group%% *} and $(($(wc -w <<<"$group") - 1)) more" "$sanitizer" --tool $tool --error-exitcode 9 \
                --print-limit 5 "$here/kernels_tests" --gtest_filter="$filter"
        done <<<"$groups"
    done
}

conform() {
    # Many small files travel as one.
    mkdir -p "$OUT/golden.tmp"
    attempt conform wrappers "$here/ptx_conform" "$OUT/golden.tmp"
    # Done before, it records nothing now, and what it recorded then stays.
    if [ -n "$(ls -A "$OUT/golden.tmp")" ]; then tar -C "$OUT/golden.tmp" -cf "$OUT/golden.tar" .; fi
    rm -r "$OUT/golden.tmp"
    say "unpack golden.tar into tests/golden/"
}

bench() { # BIFRONS-BENCH-OPTION...
    local status
    if [ "$(left)" -lt 15 ]; then unfinished=$((unfinished + 1)) && return; fi
    timeout -k 5 "$(left)" "$here/bifrons-bench" --device cuda --resume --out "$OUT/bench.jsonl" "$@"
    status=$?
    case $status in
    0) ;;
    124 | 137) unfinished=$((unfinished + 1)) ;;
    *) failures=$((failures + 1)) ;;
    esac
}

# report: how each step's parts ended when they were last run.
report() {
    for name in test sanitize conform; do
        awk -v step="$name" '
            index($0, "\"step\": \"" step "\"") {
                match($0, /"name": "[^"]*"/); part = substr($0, RSTART, RLENGTH)
                match($0, /"status": "[^"]*"/); last[part] = substr($0, RSTART + 11, RLENGTH - 12)
            }
            END {
                for (part in last) ++count[last[part] ~ /^over/ ? "over" : last[part]]
                printf "%-10s %4d passed %4d skipped %4d failed %4d given up\n", step, count["passed"], count["skipped"],
                    count["failed"], count["over"]
            }' "$OUT/gpu.jsonl" 2>/dev/null
    done
    printf '%-10s %4d measured %2d failed\n' bench "$(grep -sc '"ours_us"' "$OUT/bench.jsonl")" \
        "$(grep -sc '"failed"' "$OUT/bench.jsonl")"
}

case $step in
build) build ;;
all) need_gpu && { conform; run_tests; bench --quick; sanitize; finish; } ;;
test) need_gpu && run_tests && finish ;;
sanitize) need_gpu && sanitize && finish ;;
conform) need_gpu && conform && finish ;;
bench) need_gpu && bench --quick && finish ;;
grid) budget=${BUDGET:-86400} && need_gpu && bench && finish ;;
report) need_gpu && report ;;
*) sed -n '2,19s/^# \{0,1\}//p' "$0" >&2 && exit 2 ;;
esac
