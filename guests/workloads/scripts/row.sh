# A row of a workload: row.sh ROW. /scripts/workload.sh has its work; here is how that is timed and told.
ROW=$1

# Sets NOW to the nanoseconds of CLOCK_MONOTONIC, without a program.
now() {
  {
    read -r _
    read -r _
    read -r _ _ NOW _
  } < /proc/timer_list
}

# Time counts from here on.
begin() {
  now
  START=$NOW LAST=$NOW FIGURES=
  echo "kbench: begin $ROW $NOW"
}

# slice OPERATIONS: so many since the slice before.
slice() {
  now
  FIGURES="$FIGURES $((NOW - LAST)) $1"
  LAST=$NOW
}

# also KEY VALUE: another figure of the row.
also() {
  echo "kbench: also $ROW $1 $2"
}

finish() {
  echo "kbench: $ROW$FIGURES"
  exit 0
}

# fail WHY, and what a file says: its last line.
fail() {
  echo "kbench: $ROW failed: $1${2:+: $(tail -n 1 "$2")}"
  exit 1
}

. /scripts/workload.sh
fail 'no such row'
