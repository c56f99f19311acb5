#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Builds the Linux guests that Motet is compared with: build/bench/linux/vmlinuz, initramfs.gz with a
# bare responder, initramfs-dnsd.gz with dnsd's answering code and build/zones.zdb, and
# initramfs-triad.gz. Called by bench/dns.py and bench/includeos.py. The kernel is Debian's cloud kernel, downloaded as a package and only
# unpacked: nothing is installed on the host. A package already there is used again.
# Refuses, with the reason, when the package can't be had or no static C library is installed.
set -eu
cd "$(dirname "$0")/../.."
out=build/bench/linux
meta=linux-image-cloud-amd64

# In the order they have to be loaded.
modules='virtio/virtio_ring virtio/virtio virtio/virtio_pci_legacy_dev
    virtio/virtio_pci_modern_dev virtio/virtio_pci net/core/failover net/net_failover
    net/virtio_net'

fail() {
    echo "bench/linux/build.sh: $1" >&2
    exit 1
}

find_package() {
    find "$out" -maxdepth 1 -name 'linux-image-*-cloud-amd64_*.deb' | sort -V | tail -n 1
}

download_package() {
    name=$(apt-cache depends "$meta" 2>/dev/null |
        sed -n 's/.*Depends: \(linux-image-[^ ]*-cloud-amd64\).*/\1/p' | head -n 1)
    [ -n "$name" ] || fail "apt knows no package $meta: run 'apt-get update' as root"
    (cd "$out" && apt-get -qq download "$name" 2>download.log) || {
        cat "$out/download.log" >&2
        fail "can't download $name: check the network and run 'apt-get update' as root"
    }
}

unpack_kernel() {
    rm -rf "$out/unpacked"
    mkdir "$out/unpacked"
    dpkg-deb --fsys-tarfile "$1" | tar -x -C "$out/unpacked" --wildcards \
        './boot/vmlinuz-*' '*/drivers/virtio/*' '*/net/core/failover.ko' \
        '*/drivers/net/net_failover.ko' '*/drivers/net/virtio_net.ko'
    cp "$out"/unpacked/boot/vmlinuz-* "$out/vmlinuz"
}

# NAME SOURCE...: the only process of a guest.
build_init() {
    name=$1
    shift
    compiler=musl-gcc
    command -v musl-gcc >/dev/null || compiler=gcc # its C library is three times the size
    "$compiler" -std=c17 -D_GNU_SOURCE -DMOTET_HOST -O2 -static -Wall -Wextra -Werror -s -I. -Iinclude \
        -o "$out/$name/init" bench/linux/guest.c "$@" ||
        fail "can't build the guest's process: install musl-tools or libc6-dev"
}

# NAME: into its modules/.
copy_modules() {
    number=0
    mkdir -p "$out/$1/modules"
    for module in $modules; do
        file=$(find "$out/unpacked" -path "*/$module.ko" -print -quit)
        [ -n "$file" ] || fail "the kernel package has no module $module"
        cp "$file" "$out/$1/modules/$number.ko"
        number=$((number + 1))
    done
}

# NAME ARCHIVE: what is in the folder NAME.
pack() {
    (cd "$out/$1" && find . | cpio --quiet -o -H newc -R 0:0 >"../$2")
    gzip -9 -f -S .gz "$out/$2"
    rm -rf "${out:?}/$1"
}

command -v cpio >/dev/null || fail "install cpio"
mkdir -p "$out"
package=$(find_package)
if [ -z "$package" ]; then
    download_package
    package=$(find_package)
fi
unpack_kernel "$package"
for name in responder dnsd triad; do
    rm -rf "${out:?}/$name"
    copy_modules "$name"
done
build_init responder bench/linux/responder.c
pack responder initramfs
[ -e build/zones.zdb ] || fail "build/zones.zdb is missing: run 'make images'"
cp build/zones.zdb "$out/dnsd/"
# shellcheck disable=SC2046 # names without spaces
build_init dnsd bench/linux/dnsd.c $(ls servers/dnsd/*.c | grep -vF -e /dnsd.c -e /dnsd_settings.c -e /swap.c)
pack dnsd initramfs-dnsd
build_init triad -mgeneral-regs-only bench/linux/triad.c
pack triad initramfs-triad
rm -rf "$out/unpacked" "$out/download.log"
echo "bench/linux/build.sh: $out/vmlinuz and initial file systems from $(basename "$package")"
