// A BIOS that is not ours, where Debian's package "seabios" is installed: it finds CPUs, memory, tables and the disk, starts its boot sector, and reads and
// shows text for it by INT 13H, 10H and 16H.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../src/api/index.ts';

const BIOS = '/usr/share/seabios/bios.bin';
const VALUE = 0x5a;
const installed = existsSync(BIOS);
if (!installed) console.warn(`no SeaBIOS test: ${BIOS} is not there (Debian's package seabios)`);

/** Shows a '>', waits for a key, reads the second sector to 0000:8000 and writes its first byte xor the key to the debug-exit port; 1 where that fails. */
const BOOT_SECTOR = [
  'b83e0e 31db cd10 b400 cd16 50', // mov ax, 0x0e3e; xor bx, bx; int 0x10; mov ah, 0; int 0x16; push ax
  'b80102 b90200 ba8000 31db 8ec3 8edb bb0080 cd13 5a b001 7205 a00080 30d0 e6f4 fa f4',
].join('');
const KEY = 'k';
const CPUS = 2;

it.skipIf(!installed).each(['jit', 'interpreter'] as const)('SeaBIOS boots from a virtio disk (%s)', async (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-seabios-'));
  try {
    const path = join(folder, 'disk');
    const image = Buffer.alloc(1 * MiB);
    image.set(Buffer.from(BOOT_SECTOR.replaceAll(' ', ''), 'hex'));
    image.set([0x55, 0xaa, VALUE], 510);
    writeFileSync(path, image);
    const log: Uint8Array[] = [];
    let shown = '';
    let typed = false;
    const machine = await Machine.create({
      bios: readFileSync(BIOS),
      memoryBytes: 64 * MiB,
      cpus: CPUS,
      engine,
      disks: [{ path }],
      debugExitPort: 0xf4,
      onDebugConsole: (bytes) => log.push(bytes),
      onConsole: (bytes) => {
        shown += Buffer.from(bytes).toString('latin1');
        if (!typed && shown.includes('>')) {
          typed = true;
          machine.sendInput(Buffer.from(KEY));
        }
      },
    });
    const limit = setTimeout(() => machine.stop('it takes too long'), 50_000);
    const result = await machine.run();
    clearTimeout(limit);
    const text = Buffer.concat(log).toString();
    expect(text).toContain('qemu/e820: addr 0x0000000000000000 len 0x0000000004000000 [RAM]');
    expect(text).toContain(`Found ${CPUS} cpu(s) max supported ${CPUS} cpu(s)`);
    // Its own tables would be made where ours could not be loaded.
    expect(text).not.toMatch(/WARNING - (internal error|Unable)|ACPI table|init [A-Z]+ table/);
    expect(shown).toMatch(/SeaBIOS \(version .*\).*Booting from Hard Disk.*>/s);
    expect(text).toContain('Booting from 0000:7c00');
    expect(result).toEqual({ kind: 'debug-exit', value: VALUE ^ KEY.charCodeAt(0) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
