#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/audit, on small trees with the fixtures of its semantic patch as drivers, and
# lib/audit.sh on these fixtures and on tools/audit/cases. It runs spatch, which it needs
# itself.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup() {
	clean_environment
	tree=$BATS_TEST_TMPDIR/tree
	copy=$BATS_TEST_TMPDIR/repo
	mini_kernel "$tree"
	copy_repo "$copy"
	audit=$copy/scripts/audit
	verdicts=$copy/tools/audit/verdicts
	echo '# none' >"$verdicts"
	parents=$copy/tools/audit/parents
	echo '# none' >"$parents"
	command -v spatch >/dev/null || skip "needs spatch"
}

teardown() { no_temporary_files; }

# driver FIXTURE [SED-EXPRESSION]: put a fixture into the tree, changed or not
driver() { sed "${2-}" "$repo/tools/coccinelle/fixtures/$1.c" >"$tree/drivers/irqchip/$1.c"; }

# has_line WORDS: it is a line of the output
has_line() { grep -qxF -e "$1" <<<"$output" || { echo "no line '$1'"; return 1; }; }

# has_note WORDS: it is a comment of the output
has_note() { has_line "# $1"; }

# results: its results, without their numbers
results() { grep -E '^(not )?ok ' <<<"$output" | sed -E 's/^((not )?ok) [0-9]+ /\1 /'; }

# in_library COMMAND...: in a shell that has the library
in_library() {
	# shellcheck disable=SC2016 # the shell's own
	bash -c 'work=$1; jobs=1; . "$2/scripts/lib/common.sh"; . "$2/scripts/lib/audit.sh"; "${@:3}"' bash \
		"$BATS_TEST_TMPDIR" "$copy" "$@"
}

# report MODE: what the semantic patch says of all fixtures
report() {
	cd "$copy/tools/coccinelle/fixtures" || return
	try 0 in_library run_spatch "$1" ./*.c
	cd "$BATS_TEST_TMPDIR" || return
	echo "${output//.\//}" >"report.$1"
}

@test "audit: what the semantic patch says of its fixtures" {
	local file name

	report report
	for file in "$repo"/tools/coccinelle/fixtures/*.c; do
		name=${file##*/}
		same "$(<"${file%.c}.report")" \
			"$(awk -v f="$name:" 'index($0, f) == 1' report.report | sed -E 's/^[^ ]* //' | sort)"
	done
	# Each word that it has for .alloc() and for .free() is in some fixture.
	sed -E 's/^[^ ]* [^ ]* ([^ ]*).*/\1/' report.report >seen
	sed -nE '/^\/\/   \.alloc/,/^\/\/   \.free/ s,^//     ([a-z]+) .*,\1/[a-z]+,p
		/^\/\/   \.free/,/^[^\/]/ s,^//     ([a-z]+) .*,[a-z]+/\1,p' \
		"$repo/tools/coccinelle/irq_domain_free_bulk.cocci" >words
	(($(wc -l <words) >= 15))
	while read -r name; do
		grep -qxE "$name" seen || { echo "no fixture has '$name'"; return 1; }
	done <words
}

@test "audit: the org mode says the same, as links" {
	report report
	report org
	sed -nE 's/^\* TODO \[\[view:([^:]*)::[^]]*\]\[(.*)\]\]$/\1: \2/p' report.org | sort >org
	[[ -s org ]]
	sed -E 's/^([^:]*):[^ ]*/\1:/' report.report | sort | diff - org
}

@test "audit: the classes of its cases" {
	local dir file count=0

	cd "$BATS_TEST_TMPDIR"
	for dir in "$repo"/tools/audit/cases/*/; do
		echo "$dir"
		try 0 in_library classify "$dir/report" "$dir/verdicts" "$dir/multi" "$dir/parents" "$dir/assigned"
		same "$(<"$dir/expected")" "${output//$'\t'/ | }"
		count=$((count + 1))
	done
	((count >= 2))
	# What was not written is not an empty list.
	for file in report verdicts multi parents assigned; do
		cp -r "$dir" case
		rm "case/$file"
		try 2 in_library classify case/{report,verdicts,multi,parents,assigned}
		rm -r case
	done
}

# with_series [SED-EXPRESSION]: the base has a driver that needs the flag, and the series changes it
with_series() {
	local file=drivers/irqchip/flag.c

	driver flag 's/IRQ_DOMAIN_FREE_BULK/0/'
	git -C "$tree" init -q -b base
	git_commit_all "$tree" base
	rm -rf "$copy/patches"
	mkdir -p "$copy/patches/irqchip"
	: >"$copy/series"
	if (($#)); then
		driver flag "$1"
		git -C "$tree" diff >"$copy/patches/irqchip/x.patch"
		git -C "$tree" checkout -q "$file"
		echo irqchip/x.patch >"$copy/series"
	fi
	has_base "$tree"
}
all_flagged='s/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'

@test "audit: stock needs the flag, and the series sets it there and nowhere else" {
	with_series "$all_flagged"
	try 0 "$audit"
	same "ok stock: 5 operations need IRQ_DOMAIN_FREE_BULK or a repair
ok stock: all 5 operations are classified
ok patched: no operations need IRQ_DOMAIN_FREE_BULK
ok patched: no operations need a repair
ok patched: all 5 operations are classified
ok patched: these have IRQ_DOMAIN_FREE_BULK, and no others do" "$(results)"
	has_note 'needs IRQ_DOMAIN_FREE_BULK: 5'
	has_note 'has IRQ_DOMAIN_FREE_BULK: 5'
	same '# Totals: pass:6 fail:0 skip:0' "${lines[-1]}"
	try 1 "$audit" --stock
	same 'not ok stock: 5 operations need IRQ_DOMAIN_FREE_BULK' "$(results | head -n 1)"
	try 0 "$audit" --variant patched
	same 'ok patched: no operations need IRQ_DOMAIN_FREE_BULK' "$(results | head -n 1)"
	try 2 "$audit" --variant nope
	says "no variant 'nope'"
}

@test "audit: a series that sets the flag on some of them" {
	with_series 's/x/x/'
	try 1 "$audit"
	same "not ok patched: 2 operations need IRQ_DOMAIN_FREE_BULK" "$(results | sed -n 3p)"
	same "not ok patched: these have IRQ_DOMAIN_FREE_BULK, and no others do" "$(results | sed -n 6p)"
	has_note '< drivers/irqchip/flag.c d_ops'
}

@test "audit: a stock that needs nothing proves nothing" {
	with_series
	sed -i 's/get_count_order(nr_irqs)/0/' "$cache/src/drivers/irqchip/flag.c"
	git_commit_all "$cache/src" 'nothing to free'
	git -C "$cache/src" update-ref refs/heads/base HEAD
	try 1 "$audit"
	same 'not ok stock: no operations need IRQ_DOMAIN_FREE_BULK or a repair, which proves nothing' \
		"$(results | head -n 1)"
}

@test "audit: what needs the flag is named" {
	local before

	driver order
	before=$(contents "$tree")
	try 1 "$audit" --tree "$tree"
	has_note 'needs IRQ_DOMAIN_FREE_BULK: 4'
	has_note 'order/order   drivers/irqchip/order.c: direct_ops'
	same "not ok tree: 4 operations need IRQ_DOMAIN_FREE_BULK
ok tree: no operations need a repair
ok tree: all 4 operations are classified" "$(results)"
	same "$before" "$(contents "$tree")"
}

@test "audit: with the flag it is right" {
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	try 0 "$audit" --tree "$tree"
	has_note 'has IRQ_DOMAIN_FREE_BULK: 5'
	same 'ok tree: all 5 operations are classified' "$(results | tail -n 1)"
	# One that lost it is enough.
	driver flag 's/other_flags/flags/'
	try 1 "$audit" --tree "$tree"
	has_note 'needs IRQ_DOMAIN_FREE_BULK: 1'
	has_note 'order/order   drivers/irqchip/flag.c: e_ops'
}

@test "audit: what needs a repair is named" {
	driver block
	echo 'drivers/irqchip/block.c bit_ops first/first right A single bit.' >"$verdicts"
	echo 'drivers/irqchip/block.c exact_ops exact/range right Exactly that.' >>"$verdicts"
	try 1 "$audit" --tree "$tree"
	has_note 'needs a repair: 6'
	has_note 'down/down     drivers/irqchip/block.c: down_ops'
	has_note 'aligned/order drivers/irqchip/block.c: aligned_ops'
	has_note 'right as it is: 2'
}

@test "audit: a driver that nobody has seen is unclassified, until it has a verdict" {
	driver range '/helper_ops/,/^}/d; /other_ops/,/^}/d; /count_ops/,/^}/d; /core_ops/,/^}/d'
	try 1 "$audit" --tree "$tree"
	has_note 'unclassified: 1'
	has_note 'each/each     drivers/irqchip/range.c: each_ops'
	same 'not ok tree: 1 operations are unclassified' "$(results | tail -n 1)"
	echo 'drivers/irqchip/range.c each_ops each/each right It looks at each.' >>"$verdicts"
	try 0 "$audit" --tree "$tree"
	has_note '  It looks at each.'
	# The verdict was for this code, not for any.
	driver range '/helper_ops/,/^}/d; /other_ops/,/^}/d; /count_ops/,/^}/d; /core_ops/,/^}/d; s/i < nr_irqs; ++i/i < 7; ++i/'
	try 1 "$audit" --tree "$tree"
	has_note '  Its verdict was given when it was each/each.'
	has_note 'each/first    drivers/irqchip/range.c: each_ops'
	# And not for a driver that is gone
	rm "$tree/drivers/irqchip/range.c"
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	try 1 "$audit" --tree "$tree"
	has_note '  It has a verdict, but is not there.'
}

@test "audit: a verdict that says one interrupt falls with Multi-MSI" {
	driver one '/^static const struct irq_domain_ops [^w]/,/^}/d'
	echo 'drivers/irqchip/one.c warns_ops warns/first single There is no Multi-MSI.' >"$verdicts"
	try 0 "$audit" --tree "$tree"
	echo '#define FLAGS (MSI_GENERIC_FLAGS_MASK | MSI_FLAG_MULTI_PCI_MSI)' >>"$tree/drivers/irqchip/one.c"
	try 1 "$audit" --tree "$tree"
	has_note 'unclassified: 1'
}

@test "audit: nothing that frees in bulk is below what allocates one by one" {
	driver parent
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	printf 'drivers/irqchip/parent.c %s\n' 'loop_ops each/first right It is so.' \
		'range_ops each/first right It is so.' 'helper_ops first/first single It is wired.' >>"$verdicts"
	try 1 "$audit" --tree "$tree"
	has_note '  It allocates one by one from its parent, and has no line in tools/audit/parents.'
	has_note 'each/first    drivers/irqchip/parent.c: loop_ops'
	echo 'drivers/irqchip/parent.c loop_ops drivers/irqchip/parent.c:range_ops' >"$parents"
	try 0 "$audit" --tree "$tree"
	sed -i 's,$, drivers/irqchip/flag.c:e_ops,' "$parents"
	try 1 "$audit" --tree "$tree"
	has_note 'needs a repair: 1'
	has_note '  It allocates one by one from drivers/irqchip/flag.c:e_ops, which frees in bulk.'
	same 'not ok tree: 1 operations need a repair' "$(results | sed -n 2p)"
	# Without the flag there, only that driver is wrong.
	driver flag 's/other_flags/flags/'
	try 1 "$audit" --tree "$tree"
	has_note 'needs IRQ_DOMAIN_FREE_BULK: 1'
	has_note 'right as it is: 4'
	: >"$parents"
	try 2 "$audit" --tree "$tree"
	says_only "$parents is missing or empty"
}

@test "audit: what is given its parent later has nothing below it that frees in bulk" {
	driver flag "$all_flagged"
	driver range '/^static const struct irq_domain_ops each_ops/,/^}/b; /^static const struct irq_domain_ops/,/^}/d'
	echo 'drivers/irqchip/range.c each_ops each/each right It looks at each.' >"$verdicts"
	try 0 "$audit" --tree "$tree"
	echo 'static void init(void) { inner_domain->parent = parent; }' >>"$tree/drivers/irqchip/range.c"
	try 1 "$audit" --tree "$tree"
	has_note '  It may not inherit from its parent, and has no line in tools/audit/parents.'
	echo 'drivers/irqchip/range.c each_ops -' >"$parents"
	try 0 "$audit" --tree "$tree"
	echo 'drivers/irqchip/range.c each_ops drivers/irqchip/flag.c:a_ops' >"$parents"
	try 1 "$audit" --tree "$tree"
	has_note '  It may not inherit from drivers/irqchip/flag.c:a_ops, which frees in bulk.'
	echo 'drivers/irqchip/range.c each_ops [7.4-] drivers/irqchip/flag.c:a_ops' >"$parents"
	try 1 "$audit" --tree "$tree"
	has_note '  It may not inherit from its parent, and has no line in tools/audit/parents.'
}

@test "audit: a verdict that is for some kernels alone" {
	local holds

	driver range '/helper_ops/,/^}/d; /other_ops/,/^}/d; /count_ops/,/^}/d; /core_ops/,/^}/d'
	for holds in 7.3 7.3- -7.3 7.1-7.4 7.3-7.3 7.2- 6.12- -7.10 -8.0; do
		echo "drivers/irqchip/range.c each_ops [$holds] each/each right It looks at each." >"$verdicts"
		try 0 "$audit" --tree "$tree"
		has_note '  It looks at each.'
	done
	for holds in 7.2 7.4 7.30 7.4- -7.2 7.1-7.2 7.10-; do
		echo "drivers/irqchip/range.c each_ops [$holds] each/each right It looks at each." >"$verdicts"
		try 1 "$audit" --tree "$tree"
		# One that is not for this kernel is not one that is not used.
		has_note 'unclassified: 1'
		has_note '  No verdict in tools/audit/verdicts.'
	done
	printf 'drivers/irqchip/range.c each_ops %s\n' '[-7.2] each/first right It looked at one.' \
		'[7.3-] each/each right It looks at each.' >"$verdicts"
	try 0 "$audit" --tree "$tree"
	sed -i 's/^PATCHLEVEL = 3/PATCHLEVEL = 1/' "$tree/Makefile"
	try 1 "$audit" --tree "$tree"
	has_note '  Its verdict was given when it was each/first.'
	for holds in 7 7.x - '' 7.3-x 7.3-7.4-7.5; do
		echo "drivers/irqchip/range.c each_ops [$holds] each/each right It looks at each." >"$verdicts"
		try 2 "$audit" --tree "$tree"
		says 'malformed'
	done
}

@test "audit: a kernel that is kept, with its series" {
	with_series "$all_flagged"
	# Its driver is the same, and there is another one.
	git clone -q --bare "$tree" "$cache/linux-7.1.git"
	git -C "$cache/linux-7.1.git" worktree add -q --detach "$cache/src-7.1" base
	mkdir -p "$copy/patches/stable/7.1"
	cp "$copy/series" "$copy/patches/stable/7.1"
	echo '7.1 trixie-security 7.1.9-1 patches/stable/7.1/series' >>"$copy/tools/kernel/trees"
	try 0 "$audit" --linux 7.1
	cp "$repo/tools/coccinelle/fixtures/order.c" "$cache/src-7.1/drivers/irqchip/old.c"
	git_commit_all "$cache/src-7.1" 'an old driver'
	git -C "$cache/src-7.1" update-ref refs/heads/base HEAD
	try 1 "$audit" --linux 7.1
	has_note 'order/order   drivers/irqchip/old.c: direct_ops'
	has_note '< drivers/irqchip/old.c direct_ops'
	same 'not ok patched: these have IRQ_DOMAIN_FREE_BULK, and no others do' "$(results | sed -n 6p)"
	try 0 "$audit" --linux 7.3
	try 2 "$audit" --linux 7.0
	says_only "no Linux '7.0'"
	try 2 "$audit" --linux 7.1 --tree "$tree"
	says_only 'leave out --linux'
}

@test "audit: what belongs to a test is not looked at" {
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	mkdir "$tree/kernel/irq/tests"
	cp "$repo/tools/coccinelle/fixtures/order.c" "$tree/kernel/irq/tests"
	try 0 "$audit" --tree "$tree"
}

@test "audit: what could not be found out is no success" {
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	stub spatch 'echo "Fatal error: exception Stack overflow" >&2'
	try 2 "$audit" --tree "$tree"
	same 'audit: spatch failed, see above' "${stderr_lines[-1]}"
	stub spatch 'exit 3'
	try 2 "$audit" --tree "$tree"
	same 'audit: spatch failed, see above' "${stderr_lines[-1]}"
	# Silent, and blind
	stub spatch 'exit 0'
	try 2 "$audit" --tree "$tree"
	[[ ${stderr_lines[-1]} == 'audit: spatch did not see: drivers/irqchip/flag.c a_ops, '* ]]
	rm "$stubs/spatch"
	rm "$tree/drivers/irqchip/flag.c"
	try 2 "$audit" --tree "$tree"
	same "audit: no irq_domain_ops in $tree" "${stderr_lines[-1]}"
	: >"$verdicts"
	try 2 "$audit" --tree "$tree"
	says_only "$verdicts is missing or empty"
	rm "$copy/tools/coccinelle/irq_domain_free_bulk.cocci"
	try 2 "$audit" --tree "$tree"
	says_only 'irq_domain_free_bulk.cocci is missing or empty'
}

@test "audit: arguments that make no sense" {
	try 2 "$audit" --jobs 0
	says_only "--jobs takes a number, not '0'"
	try 2 "$audit" --tree "$tree" --stock
	says_only '--tree looks at a tree as it is; leave out --linux, --stock and --variant'
	try 2 "$audit" --tree "$BATS_TEST_TMPDIR"
	says_only "is no kernel tree"
}

@test "audit: a trial: no HOME, a space and a quote in the paths, a link, CDPATH, a tree within git" {
	local odd="$BATS_TEST_TMPDIR/a b's repo"

	mv "$copy" "$odd"
	driver flag "$all_flagged"
	mv "$tree" "$odd/a tree's"
	ln -s "$odd/scripts/audit" "$BATS_TEST_TMPDIR/link"
	cd "$odd/scripts"
	CDPATH=/ try 0 env -u HOME TERM=dumb "$BATS_TEST_TMPDIR/link" --tree "$odd/a tree's"
	cd "$odd/a tree's"
	try 0 "$odd/scripts/audit" --tree .
	mv "$odd/scripts/lib" "$odd/scripts/lob"
	try 2 "$odd/scripts/audit" --tree .
	same '' "$output"
}

@test "audit: the temporary folder may be in a git tree" {
	with_series "$all_flagged"
	mkdir "$BATS_TEST_TMPDIR/outer"
	git -C "$BATS_TEST_TMPDIR/outer" init -q
	export TMPDIR=$BATS_TEST_TMPDIR/outer/tmp
	mkdir "$TMPDIR"
	try 0 "$audit" --variant patched
}
