#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# The tree for the builds, and the variants of the series in it (scripts/lib/kernel.sh).

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

setup_file() {
	clean_environment
	mini_repo "$BATS_FILE_TMPDIR/repo"
	printf '%s\n' 'stock nothing' 'patched everything' 'half -Inherit-the-flag' \
		>"$BATS_FILE_TMPDIR/repo/tools/sensitivity/variants"
	: >"$BATS_FILE_TMPDIR/repo/tools/alternatives/variants"
	mini_kernel "$BATS_FILE_TMPDIR/source"
	debian_gitignore >"$BATS_FILE_TMPDIR/source/.gitignore"
	make_deb "$made_on" "$BATS_FILE_TMPDIR/source" "$BATS_FILE_TMPDIR/package.deb"
}

setup() {
	clean_environment
	copy=$BATS_TEST_TMPDIR/repo
	cp -a "$BATS_FILE_TMPDIR/repo" "$copy"
	src=$cache/src
	mkdir -p "$cache"
	cp "$BATS_FILE_TMPDIR/package.deb" "$cache/$package.deb"
}

teardown() { no_temporary_files; }

# lib COMMAND...: what a script does that has the library
lib() {
	cat >"$copy/scripts/test-lib" <<-'END'
		. "$(dirname "$0")/lib/common.sh"
		. "$repo/scripts/lib/series.sh"
		. "$repo/scripts/lib/kernel.sh"
		"$@"
	END
	bash "$copy/scripts/test-lib" "$@"
}

# by_hand SERIES_PATTERN: $src is the base with those patches whose names match, and nothing else
by_hand() {
	local expected=$BATS_TEST_TMPDIR/expected file

	rm -rf "$expected"
	cp -a "$BATS_FILE_TMPDIR/source" "$expected"
	while read -r file; do
		(cd "$expected" && git apply "$copy/patches/$file")
	done < <(grep -E "^[a-z]+/.*($1)" "$copy/series")
	diff -r --exclude=.git --exclude=.gitignore "$expected" "$src"
}

# an_hour_ago: let the files have been written then, and git know it
an_hour_ago() {
	touch -d '1 hour ago' "$src/Makefile" "$src"/{kernel/irq,drivers/irqchip}/*.c
	git -C "$src" update-index -q --refresh
}

@test "variants: one after the other, and back" {
	try 0 lib use_variant patched
	says "$package $made_on"
	by_hand .
	try 0 lib use_variant stock
	by_hand nothing
	try 0 lib use_variant half
	by_hand 'Introduce|Set|Bring'
	try 0 lib use_variant patched
	by_hand .
	# Nobody was asked for anything.
	same 0 "$(calls_of apt-get)"
}

@test "variants: only what differs is written" {
	local before

	lib use_variant patched
	an_hour_ago
	before=$(stat -c %Y "$src/Makefile")
	lib use_variant half
	same "$src/kernel/irq/irqdomain.c" "$(find "$src" -name '*.c' -newermt '10 minutes ago')"
	same "$before" "$(stat -c %Y "$src/Makefile")"
}

@test "variants: a patch that touches another file" {
	local its

	lib use_variant patched
	an_hour_ago
	its=$(stat -c %Y "$src/drivers/irqchip/its.c")
	cat >"$copy/patches/its/its-More.patch" <<-'END'
		From: Some One <some.one@example.org>
		Date: Fri, 2 Jan 2026 03:04:05 +0000
		Subject: [PATCH] its: More

		---
		diff --git a/Makefile b/Makefile
		--- a/Makefile
		+++ b/Makefile
		@@ -1,3 +1,4 @@
		 VERSION = 7
		 PATCHLEVEL = 3
		 SUBLEVEL = 4
		+NAME = Some Name
	END
	echo its/its-More.patch >>"$copy/series"
	lib use_variant patched
	by_hand .
	same "$its" "$(stat -c %Y "$src/drivers/irqchip/its.c")"
	lib use_variant stock
	by_hand nothing
}

@test "variants: an edit in the tree does not stay, nor does a file stay away" {
	lib use_variant patched
	change "$src/drivers/irqchip/its.c" 5 edited
	lib use_variant patched
	by_hand .
	# One that no patch touches
	rm "$src/Kbuild"
	lib use_variant patched
	by_hand .
	# What is left of it when somebody wanted more space
	rm -rf "$src/.git" "$src/kernel"
	lib use_variant patched
	by_hand .
	rm -rf "$src"
	try 0 lib use_variant half
	says 'checking out'
	by_hand 'Introduce|Set|Bring'
	same 0 "$(calls_of apt-get)"
}

@test "variants: a name that is wrong is known before anything is fetched" {
	try 2 lib use_variant nope
	says_only "no variant 'nope'; known: "
	[[ ! -e $src && ! -e $cache/linux-$base_version.git ]]
}

@test "variants: the same source and patches are the same commit, whatever the user's settings are" {
	local first

	first=$(lib eval 'lock_src; variant_commit patched')
	rm -rf "$src"
	git config --global commit.gpgSign true
	git config --global gpg.program false
	git config --global core.autocrlf input
	git config --global user.name Another
	same "$first" "$(GIT_AUTHOR_NAME=x GIT_COMMITTER_EMAIL=y@localhost lib eval 'lock_src; variant_commit patched')"
}

@test "variants: sources_id tells them apart" {
	local patched half stock

	patched=$(lib eval 'use_variant patched; sources_id HEAD')
	half=$(lib eval 'use_variant half; sources_id HEAD')
	stock=$(lib eval 'use_variant stock; sources_id HEAD')
	[[ $patched != "$half" && $half != "$stock" && $stock == *"$made_on"* ]]
	# What the words of a patch say does not matter for what is built.
	sed -i 's/Why it is so/Why it is that/' "$copy"/patches/*/*.patch
	same "$patched" "$(lib eval 'use_variant patched; sources_id HEAD')"
	same "$(lib eval 'use_variant half; sources_id HEAD drivers')" "$(lib eval 'use_variant patched; sources_id HEAD drivers')"
}

@test "variants: a patch of its own behind all others" {
	local sensitivity=$copy/tools/sensitivity

	# It takes back what one of the series does, so it applies there alone.
	sed -E '/^index/d; /^(---|[+]{3})/b; s/^-/%/; s/^[+]/-/; s/^%/+/' \
		"$copy/patches/irqdomain/core-Inherit-the-flag.patch" >"$sensitivity/back.patch"
	printf '%s\n' 'behind everything +back.patch' 'in-front +back.patch everything' >>"$sensitivity/variants"
	lib use_variant behind
	by_hand 'Introduce|Set|Bring'
	try 1 lib use_variant in-front
	says "variant 'in-front' does not apply"
}

@test "variants: only what is named, from the folder that has the variant" {
	local alternatives=$copy/tools/alternatives

	cp "$copy/patches/irqdomain/core-Introduce-a-flag.patch" "$alternatives/idea.patch"
	printf '%s\n' 'idea nothing +idea.patch =Bring-a-file' 'one nothing =Introduce-a-flag' \
		'odd nothing =No-such-patch' >"$alternatives/variants"
	lib use_variant idea
	by_hand 'Introduce|Bring'
	lib use_variant one
	by_hand Introduce
	lib use_variant patched
	by_hand .
	try 2 lib use_variant odd
	says_only "variant 'odd' has 'No-such-patch', which no patch of the series has in its name"
}

@test "variants: interrupted while unpacking" {
	stub tar "[[ \$1 != -C ]] || { : >'$BATS_TEST_TMPDIR/reached'; exec sleep 100; }; exec $(command -v tar) \"\$@\""
	lib true
	begin bash "$copy/scripts/test-lib" use_variant patched
	until_true test -e "$BATS_TEST_TMPDIR/reached"
	kill -INT -- "-$pid"
	ends_with 130
	same "$(printf '%s\n' "$cache"/{fetch-$base_version.lock,$package.deb,src.lock})" "$(find "$cache" -mindepth 1 | sort)"
	rm "$stubs/tar"
	try 0 lib use_variant patched
	by_hand .
}

@test "variants: a patch that does not apply" {
	change "$copy/patches/its/its-Set-the-flag.patch" 20 nonsense
	sed -i 's/^ line 1. of/ row of/' "$copy/patches/its/its-Set-the-flag.patch"
	try 1 lib use_variant patched
	says "variant 'patched' does not apply to Linux $base_version; see the message above"
	same '' "$output"
	# And when it is mended
	cp -a "$BATS_FILE_TMPDIR/repo/patches" "$copy"
	try 0 lib use_variant patched
	by_hand .
}

@test "variants: a kernel with sources of this repo's" {
	# What it changes is there.
	mkdir -p "$copy/tools/extra"
	lib use_variant stock
	git -C "$src" switch -q -c more
	echo 'all Makefile' >"$src/drivers/Makefile"
	echo 'all Kconfig' >"$src/drivers/Kconfig"
	git -C "$src" add -f drivers
	git -C "$src" commit -q -m more
	git -C "$src" checkout -q --detach
	git -C "$src" update-ref refs/heads/base more

	# Without a .kunitconfig it is a folder like any other.
	lib use_variant patched extra
	[[ ! -e $src/drivers/extra ]]
	echo 'CONFIG_KUNIT=y' >"$copy/tools/extra/.kunitconfig"
	echo 'int x;' >"$copy/tools/extra/x.c"
	try 0 lib use_variant patched extra
	diff -r "$copy/tools/extra" "$src/drivers/extra"
	same $'all Makefile\nobj-y += extra/' "$(<"$src/drivers/Makefile")"
	same $'all Kconfig\nsource "drivers/extra/Kconfig"' "$(<"$src/drivers/Kconfig")"
	grep -q 'sets the flag' "$src/drivers/irqchip/its.c"
	# The same again, another content, and stock
	first=$(git -C "$src" rev-parse HEAD)
	lib use_variant patched extra
	same "$first" "$(git -C "$src" rev-parse HEAD)"
	echo 'int y;' >"$copy/tools/extra/x.c"
	lib use_variant stock extra
	same 'int y;' "$(<"$src/drivers/extra/x.c")"
	run ! grep -q 'sets the flag' "$src/drivers/irqchip/its.c"
	lib use_variant patched
	[[ ! -e $src/drivers/extra && $(<"$src/drivers/Makefile") == 'all Makefile' ]]
}

@test "variants: what a git that was killed has left is not in the way, and does not stay" {
	lib use_variant stock
	: >"$(git -C "$src" rev-parse --path-format=absolute --git-path index.lock)"
	# Written for another variant, whose commit was never reached
	mkdir "$src/drivers/irqchip/more"
	echo 'CONFIG_KUNIT=y' >"$src/drivers/irqchip/new.c"
	echo 'CONFIG_KUNIT=y' >"$src/drivers/irqchip/more/more.config"
	try 0 lib use_variant stock
	by_hand nothing
	echo 'CONFIG_KUNIT=y' >"$src/drivers/irqchip/new.c"
	try 0 lib use_variant half
	by_hand 'Introduce|Set|Bring'
}

@test "variants: that git cannot tell does not read as: nothing has changed" {
	lib use_variant patched
	stub git "[[ \$* != *' status '* ]] || { echo 'fatal: no' >&2; exit 128; }; exec $(command -v git) \"\$@\""
	try 2 lib use_variant patched
	says "git cannot tell what has changed in $src; see the message above"
}

@test "variants: a space, a comma and an ampersand in the path of the repo" {
	local odd="$BATS_TEST_TMPDIR/a b,c&d"

	mkdir "$odd"
	mv "$copy" "$odd/repo"
	copy=$odd/repo
	cp "$copy/patches/irqdomain/core-Introduce-a-flag.patch" "$copy/tools/alternatives/idea.patch"
	echo 'idea nothing +idea.patch =Bring-a-file' >"$copy/tools/alternatives/variants"
	try 0 lib use_variant half
	by_hand 'Introduce|Set|Bring'
	try 0 lib use_variant idea
	by_hand 'Introduce|Bring'
}

@test "variants: 'lacks' looks at the names of the patches, not at the path of the repo" {
	mkdir "$BATS_TEST_TMPDIR/Inherit-the-flag"
	mv "$copy" "$BATS_TEST_TMPDIR/Inherit-the-flag/repo"
	copy=$BATS_TEST_TMPDIR/Inherit-the-flag/repo
	try 0 lib use_variant half
	by_hand 'Introduce|Set|Bring'
}

@test "variants: a device tree that is there waits for nobody, and leaves the tree alone" {
	# shellcheck disable=SC2016 # the stub's
	stub dtc 'while [[ $1 != -o ]]; do shift; done; cat >"$2"'
	stub cpp 'echo tree'
	echo '/dts-v1/;' >"$BATS_TEST_TMPDIR/board.dts"
	try 0 lib kernel_dtb "$BATS_TEST_TMPDIR/board.dts"
	lib use_variant patched
	exec 8>"$cache/src.lock"
	flock 8
	try 0 timeout $patience bash "$copy/scripts/test-lib" kernel_dtb "$BATS_TEST_TMPDIR/board.dts"
	exec 8>&-
	by_hand .
	same 1 "$(calls_of ^dtc)"
}

@test "variants: a kernel whose configuration cannot be made is not built" {
	stub make 'exit 0'
	echo 'odd arm64 Image missing.config' >"$copy/tools/kernel/kernels"
	rm "$copy/tools/kernel/suites"
	try 0 lib eval "kept=6.12; mkdir -p '$src'; kernel_build odd || echo refused"
	same refused "$output"
	same 0 "$(calls_of ^make)"
	# As the scripts call it
	try 0 lib eval "kept=6.12; mkdir -p '$src'; supervise kernel_build odd || echo refused"
	same refused "$output"
	same 0 "$(calls_of ^make)"
}
