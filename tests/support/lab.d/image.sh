# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# The guest image: Debian's cloud kernel, and an initramfs of busybox, virtio modules, the node's own
# snmpd and the test tools. Made once into STATE/image; only the kernel comes over the network.

# In the order of loading; below kernel/ of the kernel's module tree.
readonly image_modules="net/core/failover drivers/net/net_failover drivers/virtio/virtio_ring
	drivers/virtio/virtio drivers/virtio/virtio_pci_modern_dev drivers/virtio/virtio_pci_legacy_dev
	drivers/virtio/virtio_pci drivers/net/virtio_net drivers/virtio/virtio_balloon
	drivers/block/virtio_blk"
readonly image_tools="leak hog sawtooth settle build burst"

# The image is made anew when anything that goes into it has changed.
image_stamp()
{
	cat "$here"/guest/* "$here/lab.d/image.sh" /usr/sbin/snmpd | sha256sum | cut -d' ' -f1
}

image_make()
{
	local stamp
	stamp=$(image_stamp)
	if [ "$(cat "$state/image/stamp" 2>/dev/null)" = "$stamp" ]; then
		return 0
	fi
	if [ "$(uname -m)" != x86_64 ]; then
		die "guests can be made on x86_64 only"
	fi
	mkdir -p "$state/image"
	rm -rf "$state/image/stamp" "$state/image/accel" "$state/image/root"
	image_kernel
	image_compile
	image_root
	image_pack "$state/image/root" "$state/image/initrd"
	printf '%s\n' "$stamp" >"$state/image/stamp"
}

image_kernel_name()
{
	apt-cache depends linux-image-cloud-amd64 2>/dev/null |
		awk '/Depends: linux-image-[0-9]/ { print $2; exit }'
}

# Fetches and unpacks the kernel package; it is never installed.
image_kernel()
{
	local name
	name=$(image_kernel_name)
	if [ -z "$name" ]; then
		apt-get -q update >&2 || say "apt-get update failed"
		name=$(image_kernel_name)
	fi
	[ -n "$name" ] || die_lacking "apt knows no linux-image-cloud-amd64: guests need Debian's cloud kernel"
	local tree=$state/image/$name
	if [ ! -e "$tree/done" ]; then
		rm -rf "$tree" && mkdir -p "$tree"
		(cd "$tree" && apt-get -q -o APT::Sandbox::User=root download "$name" >&2) ||
			die_lacking "$name cannot be fetched, which takes the network once"
		dpkg-deb -x "$tree/$name"_*.deb "$tree/files"
		rm "$tree/$name"_*.deb
		touch "$tree/done"
	fi
	ln -sfn "$name/files" "$state/image/kernel"
	ln -sfn "kernel/boot/vmlinuz-${name#linux-image-}" "$state/image/vmlinuz"
}

image_compile()
{
	local tool
	mkdir -p "$state/image/bin"
	for tool in $image_tools; do
		"${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -static \
			-o "$state/image/bin/$tool" "$here/guest/$tool.c" -lm
	done
}

image_root()
{
	local root=$state/image/root
	mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,proc,sys,dev,tmp,run,root,modules,lib64} \
		"$root"/{etc/snmp,var/lib/snmp,usr/lib/x86_64-linux-gnu,usr/share/snmp}
	ln -s usr/lib "$root/lib"
	image_busybox "$root"
	local tool
	for tool in $image_tools; do
		cp "$state/image/bin/$tool" "$root/bin/"
	done
	cp "$here/guest/init" "$root/init"
	cp "$here/guest/snmpd.conf" "$root/etc/snmp/"
	echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
	echo 'root:x:0:' >"$root/etc/group"
	# shellcheck disable=SC2086 # a list of words
	image_modules_copy "$root" $image_modules
	image_snmpd "$root"
}

# image_busybox ROOT: with a name for each of its applets.
image_busybox()
{
	cp /bin/busybox "$1/bin/busybox"
	local applet
	for applet in $(/bin/busybox --list); do
		[ "$applet" = busybox ] || ln -sf busybox "$1/bin/$applet"
	done
}

# image_modules_copy ROOT MODULE...
image_modules_copy()
{
	local root=$1 module
	shift
	for module; do
		cp "$state"/image/kernel/lib/modules/*/kernel/"$module.ko" "$root/modules/"
		basename "$module" >>"$root/modules/order"
	done
}

# snmpd as it is installed here, with the libraries that it needs.
image_snmpd()
{
	local library
	cp /usr/sbin/snmpd "$1/usr/sbin/"
	ldd /usr/sbin/snmpd | awk '$3 ~ /^\// { print $3 }' | while read -r library; do
		cp -L "$library" "$1/usr/lib/x86_64-linux-gnu/"
	done
	cp -L /lib64/ld-linux-x86-64.so.2 "$1/lib64/"
}

# image_pack ROOT INITRD; the root is gone then. Not compressed: under emulation unpacking costs more than reading.
image_pack()
{
	(cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet) >"$2.new"
	mv "$2.new" "$2"
	rm -rf "$1"
}
