#!/bin/bash
# bench/training_variants.sh - what settings make of a fixed time: trains a pair of clips with each of several variants
# and prints what a viewer sees of the result.
#
#   bench/training_variants.sh PAIR FOLDER VARIANT...
#
# PAIR: grid (pwij3p and swwp2s -> sbia1a of the assets) or demo (the two portraits of `bifrons demo`). FOLDER holds
# facesets, models and merged videos, and a variant that is finished there is not run again. VARIANT: a TOML file of
# settings, or the name of a preset. Prints a line for each: steps, means over both people's held-out faces in their
# frames (LPIPS, sharpness, PSNR, SSIM), identity distance from the swap to the source, and sharpness of the swapped face
# in shares of the face that it replaced.
#
# MINUTES: of training (5). TRAIN: other options of `bifrons train`, as "--steps 2000 --device cpu:1" in place of a time.
# BIFRONS: the program (build/bifrons). ASSETS: the assets' folder (../shared/assets).
set -euo pipefail
[ $# -ge 3 ] && { [ "$1" = grid ] || [ "$1" = demo ]; } || { sed -n '2,16s/^# \{0,1\}//p' "$0" >&2; exit 2; }
root=$(cd "$(dirname "$0")/.." && pwd)
program=${BIFRONS:-$root/build/bifrons} assets=${ASSETS:-$root/../shared/assets} minutes=${MINUTES:-5}
pair=$1 folder=$2
shift 2
held_out=0.12 # of 75 frames 9: at least 8 faces of each side are measured
mkdir -p "$folder"

quietly() { # LOG COMMAND...
    local log=$1
    shift
    "$@" >"$log" 2>&1 || { echo "training_variants.sh: failed, see $log" >&2; tail -3 "$log" >&2; exit 1; }
}

if [ "$pair" = grid ]; then
    footage=$assets/faces/grid src=("$assets"/faces/grid/{pwij3p,swwp2s}.mpg) dst=("$assets/faces/grid/sbia1a.mpg")
else
    footage=$folder/demo src=("$folder/demo/src.mp4") dst=("$folder/demo/dst.mp4")
    [ -f "${dst[0]}" ] || quietly "$folder/demo.log" "$program" demo --out "$folder/demo" --steps 1
fi
for side in src dst; do
    inputs="$side[@]"
    [ -f "$folder/$pair-$side/faceset.json" ] ||
        quietly "$folder/$pair-$side.log" "$program" extract "${!inputs}" -o "$folder/$pair-$side" --detector hog
done

printf '%-24s %6s %8s %9s %7s %7s %9s %12s\n' "$pair" steps LPIPS sharpness 'PSNR dB' SSIM identity 'swap sharp.'
for variant; do
    name=$(basename "$variant" .toml) settings=(--preset "$variant")
    [ ! -f "$variant" ] || settings=(--config "$variant")
    model=$folder/$pair-$name
    [ -f "$model.json" ] || {
        if [ -n "${TRAIN-}" ]; then limit=($TRAIN); else limit=(--minutes "$minutes"); fi
        quietly "$model.train.log" "$program" train --src "$folder/$pair-src" --dst "$folder/$pair-dst" --model "$model" \
            "${settings[@]}" --set validation_fraction=$held_out "${limit[@]}"
        quietly "$model.merge.log" "$program" merge --model "$model" --input "${dst[0]}" -o "$model.mp4" --crf 0 \
            --detector hog --min-score 0 --overwrite
        "$program" eval --model "$model" --src "$folder/$pair-src" --dst "$folder/$pair-dst" --json \
            --footage "$footage" \
            --identity "$assets/models/face_identity_resnet34.safetensors" \
            --lpips "$assets/backbones/lpips_squeeze.safetensors" 2>"$model.eval.log" | grep '"in_frame"' >"$model.json.new"
        mv "$model.json.new" "$model.json" # only of an evaluation that succeeded
    }
    python3 - "$name" "$model.json" <<'PY'
import json, sys
r = json.load(open(sys.argv[2]))
mean = {k: (r["in_frame"]["src"][k] + r["in_frame"]["dst"][k]) / 2 for k in ("lpips", "sharpness", "psnr", "ssim")}
print(f'{sys.argv[1]:24} {r["step"]:6} {mean["lpips"]:8.4f} {mean["sharpness"]:9.3f} {mean["psnr"]:7.2f} {mean["ssim"]:7.4f} '
      f'{r["identity"]["swap"]["to_src"]:9.3f} {r["in_frame"]["swap"]["sharpness"]:12.3f}')
PY
done
