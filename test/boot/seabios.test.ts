// A BIOS that is not ours, where Debian's package "seabios" is installed: it finds the disk, starts its boot sector, and reads for it by INT 13H.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Machine, MiB } from '../../src/api/index.ts';

const BIOS = '/usr/share/seabios/bios.bin';
const VALUE = 0x5a;
const installed = existsSync(BIOS);
if (!installed) console.warn(`no SeaBIOS test: ${BIOS} is not there (Debian's package seabios)`);

/** Reads the second sector to 0000:8000 and writes its first byte to the debug-exit port; 1 where that fails. */
const BOOT_SECTOR = 'b80102 b90200 ba8000 31db 8ec3 8edb bb0080 cd13 b001 7203 a00080 e6f4 fa f4';

it.skipIf(!installed).each(['jit', 'interpreter'] as const)('SeaBIOS boots from a virtio disk (%s)', async (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'dragoman-seabios-'));
  try {
    const path = join(folder, 'disk');
    const image = Buffer.alloc(1 * MiB);
    image.set(Buffer.from(BOOT_SECTOR.replaceAll(' ', ''), 'hex'));
    image.set([0x55, 0xaa, VALUE], 510);
    writeFileSync(path, image);
    const log: Uint8Array[] = [];
    const machine = await Machine.create({
      bios: readFileSync(BIOS),
      memoryBytes: 64 * MiB,
      engine,
      disks: [{ path }],
      debugExitPort: 0xf4,
      onDebugConsole: (bytes) => log.push(bytes),
    });
    const limit = setTimeout(() => machine.stop('it takes too long'), 50_000);
    const result = await machine.run();
    clearTimeout(limit);
    const text = Buffer.concat(log).toString();
    expect(text).toContain('RamSize: 0x04000000');
    expect(text).toContain('Booting from 0000:7c00');
    expect(result).toEqual({ kind: 'debug-exit', value: VALUE });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
