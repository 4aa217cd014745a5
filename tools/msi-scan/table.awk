# SPDX-License-Identifier: GPL-2.0
#
# awk -f table.awk kernels controllers ../../Documentation/results/audit.txt: the tables for the compiler,
# with the verdicts of the audit. Fails when these three do not fit together.

function wrong(why) { print "table.awk: " why >"/dev/stderr"; bad = 1; exit 1 }
function quote(text) { gsub(/["\\]/, "\\\\&", text); return "\"" text "\"" }

FNR == 1 { file++ }

file == 1 {
	if (/^#/ || NF == 0) next
	if (!/^[0-9]+(\.[0-9]+)+$/) wrong("'" $0 "' is no release")
	n = split($0 ".0.0", part, ".")
	since[++nr_since] = "{ " part[1] ", " part[2] ", " part[3] " }"
	next
}

file == 2 {
	if (/^#/ || NF == 0) next
	if (split($0, field, / *[|] */) != 8) wrong("'" $0 "' has not eight fields")
	if (split(field[1], part, " ") != 2) wrong("'" field[1] "' is no FILE OPS")
	if (field[7] !~ /^(tail|align|overlap|-)$/) wrong(field[1] " loses '" field[7] "'")
	line[++nr] = $0
	next
}

# What scripts/audit has printed: stock's needs and repairs, and all of patched
/^# linux-source-[0-9.]+ / {
	audited = $3
	sub(/[^0-9.].*/, "", audited)
}
/^# (stock|patched):$/ { tree = $2 }
/^# [a-zA-Z].*: [0-9]+$/ { class = $0; sub(/^# /, "", class); sub(/: [0-9]+$/, "", class); reason = "" }
/^#$/ { reason = "" }
/^#   [^ ]/ { text = $0; sub(/^#   /, "", text); reason = reason (reason == "" ? "" : " ") text }
/^# [a-z]+\/[a-z]+ +[^ ]+: [^ ]+$/ {
	key = $3 " " $4
	sub(/:/, "", key)
	if (tree == "stock:") leaks[key] = class
	else if (!(key in leaks)) right[key] = reason
}

END {
	if (bad) exit 1
	if (audited !~ /^[0-9]+\.[0-9]+\.[0-9]+$/) wrong("the audit does not say which release it looked at")
	split(audited, part, ".")
	print "/* Made by table.awk; not to be edited */"
	print "static const struct release audited = { " part[1] ", " part[2] ", " part[3] " };"
	print "static const struct release since[] = {"
	for (i = 1; i <= nr_since; i++) print "\t" since[i] ","
	print "};"
	print "static const struct controller controllers[] = {"
	for (i = 1; i <= nr; i++) {
		split(line[i], field, / *[|] */)
		key = field[1]
		known[key] = 1
		if (!(key in leaks) && !(key in right)) wrong("the audit does not know " key)
		if ((key in leaks) != (field[7] != "-")) wrong("the audit is of another opinion on " key ": " leaks[key] right[key])
		print "\t{ " quote(field[8]) ", " quote(key) ", " quote(field[2]) ", " quote(field[3]) ", " \
			quote(field[4]) ", " quote(field[5]) ", " quote(field[6]) ", " \
			(field[7] == "-" ? "LOSES_NOTHING" : "LOSES_" toupper(field[7])) ",\n\t  " quote(right[key]) " },"
	}
	print "};"
	for (key in leaks)
		if (!(key in known)) wrong("controllers has no line for " key)
}
