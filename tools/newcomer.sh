#!/bin/bash
# tools/newcomer.sh - what a newcomer meets: a bare Debian in which a copy of HEAD runs the README's command, and how long
# each step takes.
#
#   tools/newcomer.sh bookworm|trixie [demo|test|build]      tools/demo.sh (default), tools/test.sh, or packages and program
#
# Works in build-newcomer/ ($NEWCOMER_FOLDER: elsewhere). The bare system stays there as RELEASE.tar; where that is missing it
# is made, from $DEBIAN_MIRROR or debootstrap's own choice. All else is removed at the end.
set -euo pipefail
cd "$(dirname "$0")/.."

give_up() {
    echo "newcomer.sh: $1" >&2
    exit 1
}

release=${1-} work=${2-demo}
case "$release $work" in
"bookworm demo" | "trixie demo") commands="tools/demo.sh" ;;
"bookworm test" | "trixie test") commands="tools/test.sh" ;;
"bookworm build" | "trixie build") commands="tools/setup.sh && tools/build.sh" ;;
*) echo "usage: tools/newcomer.sh bookworm|trixie [demo|test|build]" >&2 && exit 2 ;;
esac

[ "$(id -u)" = 0 ] || give_up "making a chroot needs root; run it with sudo."
command -v debootstrap >/dev/null || give_up "debootstrap is missing; install it (apt-get install debootstrap)."
folder=$(realpath -m "${NEWCOMER_FOLDER:-build-newcomer}")
mkdir -p "$folder"
free=$(df -P --block-size=1G "$folder" | awk 'NR == 2 { print $4 }')
[ "$free" -ge 8 ] || give_up "$folder has $free GB of room and 8 are needed; free some, or name another folder in NEWCOMER_FOLDER."

# Mounts and processes live in namespaces of their own and end with them, so plain files are all that is left to remove.
# They run in the background, because only then does a signal to this script end them at once.
root=$(mktemp -d "$folder/$release-XXXXXX")
alone=(unshare --mount --propagation slave --pid --fork --kill-child)
clean_up() {
    [ -z "${inside-}" ] || kill -KILL "$inside" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

base=$folder/$release.tar
if [ ! -f "$base" ]; then
    # The script sid, because that of a release is the same and older debootstraps lack it.
    "${alone[@]}" debootstrap --variant=minbase "$release" "$root" "${DEBIAN_MIRROR-}" sid &
    inside=$!
    wait "$inside" ||
        give_up "debootstrap failed, for the reason above; mend it, or name another mirror in DEBIAN_MIRROR."
    tar -C "$root" -cf "$base.new" .
    mv "$base.new" "$base"
else
    tar -C "$root" -xf "$base"
fi
chmod 755 "$root"
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
mkdir "$root/root/bifrons"
if [ -d ../shared/assets ]; then mkdir -p "$root/root/shared/assets"; fi
git archive HEAD | tar -C "$root/root/bifrons" -x

steps=()
begin_step() { # NAME
    local now=${EPOCHREALTIME/[.,]/}
    [ -z "${step-}" ] || steps+=("$(printf '%8.1f s  %s' "$(((now - begun) / 100000))e-1" "$step")")
    step=$1 begun=$now
}

# A line "== NAME" of the scripts begins a step.
begin_step start
exec 3< <(
    exec 2>&1 </dev/null "${alone[@]}" sh -ec '
        mount -t proc proc "$1/proc"
        mount --rbind /dev "$1/dev"
        if [ -d "$1/root/shared/assets" ]; then mount --bind -o ro ../shared/assets "$1/root/shared/assets"; fi
        exec chroot "$1" /usr/bin/env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
            http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" sh -ec "cd /root/bifrons; $2"' newcomer "$root" "$commands"
)
inside=$!
while IFS= read -r line <&3; do
    echo "$line"
    [[ $line != "== "* ]] || begin_step "${line#== }"
done
status=0
wait "$inside" || status=$?
inside=""
begin_step end
printf '== %s on a bare %s: exit status %s\n' "$commands" "$release" "$status"
printf '%s\n' "${steps[@]}"
exit "$status"
