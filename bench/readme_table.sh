#!/bin/sh
# bench/readme_table.sh - the table of README.md's section "Measured", from the lines of bench/results/.
#
#   bench/readme_table.sh            fails if README.md has another one
#   bench/readme_table.sh --write    puts it there
set -eu
cd "$(dirname "$0")/.."

# value LINE KEY: a number or text of a JSON line.
value() { printf '%s\n' "$1" | sed -n "s/.*\"$2\": *\"\{0,1\}\([^,\"}]*\).*/\1/p"; }
# digits NUMBER: three of them.
digits() { awk -v v="$1" 'BEGIN { printf v < 10 ? "%.2f" : v < 100 ? "%.1f" : "%.0f", v }'; }

# ms MICROSECONDS: in milliseconds.
ms() { digits "$(awk -v us="$1" 'BEGIN { print us / 1000 }')"; }

# row WHAT PATTERN...: the newest line that holds all patterns.
row() {
    what=$1 && shift
    lines=$(cat bench/results/*.jsonl)
    for pattern in "$@"; do lines=$(printf '%s\n' "$lines" | grep -F -e "$pattern") || break; done
    line=$(printf '%s\n' "$lines" | tail -n 1)
    [ -n "$line" ] || { echo "readme_table.sh: no line of bench/results/ has $*" >&2 && exit 1; }
    case $line in
    *'"peer_ms"'*) echo "| $what | $(digits "$(value "$line" ours_ms)") ms | $(value "$line" peer): $(digits "$(value "$line" peer_ms)") ms | $(digits "$(value "$line" ratio)") |" ;;
    *'"peer_us"'*) echo "| $what | $(ms "$(value "$line" ours_us)") ms | $(value "$line" peer | sed 's/+.*//; s/pytorch/PyTorch/'): $(ms "$(value "$line" peer_us)") ms | $(digits "$(value "$line" ratio)") |" ;;
    *'"frames_per_s"'*) echo "| $what | $(digits "$(value "$line" frames_per_s)") frames/s | | |" ;;
    *'"max_rss_mb"'*) echo "| $what | $(value "$line" max_rss_mb) MB | | |" ;;
    *) echo "readme_table.sh: has nothing that the table shows: $line" >&2 && exit 1 ;;
    esac
}

table() {
    echo "| what | Bifrons | peer | ratio |"
    echo "|---|---|---|---|"
    for precision in f32 bf16; do
        row "training step, $precision, 64 px, e 32 ae 128 d 16, batch 4 + 4" "training_step/df-ud/64px/b4/$precision"
        row "training step, $precision, 96 px, e 64 ae 256 d 64, batch 4 + 4" "training_step/df-ud/96px/b4/$precision"
    done
    for size in 129 512 1022 1025; do
        row "Poisson, OpenCV's equation, $size px square" '"poisson_rect_vs_opencv"' "\"size\": $size}"
    done
    row "extraction, 360x288, pictures written" '"extract"'
    row "\`train\` at 64 px, e 32 ae 128 d 16, resident memory" '"train_memory"'
}

begin='<!-- made by bench/readme_table.sh -->' end='<!-- end of the table -->'
made=$(table)
wanted=$(MADE=$made awk -v begin="$begin" -v end="$end" '
    $0 == end { inside = 0 }
    !inside { print }
    $0 == begin { print ENVIRON["MADE"]; inside = 1 }' README.md)
if [ "${1-}" = --write ]; then
    printf '%s\n' "$wanted" >README.md
elif [ "$wanted" != "$(cat README.md)" ]; then
    echo "README.md: the table of measurements is not what bench/results/ says; bench/readme_table.sh --write makes it" >&2
    printf '%s\n' "$wanted" | diff README.md - >&2 || true
    exit 1
fi
