#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What holds for every script: --help, arguments, exit codes, missing tools, locks.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { clean_environment; }
teardown() { no_temporary_files; }

# The scripts, by the folder: a new one is held to this too.
scripts() { find "$repo/scripts" -maxdepth 1 -type f -printf '%f\n' | sort; }

# value_options SCRIPT: those that take a value, from the script's own help
value_options() { "$repo/scripts/$1" --help | grep -oE -- '--[a-z-]+ ([A-Z]+|[a-z0-9_]+\|)' | cut -d ' ' -f 1 | sort -u; }

@test "every script has --help, which names it and its exit codes" {
	local name count=0

	for name in $(scripts); do
		echo "$name"
		try 0 "$repo/scripts/$name" --help
		[[ ${lines[0]} =~ ^Usage:\ scripts/$name( |$) ]]
		[[ $output == *"Exit codes: 0 "* ]]
		same '' "$stderr"
		try 0 "$repo/scripts/$name" -h
		[[ ${lines[0]} == "Usage: scripts/$name"* ]]
		count=$((count + 1))
	done
	((count >= 10))
}

@test "every script refuses an argument that it does not know" {
	local name

	for name in $(scripts); do
		echo "$name"
		try 2 "$repo/scripts/$name" --no-such-option
		says_only "$name: unknown argument '--no-such-option'; see scripts/$name --help"
		same '' "$output"
	done
	same 0 "$(calls_of .)"
}

@test "an argument too many is refused" {
	try 2 "$repo/scripts/fetch" 7.3 7.2
	says_only "unknown argument '7.2'"
	try 2 "$repo/scripts/apply" x
	says_only "unknown argument 'x'"
	try 2 "$repo/scripts/refresh" x
	says_only "unknown argument 'x'"
}

@test "an option that lacks its value is named" {
	local name option count=0

	for name in $(scripts); do
		for option in $(value_options "$name"); do
			echo "$name $option"
			try 2 "$repo/scripts/$name" "$option"
			says_only "$name: $option needs a value; see scripts/$name --help"
			try 2 "$repo/scripts/$name" "$option" ''
			says_only "$name: $option needs a value; see scripts/$name --help"
			count=$((count + 1))
		done
	done
	# apply, refresh and kunit have --tree at least, kunit --arch too
	((count >= 4))
}

@test "a script works from any folder, and by a link to the repo" {
	ln -s "$repo" "$BATS_TEST_TMPDIR/link"
	cd /
	try 2 "$BATS_TEST_TMPDIR/link/scripts/fetch" 0.1
	says_only "no Linux '0.1'"
	cd "$repo/scripts"
	try 2 ./fetch 0.1
	says_only "no Linux '0.1'"
	try 2 bash fetch 0.1
	says_only "no Linux '0.1'"
}

@test "sensitivity: a variant that is not in the table" {
	try 2 "$repo/scripts/sensitivity" nope
	says_only "no variant 'nope'"
}

@test "a script works through a link to itself" {
	local name

	mkdir -p "$BATS_TEST_TMPDIR/folder/bin"
	cd "$BATS_TEST_TMPDIR/folder"
	for name in $(scripts); do
		ln -s "$repo/scripts/$name" "bin/my-$name"
		ln -s "my-$name" "bin/$name.2"
		try 2 "bin/$name.2" --no-such-option
		says_only "$name: unknown argument '--no-such-option'; see scripts/$name --help"
		same '' "$output"
	done
	same bin "$(ls)"
}

@test "a script without its library does nothing" {
	local name lib libs count=0

	copy_repo "$BATS_TEST_TMPDIR/repo"
	mv "$BATS_TEST_TMPDIR/repo/scripts/lib" "$BATS_TEST_TMPDIR/lib"
	mini_git "$BATS_TEST_TMPDIR/tree"
	cd "$BATS_TEST_TMPDIR/tree"
	for name in $(scripts); do
		try 2 "$BATS_TEST_TMPDIR/repo/scripts/$name"
		[[ $stderr == *"lib/common.sh: No such file"* ]]
		same '' "$output"
		# Nor does it without one of the others that it names.
		cp -r "$BATS_TEST_TMPDIR/lib" "$BATS_TEST_TMPDIR/repo/scripts"
		mapfile -t libs < <(sed -nE 's,^\. "[$]lib/(.*)" \|\| exit 2$,\1,p' "$repo/scripts/$name")
		for lib in "${libs[@]}"; do
			rm "$BATS_TEST_TMPDIR/repo/scripts/lib/$lib"
			try 2 "$BATS_TEST_TMPDIR/repo/scripts/$name"
			[[ $stderr == *"lib/$lib: No such file"* ]]
			cp "$BATS_TEST_TMPDIR/lib/$lib" "$BATS_TEST_TMPDIR/repo/scripts/lib"
			count=$((count + 1))
		done
		rm -rf "$BATS_TEST_TMPDIR/repo/scripts/lib"
	done
	((count >= 15))
	same '' "$(git status --porcelain --ignored)"
	same '' "$(git branch --format='%(refname:short)' --no-contains base)"
	same 0 "$(calls_of .)"
	[[ ! -e $cache ]]
}

@test "without HOME, and without a folder for what is temporary" {
	local name

	for name in $(scripts); do
		try 0 env -u HOME -u XDG_CACHE_HOME "$repo/scripts/$name" --help
		same '' "$stderr"
	done
	mini_git "$BATS_TEST_TMPDIR/tree"
	mini_repo "$BATS_TEST_TMPDIR/repo"
	try 0 env -u HOME "$BATS_TEST_TMPDIR/repo/scripts/apply" --check --tree "$BATS_TEST_TMPDIR/tree"
	try 2 env TMPDIR="$BATS_TEST_TMPDIR/none" "$BATS_TEST_TMPDIR/repo/scripts/apply" --check --tree "$BATS_TEST_TMPDIR/tree"
	same "apply: cannot write to $BATS_TEST_TMPDIR/none" "${stderr_lines[-1]}"
}

@test "missing tools are named with the command that installs them, without root" {
	tool_folder "$BATS_TEST_TMPDIR/bin" quilt patch apt-get
	mini_git "$BATS_TEST_TMPDIR/tree"
	copy_repo "$BATS_TEST_TMPDIR/repo"
	PATH=$stubs:$BATS_TEST_TMPDIR/bin
	try 2 usual_user "$BATS_TEST_TMPDIR/repo/scripts/apply" --tree "$BATS_TEST_TMPDIR/tree"
	same 'apply: missing tools; run: sudo apt-get install --no-install-recommends quilt patch' "$stderr"
	same '' "$output"
	same 0 "$(calls_of .)"
	[[ ! -e $cache ]]
}

@test "missing tools are installed by root, and nothing else is" {
	((EUID == 0)) || skip "needs root"
	tool_folder "$BATS_TEST_TMPDIR/bin" quilt
	# shellcheck disable=SC2016 # for the stub
	stub apt-get '[[ $1 == update ]] || ln -s /usr/bin/quilt "'"$stubs"'"'
	mini_git "$BATS_TEST_TMPDIR/tree"
	PATH=$stubs:$BATS_TEST_TMPDIR/bin
	mini_repo "$BATS_TEST_TMPDIR/repo"
	try 0 "$BATS_TEST_TMPDIR/repo/scripts/apply" --check --tree "$BATS_TEST_TMPDIR/tree"
	same 'apply: installing quilt' "${stderr_lines[0]}"
	same 'apt-get install -qq -y --no-install-recommends quilt' "$(cat "$calls")"
}

@test "missing tools that cannot be installed are an error" {
	((EUID == 0)) || skip "needs root"
	tool_folder "$BATS_TEST_TMPDIR/bin" quilt
	mini_git "$BATS_TEST_TMPDIR/tree"
	PATH=$stubs:$BATS_TEST_TMPDIR/bin
	try 2 "$repo/scripts/apply" --tree "$BATS_TEST_TMPDIR/tree"
	same "apply: cannot install quilt; see $cache/apt.log" "${stderr_lines[-1]}"
	grep 'this is a test' "$cache/apt.log"
	# The lists of a new machine are empty.
	same 1 "$(calls_of 'apt-get update')"
}

@test "apt is asked for nothing when everything is there" {
	mini_git "$BATS_TEST_TMPDIR/tree"
	copy_repo "$BATS_TEST_TMPDIR/repo"
	run "$BATS_TEST_TMPDIR/repo/scripts/apply" --check --tree "$BATS_TEST_TMPDIR/tree"
	run "$BATS_TEST_TMPDIR/repo/scripts/refresh" --tree "$BATS_TEST_TMPDIR/tree"
	same 0 "$(calls_of apt-get)"
}

@test "a cache folder that cannot be written is an error" {
	local name said

	for name in apply audit check fetch guest kernels kunit sensitivity test; do
		try 2 env XDG_CACHE_HOME=/dev/null "$repo/scripts/$name"
		said=$name
		# It has the tree fetched.
		[[ $name != apply ]] || said=fetch
		same "$said: cannot write to /dev/null/irq-free-bulk" "${stderr_lines[-1]}"
	done
}

@test "a cache folder that is read-only is an error" {
	copy_repo "$BATS_TEST_TMPDIR/repo"
	mkdir -p "$cache"
	chmod a-w "$cache"
	# usual_user would open it again
	((EUID == 0)) || skip "needs root, to become somebody else"
	chmod go+x "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR"/{file,test} "$BATS_FILE_TMPDIR"
	chmod -R go+rX "$BATS_TEST_TMPDIR"
	chmod 666 "$calls"
	try 2 setpriv --reuid=65534 --regid=65534 --clear-groups "$BATS_TEST_TMPDIR/repo/scripts/fetch"
	same "fetch: cannot write to $cache" "${stderr_lines[-1]}"
	same '' "$output"
}
