// Rows of processes that wait for each other: a byte to and fro, or round a ring.
#include "kbench.h"

enum { AF_UNIX = 1, AF_INET = 2, SOCK_STREAM = 1, SOCK_DGRAM = 2, IPPROTO_TCP = 6, TCP_NODELAY = 1, SIOCSIFFLAGS = 0x8914, IFF_UP_RUNNING = 0x41, MOST_RING = 16 };
struct address { unsigned short family, port; u32 host; u8 zero[8]; };

static int ends[MOST_RING][2], to, from;

/** What is read from one goes to the other, for ever. */
static void pass_on(int in, int out) {
  while (sys(read, in, buffer, 1) == 1) sys(write, out, buffer, 1);
  leave(0);
}
static void round_trips(u32 n) {
  while (n--) {
    must_be("write", sys(write, to, buffer, 1), 1);
    must_be("read", sys(read, from, buffer, 1), 1);
  }
}

/** A ring of so many processes, this one with them. */
static void prepare_ring(u32 processes) {
  for (u32 k = 0; k < processes; k++) sure("pipe", sys(pipe, ends[k]));
  for (u32 k = 1; k < processes; k++) {
    if (sure("fork", sys(fork)) != 0) continue;
    // Its own two ends alone, so that all end when one does.
    for (u32 j = 0; j < processes; j++) {
      if (j != k - 1) sys(close, ends[j][0]);
      if (j != k) sys(close, ends[j][1]);
    }
    pass_on(ends[k - 1][0], ends[k][1]);
  }
  to = ends[0][1];
  from = ends[processes - 1][0];
}
void prepare_pipe(void) { prepare_ring(2); }
void prepare_ring_8(void) { prepare_ring(8); }
void prepare_ring_16(void) { prepare_ring(16); }
ROW(pipe) { round_trips(n); }
ROW(ring) { round_trips(n); }

void prepare_unix(void) {
  int pair[2];
  sure("socketpair", sys(socketpair, AF_UNIX, SOCK_STREAM, 0, pair));
  if (sure("fork", sys(fork)) == 0) {
    sys(close, pair[0]);
    pass_on(pair[1], pair[1]);
  }
  to = from = pair[0];
}
ROW(unix_socket) { round_trips(n); }

static void without_delay(int socket) {
  int on = 1;
  must_be("setsockopt", sys(setsockopt, socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
}
void prepare_tcp(void) {
  struct address address = {AF_INET, 0, 0x0100007f, {0}};
  u32 length = sizeof address;
  // The loopback device is down in a machine that has just booted.
  struct { char name[16]; short flags; u8 rest[14]; } device = {"lo", IFF_UP_RUNNING, {0}};
  int asked = sure("socket", sys(socket, AF_INET, SOCK_DGRAM, 0));
  sure("SIOCSIFFLAGS", sys(ioctl, asked, SIOCSIFFLAGS, &device));
  int listening = sure("socket", sys(socket, AF_INET, SOCK_STREAM, 0));
  must_be("bind", sys(bind, listening, &address, sizeof address), 0);
  must_be("listen", sys(listen, listening, 1), 0);
  must_be("getsockname", sys(getsockname, listening, &address, &length), 0);
  if (sure("fork", sys(fork)) == 0) {
    int talk = sure("accept4", sys(accept4, listening, NULL, NULL, 0));
    without_delay(talk);
    pass_on(talk, talk);
  }
  to = from = sure("socket", sys(socket, AF_INET, SOCK_STREAM, 0));
  must_be("connect", sys(connect, to, &address, sizeof address), 0);
  without_delay(to);
}
ROW(tcp) { round_trips(n); }
