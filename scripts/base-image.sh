#!/bin/sh
# Makes sure the image the Python example builds on, python:3.11-slim, is here.
#
# In this order: it is present; it can be pulled; a stand-in can be assembled
# from Debian's own packages of Python 3.11, Flask and Gunicorn, for machines
# that reach a Debian mirror but no image registry. The stand-in is kept as a
# tarball in ${XDG_CACHE_HOME:-~/.cache}/acalocal, so it is assembled once.
#
# Usage: scripts/base-image.sh
set -eu

image=python:3.11-slim
suite=bookworm # the Debian release whose Python is 3.11
cache=${XDG_CACHE_HOME:-$HOME/.cache}/acalocal
# Another recipe is another tarball: raise the number when a step below changes.
tarball=$cache/python-3.11-slim-standin-1.tar.gz

say() { printf 'base-image: %s\n' "$*"; }
die() {
	printf 'base-image: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf 'hint: %s\n' "$2" >&2
	exit 1
}

main() {
	docker version >/dev/null 2>&1 ||
		die "Docker does not answer" "start it, or set DOCKER_HOST, and try again"
	if docker image inspect "$image" >/dev/null 2>&1; then
		say "$image is present"
		return
	fi
	if [ ! -f "$tarball" ]; then
		say "pulling $image"
		if docker pull "$image"; then
			return
		fi
		say "no registry has it for us; assembling a stand-in from Debian packages"
		assemble
	fi
	import
}

# import makes the image from the tarball, with the settings of the original.
import() {
	say "importing $tarball"
	docker import \
		--change 'ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin' \
		--change 'ENV LANG=C.UTF-8' \
		--change 'CMD ["python3"]' \
		--change 'LABEL dev.acalocal.standin=python-3.11-slim' \
		--message "stand-in from Debian $suite packages" \
		"$tarball" "$image" >/dev/null
	say "$image is a stand-in assembled from Debian packages"
}

# assemble bootstraps a minimal Debian and packs it. The work directory is gone
# whatever happens, and the tarball appears whole or not at all.
assemble() {
	[ "$(id -u)" = 0 ] || die "assembling the stand-in needs root" "run it with sudo, or load $image from another machine with \"docker load\""
	need debootstrap
	mirror=$(debian_mirror)
	mkdir -p "$cache"
	work=$(mktemp -d "${TMPDIR:-/tmp}/acalocal-base.XXXXXX")
	trap 'rm -rf "$work" "$tarball.$$"' EXIT
	trap 'exit 130' INT TERM
	root=$work/root
	say "bootstrapping $suite; this takes a minute or two"
	debootstrap --variant=minbase --include="$(packages)" "$suite" "$root" "$mirror" >"$work/log" 2>&1 || {
		tail -n 20 "$work/log" >&2
		die "debootstrap of $suite did not finish" "its last lines are above"
	}
	dress
	tar -C "$root" --numeric-owner --one-file-system -c . | gzip -1 >"$tarball.$$"
	mv "$tarball.$$" "$tarball"
	rm -rf "$work"
}

packages() { echo ca-certificates,python3,python3-pip,python3-flask,gunicorn; }

# dress makes the file tree look like the original where an app would notice.
dress() {
	# The original's Python is not the system's, so pip may write to it.
	rm -f "$root"/usr/lib/python3*/EXTERNALLY-MANAGED
	ln -s /usr/bin/python3 "$root/usr/local/bin/python"
	rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* \
		"$root"/usr/share/doc/* "$root"/usr/share/man/* "$root"/usr/share/locale/* \
		"$root"/etc/apt/sources.list "$root"/etc/resolv.conf "$root"/etc/hostname
}

# debian_mirror prints where this system's own apt finds its main archive.
debian_mirror() {
	command -v apt-get >/dev/null ||
		die "no apt here to assemble the stand-in from" "load $image from another machine with \"docker load\""
	# shellcheck disable=SC2016 # the names are apt's own
	# Not the updates or security archives, whose release names have a suffix.
	uri=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 'Component: main' |
		awk '$1 !~ /[-\/]/ { print $2; exit }')
	[ -n "$uri" ] || die "apt knows no archive" "run \"apt-get update\" and try again"
	echo "$uri"
}

need() {
	command -v "$1" >/dev/null && return
	say "installing $1"
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$1" >/dev/null
}

main
