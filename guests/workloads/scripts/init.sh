#!/bin/busybox sh
# The first process of a workload's guest: /init run MS SLICES LIMIT_S ROW... gives each row, in a process of its own, MS milliseconds
# in about SLICES slices, and ends it after LIMIT_S seconds. What it prints is guests/kbench's protocol; the end switches the machine off.
export PATH=/bin:/sbin:/usr/bin:/usr/sbin HOME=/root
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs tmpfs /tmp
for module in $(cat /lib/modules/order); do insmod "/lib/modules/$module.ko"; done
export MS=$2 SLICES=$3 LIMIT=$4 CPUS
CPUS=$(nproc)
shift 4
for row; do
  timeout -s KILL "$LIMIT" sh /scripts/row.sh "$row"
  status=$?
  # 0 and 1: it has said itself how it went.
  [ $status -le 1 ] || echo "kbench: $row failed: it ended with status $status, or was ended after $LIMIT s"
  # All but this process, and what the row left.
  kill -9 -1
  rm -rf /tmp/*
done
echo 'kbench: done'
poweroff -f
