# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154 # $state, $here, $repo and lab_* are set by lab and its parts
#
# Many guests at once, for measurements: machines without a system, paused (a real monitor, balloon and
# taps, no CPU), and containers that share a root directory, each with an snmpd of its own. Two ports
# each. Machine N is many-N with the taps gmm-N-0 and gmm-N-1, container N is box-N with the devices
# gmc-N-0 and gmc-N-1 and the address 10.78.(N/250).(N%250+1).

readonly crowd_at_once=2

crowd_machine()
{
	local port
	cat <<-END
		<domain type='qemu'><name>many-$1</name>
		<uuid>$(printf '6c766d67-1f00-4000-8a20-1%011x' "$1")</uuid>
		<metadata>$(guest_metadata "$1" 16)</metadata>
		<memory unit='MiB'>16</memory><vcpu>1</vcpu>
		<os><type arch='x86_64' machine='pc'>hvm</type></os>
		<features><tcg><tb-cache unit='MiB'>4</tb-cache></tcg></features>
		<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>
		<controller type='usb' model='none'/>
	END
	for port in 0 1; do
		echo "<interface type='bridge'><source bridge='$lab_bridge'/><target dev='gmm-$1-$port'/>"
		echo "<model type='virtio'/><rom enabled='no'/></interface>"
	done
	cat <<-END
		<video><model type='none'/></video>
		<memballoon model='virtio'><stats period='1'/></memballoon></devices></domain>
	END
}

crowd_container()
{
	local port
	cat <<-END
		<domain type='lxc'><name>box-$1</name>
		<uuid>$(printf '6c766d67-1f00-4000-8a30-1%011x' "$1")</uuid>
		<metadata>$(guest_metadata "$1" 32)</metadata>
		<memory unit='MiB'>32</memory><vcpu>1</vcpu>
		<os><type>exe</type><init>/sbin/container-init</init>
		<initarg>10.78.$(($1 / 250)).$(($1 % 250 + 1))/16</initarg></os>
		<on_poweroff>destroy</on_poweroff><on_crash>destroy</on_crash>
		<devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator>
		<filesystem type='mount' accessmode='passthrough'><source dir='$state/guests/root'/>
		<target dir='/'/></filesystem>
	END
	for port in 0 1; do
		echo "<interface type='bridge'><source bridge='$lab_bridge'/>"
		echo "<target dev='gmc-$1-$port'/></interface>"
	done
	echo "<console type='pty'/></devices></domain>"
}

# The root directory of all containers: the guest image's, with an init that needs no kernel of its own.
crowd_root()
{
	[ ! -e "$state/guests/root/sbin/container-init" ] || return 0
	mkdir -p "$state/guests/root"
	(cd "$state/guests/root" && cpio -idm --quiet <"$state/image/initrd")
	install -m 755 "$here/guest/container-init" "$state/guests/root/sbin/"
	space_exec ip address add 10.78.255.254/16 dev "$lab_bridge"
}

# crowd_start machine|container FROM TO
crowd_start()
{
	local kind=$1 number uri=qemu:///system flags=--paused
	case $kind in
	machine) guest_hide_kvm ;;
	container)
		uri=lxc:///system
		flags=""
		crowd_root
		;;
	*) die "no kind $kind: machine or container" ;;
	esac
	mkdir -p "$state/guests/$kind"
	for number in $(seq "$2" "$3"); do
		"crowd_$kind" "$number" >"$state/guests/$kind/$number.xml"
	done
	# shellcheck disable=SC2086 # no flags are no argument
	seq -f "$state/guests/$kind/%g.xml" "$2" "$3" |
		space_exec xargs -P "$crowd_at_once" -n 1 virsh -q -c "$uri" create $flags >&2
}
