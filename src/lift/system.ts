// System instructions (SDM vol. 3, 2.8; vol. 1, 7.3.13 to 7.3.15): flags that are not arithmetic, ports, descriptor tables, MSRs.
import { Cpu, Eflags, SegCache, Shadow, Vector } from '../layout/cpu.ts';
import { runtime } from '../runtime/abi.ts';
import type { Lift, Lifter, LiftTable } from './lifter.ts';
import { setCarry, widthOf } from './shared.ts';

// Flags --------------------------------------------------------------------------------------------------------------

// CLC | STC | CMC
const clc = (x: Lifter): void => setCarry(x, x.b.const(0));
const stc = (x: Lifter): void => setCarry(x, x.b.const(1));
const cmc = (x: Lifter): void => {
  const r = x.flagR();
  x.flagsRX(r, x.b.xor(x.flagX(), x.b.const(0xc0000000)));
};

// CLD | STD
const cld = (x: Lifter): void => x.setState(Cpu.at.eflags, x.b.and(x.state(Cpu.at.eflags), x.b.const(~Eflags.DF)));
const std = (x: Lifter): void => x.setState(Cpu.at.eflags, x.b.or(x.state(Cpu.at.eflags), x.b.const(Eflags.DF)));

// CLI: #GP(0) where CPL > IOPL (also in virtual-8086 mode, where CPL is 3)
function cli(x: Lifter): void {
  const { b } = x;
  const eflags = x.state(Cpu.at.eflags);
  const iopl = b.and(b.shr_u(eflags, b.const(12)), b.const(3));
  x.raiseIf(b.gt_u(x.state(Cpu.at.cpl), iopl), Vector.GP, b.const(0));
  x.setState(Cpu.at.eflags, b.and(eflags, b.const(~Eflags.IF)));
}

// STI: interrupts come after the instruction that follows, where they did not come before. The usual one is at CPL 0, with IF clear, and nothing waits
function sti(x: Lifter): void {
  const { b } = x;
  const eflags = x.state(Cpu.at.eflags);
  const was = b.and(eflags, b.const(Eflags.IF));
  const again = x.helperIf([b.or(x.state(Cpu.at.cpl), was), x.state(Cpu.at.pending)], b.const(0), runtime.sti, [x.nextEip()]);
  x.setState(Cpu.at.shadow, b.select(was, x.state(Cpu.at.shadow), b.const(Shadow.STI)));
  x.setState(Cpu.at.shadowEip, b.select(was, x.state(Cpu.at.shadowEip), x.nextEip()));
  x.setState(Cpu.at.eflags, b.or(eflags, b.const(Eflags.IF)));
  x.nextIf(again);
}

// HLT: the CPU waits behind it
function hlt(x: Lifter): void {
  x.helper(runtime.hlt);
  x.setState(Cpu.at.eip, x.nextEip());
  x.leave();
}

// Ports --------------------------------------------------------------------------------------------------------------

// IN AL/AX/EAX, imm8/DX
const input = (x: Lifter): void => x.write(0, x.helper(runtime.portIn, [x.read(1), x.b.const(x.op(0).size)]));

// OUT imm8/DX, AL/AX/EAX
function output(x: Lifter): void {
  const value = x.read(1);
  x.helper(runtime.portOut, [x.read(0), x.b.const(x.op(1).size), value]);
}

// Descriptor tables --------------------------------------------------------------------------------------------------

// LGDT | LIDT  m16&32: with 16-bit operands the base has 24 bits
const loadTable =
  (name: 'lgdt' | 'lidt') =>
  (x: Lifter): void => {
    x.helper(runtime[name], [x.linear(0, 6, false), x.b.const(x.opsize)]);
  };

// SGDT | SIDT  m16&32
const storeTable =
  (name: 'sgdt' | 'sidt') =>
  (x: Lifter): void => {
    x.helper(runtime[name], [x.linear(0, 6, true)]);
  };

// LLDT | LTR  r/m16
const loadSystemSegment =
  (name: 'lldt' | 'ltr') =>
  (x: Lifter): void => {
    x.helper(runtime[name], [x.read(0)]);
  };

// SLDT | STR | SMSW  r/m16, r32 (zero-extended; SMSW: all of CR0)
const storeWord =
  (name: 'sldt' | 'str' | 'smsw') =>
  (x: Lifter): void => {
    x.write(0, x.helper(runtime[name]));
  };

// LMSW r/m16
const lmsw = (x: Lifter): void => void x.helper(runtime.lmsw, [x.read(0)]);

// LAR | LSL  r, r/m16: the helper sets ZF; where it is 0 the destination stays
const describeSegment =
  (name: 'lar' | 'lsl') =>
  (x: Lifter): void => {
    const { b } = x;
    const selector = b.and(x.read(1), b.const(0xffff));
    const value = x.helper(runtime[name], [selector]);
    x.write(0, b.select(x.cond('e'), value, x.read(0)));
  };

// VERR | VERW  r/m16: ZF
const verify =
  (name: 'verr' | 'verw') =>
  (x: Lifter): void => {
    x.helper(runtime[name], [x.read(0)]);
  };

// ARPL r/m16, r16
function arpl(x: Lifter): void {
  const destination = x.readRmw(0);
  x.write(0, x.helper(runtime.arpl, [destination, x.read(1)]));
}

// BOUND r, m: #BR where the signed index is out of [lower, upper]
function bound(x: Lifter): void {
  const { b } = x;
  const size = widthOf(x) / 8;
  const index = x.readSigned(0);
  const at = x.linear(1, size * 2, false);
  const lower = x.load('i32', size, at, { signed: true });
  const upper = x.load('i32', size, b.add(at, b.const(size)), { signed: true });
  x.raiseIf(b.or(b.lt_s(index, lower), b.gt_s(index, upper)), Vector.BR);
}

// Caches, TLB, MSRs --------------------------------------------------------------------------------------------------

// INVLPG m: the address is neither checked nor accessed
function invlpg(x: Lifter): void {
  const offset = x.offset(0);
  const linear = x.form.segmented ? x.b.add(x.stateAt('i32', 4, x.segment(), SegCache.at.base), offset) : offset;
  x.helper(runtime.invlpg, [linear]);
}

// CLFLUSH m8: faults as a load of the byte does
const clflush = (x: Lifter): void => void x.read(0);

// RDTSC | RDPMC | RDMSR | WRMSR | CPUID
const rdtsc = (x: Lifter): void => void x.helper(runtime.rdtsc);
const rdpmc = (x: Lifter): void => void x.helper(runtime.rdpmc);
const rdmsr = (x: Lifter): void => void x.helper(runtime.rdmsr);
const wrmsr = (x: Lifter): void => void x.helper(runtime.wrmsr);
const cpuid = (x: Lifter): void => void x.helper(runtime.cpuid);

/** A helper without arguments that may fault. */
const plain =
  (name: 'clts' | 'wbinvd'): Lift =>
  (x) => {
    x.helper(runtime[name]);
  };

// LFENCE | SFENCE: loads stay in order with loads and stores with stores in any case
const nothing = (): void => {};

// MFENCE
const mfence = (x: Lifter): void => x.fence();

// RSM outside system management mode: #UD
const rsm = (x: Lifter): void => x.raise(Vector.UD);

export const lifts: LiftTable = {
  clc,
  stc,
  cmc,
  cld,
  std,
  cli,
  sti,
  hlt: { lift: hlt, ends: true },
  in: input,
  out: output,
  lgdt: loadTable('lgdt'),
  lidt: loadTable('lidt'),
  sgdt: storeTable('sgdt'),
  sidt: storeTable('sidt'),
  lldt: loadSystemSegment('lldt'),
  ltr: loadSystemSegment('ltr'),
  sldt: storeWord('sldt'),
  str: storeWord('str'),
  smsw: storeWord('smsw'),
  lmsw: { lift: lmsw, dispatches: true },
  lar: describeSegment('lar'),
  lsl: describeSegment('lsl'),
  verr: verify('verr'),
  verw: verify('verw'),
  arpl,
  bound,
  invlpg: { lift: invlpg, dispatches: true },
  clts: plain('clts'),
  wbinvd: plain('wbinvd'),
  invd: plain('wbinvd'),
  clflush,
  lfence: nothing,
  sfence: nothing,
  mfence,
  rdtsc,
  rdpmc,
  rdmsr,
  wrmsr: { lift: wrmsr, dispatches: true },
  // What another CPU changed is dropped at a poll: there is one behind each serialising instruction.
  cpuid: { lift: cpuid, dispatches: true },
  pause: (x) => x.pause(),
  rsm: { lift: rsm, ends: true },
};
