// Where interrupts of PCI functions go: the line of slot `s`, pin `p` (INTA = 1) is I/O APIC input 16 + ((s + p - 1) & 7), and, for a kernel that uses
// the 8259s, ISA interrupt 10 or 11; interrupts.ts drives both. The tables say the same.

/** First I/O APIC input of the PCI lines, and their number. */
export const PCI_GSI_BASE = 16;
export const PCI_LINES = 8;

/** I/O APIC input of a slot's pin (1 = INTA). */
export const pciGsi = (slot: number, pin: number): number => PCI_GSI_BASE + ((slot + pin - 1) & (PCI_LINES - 1));
/** ISA interrupt of the same line, for kernels that use the 8259s: SeaBIOS's choice for a 440FX, whose four lines are 10, 10, 11 and 11 from slot 1, INTA on. */
export const pciIsaIrq = (gsi: number): number => 10 + (((gsi - 1) >> 1) & 1);
