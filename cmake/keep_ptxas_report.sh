#!/bin/sh
# cmake/keep_ptxas_report.sh COMPILER ARGUMENT... - runs the compiler and keeps what ptxas says of each kernel (-Xptxas=-v)
# beside the object file, for tools/kernel_resources.sh. Other words of the compiler go where they belong.
object=
for argument; do
    if [ "$previous" = -o ]; then object=$argument; fi
    previous=$argument
done
words=$(mktemp)
"$@" 2>"$words"
status=$?
grep -A1 '^ptxas info' "$words" | grep -v '^--$' >"$object.ptxas"
grep -v -e '^ptxas info' -e '^    [0-9]* bytes stack frame' "$words" >&2
rm -f "$words"
exit $status
