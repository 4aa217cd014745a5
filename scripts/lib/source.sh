# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The source of Linux, from the linux-source package of a Debian suite that the machine
# does not use itself, out of the archive that its apt uses, with apt's signature check.
# The system's own apt configuration is neither changed nor extended. Needs lib/common.sh.
#
# The package stays in the cache folder, so that it is asked for once.

: "${cache:?}" "${repo:?}"

# source_base VERSION: set source_package, source_suite and source_made_on to what tools/kernel/bases
# has of it
source_base() {
	source_package=linux-source-$1
	read -r source_suite source_made_on < <(awk -v v="$1" '$1 == v { print $2, $3 }' "$repo/tools/kernel/bases") ||
		die "no base '$1'; known: $(awk '/^[0-9]/ { printf "%s ", $1 }' "$repo/tools/kernel/bases")"
}

# source_says EXACT: tell the user which 'PACKAGE VERSION' it is
source_says() {
	note "$1"
	if [[ $source_made_on != any && $1 != "$source_package $source_made_on" ]]; then
		note "the series was made on $source_made_on; a patch that does not apply needs a look"
	fi
}

# source_download DIR: put the package into DIR, which gets an apt configuration of its own
source_download() {
	local dir=$1 mirror options instead='use a tree of your own with --tree'

	mkdir -p "$dir"/apt/{lists,archives}/partial || die "cannot write to $dir"
	# shellcheck disable=SC2016 # apt expands these
	mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
		awk '$2 !~ /security/ { print $1; exit }')
	[[ -n $mirror ]] || die "this machine's apt has no Debian archive; $instead"

	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $source_suite main" \
		>"$dir/apt/sources.list"
	options=(
		-o "Dir::Etc::SourceList=$dir/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/apt/lists" -o Dir::State::status=/dev/null
		-o "Dir::Cache=$dir/apt"
	)
	# apt cannot drop its privileges into a folder that only root can enter.
	((EUID != 0)) || options+=(-o APT::Sandbox::User=root)
	note "asking the archive for $source_package in $source_suite"
	# An archive that does not answer is an error here, not a warning as apt thinks.
	apt-get "${options[@]}" -qq --error-on=any update >&2 ||
		die "cannot read $source_suite from the archive; try again, or $instead"
	(cd "$dir" && apt-get "${options[@]}" download "$source_package" >&2) ||
		die "cannot download $source_package; try again, or $instead"
}

# source_unpack DIR MIB: put the tree into DIR, which needs so much space, as DIR/$source_package, and
# set source_exact to the 'PACKAGE VERSION'
source_unpack() {
	local dir=$1 free_mib kept=$cache/$source_package.deb deb

	mkdir -p "$dir" || die "cannot write to $cache"
	free_mib=$(df --output=avail -BM "$dir" | tail -n 1 | tr -dc 0-9)
	((free_mib >= $2)) ||
		die "$cache has ${free_mib} MiB free and a tree takes $2; set XDG_CACHE_HOME to a larger disk"

	deb=$kept
	if [[ ! -e $deb ]]; then
		source_download "$dir"
		deb=("$dir/${source_package}"_*.deb)
	fi
	# shellcheck disable=SC2128 # the first, and only one
	source_exact=$(dpkg-deb -f "$deb" Version) || die "cannot unpack $source_package; see the message above"
	source_exact="$source_package $source_exact"

	note "unpacking $source_exact"
	# -m: files with the archive's old time stamps would not be rebuilt by make.
	# shellcheck disable=SC2128
	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$source_package.tar.xz" |
		tar -C "$dir" -xJm --checkpoint=40000 --checkpoint-action="ttyout=  %u blocks\r" ||
		die "cannot unpack $source_package; see the message above"
	# shellcheck disable=SC2128
	[[ $deb == "$kept" ]] || mv "$deb" "$kept"
}
