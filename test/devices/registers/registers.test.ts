// Every register of the interrupt controllers and timers: which bits stick, which never change, what is there at reset.
import { IOAPIC_REGISTERS } from './ioapic.ts';
import { LAPIC_REGISTERS } from './lapic.ts';
import { PIC_REGISTERS } from './pic.ts';
import { PIT_REGISTERS } from './pit.ts';
import { checkRegisters } from './register.ts';

checkRegisters('8259A', PIC_REGISTERS);
checkRegisters('local APIC', LAPIC_REGISTERS);
checkRegisters('I/O APIC', IOAPIC_REGISTERS);
checkRegisters('8254', PIT_REGISTERS);
