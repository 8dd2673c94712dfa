// v86 (npm) as a process: boots a Linux kernel, or a multiboot kernel where INITRD is empty, and prints its first serial port. Arguments: BIOS VGA-BIOS KERNEL INITRD APPEND MIB [debug]: with the
// last, what the guest writes to port E9H is printed as well, and a write to port F4H ends the process.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { V86 } from 'v86';

const [bios, vgaBios, kernel, initrd, append, mib, debug] = process.argv.slice(2);
const image = (path: string) => ({ buffer: new Uint8Array(readFileSync(path)).buffer as ArrayBuffer });

const emulator = new V86({
  wasm_path: fileURLToPath(new URL('../node_modules/v86/build/v86.wasm', import.meta.url)),
  memory_size: Number(mib) * 1024 * 1024,
  bios: image(bios),
  vga_bios: image(vgaBios),
  ...(initrd === '' ? { multiboot: image(kernel) } : { bzimage: image(kernel), initrd: image(initrd) }),
  cmdline: append,
  // It has a local APIC only with ACPI, and Linux is faster without.
  acpi: initrd === '',
  disable_speaker: true,
  autostart: true,
});
emulator.add_listener('serial0-output-byte', (byte: number) => process.stdout.write(Uint8Array.of(byte)));
if (debug === 'debug') {
  interface Ports {
    register_write(port: number, device: unknown, write8: (value: number) => void): void;
  }
  emulator.add_listener('emulator-ready', () => {
    const { io } = (emulator as unknown as { readonly v86: { readonly cpu: { readonly io: Ports } } }).v86.cpu;
    io.register_write(0xe9, undefined, (value) => process.stdout.write(Uint8Array.of(value)));
    io.register_write(0xf4, undefined, () => process.exit());
  });
}
