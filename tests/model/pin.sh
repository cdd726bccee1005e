#!/bin/sh
# SPDX-License-Identifier: MIT
# Has spin look at every state of pin.pml, as it is and made wrong in each known way. TAP.
set -u
model=$(cd "$(dirname "$0")" && pwd)/pin.pml
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1

echo "TAP version 13"
for tool in spin cc; do
	if ! command -v $tool >/dev/null; then
		echo "1..0 # SKIP $tool is not installed"
		exit 0
	fi
done

number=0
# check NAME ERRORS [MUTANT]
check()
{
	number=$((number + 1))
	if spin ${3:+-D$3} -a "$model" >log 2>&1 && cc -O1 -w -DSAFETY -o pan pan.c >>log 2>&1 &&
		./pan -m300000 >>log 2>&1 && grep -q "errors: $2\$" log &&
		! grep -q 'max search depth too small' log; then
		echo "ok $number - $1"
	else
		sed 's/^/# /' log
		echo "not ok $number - $1"
	fi
	sed -n 's/^ *\([0-9]*\) states, stored.*/# \1 states/p' log
}

check "the protocol uses no freed value and forgets none" 0
check "without the membarrier it is refuted" 1 NO_BARRIER
check "without looking again after pinning it is refuted" 1 NO_RECHECK
check "a release that does not look is refuted" 1 BLIND
check "a failed pin that does not look is refuted" 1 FORGET
echo "1..$number"
