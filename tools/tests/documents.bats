#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What is said in two places is the same in both: --help and what a script takes, the
# documents and the scripts, tools/steps and what has been recorded.

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() { clean_environment; }
teardown() { no_temporary_files; }

scripts() { find "$repo/scripts" -maxdepth 1 -type f -printf '%f\n' | sort; }

# taken SCRIPT: the options in the patterns of its case, a line each
taken() {
	grep -E '^[[:space:]]*(-[a-z]|--[a-z-]+)([ |]+(-[a-z]|--[a-z-]+))*\)' "$repo/scripts/$1" | sed 's/).*//' |
		grep -oE -- '--[a-z-]+' | sort -u
}

# offered SCRIPT: the options that --help explains or has in its usage, a line each
offered() { "$repo/scripts/$1" --help | grep -oE -- '(^|[^a-z-])--[a-z-]+' | grep -oE -- '--[a-z-]+' | sort -u; }

@test "documents: --help has every option that a script takes" {
	local name option count=0

	for name in $(scripts); do
		for option in $(taken "$name"); do
			[[ $option != --help ]] || { count=$((count + 1)); continue; }
			offered "$name" | grep -qxe "$option" || { echo "$name --help does not have $option"; return 1; }
		done
	done
	# The patterns were found in each of them.
	same "$(scripts | wc -l)" "$count"
}

@test "documents: what --help explains is taken" {
	local name option

	for name in $(scripts); do
		# A line that begins with it
		for option in $("$repo/scripts/$name" --help | sed -nE 's/^  (--[a-z-]+).*/\1/p'); do
			taken "$name" | grep -qxe "$option" || { echo "$name does not take $option"; return 1; }
		done
	done
}

@test "documents: the checks that --help of check has are those that it takes" {
	local name names

	names=$("$repo/scripts/check" --help | sed -nE 's/^  ([a-z-]+) .*/\1/p')
	(($(wc -w <<<"$names") >= 10))
	same "$(sed -nE 's/^	(series \| .*)\)$/\1/p' "$repo/scripts/check" | tr -d '|' | xargs -n 1)" "$names"
}

@test "documents: the table of scripts is the folder" {
	# shellcheck disable=SC2016 # no shell's
	same "$(scripts)" "$(sed -nE 's/^``([a-z]+)`` .*/\1/p' "$repo/Documentation/testing.rst" | sort)"
}

@test "documents: every script that is named is there" {
	local name

	# The kernel has scripts, too.
	grep -rhoE 'scripts/[a-z][a-z-]*[a-z]' "$repo"/{README.md,MAINTAINERS.fragment} "$repo"/Documentation/*.rst \
		"$repo"/Documentation/results/README.rst "$repo"/scripts "$repo"/tools/{steps,cases} | sort -u |
		grep -vxE 'scripts/(kernel-doc|checker-valid|decode|coccinelle|checkpatch|get)' >"$BATS_TEST_TMPDIR/named"
	(($(wc -l <"$BATS_TEST_TMPDIR/named") >= 10))
	while read -r name; do
		[[ -e $repo/$name ]] || { echo "$name is not there"; return 1; }
	done <"$BATS_TEST_TMPDIR/named"
}

@test "documents: every file that the README sends to is there" {
	local name

	# shellcheck disable=SC2016 # no shell's
	sed -n '/^## Where to look next/,$s/^| \(.*\) |.*/\1/p' "$repo/README.md" | grep -oE '`[^`]+`' | tr -d '`' \
		>"$BATS_TEST_TMPDIR/named"
	(($(wc -l <"$BATS_TEST_TMPDIR/named") >= 8))
	while read -r name; do
		[[ -e $repo/$name ]] || { echo "$name is not there"; return 1; }
	done <"$BATS_TEST_TMPDIR/named"
}

@test "documents: the table of the README is what was recorded" {
	sed -n '/^case  *kernel/,/^```/p' "$repo/README.md" | grep -v '^```' >"$BATS_TEST_TMPDIR/table"
	same 9 "$(wc -l <"$BATS_TEST_TMPDIR/table")"
	sed -n 's/^# \(case\|rebind-\)/\1/p' "$repo/Documentation/results/rebind.txt" | diff "$BATS_TEST_TMPDIR/table" -
}

@test "documents: the table of the design is what was recorded" {
	sed -n '/^        variant .* zpci /,/^$/p' "$repo/Documentation/design.rst" | sed '/^$/d; s/^        //' >"$BATS_TEST_TMPDIR/table"
	same 9 "$(wc -l <"$BATS_TEST_TMPDIR/table")"
	sed -nE '/^# variant /,/^# series /s/^# //p' "$repo/Documentation/results/alternatives.txt" | diff "$BATS_TEST_TMPDIR/table" -
}

@test "documents: every step of the long form has been recorded, and nothing else has" {
	same "$(awk '/^[a-z]/ && $2 != "short" { print $1 }' "$repo/tools/steps" | sort -u)" \
		"$(find "$repo/Documentation/results" -name '*.txt' -printf '%f\n' | sed 's/\.txt$//' | sort)"
}

@test "documents: every step is a script, and every case that it names is one" {
	local name step words word

	while read -r step _ words; do
		[[ $step == [a-z]* ]] || continue
		[[ $words == bats || -x $repo/scripts/${words%% *} ]] || { echo "$step: no script '${words%% *}'"; return 1; }
		[[ $words == guest\ * ]] || continue
		name=
		for word in ${words#guest }; do
			# What comes behind an option is its value.
			if [[ $name == --* || $word == --* ]]; then name=$word; [[ $word == --* ]] || name=; continue; fi
			grep -qE "^$word +\|" "$repo/tools/cases" || { echo "$step: no case '$word'"; return 1; }
		done
	done <"$repo/tools/steps"
}
