// Registers of a PCI function's configuration space (PCI 2.2, 6.1 and 6.2).

/** Of a type 0 header. */
export const PciConfig = {
  VENDOR_ID: 0x00,
  DEVICE_ID: 0x02,
  COMMAND: 0x04,
  STATUS: 0x06,
  REVISION: 0x08,
  CLASS: 0x09,
  HEADER_TYPE: 0x0e,
  BAR0: 0x10,
  SUBSYSTEM_VENDOR_ID: 0x2c,
  SUBSYSTEM_ID: 0x2e,
  CAPABILITIES: 0x34,
  INTERRUPT_LINE: 0x3c,
  INTERRUPT_PIN: 0x3d,
} as const;
/** Bits of the command register. */
export const PciCommand = { IO: 1, MEMORY: 2, BUS_MASTER: 4, SPECIAL: 8, PARITY: 0x40, SERR: 0x100, INTX_DISABLE: 0x400 } as const;
/** Bits of the status register. */
export const PciStatus = { INTERRUPT: 0x08, CAPABILITIES: 0x10 } as const;
