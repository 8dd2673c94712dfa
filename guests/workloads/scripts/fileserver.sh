# Rows fio-tmpfs and fio-disk: fio with the job of /etc/fileserver.fio on tmpfs, and on ext4 on a virtio disk. An operation is a read or a write.

# Prints what fio tells in JSON now and then, and in the end: bytes, operations and milliseconds so far, a line each time.
figures() {
  awk '
    $1 == "\"read\"" || $1 == "\"write\"" { counts = 1 }
    $1 == "\"trim\"" || $1 == "\"sync\"" { counts = 0 }
    counts && $1 == "\"io_bytes\"" { bytes += $3 }
    counts && $1 == "\"total_ios\"" { operations += $3 }
    counts && $1 == "\"runtime\"" && $3 + 0 > ms { ms = $3 + 0 }
    $1 == "\"error\"" && $3 + 0 != 0 { print "error", $3 + 0; fflush() }
    # The end of a report.
    /^}/ { printf "%.0f %.0f %.0f\n", bytes, operations, ms; fflush(); bytes = operations = ms = counts = 0 }'
}

# Slices of what figures() prints, from the second line with operations on (the first is told late, in a machine where awk has not run before), until the row's time is over.
watch() {
  local bytes operations ms first_bytes= last_operations last_ms first_ms seen=0
  while read -r bytes operations ms; do
    if [ "$bytes" = error ]; then
      fail "fio says error $operations" /tmp/errors
    elif [ -z "$first_bytes" ]; then
      [ "$operations" -eq 0 ] || seen=$((seen + 1))
      [ $seen -eq 2 ] || continue
      begin
      first_bytes=$bytes first_ms=$ms last_operations=$operations last_ms=$ms
    elif [ "$operations" -gt "$last_operations" ] && [ "$ms" -gt "$last_ms" ]; then
      # By fio, which took the time when it took the counts; its clock is CLOCK_MONOTONIC.
      FIGURES="$FIGURES $(((ms - last_ms) * 1000000)) $((operations - last_operations))"
      last_operations=$operations last_ms=$ms
      # Reports come a little early or late.
      [ $((ms - first_ms)) -lt $((MS - MS / SLICES / 2)) ] || break
    fi
  done
  [ -n "$FIGURES" ] && [ $((last_ms - first_ms)) -ge $((MS - MS / SLICES / 2)) ] || fail 'fio ended early' /tmp/errors
  also MB/s "$(awk "BEGIN { printf \"%.3f\", ($bytes - $first_bytes) / ($last_ms - $first_ms) / 1000 }")"
}

# serve FOLDER DIRECT FSYNC
serve() {
  # fio is ended when the time is over: its own end, which waits for what is under way, is no part of that.
  export DIRECTORY=$1 DIRECT=$2 FSYNC=$3 CLIENTS=$CPUS SECONDS_EACH=${LIMIT}s
  mkfifo /tmp/pipe
  fio --output-format=json --status-interval=$((MS / SLICES))ms /etc/fileserver.fio 2> /tmp/errors > /tmp/pipe &
  local fio=$!
  figures < /tmp/pipe | {
    watch
    kill -9 $fio
    finish
  }
  # As the pipeline ended.
  exit $?
}

case $ROW in
  fio-tmpfs)
    mkdir -p /tmp/files
    serve /tmp/files 0 0
    ;;
  fio-disk)
    # From this row's run before.
    umount /mnt 2> /dev/null
    /sbin/mke2fs -q -F -t ext4 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 /dev/vda 2> /tmp/errors || fail 'mke2fs' /tmp/errors
    mount -t ext4 /dev/vda /mnt 2> /tmp/errors || fail 'mount' /tmp/errors
    serve /mnt 1 32
    ;;
esac
