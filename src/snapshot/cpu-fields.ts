// What of a CPU's state is in a snapshot. Every field is of one kind: what the guest could tell from another value is saved; all else is made anew where a machine goes on.
import { deriveState, type RuntimeExports } from '../cpu/runtime.ts';
import { resetCpu, type SharedMemory } from '../cpu/state.ts';
import { Cpu, HOST_HIT, NO_RETURN, PENDING_HELD_SHIFT, Pending, Step } from '../layout/cpu.ts';
import { Control, CpuArea, controlWord, cpuBase } from '../layout/memory.ts';

/**
 * 'saved': the guest's. 'derived': follows from that, or is known of it until it is forgotten (translations, code, proofs), or means nothing between two instructions. 'counter': what this
 * run has counted, for statistics and dumps. 'pointer': addresses in this machine's memory. 'thread': between the CPU's thread and others of this run.
 */
export type CpuFieldKind = 'saved' | 'derived' | 'counter' | 'pointer' | 'thread';
type CpuField = keyof typeof Cpu.at;

const KINDS: Readonly<Record<CpuFieldKind, readonly CpuField[]>> = {
  // biome-ignore format: by what they are
  saved: [
    'gpr', 'eip', 'eipHigh', 'flagR', 'flagX', 'eflags', 'cpl', 'seg', 'gdtBase', 'gdtLimit', 'idtBase', 'idtLimit',
    'cr0', 'cr2', 'cr3', 'cr4', 'dr', 'pdpte',
    'fault', 'faultError', 'pending', 'shadow', 'shadowEip', 'halted', 'step', 'stepArmed', 'ferr', 'apicId', 'nmiBlocked', 'debugPending', 'awaitsStartup',
    'tscOffset', 'sysenterCs', 'sysenterEsp', 'sysenterEip', 'apicBase', 'msr',
    'fpr', 'fcw', 'fsw', 'ftop', 'ftw', 'fop', 'fip', 'fcs', 'fdp', 'fds', 'mxcsr', 'xmm',
  ],
  // biome-ignore format: by what they are
  derived: [
    'zero', 'mode', 'stackMask', 'exit', 'exitArg', 'exitData', 'fpuTrap', 'sseTrap', 'fpuStop', 'shadowRamSeen',
    'tlbListCount', 'tlbGlobalCount', 'tlbLarge', 'jumpKernelGen', 'jumpUserGen', 'jumpUserLast', 'jumpUserFirst', 'space', 'spacesEntered', 'jumpKernelLocal',
    'jumpBase', 'jumpKernelLow', 'jumpKernelHigh', 'jumpUserLow', 'jumpUserHigh', 'callReturn', 'callDepth', 'codePage', 'scratch', 'loaded',
    'watch', 'codeChanged', 'breakpoints', 'watchFirst', 'watchBytes', 'rmwHost', 'directBytes', 'codeFrom', 'codeBytes', 'directRefused', 'point', 'relaxSeen', 'directTries',
    'gdtLocal', 'debugStop', 'debugPoint', 'debugPass', 'stepsLeft',
  ],
  // biome-ignore format: by what they are
  counter: [
    'countTlbMisses', 'countFaults', 'countInterrupts', 'countExits', 'exitNs', 'countHost', 'hostNs', 'slow', 'idleNs', 'idleSinceNs', 'countInterpreted', 'countTranslated', 'startedNs',
    'samplesInterpreted', 'samplesTranslated', 'samplesUser', 'lastBlocks', 'lastBlockCount', 'lastDeliveries', 'lastDeliveryCount', 'installNs', 'countInstalls', 'pauses', 'countRefused', 'profWhy',
  ],
  pointer: ['tlb', 'tlbList', 'tlbGlobalList', 'jumpKernel', 'jumpUser', 'blockHash', 'arena', 'arenaNext', 'arenaEnd', 'gdtHost'],
  thread: [
    'index',
    'consumed',
    'droppedSeen',
    'traceHead',
    'traceTail',
    'flameHead',
    'flameTail',
    'flameLost',
    'traceSkips',
    'parked',
    'exclusive',
    'budget',
    'clockWatch',
    'rest',
  ],
};

/** The kinds of each field: one, if the table is right. */
export const cpuFieldKinds = (field: string): CpuFieldKind[] =>
  (Object.entries(KINDS) as [CpuFieldKind, readonly string[]][]).flatMap(([kind, fields]) => (fields.includes(field) ? [kind] : []));

const POLLED = Pending.INTR | Pending.NMI | Pending.NMI_AGAIN | Pending.INIT | Pending.SIPI;
/** Bits of saved words that are the guest's; those of other words are all. */
const GUESTS: Readonly<Partial<Record<CpuField, number>>> = {
  pending: POLLED | (POLLED << PENDING_HELD_SHIFT),
  step: ~(Step.FORCED | Step.DEBUG),
  debugPending: ~HOST_HIT,
};

/** Names and sizes of what is saved, in its order: another version may have others. */
export const SAVED_CPU_FIELDS: readonly string[] = KINDS.saved.map((field) => `${field}:${Cpu.fields[field].bytes}`);
/** Bytes of a CPU in a snapshot. */
export const SAVED_CPU_BYTES = KINDS.saved.reduce((sum, field) => sum + Cpu.fields[field].bytes, 0);

function copy({ u8, plan }: SharedMemory, index: number, fields: readonly CpuField[]): Uint8Array {
  const base = cpuBase(plan, index);
  const bytes = new Uint8Array(fields.reduce((sum, field) => sum + Cpu.fields[field].bytes, 0));
  let to = 0;
  for (const field of fields) {
    const from = base + Cpu.at[field];
    const size = Cpu.fields[field].bytes;
    bytes.set(u8.subarray(from, from + size), to);
    const mask = GUESTS[field];
    const view = new DataView(bytes.buffer);
    if (mask !== undefined) view.setInt32(to, view.getInt32(to, true) & mask, true);
    to += size;
  }
  return bytes;
}

function put({ u8, plan }: SharedMemory, index: number, fields: readonly CpuField[], bytes: Uint8Array): void {
  const base = cpuBase(plan, index);
  let from = 0;
  for (const field of fields) {
    const size = Cpu.fields[field].bytes;
    u8.set(bytes.subarray(from, from + size), base + Cpu.at[field]);
    from += size;
  }
}

/** What is saved of a CPU that stands between two instructions: SAVED_CPU_BYTES. */
export const saveCpu = (shared: SharedMemory, index: number): Uint8Array => copy(shared, index, KINDS.saved);

/** Puts it into a CPU in its power-on state. The RAM, and what is saved of Control, must be there. */
export function putCpu(shared: SharedMemory, index: number, saved: Uint8Array, runtime: RuntimeExports): void {
  put(shared, index, KINDS.saved, saved);
  const { i32, plan } = shared;
  const base = cpuBase(plan, index);
  i32[(base + Cpu.at.shadowRamSeen) >> 2] = i32[controlWord(Control.at.shadowRam)]!;
  i32[(base + Cpu.at.callReturn) >> 2] = NO_RETURN;
  deriveState(runtime, base);
}

/** What a CPU finds of code and translations, but the code itself. */
const FOUND = [
  'jumpKernel',
  'jumpUser',
  'tlbList',
  'tlbGlobalList',
  'blockHash',
  'tlb',
  'directStores',
  'fetchedKernel',
  'fetchedUser',
  'spaces',
  'spaceEntries',
] as const;

/** Makes a CPU what it would be in a machine that goes on from a snapshot: of this instant, or what `saved` has. Its blocks and regions have been dropped. */
export function renewCpu(shared: SharedMemory, index: number, runtime: RuntimeExports, saved = saveCpu(shared, index)): void {
  const own = [...KINDS.counter, ...KINDS.thread];
  const kept = copy(shared, index, own);
  const base = cpuBase(shared.plan, index);
  for (const area of FOUND) {
    const at = base + CpuArea.at[area];
    shared.u8.fill(0, at, at + CpuArea.fields[area].bytes);
  }
  resetCpu(shared, index);
  put(shared, index, own, kept);
  putCpu(shared, index, saved, runtime);
}
