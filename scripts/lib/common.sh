# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What every script of this repo shares: words to the user, the cache folder,
# packages, locking. Source it; it sets the shell options too.
#
# Exit codes, the same in every script:
#   0  done, and everything that was checked holds
#   1  a check or a test failed
#   2  could not be done: bad arguments, a missing tool, no space, no network
#   130, 143  interrupted, terminated
# A run that could not be judged is never reported as 0.

set -euo pipefail
shopt -s inherit_errexit

# Where cd looks, and the tree whose hook or rebase runs the script, are not meant for it.
unset CDPATH GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE GIT_COMMON_DIR GIT_OBJECT_DIRECTORY GIT_PREFIX GIT_NOTES_REF

self=$(basename "$(readlink -f "$0")")
repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Bash knows the home folder of the user also where HOME is not set.
cache=${XDG_CACHE_HOME:-~/.cache}/irq-free-bulk
series=$repo/series
patches=$repo/patches

# Kernel builds and kernel logs must not depend on the user's language.
export LC_ALL=C

note() { printf '%s: %s\n' "$self" "$*" >&2; }
die() { note "$*"; exit 2; }
fail() { note "$*"; exit 1; }

# at_exit COMMAND...: have it run when the script, or the subshell, ends, however it ends, before what was
# given earlier
at_exit() {
	# A subshell does not do what its parent will do.
	[[ ${on_exit_of-} == "$BASHPID" ]] || on_exit_of=$BASHPID on_exit=:
	on_exit="$(printf '%q ' "$@"); $on_exit"
	# One that fails keeps none from what is left to do, and changes no exit code.
	# shellcheck disable=SC2064 # what it is now
	trap "set +e; $on_exit" EXIT
}
trap 'exit 130' INT
trap 'exit 143' TERM

# work_folder: set work to a new folder that does not outlive the script
work_folder() {
	work=$(mktemp -d) || die "cannot write to ${TMPDIR:-/tmp}"
	at_exit rm -rf "$work"
}

# supervise COMMAND...: run it, and stop it with all that it has started when the script is told to end.
# Bash would otherwise wait for the command before it looks at the signal. (What is said then goes where
# the output of supervise goes.)
supervised=
at_exit stop_supervised
supervise() {
	local status=0

	# A subshell is in a group that will be stopped, and out of another it would have to stop itself.
	[[ $BASHPID == "$$" ]] || { "$@" </dev/null; return; }
	# Job control gives the command a process group of its own.
	set -m
	"$@" </dev/null &
	set +m
	supervised=$!
	wait "$supervised" || status=$?
	supervised=
	return $status
}
stop_supervised() {
	local groups group

	# Also what has begun a moment ago, and is not in supervised yet
	into groups jobs -pr
	for group in $supervised "${groups[@]}"; do
		! kill -TERM -- "-$group" 2>/dev/null || wait "$group" 2>/dev/null || :
	done
	supervised=
}

# The comment at the head of a script, after the SPDX line, is its --help.
usage() { awk 'NR > 2 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"; }

# For the case of an option that the script does not know.
bad_argument() { die "unknown argument '$1'; see scripts/$self --help"; }

# need_value OPTION [VALUE...]: die when an option came without its value
need_value() { [[ $# -ge 2 && -n $2 ]] || die "$1 needs a value; see scripts/$self --help"; }

make_cache() {
	[[ $cache != *[[:space:]:]* ]] ||
		die "no kernel builds in a folder with a space or a colon in its path, as $cache; set XDG_CACHE_HOME to another"
	mkdir -p "$cache" || die "cannot write to $cache"
}

# need TOOL=PACKAGE...: install the packages of those tools that are missing. TOOL is the name of
# a command, or the absolute path of a file (a header). Without root, say what to type and stop.
need() {
	local pair missing=()

	for pair in "$@"; do
		case $pair in
		/*) [[ -e ${pair%%=*} ]] || missing+=("${pair#*=}") ;;
		*) command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}") ;;
		esac
	done
	[[ ${#missing[@]} -gt 0 ]] || return 0

	if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
		die "missing tools; run: sudo apt-get install --no-install-recommends ${missing[*]}"
	fi
	note "installing ${missing[*]}"
	make_cache
	(
		# Two scripts that start together must not fight for dpkg's lock.
		flock 9
		export DEBIAN_FRONTEND=noninteractive
		apt-get install -qq -y --no-install-recommends "${missing[@]}" >"$cache/apt.log" 2>&1 ||
			{ apt-get update -qq >>"$cache/apt.log" 2>&1 &&
				apt-get install -qq -y --no-install-recommends "${missing[@]}" \
					>>"$cache/apt.log" 2>&1; }
	) 9>"$cache/apt.lock" || die "cannot install ${missing[*]}; see $cache/apt.log"
}

# What scripts/fetch takes. Who fetches later names them with what else is missing, so that a user
# who is not root has one command to type.
fetch_tools=(git=git xz=xz-utils
	/usr/share/keyrings/debian-archive-keyring.gpg=debian-archive-keyring)

# lock NAME: hold $cache/NAME.lock until as many times unlock NAME, or until the script ends. A subshell
# would let go of it at its own end: never within $( ).
declare -A lock_fd=() lock_depth=()
lock() {
	local fd

	lock_depth[$1]=$((${lock_depth[$1]-0} + 1))
	((lock_depth[$1] == 1)) || return 0
	make_cache
	exec {fd}>"$cache/$1.lock" || die "cannot write to $cache"
	lock_fd[$1]=$fd
	flock -n "$fd" && return
	note "waiting for another run that uses $1"
	supervise flock "$fd"
}
unlock() {
	local fd=${lock_fd[$1]}

	lock_depth[$1]=$((lock_depth[$1] - 1))
	((lock_depth[$1] == 0)) || return 0
	exec {fd}>&-
}

# search GREP-ARGUMENT...: grep for which it is no failure to find nothing, and which ends the script when
# it could not search: a missing file, or a broken expression, does not read as "nothing found"
search() {
	local status=0

	grep "$@" || status=$?
	((status < 2)) || die "cannot search: grep $*"
}

# into ARRAY COMMAND...: put the lines that COMMAND prints into ARRAY. Unlike mapfile < <(COMMAND), and
# while read < <(COMMAND), it fails when COMMAND does.
into() {
	local -n into_array=$1
	local into_text into_status

	# Not '|| return': what is on the left of that does not end at a command that fails. Where errexit is off,
	# as below 'supervise f ||', the caller has to look.
	into_text=$("${@:2}")
	into_status=$?
	((into_status == 0)) || return $into_status
	into_array=()
	[[ -z $into_text ]] || mapfile -t into_array <<<"$into_text"
}

# sha FILE...: one hash of the contents
sha() { cat "$@" | sha256sum | cut -c1-16; }
