#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# scripts/audit, on small trees with the fixtures of its semantic patch as drivers. It
# runs spatch, which it needs itself.

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

@test "audit: its own cases" {
	try 0 "$audit" --self-test
	[[ $output =~ ^[0-9]+\ passed,\ 0\ failed$ ]]
}

@test "audit: what needs the flag is named" {
	local before

	driver order
	before=$(contents "$tree")
	try 1 "$audit" --tree "$tree"
	has_line 'needs IRQ_DOMAIN_FREE_BULK: 4'
	has_line 'order/order   drivers/irqchip/order.c: direct_ops'
	same 'audit: 4 need the flag, 0 a repair, and 0 are unclassified' "${stderr_lines[-1]}"
	same "$before" "$(contents "$tree")"
}

@test "audit: with the flag it is right" {
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	try 0 "$audit" --tree "$tree"
	has_line 'has IRQ_DOMAIN_FREE_BULK: 5'
	same 'audit: all 5 are classified' "${stderr_lines[-1]}"
	# One that lost it is enough.
	driver flag 's/other_flags/flags/'
	try 1 "$audit" --tree "$tree"
	has_line 'needs IRQ_DOMAIN_FREE_BULK: 1'
	has_line 'order/order   drivers/irqchip/flag.c: e_ops'
}

@test "audit: what needs a repair is named" {
	driver block
	echo 'drivers/irqchip/block.c bit_ops first/first right A single bit.' >"$verdicts"
	echo 'drivers/irqchip/block.c exact_ops exact/range right Exactly that.' >>"$verdicts"
	try 1 "$audit" --tree "$tree"
	has_line 'needs a repair: 6'
	has_line 'down/down     drivers/irqchip/block.c: down_ops'
	has_line 'aligned/order drivers/irqchip/block.c: aligned_ops'
	has_line 'right as it is: 2'
}

@test "audit: a driver that nobody has seen is unclassified, until it has a verdict" {
	driver range '/helper_ops/,/^}/d; /other_ops/,/^}/d; /count_ops/,/^}/d; /core_ops/,/^}/d'
	try 1 "$audit" --tree "$tree"
	has_line 'unclassified: 1'
	has_line 'each/each     drivers/irqchip/range.c: each_ops'
	same 'audit: 0 need the flag, 0 a repair, and 1 are unclassified' "${stderr_lines[-1]}"
	echo 'drivers/irqchip/range.c each_ops each/each right It looks at each.' >>"$verdicts"
	try 0 "$audit" --tree "$tree"
	has_line '  It looks at each.'
	# The verdict was for this code, not for any.
	driver range '/helper_ops/,/^}/d; /other_ops/,/^}/d; /count_ops/,/^}/d; /core_ops/,/^}/d; s/i < nr_irqs; ++i/i < 7; ++i/'
	try 1 "$audit" --tree "$tree"
	has_line '  Its verdict was given when it was each/each.'
	has_line 'each/first    drivers/irqchip/range.c: each_ops'
	# And not for a driver that is gone
	rm "$tree/drivers/irqchip/range.c"
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	try 1 "$audit" --tree "$tree"
	has_line '  It has a verdict, but is not there.'
}

@test "audit: a verdict that says one interrupt falls with Multi-MSI" {
	driver one '/^static const struct irq_domain_ops [^w]/,/^}/d'
	echo 'drivers/irqchip/one.c warns_ops warns/first single There is no Multi-MSI.' >"$verdicts"
	try 0 "$audit" --tree "$tree"
	echo '#define FLAGS (MSI_GENERIC_FLAGS_MASK | MSI_FLAG_MULTI_PCI_MSI)' >>"$tree/drivers/irqchip/one.c"
	try 1 "$audit" --tree "$tree"
	has_line 'unclassified: 1'
}

@test "audit: nothing that frees in bulk is below what allocates one by one" {
	driver parent
	driver flag 's/other_flags/flags/; s/(parent, 0,/(parent, IRQ_DOMAIN_FREE_BULK,/'
	printf 'drivers/irqchip/parent.c %s\n' 'loop_ops each/first right It is so.' \
		'range_ops each/first right It is so.' 'helper_ops first/first single It is wired.' >>"$verdicts"
	try 1 "$audit" --tree "$tree"
	has_line '  It allocates from its parent one by one, and has no line in tools/audit/parents.'
	has_line 'each/first    drivers/irqchip/parent.c: loop_ops'
	echo 'drivers/irqchip/parent.c loop_ops drivers/irqchip/parent.c:range_ops' >"$parents"
	try 0 "$audit" --tree "$tree"
	sed -i 's,$, drivers/irqchip/flag.c:e_ops,' "$parents"
	try 1 "$audit" --tree "$tree"
	has_line 'needs a repair: 1'
	has_line '  It allocates one by one from drivers/irqchip/flag.c:e_ops, which frees in bulk.'
	same 'audit: 0 need the flag, 1 a repair, and 0 are unclassified' "${stderr_lines[-1]}"
	# Without the flag there, only that driver is wrong.
	driver flag 's/other_flags/flags/'
	try 1 "$audit" --tree "$tree"
	has_line 'needs IRQ_DOMAIN_FREE_BULK: 1'
	has_line 'right as it is: 4'
	: >"$parents"
	try 2 "$audit" --tree "$tree"
	says_only "$parents is missing or empty"
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
	try 1 "$audit" --self-test
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

@test "audit: its own cases can fail" {
	sed -i 's,exact/range,exact/each,' "$copy/tools/coccinelle/fixtures/block.report"
	try 1 "$audit" --self-test
	[[ $output == *' passed, 1 failed' ]]
	copy_repo "$copy.2"
	echo 'right | nothing | a/b | c | d' >>"$copy.2/tools/audit/cases/classes/expected"
	try 1 "$copy.2/scripts/audit" --self-test
	# A word that no fixture has
	copy_repo "$copy.3"
	rm "$copy.3"/tools/coccinelle/fixtures/{one,parent}.*
	try 1 "$copy.3/scripts/audit" --self-test
	[[ $stderr == *"no fixture has 'refuses/"* ]]
	rm "$copy.3"/tools/coccinelle/fixtures/*
	try 2 "$copy.3/scripts/audit" --self-test
}

@test "audit: arguments that make no sense" {
	try 2 "$audit" --jobs 0
	says_only "--jobs takes a number, not '0'"
	try 2 "$audit" --tree "$tree" --stock
	says_only '--tree and --stock exclude each other'
	try 2 "$audit" --tree "$BATS_TEST_TMPDIR"
	says_only "is no kernel tree"
}
