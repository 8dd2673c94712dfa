// A bare CPU and some RAM around the compiled runtime, for tests that call its exports directly.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildRuntime } from '../../../scripts/build-runtime.ts';
import { noCode } from '../../../src/cpu/runtime.ts';
import { Cpu, FAULT, FAULT_HAS_ERROR, GPR_STRIDE, Gpr, ownEip, Seg, SegCache, Vector } from '../../../src/layout/cpu.ts';
import { BlockHead, CONTROL, Control, CpuArea, cpuBase, PageMeta, planMemory, RAM, Relax } from '../../../src/layout/memory.ts';

export const MiB = 1 << 20;
export const CR0 = { PE: 1, MP: 2, EM: 4, TS: 8, NE: 0x20, WP: 0x10000, PG: 0x80000000 };
export const CR4 = { TSD: 4, DE: 8, PSE: 0x10, PAE: 0x20, PGE: 0x80, OSFXSR: 0x200 };
/** Bits of page-table entries. */
export const PT = { P: 1, RW: 2, US: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 };
/** Access bytes of flat segments: 32-bit code and data, 4 GiB. */
export const CODE = 0x00c09b00;
export const DATA = 0x00c09300;

export interface Call {
  readonly name: string;
  readonly args: readonly number[];
}

const file = fileURLToPath(new URL('../../../build/runtime.wasm', import.meta.url));
let module: WebAssembly.Module | undefined;

export async function runtimeModule(): Promise<WebAssembly.Module> {
  if (module) return module;
  if (!existsSync(file)) await buildRuntime();
  module = new WebAssembly.Module(readFileSync(file));
  return module;
}

/** One CPU in protected mode, flat, CPL 0, paging off. */
export async function machine(ramBytes = 16 * MiB) {
  const plan = planMemory(1, ramBytes);
  const memory = new WebAssembly.Memory({ initial: plan.wasmPages, maximum: plan.wasmPages, shared: true });
  const view = new DataView(memory.buffer);
  const bytes = new Uint8Array(memory.buffer);
  const cpu = cpuBase(plan, 0);
  const calls: Call[] = [];
  const host = {
    mmioReadValue: (_phys: number, _size: number): number => 0,
    portInValue: (_port: number, _size: number): number => 0,
    onPortOut: () => {},
    tsc: 0n,
  };
  const note = (name: string, ...args: number[]) => calls.push({ name, args: args.map((a) => a >>> 0) });
  const meta = (physPage: number) => plan.pageMeta + physPage * PageMeta.size;
  const imports = {
    env: { memory, table: noCode() },
    host: {
      portIn: (_cpu: number, port: number, size: number) => {
        note('portIn', port, size);
        return host.portInValue(port, size);
      },
      portOut: (_cpu: number, port: number, size: number, value: number) => {
        note('portOut', port, size, value);
        host.onPortOut();
      },
      mmioRead: (_cpu: number, phys: number, size: number) => {
        note('mmioRead', phys, size);
        return host.mmioReadValue(phys >>> 0, size);
      },
      mmioWrite: (_cpu: number, phys: number, size: number, value: number) => note('mmioWrite', phys, size, value),
      monotonic: () => host.tsc,
      rdtsc: () => host.tsc,
      setTscDeadline: () => {},
      setApicBase: (_cpu: number, value: number) => note('setApicBase', value),
      tscDeadlineArmed: () => 0,
      interruptAck: () => -1,
      fpuError: () => 0,
      // As where nothing of the page is code any more.
      invalidateCode: (_cpu: number, phys: number, count: number) => {
        note('invalidateCode', phys, count);
        view.setUint32(meta(phys >>> 12) + PageMeta.at.flags, 0, true);
      },
      trace: () => {},
      clientCall: (_cpu: number, ...args: number[]) => note('clientCall', ...args),
      clientCrossing: () => note('clientCrossing'),
    },
  };
  const instance = new WebAssembly.Instance(await runtimeModule(), imports);
  const call = instance.exports as Record<string, (...args: any[]) => any>;

  const get = (field: keyof typeof Cpu.at) => view.getUint32(cpu + Cpu.at[field], true);
  const set = (field: keyof typeof Cpu.at, value: number) => view.setUint32(cpu + Cpu.at[field], value, true);
  const control = (field: keyof typeof Control.at, value: number) => view.setUint32(CONTROL + Control.at[field], value, true);
  control('cpuCount', 1);
  control('ramBytes', plan.ramBytes);
  control('cpus', plan.cpus);
  control('pageMeta', plan.pageMeta);
  for (const area of ['tlb', 'tlbList', 'tlbGlobalList', 'jumpKernel', 'jumpUser', 'blockHash', 'arena'] as const)
    set(area, cpu + CpuArea.at[area]);
  set('gdtHost', cpu + CpuArea.at.noTable);
  for (const field of ['jumpKernelGen', 'jumpUserGen', 'jumpUserLast', 'jumpUserFirst'] as const) set(field, 1);
  control('relax', Relax.ENTRIES | Relax.FRAMES);
  set('cr0', CR0.PE);

  const seg = (n: number) => cpu + Cpu.at.seg + n * SegCache.size;
  const setSeg = (n: number, base: number, limit: number, access: number, selector = 8) => {
    view.setUint32(seg(n) + SegCache.at.selector, selector, true);
    view.setUint32(seg(n) + SegCache.at.base, base, true);
    view.setUint32(seg(n) + SegCache.at.limit, limit, true);
    view.setUint32(seg(n) + SegCache.at.access, access, true);
    call.updateMode!(cpu);
  };
  for (const n of [Seg.ES, Seg.SS, Seg.DS, Seg.FS, Seg.GS]) setSeg(n, 0, 0xffffffff, DATA);
  setSeg(Seg.CS, 0, 0xffffffff, CODE);

  const phys32 = (at: number) => view.getUint32(RAM + at, true);
  const setPhys32 = (at: number, value: number) => view.setUint32(RAM + at, value, true);
  return {
    plan,
    memory,
    view,
    cpu,
    calls,
    host,
    call,
    get,
    set,
    control,
    seg,
    setSeg,
    phys32,
    setPhys32,
    setPhys64: (at: number, value: bigint) => view.setBigUint64(RAM + at, value, true),
    phys64: (at: number) => view.getBigUint64(RAM + at, true),
    ram: bytes.subarray(RAM, RAM + ramBytes),
    gpr: (n: number) => view.getUint32(cpu + Cpu.at.gpr + n * GPR_STRIDE, true),
    setGpr: (n: number, value: number) => view.setUint32(cpu + Cpu.at.gpr + n * GPR_STRIDE, value, true),
    setCpl: (cpl: number) => {
      set('cpl', cpl);
      call.updateMode!(cpu);
    },
    tlb: (linear: number) => view.getUint32(get('tlb') + (linear >>> 12) * 4, true),
    /** Writes a word of the engine's memory. */
    setWord: (address: number, value: number) => view.setUint32(address, value, true),
    /** Marks code in RAM, and takes the write rights to its page away. */
    markCode: (phys: number, count = 4096 - (phys & 0xfff)) => call.markCode!(cpu, phys, count),
    hasCode: (physPage: number) => (view.getUint32(meta(physPage) + PageMeta.at.flags, true) & 1) === 1,
    /** The pending exception as text, like "PF(7)"; '' for none. Clears it. */
    fault: () => {
      const word = get('fault');
      set('fault', 0);
      if (word === 0) return '';
      if (!(word & FAULT)) return `other ${word.toString(16)}`;
      const name = Object.entries(Vector).find(([, v]) => v === (word & 0xff))?.[0] ?? String(word & 0xff);
      return word & FAULT_HAS_ERROR ? `${name}(${get('faultError')})` : name;
    },
  };
}

export type Machine = Awaited<ReturnType<typeof machine>>;
export { Gpr, Seg };

/** Puts a block into the arena, `at` bytes from its start, and the hash table: the address of its head. */
export function putBlock(
  m: Pick<Machine, 'get' | 'call' | 'view'>,
  at: number,
  fields: { eip: number; phys: number; mode: number; lastPage?: number; handler?: number; region?: number },
): number {
  const head = m.get('arena') + at;
  const eip = ownEip(fields.eip, fields.mode);
  const slot = m.get('blockHash') + m.call.blockHashIndex!(fields.phys, eip, fields.mode) * 4;
  const all = { lastPage: fields.phys >>> 12, handler: 11, ...fields, eip, hashNext: m.view.getUint32(slot, true) };
  for (const [name, value] of Object.entries(all)) m.view.setUint32(head + BlockHead.at[name as keyof typeof BlockHead.at], value, true);
  m.view.setUint32(slot, head, true);
  return head;
}
