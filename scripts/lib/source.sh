# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The source of Linux, from the linux-source package of a Debian suite that the machine
# does not use itself, out of the archive that its apt uses, with apt's signature check.
# The system's own apt configuration is neither changed nor extended. Needs lib/common.sh.
#
# The package stays in the cache folder, so that it is asked for once.

: "${cache:?}" "${repo:?}" "${fetch_tools:?}"

# source_base VERSION: set source_package, source_suite and source_made_on to what tools/kernel/trees
# has of it
source_base() {
	source_package=linux-source-$1
	source_suite=$(tree_says "$1" 2)
	source_made_on=$(tree_says "$1" 3)
}

# source_says TREE: tell the user which 'PACKAGE VERSION' it is
source_says() {
	local exact

	exact=$(source_exact "$1")
	note "$exact"
	if [[ $exact != "$source_package $source_made_on" ]]; then
		note "the series was made on $source_made_on; a patch that does not apply needs a look"
	fi
}

# debian_mirror SUITE: the archive that this machine's apt uses for such a suite, as security updates have
# one of their own; nothing when it has none
debian_mirror() {
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' |
		awk -v suite="$1" '!found && ($2 ~ /-security$/) == (suite ~ /-security$/) { print $1; found = 1 }'
}

# source_download DIR: put the package into DIR, which gets an apt configuration of its own
source_download() {
	local dir=$1 mirror options instead='use a tree of your own with --tree'

	mkdir -p "$dir"/apt/{lists,archives}/partial || die "cannot write to $dir"
	mirror=$(debian_mirror "$source_suite") || die "apt cannot say what archive it uses; see the message above"
	[[ -n $mirror ]] || die "this machine's apt has no Debian archive for $source_suite; $instead"

	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $source_suite main" \
		>"$dir/apt/sources.list"
	options=(
		-o "Dir::Etc::SourceList=$dir/apt/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o "Dir::State::Lists=$dir/apt/lists" -o Dir::State::status=/dev/null
		-o "Dir::Cache=$dir/apt"
	)
	[[ -z ${source_arch-} ]] ||
		options+=(-o "APT::Architecture=$source_arch" -o "APT::Architectures=$source_arch")
	# apt cannot drop its privileges into a folder that only root can enter.
	((EUID != 0)) || options+=(-o APT::Sandbox::User=root)
	note "asking the archive for $source_package in $source_suite"
	# An archive that does not answer is an error here, not a warning as apt thinks.
	apt-get "${options[@]}" -qq --error-on=any update >&2 ||
		die "cannot read $source_suite from the archive; try again, or $instead"
	(cd "$dir" && apt-get "${options[@]}" download "$source_package" >&2) ||
		die "cannot download $source_package; try again, or $instead"
}

# source_unpack DIR: put the tree into DIR as DIR/$source_package, and set version to the package's
source_unpack() {
	local dir=$1 kept=$cache/$source_package.deb deb

	deb=$kept
	if [[ ! -e $deb ]]; then
		source_download "$dir"
		deb=$(echo "$dir/${source_package}"_*.deb)
	fi
	version=$(dpkg-deb -f "$deb" Version) || source_broken "$deb"

	note "unpacking $source_package $version"
	# -m: files with the archive's old time stamps would not be rebuilt by make.
	source_tarball "$deb" |
		tar -C "$dir" -xJm --checkpoint=40000 --checkpoint-action="ttyout=  %u blocks\r" || source_broken "$deb"
	[[ $deb == "$kept" ]] || mv "$deb" "$kept"
}

# source_tarball DEB: the tarball in it, on stdout
source_tarball() { dpkg-deb --fsys-tarfile "$1" | tar -xO "./usr/src/$source_package.tar.xz"; }

# source_broken DEB: say why it could not be unpacked, and keep no package that never will be
source_broken() {
	if source_tarball "$1" 2>/dev/null | xz -t 2>/dev/null; then
		die "cannot unpack $source_package; see the message above"
	fi
	rm -f "$1"
	die "the package $source_package was damaged and is removed; run this again"
}

# source_tree DIR [--detach]: make DIR, unless it is there, a git worktree with what source_base has named,
# on the branch 'base' or beside it. The first one is the source as it was unpacked, and all of it gets
# recorded in $cache/linux-VERSION.git; git checks out all others.
source_tree() {
	local dir=$1 git=$cache/linux-${source_package##*-}.git partial=$1.partial free_mib tree version

	# The tree appears under its name only when it is complete.
	[[ ! -d $dir ]] || return 0
	lock "fetch-${source_package##*-}"
	[[ ! -d $dir ]] || { unlock "fetch-${source_package##*-}"; return; }
	need "${fetch_tools[@]}"
	at_exit rm -rf "$partial"
	rm -rf "$partial"
	mkdir "$partial" || die "cannot write to $cache"
	free_mib=$(df --output=avail -BM "$partial" | tail -n 1 | tr -dc 0-9)
	((free_mib >= 4096)) ||
		die "$cache has ${free_mib} MiB free and a tree takes 4096; set XDG_CACHE_HOME to a larger disk"

	tree=
	if ! git -C "$git" rev-parse -q --verify 'base^{commit}' >/dev/null 2>&1; then
		source_unpack "$partial"
		tree=$partial/$source_package
		note "recording it in git, half a minute"
		source_record "$tree" "$partial/git" || die "cannot record $source_package in git; see the message above"
		rm -rf "$git"
		mv "$partial/git" "$git"
	fi
	# Were the repository itself on the branch, or a tree that is gone, the new one could not come back to it.
	git -C "$git" update-ref --no-deref HEAD base
	git -C "$git" worktree prune
	git -C "$git" worktree add -q --no-checkout --force "${@:2}" "$partial/new" base 2>"$partial/log" ||
		{ cat "$partial/log" >&2; die "cannot make a worktree of $git; see the message above"; }
	if [[ -n $tree ]]; then
		mv "$git/index" "$(git -C "$partial/new" rev-parse --git-path index)"
		mv "$partial/new/.git" "$tree"
	else
		tree=$partial/new
		note "checking out $(source_exact "$tree")"
		git -C "$tree" -c core.hooksPath=/dev/null -c core.autocrlf=false checkout -q -f ||
			die "cannot check out $source_package; see the message above"
	fi
	mv "$tree" "$dir"
	git -C "$dir" worktree repair >/dev/null 2>&1
	unlock "fetch-${source_package##*-}"
}

# source_exact TREE: the 'PACKAGE VERSION' that it is
source_exact() { git -C "$1" log -1 --format=%s base; }

# source_record TREE GIT: make GIT a bare repository with TREE as its branch 'base', and with the index.
# The same source gives the same commit whatever the user's settings are, so that results can be kept by
# its hash.
source_record() (
	export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
	export GIT_AUTHOR_DATE='2000-01-01T00:00:00Z' GIT_COMMITTER_DATE='2000-01-01T00:00:00Z'
	unset GIT_{AUTHOR,COMMITTER}_{NAME,EMAIL}

	git init -q --bare -b base "$2" || return
	cd "$2" || return
	git config gc.auto 0
	git config user.name irq-free-bulk
	git config user.email irq-free-bulk@localhost
	# Where what looks into a worktree of it does not read it: GitPython, which checkpatch.pl starts,
	# takes the worktree for a bare repository otherwise.
	git config extensions.worktreeConfig true
	git config --worktree core.bare true
	git config --unset core.bare

	cd "$1" || return
	export GIT_DIR=$2 GIT_WORK_TREE=$1
	# Debian's ignores whatever is not Debian's, and what begins with a dot.
	sed -i -e '/^\/\*$/d' -e '/^!\/debian\/$/d' .gitignore || return
	find . -type f -name '.*' -printf '!%f\n' | sort -u >>.gitignore || return
	# -f: some of the kernel's own files are ignored by the kernel.
	git add -f -A && git commit -q -m "$source_package $version"
)
