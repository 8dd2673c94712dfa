// Every register of the interrupt controllers, timers and serial ports: which bits stick, which never change, what is there at reset.
import { ACPI_PM_REGISTERS } from './acpi-pm.ts';
import { IOAPIC_REGISTERS } from './ioapic.ts';
import { LAPIC_REGISTERS } from './lapic.ts';
import { PIC_REGISTERS } from './pic.ts';
import { PIT_REGISTERS } from './pit.ts';
import { checkRegisters } from './register.ts';
import { RTC_REGISTERS } from './rtc.ts';
import { UART_REGISTERS } from './uart.ts';

checkRegisters('8259A', PIC_REGISTERS);
checkRegisters('local APIC', LAPIC_REGISTERS);
checkRegisters('I/O APIC', IOAPIC_REGISTERS);
checkRegisters('8254', PIT_REGISTERS);
checkRegisters('MC146818', RTC_REGISTERS);
checkRegisters('16550A', UART_REGISTERS);
checkRegisters('ACPI', ACPI_PM_REGISTERS);
