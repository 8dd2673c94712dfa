// The machine's DSDT (ACPI 5.0, 5.2.11.1): the PCI bus with its interrupt routing, devices at fixed places, and how to power off.
import { SLEEP_S5 } from '../../devices/acpi-pm.ts';
import { HPET_BASE, HPET_BYTES } from '../../devices/hpet.ts';
import { pciGsi, pciIsaIrq } from '../../devices/pci.ts';
import * as aml from './aml.ts';

/** PCI memory window of the host bridge. */
const PCI_WINDOW_FIRST = 0xc0000000;
const PCI_WINDOW_LAST = 0xfebfffff;

/** Routing of every slot's four pins: I/O APIC inputs, or ISA interrupts. */
function routing(apic: boolean): number[] {
  const slots: number[][] = [];
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const gsi = pciGsi(slot, pin + 1);
      slots.push(
        aml.pack(aml.integer(slot * 0x10000 + 0xffff), aml.integer(pin), aml.integer(0), aml.integer(apic ? gsi : pciIsaIrq(gsi))),
      );
    }
  }
  return aml.pack(...slots);
}

/** Its code, without the table's header. */
export function dsdtBody(): number[] {
  return [
    aml.define('\\PICM', aml.integer(0)),
    // The kernel says which interrupt controllers it uses: 0 the 8259s, 1 the I/O APIC.
    aml.method('\\_PIC', 1, aml.store(aml.arg(0), aml.name('\\PICM'))),
    aml.define('\\_S5', aml.pack(aml.integer(SLEEP_S5), aml.integer(SLEEP_S5), aml.integer(0), aml.integer(0))),
    aml.scope(
      '\\_SB',
      aml.device(
        'PCI0',
        aml.define('_HID', aml.eisaId('PNP0A03')),
        aml.define('_UID', aml.integer(0)),
        aml.define('_BBN', aml.integer(0)),
        aml.define(
          '_CRS',
          aml.resources(
            aml.busNumbers(0, 0xff),
            aml.ioPorts(0xcf8, 8),
            aml.ioWindow(0x0000, 0x0cf7),
            aml.ioWindow(0x0d00, 0xffff),
            aml.memoryWindow(PCI_WINDOW_FIRST, PCI_WINDOW_LAST),
          ),
        ),
        aml.define('PRTA', routing(true)),
        aml.define('PRTP', routing(false)),
        aml.method('_PRT', 0, aml.when(aml.name('\\PICM'), aml.returns(aml.name('PRTA'))), aml.returns(aml.name('PRTP'))),
        aml.device('RTC', aml.define('_HID', aml.eisaId('PNP0B00')), aml.define('_CRS', aml.resources(aml.ioPorts(0x70, 2), aml.irq(8)))),
        aml.device(
          'COM1',
          aml.define('_HID', aml.eisaId('PNP0501')),
          aml.define('_UID', aml.integer(1)),
          aml.define('_STA', aml.integer(0x0f)),
          aml.define('_CRS', aml.resources(aml.ioPorts(0x3f8, 8), aml.irq(4))),
        ),
        aml.device('HPET', aml.define('_HID', aml.eisaId('PNP0103')), aml.define('_CRS', aml.resources(aml.memory(HPET_BASE, HPET_BYTES)))),
        // The fixed hardware's ports belong to the board: nobody else may be put there.
        aml.device(
          'PM',
          aml.define('_HID', aml.eisaId('PNP0C02')),
          aml.define('_UID', aml.integer(1)),
          aml.define('_CRS', aml.resources(aml.ioPorts(0x600, 16), aml.ioPorts(0xe9, 1), aml.ioPorts(0xf4, 4))),
        ),
      ),
    ),
  ].flat();
}
