#!/bin/sh
# The commands that make, move, search, pack and compare files and text.
n=0 bad=0
is() { # is NAME EXPECTED GOT
	n=$((n + 1))
	if [ "$2" = "$3" ]; then echo "ok $n - $1"; return; fi
	bad=1
	echo "expected: $2" | sed 's/^/# /'
	echo "got: $3" | sed 's/^/# /'
	echo "not ok $n - $1"
}
dir=$(mktemp -d /tmp/files.XXXXXX) && cd "$dir" || exit 1

echo "KTAP version 1"
mkdir -p tree/a/b/c tree/d
seq 1000 >tree/numbers
seq 30000 | head -c 100000 >tree/a/data
: >tree/a/b/empty
ln -s ../numbers tree/a/link
ln tree/numbers tree/d/hard
chmod 640 tree/a/data; chmod 751 tree/d
touch -d '2001-02-03 04:05:06' tree/a/b/empty

is "find names" "tree/a/data tree/a/link" "$(echo $(find tree/a -name 'link' -o -name 'data' | sort))"
is "find types" "5 1 4" "$(find tree -type d | wc -l) $(find tree -type l | wc -l) $(find tree -type f | wc -l)"
is "find and execute" "1000" "$(find tree -name numbers -exec wc -l {} \; | cut -d' ' -f1)"
is "find by size" "tree/a/data" "$(find tree -type f -size +50k)"
is "find and xargs" "1000 2000" "$(echo $(find tree -name numbers -o -name hard | xargs wc -l | awk '/tree\/n/{print $1} /total/{print $1}'))"
is "stat" "640 100000 regular file" "$(stat -c '%a %s %F' tree/a/data)"
is "links are counted" "2 2" "$(stat -c %h tree/numbers) $(stat -c %h tree/d/hard)"
is "readlink" "../numbers $dir/tree/numbers" "$(readlink tree/a/link) $(readlink -f tree/a/link)"
is "times" "2001-02-03 04:05:06" "$(date -d @$(stat -c %Y tree/a/b/empty) '+%Y-%m-%d %H:%M:%S')"
is "ls" "drwxr-x--x" "$(ls -ld tree/d | cut -c1-10)"

cp -a tree copy
is "cp -a" "" "$(diff -r tree copy 2>&1)"
is "cp -a keeps" "640 751 ../numbers 981173106" "$(stat -c %a copy/a/data) $(stat -c %a copy/d) $(readlink copy/a/link) $(stat -c %Y copy/a/b/empty)"
is "cmp" "same" "$(cmp tree/a/data copy/a/data && echo same)"
printf x | dd of=copy/a/data bs=1 seek=5000 conv=notrunc 2>/dev/null
is "cmp finds the byte" "1" "$(cmp tree/a/data copy/a/data | grep -c ' 5001,')"
is "diff of text" "2c2" "$(seq 3 >x; printf '1\ntwo\n3\n' >y; diff x y | grep -c 2 >/dev/null; diff x y | grep -q '^-2$' && diff x y | grep -q '^+two$' && echo 2c2)"
mv copy/a copy/moved && mv copy moved
is "mv" "empty" "$(ls moved/moved/b | grep -v c)"
rm -rf moved
is "rm -rf" "gone" "$([ -e moved ] || echo gone)"

tar cf tree.tar tree && mkdir out && tar xf tree.tar -C out
is "tar round trip" "" "$(diff -r tree out/tree 2>&1)"
is "tar lists" "10" "$(tar tf tree.tar | wc -l)"
is "tar keeps" "751 640 2" "$(stat -c %a out/tree/d) $(stat -c %a out/tree/a/data) $(stat -c %h out/tree/numbers)"
tar czf tree.tgz tree && rm -rf out && mkdir out && tar xzf tree.tgz -C out
is "tar and gzip in a pipe" "" "$(diff -r tree out/tree 2>&1)"
cp tree/numbers plain && gzip plain
is "gzip shrinks" "smaller" "$([ $(stat -c %s plain.gz) -lt $(stat -c %s tree/numbers) ] && echo smaller)"
gunzip plain.gz
is "gunzip" "same" "$(cmp plain tree/numbers && echo same)"
is "zcat" "1000" "$(gzip -c plain | zcat | wc -l)"
is "cpio round trip" "1000" "$( (cd tree && find . | cpio -o -H newc 2>/dev/null) >tree.cpio; mkdir in && cd in && cpio -id <../tree.cpio 2>/dev/null; wc -l <numbers)"

is "md5sum" "53d025127ae99ab79e8502aae2d9bea6" "$(seq 1000 | md5sum | cut -d' ' -f1)"
is "sha256sum checks" "tree/numbers: OK" "$(sha256sum tree/numbers >sums; sha256sum -c sums)"
is "dd" "65536 8" "$(dd if=/dev/zero of=z bs=4096 count=16 2>/dev/null; dd if=z bs=8192 2>&1 >/dev/null | sed -n 's/+.*in//p' >c; echo $(stat -c %s z) $(head -n 1 c))"
is "dd skips" "500" "$(dd if=tree/numbers bs=4 skip=472 count=1 2>/dev/null)"
is "od" "000102" "$(printf '\000\001\002' | od -An -tx1 | tr -d ' \n')"
is "hexdump" "41424344" "$(printf ABCD | hexdump -v -e '/1 "%02x"')"
is "truncate" "12345 0" "$(truncate -s 12345 t; stat -c %s t) $(tr -d '\000' <t | wc -c)"
is "mktemp" "600 two" "$(a=$(mktemp); b=$(mktemp); echo $(stat -c %a $a) $([ $a != $b ] && echo two); rm $a $b)"
is "tee" "both both" "$(echo both | tee t1 >t2; echo $(cat t1 t2))"
is "chown" "1000 1001" "$(touch o; chown 1000:1001 o; stat -c '%u %g' o)"
is "chmod by letters" "755 644 4755" "$(chmod u=rwx,go=rx o; stat -c %a o) $(chmod a-x o; stat -c %a o) $(chmod 4755 o; stat -c %a o)"
is "du" "yes" "$([ $(du -sk tree | cut -f1) -ge 98 ] && echo yes)"
is "a thousand files" "1000 0" "$(mkdir many; cd many; for i in $(seq 1000); do : >f$i; done; a=$(ls | wc -l); rm f*; echo $a $(ls | wc -l))"
is "deep directories" "deep" "$(p=.; for i in $(seq 60); do p=$p/dddddddddd; done; mkdir -p $p && echo deep >$p/f && cat $p/f)"

is "grep" "10 100 1000" "$(echo $(grep '^10*$' tree/numbers | tail -n 3))"
is "grep -r" "3" "$(grep -rl '^777$' tree | grep -v link | wc -l)"
is "grep -c -v" "900" "$(grep -vc '^.$\|^..$\|1000' tree/numbers)"
is "sed" "I:1 I:3" "$(echo $(seq 3 | sed -n 's/^[13]$/I:&/p'))"
is "sed -i" "changed" "$(echo original >i; sed -i s/original/changed/ i; cat i)"
is "awk" "500500 1000" "$(awk '{s += $1; c[$1 % 2]++} END {print s, c[0] + c[1]}' tree/numbers)"
is "awk runs programs" "up" "$(echo up | awk '{"echo " $1 | getline x; print x}')"
is "sort" "1 2 10 9 8" "$(echo $(printf '10\n2\n1\n' | sort -n) $(printf '8\n9\n' | sort -r))"
is "sort a lot" "0" "$(seq 3000 -1 1 | sort -n >s1; seq 3000 | cmp - s1; echo $?)"
is "uniq" "2 a 1 b" "$(echo $(printf 'a\na\nb\n' | uniq -c))"
is "cut and paste" "b:2" "$(printf 'a:b:c\n1:2:3\n' | cut -d: -f2 | paste -s -d: -)"
is "tr" "HELLO hll" "$(echo hello | tr a-z A-Z) $(echo hello | tr -d eo)"
is "head and tail" "1 2 3 999 1000 995" "$(echo $(head -n 3 tree/numbers) $(tail -n 2 tree/numbers) $(tail -n 6 tree/numbers | head -n 1))"
is "wc" "1000 1000 3893" "$(echo $(wc <tree/numbers))"
is "tac and rev" "3 2 1 cba" "$(echo $(seq 3 | tac)) $(echo abc | rev)"
is "xargs" "a-b c-d e-" "$(echo $(printf 'a b c d e' | xargs -n 2 sh -c 'echo $0-$1'))"
is "expr" "7 3 2" "$(expr 3 + 4) $(expr length abc) $(expr abcde : ab)"
is "base64" "apus" "$(printf apus | base64 | base64 -d)"
is "dc" "42" "$(echo '6 7 * p' | dc)"
is "factor of a number" "91: 7 13" "$(factor 91)"
is "vi by commands" "edited line" "$(echo original line >v; vi -c ':%s/original/edited/' -c ':wq' v </dev/null >/dev/null 2>&1; cat v)"
is "patch" "two" "$(seq 3 >x; sed s/2/two/ x >y; diff -u x y | patch x >/dev/null; sed -n 2p x)"

cd / && rm -rf "$dir"
is "cleaned up" "gone" "$([ -e "$dir" ] || echo gone)"
echo "1..$n"
exit $bad
