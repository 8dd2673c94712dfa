# Row luajit: LuaJIT runs a program that makes 2,000 small loops one after another, each of which it compiles anew: the guest keeps making code. Each run is a process of its own, and a slice.
row_luajit() {
  local n=0
  # LuaJIT asks for random numbers, and the kernel takes a second to have any, on every machine: not in the first run's time.
  head -c 1 /dev/random > /tmp/random
  begin
  while [ $n -lt "$SLICES" ]; do
    n=$((n + 1))
    luajit /loops.lua > /tmp/sum 2>&1 || fail 'luajit' /tmp/sum
    grep -q '^sum 100060005000000$' /tmp/sum || fail 'the sum' /tmp/sum
    slice 1
    also run $n
  done
  finish
}

[ "$ROW" != luajit ] || row_luajit
