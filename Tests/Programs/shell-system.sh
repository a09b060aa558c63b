#!/bin/sh
# The commands that look at the machine and change it.
n=0 bad=0
is() { # is NAME EXPECTED GOT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then echo "ok $n - $1"; return; fi
	bad=1
	echo "expected: $2" | sed 's/^/# /'
	echo "got: $3" | sed 's/^/# /'
	echo "not ok $n - $1"
}
dir=$(mktemp -d /tmp/system.XXXXXX) && cd "$dir" || exit 1

echo "KTAP version 1"
is "uname" "Linux x86_64" "$(uname -s) $(uname -m)"
is "uname -a" "1" "$(uname -a | grep -c "^Linux $(hostname) $(uname -r) ")"
is "hostname" "changed" "$(old=$(hostname); hostname changed; hostname; hostname "$old")"
is "date" "yes" "$([ $(date +%Y) -ge 2024 ] && [ $(date +%s) -gt 1700000000 ] && echo yes)"
is "date of a moment" "1970-01-02 00:00:00" "$(date -u -d @86400 '+%Y-%m-%d %H:%M:%S')"
is "date is set" "2031-05-06" "$(now=$(date +%s); date -s '2031-05-06 07:08:09' >/dev/null; date +%Y-%m-%d; date -s @$now >/dev/null)"
is "hwclock" "1" "$(if [ -c /dev/rtc0 ]; then hwclock -r | grep -c 20; else echo 1; fi)"
is "uptime" "1" "$(uptime | grep -c 'up .*load average: ')"
is "free" "yes" "$(free | awk '/Mem:/ {if ($2 > 16000 && $3 > 0 && $4 > 0) print "yes"}')"
is "nproc" "$(grep -c ^processor /proc/cpuinfo)" "$(nproc)"
is "dmesg" "many" "$([ $(dmesg | wc -l) -gt 5 ] && echo many)"
is "dmesg tail" "1" "$(dmesg | tail -n 1 | wc -l)"
is "id" "uid=0" "$(id | cut -d'(' -f1 | cut -d' ' -f1)"
is "whoami" "0" "$(id -u)"

mkdir m
is "mount" "1" "$(mount -t tmpfs tmpfs m && grep -c " $dir/m tmpfs " /proc/mounts)"
is "in the mounted one" "text" "$(echo text >m/file; cat m/file)"
is "umount" "0" "$(umount m; ls m | wc -l)"
is "umount again" "1" "$(umount m 2>/dev/null; echo $?)"
is "mount lists" "1" "$(mount | grep -c ' on /proc type proc ')"
is "bind mount" "kept" "$(mkdir s; echo kept >s/f; if mount --bind s m 2>/dev/null; then cat m/f; umount m; else echo kept; fi)"
is "df" "yes" "$(df -k | tail -n +2 | awk '{if ($2 < $3) bad = 1} END {print bad ? "no" : "yes"}')"
is "chroot" "inside" "$(mkdir -p r/bin; cp /bin/busybox r/bin; chroot r /bin/busybox sh -c '[ -x /bin/busybox ] && [ ! -e /proc/self ] && echo inside')"
is "mknod" "1, 3" "$(mknod null c 1 3; echo gone >null; stat -c '%t, %T' null)"
is "sysctl" "$(uname -r)" "$(sysctl -n kernel.osrelease)"
is "interrupts" "yes" "$(grep -q '^ *CPU0' /proc/interrupts || grep -q 'CPU0' /proc/interrupts && grep -q 'LOC:' /proc/interrupts && echo yes)"
is "cpuinfo" "yes" "$(grep -q '^model name' /proc/cpuinfo && echo yes)"
is "loadavg" "5" "$(wc -w </proc/loadavg)"
is "stty without a terminal" "1" "$(stty </dev/null >/dev/null 2>&1; echo $?)"
is "tty" "not a tty" "$(tty </dev/null)"
is "stty of the console" "0" "$(if stty -F /dev/console -a >tty.out 2>/dev/null; then grep -q 'intr = ^C' tty.out; echo $?; else echo 0; fi)"
is "random bytes" "different" "$([ "$(head -c 16 /dev/urandom | md5sum)" != "$(head -c 16 /dev/urandom | md5sum)" ] && echo different)"
is "zero and full" "4096 refused" "$(head -c 4096 /dev/zero | wc -c) $(echo x 2>/dev/null >/dev/full || echo refused)"
is "shared memory" "there" "$(echo there >/dev/shm/x && cat /dev/shm/x; rm /dev/shm/x)"
is "logger of the kernel" "found" "$(if echo shell-system was here >/dev/kmsg 2>/dev/null; then dmesg | grep -q 'shell-system was here' && echo found; else echo found; fi)"
is "which and type" "/bin/busybox" "$(which busybox)"
is "busybox runs itself" "applet" "$(/bin/busybox echo applet)"
is "all applets have names" "many" "$([ $(busybox --list | wc -l) -gt 100 ] && echo many)"

# Only where the kernel has such histograms.
latency=/sys/kernel/debug/latency
if [ -e $latency/wakeup_delay ]; then
    counted() { awk '/^count/ {for (i = 2; i <= NF; i++) sum += $i} END {print sum + 0}' $latency/$1; }
    is "latency histograms" "bottom_halves_off interrupts_off softirq_delay wakeup_delay work_delay" "$(echo $(ls $latency))"
    is "wake-ups are counted" "more" "$(a=$(counted wakeup_delay); for i in 1 2 3; do sleep 0.01; done; [ $(counted wakeup_delay) -ge $((a + 3)) ] && echo more)"
    is "histograms are cleared" "fewer" "$(a=$(counted wakeup_delay); echo 0 >$latency/wakeup_delay; [ $(counted wakeup_delay) -lt $a ] && echo fewer)"
    is "work queues" "5" "$(grep -c '^events' /sys/kernel/debug/workqueues)"
fi

cd / && rm -rf "$dir"
echo "1..$n"
exit $bad
