# In a bare root of a suite of Debian, with apt_get() of tools/suites.py: install the packages in
# /given, and do what the README and the pages tell. Each answer begins with its name, for
# tools/try_package.py.
apt_get install gdb lldb-19 python3-lldb-19 man-db gcc libc6-dev pkgconf /given/*.deb
ulimit -c unlimited
# core PROGRAM WORD...: run what dies, in a directory of its own; the path of its core
core()
{
	rm -rf /tmp/run; mkdir /tmp/run; cd /tmp/run
	python3 "$@" >/dev/null 2>&1 || true
	mv "$(ls -d *core* | head -n1)" "/tmp/$(basename "$1" .py).$#.core"
}
core /given/story.py crash
mv /tmp/story.2.core /tmp/story.core
off="set debuginfod enabled off"
echo "<gdb>"; gdb -q -batch -iex "$off" -c /tmp/story.core -ex py-bt 2>&1
echo "<moves>"; gdb -q -batch -iex "$off" -c /tmp/story.core \
	-ex "py-up 2" -ex py-locals -ex "py-print job.name" 2>&1
lldb="lldb-19 --no-lldbinit -b"
echo "<lldb>"
$lldb -o "target create -c /tmp/story.core" -o "command source /usr/share/pyscry/lldbinit" -o py-bt 2>&1
echo "<cli>"; pyscry /tmp/story.core bt
echo "<threads>"; pyscry /tmp/story.core threads
python3 /given/story.py wait >/tmp/ready &
while ! grep -q ready /tmp/ready; do sleep 0.05; done
echo "<live>"; pyscry $! bt
echo "<stacks>"; pyscry stacks --group-by process --children $$ || true
echo "<answers>"; pyscry $! --json | pyscry stacks -
kill $!
echo "<man>"; MANPAGER=cat man pyscry-heap
echo "<c>"
cc -Wall -Werror -o /tmp/stacks /usr/share/doc/pyscry/examples/stacks.c \
	$(pkg-config --cflags --libs pyscry)
/tmp/stacks /tmp/story.core

# the recipes of the API, on the module that is installed
export PYSCRY_TRUTH=/tmp/truth
core /given/tree/tests/programs/served.py later
cp /tmp/truth /given/later; core /given/tree/tests/programs/served.py
cp /tmp/truth /given/truth; unset PYSCRY_TRUTH
recipes=/given/tree/tests/support/recipes.py cores="/tmp/served.1.core /tmp/served.2.core"
echo "<recipes>"; python3 $recipes $cores 2>&1
export PYSCRY_RECIPES="$(echo $cores | tr " " :)"
echo "<recipes-gdb>"; gdb -q -batch -iex "$off" -c /tmp/served.1.core -ex "source $recipes" 2>&1
echo "<recipes-lldb>"
$lldb -o "target create -c /tmp/served.1.core" -o "command source /usr/share/pyscry/lldbinit" \
	-o "command script import $recipes" 2>&1
echo "<files>"
ls -d /usr/share/doc/pyscry/copyright /usr/share/doc/pyscry/index.md /usr/share/doc/pyscry/NEWS.md* \
	/usr/share/bash-completion/completions/pyscry /usr/share/zsh/vendor-completions/_pyscry \
	/usr/share/fish/vendor_completions.d/pyscry.fish /usr/lib/*/pkgconfig/pyscry.pc \
	/usr/include/pyscry/pyscry.h /usr/bin/pyscry-gdb /etc/gdb/gdbinit.d/pyscry.gdb
for name in $(pyscry --complete core "" | cut -f1); do
	ls /usr/share/man/man1/pyscry-$name.1.gz
done
echo "<versions>"; gdb --version | head -n1; lldb-19 --version; python3 --version
echo "<removed>"; apt_get purge pyscry libpyscry0; ls /etc/gdb/gdbinit.d
echo "<end>"
