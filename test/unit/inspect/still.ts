// One CPU with 16 MiB of RAM that a test runs itself, and what inspection has of it between its runs.
import type { CpuHandle, MachineMemory } from '../../../src/api/inspect.ts';
import { EXACT, relaxBits } from '../../../src/api/relax.ts';
import { Translator } from '../../../src/cache/translator.ts';
import { loadEngineImage } from '../../../src/cpu/image.ts';
import { createMemory } from '../../../src/cpu/state.ts';
import { type CpuHost, Vcpu } from '../../../src/cpu/vcpu.ts';
import { FIRST_FORM } from '../../../src/emit/interpreter/table.ts';
import { directBuilders } from '../../../src/emit/module/load.ts';
import { type Inspection, inspection } from '../../../src/inspect/inspection.ts';
import { MachineSymbols } from '../../../src/inspect/symbols.ts';
import { Cpu, Exit, Seg, SegCache } from '../../../src/layout/cpu.ts';
import { BlockHead, CONTROL, Control, planMemory, RAM } from '../../../src/layout/memory.ts';
import { hostRuntime } from '../../../src/machine/host-runtime.ts';

export const MiB = 1 << 20;
export const RAM_BYTES = 16 * MiB;

export interface Still {
  readonly vcpu: Vcpu;
  readonly cpu: CpuHandle;
  readonly memory: MachineMemory;
  readonly symbols: MachineSymbols;
  readonly guestSymbols: Inspection['guestSymbols'];
  /** RAM, from physical address 0 on. */
  readonly ram: Uint8Array;
  readonly view: DataView;
  /** Whether the calls of inspection are refused. */
  runs: boolean;
  /** Puts code (hexadecimal) into RAM before anything of it was executed. */
  put(physical: number, code: string): void;
  /** Runs until HLT. */
  run(): void;
}

const NOTHING: CpuHost = {
  portIn: () => -1,
  portOut: () => {},
  mmioRead: () => -1,
  mmioWrite: () => {},
  rdtsc: () => 123_456_789_012n,
  setTscDeadline: () => {},
  setApicBase: () => {},
  tscDeadlineArmed: () => 0,
  interruptAck: () => 0x30,
  fpuError: () => 0,
  trace: () => {},
};

/** In 32-bit protected mode, flat, at CPL 0, without paging; EIP 0x1000, ESP 0x8000. 'jit': every block is translated when it is decoded. */
export function still(engine: 'interpreter' | 'jit' = 'interpreter'): Still {
  const image = loadEngineImage();
  const shared = createMemory(planMemory(1, RAM_BYTES));
  const { i32 } = shared;
  i32[(CONTROL + Control.at.relax) >> 2] = relaxBits(EXACT);
  const vcpu = new Vcpu(image, shared, 0, NOTHING);
  if (engine === 'jit') {
    const translator = new Translator(shared, FIRST_FORM + image.keys.length, directBuilders, true);
    vcpu.onDecode = (head) => {
      const at = (offset: number) => i32[(head + offset) >> 2]! >>> 0;
      if (at(BlockHead.at.region) !== 0) return;
      const module = translator.translate([{ phys: at(BlockHead.at.phys), eip: at(BlockHead.at.eip), mode: at(BlockHead.at.mode) }], true);
      if (module !== undefined) vcpu.regions.install(module);
    };
  }
  vcpu.reset();
  for (let s = 0; s < 6; s++) {
    const at = Cpu.at.seg + s * SegCache.size;
    vcpu.set(at + SegCache.at.selector, s === Seg.CS ? 8 : 0x10);
    vcpu.set(at + SegCache.at.base, 0);
    vcpu.set(at + SegCache.at.limit, -1);
    vcpu.set(at + SegCache.at.access, s === Seg.CS ? 0xcf9b00 : 0xcf9300);
  }
  vcpu.set(Cpu.at.cr0, 0x11);
  vcpu.set(Cpu.at.eip, 0x1000);
  vcpu.setGpr(4, 0x8000);
  vcpu.refresh();
  const ram = shared.u8.subarray(RAM, RAM + RAM_BYTES);
  const runtime = hostRuntime(shared, () => NOTHING);
  const symbols = new MachineSymbols(undefined, undefined);
  const machine = { runs: false };
  const requireStopped = () => {
    if (machine.runs) throw new Error('it runs');
  };
  const { cpus, memory, guestSymbols } = inspection({ shared, runtime, symbols, requireStopped });
  return Object.assign(machine, {
    vcpu,
    cpu: cpus[0]!,
    memory,
    symbols,
    guestSymbols,
    ram,
    view: new DataView(shared.memory.buffer, RAM, RAM_BYTES),
    put: (physical: number, code: string) => ram.set(Buffer.from(code.replaceAll(' ', ''), 'hex'), physical),
    run: () => {
      if (vcpu.get(Cpu.at.halted) !== 0) throw new Error('it is in HLT');
      const exit = vcpu.run();
      if (exit !== Exit.HALT)
        throw new Error(`exit ${exit}, fault ${vcpu.get(Cpu.at.fault).toString(16)} at ${vcpu.get(Cpu.at.eip).toString(16)}`);
    },
  });
}

/** Engines that a test of changes runs on. */
export const ENGINES = ['interpreter', 'jit'] as const;

/** A GDT at 0x2000: null, code and data of CPL 0 (8, 0x10), code and data of CPL 3 (0x1b, 0x23), data with base 0x5000 and limit 0xff (0x28), one that is not present (0x30). */
export function placeGdt({ view, vcpu }: Still): void {
  const descriptors = [
    0n,
    0x00cf9b000000ffffn,
    0x00cf93000000ffffn,
    0x00cffb000000ffffn,
    0x00cff3000000ffffn,
    0x00409200500000ffn,
    0x00cf13000000ffffn,
  ];
  descriptors.forEach((words, n) => view.setBigUint64(0x2000 + n * 8, words, true));
  vcpu.set(Cpu.at.gdtBase, 0x2000);
  vcpu.set(Cpu.at.gdtLimit, descriptors.length * 8 - 1);
}
