#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What scripts/mbox makes of this repo's series, on the kernel that it is made on, with the tools that
# senders, maintainers and mail servers have. Nothing is sent to anybody.

# shellcheck disable=SC2030,SC2031 # every test is a shell of its own

# shellcheck source=tools/tests/lib.bash
. "$BATS_TEST_DIRNAME/lib.bash"

# All series are made once, which takes half a minute of one CPU.
setup_file() {
	clean_environment
	export base=$user_cache/linux-$base_version out=$BATS_FILE_TMPDIR/out
	[[ -d $base ]] || return 0
	mkdir "$XDG_CACHE_HOME/irq-free-bulk"
	ln -s "$base" "$user_cache/linux-$base_version.git" "$XDG_CACHE_HOME/irq-free-bulk"
	as_sender "$repo/scripts/mbox" --to-dir "$out" >"$BATS_FILE_TMPDIR/made"
	sparse "$BATS_FILE_TMPDIR/sparse"
	# For each mail the addresses that it goes to, as Python understands the header
	python3 - "$out" "$BATS_FILE_TMPDIR/to" <<-'END'
		import email, email.policy, pathlib, sys
		out, to = map(pathlib.Path, sys.argv[1:])
		for file in out.glob('*/*.patch'):
		    mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
		    people = {a.addr_spec.lower() for name in ('to', 'cc') if mail[name] for a in mail[name].addresses}
		    (to / file.parent.name).mkdir(parents=True, exist_ok=True)
		    (to / file.parent.name / file.name).write_text(''.join('%s\n' % p for p in sorted(people)))
	END
}

setup() {
	clean_environment
	[[ -d $base ]] || skip "the base is not in the cache; run scripts/fetch"
	tree=$BATS_TEST_TMPDIR/tree
	cp -a "$BATS_FILE_TMPDIR/sparse" "$tree"
	read_names
}

teardown() {
	no_temporary_files
}

# as_sender COMMAND...: run it as somebody who may send, also where this repo has a name of its own
as_sender() {
	GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=user.name GIT_CONFIG_VALUE_0='Zoë O. Sender' \
		GIT_CONFIG_KEY_1=user.email GIT_CONFIG_VALUE_1=zoe@sender.test "$@"
}

# sparse DIR: a git tree of those files of the base that the series touches, and of what scripts look at
sparse() {
	# shellcheck source=scripts/lib/common.sh
	(
		. "$repo/scripts/lib/common.sh"
		. "$repo/scripts/lib/series.sh"
		touched_files
	) >"$BATS_FILE_TMPDIR/touched"
	mkdir "$1"
	printf '%s\n' Kbuild Makefile MAINTAINERS COPYING CREDITS README .mailmap kernel/irq/irqdomain.c \
		scripts/get_maintainer.pl | sort -u - "$BATS_FILE_TMPDIR/touched" |
		xargs git -C "$base" ls-tree -r --name-only base -- | xargs git -C "$base" archive base -- | tar -C "$1" -x
	git -C "$1" init -q -b base
	git -C "$1" add -f -A
	git -C "$1" commit -q -m base
	git -C "$1" tag start
}

# read_names: set names to the series, in order
read_names() {
	local file

	names=()
	while read -r file; do
		file=${file##*/}
		names+=("${file%.mbox}")
	done <"$BATS_FILE_TMPDIR/made"
	((${#names[@]} >= 5))
}

# patches_of SERIES: its mails but the cover letter
patches_of() { find "$out/$1" -name '*.patch' -not -name '*-cover-letter.patch' | sort; }

# am TREE SERIES...: apply them
am() {
	local series list

	for series in "${@:2}"; do
		mapfile -t list < <(patches_of "$series")
		git -C "$1" am -q "${list[@]}"
	done
}

@test "mails: git am of all series, in order, makes the tree of apply without proof" {
	local proof

	cp -a "$tree" "$tree-am"
	"$repo/scripts/apply" --tree "$tree"
	proof=$(grep -c '^proof/' "$repo/series")
	git -C "$tree" reset -q --hard "HEAD~$proof"
	am "$tree-am" "${names[@]}"
	run diff -rq --exclude=.git "$tree" "$tree-am"
	same "Files $tree/MAINTAINERS and $tree-am/MAINTAINERS differ" "$output"
	same "$(($(grep -c '^[a-z]' "$repo/series") - proof))" "$(git -C "$tree-am" rev-list --count start..)"
	# Each change of a file is the one that the series has.
	same "$(git -C "$tree" log --reverse --format=%s start.. | sort)" \
		"$(git -C "$tree-am" log --reverse --format=%s start.. | sort)"
}

@test "mails: a series applies to what it says that it needs, and to no more" {
	am "$tree" hyperv
	git -C "$tree" checkout -q -b core base
	am "$tree" core
	git -C "$tree" checkout -q -b irqchip core
	am "$tree" irqchip
	git -C "$tree" checkout -q -b vfio base
	am "$tree" vfio
	git -C "$tree" checkout -q -b pci_msi base
	am "$tree" pci_msi
	# The repairs in front of irqchip need nothing.
	git -C "$tree" checkout -q -b repairs base
	patches_of irqchip | while read -r mail; do
		! grep -q '^+.*IRQ_DOMAIN_FREE_BULK' "$mail" || break
		git -C "$tree" am -q "$mail"
	done
	(($(git -C "$tree" rev-list --count start..) >= 10))
}

@test "mails: the last patch of core can be left out" {
	local list

	mapfile -t list < <(patches_of core)
	[[ ${list[-1]} == *-KUnit.patch ]]
	unset 'list[-1]'
	git -C "$tree" am -q "${list[@]}"
	am "$tree" irqchip
}

@test "mails: get_maintainer.pl --self-test has nothing new to say" {
	local test

	# The folders that it expects
	mkdir -p "$tree"/{Documentation,arch,include,drivers,fs,init,ipc,kernel,lib,scripts}
	for test in patterns sections; do
		(cd "$tree" && perl scripts/get_maintainer.pl --self-test=$test) >"$BATS_TEST_TMPDIR/$test.before"
	done
	am "$tree" "${names[@]}"
	for test in patterns sections; do
		(cd "$tree" && perl scripts/get_maintainer.pl --self-test=$test) >"$BATS_TEST_TMPDIR/$test.after"
		same '' "$(diff <(sed 's/:[0-9]*:/:/' "$BATS_TEST_TMPDIR/$test.before") \
			<(sed 's/:[0-9]*:/:/' "$BATS_TEST_TMPDIR/$test.after") | grep '^>')"
	done
	# It did look.
	grep -q 'no file matches' "$BATS_TEST_TMPDIR/patterns.before"
	while read -r section; do
		grep -qxF "F:	$section" "$tree/MAINTAINERS"
	done < <(sed -n 's/^F:	//p' "$repo/MAINTAINERS.fragment")
}

@test "mails: checkpatch.pl has nothing to say about the Signed-off-by" {
	[[ -e /usr/lib/python3/dist-packages/ply ]] || skip "python3-ply is missing; scripts/check checkpatch installs it"
	local list name

	for name in "${names[@]}"; do
		mapfile -t -O "${#list[@]}" list < <(patches_of "$name")
	done
	grep -v '^#' "$repo/tools/checkpatch/allowed" | grep -v Signed-off-by >"$BATS_TEST_TMPDIR/allowed"
	(cd "$base" && PATH=/usr/bin:$PATH perl scripts/checkpatch.pl --strict --terse --no-summary --show-types "${list[@]}" \
		>"$BATS_TEST_TMPDIR/said" 2>&1) || [[ $? == 1 ]]
	same '' "$(sed -E 's/^[^:]*:[0-9]+: (ERROR|WARNING|CHECK):[A-Z_]+: /\1: /; s/^[^:]*: (ERROR|WARNING|CHECK):[A-Z_]+: /\1: /' \
		"$BATS_TEST_TMPDIR/said" | grep -vxEf "$BATS_TEST_TMPDIR/allowed")"
	# It is known to complain: about each Fixes that this tree has no commit of.
	grep -q 'Unknown commit id' "$BATS_TEST_TMPDIR/said"
}

@test "mails: b4 reads and applies each series" {
	command -v b4 >/dev/null || skip "b4 is missing; scripts/test installs it"
	local name

	for name in "${names[@]}"; do
		mkdir "$BATS_TEST_TMPDIR/$name"
		b4 --offline-mode am -m "$out/$name.mbox" -o "$BATS_TEST_TMPDIR/$name" >"$BATS_TEST_TMPDIR/log" 2>&1 ||
			{ cat "$BATS_TEST_TMPDIR/log"; return 1; }
		grep -qx "Total patches: $(patches_of "$name" | wc -l)" "$BATS_TEST_TMPDIR/log"
		run ! grep -qE '^ *ERROR|missing from' "$BATS_TEST_TMPDIR/log"
		(cd "$tree" && b4 --offline-mode shazam -m "$out/$name.mbox") >"$BATS_TEST_TMPDIR/log" 2>&1 </dev/null ||
			{ cat "$BATS_TEST_TMPDIR/log"; return 1; }
	done
	cp -a "$BATS_FILE_TMPDIR/sparse" "$tree-am"
	am "$tree-am" "${names[@]}"
	diff -rq --exclude=.git "$tree" "$tree-am"
	# As submitting.rst has it for who goes on with b4
	(cd "$tree-am" && git checkout -q -b sent && b4 --offline-mode prep -e start) >"$BATS_TEST_TMPDIR/log" 2>&1 </dev/null ||
		{ cat "$BATS_TEST_TMPDIR/log"; return 1; }
}

# recipients MAIL: one a line
recipients() { cat "$BATS_FILE_TMPDIR/to/$(basename "$(dirname "$1")")/${1##*/}"; }

# header MAIL NAME: its value
header() { sed -nE "/^\$/q; s/^$2: //Ip" "$1"; }

@test "mails: a mail server gets each series whole, in order, threaded, with its recipients" {
	[[ -e /usr/lib/git-core/git-send-email && -e /usr/share/perl5/Mail/Address.pm ]] ||
		skip "git-email is missing; scripts/test installs it"
	local sink=$BATS_TEST_TMPDIR/sink name list got i first

	# A command of the user's that sends mails is not asked.
	git config --global sendemail.sendmailCmd "cat >>'$BATS_TEST_TMPDIR/sent' #"
	git config --global sendemail.smtpUser x
	for name in "${names[@]}"; do
		# Nothing is sent here.
		as_sender git send-email --dry-run --confirm=never "$out/$name"/*.patch >"$BATS_TEST_TMPDIR/log" 2>&1
		try 0 "$repo/tools/mbox/smtp-sink" "$sink" "$out/$name"/*.patch
		[[ ! -e $BATS_TEST_TMPDIR/sent ]]
		list=("$out/$name"/*.patch)
		mapfile -t got < <(find "$sink" -name '0*' | sort)
		same "${#list[@]}" "${#got[@]}"
		first=$(header "${list[0]}" Message-Id)
		for i in "${!list[@]}"; do
			same "$(header "${list[i]}" Subject)" "$(header "${got[i]}" Subject)"
			same "$(header "${list[i]}" Message-Id)" "$(header "${got[i]}" Message-Id)"
			# What the maintainers get is what the file has.
			same "$(sed '1,/^$/d' "${list[i]}")" "$(sed '1,/^$/d' "${got[i]}")"
			((i == 0)) || same "$first" "$(header "${got[i]}" In-Reply-To)"
			same "$({ recipients "${list[i]}"; echo zoe@sender.test; } | sort -u)" \
				"$(sed -n 's/^RCPT //p' "${got[i]}" | tr '[:upper:]' '[:lower:]' | sort -u)"
		done
		try 1 "$repo/tools/mbox/smtp-sink" "$sink" "$out/$name"/*.patch
		says_only "smtp-sink: $sink is not empty"
		rm "$sink"/0*
	done
}

@test "mails: the right people get them" {
	local mail

	# Everyone: the lists, and who is named
	for mail in "$out"/*/*.patch; do
		recipients "$mail" | LC_ALL=C sort >"$BATS_TEST_TMPDIR/to"
		grep -qx linux-kernel@vger.kernel.org "$BATS_TEST_TMPDIR/to"
		sed -nE -e '1,/^$/d' -e '/^---$/q' -e 's/^(Reported-by|Originally-by|Cc): ([^#]*<)?([^ >]+).*/\L\3/p' "$mail" |
			LC_ALL=C sort -u >"$BATS_TEST_TMPDIR/named"
		same '' "$(LC_ALL=C comm -23 "$BATS_TEST_TMPDIR/named" "$BATS_TEST_TMPDIR/to")"
		# Nobody who is only named, and nobody for a word: MAINTAINERS has some that it looks for in the text
		run ! grep -qE '@example|llvm@lists' "$BATS_TEST_TMPDIR/to"
	done
	for mail in "$out"/core/*; do
		grep -qx tglx@kernel.org <(recipients "$mail")
	done
	grep -q maz@kernel.org <(recipients "$out/core/0000-cover-letter.patch")
	# Each maintainer of a host controller gets their own and the cover letter, and no other driver's.
	same "$(printf '%s\n' 0000-cover-letter.patch ; cd "$out/pci" && grep -l '^+++ b/.*pcie-brcmstb' ./*.patch | sed 's,^\./,,')" \
		"$(cd "$out/pci" && grep -l jim2101024 ./*.patch | sed 's,^\./,,')"
	grep -q linux-pci@vger.kernel.org <(recipients "$out/pci_msi"/*.patch)
	grep -q bhelgaas@google.com <(recipients "$out/pci_msi"/*.patch)
	grep -q linux-hyperv@vger.kernel.org <(recipients "$out/hyperv"/*.patch)
}

@test "mails: the cover letters know the patches" {
	local name line

	# Which of the pci series need no other one
	same "$(patches_of pci | xargs grep -L '^+.*IRQ_DOMAIN_FREE_BULK' | while read -r mail; do
		header "$mail" Subject | sed 's/^\[[^]]*\] /  /'; done)" "$(sed '/^Vectors/q' "$repo/tools/mbox/pci" | grep '^  PCI: ')"
	# Each row of a table is one that was recorded.
	sed -nE 's/^# //p' "$repo"/Documentation/results/*.txt | tr -s ' ' >"$BATS_TEST_TMPDIR/recorded"
	cut -d'|' -f1 "$repo/tools/cases" | tr -d ' ' | grep -vE '^(#|$)' | sort -u >"$BATS_TEST_TMPDIR/cases"
	grep -hE '^  [a-z0-9-]+ +(stock|patched) ' "$repo"/tools/mbox/* | tr -s ' ' | sed 's/^ //' >"$BATS_TEST_TMPDIR/rows"
	(($(wc -l <"$BATS_TEST_TMPDIR/rows") >= 10))
	while read -r line; do
		grep -qxF "${line%% *}" "$BATS_TEST_TMPDIR/cases"
		# All its numbers, and what is not one behind them
		grep -qE -- "^$line( [^0-9]|\$)" "$BATS_TEST_TMPDIR/recorded" || { echo "not recorded: $line"; return 1; }
	done <"$BATS_TEST_TMPDIR/rows"
	awk '/^[a-z]/ { print $1 }' "$repo/tools/alternatives/table" >"$BATS_TEST_TMPDIR/variants"
	while read -r name; do
		line=$(grep -E "^  $name " "$repo/tools/mbox/core" | tr -s ' ' | sed 's/^ //')
		grep -qxF -- "$line" "$BATS_TEST_TMPDIR/recorded" || { echo "not recorded: $name: $line"; return 1; }
	done <"$BATS_TEST_TMPDIR/variants"
	# A page, or little more
	for name in "${names[@]}"; do
		(($(grep -vc '^\[[0-9]*\] ' "$repo/tools/mbox/$name") <= 84)) || { echo "$name is too long"; return 1; }
		run ! grep -E '.{79}' <(grep -v '://' "$repo/tools/mbox/$name")
	done
	run ! grep -wiE 'we|our|us' "$repo"/tools/mbox/{core,irqchip,pci,vfio,hyperv,pci_msi}
}
