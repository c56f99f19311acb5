#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Builds the Linux guest that Motet is compared with: build/bench/linux/vmlinuz and initramfs.gz.
# Called by bench/dns.py. The kernel is Debian's cloud kernel, downloaded as a package and only
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

build_responder() {
    compiler=musl-gcc
    command -v musl-gcc >/dev/null || compiler=gcc # its C library is three times the size
    "$compiler" -std=c17 -D_GNU_SOURCE -O2 -static -Wall -Wextra -Werror -s \
        -o "$out/root/init" bench/linux/responder.c ||
        fail "can't build the responder: install musl-tools or libc6-dev"
}

copy_modules() {
    number=0
    for module in $modules; do
        file=$(find "$out/unpacked" -path "*/$module.ko" -print -quit)
        [ -n "$file" ] || fail "the kernel package has no module $module"
        cp "$file" "$out/root/modules/$number.ko"
        number=$((number + 1))
    done
}

command -v cpio >/dev/null || fail "install cpio"
mkdir -p "$out"
package=$(find_package)
if [ -z "$package" ]; then
    download_package
    package=$(find_package)
fi
unpack_kernel "$package"
rm -rf "$out/root"
mkdir -p "$out/root/modules"
build_responder
copy_modules
(cd "$out/root" && find . | cpio --quiet -o -H newc -R 0:0 >../initramfs)
gzip -9 -f -S .gz "$out/initramfs"
rm -rf "$out/unpacked" "$out/download.log"
echo "bench/linux/build.sh: $out/vmlinuz and $out/initramfs.gz from $(basename "$package")"
