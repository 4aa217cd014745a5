# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages of a Debian suite that the machine does not use itself, from the archive that
# its apt uses, with apt's signature check. The system's own apt configuration is neither
# changed nor extended. Needs lib/common.sh.

# archive_open DIR SUITE INSTEAD: an apt configuration of its own, in DIR/apt. INSTEAD is what the
# user can do without the archive.
archive_open() {
	local dir=$1 suite=$2 mirror

	archive_suite=$suite
	archive_instead=$3
	need /usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring
	mkdir -p "$dir"/apt/{lists,archives}/partial || die "cannot write to $dir"
	# shellcheck disable=SC2016 # apt expands these
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
		awk '$2 !~ /security/ { print $1; exit }')
	[[ -n $mirror ]] || die "this machine's apt has no Debian archive; $archive_instead"

	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
		>"$dir/apt/sources.list"
	apt_options=(
		-o "Dir::Etc::SourceList=$dir/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/apt/lists" -o Dir::State::status=/dev/null
		-o "Dir::Cache=$dir/apt"
	)
	# apt cannot drop its privileges into a folder that only root can enter.
	((EUID != 0)) || apt_options+=(-o APT::Sandbox::User=root)
}

# archive_download DIR PACKAGE...: put the packages into DIR
archive_download() {
	# An archive that does not answer is an error here, not a warning as apt thinks.
	apt-get "${apt_options[@]}" -qq --error-on=any update >&2 ||
		die "cannot read $archive_suite from the archive; try again, or $archive_instead"
	(cd "$1" && apt-get "${apt_options[@]}" download "${@:2}" >&2) ||
		die "cannot download ${*:2}; try again, or $archive_instead"
}
