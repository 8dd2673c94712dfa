// One CPU with RAM and no devices, for tests of the engines: see test/harness/engine.ts for what it promises.

import type { ProfStats } from '../../src/api/options.ts';
import { EXACT, type RelaxTerm, relaxBits } from '../../src/api/relax.ts';
import { takeRequests } from '../../src/cache/heat.ts';
import { type TranslatedModule, Translator } from '../../src/cache/translator.ts';
import { loadEngineImage } from '../../src/cpu/image.ts';
import { createMemory } from '../../src/cpu/state.ts';
import { Vcpu } from '../../src/cpu/vcpu.ts';
import { Outlets } from '../../src/devices/outlet.ts';
import { FIRST_FORM } from '../../src/emit/interpreter/table.ts';
import type { MakeBuilder } from '../../src/emit/module/builder.ts';
import { directBuilders } from '../../src/emit/module/load.ts';
import {
  Cpu,
  Eflags,
  Exit,
  FAULT_HAS_ERROR,
  GPR_STRIDE,
  Gpr,
  Mode,
  PENDING_HELD_SHIFT,
  Pending,
  Seg,
  SegCache,
} from '../../src/layout/cpu.ts';
import { BlockHead, CONTROL, Control, DIRECT_START, PAGE, PageMeta, planMemory, RAM } from '../../src/layout/memory.ts';
import { dumpCpu } from '../../src/machine/report/dump.ts';
import { profStats, readProf } from '../../src/machine/report/prof.ts';
import { TraceReader } from '../../src/machine/report/trace.ts';
import type { EngineState, RunOptions, RunResult, TestEngine } from './engine.ts';
import { Watchdog } from './watchdog.ts';

const RAM_BYTES = 16 << 20;
const NOWHERE = 0xffffffff;
/** A write to it asserts IGNNE# while FERR# is, as on a PC. */
const IGNNE_PORT = 0xf0;

/** The guard against runs without an end is a time: so many instructions a millisecond are expected, on a slow day. */
const INSTRUCTIONS_MS = 400;
const SHORTEST_MS = 10_000;
const LONGEST_MS = 30_000;

/** An engine with the client prof, and what that has counted since it was made. */
export interface CountingEngine extends TestEngine {
  readonly counted: ProfStats;
}
export const createCountingEngine = (name: 'interpreter' | 'jit'): CountingEngine => new Engine(name, undefined, directBuilders, true);

/** 'jit' translates every block before its first execution. `onTrace` gets the lines of the execution trace. `makeBuilder`: the encoder. */
export function createTestEngine(
  name: 'interpreter' | 'jit',
  onTrace?: (text: string) => void,
  makeBuilder: MakeBuilder = directBuilders,
): TestEngine {
  return new Engine(name, onTrace, makeBuilder);
}

class Engine implements CountingEngine {
  readonly name: 'interpreter' | 'jit';
  private readonly cpu: Vcpu;
  private readonly translator: Translator;
  private readonly trace: TraceReader | undefined;
  private watchdog: Watchdog | undefined;
  private interruptPort = -1;
  private interruptVector = -1;
  private nextVector = -1;
  private interruptsOnError = false;
  private ferr = false;
  private ignoresErrors = false;

  constructor(name: 'interpreter' | 'jit', onTrace: ((text: string) => void) | undefined, makeBuilder: MakeBuilder, prof = false) {
    this.name = name;
    const image = loadEngineImage({ prof });
    const shared = createMemory(planMemory(1, RAM_BYTES));
    this.cpu = new Vcpu(image, shared, 0, {
      portIn: () => -1,
      portOut: (_cpu, port) => {
        if (port === IGNNE_PORT && this.ferr) this.ignoresErrors = true;
        if (port === this.interruptPort) this.interrupt();
      },
      mmioRead: () => -1,
      mmioWrite: () => {},
      rdtsc: () => process.hrtime.bigint(),
      setTscDeadline: () => {},
      setApicBase: () => {},
      tscDeadlineArmed: () => 0,
      interruptAck: () => {
        const vector = this.interruptVector;
        this.interruptVector = -1;
        return vector;
      },
      fpuError: (_cpu, level) => this.fpuError(level !== 0),
      trace: () => this.trace?.drain(),
    });
    if (onTrace !== undefined)
      this.trace = new TraceReader(
        shared,
        new Outlets().add(onTrace, () => {}),
      );
    this.control(Control.at.prof, prof ? 1 : 0);
    this.control(Control.at.trace, onTrace === undefined ? 0 : 1);
    this.translator = new Translator(shared, FIRST_FORM + image.keys.length, makeBuilder, true);
    this.translator.verify = true;
    if (name === 'jit') this.cpu.onDecode = (head) => this.translate(head);
    this.reset();
  }

  get counted(): ProfStats {
    return profStats(readProf(this.cpu.shared), true, false);
  }

  private translate(head: number): void {
    this.install(this.translator.byOwner(takeRequests(this.cpu.shared)).map((list) => this.translator.translate(list)));
    const at = (offset: number) => this.cpu.shared.i32[(head + offset) >> 2]! >>> 0;
    if (at(BlockHead.at.region) !== 0) return;
    const request = { phys: at(BlockHead.at.phys), eip: at(BlockHead.at.eip), mode: at(BlockHead.at.mode) };
    if (this.isStackBeside(request.mode)) this.translator.makePlain(request);
    this.install([this.translator.translate([request], true)]);
  }
  /** As the CPU says where it asks for a region (HeatRequest.plain). */
  private isStackBeside(mode: number): boolean {
    const { cpu } = this;
    const origin = mode & Mode.PHYSICAL ? DIRECT_START : cpu.shared.i32[(CONTROL + Control.at.directOrigin) >> 2]!;
    return origin === 0 || (cpu.get(Cpu.at.gpr + Gpr.ESP * GPR_STRIDE) - origin) >>> 0 >= RAM_BYTES - DIRECT_START;
  }
  private install(modules: readonly (TranslatedModule | undefined)[]): void {
    for (const module of modules) if (module !== undefined) this.cpu.regions.install(module);
  }

  /** Raises the interrupt that a run was asked for. */
  private interrupt(): void {
    const { cpu } = this;
    this.interruptVector = this.nextVector;
    Atomics.or(cpu.shared.i32, (cpu.base + Cpu.at.pending) >> 2, Pending.INTR);
  }

  /** FERR#; whether IGNNE# is asserted. The interrupt comes once until FERR# goes. */
  private fpuError(level: boolean): number {
    if (!level) this.ignoresErrors = false;
    else if (!this.ferr && this.interruptsOnError) this.interrupt();
    this.ferr = level;
    return this.ignoresErrors ? 1 : 0;
  }

  private control(offset: number, value: number): void {
    this.cpu.shared.i32[(CONTROL + offset) >> 2] = value;
  }

  reset(relax: readonly RelaxTerm[] = EXACT): void {
    const { cpu } = this;
    cpu.shared.i32[(CONTROL + Control.at.relax) >> 2] = relaxBits(relax);
    const { runtime } = cpu.instance;
    cpu.shared.u8.fill(0, RAM, RAM + RAM_BYTES);
    this.flushCode();
    runtime.flush!(cpu.base);
    cpu.reset();
    cpu.set(Cpu.at.dr + 24, 0xffff0ff0);
    const flat = (selector: number, access: number) => ({ selector, base: 0, limit: 0xffffffff, access });
    const segments = Array.from({ length: 8 }, (_, s) => (s === Seg.CS ? flat(8, 0xc09b00) : flat(16, 0xc09300)));
    segments[Seg.LDTR] = { selector: 0, base: 0, limit: 0, access: 0 };
    segments[Seg.TR] = { selector: 0, base: 0, limit: 0xffff, access: 0x8b00 };
    this.setState({
      segments,
      cpl: 0,
      cr0: 0x11,
      gpr: new Uint32Array(8),
      eflags: 2,
      eip: 0,
      gdt: { base: 0, limit: 0 },
      idt: { base: 0, limit: 0 },
    });
  }

  /** Forgets all code; the TLB's write rights come back with the next fills. */
  private flushCode(): void {
    const { cpu } = this;
    const { plan, i32 } = cpu.shared;
    for (let page = 0; page < RAM_BYTES >> 12; page++) {
      cpu.regions.invalidateAll(page);
      i32[(plan.pageMeta + page * PageMeta.size) >> 2] = 0;
    }
    cpu.regions.forgetDropped();
    cpu.blocks.flush();
    this.translator.giveBack();
  }

  writeMemory(linear: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const phys = this.physical(linear + from);
      const part = bytes.subarray(from, from + PAGE - (phys & (PAGE - 1)));
      this.cpu.shared.u8.set(part, RAM + phys);
      this.cpu.codeWritten(phys, part.length);
      from += part.length;
    }
  }

  readMemory(linear: number, length: number): Uint8Array {
    return Uint8Array.from({ length }, (_, i) => this.cpu.shared.u8[RAM + this.physical(linear + i)]!);
  }

  private physical(linear: number): number {
    const { cpu } = this;
    if (!(cpu.get(Cpu.at.cr0) >>> 31)) return linear;
    const mode = cpu.get(Cpu.at.mode);
    cpu.set(Cpu.at.mode, mode & ~4);
    const phys = cpu.instance.runtime.translateExec(cpu.base, linear) >>> 0;
    cpu.set(Cpu.at.mode, mode);
    if (cpu.get(Cpu.at.fault) !== 0) {
      cpu.set(Cpu.at.fault, 0);
      throw new Error(`linear address 0x${linear.toString(16)} is not mapped`);
    }
    return phys;
  }

  setState(state: Partial<EngineState>): void {
    const { cpu } = this;
    const { runtime } = cpu.instance;
    state.gpr?.forEach((v, n) => cpu.setGpr(n, v));
    for (const key of ['eip', 'cpl', 'cr0', 'cr2', 'cr3', 'cr4', 'mxcsr', 'fcw'] as const)
      if (state[key] !== undefined) cpu.set(Cpu.at[key], state[key]);
    if (state.eflags !== undefined) runtime.writeFlags(cpu.base, state.eflags, NOWHERE);
    state.segments?.forEach((s, n) => {
      const at = Cpu.at.seg + n * SegCache.size;
      for (const key of ['selector', 'base', 'limit', 'access'] as const) cpu.set(at + SegCache.at[key], s[key]);
    });
    state.dr?.forEach((v, n) => cpu.set(Cpu.at.dr + n * 4, v));
    if (state.dr) runtime.updateBreakpoints!(cpu.base);
    if (state.gdt) {
      cpu.set(Cpu.at.gdtBase, state.gdt.base);
      cpu.set(Cpu.at.gdtLimit, state.gdt.limit);
    }
    if (state.idt) {
      cpu.set(Cpu.at.idtBase, state.idt.base);
      cpu.set(Cpu.at.idtLimit, state.idt.limit);
    }
    if (state.fsw !== undefined) {
      cpu.set(Cpu.at.fsw, state.fsw & ~0x3800);
      cpu.set(Cpu.at.ftop, (state.fsw >> 11) & 7);
    }
    if (state.ftw !== undefined) cpu.set(Cpu.at.ftw, state.ftw);
    const { u8 } = cpu.shared;
    if (state.mm) for (let n = 0; n < 8; n++) u8.set(state.mm.subarray(n * 8, n * 8 + 8), cpu.base + Cpu.at.fpr + n * 16);
    if (state.xmm) u8.set(state.xmm, cpu.base + Cpu.at.xmm);
    if (state.cr0 !== undefined || state.cr3 !== undefined || state.cr4 !== undefined) {
      runtime.flush!(cpu.base);
      cpu.blocks.bumpJumps();
    }
    runtime.updateStep!(cpu.base);
    cpu.refresh();
  }

  getState(): EngineState {
    const { cpu } = this;
    const { u8 } = cpu.shared;
    const word = (offset: number) => cpu.get(offset);
    const mm = new Uint8Array(64);
    for (let n = 0; n < 8; n++) mm.set(u8.subarray(cpu.base + Cpu.at.fpr + n * 16, cpu.base + Cpu.at.fpr + n * 16 + 8), n * 8);
    return {
      gpr: Uint32Array.from({ length: 8 }, (_, n) => cpu.gpr(n)),
      eflags: (cpu.instance.runtime.readFlags(cpu.base) >>> 0) | Eflags.ONE,
      eip: word(Cpu.at.eip),
      segments: Array.from({ length: 8 }, (_, n) => {
        const at = Cpu.at.seg + n * SegCache.size;
        return {
          selector: word(at + SegCache.at.selector),
          base: word(at + SegCache.at.base),
          limit: word(at + SegCache.at.limit),
          access: word(at + SegCache.at.access),
        };
      }),
      cpl: word(Cpu.at.cpl),
      cr0: word(Cpu.at.cr0),
      cr2: word(Cpu.at.cr2),
      cr3: word(Cpu.at.cr3),
      cr4: word(Cpu.at.cr4),
      dr: Uint32Array.from({ length: 8 }, (_, n) => word(Cpu.at.dr + n * 4)),
      gdt: { base: word(Cpu.at.gdtBase), limit: word(Cpu.at.gdtLimit) },
      idt: { base: word(Cpu.at.idtBase), limit: word(Cpu.at.idtLimit) },
      mxcsr: word(Cpu.at.mxcsr),
      fcw: word(Cpu.at.fcw),
      fsw: word(Cpu.at.fsw) | (word(Cpu.at.ftop) << 11),
      ftw: word(Cpu.at.ftw),
      mm,
      xmm: u8.slice(cpu.base + Cpu.at.xmm, cpu.base + Cpu.at.xmm + 128),
    };
  }

  dump(): string {
    return dumpCpu(this.cpu.shared, 0, this.cpu.instance.runtime.readFlags);
  }

  close(): void {
    this.watchdog?.close();
    this.watchdog = undefined;
  }

  run(options: RunOptions = {}): RunResult {
    const { cpu } = this;
    this.control(Control.at.stopOnFault, options.faults === 'stop' ? 1 : 0);
    this.control(Control.at.hotThreshold, 0x7fffffff);
    this.control(Control.at.heatHead, 0);
    this.control(Control.at.heatTail, 0);
    const until = options.untilEip;
    this.control(Control.at.haltBehind, until === undefined ? 0 : (until + 1) >>> 0);
    this.interruptVector = -1;
    this.nextVector = options.interrupt?.vector ?? -1;
    this.interruptPort = options.interrupt?.port ?? -1;
    this.interruptsOnError = options.interrupt?.fpuError === true;
    this.ferr = false;
    this.ignoresErrors = false;
    let saved: number | undefined;
    // A HLT in the place of the instruction to stop before.
    const base = cpu.get(Cpu.at.seg + Seg.CS * SegCache.size + SegCache.at.base);
    if (until !== undefined) {
      saved = this.readMemory(base + until, 1)[0]!;
      this.writeMemory(base + until, Uint8Array.of(0xf4));
    }
    cpu.set(Cpu.at.pending, cpu.get(Cpu.at.pending) & ~(Pending.STOP | Pending.INTR | (Pending.INTR << PENDING_HELD_SHIFT)));
    const { maxInstructions } = options;
    const limitMs =
      options.limitMs ??
      (maxInstructions === undefined ? 0 : Math.min(Math.max(maxInstructions / INSTRUCTIONS_MS, SHORTEST_MS), LONGEST_MS));
    const interruptMs = options.interrupt?.afterMs ?? 0;
    if (limitMs > 0 || interruptMs > 0) this.watchdog ??= new Watchdog(cpu);
    this.watchdog?.start(limitMs, interruptMs);
    if (options.interrupt?.afterMs !== undefined) this.interruptVector = this.nextVector;
    let exit = cpu.run();
    while (exit === Exit.HALT && cpu.get(Cpu.at.eflags) & Eflags.IF && cpu.get(Cpu.at.pending) & Pending.INTR) {
      cpu.set(Cpu.at.halted, 0);
      exit = cpu.run();
    }
    this.watchdog?.stop();
    this.trace?.drain();
    const restore = () => {
      if (saved !== undefined) this.writeMemory(base + until!, Uint8Array.of(saved));
    };
    cpu.set(Cpu.at.halted, 0);
    switch (exit) {
      case Exit.HALT:
        if (until !== undefined && cpu.get(Cpu.at.eip) === until + 1) {
          cpu.set(Cpu.at.eip, until);
          restore();
          return { reason: 'reached' };
        }
        restore();
        return { reason: 'halted' };
      case Exit.FAULT: {
        restore();
        const fault = cpu.get(Cpu.at.fault);
        cpu.set(Cpu.at.fault, 0);
        return { reason: 'fault', vector: fault & 0xff, ...(fault & FAULT_HAS_ERROR ? { error: cpu.get(Cpu.at.faultError) } : {}) };
      }
      case Exit.STOP:
        restore();
        cpu.set(Cpu.at.pending, cpu.get(Cpu.at.pending) & ~Pending.STOP);
        return { reason: 'limit' };
      case Exit.TRIPLE_FAULT:
        restore();
        return { reason: 'shutdown' };
      default:
        throw new Error(`unexpected exit ${exit}, argument ${cpu.get(Cpu.at.exitArg)} at EIP 0x${cpu.get(Cpu.at.eip).toString(16)}`);
    }
  }
}
