// Files in memory, and the raw disk: each worker has an area of it, which ends with a pattern that the host can compute.
#include "stress.h"

enum { SECTOR = 512, AREA = 201 * SECTOR, LARGEST = 70000, MAGIC = 0x73657274 };
static u8 *data, *back;
static i32 disk;

/** Byte at `position` of what worker `n` wrote in generation `g`; guests/stress/disk.ts has the same. */
static u8 pattern(u32 n, u32 g, u32 position) {
  u32 h = (n + 1) * 0x9e3779b1u + g * 0x85ebca6bu + (position >> 2) * 0xc2b2ae35u;
  h ^= h >> 15;
  return h >> (8 * (position & 3));
}
static void fill(u32 n, u32 g, u32 from, u32 bytes) {
  for (u32 k = 0; k < bytes; k++) data[k] = pattern(n, g, from + k);
}
static void same(const char *what, u32 bytes) {
  for (u32 k = 0; k < bytes; k++)
    if (data[k] != back[k]) fail(what, k << 8 | back[k], k << 8 | data[k]);
}

static void in_memory(u32 n, u32 *random) {
  char name[] = "/tmp/stress.00.0";
  name[12] += n / 10;
  name[13] += n % 10;
  name[15] += slice & 1;
  u32 g = random32(random), bytes = random32(random) % LARGEST + 1;
  if (bytes % 4 == 0) bytes = (bytes & -PAGE) + (i32)(bytes % 3) - 1 + PAGE;
  if (bytes > LARGEST) bytes = LARGEST;
  i32 file = sure("open", sys(open, name, O_RDWR | O_CREAT | O_TRUNC, 0600));
  fill(n, g, 0, bytes);
  for (u32 done = 0; done < bytes;) {
    u32 some = random32(random) % 9000 + 1;
    if (some > bytes - done) some = bytes - done;
    done += sure("write", sys(write, file, data + done, some));
  }
  check("size", sys(lseek, file, 0, 2), bytes);
  check("pread64", sys(pread64, file, back, bytes, 0, 0), bytes);
  same("a file", bytes);
  // In the middle, then through a mapping.
  u32 at = random32(random) % bytes, some = bytes - at < 5000 ? bytes - at : 5000;
  for (u32 k = 0; k < some; k++) data[at + k] ^= 0x5a;
  check("pwrite64", sys(pwrite64, file, data + at, some, at, 0), some);
  u8 *mapped = (u8 *)sure("mmap of a file", sys(mmap2, 0, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  for (u32 k = 0; k < bytes; k++)
    if (mapped[k] != data[k]) fail("a mapped file", k << 8 | mapped[k], k << 8 | data[k]);
  mapped[bytes / 2] = data[bytes / 2] = 0x77;
  unmap(mapped, bytes);
  check("ftruncate", sys(ftruncate, file, bytes / 2 + 1), 0);
  check("the rest of a file", sys(pread64, file, back, bytes, 0, 0), bytes / 2 + 1);
  same("a file that was mapped", bytes / 2 + 1);
  sys(close, file);
  check("unlink", sys(unlink, name), 0);
  count(0, 1);
  count(2, bytes / 1024);
}

static void on_disk(u32 n, u32 *random) {
  u32 area = (n + 1) * AREA, at = SECTOR + random32(random) % (AREA - 2 * SECTOR), g = random32(random);
  u32 bytes = random32(random) % 20000 + 1;
  if (bytes > AREA - at) bytes = AREA - at;
  fill(n, g, at, bytes);
  check("write to the disk", sys(pwrite64, disk, data, bytes, area + at, 0), bytes);
  check("fsync", sys(fsync, disk), 0);
  // What the kernel still knows of it goes, so that it is read again.
  sys(fadvise64, disk, area + at, 0, bytes, FADV_DONTNEED);
  check("read from the disk", sys(pread64, disk, back, bytes, area + at, 0), bytes);
  same("the disk", bytes);
  count(1, 1);
  count(2, bytes / 1024);
}

/** The last pattern, over all of the area, with a sector before it that says which it is. */
static void last(u32 n) {
  u32 area = (n + 1) * AREA, g = now_ms(), header[4] = {MAGIC, n, g, AREA - SECTOR};
  check("write of a header", sys(pwrite64, disk, header, sizeof header, area, 0), sizeof header);
  for (u32 at = SECTOR; at < AREA;) {
    u32 some = AREA - at < 33333 ? AREA - at : 33333;
    fill(n, g, at, some);
    check("write to the disk", sys(pwrite64, disk, data, some, area + at, 0), some);
    at += some;
  }
  check("fsync", sys(fsync, disk), 0);
}

static void worker(u32 n) {
  u32 random = 1 + n * 15485863;
  data = map(LARGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  back = map(LARGEST, PROT_READ | PROT_WRITE, MAP_PRIVATE);
  // O_SYNC for half of the workers.
  disk = sys(open, "/dev/vda", n & 1 ? O_RDWR | O_SYNC : O_RDWR);
  do {
    in_memory(n, &random);
    if (disk >= 0) on_disk(n, &random);
  } while (running());
  if (disk >= 0) last(n);
}
void files(void) { in_processes(cpus, worker); }
