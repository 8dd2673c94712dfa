// What code asks for clients that check accesses by a shadow of memory (src/clients/shadow.ts): a byte for each eight.
import { hostClientCall } from '../gen/host';
import { Cpu } from '../gen/layout';

/** An access so far below is of whoever noted the address of the stack, or of what it calls. */
const FRAMES: u32 = 4096;

/**
 * Calls a client's function where an access of `bytes` bytes at `from` touches what it may not: with where, the bytes, `eip`, `esp` and `ebp`. `shadow`: address of its bytes, for `limit` bytes of memory.
 * `inside`: address of a word of the CPU's room that may say that the access is fine. 0.
 */
export function clientShadow(
  cpu: Cpu,
  which: u32,
  shadow: usize,
  from: u32,
  limit: u32,
  bytes: u32,
  inside: usize,
  eip: u32,
  esp: u32,
  ebp: u32,
): u32 {
  const end = from + min<u32>(bytes, limit - from);
  for (let at = from; at < end; at = (at | 7) + 1) {
    // 64 bytes at once, where all may be accessed.
    while (!(at & 63) && at + 64 <= end && load<u64>(shadow + (at >>> 3)) == 0) at += 64;
    if (at >= end) break;
    const first = <i32>load<i8>(shadow + (at >>> 3));
    if (first == 0) continue;
    const last = min<u32>(end - 1, at | 7) & 7;
    if (first > 0 && <i32>last < first) continue;
    if (load<u32>(inside) - esp < FRAMES) return 0;
    hostClientCall(cpu, which, 0, 0, from, bytes, eip, esp, ebp);
    return 0;
  }
  return 0;
}
