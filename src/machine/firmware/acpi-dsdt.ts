// The machine's DSDT (ACPI 5.0, 5.2.11.1): which interrupt controllers the kernel uses, how to power off, and the PCI bus. Each device brings its node.
import { sleepNode } from '../../devices/acpi-pm.ts';
import * as aml from '../../devices/aml.ts';
import { ACPI_NODES } from '../../devices/list.ts';
import { pciNode } from '../../devices/pci/node.ts';

/** The kernel says it: 0 the 8259s, 1 the I/O APIC. */
const PIC_MODE = '\\PICM';

/** Its code, without the table's header. */
export function dsdtBody(): number[] {
  return [
    aml.define(PIC_MODE, aml.integer(0)),
    aml.method('\\_PIC', 1, aml.store(aml.arg(0), aml.name(PIC_MODE))),
    sleepNode,
    aml.scope('\\_SB', pciNode(PIC_MODE, ACPI_NODES)),
  ].flat();
}
