# Row apache: httpd serves a small file to ab, the load generator of Apache's own, over the loopback device. An operation is a request, each on a
# connection of its own.
URL=http://127.0.0.1/index.html

# More requests than a row has time for.
MOST=2000000

# Sets SERVED to the connections that the kernel has accepted: PassiveOpens of TCP. On each is one request.
served() {
  {
    while read -r kind _ _ _ _ _ passive _; do
      case $kind$passive in Tcp:[0-9]*) SERVED=$passive ;; esac
    done
  } < /proc/net/snmp
}

row_apache() {
  ifconfig lo 127.0.0.1 up
  # All local ports are open for connections again at once, also in the minute after their last one was closed.
  echo 1 > /proc/sys/net/ipv4/tcp_tw_reuse
  apache2 -f /etc/httpd.conf -k start 2> /tmp/errors || fail 'httpd' /tmp/errors
  until wget -q -O /tmp/page "$URL" 2> /tmp/errors; do usleep 100000; done
  cmp /tmp/page /www/index.html > /tmp/errors || fail 'the page' /tmp/errors
  served
  local at_first=$SERVED before n=0
  ab -q -n $MOST -c $((8 * CPUS)) -e /tmp/percentiles "$URL" > /tmp/report 2>&1 &
  # It has begun in earnest.
  while [ $((SERVED - at_first)) -lt $((50 * CPUS)) ]; do
    kill -0 $! 2> /dev/null || fail 'ab' /tmp/report
    usleep 20000
    served
  done
  begin
  served
  before=$SERVED
  while [ $n -lt "$SLICES" ]; do
    n=$((n + 1))
    now
    # Not where the slice before ended late.
    local left=$(((START + MS * 1000000 * n / SLICES - NOW) / 1000))
    [ $left -le 0 ] || usleep $left
    served
    slice $((SERVED - before))
    before=$SERVED
  done
  kill -INT $! 2> /dev/null || fail 'ab ended early' /tmp/report
  wait $!
  # What ab says of requests that did not go well. It has not seen those that it had asked for last.
  local complete
  complete=$(sed -n 's/^Complete requests: *//p' /tmp/report)
  grep -q '^Failed requests: *0$' /tmp/report || fail "$(grep '^Failed requests' /tmp/report | tr -s ' ')" /tmp/report
  ! grep -q '^Non-2xx' /tmp/report || fail "$(grep '^Non-2xx' /tmp/report | tr -s ' ')"
  [ $((SERVED - at_first - complete)) -le $((64 * CPUS)) ] || fail "$((SERVED - at_first)) connections, $complete requests complete"
  for percent in 50 90 99; do also "p$percent" "$(sed -n "s/^$percent,//p" /tmp/percentiles)"; done
  also failed 0
  finish
}

[ "$ROW" != apache ] || row_apache
