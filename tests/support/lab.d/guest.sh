# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# Guests: real virtual machines that look like Nova's. Guest N is called web-N by its owner and
# instance-0000000N by libvirt, has the address 10.77.0.(10+N) on the bridge and the tap gmtapN.

# No group begins with a zero: net-snmp leaves those out where the MIB's display hint is followed.
guest_uuid()
{
	printf '6c766d67-1f00-4000-8a10-1%011x\n' "$1"
}

guest_mac()
{
	printf '52:54:00:77:00:%02x\n' "$1"
}

guest_address()
{
	printf '%s.%d\n' "$lab_network" $((10 + $1))
}

guest_domain()
{
	printf 'instance-%08x\n' "$1"
}

# What guests can run with, found out once per image and boot of this machine: kvm only if a guest
# really came up with it within 8 s, because /dev/kvm may be there and not serve. `none` is not kept: the
# machine may only have been too busy.
guest_accel()
{
	image_make
	local boot found=none
	boot=$(cat /proc/sys/kernel/random/boot_id)
	if [ "$(head -n1 "$state/image/accel" 2>/dev/null)" = "$boot" ]; then
		tail -n1 "$state/image/accel"
		return 0
	fi
	if [ -c /dev/kvm ] && guest_probe 8 -accel kvm -cpu host; then
		found=kvm
	elif guest_probe 180 -accel tcg -cpu max; then
		found=tcg
	fi
	[ "$found" = none ] || printf '%s\n%s\n' "$boot" "$found" >"$state/image/accel"
	printf '%s\n' "$found"
}

guest_probe()
{
	local deadline=$1
	shift
	timeout --signal=KILL "$deadline" qemu-system-x86_64 -M pc "$@" -m 128 -nodefaults \
		-display none -serial stdio -no-reboot -kernel "$state/image/vmlinuz" \
		-initrd "$state/image/initrd" \
		-append "console=ttyS0 quiet panic=-1 nokaslr cryptomgr.notests gm.probe=1" \
		</dev/null 2>/dev/null | grep -aq "^READY"
}

# Without KVM, /dev/kvm must not look usable: libvirt would find qemu's capabilities out of date at
# every look-up and ask qemu again, which makes each start of a guest take over a minute. Root may
# open anything but a file on a read-only mount.
guest_hide_kvm()
{
	[ -e /dev/kvm ] || return 0
	: >"$state/run/no-kvm"
	# shellcheck disable=SC2016 # expanded inside
	space_exec sh -c 'mountpoint -q /dev/kvm || { mount --bind "$0" /dev/kvm &&
		mount -o remount,bind,ro /dev/kvm; }' "$state/run/no-kvm"
}

# guest_start NUMBER [MIB [DISK_MIB]]. LAB_HOTPLUG=yes: devices can be plugged into it, and it comes back
# from a reboot; it takes a second longer to boot.
guest_start()
{
	local number=$1 memory=${2:-128} disk=${3:-} accel
	accel=$(guest_accel)
	case $accel in
	none) die "neither KVM nor emulation runs a guest on this machine" ;;
	tcg) guest_hide_kvm ;;
	esac
	local directory=$state/guests/$number
	mkdir -p "$directory"
	rm -f "$directory"/*
	if [ -n "$disk" ]; then
		truncate -s "${disk}M" "$directory/disk"
	fi
	guest_xml "$number" "$memory" "$accel" >"$directory/domain.xml"
	space_exec virsh -q create "$directory/domain.xml" >&2
	# Known ahead, so that no burst begins with a pause for address resolution or reaches all taps.
	space_exec bridge fdb replace "$(guest_mac "$number")" dev "gmtap$number" master static
	space_exec ip neighbour replace "$(guest_address "$number")" \
		lladdr "$(guest_mac "$number")" dev "$lab_bridge" nud permanent
	if ! wait_for 180 grep -aq "^READY" "$directory/console.log"; then
		tail -n 20 "$directory/console.log" >&2
		die "guest $number does not come up: $directory/console.log"
	fi
}

guest_stop()
{
	space_exec virsh -q destroy "$(guest_domain "$1")" >&2
}

guest_expect()
{
	if [ "$(guest_accel)" = tcg ]; then
		guest_hide_kvm
	fi
	mkdir -p "$state/guests/$1"
}

# guest_migrate NUMBER TARGET [OPTION...]. What is the node's and not the guest's has its place in the target's
# directory. Of libvirt's memory, qemu's and the labs' networks nothing is shared but the files: so by sockets.
guest_migrate()
{
	local domain target
	domain=$(guest_domain "$1")
	target=$(cd "$2" && pwd -P)
	local xml=$state/guests/$1/target.xml
	space_exec virsh dumpxml --migratable "$domain" |
		sed "s|'$state/guests/|'$target/guests/|g" >"$xml"
	shift 2
	space_exec virsh -q migrate --live "$domain" \
		"qemu+unix:///system?socket=$target/libvirt/run/libvirt-sock" \
		--migrateuri "unix://$target/run/migration.sock" --xml "$xml" "$@" >&2
}

# guest_run NUMBER COMMAND
guest_run()
{
	python3 "$here/guest_run.py" "$state/guests/$1/control.sock" "$2"
}

# guest_burst NUMBER MS MBIT: to the discard port.
guest_burst()
{
	space_exec "$state/image/bin/burst" "$(guest_address "$1")" 9 "$2" "$3"
}

# The tsc is left for the kernel to calibrate: told to trust it, an emulated guest of a busy host
# may run its clock several times too fast.
guest_xml()
{
	local number=$1 memory=$2 type=qemu cpu=maximum features="" reboot=destroy
	if [ "$3" = kvm ]; then
		type=kvm
		cpu=host-passthrough
	else
		features="<tcg><tb-cache unit='MiB'>32</tb-cache></tcg>"
	fi
	if [ -n "${LAB_HOTPLUG:-}" ]; then
		features="$features<acpi/>"
		reboot=restart
	fi
	local directory=$state/guests/$number disk=""
	if [ -e "$directory/disk" ]; then
		disk="<disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='$directory/disk'/><target dev='vda' bus='virtio'/></disk>"
	fi
	cat <<-END
		<domain type='$type'>
		<name>$(guest_domain "$number")</name>
		<uuid>$(guest_uuid "$number")</uuid>
		<metadata>
		$(guest_metadata "$number" "$memory")
		</metadata>
		<memory unit='MiB'>$memory</memory>
		<vcpu>1</vcpu>
		<os>
		  <type arch='x86_64' machine='pc'>hvm</type>
		  <kernel>$state/image/vmlinuz</kernel>
		  <initrd>$state/image/initrd</initrd>
		  <cmdline>console=ttyS0 quiet panic=-1 nokaslr cryptomgr.notests mitigations=off audit=0 nowatchdog gm.name=web-$number gm.address=$(guest_address "$number")/24 gm.gateway=$lab_network.1</cmdline>
		</os>
		<features>$features</features>
		<cpu mode='$cpu'/>
		<on_poweroff>destroy</on_poweroff>
		<on_reboot>$reboot</on_reboot>
		<on_crash>destroy</on_crash>
		<devices>
		  <emulator>/usr/bin/qemu-system-x86_64</emulator>
		  <interface type='bridge'>
		    <source bridge='$lab_bridge'/>
		    <mac address='$(guest_mac "$number")'/>
		    <target dev='gmtap$number'/>
		    <model type='virtio'/>
		    <rom enabled='no'/>
		  </interface>
		  <serial type='file'>
		    <source path='$directory/console.log'/>
		    <target port='0'/>
		  </serial>
		  <serial type='unix'>
		    <source mode='bind' path='$directory/control.sock'/>
		    <target port='1'/>
		  </serial>
		  $disk
		  <controller type='usb' model='none'/>
		  <memballoon model='virtio'><stats period='1'/></memballoon>
		</devices>
		</domain>
	END
}

# As Nova writes it since Wallaby: namespace 1.1, with the ports.
guest_metadata()
{
	cat <<-END
		<nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">
		  <nova:package version="27.1.0"/>
		  <nova:name>web-$1</nova:name>
		  <nova:creationTime>2026-01-01 00:00:00</nova:creationTime>
		  <nova:flavor name="m1.tiny">
		    <nova:memory>$2</nova:memory>
		    <nova:disk>0</nova:disk>
		    <nova:swap>0</nova:swap>
		    <nova:ephemeral>0</nova:ephemeral>
		    <nova:vcpus>1</nova:vcpus>
		  </nova:flavor>
		  <nova:owner>
		    <nova:user uuid="8f1c0000000000000000000000000001">alice</nova:user>
		    <nova:project uuid="9a2b0000000000000000000000000001">tenant-a</nova:project>
		  </nova:owner>
		  <nova:ports>
		    <nova:port uuid="$(printf '7d1e0000-0000-4000-8000-%012x' "$1")">
		      <nova:ip type="fixed" address="$(guest_address "$1")" ipVersion="4"/>
		    </nova:port>
		  </nova:ports>
		</nova:instance>
	END
}
