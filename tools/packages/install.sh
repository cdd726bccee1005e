# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# Sourced by tools/test and tools/demo: need_packages KIND... installs what is missing of the lists
# beside this file, or prints the one command that does.

# The list and the commands of this distribution.
choose_distribution()
{
	local id=
	# shellcheck disable=SC1091
	[ -r /etc/os-release ] && id=$(. /etc/os-release && echo "$ID ${ID_LIKE:-}")
	case " $id " in
	*" ubuntu "*) package_list=ubuntu.txt ;;
	*" debian "*) package_list=debian.txt ;;
	*" fedora "*) package_list=fedora.txt ;;
	*" arch "*) package_list=arch.txt ;;
	*) package_list= ;;
	esac
}

is_installed()
{
	case $package_list in
	fedora.txt) rpm -q --whatprovides "$1" >/dev/null 2>&1 ;;
	arch.txt) pacman -Q "$1" >/dev/null 2>&1 ;;
	*) [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ;;
	esac
}

# missing_packages KIND
missing_packages()
{
	local package kind
	sed '/^#/d' "$package_folder/$package_list" | while read -r package kind; do
		[ "$kind" = "$1" ] && ! is_installed "$package" && echo "$package"
	done
}

install_command()
{
	case $package_list in
	fedora.txt) echo "dnf install -y $*" ;;
	arch.txt) echo "pacman -S --needed --noconfirm $*" ;;
	*) echo "apt-get install -y --no-install-recommends $*" ;;
	esac
}

try_install()
{
	[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
	echo "installing: $*" >&2
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q </dev/null >/dev/null 2>&1
	apt-get install -q -y --no-install-recommends "$@" </dev/null >/dev/null 2>&1
}

# need_packages KIND...: everything of the first kind must be there (else exit status 69); of the
# other kinds it is said what is missing, and what needs it is skipped.
need_packages()
{
	local kind missing required=yes
	package_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
	choose_distribution
	[ -n "$package_list" ] || return 0
	for kind; do
		missing=$(missing_packages "$kind" | sort -u | tr '\n' ' ')
		# shellcheck disable=SC2086
		if [ -n "$missing" ] && ! try_install $missing; then
			missing=$(missing_packages "$kind" | sort -u | tr '\n' ' ')
		else
			missing=
		fi
		if [ -n "$missing" ]; then
			echo "missing packages; install them with:" >&2
			echo "  $([ "$(id -u)" = 0 ] || echo 'sudo ')$(install_command "$missing")" >&2
			[ $required = yes ] && exit 69
		fi
		required=no
	done
}
