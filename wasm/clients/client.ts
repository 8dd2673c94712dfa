// What code asks for clients (src/clients/builder.ts) that it does not do by itself.
import { hostClientCall } from '../gen/host';
import { Cpu } from '../gen/layout';
import { readFlags } from '../system/flags';

/** Sets bits of a byte of a client's room that all CPUs share. 0. */
export function clientMark(_cpu: Cpu, address: usize, bits: u32): u32 {
  atomic.or<u8>(address, <u8>bits);
  return 0;
}

/** Calls a client's function on the host. 0. */
export function clientCall(cpu: Cpu, which: u32, a: u32, b: u32, c: u32, d: u32, e: u32): u32 {
  hostClientCall(cpu, which, 0, 0, a, b, c, d, e);
  return 0;
}

/** The same with all of the CPU's state in memory. 0. */
export function clientCallExact(cpu: Cpu, which: u32, a: u32, b: u32, c: u32, d: u32, e: u32): u32 {
  hostClientCall(cpu, which, cpu.eip, readFlags(cpu), a, b, c, d, e);
  return 0;
}
