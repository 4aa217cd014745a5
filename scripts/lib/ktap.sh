# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Reading KUnit's results from a kernel log. Needs no other library.

# ktap LOG: the log without carriage returns and printk's time stamps
ktap() { tr -d '\r' <"$1" | sed -E 's/^\[ *[0-9]+\.[0-9]+\] //'; }

# suite_line LOG SUITE: 'pass:N fail:N skip:N total:N', nothing when the suite did not end
suite_line() { ktap "$1" | sed -nE "s/^# $2: (pass:[0-9]+ fail:[0-9]+ skip:[0-9]+ total:[0-9]+)\$/\1/p"; }

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
