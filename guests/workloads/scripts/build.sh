# Row build: make and tcc build some programs of this repository's sources, from nothing, with as many processes at once as there are CPUs. An operation is a whole build.
build() {
  rm -rf out
  make -s -j"$CPUS" > /tmp/log 2>&1 || fail 'make' /tmp/log
}

row_build() {
  cp -r /src /tmp/src
  cd /tmp/src || fail 'no sources'
  build
  # What was built does what it should.
  ./out/check > /tmp/log 2>&1 || fail 'what was built gives a wrong result' /tmp/log
  ./out/kbench exit || fail 'the second program does not run'
  local count=0 n=0
  begin
  while [ $n -lt "$SLICES" ]; do
    build
    count=$((count + 1))
    now
    [ $((NOW - START)) -ge $((MS * 1000000 * (n + 1) / SLICES)) ] || continue
    slice $count
    count=0
    # A build may be longer than a slice.
    while [ $n -lt "$SLICES" ] && [ $((LAST - START)) -ge $((MS * 1000000 * (n + 1) / SLICES)) ]; do n=$((n + 1)); done
  done
  finish
}

[ "$ROW" != build ] || row_build
