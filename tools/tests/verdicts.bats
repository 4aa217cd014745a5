#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The scripts that judge: splat, tags, check, kunit and test. What they must find,
# what they must not, and that they do not judge what they cannot. No kernel is
# built or run; where a script would do so, something small stands in.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	export mini=$BATS_FILE_TMPDIR/repo
	mini_repo "$mini"
	mini_git "$BATS_FILE_TMPDIR/base"
}

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	log=$BATS_TEST_TMPDIR/log
}

teardown() { no_temporary_files; }

# own_repo: a copy of the small repo, for which a small tree is what fetch has brought, and what the
# builds have
own_repo() {
	cp -a "$mini" "$copy"
	base=$cache/linux-$base_version
	mkdir -p "$cache"
	cp -a "$BATS_FILE_TMPDIR/base" "$base"
	cp -a "$BATS_FILE_TMPDIR/base" "$cache/src"
}

# replace SCRIPT TEXT: another script in its place
replace() { printf '#!/bin/bash\n%s\n' "$2" >"$copy/scripts/$1"; }

warning='WARNING: CPU: 0 PID: 1 at kernel/irq/irqdomain.c:1 irq_domain_free+0x1/0x2'

@test "splat: a clean log, and one with a splat" {
	printf '%s\n' '[    0.000000] Linux version 7.3.4' 'all is well' >"$log"
	try 0 "$repo/scripts/splat" "$log"
	same '' "$output$stderr"
	printf '%s\n' 'all is well' "$warning" 'and so on' >"$log"
	try 1 "$repo/scripts/splat" "$log"
	same "$log:2: $warning" "$output"
	# One splat among several logs is enough.
	echo 'all is well' >"$log.2"
	try 1 "$repo/scripts/splat" "$log" "$log.2"
	try 1 "$repo/scripts/splat" "$log.2" "$log"
}

@test "splat: what cannot be judged is no success" {
	: >"$log"
	try 2 "$repo/scripts/splat" "$log"
	says_only "splat: $log is empty: nothing ran"
	try 2 "$repo/scripts/splat" "$log.none"
	says_only "splat: $log.none cannot be read"
	try 2 "$repo/scripts/splat" "$BATS_TEST_TMPDIR"
	says_only "cannot be read"
	try 2 "$repo/scripts/splat"
	says_only 'splat: no log to look at'
	# Also after a log that is fine
	echo 'all is well' >"$log.2"
	try 2 "$repo/scripts/splat" "$log.2" "$log"
}

@test "splat: without its patterns it judges nothing" {
	copy_repo "$copy"
	echo "$warning" >"$log"
	try 1 "$copy/scripts/splat" "$log"
	: >"$copy/tools/splat/patterns"
	try 2 "$copy/scripts/splat" "$log"
	says_only "splat: $copy/tools/splat/patterns is empty"
	printf '# a comment\n\n' >"$copy/tools/splat/patterns"
	try 2 "$copy/scripts/splat" "$log"
	says_only "splat: $copy/tools/splat/patterns is empty"
	rm "$copy/tools/splat/patterns"
	try 2 "$copy/scripts/splat" "$log"
	says_only "splat: $copy/tools/splat/patterns is missing"
	try 2 "$copy/scripts/splat" --self-test
}

@test "splat: its own cases can fail" {
	copy_repo "$copy"
	find "$copy/tools/splat/cases" -mindepth 1 -maxdepth 1 -not -name warn-x86 -exec rm -rf {} +
	echo clean >"$copy/tools/splat/cases/warn-x86/expected"
	try 1 "$copy/scripts/splat" --self-test
	grep "^not ok: case warn-x86: expected 'clean', got 'splat" <<<"$output"
}

@test "tags: a tag that is missing" {
	local patch=$BATS_TEST_TMPDIR/irqdomain/x.patch

	mkdir "${patch%/*}"
	cp "$repo/tools/tags/cases/irqdomain/good.patch" "$patch"
	try 0 "$repo/scripts/tags" "$patch"
	sed -i '/^Assisted-by: /d' "$patch"
	try 1 "$repo/scripts/tags" "$patch"
	same "$patch: Assisted-by: missing, a must for code in topic 'irqdomain'" "$output"
	# The same from within the kernel tree, or this repo, and by another path
	git -C "$BATS_TEST_TMPDIR" init -q
	cd "$BATS_TEST_TMPDIR/irqdomain"
	try 1 "$repo/scripts/tags" ../irqdomain/x.patch
	same "../irqdomain/x.patch: Assisted-by: missing, a must for code in topic 'irqdomain'" "$output"
	cp "$repo/tools/tags/cases/irqdomain/good-tests.patch" x.patch
	try 0 "$repo/scripts/tags" "$patch"
	# What only a person gives
	sed 's/^---$/Signed-off-by: Some One <some.one@example.org>\n---/' \
		"$repo/tools/tags/cases/irqdomain/good.patch" >"$patch"
	try 1 "$repo/scripts/tags" "$patch"
	same "$patch: Signed-off-by: only a person gives that" "$output"
}

@test "tags: without its table it judges nothing" {
	copy_repo "$copy"
	cp "$copy/tools/tags/rules" "$BATS_TEST_TMPDIR/rules"
	: >"$copy/tools/tags/rules"
	try 2 "$copy/scripts/tags"
	says_only 'is missing or empty'
	rm "$copy/tools/tags/rules"
	try 2 "$copy/scripts/tags"
	says_only 'is missing or empty'
	cp "$BATS_TEST_TMPDIR/rules" "$copy/tools/tags/rules"
	try 2 "$copy/scripts/tags" "$BATS_TEST_TMPDIR/none.patch"
	says_only "tags: no such patch: $BATS_TEST_TMPDIR/none.patch"
	# A file without a change in it is no patch.
	mkdir "$BATS_TEST_TMPDIR/irqdomain"
	printf 'Subject: x\n\nAssisted-by: LLM\n' >"$BATS_TEST_TMPDIR/irqdomain/x.patch"
	try 2 "$copy/scripts/tags" "$BATS_TEST_TMPDIR/irqdomain/x.patch"
	says "no patch in it"
	# All of a series that is empty is nothing.
	echo '# nothing' >"$copy/series"
	try 2 "$copy/scripts/tags"
	says_only 'tags: series names no patch'
}

@test "tags: its own cases can fail" {
	copy_repo "$copy"
	find "$copy/tools/tags/cases" -name '*.patch' -not -name 'good.patch' -delete
	echo 'Cc: missing' >"$copy/tools/tags/cases/irqdomain/good.expected"
	try 1 "$copy/scripts/tags" --self-test
	says 'tags: case good.patch:'
}

# check_line CHECK: its line of the last run
check_line() { sed -nE "s/^(not ok|ok) +$1 .*/\1/p" <<<"$output"; }

# quick_check: check, without what takes long and is not what the test looks at
quick_check() {
	stub codespell ''
	stub shellcheck ''
	replace tags ''
	replace splat ''
}

@test "check: the series and the folder, and the two ways of applying" {
	own_repo
	quick_check
	# checkpatch.pl is missing in this tree, and that is no success either.
	try 1 "$copy/scripts/check" --quick
	same ok "$(check_line series)"
	same ok "$(check_line apply)"
	same 'not ok' "$(check_line checkpatch)"

	# A patch that series does not name, and one whose bytes refresh would write in another way
	cp "$copy/patches/its/its-Bring-a-file.patch" "$copy/patches/its/stray.patch"
	printf -- '-- \n2.39.5\n' >>"$copy/patches/its/its-Bring-a-file.patch"
	try 1 "$copy/scripts/check" --quick
	same 'not ok' "$(check_line series)"
	grep '> its/stray.patch' <<<"$output"
	same 'not ok' "$(check_line apply)"
	grep 'refresh changed something right after apply' <<<"$output"
}

@test "check: a series that was made on another base" {
	own_repo
	quick_check
	change "$base/Kbuild" 1 other
	sed -i '1i one more line' "$base/kernel/irq/irqdomain.c"
	git_commit_all "$base" 'another base'
	try 1 "$copy/scripts/check" --quick
	same ok "$(check_line series)"
	same 'not ok' "$(check_line apply)"
	grep 'the series is not made on this base' <<<"$output"
}

# kunit STATUS ARGUMENT...: what a build needs is not used, so an apt-get that brings nothing will do;
# without root it is not even asked
kunit() {
	stub apt-get ''
	if ! try "$1" "$copy/scripts/kunit" --arch um "${@:2}"; then
		[[ $stderr != *'missing tools'* ]] || skip 'needs the packages that scripts/kunit names, or root'
		return 1
	fi
}

@test "kunit: arguments that cannot be" {
	own_repo
	try 2 "$repo/scripts/kunit" --arch sparc
	says_only "kunit: no architecture 'sparc'; known: arm64 x86_64 riscv um"
	try 2 "$repo/scripts/kunit" --tree "$base" --stock
	says_only 'kunit: --tree runs a tree as it is; leave out --stock and --variant'
	try 2 "$repo/scripts/kunit" --variant not-on-its --tree "$base"
	says_only 'kunit: --tree runs a tree as it is'
	kunit 2 --tree "$BATS_TEST_TMPDIR/none"
	says "kunit: no such folder: $BATS_TEST_TMPDIR/none"
	kunit 2 --tree "$BATS_TEST_TMPDIR"
	says "kunit: $BATS_TEST_TMPDIR is no kernel tree"
	kunit 2 --variant nope
	# It must not go on with something else.
	[[ ${stderr_lines[-1]} == "kunit: no variant 'nope'; known:"* ]]
	# Nor where a variant lacks what the series does not have: this would be all of it.
	kunit 2 --variant not-inherited
	[[ ${stderr_lines[-1]} == "kunit: variant 'not-inherited' lacks "* ]]
}

@test "kunit: a tree that has no suite" {
	own_repo
	kunit 2 --tree "$base"
	says "kunit: no suite of the series in $base for um; run scripts/apply --tree $base"
	# That of the series has none either, here.
	kunit 2
	says 'kunit: no suite of the series in'
}

# build_stub: a make that leaves what says when the options were last looked at
build_stub() {
	# shellcheck disable=SC2016 # the stub's own
	stub make 'for a; do case $a in O=*) out=${a#O=} ;; esac; done
		mkdir -p "$out/include/config" && touch "$out/include/config/auto.conf"'
}

# suite LOG STATUS: a tree with a suite, which builds, and whose kunit.py leaves LOG and ends with STATUS
suite() {
	local suite folder option

	build_stub
	read -r suite folder option < <(awk '/^[a-z].*um/ { print $1, $2, $3; exit }' "$copy/tools/kernel/suites")
	mkdir -p "$base/$folder" "$base/tools/testing/kunit"
	echo "CONFIG_$option=y" >"$base/$folder/.kunitconfig"
	echo "${1//SUITE/$suite}" >"$BATS_TEST_TMPDIR/kunit.log"
	cat >"$base/tools/testing/kunit/kunit.py" <<-END
		import shutil, sys
		build = [a.split('=')[1] for a in sys.argv if a.startswith('--build_dir=')][0]
		if sys.argv[1] == 'config':
		    open(build + '/.config', 'a')
		    sys.exit(0)
		if open('$BATS_TEST_TMPDIR/kunit.log').read().strip():
		    shutil.copy('$BATS_TEST_TMPDIR/kunit.log', build + '/test.log')
		sys.exit($2)
	END
}

all_passed='KTAP version 1
1..1
    # Subtest: SUITE
    ok 1 a
    ok 2 b
# SUITE: pass:2 fail:0 skip:0 total:2
ok 1 SUITE'

@test "kunit: passes only when the suite has ended, and nothing failed" {
	own_repo
	suite "$all_passed" 0
	kunit 0 --tree "$base"
	says 'kunit: passed; the log is'
	grep 'pass:2 fail:0 skip:0 total:2' <<<"$output"
	# kunit.py says that something failed.
	suite "${all_passed/pass:2 fail:0/pass:1 fail:1}" 1
	kunit 1 --tree "$base"
	says 'kunit: tests failed; the log is'
	# The guest died on its way, whatever kunit.py makes of that.
	suite "${all_passed%#*}" 0
	kunit 1 --tree "$base"
	grep 'no verdict' <<<"$output"
	says 'kunit: not every suite came to an end'
}

@test "kunit: a splat is a failure, and a run without a log is none" {
	own_repo
	suite "$all_passed"$'\n'"$warning" 0
	kunit 1 --tree "$base"
	grep -F "$warning" <<<"$output"
	suite '' 0
	kunit 2 --tree "$base"
	says 'kunit: the kernel did not start'
	suite '' 1
	kunit 2 --tree "$base"
}

@test "kunit: a kernel that does not build" {
	own_repo
	suite "$all_passed" 0
	stub make 'echo "its.c: error: this is a test" >&2; exit 2'
	kunit 2 --tree "$base"
	says 'its.c: error: this is a test'
	says 'kunit: the kernel did not build; see the message above'
	[[ $output != *pass:* ]]
}

@test "kunit: configures anew when there is something new to configure" {
	own_repo
	suite "$all_passed" 0
	touch -d '1 minute ago' "$base/Kconfig"
	kunit 0 --tree "$base"
	kunit 0 --tree "$base"
	same 0 "$(calls_of olddefconfig)"
	same 2 "$(calls_of '^make .* linux$')"
	touch -d '1 minute' "$base/Kconfig"
	kunit 0 --tree "$base"
	same 1 "$(calls_of '^make .* olddefconfig$')"
	same 3 "$(calls_of '^make .* linux$')"
}

@test "rebind: the verdicts on its own cases" {
	local failed=0

	# shellcheck disable=SC2030,SC2031 # the script's own settings, in a shell of their own
	run bash -c '. "$1/scripts/lib/common.sh"; . "$1/scripts/lib/guest.sh"; guest_self_test' bash "$repo"
	echo "$output"
	same 0 "$status"
	grep -E '^[1-9][0-9]* passed, 0 failed$' <<<"$output"
}

# canned_guests: a copy of the repo whose guests leave $BATS_TEST_TMPDIR/KERNEL.log, so that only the
# verdict is under test
canned_guests() {
	copy_repo "$copy"
	cat >>"$copy/scripts/lib/kernel.sh" <<-'END'
		kernel_image() { image=$1; }
	END
	cat >>"$copy/scripts/lib/guest.sh" <<-END
		guest_tools() { :; }
		guest_initramfs() { echo x; }
		guest_boot() { cp "$BATS_TEST_TMPDIR/\$2.log" "\$1"; printf '%s\n' "\${@:4}" >"$BATS_TEST_TMPDIR/boot"; }
	END
}

# canned KERNEL LINE...: what the guest of this kernel leaves
canned() {
	printf '[    1.000000] %s\n' 'Linux version 7.3.4' '# guest: begin job=x' "${@:2}" '# guest: end job=x' \
		>"$BATS_TEST_TMPDIR/$1.log"
}

failnth_line='# failnth path=vfio device=0000:00:01.0 vectors=3 failures=9 doorbell=4 setups=20'

@test "failnth: passes when nothing is lost, and stock beside it loses something" {
	canned_guests
	canned stock 1..1 "$failnth_line short=2 lost=7 lpis=-" 'not ok 1 x' '# Totals: pass:0 fail:1 skip:0'
	canned patched 1..1 "$failnth_line short=0 lost=0 lpis=0" 'ok 1 x' '# Totals: pass:1 fail:0 skip:0'
	try 0 "$copy/scripts/failnth"
	grep -E '^stock +smmuv3 +vfio +3 +9 +4 +20 +2 +7 +- +none$' <<<"$output"
	grep -E '^patched +none +vfio +3 +9 +4 +20 +0 +0 +0 +none$' <<<"$output"
	try 1 "$copy/scripts/failnth" --stock
	try 0 "$copy/scripts/failnth" --patched --iommu none
	same 1 "$(grep -c '^patched ' <<<"$output")"
	# The set-ups that the guest is told, and a device for each, and for the driver
	same 'guest.job=failnth guest.vectors=1,3,16' "$(head -n 1 "$BATS_TEST_TMPDIR/boot")"
	same 4 "$(grep -c '^nec-usb-xhci,' "$BATS_TEST_TMPDIR/boot")"
	try 0 "$copy/scripts/failnth" --patched --iommu none --vectors 3
	same 'guest.job=failnth guest.vectors=3' "$(head -n 1 "$BATS_TEST_TMPDIR/boot")"
	same 1 "$(grep -c '^nec-usb-xhci,' "$BATS_TEST_TMPDIR/boot")"
	try 2 "$copy/scripts/failnth" --vectors 17
	says_only "failnth: --vectors takes 1 to 16, not '17'"

	# The bug does not show.
	cp "$BATS_TEST_TMPDIR"/{patched,stock}.log
	try 1 "$copy/scripts/failnth"
	says 'the bug does not show'
}

@test "failnth: a splat is a failure, also after the last line of numbers" {
	canned_guests
	canned patched 1..1 "$warning" "$failnth_line short=0 lost=0 lpis=0" 'ok 1 x' '# Totals: pass:1 fail:0 skip:0'
	try 1 "$copy/scripts/failnth" --patched
	grep -E '^patched .* 0 +WARNING: CPU: 0 ' <<<"$output"
	canned patched 1..1 "$failnth_line short=0 lost=0 lpis=0" 'ok 1 x' 'unreferenced object 0xffff' \
		'# Totals: pass:1 fail:0 skip:0'
	try 1 "$copy/scripts/failnth" --patched
	grep -E '^patched .* - +unreferenced object 0xffff$' <<<"$output"
}

@test "failnth: behind an SMMU, something must fail in mapping the doorbell" {
	canned_guests
	canned patched 1..1 "${failnth_line/doorbell=4/doorbell=0} short=0 lost=0 lpis=0" 'ok 1 x' '# Totals: pass:1 fail:0 skip:0'
	try 0 "$copy/scripts/failnth" --patched --iommu none
	try 1 "$copy/scripts/failnth" --patched --iommu smmuv3
	says 'nothing was allocated to map the doorbell'
}

@test "failnth: a lost LPI is a failure" {
	canned_guests
	canned patched 1..1 "$failnth_line short=0 lost=0 lpis=48" 'not ok 1 x' '# Totals: pass:0 fail:1 skip:0'
	try 1 "$copy/scripts/failnth" --patched
	grep -E '^patched +none +vfio +3 +9 +4 +20 +0 +0 +48 +none$' <<<"$output"
}

@test "failnth: a guest without a verdict is lost" {
	canned_guests
	canned patched 1..2 "$failnth_line short=0 lost=0 lpis=0" 'ok 1 x' '# Totals: pass:1 fail:0 skip:0'
	try 2 "$copy/scripts/failnth" --patched
	says 'lost: 1 results in the log, 2 were planned'
}

soak_lines=('# soak memory when=before available=900 slab=80' '# soak memory when=after available=800 slab=90')

@test "soak: passes when nothing is lost, and stock beside it loses something" {
	canned_guests
	canned stock 1..2 "${soak_lines[@]}" '# soak allocations=100 short=80 lost=500' 'not ok 1 x' \
		'# soak rebinds=10 short=9 lost=18' 'not ok 2 x' '# Totals: pass:0 fail:2 skip:0'
	canned patched 1..2 "${soak_lines[@]}" '# soak allocations=100 short=0 lost=0' 'ok 1 x' \
		'# soak rebinds=10 short=0 lost=0' 'ok 2 x' '# kmemleak scans=2 leaks=0' '# Totals: pass:2 fail:0 skip:0'
	try 0 "$copy/scripts/soak" --rounds 10 --seed 5
	grep -E '^stock +100 +80 +500 +10 +9 +18 +900 +800 +80 +90 +- +none$' <<<"$output"
	grep -E '^patched +100 +0 +0 +10 +0 +0 +900 +800 +80 +90 +0 +none$' <<<"$output"
	grep -F '10 rounds, seed 5' <<<"$output"
	try 1 "$copy/scripts/soak" --rounds 10 --stock

	cp "$BATS_TEST_TMPDIR"/{patched,stock}.log
	try 1 "$copy/scripts/soak" --rounds 10
	says 'the bug does not show'

	canned patched 1..2 "${soak_lines[@]}" 'ok 1 x'
	try 2 "$copy/scripts/soak" --rounds 10 --patched
	says 'patched: lost:'
}

@test "test: adds up what passed, failed and was skipped" {
	copy_repo "$copy"
	stub bats 'printf "%s\n" 1..3 "ok 1 a" "ok 2 b # skip no root" "ok 3 c"'
	stub spatch :
	replace fetch 'echo /the/tree'
	replace check 'printf "%s\n" "ok      series" "ok      apply"'
	replace kunit 'echo "irqdomain_free   pass:40 fail:0 skip:1 total:41"; echo "gic_v3_its   pass:2 fail:0 skip:0 total:2"'
	replace audit 'echo "all are classified"'
	replace rebind 'echo "the table"'
	replace selftest 'echo "ok      smmu"; echo "ok      alias"'
	replace failnth 'echo "the table"'
	replace soak 'echo "the table"'
	replace platforms 'echo "ok designware"'
	replace sensitivity 'echo "ok      stock"; exit 0'
	try 0 "$copy/scripts/test"
	# 2 + 2 + 1 + 42 + 42 + 1 + 1 + 1 + 1 + 1 + 1 + 2 + 2
	same '99 passed, 0 failed, 3 skipped' "${lines[-1]}"

	replace check 'echo "ok      series"; echo "not ok  apply"; exit 1'
	try 1 "$copy/scripts/test"
	same '98 passed, 1 failed, 3 skipped' "${lines[-1]}"
	# A step that only says by its status that it failed, or could not be run
	replace rebind 'exit 2'
	try 1 "$copy/scripts/test"
	same '97 passed, 2 failed, 3 skipped' "${lines[-1]}"
	# Nothing that ended badly is hidden by what passed before that.
	replace check 'echo "ok      series"; kill -KILL $$'
	replace kunit 'echo "irqdomain_free   pass:39 fail:1 skip:1 total:41"; exit 1'
	try 1 "$copy/scripts/test"
	# 2 + 1 + 1 + 39 + 39 + 1 + 1 + 1 + 0 + 1 + 1 + 2 + 2
	same '91 passed, 4 failed, 3 skipped' "${lines[-1]}"
}

@test "test: two steps at once, and none is left when it is interrupted" {
	local name

	copy_repo "$copy"
	stub bats 'echo "ok 1 a"'
	stub spatch :
	replace fetch 'echo /the/tree'
	for name in check audit kunit; do
		replace $name "trap 'touch $BATS_TEST_TMPDIR/$name.stopped; exit 143' TERM
			touch $BATS_TEST_TMPDIR/$name; while :; do sleep 0.1; done"
	done
	begin "$copy/scripts/test"
	until_true test -e "$BATS_TEST_TMPDIR/check"
	until_true test -e "$BATS_TEST_TMPDIR/audit"
	sleep 0.5
	[[ ! -e $BATS_TEST_TMPDIR/kunit ]]
	kill -INT "$pid"
	ends_with 130
	[[ -e $BATS_TEST_TMPDIR/check.stopped && -e $BATS_TEST_TMPDIR/audit.stopped ]]
	[[ ! -e $BATS_TEST_TMPDIR/kunit ]]
	run ! grep -q ' passed, ' "$background.out"
}
