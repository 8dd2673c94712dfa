// A CPU's own local APIC, as far as it needs neither the device lock nor JavaScript: registers that are words, and the usual end of an
// interrupt. The rest is src/devices/lapic*.ts.
import { hostMmioWrite } from '../gen/host';
import { Cpu, control, LAPIC_BASE, LAPIC_WORD, LAPIC_WORDS } from '../gen/layout';

/** The words of the CPU's local APIC; 0 where it is switched off, or there is none. */
function own(cpu: Cpu): usize {
  const all: usize = control.lapics;
  if (all == 0) return 0;
  const words = all + cpu.index * LAPIC_WORDS * 4;
  return load<u32>(words + LAPIC_WORD.GLOBAL * 4) ? words : 0;
}

/** Address of the word that is the register at `phys`, which is in the page of LAPIC_BASE; 0: the device must be asked. */
export function lapicWord(cpu: Cpu, phys: u32): usize {
  const words = own(cpu);
  if (words == 0) return 0;
  const word: u32 = load<u8>(control.lapicTable + ((phys & 0xfff) >>> 4));
  return word ? words + (word - 1) * 4 : 0;
}

/**
 * Ends the interrupt in service, if there is one. False where the device must do it: it was level-triggered. Only the CPU itself
 * changes its ISR. Whoever requests an interrupt meanwhile sets IRR and then looks at ISR; here ISR is cleared and then IRR looked at. So one of
 * both sees that it can be delivered.
 */
export function endInterrupt(cpu: Cpu): bool {
  const words = own(cpu);
  if (words == 0) return false;
  for (let i: i32 = 7; i >= 0; i--) {
    const isr = words + ((LAPIC_WORD.ISR + i) << 2);
    const service = load<u32>(isr);
    if (!service) continue;
    const bit: u32 = 0x80000000 >>> clz(service);
    if (load<u32>(words + ((LAPIC_WORD.TMR + i) << 2)) & bit) return false;
    atomic.and<u32>(isr, ~bit);
    let requests: u32 = 0;
    for (let n: u32 = 0; n < 8; n++) requests |= atomic.load<u32>(words + ((LAPIC_WORD.IRR + n) << 2));
    // A write of the task priority, though it changes nothing, has the device see what may interrupt now.
    if (requests) hostMmioWrite(cpu, LAPIC_BASE + 0x80, 4, load<u32>(words + LAPIC_WORD.TPR * 4));
    return true;
  }
  return true;
}
