// The test device that kvm-unit-tests looks for, as QEMU's pc-testdev has it: a latch at ports E0H to E3H (and, a byte at a time, at E8H to EBH), a port
// that does nothing (E4H; it drops a hypervisor's page), ports 2000H + n that drive interrupt line n, and 64 KiB of device memory at FF000000H.
import { area, array, struct, u8 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { AccessSize, Device, DeviceContext } from './device.ts';
import { IOAPIC_INPUTS } from './ioapic.ts';

const LATCH_PORT = 0xe0;
const FLUSH_PORT = 0xe4;
const LATCH_BYTES_PORT = 0xe8;
const IRQ_PORT = 0x2000;
export const TEST_MEMORY = 0xff000000;
const TEST_MEMORY_BYTES = 0x10000;

const TestState = struct({
  memory: area(TEST_MEMORY_BYTES, 4),
  latch: array(4, u8),
});

export class TestDevice implements Device {
  readonly name = 'test-device';
  readonly #s: View<typeof TestState>;

  constructor(context: DeviceContext) {
    const s = context.state(TestState);
    this.#s = s;
    const latch = {
      read: (port: number, size: AccessSize) => read(s.latch, port & 3, size),
      write: (port: number, size: AccessSize, value: number) => write(s.latch, port & 3, size, value),
    };
    context.ports.map(LATCH_PORT, 4, { ...latch, width: 4 });
    context.ports.map(FLUSH_PORT, 4, { width: 4, read: () => 0 });
    // The debug console keeps its port.
    for (let n = 0; n < 4; n++) if (!context.ports.claimed(LATCH_BYTES_PORT + n)) context.ports.map(LATCH_BYTES_PORT + n, 1, latch);
    context.ports.map(IRQ_PORT, IOAPIC_INPUTS, {
      read: () => 0,
      write: (port, _size, value) => context.irq.setIrq(port - IRQ_PORT, value !== 0),
    });
    context.mmio.map(TEST_MEMORY, TEST_MEMORY_BYTES, {
      read: (offset, size) => read(s.memory, offset, size),
      write: (offset, size, value) => write(s.memory, offset, size, value),
    });
  }

  reset(): void {
    clear(this.#s);
  }
}

function read(bytes: Uint8Array, at: number, size: AccessSize): number {
  let value = 0;
  for (let n = 0; n < size; n++) value |= bytes[at + n] << (8 * n);
  return value;
}

function write(bytes: Uint8Array, at: number, size: AccessSize, value: number): void {
  for (let n = 0; n < size; n++) bytes[at + n] = value >>> (8 * n);
}
