# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KTAP (Documentation/dev-tools/ktap.rst of the kernel): printing the results of a script on stdout, and
# reading KUnit's from a kernel log. Needs no other library.
#
# What is noted belongs to the result that follows. A number sign, which begins a directive, and the end
# of a line cannot be part of the words of a result.

ktap_planned=0
ktap_passed=0
ktap_failed=0
ktap_skipped=0

# ktap_begin N: N results will follow
ktap_begin() {
	ktap_planned=$1 ktap_passed=0 ktap_failed=0 ktap_skipped=0
	printf 'KTAP version 1\n1..%d\n' "$1"
}

ktap_given() { echo $((ktap_passed + ktap_failed + ktap_skipped)); }

# ktap_result OK [WORDS...]: the line, after it was counted
ktap_result() {
	local words=${*:2}

	words=${words//\#/}
	printf '%s %d %s\n' "$1" "$(ktap_given)" "${words//$'\n'/ }"
}

ktap_ok() { ktap_passed=$((ktap_passed + 1)); ktap_result ok "$@"; }
ktap_not_ok() { ktap_failed=$((ktap_failed + 1)); ktap_result 'not ok' "$@"; }

# ktap_skip WHY WORDS...
ktap_skip() {
	ktap_skipped=$((ktap_skipped + 1))
	printf '%s # SKIP %s\n' "$(ktap_result ok "${@:2}")" "$1"
}

# ktap_note TEXT: may have several lines
ktap_note() { sed 's/^/# /; s/ *$//' <<<"$*"; }

# ktap_end: 1 when a result is missing, one failed, or none passed
ktap_end() {
	local given

	given=$(ktap_given)
	((given == ktap_planned)) || ktap_note "$given results, $ktap_planned were planned"
	printf '# Totals: pass:%d fail:%d skip:%d\n' $ktap_passed $ktap_failed $ktap_skipped
	((given == ktap_planned && ktap_failed == 0 && ktap_passed > 0))
}

# ktap LOG: the log without carriage returns and printk's time stamps
ktap() { tr -d '\r' <"$1" | sed -E 's/^\[ *[0-9]+\.[0-9]+\] //'; }

# suite_line LOG SUITE: 'pass:N fail:N skip:N total:N', nothing when the suite did not end. The kernel does not
# count where there is a single test.
suite_line() {
	ktap "$1" | awk -v s="$2" '
		$0 ~ "^# " s ": pass:[0-9]+ fail:[0-9]+ skip:[0-9]+ total:[0-9]+$" { line = substr($0, length(s) + 5) }
		$0 == "    # Subtest: " s { on = 1 }
		on && /^    (not )?ok [0-9]+ / { n++; is = /# SKIP/ ? "skip" : /^ *not / ? "fail" : "pass" }
		/^(not )?ok [0-9]+ / {
			if (on && n == 1 && $NF == s && line == "")
				line = "pass:" (is == "pass") " fail:" (is == "fail") " skip:" (is == "skip") " total:1"
			on = 0
		}
		END { if (line != "") print line }'
}

# suite_totals LOG SUITE: 'PASSED/FAILED/SKIPPED' of its tests, or of their parameters; also when it did not end
suite_totals() {
	ktap "$1" | awk -v s="$2" '
		function count() { n[/# SKIP/ ? "skip" : /^ *not / ? "fail" : "pass"]++ }
		$0 == "    # Subtest: " s { on = 1 }
		/^(not )?ok [0-9]+ / { on = 0 }
		on && /^        (not )?ok [0-9]+ / { count(); parameters = 1 }
		on && /^    (not )?ok [0-9]+ / { if (!parameters) count(); parameters = 0 }
		END { print n["pass"] + 0 "/" n["fail"] + 0 "/" n["skip"] + 0 }'
}

# suite_verdict LOG SUITE: pass, fail, or none when the suite did not end
suite_verdict() {
	ktap "$1" | awk -v s="$2" '
		$0 ~ "^ok [0-9]+ " s "$" { v = "pass" }
		$0 ~ "^not ok [0-9]+ " s "$" { v = "fail" }
		END { print v ? v : "none" }'
}

# failed_tests LOG: SUITE.TEST of every test that failed, sorted
failed_tests() {
	ktap "$1" | awk '
		/^    # Subtest: / { suite = $3 }
		/^    not ok [0-9]+ / { print suite "." $4 }' | sort
}
