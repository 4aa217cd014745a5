#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0
#
# What is said in two places is the same in both: --help and what a script takes, the
# documents and the scripts, tools/steps and what has been recorded, the figures of the patches and
# those of the results.

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

@test "documents: the table of the drivers has what the bench has counted" {
	same "$(sed -nE 's/^# (irq|pcie?)_[a-z0-9_]+ +([0-9/]+) +([0-9/]+)$/\2 \3/p' "$repo/Documentation/results/bench.txt" | sort)" \
		"$(sed -nE 's/^.* ([0-9]+\/[0-9]+\/[0-9]+)( \[\*\]_)? +([0-9]+\/[0-9]+\/[0-9]+)$/\1 \3/p' "$repo/Documentation/testing.rst" | sort)"
}

@test "documents: what the tables say of deliveries is what was recorded" {
	python3 - "$repo" <<-'END'
		import pathlib, re, sys
		repo = pathlib.Path(sys.argv[1])
		text = (repo / 'Documentation/testing.rst').read_text()
		results = ''.join((repo / 'Documentation/results' / (name + '.txt')).read_text()
		                  for name in ('boards', 'platforms', 'selftest'))

		# What each controller has delivered, on stock and patched
		recorded = {}
		for case, says in re.findall(r'^# vectors-(\S+) +(?:stock|patched) +enables +320 +\d+ +\d+ +\S+ +(yes|no|-) ', results, re.M):
		    recorded.setdefault(case, []).append({'-': 'not seen'}.get(says, says))
		# A keyboard appears after each mix.
		recorded.update((case, ['yes'] * 2) for case in re.findall(r'^ok \d+ mix-(\S+) patched loses nothing', results, re.M))

		# A row of the boards has lines: the case's name goes on in the next one.
		said, column = [], None
		for line in text.splitlines():
		    if re.match(r'case +driver +delivered', line):
		        column = line.index('delivered')
		    elif column and not line:
		        column = None
		    elif column and re.match(r'(yes|no|not seen) ', line[column:]):
		        said.append([line.split(' ')[0], re.split('  ', line[column:])[0]])
		    elif column and said and line[:1] not in ' =':
		        said[-1][0] += line.split(' ')[0]
		boards = len(said)
		said += re.findall(r'^(?:irq|pcie?)-\S+ +``(\S+)`` +(yes|no|not seen) ', text, re.M)
		said += [('vectors-its', says) for says in re.findall(r"^irq-gic-v3-its +QEMU's model: most cases +(yes|no|not seen) ", text, re.M)]

		wrong = []
		for name, says in said:
		    case = re.sub(r'^((vectors|rebind|blocks|mix)-,?)+', '', name)
		    if case.startswith('port,'):
		        if says != 'not seen': wrong.append(name)
		    elif recorded.get(case) != [says] * 2:
		        wrong.append('%s: %s, and recorded is %s' % (name, says, recorded.get(case)))
		if boards < 13 or len(said) < boards + 16:
		    wrong.append('%d and %d rows were found' % (boards, len(said)))
		if wrong:
		    sys.exit('\n'.join(wrong))
	END
}

@test "documents: the figures below the changelogs, and 21 of 121, are what was recorded" {
	python3 - "$repo" <<-'END'
		import pathlib, re, sys
		repo = pathlib.Path(sys.argv[1])
		def result(name): return (repo / 'Documentation/results' / (name + '.txt')).read_text()

		# Of 320 set-ups by VFIO, how many were short, for each case; passed, failed and skipped on the bench, on
		# stock and patched, for each suite
		vectors, bench, machine = {}, {}, {}
		for case, kernel, short in re.findall(r'^# vectors-(\S+) +(stock|patched) +enables +320 +(\d+) ',
		                                      result('boards') + result('platforms'), re.M):
		    vectors.setdefault(case, {})[kernel] = int(short)
		for suite, *counts in re.findall(r'^# (\w+) +(\d+)/(\d+)/\d+ +(\d+)/(\d+)/\d+$', result('bench'), re.M):
		    bench[suite] = list(map(int, counts))
		for driver, case in re.findall(r'^(\S+) +``(?:vectors|rebind)-(\S+)``', (repo / 'Documentation/testing.rst').read_text(), re.M):
		    machine[driver] = case

		wrong, seen = [], 0
		for line in (repo / 'series').read_text().splitlines():
		    if not line or line[0] == '#':
		        continue
		    text = (repo / 'patches' / line).read_text()
		    notes = ' '.join(text.partition('\nNotes:\n')[2].partition('\ndiff --git ')[0].split())
		    driver = ''.join(re.findall(r'^\+\+\+ .*/((?:irq|pcie?)-[^/]*)\.c$', text, re.M))
		    for short in re.findall(r'(\d+) of 320 cases', notes):
		        seen += 1
		        if {'stock': int(short), 'patched': 0} not in [
		                vectors[case] for case in vectors
		                if case in driver or [d for d in machine if d in driver and machine[d] == case]]:
		            wrong.append('%s: %s of 320' % (line, short))
		    cases = re.findall(r'(\d+|all) of (?:the first )?(68|100) cases', notes)
		    cases += [(failed, '100') for failed in re.findall(r'of Northstar2 (\d+),', notes)]
		    for failed, of in cases:
		        seen += 1
		        failed, of = int(of if failed == 'all' else failed), int(of)
		        if not [1 for suite, (passes, fails, passed, still) in bench.items()
		                if suite.startswith(driver.replace('-', '_')) and (passes, fails) == (of - failed, failed)
		                and passed >= of and not still]:
		            wrong.append('%s: %d of %d' % (line, failed, of))
		    # The message data of the first vectors of several devices
		    for given in re.findall(r'message data (\d+), (\d+) and (\d+) without the patch and (\d+), (\d+) and (\d+) with it', notes):
		        seen += 1
		        for kernel, first in (('stock', given[:3]), ('patched', given[3:])):
		            if not re.search(r'^# blocks-\S+ +%s .* %s +none$' % (kernel, ' '.join(first)), result('boards'), re.M):
		                wrong.append('%s: %s' % (line, first))
		if seen < 36:
		    wrong.append('%d figures were found' % seen)

		def says(file, *texts):
		    said = ' '.join((repo / file).read_text().split())
		    wrong.extend('%s: not "%s"' % (file, text) for text in texts if text not in said)

		# The suites: with the flag, and without what must not be missing
		variants = re.search(r'^# passed/failed/skipped +(.*)$', result('sensitivity'), re.M).group(1).split()
		for suite, file, lacks in (
		        ('irqdomain_free', 'irqdomain/genirq-irqdomain-Provide-KUnit-tests-for-freeing-interrupts-in-bulk', ('unhonoured', 'not-inherited')),
		        ('gic_v3_its', 'its/irqchip-gic-v3-its-Verify-the-event-allocation-with-KUnit', ('not-on-its', 'not-inherited'))):
		    row = dict(zip(variants, re.search(r'^# %s +(.*)$' % suite, result('sensitivity'), re.M).group(1).split()))
		    says('patches/%s.patch' % file, 'The suite has %s tests' % row['patched'].replace('/0/0', ''),
		         *('%s of them fail' % row[variant].split('/')[1] for variant in lacks))
		# Instructions
		both = re.findall(r'^# +(\d+) (?: *\d+){4} +([\d.]+)$', result('cost').partition('vectors, pci')[2], re.M)
		one, others = float(both[0][1]), [float(percent) for _, percent in both[1:]]
		assert [int(n) for n, _ in both] == list(range(1, 33))
		says('patches/irqdomain/genirq-irqdomain-Free-interrupts-in-bulk-if-the-domain-requires-it.patch',
		     '%.1f to %.1f %% of the instructions' % (min(others), max(others)), 'a single one %.1f %%' % one,
		     'takes %.1f %%.' % float(re.search(r'domain-free-32: .* at most ([\d.]+) %', result('cost')).group(1)))
		# The audit
		says('tools/mbox/core', '%s of %s which have a' % (re.search(r'stock: (\d+) operations need', result('audit')).group(1),
		                                                  re.search(r'stock: all (\d+) operations', result('audit')).group(1)))
		if wrong:
		    sys.exit('\n'.join(wrong))
	END
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
