# shellcheck shell=sh disable=SC2034,SC2154
# SPDX-License-Identifier: ISC
#
# What pack-disk, pack-uefi and pack-iso share; each sources it, with `self` set to its own name and
# `here` to this folder. Checks the arguments, and leaves in $work, which goes at the end: motet.elf
# (the kernel stripped) and memdisk.tar (it alone). Refuses settings that GRUB's parser would take
# for something else, and kernels that GRUB couldn't start.
set -eu
export LC_ALL=C

bios_modules=${GRUB_DIR:-/usr/lib/grub/i386-pc}
efi_modules=${GRUB_EFI_DIR:-/usr/lib/grub/x86_64-efi}

die() {
    echo "$self: error: $1" >&2
    exit 1
}

# pack_arguments ARGUMENT...: sets settings, out and kernel.
pack_arguments() {
    settings=
    if [ "${1-}" = --settings ] && [ $# -ge 2 ]; then
        settings=$2
        shift 2
    fi
    [ $# -eq 2 ] || die "wrong arguments — $self [--settings \"KEY=VALUE ...\"] $usage KERNEL.elf"
    out=$1
    kernel=$2
    # What GRUB's parser or the replacement below would take for something else.
    case $settings in
    *[!A-Za-z0-9._=:/,\ +-]*)
        die "settings \"$settings\" have other characters than letters, digits, blanks and ._=:/,+- — leave them out" ;;
    esac
    [ -r "$kernel" ] || die "$kernel can't be read — build it first"
}

# need COMMAND PACKAGE
need() {
    command -v "$1" >/dev/null || die "there is no $1 — install $2"
}

# need_modules FOLDER FILE PACKAGE VARIABLE
need_modules() {
    [ -r "$1/$2" ] || die "there is no $1/$2 — install $3, or set $4"
}

pack_kernel() {
    need grub-mkimage grub-common
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM

    strip -o "$work/motet.elf" "$kernel" || die "$kernel is no ELF file — build it first"
    grub-file --is-x86-multiboot2 "$work/motet.elf" ||
        die "$kernel has no Multiboot2 header in its first 32 KiB — place one there"

    # GRUB looks the entry up among the addresses that segments are linked at, not loaded at; what it
    # says when it isn't there is gone from the screen at once.
    entry=$(readelf -h "$work/motet.elf" | sed -n 's/.*Entry point address: *0x//p')
    objdump -s --start-address="0x$entry" "$work/motet.elf" | grep -q "^ 0*$entry " ||
        die "$kernel's entry 0x$entry is in no section — set it to a linked, not a physical, address"
    tar --format=ustar --owner=0 --group=0 --numeric-owner --mode=644 --mtime=@0 -b 1 \
        -C "$work" -cf "$work/memdisk.tar" motet.elf
}

# config KERNEL: the early configuration for the kernel at that GRUB path.
config() {
    sed -e '/^#/d' -e "s|@KERNEL@|$1|" -e "s|@SETTINGS@|$settings|" "$here/grub/disk.cfg"
}

# bios_core FORMAT OPTION...: makes $work/core.img with the configuration $work/grub.cfg.
bios_core() {
    format=$1
    shift
    grub-mkimage -O "$format" -d "$bios_modules" -p / -c "$work/grub.cfg" -o "$work/core.img" "$@" \
        2>"$work/errors"
}

# efi_partition: makes $work/efi.img, a FAT file system with nothing but GRUB, kernel inside, where
# every UEFI firmware looks on a removable medium (UEFI 2.10, section 3.5.1.1).
efi_partition() {
    config '(memdisk)/motet.elf' >"$work/grub.cfg"
    grub-mkimage -O x86_64-efi -d "$efi_modules" -p / -c "$work/grub.cfg" -m "$work/memdisk.tar" \
        -o "$work/BOOTX64.EFI" memdisk tar multiboot2 2>"$work/errors" ||
        die "grub-mkimage failed — $(cat "$work/errors")"
    touch -d @0 "$work/BOOTX64.EFI"
    # The file, two folders, the allocation tables (1.5 or 2 bytes twice for each cluster), and a
    # little more; in clusters small enough to waste little, and few enough for FAT16.
    sectors=$((($(wc -c <"$work/BOOTX64.EFI") + 511) / 512))
    cluster=1
    while [ $((sectors / cluster)) -gt 4000 ] && [ "$cluster" -lt 64 ]; do cluster=$((cluster * 2)); done
    sectors=$(((sectors + sectors / (100 * cluster) + 8 * cluster + 16 + 63) / 64 * 64))
    truncate -s $((sectors * 512)) "$work/efi.img"
    { # 0x4d6f7465: one number for all, or no two results would be equal
        SOURCE_DATE_EPOCH=0 mformat -i "$work/efi.img" -T "$sectors" -h 2 -s 32 -c "$cluster" -r 1 \
            -N 4d6f7465 :: && SOURCE_DATE_EPOCH=0 mmd -i "$work/efi.img" ::/EFI ::/EFI/BOOT &&
            SOURCE_DATE_EPOCH=0 mcopy -m -i "$work/efi.img" "$work/BOOTX64.EFI" ::/EFI/BOOT/
    } 2>"$work/errors" || die "mtools failed — $(cat "$work/errors")"
}
