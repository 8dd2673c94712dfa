// Configuration mechanism 1 (PCI 2.2, 3.2.2.3.2): an address at port CF8H, data at CFCH. Bus 0 only.
import { struct, u32 } from '../../layout/struct.ts';
import type { View } from '../../layout/view.ts';
import type { DeviceContext } from '../device.ts';
import type { PciFunction } from './function.ts';

/** The address register, and how many ports it and the data are. */
export const CONFIG_PORT = 0xcf8;
export const CONFIG_PORTS = 8;
const DATA_PORT = 0xcfc;
/** The reset control register lies inside the address register's dword. */
const RESET_PORT = 0xcf9;
/** Enable, bus, device, function and register. */
const ADDRESS_WRITABLE = 0x80fffffc;

/** Port CF9H: byte accesses to it go here. */
export interface ResetPort {
  read(): number;
  write(value: number): void;
}

const ConfigPortsState = struct({
  /** Port CF8H. */
  address: u32,
});

export class ConfigPorts {
  readonly #s: View<typeof ConfigPortsState>;
  readonly #find: (devfn: number) => PciFunction | undefined;

  /** `find`: the function at a device and function number. */
  constructor(context: DeviceContext, find: (devfn: number) => PciFunction | undefined, resetPort?: ResetPort) {
    const s = context.state(ConfigPortsState);
    this.#s = s;
    this.#find = find;
    context.ports.map(CONFIG_PORT, 4, {
      width: 4,
      read: (port, size) => {
        if (size === 4 && port === CONFIG_PORT) return s.address;
        return size === 1 && port === RESET_PORT && resetPort !== undefined ? resetPort.read() : 0xffffffff;
      },
      write: (port, size, value) => {
        if (size === 4 && port === CONFIG_PORT) s.address = value & ADDRESS_WRITABLE;
        else if (size === 1 && port === RESET_PORT) resetPort?.write(value);
      },
    });
    const register = (port: number) => (s.address & 0xfc) | (port & 3);
    context.ports.map(DATA_PORT, 4, {
      width: 4,
      read: (port, size) => this.#selected()?.readConfig(register(port), size) ?? 0xffffffff,
      write: (port, size, value) => this.#selected()?.writeConfig(register(port), size, value),
    });
  }

  reset(): void {
    this.#s.address = 0;
  }

  #selected(): PciFunction | undefined {
    const { address } = this.#s;
    // Enable bit set, bus 0.
    return address >>> 16 === 0x8000 ? this.#find((address >>> 8) & 0xff) : undefined;
  }
}
