# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the log of a guest of scripts/guest is worth: the result of a case, and its rows of the tables. Needs
# lib/common.sh, lib/ktap.sh and lib/guest.sh, and from scripts/guest the fields of the cases, $logs and $work.

: "${repo:?}" "${src:=}" "${logs=}" "${work=}" "${kernel=}" "${rounds=}" "${seed=}" "${guest_arch=}"
: "${cases=}" "${job=}" "${machine=}" "${config=}" "${expected=}" "${caption=}" "${images=}" "${qemu=}"

# What may not be ok on stock where it must show the bug, and how it may warn
bug_results='(rebind|vectors|soak|mix|blocks|messages) .*|failnth .*: all vectors each time'
bug_results+='|pci_msi_rebind_test .*: the (device has all of its vectors again|kernel does not complain( about it)?)'
bug_results+='|vfio_pci_irq_sweep_test .*\.msi\.[a-z]+'
bug_splats='WARN in (gicv5_)?its_msi_teardown( x[0-9]+)?'

# guest_splats LOG: its splats, as scripts/splat prints them; a log that it cannot judge ends the script
guest_splats() {
	local status=0

	"$repo/scripts/splat" "$1" || status=$?
	((status <= 1)) || exit 2
}

# guest_rows LOG: for each thing that the guest has measured 'WHAT|TRIED|SHORT|LOST|DETAIL|SPLATS'. A splat
# belongs to what is measured after it, and those that nothing follows have a row of their own. WARNs are
# named after their functions; beside them, the first line of anything else is there that is neither a part
# of them nor a program's copy of their first line.
guest_rows() {
	local splats

	splats=$(guest_splats "$1")
	awk -v log_name="$1:" '
		function names(until,   text, i, n, first, other, count, order, list) {
			for (; next_splat <= nr_splats && at[next_splat] < until; next_splat++) {
				text = splat[next_splat]
				if (first == "") first = text
				if (text ~ /^WARNING: .* at [A-Za-z0-9_.]+\+0x/) {
					sub(/^.* at /, "", text)
					sub(/\+0x.*/, "", text)
					if (!count[text]++) order[++n] = text
				} else if (other == "" && text !~ /\[ cut here \]|^[Cc]all [Tt]race:|^# .*WARNING: .* at /) {
					other = text
				}
			}
			for (i = 1; i <= n; i++)
				list = list (i > 1 ? ", " : "") "WARN in " order[i] (count[order[i]] > 1 ? " x" count[order[i]] : "")
			if (other != "" || !n) list = list (n ? ", " : "") substr(other != "" ? other : first, 1, 60)
			gsub(/[|]/, "/", list)
			return list
		}
		BEGIN { next_splat = 1 }
		{ sub(/\r$/, "") }
		input == "splats" {
			if ($0 == "") next
			$0 = substr($0, length(log_name) + 1)
			at[++nr_splats] = $0 + 0
			sub(/^[0-9]+: /, "")
			sub(/^\[ *[0-9.]+\](\[ *[TC][0-9]+\])? /, "")
			splat[nr_splats] = $0
			next
		}
		{ sub(/^\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? /, "") }
		/^# measured what=[^ ]+ tried=[0-9]+ short=[0-9]+ lost=([0-9]+|-) detail=[^ ]+$/ {
			for (i = 3; i <= NF; i++) sub(/^[a-z]+=/, "", $i)
			print $3 "|" $4 "|" $5 "|" $6 "|" $7 "|" names(FNR)
		}
		END { if (next_splat <= nr_splats) print "-|-|-|-|-|" names(FNR + 1) }
	' input=splats <(printf '%s\n' "$splats") input=log "$1"
}

# guest_excerpt LOG IMAGE: 30 lines around the first splat, or the first result that is not ok, or the last
# ones: without the general registers, so that the stack is among them, decoded where the image's vmlinux
# is there
guest_excerpt() {
	local splats line llvm='' decode=(cat)

	splats=$(guest_splats "$1")
	line=$(sed -E "1s/^.*:([0-9]+): .*/\1/;q" <<<"$splats")
	[[ -n $line ]] || line=$(search -anm 1 -E '(^|\] )not ok ' "$1" | cut -d : -f 1)
	[[ -n $line ]] || line=$(($(wc -l <"$1") - 20))
	line=$((line > 8 ? line - 7 : 1))
	if [[ -e $2.vmlinux && -e $src/scripts/decode_stacktrace.sh ]]; then
		[[ $guest_arch != loongarch ]] || llvm=-19
		decode=(env "LLVM=$llvm" "CROSS_COMPILE=$guest_cross" "$src/scripts/decode_stacktrace.sh" "$2.vmlinux")
	fi
	tail -n "+$line" "$1" | sed -E -e '/\] (x[0-9]+ ?|R[A-Z0-9]+): [0-9a-f]{16}/d' -e 's/\r//' | sed -n 1,30p | "${decode[@]}"
}

# kernel_release LOG: the version that the kernel says
kernel_release() { sed -nE 's/^.*Linux version ([0-9.]+(-rc[0-9]+)?).*/\1/p;T;q' "$1"; }

# 'JOB|CASE|VARIANT|' and what guest_rows has, or that the guest was lost
rows=()
lost=0
release='?'

# judge CASE VARIANT BESIDE: the result of one guest. BESIDE is yes when other kernels run beside it.
judge() {
	local name=$1 variant=$2 beside=$3 log=$logs/$1-${config[$1]}-$2.log verdict row what tried short bad
	local sum_tried=0 sum_short=0 measured=() splats='' problem='' counts='' wanted='' does='loses nothing'
	declare -A short_of=()

	verdict=$(guest_verdict "$log")
	if [[ $verdict == lost* ]]; then
		lost=1
		rows+=("${job[$name]}|$name|$variant|$verdict")
		not_as_it_must_be "$name" "$variant" "$verdict" "$name $variant: $verdict"
		return
	fi
	release=$(kernel_release "$log")

	into measured guest_rows "$log"
	for row in "${measured[@]}"; do
		rows+=("${job[$name]}|$name|$variant|$row")
		IFS='|' read -r what tried short _ _ bad <<<"$row"
		[[ -z $bad ]] || splats+=${splats:+, }$bad
		[[ $what != - ]] || continue
		sum_tried=$((sum_tried + tried)) sum_short=$((sum_short + short))
		short_of[$what]=$((${short_of[$what]-0} + short))
		counts+="$what $short of $tried short, "
		((tried)) || problem="there were no $what"
	done
	((sum_short == 0)) || does=loses
	if [[ ${expected[$name]} == loses* ]]; then
		wanted=${expected[$name]#loses }
		wanted=${wanted%%flags:*}
	fi
	for what in $wanted; do
		[[ -n ${short_of[$what]-} ]] || problem="$what were not measured"
	done

	if [[ $variant == stock && $beside == yes && -n $wanted ]]; then
		# It has to show the bug, and not just any failure. A machine on which nothing works does not.
		for what in $wanted; do
			((${short_of[$what]-0} > 0)) || problem="the bug does not show in $what, so this run proves nothing"
		done
		((sum_short < sum_tried)) || problem="nothing works, so this run proves nothing"
		bad=$(guest_lines "$log" | sed -nE 's/^not ok [0-9]+ //p' | search -vxE "$bug_results")
		[[ -z $bad ]] || problem="what is not the bug fails too: ${bad%%$'\n'*}"
		[[ -z $splats || $splats =~ ^$bug_splats(, $bug_splats)*$ ]] || problem="a splat that is not the bug's"
	elif ((sum_short)); then
		problem='vectors are lost'
	elif [[ $verdict != passed* ]]; then
		problem=${problem:-$verdict}
	elif [[ -n $splats ]]; then
		problem='a splat'
	elif ((${#short_of[@]} == 0)); then
		problem=${problem:-nothing was measured}
	fi

	if [[ ${expected[$name]} =~ flags:(.*) && $variant == patched ]]; then
		what=${BASH_REMATCH[1]}
		bad=$(guest_lines "$log" | sed -nE 's/^# domain device=.* free_bulk=([a-z]+)$/\1/p' | paste -sd ,)
		# debugfs of the older kernels that are kept has no names of flags.
		[[ $bad, =~ ^("$what,")+$ || ($bad, =~ ^(unnamed,)+$ && -n ${kept-}) ]] ||
			problem="the flag is on the domains $bad and not $what"
		counts+="flag on the domains: $bad, "
	fi
	# What becomes of a message is nothing that msi-scan looks for.
	[[ ${job[$name]} == messages ]] ||
		problem=${problem:-$(scan_problem "$variant" "$beside" "$wanted" "${expected[$name]}" "$log")}
	counts+="msi-scan: $(scan_verdicts "$log"), "
	bad=$(guest_lines "$log" | sed -nE 's/^ok [0-9]+ (.*) # SKIP ?(.*)/skipped: \1: \2/p')
	[[ -z $bad ]] || ktap_note "$bad"
	bad=$(guest_leaks "$log")
	[[ $bad == - ]] || counts+="leaks: $bad, "
	counts="$name $variant $does: ${counts%, }; ${splats:-no splat}; $verdict"
	if [[ -n $problem ]]; then
		not_as_it_must_be "$name" "$variant" "$problem" "$counts"
	else
		ktap_ok "$counts"
	fi
}

# scan_verdicts LOG: what tools/msi-scan has said of the guest, before the job, in it and after it, each once
scan_verdicts() {
	guest_lines "$1" | sed -nE 's/^# scan when=[a-z]+ verdict=([a-z-]+)$/\1/p' | awk '!seen[$1]++' | paste -sd ' '
}

# scan_problem VARIANT BESIDE WANTED EXPECTED LOG: what is wrong with that. Stock is affected at some time
# where it has to show the bug, and never where no domain has the flag; the series is not affected.
scan_problem() {
	local said

	said=$(scan_verdicts "$5")
	if [[ $1 == patched || ($1 == stock && $4 == same*flags:no* && $4 != *yes*) ]]; then
		[[ $said == not-affected ]] || echo "msi-scan says '$said' and not 'not-affected'"
	elif [[ $1 == stock && $2 == yes && -n $3 ]]; then
		[[ " $said " == *' affected '* ]] || echo "msi-scan says '$said' and never 'affected'"
	fi
}

# alone CASE VARIANT...: the command that runs this case on these kernels
alone() {
	local options=() name word

	[[ -z ${kept-} ]] || options+=(--linux "$kept")
	[[ -z $kernel ]] || options+=(--kernel "$kernel")
	[[ -z $rounds ]] || options+=(--rounds "$rounds")
	[[ ${job[$1]} != soak ]] || options+=(--seed "$seed")
	for name in "${@:2}"; do
		if [[ -n ${given_image[$name]-} ]]; then
			options+=(--image "$name=${given_image[$name]}")
		else
			options+=(--variant "$name")
		fi
	done
	options+=("$1")
	((${#qemu[@]} == 0)) || options+=(-- "${qemu[@]}")
	printf 'alone: scripts/guest'
	for word in "${options[@]}"; do
		[[ $word =~ ^[A-Za-z0-9_,.:=/@%+-]+$ ]] || word=${word@Q}
		printf ' %s' "$word"
	done
	echo
}

# not_as_it_must_be CASE VARIANT PROBLEM WORDS: what there is to see, and then the result
not_as_it_must_be() {
	local log=$logs/$1-${config[$1]}-$2.log kernels=("$2")

	guest_machine "${machine[$1]}"
	# Stock is judged in another way when nothing is beside it.
	[[ $2 != stock ]] || into kernels variants_of "$1"
	if [[ -s $log ]]; then
		guest_excerpt "$log" "${images[$1 $2]}" >"$work/excerpt"
		ktap_note "$(<"$work/excerpt")"
	fi
	ktap_note "$1 $2: $3"
	ktap_note "the log: $log"
	ktap_note "$(alone "$1" "${kernels[@]}")"
	ktap_not_ok "$4"
}

# compared LOG: what has to be the same on all kernels. A keyboard has two drivers, and pci_msi_rebind_test
# names the one that it comes upon first. sysfs has no order but that of the hashes of names, and the name of
# a HID device ends with its number: which one it is depends on which keyboard was found first.
compared() {
	guest_lines "$1" | search -E '^(# device |# measured |ok |not ok )' |
		sed -E 's/ seems to be in use \(driver (hid-generic|usbhid)\);/ seems to be in use (a keyboard);/'
}

# compare CASE VARIANT...: whether the others do what the first does. Of one that is lost, nobody knows.
compare() {
	local name=$1 first=$2 variant log verdict missing='' different=''

	for variant in "${@:2}"; do
		log=$logs/$name-${config[$name]}-$variant.log
		verdict=$(guest_verdict "$log")
		if [[ $verdict == lost* ]]; then missing+=" $variant"; else compared "$log" >"$work/$variant.said"; fi
	done
	if [[ -z $missing ]]; then
		for variant in "${@:3}"; do
			diff --label "$first" --label "$variant" -u0 "$work/$first.said" "$work/$variant.said" >"$work/diff" ||
				{ different+=" $variant"; ktap_note "$(<"$work/diff")"; }
		done
	fi
	[[ -z $missing$different ]] || ktap_note "$(alone "$@")"
	if [[ -n $missing ]]; then
		ktap_not_ok "$name: nothing to compare, lost:$missing"
	elif [[ -n $different ]]; then
		ktap_not_ok "$name:$different does not do what $first does"
	else
		ktap_ok "$name: ${*:3} does what $first does"
	fi
}

# cost_lines LOG: 'WHAT N ALLOC FREE' of what a guest has measured with a clock that counts instructions
cost_lines() {
	search -aoE 'cost what=[a-z]+ n=[0-9]+ alloc=[0-9]+ free=[0-9]+ blocks=[0-9]+' "$1" |
		awk '{ for (i = 2; i <= NF; i++) sub(/^[a-z]+=/, "", $i); print $2, $3, $4 / $6, $5 / $6 }'
}

# left_lines LOG: 'N ROUND EVENTS', what was left of an event map
left_lines() { search -aoE 'left n=[0-9]+ round=[0-9]+ events=[0-9]+' "$1" | sed -E 's/left n=| round| events//g; s/=/ /g'; }

# costs CASE FIRST SECOND: whether the second takes no more of the first than the case says, in percent:
# WHAT[-alloc | -free][-N]=MOST, for each number N of vectors when none is named. And the tables.
costs() {
	local name=$1 first=$logs/$1-${config[$1]}-$2.log second=$logs/$1-${config[$1]}-$3.log list word line

	cost_lines "$first" >"$work/first"
	cost_lines "$second" >"$work/second"
	awk -v first="$2" -v second="$3" '
		NR == FNR { alloc[$1, $2] = $3; free[$1, $2] = $4; next }
		$1 != what {
			what = $1
			printf "\nInstructions for N vectors, %s\n\n", what
			printf "%2s  %22s  %22s  %6s\n", "N", "alloc " first "/" second, "free " first "/" second, "both %"
		}
		($1, $2) in alloc {
			printf "%2d  %10d %11d  %10d %11d  %6.2f\n", $2, alloc[$1, $2], $3, free[$1, $2], $4,
				100 * ($3 + $4) / (alloc[$1, $2] + free[$1, $2])
		}' "$work/first" "$work/second" >"$work/note"
	ktap_note "$(<"$work/note")"
	{ left_lines "$first" && left_lines "$second"; } >"$work/left"
	awk -v first="$2" -v second="$3" '
		!(($1, $2) in left) { left[$1, $2] = $3; rounds = $2; if (!seen[$1]++) number[++n] = $1; next }
		{ other[$1, $2] = $3 }
		END {
			if (!n) exit
			printf "\nEvents left of %d after N vectors came and went so many times, %s and %s\n\n  ", left[number[1], 0], first, second
			for (i = 1; i <= 2 * n; i++) printf "  N = %2d", number[(i - 1) % n + 1]
			for (round = 0; round <= rounds; round++) {
				printf "\n%2d", round
				for (i = 1; i <= n; i++) printf "  %6d", left[number[i], round]
				for (i = 1; i <= n; i++) printf "  %6d", other[number[i], round]
			}
			print ""
		}' "$work/left" >"$work/note"
	ktap_note "$(<"$work/note")"
	read -ra list <<<"${expected[$name]#costs }"
	for word in "${list[@]}"; do
		line=$(awk -v bound="$word" '
			BEGIN {
				most = part[split(bound, part, "=")]
				n = split(part[1], name, "-")
				for (i = 2; i <= n; i++) if (name[i] ~ /^[0-9]+$/) only = name[i]; else which = name[i]
			}
			function cost() { return which == "alloc" ? $3 : which == "free" ? $4 : $3 + $4 }
			$1 != name[1] || only && $2 != only { next }
			NR == FNR { from[$2] = cost(); next }
			from[$2] && (!nr++ || 100 * cost() / from[$2] > worst) { worst = 100 * cost() / from[$2]; at = $2 }
			END {
				printf "%s %d of them, at most %.2f %% (N = %d), and no more than %s %%\n",
					nr && worst <= most ? "ok" : "not-ok", nr, worst, at, most
			}' "$work/first" "$work/second")
		if [[ $line == ok* ]]; then
			ktap_ok "$name: $3 against $2, ${word%=*}: ${line#ok }"
		else
			ktap_note "$(alone "$name" "$2" "$3")"
			ktap_not_ok "$name: $3 against $2, ${word%=*}: ${line#not-ok }"
		fi
	done
}

# tables: what was measured, a table for each job. The details have columns of their own.
tables() {
	local name seen=' '

	for name in "${cases[@]}"; do
		[[ $seen != *" ${job[$name]} "* ]] || continue
		seen+="${job[$name]} "
		printf '\nLinux %s, %s: %s\n\n' "$release" "${job[$name]}" "${caption[${job[$name]}]}"
		printf '%s\n' "${rows[@]}" | awk -F '|' -v job="${job[$name]}" '
			function cell(row, col, text) {
				text_of[row, col] = text == "" ? "-" : text
				if (length(text_of[row, col]) > width[col]) width[col] = length(text_of[row, col])
				if (row && text_of[row, col] !~ /^[0-9-]+$/) words[col] = 1
			}
			$1 == job {
				nr++
				cell(nr, "case", $2); cell(nr, "kernel", $3)
				if (NF == 4) { lost[nr] = $4; next }
				cell(nr, "what", $4); cell(nr, "tried", $5); cell(nr, "short", $6); cell(nr, "lost", $7)
				n = split($8, details, ",")
				for (i = 1; i <= n; i++) {
					key = details[i]
					sub(/:.*/, "", key)
					if (key == "-") continue
					if (!(key in known)) { known[key] = 1; order[++nr_keys] = key }
					value = substr(details[i], length(key) + 2)
					gsub(/_/, " ", value)
					cell(nr, key, value)
				}
				splats[nr] = $9 == "" ? "none" : $9
			}
			END {
				nr_cols = split("case kernel what tried short lost", cols, " ")
				for (i = 1; i <= nr_keys; i++) cols[++nr_cols] = order[i]
				for (i = 1; i <= nr_cols; i++) cell(0, cols[i], cols[i])
				for (row = 0; row <= nr; row++) {
					line = ""
					for (i = 1; i <= nr_cols; i++) {
						col = cols[i]
						if (row in lost && i == 3) break
						text = (row, col) in text_of ? text_of[row, col] : "-"
						line = line (i > 1 ? "  " : "") sprintf(words[col] ? "%-*s" : "%*s", width[col], text)
					}
					print line "  " (row in lost ? lost[row] : row ? splats[row] : "splats")
				}
			}'
	done
}
