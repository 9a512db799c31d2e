#!/bin/bash
# tools/loss_band.sh - does training in bf16 learn as training in f32 does?
#
#   tools/loss_band.sh SRC DST FOLDER [OPTION...]
#
# Trains five models in f32, seeds 1 to 5, and one in bf16, seed 1, for STEPS steps (1000; a multiple of 40) each on
# two facesets, in FOLDER; options go to `bifrons train` (--device, --config, --set). Prints the mean total loss over the
# last tenth of the first quarter, half, three quarters and all of the steps: the least and the largest of the five, and
# that of bf16.
# BIFRONS: the program (build/bifrons). Run again, it continues where it stopped.
# Exit codes: 0 bf16 ends no higher than the largest, 1 it does or a training failed, 2 usage.
set -euo pipefail
[ $# -ge 3 ] && [ $((${STEPS:-1000} % 40)) = 0 ] || { sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2; }
program=${BIFRONS:-$(dirname "$0")/../build/bifrons} steps=${STEPS:-1000}
src=$1 dst=$2 folder=$3
shift 3
mkdir -p "$folder"

train() { # PRECISION SEED
    "$program" train --src "$src" --dst "$dst" --model "$folder/$1-$2" --steps "$steps" "${@:3}" \
        --set precision="$1" --set seed="$2" >"$folder/$1-$2.log" 2>&1 ||
        { echo "loss_band.sh: training $1, seed $2 failed:" >&2; tail -3 "$folder/$1-$2.log" >&2; exit 1; }
}

# mean_loss RUN END: over the last tenth of the steps up to END
mean_loss() {
    sed -n 's/.*"event":"steps","step":\([0-9]*\),"steps":\([0-9]*\),.*"total":\([-0-9.e+]*\).*/\1 \2 \3/p' \
        "$folder/$1/history.jsonl" |
        awk -v end="$2" '$1 <= end && $1 > 0.9 * end {loss[$1] = $3; steps[$1] = $2} # after a resume: the later line
                         END {for (s in loss) {sum += steps[s] * loss[s]; n += steps[s]} printf "%.6f", sum / n}'
}

for seed in 1 2 3 4 5; do train f32 $seed "$@"; done
train bf16 1 "$@"
printf '%8s %12s %12s %12s\n' step 'f32 least' 'f32 largest' bf16
for quarter in 1 2 3 4; do
    end=$((steps * quarter / 4))
    band=$(for seed in 1 2 3 4 5; do mean_loss f32-$seed $end; echo; done | sort -g | sed -n '1p;5p')
    least=${band%$'\n'*} largest=${band#*$'\n'} narrow=$(mean_loss bf16-1 $end)
    printf '%8d %12s %12s %12s\n' "$end" "$least" "$largest" "$narrow"
done
awk -v b="$largest" -v x="$narrow" 'BEGIN {exit !(x <= b)}' ||
    { echo "loss_band.sh: bf16 ends above the largest loss of the five" >&2; exit 1; }
