# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The test guest: a kernel in QEMU, with tools/guest as its init. Source it after
# common.sh and, for loongarch, kernel.sh and loongarch.sh.
#
#	guest_machine imx7				# arm64 when left out
#	guest_tools
#	initramfs=$(guest_initramfs)
#	guest_boot LOG IMAGE "$initramfs" "guest.job=rebind guest.rounds=8" -smp 4 ...
#	verdict=$(guest_verdict LOG)
#
# A script that boots a guest stops it when the script itself ends:
#
#	trap guest_stop EXIT

: "${cache:?}" "${repo:?}"

# Seconds until a guest that has not powered off is stopped, and lost
guest_timeout=${guest_timeout:-300}

guest_pid=
guest_partial=

# What guest_machine sets: its name, QEMU and the machine, the package that it is in, the
# command line that it needs, and the compiler's prefix with the packages of compiler and libc
guest_name=
guest_qemu=()
guest_package=
guest_append=
guest_cross=
guest_compiler=()

# guest_cc MACHINE PREFIX ARCH: the compiler for what `uname -m` calls MACHINE, and Debian ARCH
guest_cc() {
	local triplet

	if [[ $(uname -m) == "$1" ]]; then
		guest_cross=
		guest_compiler=(gcc=gcc /usr/include/stdio.h=libc6-dev)
	else
		guest_cross=$2
		triplet=${2%-}
		guest_compiler=("${2}gcc=gcc-${triplet//_/-}"
			"/usr/$triplet/include/stdio.h=libc6-dev-$3-cross")
	fi
}

# guest_machine NAME: the machine that the guests are booted on from now on
guest_machine() {
	guest_name=$1
	case $1 in
	arm64) # with a GICv3 and its ITS
		guest_package=qemu-system-arm guest_append=console=ttyAMA0
		guest_qemu=(qemu-system-aarch64 -machine "virt,gic-version=3")
		if [[ $(uname -m) == aarch64 && -w /dev/kvm ]]; then
			guest_qemu+=(-accel kvm -cpu host)
		else
			# Faster than -cpu max, which spends its time on pointer authentication.
			guest_qemu+=(-accel tcg -cpu cortex-a57)
		fi
		guest_cc aarch64 aarch64-linux-gnu- arm64
		;;
	imx7) # with a DesignWare PCI host; QEMU wants to be told the -dtb
		guest_package=qemu-system-arm guest_append=console=ttymxc0
		guest_qemu=(qemu-system-arm -machine mcimx7d-sabre)
		guest_cc armv7l arm-linux-gnueabihf- armhf
		;;
	q35) # without interrupt remapping, unless it gets an IOMMU
		guest_package=qemu-system-x86
		# On a busy host the emulated timer can be too slow for the check, which panics then.
		guest_append='console=ttyS0 no_timer_check'
		guest_qemu=(qemu-system-x86_64 -machine q35 -accel tcg)
		guest_cc x86_64 x86_64-linux-gnu- amd64
		;;
	riscv) # with an IMSIC
		guest_package=qemu-system-misc
		# QEMU 7.2 repeats an interrupt of the UART until Linux gives it up with a warning. The early
		# console works without.
		guest_append='8250.nr_uarts=0 earlycon=uart8250,mmio,0x10000000 keep_bootcon'
		guest_qemu=(qemu-system-riscv64 -machine "virt,aia=aplic-imsic")
		guest_cc riscv64 riscv64-linux-gnu- riscv64
		;;
	loongarch) # with a PCH-MSI controller; one CPU, since the firmware starts all that there are
		guest_package=qemu-system-misc guest_append=console=ttyS0
		guest_qemu=(qemu-system-loongarch64 -machine virt -smp 1)
		guest_cross=
		guest_compiler=(clang-19=clang-19 ld.lld-19=lld-19)
		;;
	*) die "no machine '$1'; known: arm64 imx7 q35 riscv loongarch" ;;
	esac
}
guest_machine arm64

# guest_tools: install what building and booting the guest takes
guest_tools() { need make=make cpio=cpio "${guest_qemu[0]}=$guest_package" "${guest_compiler[@]}"; }

# guest_initramfs: print the path of the initramfs, built when tools/guest has changed
guest_initramfs() {
	local from=$repo/tools/guest dir work compiler=("CROSS_COMPILE=$guest_cross")

	dir=$cache/guest/$guest_name-$(sha "$from"/*.[ch] "$from"/Makefile "$repo"/scripts/lib/{guest,loongarch}.sh)
	if [[ ! -e $dir/initramfs.cpio ]]; then
		mkdir -p "$cache/guest"
		if [[ $guest_name == loongarch ]]; then
			loongarch_nolibc
			compiler=("${loongarch_make[@]}")
		fi
		work=$(mktemp -d "$cache/guest/partial.XXXXXX")
		# The kernel's default rootfs brings /dev/console, so root is not needed here.
		if ! { make -s -C "$from" "${compiler[@]}" O="$work/root" >"$work/log" 2>&1 &&
			(cd "$work/root" && find . | cpio --quiet --reproducible -R 0:0 -o -H newc) \
				>"$work/initramfs.cpio" 2>>"$work/log"; }; then
			cat "$work/log" >&2
			rm -rf "$work"
			die "cannot build the guest's init, see above"
		fi
		# Another script may have been faster: then its result is as good.
		mv -T "$work" "$dir" 2>/dev/null || rm -rf "$work"
	fi
	[[ -e $dir/initramfs.cpio ]] || die "cannot write to $cache/guest"
	echo "$dir/initramfs.cpio"
}

# guest_boot LOG IMAGE INITRAMFS APPEND [QEMU ARGUMENT...]
#
# Boots and waits until the guest has gone, whatever became of it: guest_verdict
# tells. LOG is what the guest wrote to its console, LOG.qemu what QEMU had to say.
guest_boot() {
	local log=$1 image=$2 initramfs=$3 append boot status=0

	append="$guest_append panic=-1 oops=panic printk.devkmsg=on kunit.enable=0 $4"
	shift 4
	if [[ $guest_name == loongarch ]]; then
		# Not straight into mapfile, which would not see it fail.
		boot=$(loongarch_boot "$log" "$image" "$initramfs" "$append")
		mapfile -t boot <<<"$boot"
	else
		boot=(-kernel "$image" -initrd "$initramfs" -append "$append")
	fi
	guest_partial=$log.partial
	rm -f "$log" "$log.qemu" "$guest_partial"

	# QEMU dies when timeout does, and timeout when this script does, even by SIGKILL.
	setpriv --pdeathsig TERM timeout --kill-after=5 "$guest_timeout" \
		setpriv --pdeathsig KILL "${guest_qemu[@]}" \
		-nodefaults -display none -no-reboot -m 1024 "$@" "${boot[@]}" \
		-serial "file:$guest_partial" </dev/null >"$log.qemu" 2>&1 &
	guest_pid=$!
	wait "$guest_pid" || status=$?
	guest_pid=

	if ((status == 124 || status == 137)); then
		note "the guest was stopped after $guest_timeout seconds"
	elif ((status)); then
		note "QEMU ended with status $status: $(tail -n 1 "$log.qemu")"
	fi
	[[ ! -e $guest_partial ]] || mv "$guest_partial" "$log"
	guest_partial=
}

# For an EXIT trap: no QEMU and no half a log is left behind.
guest_stop() {
	if [[ -n $guest_pid ]]; then
		kill "$guest_pid" 2>/dev/null || :
		wait "$guest_pid" 2>/dev/null || :
		guest_pid=
	fi
	[[ -z $guest_partial ]] || rm -f "$guest_partial"
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

# guest_self_test: the verdicts on tools/guest/cases, whose first line is the one to get
guest_self_test() {
	local log expected got passed=0 failed=0

	for log in "$repo"/tools/guest/cases/*.log; do
		expected=$(<"${log%.log}.expected")
		got=$(guest_verdict "$log")
		if [[ $got == "$expected" ]]; then
			passed=$((passed + 1))
		else
			failed=$((failed + 1))
			echo "not ok: $(basename "$log"): expected '$expected', got '$got'"
		fi
	done
	echo "$passed passed, $failed failed"
	((passed && !failed))
}
