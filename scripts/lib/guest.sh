# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The test guest: a kernel in QEMU, with tools/guest as its init, on a machine of tools/machines.
# Source it after common.sh and, for loongarch, kernel.sh and loongarch.sh.
#
#	guest_machine imx7				# arm64 when left out
#	guest_tools				# sets guest_missing when there is no QEMU for it
#	guest_initramfs
#	guest_boot LOG IMAGE "$initramfs" "guest.job=rebind guest.rounds=8" -smp 4 ...
#	verdict=$(guest_verdict LOG)
#
# A script that boots a guest stops it when the script itself ends:
#
#	at_exit guest_stop

: "${cache:?}" "${repo:?}" "${self:?}" "${dtb=}" "${board_append=}" "${newer_missing=}"

# Seconds until a guest that has not powered off is stopped, and lost; 0 is never
guest_timeout=${guest_timeout:-300}

# 'file', or 'stdio' for a guest that somebody talks to
guest_console='file'

guest_pid=
guest_progress=
guest_partial=

# What guest_machine sets: its name and architecture, QEMU and the machine, the package that it is in,
# the command line that it needs, and the compiler's prefix with the packages of compiler and libc
guest_name='' guest_arch=''
guest_qemu=()
guest_package='' guest_newer='' guest_append='' guest_cross='' guest_debian=''
guest_compiler=()

# table FILE FIELDS: its lines, with nothing but a bar between the fields; a line that begins with '[' has
# none. A line with more or fewer ends the script.
table() {
	[[ -r $1 ]] || die "$1 is missing"
	awk -F ' *[|] *' -v OFS='|' -v fields="$2" -v who="$self: ${1#"$repo"/}" '
		/^[ \t]*(#|$)/ { next }
		/^\[/ { print; next }
		NF != fields {
			print who ": line " NR " has " NF " fields, and not " fields >"/dev/stderr"
			exit 2
		}
		{ $1 = $1; print }' "$1" || exit
}

# guest_machine NAME: the machine that the guests are booted on from now on
guest_machine() {
	local lines known qemu compiler triplet

	lines=$(table "$repo/tools/machines" 6)
	known=$(cut -d '|' -f 1 <<<"$lines" | paste -sd ' ')
	IFS='|' read -r guest_name guest_arch qemu guest_package guest_append compiler \
		< <(awk -F '|' -v n="$1" '$1 == n' <<<"$lines") || die "no machine '$1'; known: $known"

	read -ra guest_qemu <<<"$qemu"
	guest_newer=
	if [[ $guest_package == *'>='* ]]; then
		guest_newer=1
		guest_package=${guest_package%>=*}
	fi
	if [[ -z $guest_newer && $guest_arch == arm64 && $(uname -m) == aarch64 && -w /dev/kvm ]]; then
		guest_qemu=("${guest_qemu[0]}" -accel kvm "${guest_qemu[@]:1}" -cpu host)
	fi
	read -r guest_cross guest_debian <<<"$compiler"
	triplet=${guest_cross%-}
	if [[ $guest_cross == - ]]; then
		guest_cross=
		guest_compiler=(clang-19=clang-19 ld.lld-19=lld-19)
	elif [[ ${guest_cross%%-*} == "$(uname -m)" ]]; then
		guest_cross=
		guest_compiler=(gcc=gcc /usr/include/stdio.h=libc6-dev)
	else
		guest_compiler=("${guest_cross}gcc=gcc-${triplet//_/-}"
			"/usr/$triplet/include/stdio.h=libc6-dev-$guest_debian-cross")
	fi
}
guest_machine arm64

# guest_tools: install what building and booting the guest takes, or set guest_missing to why its QEMU is not to
# be had; and set guest_program to the command that is that
guest_tools() {
	local tools=(make=make cpio=cpio "${guest_compiler[@]}")

	guest_missing='' guest_program=("${guest_qemu[0]}")
	if [[ -n $guest_newer ]]; then
		qemu_newer "${guest_qemu[0]}"
		guest_missing=$newer_missing guest_program=("${newer[@]}")
		[[ -z $guest_missing ]] || return 0
	else
		tools+=("${guest_qemu[0]}=$guest_package")
	fi
	need "${tools[@]}"
}

# cpio_of DIR: the archive of a folder
cpio_of() { (cd "$1" && find . | cpio --quiet --reproducible -R 0:0 -o -H newc); }

# guest_initramfs: set initramfs to the one for this machine, built when tools/guest or tools/msi-scan has changed
guest_initramfs() {
	local from=$repo/tools/guest scan=$repo/tools/msi-scan audit=$repo/Documentation/results/audit.txt dir partial
	local compiler=("CROSS_COMPILE=$guest_cross") scan_compiler=("CROSS_COMPILE=$guest_cross")

	dir=$cache/guest/$guest_arch-$({ "${guest_compiler[0]%%=*}" --version; cat "$from"/*.[ch] "$from"/Makefile \
		"$scan"/*.[ch] "$scan"/{Makefile,table.awk,kernels,controllers} "$audit" \
		"$repo"/scripts/lib/{guest,loongarch}.sh; } | sha)
	initramfs=$dir/initramfs.cpio
	[[ ! -e $initramfs ]] || return 0
	mkdir -p "$cache/guest" || die "cannot write to $cache"
	if [[ $guest_arch == loongarch ]]; then
		loongarch_nolibc
		compiler=("${loongarch_make[@]}") scan_compiler=("${loongarch_scan[@]}")
	fi
	partial=$(mktemp -d "$cache/guest/partial.XXXXXX")
	at_exit rm -rf "$partial"
	# The kernel's default rootfs brings /dev/console, so root is not needed here.
	if ! { make -s -C "$from" "${compiler[@]}" O="$partial/root" >"$partial/log" 2>&1 &&
		make -s -C "$scan" "${scan_compiler[@]}" O="$partial/scan" >>"$partial/log" 2>&1 &&
		mv "$partial/scan/msi-scan" "$partial/root" &&
		cpio_of "$partial/root" >"$partial/initramfs.cpio" 2>>"$partial/log"; }; then
		cat "$partial/log" >&2
		die "cannot build the guest's init, see above"
	fi
	# Another script may have been faster: then its result is as good.
	mv -T "$partial" "$dir" 2>/dev/null || rm -rf "$partial"
	[[ -e $initramfs ]] || die "cannot write to $cache/guest"
}

# guest_add DIR NAME: set initramfs to what it was, with the files of DIR in the folder NAME
guest_add() {
	local root out

	out=${initramfs%.cpio}-$2-$(basename "$1").cpio
	if [[ ! -e $out ]]; then
		root=$(mktemp -d "$cache/guest/partial.XXXXXX")
		at_exit rm -rf "$root"
		cp -r "$1" "$root/$2"
		# The kernel takes archives one after the other.
		{ cat "$initramfs" && cpio_of "$root"; } >"$out.$$" || die "cannot write to ${out%/*}"
		mv "$out.$$" "$out"
	fi
	initramfs=$out
}

# guest_busybox: set busybox to a folder with a static one for this machine, from Debian's archive
guest_busybox() {
	local source_package=busybox-static source_arch=$guest_debian source_suite dir

	[[ -n $guest_debian ]] || die "Debian has no busybox for $guest_arch"
	busybox=$cache/guest/busybox-$guest_debian
	[[ ! -e $busybox ]] || return 0
	source_suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
	dir=$(mktemp -d "$cache/guest/partial.XXXXXX")
	at_exit rm -rf "$dir"
	source_download "$dir"
	mkdir "$dir/out"
	dpkg-deb --fsys-tarfile "$dir"/busybox-static_*.deb | tar -xO ./bin/busybox >"$dir/out/busybox" ||
		die "cannot unpack busybox-static"
	chmod +x "$dir/out/busybox"
	mv -T "$dir/out" "$busybox"
}

# guest_boot LOG IMAGE INITRAMFS APPEND [QEMU ARGUMENT...]
#
# Boots and waits until the guest has gone, whatever became of it: guest_verdict
# tells. LOG is what the guest wrote to its console, LOG.qemu what QEMU had to say.
guest_boot() {
	local log=$1 image=$2 initramfs=$3 append word board='' status=0 qemu=()

	# On a busy host a CPU of the guest may stand still for a minute and more. The kernel takes 300 s at most.
	append="$guest_append panic=-1 oops=panic printk.devkmsg=on rcupdate.rcu_cpu_stall_timeout=300 kunit.enable=0 $4"
	shift 4
	for word in "${guest_qemu[@]}" -nodefaults -display none -no-reboot -m 1024 "$@"; do
		if [[ $word == @* ]]; then
			board=${word#@}
		else
			qemu+=("$word")
		fi
	done
	if [[ -n $guest_newer ]]; then
		qemu_newer "${qemu[0]}"
		[[ -z $newer_missing ]] || die "$newer_missing"
		qemu=("${newer[@]}" "${qemu[@]:1}")
	fi
	if [[ -n $board ]]; then
		board "$board" "${qemu[@]}"
		qemu+=("${board_arguments[@]}")
		append+=" $board_append"
	fi
	qemu+=(-kernel "$image" -initrd "$initramfs" -append "$append")
	if [[ $guest_console == stdio ]]; then
		"${qemu[@]}" -serial mon:stdio
		return
	fi
	guest_partial=$log.partial
	rm -f "$log" "$log.qemu" "$guest_partial"
	: >"$guest_partial"

	# QEMU dies when timeout does, and timeout when this script does, even by SIGKILL.
	setpriv --pdeathsig TERM timeout --kill-after=5 "$guest_timeout" \
		setpriv --pdeathsig KILL "${qemu[@]}" \
		-serial "file:$guest_partial" </dev/null >"$log.qemu" 2>&1 &
	guest_pid=$!
	tail --pid="$guest_pid" -n +1 -f "$guest_partial" > >(sed -nu "s/\r\?$//; s/.*# progress: /$self: /p" >&2) &
	guest_progress=$!
	wait "$guest_pid" || status=$?
	guest_pid=

	if ((status == 124 || status == 137)); then
		note "the guest was stopped after $guest_timeout seconds"
	elif ((status)); then
		note "QEMU ended with status $status: $(tail -n 1 "$log.qemu")"
	fi
	mv "$guest_partial" "$log"
	guest_partial=
	guest_stop
}

# For at_exit: no QEMU and no half a log is left behind.
guest_stop() {
	local pid

	for pid in $guest_pid $guest_progress; do
		kill "$pid" 2>/dev/null || :
		wait "$pid" 2>/dev/null || :
	done
	guest_pid='' guest_progress=''
	[[ -z $guest_partial ]] || rm -f "$guest_partial" "${guest_partial%.partial}.qemu"
	guest_partial=
}

# guest_lines LOG: the log from where the guest began, without the time stamps of the kernel log
guest_lines() {
	awk '
		{ sub(/\r$/, ""); sub(/^\[ *[0-9]+\.[0-9]+\](\[ *[TC][0-9]+\])? /, "") }
		/^# guest: / { begun = 1 }
		begun { print }
	' "$1"
}
# guest_verdict LOG: print passed, failed or lost, and why. Only a job that has returned, and
# whose results, plan and totals agree, has a verdict at all: everything else is lost.
guest_verdict() {
	if [[ ! -s $1 ]]; then
		echo "lost: no log"
		return
	fi
	guest_lines "$1" | awk '
		/^1\.\.[0-9]+$/ && !planned { planned = 1; plan = substr($0, 4) + 0 }
		/^ok [0-9]+( |$)/ { if ($2 != ++nr) order = 1; if (/ # SKIP/) skip++; else pass++ }
		/^not ok [0-9]+( |$)/ { if ($3 != ++nr) order = 1; fail++ }
		/^# Totals: / { totals = $0 }
		/^# guest: end job=/ { ended = 1 }
		/^# guest: / && !/^# guest: (begin|end) job=/ { complaint = substr($0, 10) }
		END {
			expected = sprintf("# Totals: pass:%d fail:%d skip:%d", pass, fail, skip)
			if (complaint != "")
				print "lost: " complaint
			else if (!ended)
				print "lost: the guest died after " nr + 0 " results"
			else if (!planned || !plan)
				print "lost: the guest had no plan"
			else if (nr != plan || order)
				print "lost: " nr + 0 " results in the log, " plan " were planned"
			else if (totals != expected)
				print "lost: the guest counted \"" totals "\""
			else if (fail)
				print "failed: " fail " of " plan
			else if (!pass)
				print "lost: everything was skipped"
			else
				print "passed: " pass " of " plan
		}'
}

# guest_leaks LOG: how many leaks kmemleak has found, '-' when it was not asked
guest_leaks() {
	local leaks

	leaks=$(guest_lines "$1" | sed -nE 's/^# kmemleak scans=[0-9]+ leaks=([0-9]+)$/\1/p')
	echo "${leaks:--}"
}
