# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing of the packages in contrib/packages. For scripts: set `packages_list` to
# that file, then `. contrib/packages.sh`. Touches nothing when all is there.

: "${packages_list:?}"

# packages_of SECTION...: the packages of these sections, one a line.
packages_of() {
	for section; do
		sed -e 's/#.*//' "$packages_list" | awk -v wanted="[$section]" '
			/^\[/ { inside = $1 == wanted; found += inside; next }
			inside && NF { print $1 }
			END { exit !found }' || {
			echo "no section $section in $packages_list" >&2
			return 1
		}
	done | sort -u
}

# packages_missing SECTION...: those of them that are not installed.
packages_missing() {
	packages_of "$@" | while read -r package; do
		# shellcheck disable=SC2016 # dpkg-query's own variable
		case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) in
		installed) ;;
		*) echo "$package" ;;
		esac
	done
}

# packages_install SECTION...: installs what is missing. Says what it would need when it may not.
packages_install() {
	missing=$(packages_missing "$@") || return 1
	[ -n "$missing" ] || return 0
	missing=$(echo "$missing" | tr '\n' ' ')
	if [ "$(id -u)" -ne 0 ]; then
		echo "packages are missing: $missing" >&2
		echo "install them, or run this as root" >&2
		return 1
	fi
	echo "installing: $missing"
	DEBIAN_FRONTEND=noninteractive
	export DEBIAN_FRONTEND
	apt-get -o DPkg::Lock::Timeout=600 -q update || return 1
	# shellcheck disable=SC2086 # a list of words
	apt-get -o DPkg::Lock::Timeout=600 -q install -y --no-install-recommends $missing
}
