#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The packages in contrib/packages: lists them, names those that are missing, installs those. Touches
# nothing when all is there. Called by contrib/quickstart and tests/run.
set -eu

usage() {
	echo "usage: contrib/packages.sh list|missing|install SECTION..." >&2
	exit 2
}

[ $# -ge 2 ] || usage
command=$1
shift
table=$(dirname "$0")/packages

# list SECTION...: the packages of these sections, one a line.
list() {
	sed -e 's/#.*//' "$table" | awk -v wanted="$*" '
		BEGIN { count = split(wanted, names, " ") }
		/^\[/ { section = substr($1, 2, length($1) - 2); seen[section] = 1; next }
		NF { member[section, $1] = 1; all[$1] = 1 }
		END {
			for (i = 1; i <= count; i++) {
				if (!(names[i] in seen)) {
					print "no section " names[i] " in contrib/packages" > "/dev/stderr"
					exit 1
				}
				for (package in all)
					if ((names[i], package) in member)
						chosen[package] = 1
			}
			for (package in chosen)
				print package
		}'
}

# missing SECTION...: those of them that are not installed.
missing() {
	list "$@" | sort | while read -r package; do
		# shellcheck disable=SC2016 # dpkg-query's own variable
		status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || true
		[ "$status" = installed ] || echo "$package"
	done
}

# Debian starts a daemon as soon as it is installed, unless policy-rc.d says no (invoke-rc.d(8)). Here
# they are wanted as programs, not as services beside those that the machine has. A policy that is
# there already stays.
policy=/usr/sbin/policy-rc.d
forbid_start() {
	[ ! -e "$policy" ] || return 0
	trap 'rm -f "$policy"' EXIT
	trap 'exit 1' INT TERM HUP
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
}

install_missing() {
	packages=$(missing "$@" | tr '\n' ' ')
	[ -n "$packages" ] || return 0
	if [ "$(id -u)" -ne 0 ]; then
		echo "packages are missing: $packages" >&2
		echo "install them, or run this as root" >&2
		return 1
	fi
	echo "installing: $packages"
	forbid_start
	export DEBIAN_FRONTEND=noninteractive
	apt-get -o DPkg::Lock::Timeout=600 -q update
	# shellcheck disable=SC2086 # a list of words
	apt-get -o DPkg::Lock::Timeout=600 -q install -y --no-install-recommends $packages
}

list "$@" > /dev/null # a section that does not exist ends it here
case $command in
list) list "$@" | sort ;;
missing) missing "$@" ;;
install) install_missing "$@" ;;
*) usage ;;
esac
