// A CPU's own local APIC, as far as it needs neither the device lock nor JavaScript: registers that are words, and the usual end of an
// interrupt. The rest is src/devices/lapic*.ts.
import { hostMmioWrite } from '../gen/host';
import { Cpu, control, LAPIC_BASE, Lapic } from '../gen/layout';

/** The CPU's local APIC; 0 where it is switched off, or there is none. */
function own(cpu: Cpu): Lapic {
  const all: usize = control.lapics;
  if (all == 0) return changetype<Lapic>(0);
  const lapic = changetype<Lapic>(all + cpu.index * Lapic.SIZE);
  return lapic.global ? lapic : changetype<Lapic>(0);
}

/** Address of the word that is the register at `phys`, which is in the page of LAPIC_BASE; 0: the device must be asked. */
export function lapicWord(cpu: Cpu, phys: u32): usize {
  const lapic = changetype<usize>(own(cpu));
  if (lapic == 0) return 0;
  const word: u32 = load<u8>(control.lapicTable + ((phys & 0xfff) >>> 4));
  return word ? lapic + (word - 1) * 4 : 0;
}

/**
 * Ends the interrupt in service, if there is one. False where the device must do it: it was level-triggered. Only the CPU itself
 * changes its ISR. Whoever requests an interrupt meanwhile sets IRR and then looks at ISR; here ISR is cleared and then IRR looked at. So one of
 * both sees that it can be delivered.
 */
export function endInterrupt(cpu: Cpu): bool {
  const lapic = own(cpu);
  if (!lapic) return false;
  for (let i: i32 = 7; i >= 0; i--) {
    const service = lapic.isr.load(i);
    if (!service) continue;
    const bit: u32 = 0x80000000 >>> clz(service);
    if (lapic.tmr[i] & bit) return false;
    lapic.isr.and(i, ~bit);
    let requests: u32 = 0;
    for (let n: u32 = 0; n < 8; n++) requests |= lapic.irr.load(n);
    // A write of the task priority, though it changes nothing, has the device see what may interrupt now.
    if (requests) hostMmioWrite(cpu, LAPIC_BASE + 0x80, 4, lapic.tpr);
    return true;
  }
  return true;
}
