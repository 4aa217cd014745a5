# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What scripts/audit does with the files of a kernel tree: the semantic patch looks at
# them, and with the tables in tools/audit each irq_domain_ops gets its class. Needs
# lib/common.sh, and the temporary folder $work and the number $jobs of scripts/audit.

: "${repo:?}" "${work:=}" "${jobs:=1}"

cocci=$repo/tools/coccinelle/irq_domain_free_bulk.cocci

# run_spatch MODE FILE...: what the semantic patch reports, sorted. The files are those of the
# current folder, so that their names come out as they went in.
run_spatch() {
	local mode=$1 status=0

	printf '%s\n\n' "${@:2}" >"$work/groups"
	# It wants a HOME, and does nothing there.
	HOME=${HOME:-$work} nice spatch --very-quiet -D "$mode" --no-show-diff --cocci-file "$cocci" --no-includes \
		--file-groups "$work/groups" --jobs "$jobs" --chunksize 1 --timeout 300 \
		--tmp-dir "$work/spatch" >"$work/found" 2>"$work/errors" || status=$?
	# Its exit code is 0 too when it gives up on one file, but then it says so.
	if ((status)) || [[ -s $work/errors ]]; then
		cat "$work/errors" >&2
		die "spatch failed, see above"
	fi
	sort "$work/found"
}

# initialized FILE...: 'FILE OPS' of the operations with a .free() callback that plain text shows
initialized() {
	awk '/struct irq_domain_ops [a-z0-9_]+[ \t]*=[ \t]*{/ {
			match($0, /irq_domain_ops [a-z0-9_]+/)
			ops = substr($0, RSTART + 15, RLENGTH - 15)
		}
		ops && /\.free[ \t]*=/ { print FILENAME, ops }
		/}/ { ops = "" }' "$@"
}

# for_linux VERSION TABLE: those lines of it that hold for this kernel. The third word of a line may say for
# which ones it does: [6.1] for this one, [6.1-6.12] and what is between, [-6.1] up to it, [7.2-] from it on.
for_linux() {
	awk -v version="$1" '
		function number(of, part) { split(of, part, "."); return part[1] * 1000 + part[2] }
		$3 ~ /^\[/ {
			if ($3 !~ /^\[[0-9]+\.[0-9]+(-([0-9]+\.[0-9]+)?)?\]$/ && $3 !~ /^\[-[0-9]+\.[0-9]+\]$/) {
				print FILENAME ": malformed: " $0 >"/dev/stderr"
				exit 1
			}
			n = split(substr($3, 2, length($3) - 2), end, "-")
			if (end[1] != "" && number(version) < number(end[1])) next
			if (end[n] != "" && number(version) > number(end[n])) next
			sub(/ +\[[^\]]*\]/, "")
		}
		{ print }' "$2" || die "cannot read $2"
}

# survey TREE: the report for all its files that are of interest, without those of tests, in $work/report, and
# in $work/multi which of them have Multi-MSI, in $work/assigned which of them give a domain its parent after
# it was created, so that it inherits nothing
survey() {
	local files missed

	cd "$1" || die "cannot enter $1"
	grep -rlE --include='*.c' --exclude-dir=tests --exclude-dir=.git irq_domain_ops . |
		xargs -r -d '\n' grep -lE '(\.|->)(alloc|free)[[:space:]]*=' |
		sed 's,^\./,,' | sort >"$work/files" || die "no irq_domain_ops in $1"
	mapfile -t files <"$work/files"
	note "looking at ${#files[@]} files"
	run_spatch report "${files[@]}" >"$work/report"
	sed -E 's/^([^:]*):[^ ]* ([^ ]*):.*/\1 \2/' "$work/report" | sort >"$work/reported"
	initialized "${files[@]}" | sort >"$work/initialized"
	missed=$(comm -23 "$work/initialized" "$work/reported")
	[[ -z $missed ]] || die "spatch did not see: ${missed//$'\n'/, }"
	search -lF MSI_FLAG_MULTI_PCI_MSI "${files[@]}" >"$work/multi"
	search -lE 'domain->parent = ' "${files[@]}" >"$work/assigned"
}

# classify REPORT VERDICTS MULTI PARENTS ASSIGNED: 'CLASS<tab>REASON<tab>SEEN<tab>FILE<tab>OPS', a line
# for each of the operations. MULTI lists the files that have MSI_FLAG_MULTI_PCI_MSI, ASSIGNED those that
# assign the parent of a domain. Classes: needs, has, right, never, wrong (left alone, says a verdict), repair,
# unclassified.
classify() {
	local file

	# Where awk reads them itself, a file that is not there would be an empty one.
	for file; do [[ -r $file ]] || die "cannot read $file"; done
	awk -v OFS='\t' -v report="$1" -v multi="$3" -v parents="$4" -v assigned="$5" '
		function put(class, reason) { print class, reason, seen, file, ops }
		# What is wrong with what these operations stand on, or nothing. They do what is said.
		function below(key, does,   name, n, i) {
			if (!(key in stands_on))
				return "unclassified\tIt " does " its parent, and has no line in tools/audit/parents."
			n = split(stands_on[key], name, " ")
			for (i = 1; i <= n; i++) {
				if (name[i] == "-") continue
				if (!(name[i] in has_flag))
					return "unclassified\tIt " does " " name[i] ", which is not there."
				if (has_flag[name[i]])
					return "repair\tIt " does " " name[i] ", which frees in bulk."
			}
		}
		BEGIN {
			while ((getline line <multi) > 0) has_multi[line] = 1
			while ((getline line <assigned) > 0) assigns[line] = 1
			while ((getline line <report) > 0) {
				split(line, word, " ")
				sub(/:.*/, "", word[1])
				sub(/:$/, "", word[2])
				has_flag[word[1] ":" word[2]] = word[4] == "flag"
			}
			while ((getline line <parents) > 0) {
				if (line !~ /^[^# ]+ +[^ ]+ +[^ ]/) continue
				split(line, word, " ")
				sub(/^[^ ]+ +[^ ]+ +/, "", line)
				stands_on[word[1] " " word[2]] = line
			}
		}
		FILENAME == ARGV[1] {
			if (/^#/ || NF == 0) next
			key = $1 " " $2
			if (key in verdict) print "unclassified", "It has more than one verdict.", $3, $1, $2
			if (NF < 5 || $4 !~ /^(right|single|never|wrong)$/) {
				print "unclassified", "The line of its verdict is malformed.", $3, $1, $2
				next
			}
			said_of[key] = $3
			verdict[key] = $4
			reason = $0
			sub(/^([^ ]+ +)([^ ]+ +)([^ ]+ +)([^ ]+ +)/, "", reason)
			why[key] = reason
			next
		}
		{
			file = $1
			sub(/:.*/, "", file)
			ops = $2
			sub(/:$/, "", ops)
			seen = $3
			flag = $4 == "flag"
			split(seen, word, "/")
			key = file " " ops
			singly = $NF == "singly" && !(key in verdict && verdict[key] == "single")
			found[key] = 1
			# What inherits nothing frees one by one, too.
			does = singly ? "allocates one by one from" : file in assigns ? "may not inherit from" : ""
			if (does) checked[key] = 1
			if (seen ~ /unparsed/)
				put("unclassified", "The semantic patch cannot tell, the code is not understood.")
			else if (does && (problem = below(key, does))) {
				split(problem, part, "\t")
				put(part[1], part[2])
			} else if (key in verdict && flag)
				put("repair", "It sets the flag, against its verdict: " why[key])
			else if (key in verdict && said_of[key] != seen)
				put("unclassified", "Its verdict was given when it was " said_of[key] ".")
			else if (key in verdict && verdict[key] == "single" && file in has_multi)
				put("unclassified", "Its verdict says that nr_irqs is 1, but the file has MSI_FLAG_MULTI_PCI_MSI.")
			else if (key in verdict)
				put(verdict[key] == "single" ? "right" : verdict[key], why[key])
			else if (flag && seen == "order/order")
				put("has", "It reserves and releases a block by order.")
			else if (flag)
				put("repair", "It sets the flag, but does not reserve and release by order.")
			else if (seen == "order/order")
				put("needs", "It reserves and releases a block by order, and loses what is behind nr_irqs.")
			else if (word[1] ~ /^(order|down|aligned|rounded)$/ || word[2] ~ /^(order|down|kept)$/)
				put("repair", "It does not release what it reserves, or reserves too little.")
			else if (word[1] == "refuses")
				put("right", ".alloc() refuses more than one interrupt.")
			else if (word[2] == "empty")
				put("right", ".free() is empty.")
			else if (word[2] == "core" && word[1] ~ /^(each|first|warns)$/)
				put("right", "It reserves no block, and .free() is a function of the core.")
			else
				put("unclassified", "No verdict in tools/audit/verdicts.")
		}
		END {
			for (key in verdict) {
				if (key in found) continue
				split(key, name, " ")
				print "unclassified", "It has a verdict, but is not there.", said_of[key], name[1], name[2]
			}
			for (key in stands_on) {
				if (key in checked) continue
				split(key, name, " ")
				print "unclassified", "It has a line in tools/audit/parents, and needs none.", "-/-", name[1], name[2]
			}
		}' "$2" "$1" | sort
}

# count CLASS CLASSIFIED
count() { search -c "^$1"$'\t' "$2"; }

# show CLASSIFIED: the table of those classes that it has
show() {
	local class title unknown

	unknown=$(search -vE $'^(needs|repair|unclassified|has|right|never|wrong)\t' "$1")
	[[ -z $unknown ]] || die "no class: $unknown"
	while read -r class title; do
		[[ $(count "$class" "$1") != 0 ]] || continue
		printf '%s: %d\n' "$title" "$(count "$class" "$1")"
		awk -F '\t' -v class="$class" '
			# At most 86 columns
			function fold(text,   line, n, i, part) {
				n = split(text, part, " ")
				line = " "
				for (i = 1; i <= n; i++) {
					if (length(line) + length(part[i]) >= 86) { print line; line = " " }
					line = line " " part[i]
				}
				print line
			}
			$1 != class { next }
			$2 != reason { print ""; fold($2); reason = $2 }
			{ printf "%-13s %s: %s\n", $3, $4, $5 }' "$1"
		echo
	done <<-'END'
		needs needs IRQ_DOMAIN_FREE_BULK
		repair needs a repair
		unclassified unclassified
		has has IRQ_DOMAIN_FREE_BULK
		right right as it is
		never right one by one, must never have IRQ_DOMAIN_FREE_BULK
		wrong wrong in another way, and left alone
	END
}
