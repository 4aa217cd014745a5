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
	try 2 "$repo/scripts/splat" --self-test x
	says_only "unknown argument 'x'"
	try 2 "$repo/scripts/apply" x
	says_only "unknown argument 'x'"
	try 2 "$repo/scripts/test" x
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
	says_only "no base '0.1'"
	cd "$repo/scripts"
	try 2 ./fetch 0.1
	says_only "no base '0.1'"
	try 2 bash fetch 0.1
	says_only "no base '0.1'"
}

@test "rebind: values that make no sense" {
	try 2 "$repo/scripts/rebind" --cpus 2,x
	says_only "--cpus takes numbers separated by commas, not '2,x'"
	try 2 "$repo/scripts/rebind" --cpus 0
	says_only '--cpus takes'
	try 2 "$repo/scripts/rebind" --cpus 65
	says_only '--cpus takes numbers up to'
	try 2 "$repo/scripts/rebind" --rounds 0
	says_only '--rounds takes a number'
	try 2 "$repo/scripts/rebind" --image "x=$BATS_TEST_TMPDIR/none"
	says_only '--image needs NAME=FILE'
}

@test "selftest: values that make no sense" {
	try 2 "$repo/scripts/selftest" nowhere
	says_only "no topology 'nowhere'; known: smmu "
	try 2 "$repo/scripts/selftest" --kernel nope
	says_only "no kernel 'nope'; known: "
	try 2 "$repo/scripts/selftest" --kernel um
	says_only "the kernel 'um' is for um, and the guest is arm64"
}

@test "failnth: an IOMMU that it does not know" {
	try 2 "$repo/scripts/failnth" --iommu x86
	says_only "--iommu takes none or smmuv3, not 'x86'"
}

@test "soak: values that make no sense" {
	try 2 "$repo/scripts/soak" --rounds 0
	says_only "--rounds takes a number from 1 to 1000000, not '0'"
	try 2 "$repo/scripts/soak" --rounds 1000001
	says_only '--rounds takes a number'
	try 2 "$repo/scripts/soak" --rounds many
	says_only "--rounds takes a number from 1 to 1000000, not 'many'"
	try 2 "$repo/scripts/soak" --seed 1x
	says_only "--seed takes a number of up to 9 digits, not '1x'"
}

@test "platforms: a name that is not one of them" {
	try 2 "$repo/scripts/platforms" designware nope
	says_only "platforms: no platform 'nope'; known: designware "
	same '' "$output"
}

@test "sensitivity: a variant that is not in the table" {
	try 2 "$repo/scripts/sensitivity" nope
	says_only "no variant 'nope'"
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
	run "$BATS_TEST_TMPDIR/repo/scripts/tags"
	same 0 "$(calls_of apt-get)"
}

@test "a cache folder that cannot be written is an error" {
	try 2 env XDG_CACHE_HOME=/dev/null "$repo/scripts/fetch"
	same "fetch: cannot write to /dev/null/irq-free-bulk" "${stderr_lines[-1]}"
}
