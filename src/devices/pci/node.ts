// The PCI bus in the DSDT: what its bridge passes on, and where interrupts go.
import type { Aml } from '../aml.ts';
import * as aml from '../aml.ts';
import { CONFIG_PORT, CONFIG_PORTS } from './config-ports.ts';
import { pciGsi, pciIsaIrq } from './routing.ts';

/** Memory that the host bridge passes on to the bus. */
const WINDOW_FIRST = 0xc0000000;
const WINDOW_LAST = 0xfebfffff;

/** Routing of every slot's four pins: I/O APIC inputs, or ISA interrupts. */
function routing(apic: boolean): Aml {
  const pins: Aml[] = [];
  for (let slot = 1; slot < 32; slot++) {
    for (let pin = 0; pin < 4; pin++) {
      const gsi = pciGsi(slot, pin + 1);
      pins.push(aml.pack(aml.integer(slot * 0x10000 + 0xffff), aml.integer(pin), aml.integer(0), aml.integer(apic ? gsi : pciIsaIrq(gsi))));
    }
  }
  return aml.pack(...pins);
}

/** The bus in the DSDT, with what is behind its bridges at fixed places. `picMode`: a name that is 1 where the kernel uses the I/O APIC. */
export const pciNode = (picMode: string, devices: readonly Aml[]): Aml =>
  aml.device(
    'PCI0',
    aml.define('_HID', aml.eisaId('PNP0A03')),
    aml.define('_UID', aml.integer(0)),
    aml.define('_BBN', aml.integer(0)),
    aml.define(
      '_CRS',
      aml.resources(
        aml.busNumbers(0, 0xff),
        aml.ioPorts(CONFIG_PORT, CONFIG_PORTS),
        aml.ioWindow(0, CONFIG_PORT - 1),
        aml.ioWindow(CONFIG_PORT + CONFIG_PORTS, 0xffff),
        aml.memoryWindow(WINDOW_FIRST, WINDOW_LAST),
      ),
    ),
    aml.define('PRTA', routing(true)),
    aml.define('PRTP', routing(false)),
    aml.method('_PRT', 0, aml.when(aml.name(picMode), aml.returns(aml.name('PRTA'))), aml.returns(aml.name('PRTP'))),
    ...devices,
  );
