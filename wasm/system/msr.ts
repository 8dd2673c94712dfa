// Model-specific registers and the time-stamp counter.
import { raiseError } from '../base/fault';
import { serialize } from '../base/state';
import { flushJumps } from '../engine/fetched';
import { hostSetApicBase, hostSetTscDeadline, hostTscDeadlineArmed } from '../gen/host';
import { Cpu, Cr4, Gpr, LAPIC_BASE, Vector } from '../gen/layout';
import { flushAndProve } from '../memory/tlb';
import { EFER_NXE, MSR_SLOT_EFER } from '../memory/walk';
import { machineTsc } from './clock';
import { privileged } from './control';

// Slots of Cpu.msr; 0 is MSR_SLOT_EFER. PAT and MISC_ENABLE are kept as the difference from their reset values, so that a
// zeroed CPU has those.
const SLOT_PAT: u32 = 1;
const SLOT_MISC_ENABLE: u32 = 2;
const SLOT_DEBUGCTL: u32 = 3;
const SLOT_TSC_DEADLINE: u32 = 4;
const SLOT_MCG_STATUS: u32 = 5;
const SLOT_MC0_CTL: u32 = 6;
/** One bank of machine-check registers, in which no error is ever reported (SDM vol. 3, 15.3). */
const MCG_BANKS: u64 = 1;
const PAT_RESET: u64 = 0x0007040600070406;
/** Fast strings; no branch trace store, no precise event sampling. */
const MISC_ENABLE_RESET: u64 = 0x1801;
const APIC_BASE_BSP: u32 = 1 << 8;
export const APIC_BASE_ENABLE: u32 = 1 << 11;

@inline
function slot(cpu: Cpu, n: u32): u64 {
  return cpu.msr[n];
}

@inline
function setSlot(cpu: Cpu, n: u32, value: u64): void {
  cpu.msr[n] = value;
}

function tsc(cpu: Cpu): u64 {
  return machineTsc(cpu) + cpu.tscOffset;
}

function setPair(cpu: Cpu, value: u64): void {
  cpu.gpr[Gpr.EAX] = <u32>value;
  cpu.gpr[Gpr.EDX] = <u32>(value >> 32);
}

/** MSRs that kernels read without asking and that say nothing here: they read 0 and ignore writes. */
function empty(index: u32): bool {
  switch (index) {
    case 0x0: // P5_MC_ADDR
    case 0x1: // P5_MC_TYPE
    case 0x17: // PLATFORM_ID
    case 0x2a: // EBL_CR_POWERON
    case 0x3a: // FEATURE_CONTROL
    case 0x79: // BIOS_UPDT_TRIG
    case 0xcd: // FSB_FREQ
    case 0xce: // PLATFORM_INFO
    case 0xfe: // MTRRCAP
    case 0x119: // BBL_CR_CTL
    case 0x11e: // BBL_CR_CTL3
    case 0x198: // PERF_STATUS
    case 0x199: // PERF_CTL
    case 0x19a: // CLOCK_MODULATION
    case 0x19b: // THERM_INTERRUPT
    case 0x19c: // THERM_STATUS
    case 0x1db: // LASTBRANCHFROMIP ... LASTINTTOIP
    case 0x1dc:
    case 0x1dd:
    case 0x1de:
    case 0x2ff: // MTRR_DEF_TYPE
      return true;
    default:
      return false;
  }
}

/** RDMSR: ECX -> EDX:EAX. */
export function rdmsr(cpu: Cpu): void {
  if (privileged(cpu)) return;
  const index = cpu.gpr[Gpr.ECX];
  let value: u64 = 0;
  switch (index) {
    case 0x10:
      value = tsc(cpu);
      break;
    case 0x1b:
      value = cpu.apicBase;
      break;
    // The counters of all CPUs are one; what a CPU's differs by is all there is to adjust (SDM vol. 3, 17.17.3).
    case 0x3b:
      value = cpu.tscOffset;
      break;
    case 0x6e0:
      value = hostTscDeadlineArmed(cpu) ? slot(cpu, SLOT_TSC_DEADLINE) : 0;
      break;
    case 0x8b:
      value = (<u64>0x219) << 32;
      break; // BIOS_SIGN: newer than any erratum that kernels know of
    case 0x174:
      value = cpu.sysenterCs;
      break;
    case 0x175:
      value = cpu.sysenterEsp;
      break;
    case 0x176:
      value = cpu.sysenterEip;
      break;
    case 0x179:
      value = MCG_BANKS;
      break;
    case 0x17a:
      value = slot(cpu, SLOT_MCG_STATUS);
      break;
    case 0x400:
      value = slot(cpu, SLOT_MC0_CTL);
      break;
    case 0x401:
      break; // MC0_STATUS
    case 0x1a0:
      value = slot(cpu, SLOT_MISC_ENABLE) ^ MISC_ENABLE_RESET;
      break;
    case 0x1d9:
      value = slot(cpu, SLOT_DEBUGCTL);
      break;
    case 0x277:
      value = slot(cpu, SLOT_PAT) ^ PAT_RESET;
      break;
    case 0xc0000080:
      value = slot(cpu, MSR_SLOT_EFER);
      break;
    default:
      if (!empty(index)) {
        raiseError(cpu, Vector.GP, 0);
        return;
      }
  }
  setPair(cpu, value);
}

/** Each byte of the PAT must be a memory type: 0, 1, 4, 5, 6 or 7 (SDM vol. 3, 11.12.2). */
function goodPat(value: u64): bool {
  for (let i = 0; i < 8; i++) {
    const type = <u32>(value >> (i << 3)) & 0xff;
    if (type > 7 || type == 2 || type == 3) return false;
  }
  return true;
}

/** IA32_APIC_BASE (SDM vol. 3, 11.4.4): boot CPU and enabled can change. The registers stay where they are, and there is no x2APIC mode. */
function goodApicBase(value: u64): bool {
  return (value & ~(<u64>(APIC_BASE_BSP | APIC_BASE_ENABLE))) == LAPIC_BASE;
}

/** WRMSR: EDX:EAX -> MSR[ECX]. */
export function wrmsr(cpu: Cpu): void {
  serialize(cpu);
  if (privileged(cpu)) return;
  const index = cpu.gpr[Gpr.ECX];
  const low = cpu.gpr[Gpr.EAX];
  const high = cpu.gpr[Gpr.EDX];
  const value = <u64>low | ((<u64>high) << 32);
  let good = true;
  switch (index) {
    case 0x10:
      cpu.tscOffset = value - machineTsc(cpu);
      break;
    case 0x1b:
      good = goodApicBase(value);
      if (good && low != cpu.apicBase) {
        cpu.apicBase = low;
        hostSetApicBase(cpu, low);
      }
      break;
    case 0x3b:
      cpu.tscOffset = value;
      break;
    case 0x6e0:
      setSlot(cpu, SLOT_TSC_DEADLINE, value);
      hostSetTscDeadline(cpu, value == 0 ? 0 : max<i64>(value - cpu.tscOffset, 1));
      break;
    case 0x8b:
      break;
    case 0x174:
      cpu.sysenterCs = low;
      break;
    case 0x175:
      cpu.sysenterEsp = low;
      break;
    case 0x176:
      cpu.sysenterEip = low;
      break;
    case 0x17a:
      good = value < 8;
      if (good) setSlot(cpu, SLOT_MCG_STATUS, value);
      break;
    case 0x400:
      setSlot(cpu, SLOT_MC0_CTL, value);
      break;
    case 0x401:
      good = value == 0;
      break; // only clearing is allowed (SDM vol. 3, 15.3.2.2)
    case 0x1a0:
      setSlot(cpu, SLOT_MISC_ENABLE, value ^ MISC_ENABLE_RESET);
      break;
    case 0x1d9:
      setSlot(cpu, SLOT_DEBUGCTL, low & 3);
      break;
    case 0x277:
      good = goodPat(value);
      if (good) setSlot(cpu, SLOT_PAT, value ^ PAT_RESET);
      break;
    case 0xc0000080:
      good = (value & ~(<u64>EFER_NXE)) == 0;
      if (good && slot(cpu, MSR_SLOT_EFER) != value) {
        setSlot(cpu, MSR_SLOT_EFER, value);
        flushAndProve(cpu);
        flushJumps(cpu);
      }
      break;
    default:
      good = empty(index);
  }
  if (!good) raiseError(cpu, Vector.GP, 0);
}

export function rdtsc(cpu: Cpu): void {
  if (cpu.cpl != 0 && cpu.cr4 & Cr4.TSD) {
    raiseError(cpu, Vector.GP, 0);
    return;
  }
  setPair(cpu, tsc(cpu));
}

/** RDPMC: there are no counters, so every index is wrong. */
export function rdpmc(cpu: Cpu): void {
  raiseError(cpu, Vector.GP, 0);
}
