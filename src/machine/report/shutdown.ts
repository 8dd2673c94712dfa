// Why exceptions could not be delivered, in words: what came before a double or a triple fault, held against the tables that the CPU went by (wasm/transfer/deliver.ts; SDM vol. 3, 6.12 to 6.15).
import { DragomanError } from '../../api/errors.ts';
import type { CpuHandle } from '../../api/inspect.ts';
import { Delivery, Eflags, Vector } from '../../layout/cpu.ts';
import { Cr0, Descriptor, SystemType } from '../../layout/system.ts';
import { type Delivered, hex, vectorName } from './dump.ts';

/** Bits of an error code that names a descriptor: from outside of the program; of the IDT; of the LDT. */
const EXTERNAL = 1;
const IN_IDT = 2;
const IN_LDT = 4;
const CODE_SEGMENT = Descriptor.NOT_SYSTEM | Descriptor.CODE;
const DESCRIPTOR_BYTES = 8;
/** Of what a handler finds on its stack. */
const LARGEST_FRAME = 40;

/** What is wrong with something, in words; undefined: nothing, as far as memory tells. */
type Finding = string | undefined;

/** 'IDT entry 14', 'entry 1 of the GDT'. */
const entryName = (vector: number) => `IDT entry ${vector}`;
const selectorName = (selector: number) => `selector 0x${hex(selector, 4)}`;

/** The two words of a descriptor, or why they cannot be had. */
function readWords(cpu: CpuHandle, address: number): readonly [low: number, high: number] | string {
  try {
    const bytes = cpu.memory.read(address >>> 0, DESCRIPTOR_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return [view.getUint32(0, true), view.getUint32(4, true)];
  } catch (error) {
    if (!(error instanceof DragomanError)) throw error;
    return `is at ${error.message}`;
  }
}

function codeSegment(cpu: CpuHandle, selector: number, cpl: number): { readonly problem: Finding; readonly level: number } {
  const bad = (problem: string) => ({ problem, level: cpl });
  if ((selector & ~3) === 0) return bad('has a null selector');
  const { segments, gdtr } = cpu.registers;
  const table = selector & 4 ? { base: segments.ldtr.base, limit: segments.ldtr.limit, name: 'LDT' } : { ...gdtr, name: 'GDT' };
  const place = selector & 0xfff8;
  const what = `has ${selectorName(selector)}, which`;
  if (place + DESCRIPTOR_BYTES - 1 > table.limit) return bad(`${what} lies behind the ${table.name}'s limit 0x${hex(table.limit, 4)}`);
  const words = readWords(cpu, table.base + place);
  if (typeof words === 'string') return bad(`${what} ${words}`);
  const [, high] = words;
  const level = (high >>> 13) & 3;
  if ((high & CODE_SEGMENT) !== CODE_SEGMENT) return bad(`${what} is no code segment`);
  if (level > cpl) return bad(`${what} has less privilege (DPL ${level}) than the code that runs (CPL ${cpl})`);
  if ((high & Descriptor.PRESENT) === 0) return bad(`${what} is a code segment that is not present`);
  const conforming = (high & Descriptor.CONFORMING) !== 0;
  return { problem: undefined, level: conforming ? cpl : level };
}

/** The stack that takes the frame. */
function stack(cpu: CpuHandle, level: number): Finding {
  const { registers } = cpu;
  const { segments, cpl } = registers;
  let top = (segments.ss.base + registers.esp) >>> 0;
  let whose = 'SS:ESP';
  if (level < cpl) {
    const field = segments.tr.base + 4 + level * DESCRIPTOR_BYTES;
    const words = readWords(cpu, field);
    if (typeof words === 'string') return `needs the stack of level ${level} from the TSS, which ${words}`;
    if ((words[1] & 0xfffc) === 0)
      return `needs the stack of level ${level}, for which the TSS at 0x${hex(segments.tr.base)} has a null selector`;
    top = words[0];
    whose = `ESP${level} of the TSS`;
  }
  const address = (top - 4) >>> 0;
  const to = cpu.translate(address);
  if (to === undefined) return `needs room on the stack, and 0x${hex(address)} (${whose}) is not mapped`;
  if (!to.writable && (registers.cr0 & Cr0.WP) !== 0) return `needs room on the stack, and 0x${hex(address)} (${whose}) is read-only`;
  return undefined;
}

/** What keeps a vector from its handler. */
function obstacle(cpu: CpuHandle, vector: number): Finding {
  const { registers } = cpu;
  const { idtr, cr0, cpl, eflags } = registers;
  const name = entryName(vector);
  if ((cr0 & Cr0.PE) === 0) {
    if (vector * 4 + 3 > idtr.limit) return `${name} lies behind the IDT's limit 0x${hex(idtr.limit, 4)} (real-address mode)`;
    return undefined;
  }
  const place = vector * DESCRIPTOR_BYTES;
  if (place + DESCRIPTOR_BYTES - 1 > idtr.limit) return `${name} lies behind the IDT's limit 0x${hex(idtr.limit, 4)}`;
  const words = readWords(cpu, idtr.base + place);
  if (typeof words === 'string') return `${name} ${words}`;
  const [low, high] = words;
  const type = (high >>> 8) & 31;
  const isTask = type === SystemType.TASK;
  // A gate that was never written is not present in the first place.
  if (low === 0 && high === 0) return `${name} is not present (all of it is 0)`;
  if (!isTask && (type & 0x16) !== 6) return `${name} is no interrupt, trap or task gate (type 0x${hex(type, 2)})`;
  if ((high & Descriptor.PRESENT) === 0) return `${name} is not present`;
  if (isTask) return undefined;
  const { problem, level } = codeSegment(cpu, low >>> 16, cpl);
  if (problem !== undefined) return `${name} ${problem}`;
  if ((eflags & Eflags.VM) !== 0 && level !== 0)
    return `${name} leads to privilege level ${level}, and from virtual-8086 mode only 0 will do`;
  const room = stack(cpu, level);
  return room && `${name} is fine, but its handler ${room}`;
}

/** What an error code says of a descriptor, for what memory does not tell any more. */
function byCode({ vector, error, cr2 }: Delivered): string {
  if (vector === Vector.PF) return `0x${hex(cr2)} could not be reached`;
  const index = (error & 0xffff) >>> 3;
  if ((error & IN_IDT) !== 0) return `entry ${index} of the IDT was refused`;
  if (index !== 0) return `entry ${index} of the ${error & IN_LDT ? 'LDT' : 'GDT'} was refused`;
  return 'its frame, or its target, was refused';
}

const errorText = ({ what, vector, error }: Delivered): string =>
  (what & Delivery.ERROR) !== 0 ? `${vectorName(vector)}(0x${error.toString(16)})` : vectorName(vector);

const isException = ({ what }: Delivered) => (what & (Delivery.INTERRUPT | Delivery.SOFTWARE)) === 0;

/** Whether an exception came of the delivery before it. */
function follows({ registers }: CpuHandle, before: Delivered, after: Delivered): boolean {
  if (before.eip !== after.eip || !isException(after)) return false;
  if (after.vector === Vector.DF || (after.what & Delivery.SHUTDOWN) !== 0) return true;
  if ((after.what & Delivery.ERROR) === 0) return false;
  // Its error code tells nothing of a delivery, but where it was.
  if (after.vector === Vector.PF) return (registers.segments.ss.base + registers.esp - after.cr2) >>> 0 <= LARGEST_FRAME;
  const names = (after.error & IN_IDT) !== 0 && (after.error & 0xffff) >>> 3 === before.vector;
  return names || (isException(before) && (after.error & EXTERNAL) !== 0);
}

/**
 * A line for each delivery that failed, on the way to the last double or triple fault of a CPU: 'IDT entry 14 is not present', and what came of it. `deliveries`: its last ones, newest last. Tables are looked at as they
 * are now. Empty where there was none.
 */
export function whyFaults(cpu: CpuHandle, deliveries: readonly Delivered[]): string[] {
  const last = deliveries.findLastIndex(({ what, vector }) => (what & Delivery.SHUTDOWN) !== 0 || vector === Vector.DF);
  if (last < 0 || !isException(deliveries[last]!)) return [];
  let first = last;
  while (first > 0 && follows(cpu, deliveries[first - 1]!, deliveries[first]!)) first--;
  const lines: string[] = [];
  for (let n = first; n < last; n++) {
    const [failed, next] = [deliveries[n]!, deliveries[n + 1]!];
    const shuts = (next.what & Delivery.SHUTDOWN) !== 0;
    const then = shuts ? `${errorText(next)} in a double fault: the CPU shuts down` : errorText(next);
    const hidden = next.vector === Vector.DF && !shuts;
    const why = obstacle(cpu, failed.vector) ?? (hidden ? 'a second exception came on the way to its handler' : byCode(next));
    lines.push(`${isException(failed) ? errorText(failed) : `interrupt ${hex(failed.vector, 2)}`} was not delivered: ${why}; so ${then}`);
  }
  return lines;
}
