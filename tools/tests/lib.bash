# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts' own tests share. Everything happens in folders that bats makes
# and removes; no test needs the network, a kernel tree, or more packages than git,
# quilt, patch, xz-utils and python3.

bats_require_minimum_version 1.5.0

repo=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
base_version=7.3
package=linux-source-$base_version
made_on=$(awk -v v="$base_version" '$1 == v { print $3 }' "$repo/tools/kernel/trees")

# What 'run --separate-stderr' sets
output='' stderr='' status=0
stderr_lines=()

# Seconds until a script in the background must have done what it is to do. Long, since nothing
# that passes waits for it to end.
patience=60

# Call it first in setup_file and in setup: nothing of the user's is seen or touched by a test.
clean_environment() {
	local dir=${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR} variable tool

	# Where they are missing, the scripts would ask for them, and not do what is to be tested.
	for tool in git quilt patch xz python3; do
		command -v $tool >/dev/null || { echo "these tests need $tool; scripts/test installs it"; return 1; }
	done

	for variable in "${!GIT_@}" "${!QUILT_@}" "${!BASH_FUNC_@}" CDPATH; do
		unset "$variable"
	done
	export system_path=${system_path:-$PATH}
	export user_cache=${user_cache:-${XDG_CACHE_HOME:-$HOME/.cache}/irq-free-bulk}
	export HOME=$dir/home TMPDIR=$dir/tmp XDG_CACHE_HOME=$dir/cache-home
	cache=$XDG_CACHE_HOME/irq-free-bulk
	stubs=$dir/stubs
	calls=$dir/calls
	mkdir -p "$HOME" "$TMPDIR" "$XDG_CACHE_HOME" "$stubs"
	: >"$calls"
	export GIT_CONFIG_NOSYSTEM=1
	printf '[user]\n\tname = Some One\n\temail = some.one@example.org\n' >"$HOME/.gitconfig"
	# Every test is without the network, also if a script would ask for it.
	stub apt-get 'echo "apt-get: this is a test, and there is no archive" >&2; exit 100'
	export PATH=$stubs:$system_path
}

# For teardown: what every script must hold to; what a failed test has left running is stopped first
no_temporary_files() {
	local leader

	for leader in "${leaders[@]}"; do
		! kill -0 "$leader" 2>/dev/null || kill -KILL -- "-$leader"
	done
	[[ -z $(find "$TMPDIR" -mindepth 1 -print -quit) ]] || { echo "left behind:"; ls -A "$TMPDIR"; return 1; }
}

# stub NAME TEXT: put a command of this name first in PATH. It appends its name and arguments to
# the file $calls, then runs TEXT.
stub() {
	rm -f "$stubs/$1"
	printf '#!/bin/bash\nprintf "%%s\\n" "%s $*" >>"%s"\n%s\n' "$1" "$calls" "$2" >"$stubs/$1"
	chmod +x "$stubs/$1"
}

# calls_of PATTERN: how many of the recorded calls match
calls_of() { grep -c -e "$1" "$calls" || [[ $? == 1 ]]; }

# tool_folder DIR NAME...: a folder for PATH with every command of the system but these
tool_folder() {
	local dir=$1 name

	mkdir -p "$dir"
	ln -sf /usr/sbin/* /usr/bin/* "$dir" # on Debian, /bin is /usr/bin
	for name in "${@:2}"; do
		[[ -e $dir/$name ]] || continue
		rm "$dir/$name"
	done
}

# try STATUS COMMAND...: run it, and expect this exit status; $output is its standard output,
# $stderr its standard error, and both are shown when the test fails
try() {
	local expected=$1

	shift
	run --separate-stderr "$@"
	printf '$ %s\n%s\n%s\n' "$*" "$output" "$stderr"
	same "status $expected" "status $status"
}

# says TEXT: standard error of the last try has this text
says() { [[ $stderr == *"$1"* ]] || { printf 'not in standard error: %s\n' "$1"; return 1; }; }

# says_only TEXT: the same, and it is one line
says_only() {
	says "$1" || return
	((${#stderr_lines[@]} == 1)) || { echo 'standard error has more than one line'; return 1; }
}

# same EXPECTED GOT: compare, and show both when they differ
same() { [[ $1 == "$2" ]] || { diff --label expected --label got -u0 <(echo "$1") <(echo "$2"); return 1; }; }

# begin COMMAND...: run it in the background, as the leader of a process group, so that it can be
# sent what a terminal sends; sets $pid, and it writes to $background.out and $background.err
leaders=()
begin() {
	background=$BATS_TEST_TMPDIR/background.${#leaders[@]}
	setsid env --default-signal=INT,TERM "$@" >"$background.out" 2>"$background.err" </dev/null 3>&- &
	pid=$!
	leaders+=("$pid")
}

# until_true COMMAND...: wait for it
until_true() {
	local end=$((SECONDS + patience))

	until "$@"; do
		((SECONDS < end)) || { echo "in vain: $*"; cat "$background".*; return 1; }
		sleep 0.05
	done
}

# ends_with STATUS: wait for what begin has started
ends_with() {
	local got=0

	until_true eval "! kill -0 $pid 2>/dev/null"
	wait "$pid" || got=$?
	same "$1" "$got" || { cat "$background".*; return 1; }
}

# contents DIR: each file with its mode and hash, and what git knows of the tree: all but the stamps
# and logs that git writes also when it is only asked
contents() {
	(
		cd "$1" || exit
		find . \( -path './.git/*' \( -name index -o -name logs -o -name objects -o -name hooks \
			-o -name refs -o -name packed-refs -o -name '*_HEAD' -o -name COMMIT_EDITMSG \) \) -prune \
			-o -printf '%p %M %l\n' -type f -exec sha256sum {} + | sort
		[[ ! -d .git ]] || { git for-each-ref && git status --porcelain --ignored; }
	)
}

# mini_kernel DIR: the least that the scripts take for a kernel tree
mini_kernel() {
	mkdir -p "$1"/kernel/irq "$1"/drivers/irqchip
	printf 'VERSION = 7\nPATCHLEVEL = 3\nSUBLEVEL = 4\n' >"$1/Makefile"
	echo '# the top Kbuild' >"$1/Kbuild"
	printf 'line %d of the core\n' {1..80} >"$1/kernel/irq/irqdomain.c"
	printf 'line %d of the driver\n' {1..40} >"$1/drivers/irqchip/its.c"
}

git_commit_all() {
	git -C "$1" add -A
	git -C "$1" commit -q -m "$2"
}

# mini_git DIR: the same in git, with a tag 'base' as scripts/fetch gives a branch
mini_git() {
	mini_kernel "$1"
	git -C "$1" init -q -b base
	git_commit_all "$1" base
}

# has_base DIR: the tree of mini_git in DIR is the base that the scripts have got, in $cache/src
has_base() {
	mkdir -p "$cache"
	git clone -q --bare "$1" "$cache/linux-$base_version.git"
	git -C "$cache/linux-$base_version.git" worktree add -q --detach "$cache/src" base
}

# debian_gitignore: what Debian's source has as its .gitignore: nothing of the kernel is to be seen by git
debian_gitignore() { printf '%s\n' '.*' '*.o' '' '# Debian packaging: ignore everything' '/*' '!/debian/'; }

# make_deb VERSION SOURCE DEB: the package of the base, with the tree SOURCE
make_deb() {
	local root=$BATS_FILE_TMPDIR/deb

	rm -rf "$root"
	mkdir -p "$root/DEBIAN" "$root/usr/src"
	printf '%s\n' "Package: $package" "Version: $1" 'Architecture: all' 'Description: x' \
		'Maintainer: Some One <some.one@example.org>' >"$root/DEBIAN/control"
	tar -C "$2" --mtime=2001-01-01 --transform "s,^\.,$package," -cJf "$root/usr/src/$package.tar.xz" .
	dpkg-deb -Znone --root-owner-group --build "$root" "$3" >/dev/null
}

# change FILE LINE WORDS: add words to one line
change() { sed -i "$2s/\$/, $3/" "$1"; }

# mini_repo DIR: a copy of this repo whose series has four small patches: two in the core, one in a
# driver, and one that adds a file. They come from git alone, not from the scripts under test.
mini_repo() {
	local dir=$1 work=$1.work tree=$1.work/tree

	copy_repo "$dir"
	rm -rf "$dir/patches" "$dir/series"
	sed -i "/^[0-9]/{/^7\\.3 /!d}" "$dir/tools/kernel/trees"
	mini_git "$tree"
	export GIT_AUTHOR_DATE='2026-01-02T03:04:05Z'
	change "$tree/kernel/irq/irqdomain.c" 20 flag
	git_commit_all "$tree" "$(mini_message core 'Introduce a flag')"
	change "$tree/kernel/irq/irqdomain.c" 60 inherited
	git_commit_all "$tree" "$(mini_message core 'Inherit the flag')"
	change "$tree/drivers/irqchip/its.c" 20 'sets the flag'
	git_commit_all "$tree" "$(mini_message its 'Set the flag')"
	printf 'a new file\n' >"$tree/drivers/irqchip/new.c"
	git_commit_all "$tree" "$(mini_message its 'Bring a file')"
	unset GIT_AUTHOR_DATE
	git -C "$tree" format-patch -q --full-index --zero-commit --no-signature --no-numbered \
		-o "$work/mails" base~4
	mkdir -p "$dir"/patches/{irqdomain,its}
	mv "$work"/mails/0001-*.patch "$dir/patches/irqdomain/core-Introduce-a-flag.patch"
	mv "$work"/mails/0002-*.patch "$dir/patches/irqdomain/core-Inherit-the-flag.patch"
	mv "$work"/mails/0003-*.patch "$dir/patches/its/its-Set-the-flag.patch"
	mv "$work"/mails/0004-*.patch "$dir/patches/its/its-Bring-a-file.patch"
	cat >"$dir/series" <<-'END'
		# what this file is

		# the core
		irqdomain/core-Introduce-a-flag.patch
		irqdomain/core-Inherit-the-flag.patch

		# the driver
		its/its-Set-the-flag.patch
		its/its-Bring-a-file.patch
		# the end
	END
	rm -rf "$work"
}

# keep_linux DIR: in the small repo in DIR, Linux 7.1 becomes a kernel that is kept. It has another line in
# the driver, so that one patch of its own takes the place of one that it does not share.
keep_linux() {
	local dir=$1/patches/stable/7.1

	mkdir -p "$dir"
	sed 's/^ line 18 of the driver/&, older/' "$1/patches/its/its-Set-the-flag.patch" >"$dir/its-Set-the-flag.patch"
	sed 's,^its/its-Set,stable/7.1/its-Set,' "$1/series" >"$dir/series"
	echo '7.1 trixie-security 7.1.9-1 patches/stable/7.1/series' >>"$1/tools/kernel/trees"
}

# older_linux DIR: the small tree in git in DIR becomes Linux 7.1, of that kind
older_linux() {
	sed -i 's/^PATCHLEVEL = 3/PATCHLEVEL = 1/' "$1/Makefile"
	sed -i 's/^line 18 of the driver/&, older/' "$1/drivers/irqchip/its.c"
	git_commit_all "$1" 'Linux 7.1'
}

# mini_message PREFIX WORDS: a commit message
mini_message() { printf '%s: %s\n\nWhy it is so.\n\nAssisted-by: LLM\n' "$1" "$2"; }

# copy_repo DIR: what a test may change
copy_repo() {
	mkdir -p "$1"
	cp -r "$repo"/{scripts,tools,patches,series} "$1"
	rm -rf "$1/tools/tests"
}

# usual_user COMMAND...: run it without root, in a way that needs no password: as nobody when the
# tests run as root, which must be let through the folders of bats
usual_user() {
	if ((EUID)); then
		"$@"
	else
		chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{file,test} "$BATS_FILE_TMPDIR"
		chmod -R go+rX "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR"
		chmod -R go+w "$XDG_CACHE_HOME" "$TMPDIR"
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
}
