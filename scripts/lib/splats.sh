# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Splats for a table. Needs lib/common.sh.

: "${repo:?}"

# splat_names LOG: the splats of a log in a few words, nothing when there are none. A WARN is named
# after its function, everything else by its first line.
splat_names() {
	local found status=0

	found=$("$repo/scripts/splat" "$1") || status=$?
	((status <= 1)) || exit 2
	((status)) || return 0
	found=$(sed -e 's/^.*:[0-9]*: //' -e 's/^\[ *[0-9.]*\]\(\[ *[TC][0-9]*\]\)\? //' <<<"$found")
	sed -n 's/^WARNING: .* at \([A-Za-z0-9_.]*\)+0x.*/WARN in \1/p' <<<"$found" | sort | uniq -c |
		awk '{ n = $1; $1 = ""; printf "%s%s%s", sep, substr($0, 2), (n > 1 ? " x" n : ""); sep = ", " }'
	grep -q '^WARNING: .* at [A-Za-z0-9_.]*+0x' <<<"$found" || head -n 1 <<<"$found" | cut -c1-60
}

# kernel_release LOG: the version that the kernel says
kernel_release() { sed -nE 's/^.*Linux version ([0-9.]+(-rc[0-9]+)?).*/\1/p;T;q' "$1"; }
