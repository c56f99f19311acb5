# shellcheck shell=sh
# SPDX-License-Identifier: ISC
#
# What tools/skeleton/new-* share: names, and files that are all there or none. Sourced in the
# tree's folder, with `kind` set to what is made ("server").

die() {
    echo "motet: error: $1" >&2
    exit 1
}

templates=tools/skeleton

# --- names ---------------------------------------------------------------------------------------

# The way out is the second word.
check_name() {
    case $1 in
    [!a-z]* | *[!a-z0-9_]*)
        die "\"$1\" is no name — lowercase letters, digits and _, beginning with a letter"
        ;;
    ????????????????*) die "\"$1\" has more than 15 letters — $2" ;;
    esac
}

# Objects of the libOS and images of the tree that aren't found by their files' names.
check_reserved() {
    case $1 in
    start | init_*) die "\"$1\" is a part of the system — choose another name" ;;
    kbench | usertests) die "\"$1\" is an image of the tests — choose another name" ;;
    esac
}

check_free() {
    for path in "servers/$1" "tests/servers/$1" "bench/ipc/servers/$1"; do
        [ ! -e "$path" ] || die "there is a server \"$1\" already, $path — choose another name"
    done
    [ ! -e "tests/unit/$1_server_test.c" ] ||
        die "there is tests/unit/$1_server_test.c already — choose another name"
}

# Of the files that one of the name has beside its folder.
check_files_free() {
    for path in "ipc/proto/$1.h" "images/$1.conf" "tests/images/$1.conf" "tests/system/test_$1.py"; do
        [ ! -e "$path" ] || die "there is $path already — choose another name"
    done
}

# --- files ---------------------------------------------------------------------------------------

work='' made='' paths=''

# Servers whose folders are made.
files_begin() {
    folders=$*
    work=$(mktemp -d "./.new-$kind.XXXXXX") || die "this folder can't be written: $PWD"
    trap undo EXIT
    trap 'exit 1' HUP INT TERM
}

undo() {
    for path in $made; do
        rm -f "$path"
    done
    [ -z "$made" ] || (cd servers && rmdir $folders) 2>/dev/null || :
    rm -rf "$work"
}

# TEMPLATE PATH SED-WORD...
fill() {
    template=$templates/$1.in path=$2
    shift 2
    mkdir -p "$work/$(dirname "$path")"
    sed "$@" "$template" >"$work/$path"
    paths="$paths $path"
}

# Names are ours from here on: what doesn't go into place is taken back by undo.
files_place() {
    for path in $paths; do
        mkdir -p "$(dirname "$path")"
        made="$made $path"
        cp "$work/$path" "$path" || die "$path can't be written"
    done
    made=
    echo "made:"
    for path in $paths; do
        echo "  $path"
    done
}
