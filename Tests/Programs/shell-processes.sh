#!/bin/sh
# The commands that start, list, limit, signal and wait for processes.
n=0 bad=0
is() { # is NAME EXPECTED GOT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then echo "ok $n - $1"; return; fi
	bad=1
	echo "expected: $2" | sed 's/^/# /'
	echo "got: $3" | sed 's/^/# /'
	echo "not ok $n - $1"
}
# Waits until a command succeeds.
until_true() { for i in $(seq 500); do "$@" >/dev/null 2>&1 && return; usleep 10000; done; }
dir=$(mktemp -d /tmp/processes.XXXXXX) && cd "$dir" || exit 1

echo "KTAP version 1"
sleep 1000 &
sleeper=$!
# Until it has become the program, it is a shell.
until_true sh -c "grep -q sleep /proc/$sleeper/comm && grep -q '^State:.S' /proc/$sleeper/status"
is "ps" "sleep 1000" "$(ps -o pid,args | awk -v p=$sleeper '$1 == p {print $2, $3}')"
is "ps lists init" "1" "$(ps | awk '$1 == 1 {print $1}')"
is "ps tells the state" "S" "$(ps -o pid,stat | awk -v p=$sleeper '$1 == p {print substr($2, 1, 1)}')"
is "top" "yes" "$(top -b -n 1 >top.out; grep -q 'Mem:' top.out && grep -q 'CPU:' top.out && grep -q 'Load average' top.out && grep -q ' sleep 1000' top.out && echo yes)"
is "pidof" "found" "$(pidof sleep | tr ' ' '\n' | grep -qx $sleeper && echo found)"
is "proc" "sleep 1000 " "$(tr '\000' ' ' </proc/$sleeper/cmdline)"
kill -STOP $sleeper; until_true grep -q '^State:.T' /proc/$sleeper/status
is "stopped" "T" "$(ps -o pid,stat | awk -v p=$sleeper '$1 == p {print substr($2, 1, 1)}')"
kill -CONT $sleeper; until_true grep -q '^State:.S' /proc/$sleeper/status
is "continued" "S" "$(awk '/^State/ {print $2}' /proc/$sleeper/status)"
kill $sleeper; wait $sleeper 2>/dev/null
is "kill and wait" "143" "$?"
is "kill nobody" "1" "$(kill -0 $sleeper 2>/dev/null; echo $?)"
is "kill -l" "TERM" "$(kill -l 15)"

is "killall" "137" "$(sh -c 'exec sleep 2000' & p=$!; until_true pidof sleep; killall -KILL sleep; wait $p 2>/dev/null; echo $?)"
is "timeout" "143" "$(timeout 0.2 sleep 100; echo $?)"
is "timeout in time" "5" "$(timeout 100 sh -c 'exit 5'; echo $?)"
is "timeout -s KILL" "137" "$(timeout -s KILL 0.2 sleep 100; echo $?)"
is "renice" "9" "$(sleep 100 & renice -n 9 -p $! >/dev/null; awk '{print $19}' /proc/$!/stat; kill $!)"
is "hang-up ignored" "survived" "$(sh -c 'trap "" HUP; sh -c "kill -HUP \$\$; echo survived"')"
is "env" "ONLY=this" "$(env -i ONLY=this env)"
is "setsid" "leader" "$(setsid sh -c '[ "$(awk "{print \$6}" /proc/$$/stat)" = $$ ] && echo leader')"
is "xargs in parallel" "4" "$(seq 4 | xargs -n 1 -P 4 sh -c 'echo done' | wc -l)"
is "xargs tells failures" "123" "$(echo x | xargs false; echo $?)"
is "sleep" "yes" "$(a=$(date +%s); sleep 1.1; b=$(date +%s); [ $((b - a)) -ge 1 ] && echo yes)"
is "usleep" "0" "$(usleep 1000; echo $?)"
is "time" "real user sys" "$(time -p sh -c 'i=0; while [ $i -lt 100 ]; do i=$((i + 1)); done' 2>t; echo $(awk '{print $1}' t))"
is "taskset" "1" "$(taskset 1 sh -c 'awk "/Cpus_allowed:/ {print \$2}" /proc/$$/status' 2>/dev/null | sed 's/^0*//;s/.*,0*//')"
is "fifty at once" "50" "$(for i in $(seq 50); do (echo $i) & done | wc -l)"
is "chain of shells" "bottom" "$(sh -c 'sh -c "sh -c \"sh -c \\\"echo bottom\\\"\""')"
cat >orphan <<'END'
#!/bin/sh
usleep 100000
exec awk '{print $4}' /proc/self/stat
END
chmod +x orphan
is "orphans go to init" "1" "$(sh -c './orphan &')"
until_true sh -c "! ps -o stat,args | grep -q '^Z'"
is "no zombies are left" "0" "$(ps -o stat,args | grep -c '^Z')"
is "busy loops end" "0" "$(for i in 1 2 3 4; do (while :; do :; done) & p="$p $!"; done; usleep 300000; kill $p; wait 2>/dev/null; echo 0)"
is "start-stop-daemon" "stopped" "$(start-stop-daemon -S -b -m -p pid -x /bin/busybox -- sleep 3000; until_true test -s pid; start-stop-daemon -K -p pid >/dev/null; until_true sh -c '! kill -0 $(cat pid)'; kill -0 $(cat pid) 2>/dev/null || echo stopped)"
is "script runs script" "inner" "$(printf '#!/bin/sh\n./b\n' >a; printf '#!/bin/sh\necho inner\n' >b; chmod +x a b; ./a)"
is "no program" "126 127" "$(: >plain; ./plain 2>/dev/null; a=$?; ./absent 2>/dev/null; echo $a $?)"
is "ten thousand lines" "10000" "$(seq 10000 | (while read -r l; do echo $l; done) | wc -l)"

cd / && rm -rf "$dir"
echo "1..$n"
exit $bad
