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

# Slices of what figures() prints, from the first line on.
watch() {
  local bytes operations ms first_bytes= last_operations last_ms first_ms
  while read -r bytes operations ms; do
    if [ "$bytes" = error ]; then
      fail "fio says error $operations"
    elif [ -z "$first_bytes" ]; then
      begin
      first_bytes=$bytes first_ms=$ms
    elif [ "$operations" -gt "$last_operations" ] && [ "$ms" -gt "$last_ms" ]; then
      # By fio, which took the time when it took the counts; its clock is CLOCK_MONOTONIC.
      FIGURES="$FIGURES $(((ms - last_ms) * 1000000)) $((operations - last_operations))"
    fi
    last_operations=$operations last_ms=$ms last_bytes=$bytes
  done
  [ -n "$FIGURES" ] || fail 'fio' /tmp/errors
  also MB/s "$(awk "BEGIN { printf \"%.3f\", ($last_bytes - $first_bytes) / ($last_ms - $first_ms) / 1000 }")"
}

# serve FOLDER DIRECT FSYNC
serve() {
  local interval=$((MS / SLICES))
  export DIRECTORY=$1 DIRECT=$2 FSYNC=$3 CLIENTS=$CPUS SECONDS_EACH=$((MS + interval))ms
  mkfifo /tmp/pipe
  fio --output-format=json --status-interval=${interval}ms /etc/fileserver.fio 2> /tmp/errors > /tmp/pipe &
  figures < /tmp/pipe | { watch; finish; }
  exit 1
}

case $ROW in
  fio-tmpfs)
    mkdir -p /tmp/files
    serve /tmp/files 0 0
    ;;
  fio-disk)
    /sbin/mke2fs -q -F -t ext4 -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 /dev/vda 2> /tmp/errors || fail 'mke2fs' /tmp/errors
    mount -t ext4 /dev/vda /mnt 2> /tmp/errors || fail 'mount' /tmp/errors
    serve /mnt 1 32
    ;;
esac
