#!/bin/sh
# The shell itself: what it asks of the kernel when it expands, redirects, forks, waits and is signalled.
n=0 bad=0
is() { # is NAME EXPECTED GOT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then echo "ok $n - $1"; return; fi
	bad=1
	echo "expected: $2" | sed 's/^/# /'
	echo "got: $3" | sed 's/^/# /'
	echo "not ok $n - $1"
}
dir=$(mktemp -d /tmp/shell.XXXXXX) && cd "$dir" || exit 1

echo "KTAP version 1"
is "arithmetic" "42 7 1 255" "$((6 * 7)) $((15 / 2)) $((1 == 1)) $((0xff))"
is "parameters" "abc.tar abc tar.gz gz 10" "$(f=abc.tar.gz; echo ${f%.*} ${f%%.*} ${f#*.} ${f##*.} ${#f})"
is "defaults" "x y z" "$(unset a; b=y; echo ${a:-x} ${b:-n} ${a:=z})"
is "loop of a thousand" "1000" "$(c=0; for i in $(seq 1000); do true; c=$((c + 1)); done; echo $c)"
is "loop of programs" "60" "$(c=0; for i in $(seq 60); do /bin/true && c=$((c + 1)); done; echo $c)"
is "while and read" "3:a b c" "$(printf 'a\nb\nc\n' | { c=0; l=; while read -r w; do c=$((c + 1)); l="$l $w"; done; echo "$c:${l# }"; })"
is "case" "number word other" "$(for w in 12 ab -; do case $w in [0-9]*) printf 'number ';; [a-z]*) printf 'word ';; *) echo other;; esac; done)"
is "functions and local" "2 1" "$(v=1; f() { local v=2; echo $v; }; echo $(f) $v)"
is "recursion" "120" "$(fact() { [ $1 -le 1 ] && echo 1 || echo $(($1 * $(fact $(($1 - 1))))); }; fact 5)"

cat >here <<END
value $((1 + 1))
	tab kept
END
is "here-document" "value 2|	tab kept|" "$(tr '\n' '|' <here)"
cat >here <<'END'
$((1 + 1)) `date`
END
is "quoted here-document" '$((1 + 1)) `date`' "$(cat here)"
is "large here-document" "20000" "$(wc -l <<END
$(seq 20000)
END
)"

is "pipeline of five" "3 apple" "$(printf 'pear\napple\nfig\napple\napple\n' | sort | uniq -c | sort -rn | head -n 1 | sed 's/^ *//')"
is "pipeline of ten" "10" "$(echo 1 | for i in 1 2; do cat; done | cat | cat | cat | cat | cat | cat | awk '{print $1 * 10}')"
is "early end of a pipeline" "y" "$(yes | head -n 1)"
is "status of a pipeline" "1" "$(true | false; echo $?)"
is "pipefail" "3" "$(set -o pipefail; (exit 3) | true; echo $?)"
is "negation" "0 1" "$(! false; a=$?; ! true; echo $a $?)"
is "and, or" "b d" "$(echo $(false && echo a || echo b; true || echo c && echo d))"
is "exit status" "7 127 126" "$( (exit 7); a=$?; no-such-program 2>/dev/null; b=$?; /proc 2>/dev/null; echo $a $b $?)"

echo one >out; echo two >>out
is "redirections" "one two" "$(echo $(cat out))"
is "standard error" "gone" "$(cat no-such-file 2>err; [ -s err ] && echo gone)"
is "both outputs" "2" "$( { echo a; echo b >&2; } 2>&1 | wc -l)"
is "swapped outputs" "b" "$( { { echo a; echo b >&2; } 3>&1 1>&2 2>&3 3>&-; } 2>/dev/null)"
is "other descriptors" "via five" "$(exec 5>five; echo via five >&5; exec 5>&-; cat five)"
is "closed input" "closed" "$(cat <&- 2>/dev/null || echo closed)"
is "noclobber" "kept" "$(echo kept >keep; set -C; echo lost 2>/dev/null >keep; set +C; cat keep)" 2>/dev/null
is "subshell keeps to itself" "outer /" "$(v=outer; (v=inner; cd /proc); cd /; (cd /proc); echo $v $(pwd))"
is "command substitution" "nested deep" "$(echo nested $(echo $(echo deep)))"
is "long substitution" "588894" "$(x=$(seq 100000); echo ${#x})"

is "background and wait" "5" "$( (exit 5) & wait $!; echo $?)"
is "several in the background" "done 1 2 3" "$(for i in 3 1 2; do (sleep 0.0$i; echo $i >>order) & done; wait; echo done $(sort order))"
is "wait for any" "0" "$(sleep 0.01 & sleep 0.02 & wait; echo $?)"
is "death by signal" "143" "$(sleep 100 & kill $!; wait $! 2>/dev/null; echo $?)"
is "trap on exit" "body bye" "$(echo $(sh -c 'trap "echo bye" EXIT; echo body'))"
is "trap on a signal" "caught 0" "$(sh -c 'trap "echo caught" USR1; kill -USR1 $$; echo $?' | tr '\n' ' ' | sed 's/ $//')"
is "trap interrupts wait" "caught 138" "$(sh -c 'trap "printf \"caught \"" USR1; (sleep 0.5; kill -USR1 $$) & sleep 3 & wait $!; echo $?; kill $!' 2>/dev/null)"
is "ignored signal" "alive" "$(sh -c 'trap "" TERM; kill $$; echo alive')"
is "inherited ignorance" "alive" "$(sh -c 'trap "" TERM; sh -c "kill \$\$; echo alive"')"
is "set -e" "before 1" "$(sh -ec 'echo before; false; echo after' | tr '\n' ' '; sh -ec 'false; true'; echo $?)"
is "exec replaces" "new" "$(sh -c 'exec echo new; echo old')"
is "special parameters" "3 a b c c" "$(set -- a b c; echo $# $* $(eval echo \$$#))"
is "process ids" "same" "$([ $$ -eq "$(sh -c 'echo $PPID')" ] && echo same || { [ "$(sh -c 'exec sh -c "echo \$PPID"')" -gt 1 ] && echo same; })"

mkdir globs; (cd globs; touch f1 f2 f3.txt .hidden)
is "globs" "f1 f2 f3.txt|f1 f2|f3.txt|[z]*" "$(cd globs; echo "$(echo f*)|$(echo f?)|$(echo *.t?t)|$(echo [z]*)")"
is "umask" "0027 640" "$(umask 027; touch masked; echo $(umask) $(stat -c %a masked))"
is "ulimit" "32" "$(ulimit -n 32; ulimit -n)"
is "ulimit holds" "1" "$(ulimit -f 1; dd if=/dev/zero of=big bs=1k count=8 2>/dev/null; [ $(stat -c %s big) -le 1024 ] && echo 1)"
is "getopts" "a b:value rest" "$(set -- -a -b value rest; while getopts ab: o; do case $o in a) printf 'a ';; b) printf 'b:%s ' $OPTARG;; esac; done; shift $((OPTIND - 1)); echo $1)"
is "printf" "005|ab   |ff|A" "$(printf '%03d|%-5s|%x|\101' 5 ab 255)"
is "test" "yes" "$([ -d . ] && [ -f here ] && [ ! -e nowhere ] && [ -x /bin/busybox ] && [ 10 -gt 9 ] && [ abc != abd ] && echo yes)"
is "eval and export" "seen" "$(eval 'export MARK=seen'; sh -c 'echo $MARK')"
is "one command's variable" "seen -" "$(unset MARK; MARK=seen sh -c 'printf "$MARK "'; echo ${MARK:--})"
is "script with arguments" "script:x y:2" "$(printf '#!/bin/sh\necho script:"$1":$#\n' >s; chmod +x s; ./s 'x y' z)"
is "reading a script from a pipe" "3" "$(echo 'echo $((1 + 2))' | sh)"
is "fifo" "through the fifo" "$(mkfifo p; echo through the fifo >p & cat p; wait)"
is "cd and pwd" "/proc $dir /" "$(cd /proc; a=$(pwd); cd "$OLDPWD"; b=$(pwd); cd /; echo $a $b $(pwd))"

cd / && rm -rf "$dir"
echo "1..$n"
exit $bad
