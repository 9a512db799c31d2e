#!/bin/bash
# tools/kernel_resources.sh - registers, shared memory and spills of every kernel on every architecture that was built,
# against the committed table tests/golden/kernel_resources.txt. Reads what ptxas said while they were compiled with
# BIFRONS_PTXAS_REPORTS, as the preset all-gpus does.
#
#   tools/kernel_resources.sh [BUILD-FOLDER]            compares; fails on what got worse, is new or is gone
#   tools/kernel_resources.sh --write [BUILD-FOLDER]    writes the table
#
# A row: source, kernel, registers on each architecture, bytes of static shared memory, of stack, of spill loads and stores
# (one number, or one for each architecture). Registers are ceilings: fewer pass. A spill fails unless its row ends in
# "# reason".
set -euo pipefail
cd "$(dirname "$0")/.."
table=tests/golden/kernel_resources.txt
write=false
if [ "${1-}" = --write ]; then write=true && shift; fi
build=${1-build-all-gpus}
again="To accept what is right: cmake --preset all-gpus && cmake --build --preset all-gpus --target bifrons_kernels && tools/kernel_resources.sh --write"

reports=$(find "$build" -path '*bifrons_kernels.dir/*.cu.o.ptxas' | sort)
if [ -z "$reports" ]; then
    echo "kernel_resources: no *.ptxas under $build. Build the preset all-gpus first." >&2
    exit 2
fi

# One line for each kernel and architecture: source, mangled name, sm, registers, shared, stack, spills.
measured() {
    for report in $reports; do
        awk -v source="${report##*bifrons_kernels.dir/}" '
            BEGIN { sub(/\.o\.ptxas$/, "", source) }
            /Compiling entry function/ { split($0, part, "\047"); name = part[2]; sm = part[4]; stack = spill = 0; entry = 1 }
            /Function properties for/ { entry = ($NF == name) }
            /bytes stack frame/ && entry { stack = $1; spill = $5 + $9 }
            /Used [0-9]+ registers/ {
                registers = $5; shared = 0
                if (match($0, /[0-9]+ bytes smem/)) shared = substr($0, RSTART, RLENGTH) + 0
                print source, name, sm, registers, shared, stack, spill
            }' "$report"
    done | c++filt -p
}

# One row for each kernel, columns by architecture; names without namespaces.
rows() {
    measured | sed -e 's/bifrons::kernels:://g; s/cuda:://g; s/(anonymous namespace):://g; s/ >/>/g' | awk '
        {
            # The name may hold blanks: it lies between the first field and the last five.
            name = $2
            for (i = 3; i <= NF - 5; ++i) name = name " " $i
            sub(/^void /, "", name)
            key = $1 "  " name; sm = substr($(NF - 4), 4)
            if (!(key in seen)) seen[key] = 1
            if (!(sm in known)) { known[sm] = 1; archs[++count] = sm }
            # Overloads of one name share a row, which has the most of each.
            most(registers, $(NF - 3)); most(shared, $(NF - 2)); most(stack, $(NF - 1)); most(spill, $NF)
        }
        function most(values, value) { if (!((key, sm) in values) || value + 0 > values[key, sm] + 0) values[key, sm] = value }
        function list(values, key,   text, same, i) {
            text = values[key, archs[1]]; same = 1
            for (i = 2; i <= count; ++i) { same = same && values[key, archs[i]] == values[key, archs[1]]; text = text "," values[key, archs[i]] }
            return same ? values[key, archs[1]] : text
        }
        END {
            # Architectures in numerical order.
            for (i = 2; i <= count; ++i) for (j = i; j > 1 && archs[j] + 0 < archs[j - 1] + 0; --j) { t = archs[j]; archs[j] = archs[j - 1]; archs[j - 1] = t }
            header = "# source  kernel  registers on"
            for (i = 1; i <= count; ++i) header = header " sm_" archs[i]
            print "0 " header "  shared  stack  spill"
            for (key in seen) {
                line = ""
                for (i = 1; i <= count; ++i) line = line (i > 1 ? "," : "") registers[key, archs[i]]
                print "1 " key "  registers " line "  shared " list(shared, key) "  stack " list(stack, key) "  spill " list(spill, key)
            }
        }' | LC_ALL=C sort | cut -c3-
}

if $write; then
    mkdir -p "$(dirname "$table")"
    touch "$table"
    # Reasons stay with their kernels.
    rows | awk -v table="$table" '
        BEGIN { while ((getline line < table) > 0) if (match(line, /  # .*/)) reason[substr(line, 1, index(line, "  registers ") - 1)] = substr(line, RSTART) }
        { key = substr($0, 1, index($0, "  registers ") - 1); print $0 (key in reason ? reason[key] : "") }' >"$table.new"
    mv "$table.new" "$table"
    echo "kernel_resources: wrote $(grep -vc '^#' "$table") kernels to $table"
    if grep -v '  spill 0\(  # .*\)\?$' "$table" | grep -v '^#' | grep -v '  # '; then
        echo "kernel_resources: the kernels above spill. Fix them, or give each row a reason after \"  # \"." >&2
        exit 1
    fi
    exit 0
fi

rows | awk -v table="$table" -v again="$again" '
    function fail(text) { print "kernel_resources: " text > "/dev/stderr"; failed = 1 }
    function field(line, name,   rest) { rest = substr(line, index(line, "  " name " ") + length(name) + 3); sub(/ .*/, "", rest); return rest }
    function key_of(line) { return substr(line, 1, index(line, "  registers ") - 1) }
    # The i-th of a list with a number for each architecture, or the only one.
    function at(list, i,   values) { return split(list, values, ",") == 1 ? values[1] : values[i] }
    function architectures(header, sm,   n) { sub(/.*registers on /, "", header); sub(/  .*/, "", header); return split(header, sm, " ") }
    BEGIN {
        while ((getline line < table) > 0) { if (line ~ /^#/) header = line; else want[key_of(line)] = line }
        count = architectures(header, known)
        for (i = 1; i <= count; ++i) column[known[i]] = i
    }
    /^#/ {
        n = architectures($0, built)
        for (i = 1; i <= n; ++i) {
            if (!(built[i] in column)) fail(built[i] ": is not in the table; it has " header)
            place[i] = column[built[i]]
        }
        next
    }
    {
        key = key_of($0); ++kernels
        if (!(key in want)) { fail(key ": is not in the table"); next }
        row = want[key]; delete want[key]
        for (i = 1; i <= n; ++i) {
            who = key ", " built[i] ": "
            now = at(field($0, "registers"), i) + 0; most = at(field(row, "registers"), place[i]) + 0
            if (now > most) fail(who "registers " now "; expected at most " most)
            fewer += now < most
            m = split("shared stack", exact, " ")
            for (k = 1; k <= m; ++k) {
                now = at(field($0, exact[k]), i); most = at(field(row, exact[k]), place[i])
                if (now != most) fail(who exact[k] " " now "; expected " most)
            }
            spill = at(field($0, "spill"), i)
            if (spill != "0" && row !~ /  # /) fail(who "spills " spill " bytes, and its row gives no reason")
            else if (spill != at(field(row, "spill"), place[i])) fail(who "spills " spill "; expected " at(field(row, "spill"), place[i]))
        }
    }
    END {
        for (key in want) fail(key ": is in the table and not in the build")
        if (failed) { print again > "/dev/stderr"; exit 1 }
        list = ""
        for (i = 1; i <= n; ++i) list = list " " built[i]
        print "kernel_resources: " kernels " kernels as in " table ", on" list (fewer ? "; some take fewer registers now, --write tightens the table" : "")
    }'
