#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/fetch, from an archive of one small package. Only the tests of apt's own
# part in it, the signature check and an archive that is not there, call the real
# apt-get, which never leaves this machine.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

archive=http://deb.example.org/debian

setup_file() {
	clean_environment
	export debs=$BATS_FILE_TMPDIR/debs
	mkdir -p "$debs"
	mini_kernel "$BATS_FILE_TMPDIR/source"
	debian_gitignore >"$BATS_FILE_TMPDIR/source/.gitignore"
	make_deb "$made_on" "$BATS_FILE_TMPDIR/source" "$debs/usual.deb"
	# Large on the disk, small in the archive
	truncate -s 4M "$BATS_FILE_TMPDIR/source/large"
	make_deb "$made_on" "$BATS_FILE_TMPDIR/source" "$debs/large.deb"
	# As large in git as on the disk
	head -c 600K /dev/urandom >"$BATS_FILE_TMPDIR/source/large"
	make_deb "$made_on" "$BATS_FILE_TMPDIR/source" "$debs/random.deb"
}

setup() {
	clean_environment
	tree=$cache/linux-$base_version
	size=''
	serve usual.deb
}

teardown() {
	[[ -z $size ]] || umount "$XDG_CACHE_HOME"
	no_temporary_files
}

# serve DEB [UPDATE [DOWNLOAD]]: what apt-get does from now on; a security archive comes first, as
# on many machines, and has no such package
serve() {
	# shellcheck disable=SC2016 # quotes within quotes
	stub apt-get "
		case \"\$*\" in
		indextargets*) printf '%s\n' '$archive-security trixie-security' '$archive trixie' ;;
		*update) ${2:-exit 0} ;;
		*download*) ${3:-exec cp '$debs/$1' ./${package}_1_all.deb} ;;
		*) exit 100 ;;
		esac"
}

# serve_real URL: the real apt-get, on a machine whose archive is at URL
serve_real() {
	local real

	real=$(PATH=$system_path command -v apt-get)
	stub apt-get "
		[[ \$1 != indextargets ]] || { echo '$1 trixie'; exit; }
		exec '$real' -o Acquire::Retries=0 -o Acquire::http::Proxy=false \"\$@\""
}

# disk SIZE: a small disk for the cache
disk() {
	((EUID == 0)) || skip 'needs root, to mount a small disk'
	mount -t tmpfs -o "size=$1" tmpfs "$XDG_CACHE_HOME" || skip 'cannot mount a small disk here'
	size=$1
}

# What has been downloaded is not downloaded again.
nothing_but_the_package() {
	rm "$cache/$package.deb"
	nothing_but_the_lock
}

nothing_but_the_lock() { same "$cache/fetch-$base_version.lock" "$(find "$cache" -mindepth 1)"; }

fetched() {
	same "$tree" "$1"
	grep -q '^PATCHLEVEL = 3$' "$tree/Makefile"
	same "$package ${2:-$made_on}" "$(git -C "$tree" log -1 --format=%s base)"
	same base "$(git -C "$tree" symbolic-ref --short HEAD)"
	same '' "$(git -C "$tree" status --porcelain)"
	same '' "$(find "$cache" -name '*.partial')"
}

@test "fetch: the tree, and its exact version" {
	try 0 "$repo/scripts/fetch"
	fetched "$output"
	same "fetch: $package $made_on" "${stderr_lines[-1]}"
	says "asking the archive for $package in trixie-backports"
	says 'unpacking'
	# What the tarball ignores is in git, and the archive's old time stamps are not on the files.
	git -C "$tree" ls-files --error-unmatch .gitignore Makefile kernel/irq/irqdomain.c
	[[ -n $(find "$tree/Makefile" -newermt '1 hour ago') ]]
	# The version may be given, too.
	try 0 "$repo/scripts/fetch" "$base_version"
	same "$tree" "$output"
}

@test "fetch: a second call is instant and asks nobody" {
	"$repo/scripts/fetch"
	: >"$calls"
	# It does not even wait for one that fetches.
	exec {fd}>"$cache/fetch-$base_version.lock"
	flock "$fd"
	try 0 timeout 20 "$repo/scripts/fetch"
	same "$tree" "$output"
	says_only "fetch: $package $made_on"
	same 0 "$(calls_of .)"
}

@test "fetch: the same source gives the same commit, whatever the user's settings are" {
	local first

	"$repo/scripts/fetch"
	first=$(git -C "$tree" rev-parse base)
	rm -rf "$tree"
	mkdir "$HOME/hooks"
	printf '#!/bin/sh\nexit 1\n' >"$HOME/hooks/pre-commit"
	chmod +x "$HOME/hooks/pre-commit"
	git config --global commit.gpgSign true
	git config --global gpg.program false
	git config --global core.hooksPath "$HOME/hooks"
	git config --global core.autocrlf input
	git config --global init.defaultObjectFormat sha256
	try 0 env GIT_DIR="$HOME" GIT_AUTHOR_NAME=x CDPATH=/ TZ=Asia/Tokyo "$repo/scripts/fetch"
	fetched "$output"
	same "$first" "$(git -C "$tree" rev-parse base)"
}

@test "fetch: a version that is not known" {
	local known

	try 2 "$repo/scripts/fetch" 4.4
	says_only "fetch: no Linux '4.4'; known:"
	known=$(awk '/^[0-9]/ { print $1 }' "$repo/tools/kernel/trees")
	[[ -n $known ]]
	for known in $known; do says " $known"; done
	same 0 "$(calls_of .)"
	# Not a pattern either
	try 2 "$repo/scripts/fetch" '7.*'
	says_only "no Linux '7.*'"
}

@test "fetch: a package that is there is not asked for again" {
	"$repo/scripts/fetch"
	rm -rf "$tree"
	: >"$calls"
	try 0 "$repo/scripts/fetch"
	fetched "$output"
	same 0 "$(calls_of .)"
}

@test "fetch: says so when the archive has moved on" {
	make_deb 7.3.99-1 "$BATS_FILE_TMPDIR/source" "$BATS_TEST_TMPDIR/newer.deb"
	serve usual.deb '' "cp '$BATS_TEST_TMPDIR/newer.deb' ./${package}_2_all.deb"
	try 0 "$repo/scripts/fetch"
	fetched "$output" 7.3.99-1
	says "fetch: $package 7.3.99-1"
	says "fetch: the series was made on $made_on; "
	# Also when it is there already
	try 0 "$repo/scripts/fetch"
	says "fetch: the series was made on $made_on; "
}

@test "fetch: apt is pointed at the one suite, and at nothing of the system's" {
	local line words key count=0

	serve usual.deb "cat '$tree.partial/apt/sources.list' >>'$BATS_TEST_TMPDIR/sources'"
	"$repo/scripts/fetch"
	same "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $archive trixie-backports main" \
		"$(cat "$BATS_TEST_TMPDIR/sources")"
	# Where would apt write with these options? Ask apt.
	while read -r line; do
		read -ra words <<<"${line#apt-get }"
		[[ ${words[0]} != indextargets ]] || continue
		count=$((count + 1))
		for key in Dir::State::Lists Dir::Cache::Archives Dir::Cache::pkgcache Dir::Etc::SourceList; do
			unset WHERE
			eval "$(apt-config "${words[@]:0:${#words[@]}-1}" shell WHERE "$key/f" | head -n 1)"
			# Some systems have switched the binary cache off.
			[[ $key == *pkgcache && -z ${WHERE-} || ${WHERE-} == "$tree.partial"/apt/* ]] ||
				{ echo "$key is ${WHERE-}: $line"; return 1; }
		done
		eval "$(apt-config "${words[@]:0:${#words[@]}-1}" shell WHERE Dir::Etc::SourceParts/f)"
		same /dev/null "$WHERE"
	done < <(sed 's/-qq --error-on=any//; s/ download / /' "$calls")
	same 2 "$count"
}

@test "fetch: an archive that does not answer" {
	local before

	before=$(cd /etc/apt && find . -type f -exec sha256sum {} + | sort)
	# Nothing listens on the discard port.
	serve_real http://127.0.0.1:9/debian
	try 2 "$repo/scripts/fetch"
	says 'http://127.0.0.1:9/debian'
	same 'fetch: cannot read trixie-backports from the archive; try again, or use a tree of your own with --tree' \
		"${stderr_lines[-1]}"
	nothing_but_the_lock
	same "$before" "$(cd /etc/apt && find . -type f -exec sha256sum {} + | sort)"
	# And when it is back
	serve usual.deb
	try 0 "$repo/scripts/fetch"
	fetched "$output"
}

@test "fetch: an archive without a signature is refused" {
	local dist=$BATS_TEST_TMPDIR/archive/dists/trixie-backports

	mkdir -p "$dist/main/binary-$(dpkg --print-architecture)" "$dist/main/binary-all"
	cp "$debs/usual.deb" "$BATS_TEST_TMPDIR/archive/x.deb"
	{
		dpkg-deb -f "$debs/usual.deb"
		printf 'Filename: x.deb\nSize: %d\nSHA256: %s\n' "$(stat -c %s "$debs/usual.deb")" \
			"$(sha256sum <"$debs/usual.deb" | cut -c1-64)"
	} | tee "$dist/main/binary-all/Packages" >"$dist/main/binary-$(dpkg --print-architecture)/Packages"
	(
		cd "$dist"
		printf 'Suite: trixie-backports\nCodename: trixie-backports\nComponents: main\nArchitectures: all %s\nDate: %s\nSHA256:\n' \
			"$(dpkg --print-architecture)" "$(date -uR)"
		for file in main/*/Packages; do
			printf ' %s %d %s\n' "$(sha256sum <"$file" | cut -c1-64)" "$(stat -c %s "$file")" "$file"
		done
	) >"$dist/Release"
	serve_real "file:$BATS_TEST_TMPDIR/archive"
	try 2 "$repo/scripts/fetch"
	says 'is not signed'
	same 'fetch: cannot read trixie-backports from the archive; try again, or use a tree of your own with --tree' \
		"${stderr_lines[-1]}"
	nothing_but_the_lock
}

@test "fetch: a machine whose apt has no archive" {
	stub apt-get "[[ \$1 == indextargets ]]"
	try 2 "$repo/scripts/fetch"
	says_only "fetch: this machine's apt has no Debian archive for trixie-backports; use a tree of your own with --tree"
	nothing_but_the_lock
}

@test "fetch: a download that fails" {
	serve usual.deb '' "echo half >./${package}_1_all.deb; exit 100"
	try 2 "$repo/scripts/fetch"
	same "fetch: cannot download $package; try again, or use a tree of your own with --tree" "${stderr_lines[-1]}"
	nothing_but_the_lock
}

@test "fetch: a package that is broken" {
	serve usual.deb '' "head -c 1500 '$debs/usual.deb' >./${package}_1_all.deb"
	try 2 "$repo/scripts/fetch"
	same "fetch: the package $package was damaged and is removed; run this again" "${stderr_lines[-1]}"
	nothing_but_the_lock
}

@test "fetch: a package that got broken in the cache" {
	mkdir -p "$cache"
	# The end of it, and its head
	head -c -200 "$debs/usual.deb" >"$cache/$package.deb"
	try 2 "$repo/scripts/fetch"
	same "fetch: the package $package was damaged and is removed; run this again" "${stderr_lines[-1]}"
	nothing_but_the_lock
	: >"$cache/$package.deb"
	try 2 "$repo/scripts/fetch"
	same "fetch: the package $package was damaged and is removed; run this again" "${stderr_lines[-1]}"
	nothing_but_the_lock
	try 0 "$repo/scripts/fetch"
	fetched "$output"
}

@test "fetch: in the tree, git works as everywhere" {
	"$repo/scripts/fetch"
	change "$tree/kernel/irq/irqdomain.c" 5 edited
	echo new >"$tree/drivers/irqchip/new.c"
	mkdir "$tree/kernel/irq/tests"
	touch "$tree"/kernel/irq/tests/.{gitignore,hidden} "$tree/built.o"
	# What the kernel itself has ignored stays ignored.
	same ' M kernel/irq/irqdomain.c
?? drivers/irqchip/new.c
?? kernel/irq/tests/' "$(git -C "$tree" status --porcelain)"
	git -C "$tree" add kernel/irq/irqdomain.c drivers/irqchip/new.c kernel
	same 'drivers/irqchip/new.c
kernel/irq/irqdomain.c
kernel/irq/tests/.gitignore' "$(git -C "$tree" diff --cached --name-only)"
}

@test "fetch: in the tree one can leave the base, and come back to it" {
	"$repo/scripts/fetch"
	git -C "$tree" checkout -q -b mine
	git -C "$tree" checkout -q base
	# Also when the folder was removed, and in a repository as older versions made it
	rm -rf "$tree"
	git -C "$cache/linux-$base_version.git" symbolic-ref HEAD refs/heads/base
	"$repo/scripts/fetch"
	git -C "$tree" checkout -q mine
	git -C "$tree" checkout -q base
}

@test "fetch: a tree that is no longer whole" {
	"$repo/scripts/fetch"
	rm "$tree/Makefile" "$tree/kernel/irq/irqdomain.c"
	change "$tree/Kbuild" 1 mine
	try 2 "$repo/scripts/fetch"
	same '' "$output"
	says_only "fetch: 2 files of $tree are missing; 'git restore .' there brings them back"
	git -C "$tree" restore Makefile kernel
	try 0 "$repo/scripts/fetch"
	rm "$tree/.git"
	try 2 "$repo/scripts/fetch"
	says_only "fetch: git does not know $tree any more; remove that folder, and run this again"
	rm -rf "$tree"
	# Commits are not in the folder.
	git -C "$cache/linux-$base_version.git" branch mine base
	try 0 "$repo/scripts/fetch"
	fetched "$output"
	git -C "$tree" rev-parse mine
	# What is left of the repository
	rm -rf "$cache/linux-$base_version.git"
	try 2 "$repo/scripts/fetch"
	says_only "fetch: git does not know $tree any more; remove that folder, and run this again"
	rm -rf "$tree"
	try 0 "$repo/scripts/fetch"
	fetched "$output"
}

# interrupted SIGNAL STATUS DEB UPDATE DOWNLOAD: what a terminal, or a supervisor, does
interrupted() {
	serve "${@:3}"
	begin "$repo/scripts/fetch"
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	[[ -d $tree.partial ]]
	kill -"$1" -- "-$pid"
	ends_with "$2"
	same '' "$(cat "$background.out")"
	nothing_but_the_lock
	serve usual.deb
	try 0 "$repo/scripts/fetch"
	fetched "$output"
}

@test "fetch: interrupted while downloading" {
	interrupted INT 130 usual.deb '' \
		"head -c 100 '$debs/usual.deb' >./${package}_1_all.deb; : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100"
}

@test "fetch: terminated while downloading" {
	interrupted TERM 143 usual.deb '' \
		"head -c 100 '$debs/usual.deb' >./${package}_1_all.deb; : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100"
}

@test "fetch: interrupted while it asks the archive" {
	interrupted INT 130 usual.deb ": >'$BATS_TEST_TMPDIR/reached'; exec sleep 100"
}

@test "fetch: interrupted while it records the tree" {
	stub git "[[ \$1 != add ]] || { : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100; }; exec $(command -v git) \"\$@\""
	begin "$repo/scripts/fetch"
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	kill -INT -- "-$pid"
	ends_with 130
	nothing_but_the_package
}

@test "fetch: what a killed run left behind does not stay" {
	mkdir -p "$tree.partial/$package"
	touch "$tree.partial/$package/half"
	try 0 "$repo/scripts/fetch"
	fetched "$output"
	[[ ! -e $tree/half ]]
}

@test "fetch: a disk that is too small" {
	disk 1m
	try 2 "$repo/scripts/fetch"
	[[ $stderr =~ ^fetch:\ $cache\ has\ [01]\ MiB\ free\ and\ a\ tree\ takes\ [0-9]+\;\ set\ XDG_CACHE_HOME\ to\ a\ larger\ disk$ ]]
	nothing_but_the_lock
	# Nothing was asked for before that.
	same 0 "$(calls_of .)"
}

# The disk is full later than df has promised, by what else writes to it.
full() {
	disk "$1"
	stub df 'printf "Avail\n99999M\n"'
	serve "$2"
	try 2 "$repo/scripts/fetch"
	same "fetch: $3" "${stderr_lines[-1]}"
	says 'No space left'
}

@test "fetch: a disk that gets full while unpacking" {
	full 1m large.deb "cannot unpack $package; see the message above"
	nothing_but_the_lock
}

@test "fetch: a disk that gets full while the tree is recorded" {
	full 1600k random.deb "cannot record $package in git; see the message above"
	nothing_but_the_package
}

@test "fetch: two at once get it once" {
	local first out

	serve usual.deb '' ": >'$BATS_TEST_TMPDIR/reached'
		while [[ ! -e '$BATS_TEST_TMPDIR/go' ]]; do sleep 0.05; done; cp '$debs/usual.deb' ./${package}_1_all.deb"
	begin "$repo/scripts/fetch"
	first=$pid out=$background.out
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	begin "$repo/scripts/fetch"
	until_true grep -q "^fetch: waiting for another run that uses fetch-$base_version$" "$background.err"
	kill -0 "$pid"
	touch "$BATS_TEST_TMPDIR/go"
	ends_with 0
	wait "$first"
	fetched "$(cat "$out")"
	fetched "$(cat "$background.out")"
	same 1 "$(calls_of ' download ')"
}

@test "fetch: another version does not wait" {
	mkdir -p "$cache"
	exec {fd}>"$cache/fetch-7.2.lock"
	flock "$fd"
	try 0 timeout 20 "$repo/scripts/fetch"
	fetched "$output"
}

@test "fetch: without root" {
	copy_repo "$BATS_TEST_TMPDIR/repo"
	chmod 777 "$BATS_TEST_TMPDIR"
	: >"$calls"
	chmod a+w "$calls"
	try 0 usual_user "$BATS_TEST_TMPDIR/repo/scripts/fetch"
	same "$tree" "$output"
	[[ -f $tree/kernel/irq/irqdomain.c ]]
	same 0 "$(calls_of 'Sandbox::User=root')"
}

@test "fetch: a security suite comes from the security archive" {
	copy_repo "$BATS_TEST_TMPDIR/repo"
	sed -i 's/^7\.3  *trixie-backports/7.3 trixie-security/' "$BATS_TEST_TMPDIR/repo/tools/kernel/trees"
	stub apt-get "
		for word; do
			[[ \$word != Dir::Etc::SourceList=* ]] || cat \"\${word#*=}\" >>'$BATS_TEST_TMPDIR/lists'
		done
		case \"\$*\" in
		indextargets*) printf '%s\n' '$archive trixie' '$archive-security trixie-security' ;;
		*download*) exec cp '$debs/usual.deb' ./${package}_1_all.deb ;;
		esac"
	try 0 "$BATS_TEST_TMPDIR/repo/scripts/fetch"
	says "asking the archive for $package in trixie-security"
	grep -qF " $archive-security trixie-security main" "$BATS_TEST_TMPDIR/lists"
	run ! grep -F " $archive " "$BATS_TEST_TMPDIR/lists"
}

@test "fetch: a package that has moved on is taken, and named" {
	copy_repo "$BATS_TEST_TMPDIR/repo"
	sed -i 's/^\(7\.3  *[^ ]*  *\)[^ ]*/\17.3.1-1/' "$BATS_TEST_TMPDIR/repo/tools/kernel/trees"
	try 0 "$BATS_TEST_TMPDIR/repo/scripts/fetch"
	says 'fetch: the series was made on 7.3.1-1; a patch that does not apply needs a look'
}

# listed VERSION SIZE: what --list said of the newest kernel, the size as an expression
listed() {
	local fields

	read -ra fields < <(grep '^7\.3 ' <<<"$output")
	same "7.3 $made_on $1" "${fields[*]:0:3}"
	[[ ${fields[3]} =~ ^[1-9][0-9]*$ && ${fields[4]} =~ $2 ]]
}

@test "fetch: --list shows what is there" {
	try 0 "$repo/scripts/fetch" --list
	same "$(($(grep -c '^[0-9]' "$repo/tools/kernel/trees") + 1))" "$(wc -l <<<"$output")"
	listed - '^0$'
	"$repo/scripts/fetch"
	try 0 "$repo/scripts/fetch" --list
	listed "$made_on" '^[1-9][0-9]*$'
	same 0 "$(calls_of dpkg)"
	try 2 "$repo/scripts/fetch" --list 7.3
	says_only 'fetch: --list takes no version'
}

@test "fetch: --prune gives the space back, and keeps the package and what is the user's" {
	"$repo/scripts/fetch"
	mkdir -p "$cache"/{src,src-6.12,build-6.12}
	try 0 "$repo/scripts/fetch" --prune
	says "fetch: removing $cache/build-6.12"
	[[ -e $tree && -e $cache/src && ! -e $cache/src-6.12 && ! -e $cache/build-6.12 ]]
	git -C "$tree" branch mine base
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has a branch mine; left alone'
	git -C "$tree" branch -q -D mine
	echo x >>"$tree/Makefile"
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has changes; left alone'
	git -C "$tree" checkout -q Makefile
	try 0 "$repo/scripts/fetch" --prune 7.3
	[[ ! -e $tree && ! -e $cache/linux-7.3.git && ! -e $cache/src && -e $cache/$package.deb ]]
	try 2 "$repo/scripts/fetch" --prune 4.4
	says_only "fetch: no Linux '4.4'"
}

@test "fetch: --prune, interrupted, leaves nothing that looks complete, and waits for a fetch" {
	local rm

	"$repo/scripts/fetch"
	mkdir -p "$cache/src"
	rm=$(command -v rm)
	# Killed when a few files are gone
	stub rm "last=\${!#}; [[ \$last != $cache/* || ! -d \$last ]] || { find \"\$last\" -type f | head -n 5 | xargs -r -d '\\n' $rm -f; kill -KILL \$PPID; exit 1; }; exec $rm \"\$@\""
	run "$repo/scripts/fetch" --prune 7.3
	same 137 "$status"
	$rm "$stubs/rm"
	[[ ! -e $tree && ! -e $cache/linux-7.3.git && ! -e $cache/src ]]
	try 0 "$repo/scripts/fetch"
	same "$tree" "$output"
	try 0 "$repo/scripts/fetch" --prune 7.3
	same '' "$(find "$cache" -mindepth 1 -maxdepth 1 ! -name '*.lock' ! -name '*.deb')"

	"$repo/scripts/fetch"
	exec 8>"$cache/fetch-7.3.lock"
	flock 8
	begin "$repo/scripts/fetch" --prune 7.3 8>&-
	until_true grep -q 'waiting for another run that uses fetch-7.3' "$background.err"
	[[ -e $tree ]]
	exec 8>&-
	ends_with 0
	[[ ! -e $tree ]]
}

@test "fetch: a repository that lost its objects is made anew" {
	"$repo/scripts/fetch"
	rm -rf "$tree" "$cache/linux-7.3.git/objects"/*
	try 0 "$repo/scripts/fetch"
	same "$tree" "$output"
}

@test "fetch: a cache folder in whose path no kernel builds" {
	export XDG_CACHE_HOME="$BATS_TEST_TMPDIR/a b"
	try 2 "$repo/scripts/fetch"
	says_only "fetch: no kernel builds in a folder with a space or a colon in its path, as $XDG_CACHE_HOME/irq-free-bulk; set XDG_CACHE_HOME to another"
	[[ ! -e $XDG_CACHE_HOME ]]
}

@test "fetch: --prune leaves commits that no branch has, and what was stashed" {
	"$repo/scripts/fetch"
	git -C "$tree" checkout -q --detach
	git -C "$tree" commit -q --allow-empty -m mine
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has commits on no branch; left alone'
	git -C "$tree" checkout -q base
	echo x >>"$tree/Makefile"
	git -C "$tree" stash -q
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has a stash; left alone'
	git -C "$tree" stash drop -q
	git -C "$tree" commit -q --allow-empty -m mine
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has commits on the branch base; left alone'
	git -C "$tree" tag mine
	git -C "$tree" reset -q --hard HEAD^
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has a tag mine; left alone'
	git -C "$tree" tag -d mine
	git config --global status.showUntrackedFiles no
	touch "$tree/mine"
	try 0 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: linux-7.3 has changes; left alone'
	rm "$tree/mine"
	try 0 "$repo/scripts/fetch" --prune 7.3
	[[ ! -e $tree ]]
}

@test "fetch: --prune does not guess what is the user's where git cannot tell" {
	local index

	cd "$BATS_TEST_TMPDIR"
	"$repo/scripts/fetch"
	mkdir -p "$cache/build-6.12"
	mv "$cache/linux-7.3.git/objects" "$cache/linux-7.3.git/gone"
	try 2 "$repo/scripts/fetch" --prune 7.3 6.12
	same "fetch: git cannot tell what of linux-7.3 is yours; remove $cache/linux-7.3 and $cache/linux-7.3.git
fetch: removing $cache/build-6.12" "$stderr"
	[[ -e $tree ]]
	mv "$cache/linux-7.3.git/gone" "$cache/linux-7.3.git/objects"
	index=$(git -C "$tree" rev-parse --git-path index)
	cp "$index" index
	echo x >"$index"
	echo x >>"$tree/Makefile"
	try 2 "$repo/scripts/fetch" --prune 7.3
	says 'fetch: git cannot tell what of linux-7.3 is yours'
	[[ -e $tree ]]
	cp index "$index"
	git -C "$tree" checkout -q Makefile
	rm "$tree/.git"
	# What is around it is another tree.
	git -C "$XDG_CACHE_HOME" init -q -b base
	git -C "$XDG_CACHE_HOME" commit -q --allow-empty -m base
	try 2 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: git cannot tell what of linux-7.3 is yours'
	rm -rf "$cache/linux-7.3.git"
	try 2 "$repo/scripts/fetch" --prune 7.3
	says_only 'fetch: git cannot tell what of linux-7.3 is yours'
	rm -rf "$tree"
	try 0 "$repo/scripts/fetch" --prune 7.3
}
