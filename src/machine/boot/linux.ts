// Loads a Linux bzImage by the 32-bit boot protocol: no BIOS and none of the kernel's real-mode code is run.
// Offsets are those of Documentation/arch/x86/boot.rst and zero-page.rst of the Linux sources.
import { DragomanError } from '../../api/errors.ts';
import { alignDown, cString, hex, view } from './bytes.ts';
import { FIRMWARE_TABLES, HIGH_MEMORY, memoryMap } from './e820.ts';
import { CR0_PROTECTED, type EntryState, LINUX_GDT, placeGdt, registers } from './entry.ts';
import { checkInitrd } from './initrd.ts';

/** Places in low memory. The kernel copies all it needs from there before it uses that memory itself. */
const GDT = 0x8000;
const BOOT_PARAMS = 0x10000;
const BOOT_PARAMS_BYTES = 0x1000;
const COMMAND_LINE = 0x20000;
const COMMAND_LINE_LIMIT = 0xffff;

/** Fields of the setup header: at the same offset in the file and in boot_params. */
const Header = {
  setupSects: 0x1f1,
  sysSize: 0x1f4,
  vidMode: 0x1fa,
  bootFlag: 0x1fe,
  jump: 0x201,
  magic: 0x202,
  version: 0x206,
  typeOfLoader: 0x210,
  loadFlags: 0x211,
  code32Start: 0x214,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  heapEnd: 0x224,
  cmdLinePtr: 0x228,
  initrdAddrMax: 0x22c,
  xloadFlags: 0x236,
  cmdlineSize: 0x238,
  prefAddress: 0x258,
  initSize: 0x260,
  /** The header may grow up to here (boot_params.edd_mbr_sig_buffer). */
  limit: 0x290,
} as const;

/** Fields of boot_params outside the setup header. */
const Params = { acpiRsdp: 0x70, altMemK: 0x1e0, e820Entries: 0x1e8, e820Table: 0x2d0 } as const;
/** struct screen_info: 80 x 25 text, VGA mode 3. */
const Screen = { extMemK: 0x02, mode: 0x06, cols: 0x07, lines: 0x0e, isVga: 0x0f, points: 0x10 } as const;

const HDRS = 0x53726448;
const LOADED_HIGH = 1;
const CAN_USE_HEAP = 0x80;
const XLF_KERNEL_64 = 1;
const OLDEST_PROTOCOL = 0x206;
const SYSSIZE_UNIT = 16;
/** First byte behind the default direct mapping of a 32-bit kernel (MAXMEM of the 3 GiB/1 GiB split). */
const LOW_MEMORY_LIMIT = 0x38000000;

export interface LinuxImage {
  readonly kernel: Uint8Array;
  readonly initrd?: Uint8Array | undefined;
  readonly commandLine: string;
  /** Bytes of guest RAM from guest physical 0. */
  readonly ramBytes: number;
}

/** True where the file says of itself that it is a Linux kernel with a setup header. */
export function isLinux(kernel: Uint8Array): boolean {
  return kernel.length >= Header.version && view(kernel).getUint32(Header.magic, true) === HDRS;
}

/** What the setup header tells a loader. */
interface SetupHeader {
  readonly version: number;
  readonly headerEnd: number;
  readonly payload: Uint8Array;
  readonly initrdAddrMax: number;
  readonly cmdlineSize: number;
  /** End of the memory that the kernel uses before it reads the memory map. */
  readonly kernelEnd: number;
}

const protocol = (version: number) => `${version >> 8}.${String(version & 0xff).padStart(2, '0')}`;

function readHeader(kernel: Uint8Array): SetupHeader {
  const bad = (message: string): never => {
    throw new DragomanError('BAD_KERNEL', message, 'Linux kernel');
  };
  if (kernel.length < Header.limit) bad(`truncated: the setup header ends at ${hex(Header.limit)}, the file at ${hex(kernel.length)}`);
  const file = view(kernel);
  if (file.getUint32(Header.magic, true) !== HDRS) bad(`no "HdrS" at ${hex(Header.magic)}: not a Linux bzImage`);
  if (file.getUint16(Header.bootFlag, true) !== 0xaa55) bad(`no boot flag 0xaa55 at ${hex(Header.bootFlag)}`);
  const version = file.getUint16(Header.version, true);
  if (version < OLDEST_PROTOCOL)
    bad(`boot protocol ${protocol(version)} is too old, need ${protocol(OLDEST_PROTOCOL)} (Linux 2.6.22) or newer`);
  if (!(kernel[Header.loadFlags] & LOADED_HIGH)) bad('a zImage, loaded below 1 MiB: only a bzImage can be booted');
  if (version >= 0x20c && file.getUint16(Header.xloadFlags, true) & XLF_KERNEL_64) bad('a 64-bit kernel: the simulated CPU has 32 bits');
  const headerEnd = Header.magic + kernel[Header.jump];
  if (headerEnd < Header.cmdlineSize + 4 || headerEnd > Header.limit) bad(`the setup header claims to end at ${hex(headerEnd)}`);
  const start = ((kernel[Header.setupSects] || 4) + 1) * 512;
  const bytes = file.getUint32(Header.sysSize, true) * SYSSIZE_UNIT;
  if (bytes === 0) bad('the header says that the kernel proper has no bytes');
  // Counted in units of 16 bytes; the last one need not be whole.
  if (start + bytes - kernel.length >= SYSSIZE_UNIT)
    bad(`truncated: the header promises ${start + bytes} bytes, the file has ${kernel.length}`);
  const code32 = file.getUint32(Header.code32Start, true);
  if (code32 === 0) bad(`no 32-bit entry (0 at ${hex(Header.code32Start)}): it starts in real mode and needs a BIOS`);
  if (code32 !== HIGH_MEMORY) bad(`32-bit entry at ${hex(code32)}, expected at ${hex(HIGH_MEMORY)}`);
  let kernelEnd = HIGH_MEMORY + bytes;
  if (version >= 0x20a) {
    const preferred = file.getBigUint64(Header.prefAddress, true);
    if (preferred >= 0x100000000n) bad(`wants to run at ${hex(Number(preferred))}, above 4 GiB`);
    kernelEnd = Math.max(kernelEnd, Number(preferred) + file.getUint32(Header.initSize, true));
  }
  return {
    version,
    headerEnd,
    payload: kernel.subarray(start, start + bytes),
    initrdAddrMax: file.getUint32(Header.initrdAddrMax, true),
    cmdlineSize: Math.min(file.getUint32(Header.cmdlineSize, true), COMMAND_LINE_LIMIT),
    kernelEnd,
  };
}

/** Address of the initrd: as high as the kernel can reach, on a page of its own. */
function placeInitrd(initrd: Uint8Array, header: SetupHeader, ramBytes: number): number {
  const top = Math.min(ramBytes, header.initrdAddrMax + 1, LOW_MEMORY_LIMIT);
  const at = alignDown(top - initrd.length, 4096);
  if (at < header.kernelEnd) {
    throw new DragomanError(
      'OUT_OF_MEMORY',
      `${initrd.length} bytes do not fit between the kernel's end ${hex(header.kernelEnd)} and ${hex(top)}: give the guest more memory`,
      'initrd',
    );
  }
  return at;
}

function fillScreenInfo(params: DataView, ramBytes: number): void {
  params.setUint16(Screen.extMemK, Math.min(0xfc00, (ramBytes - HIGH_MEMORY) / 1024), true);
  params.setUint8(Screen.mode, 3);
  params.setUint8(Screen.cols, 80);
  params.setUint8(Screen.lines, 25);
  params.setUint8(Screen.isVga, 1);
  params.setUint16(Screen.points, 16, true);
}

/** Places kernel, initrd, command line and boot_params in `ram`; throws a DragomanError and leaves `ram` as it was where a file is damaged. */
export function loadLinux(ram: Uint8Array, image: LinuxImage): EntryState {
  const { ramBytes, initrd } = image;
  const header = readHeader(image.kernel);
  if (header.kernelEnd > Math.min(ramBytes, ram.length)) {
    throw new DragomanError(
      'OUT_OF_MEMORY',
      `the kernel needs memory up to ${hex(header.kernelEnd)}, the guest has ${hex(ramBytes)}`,
      'Linux kernel',
    );
  }
  const commandLine = cString(image.commandLine, 'command line');
  if (commandLine.length - 1 > header.cmdlineSize) {
    throw new DragomanError(
      'BAD_OPTION',
      `${commandLine.length - 1} bytes; this kernel takes at most ${header.cmdlineSize}`,
      'command line',
    );
  }
  if (initrd !== undefined) checkInitrd(initrd);
  const initrdAt = initrd === undefined ? 0 : placeInitrd(initrd, header, ramBytes);

  ram.set(header.payload, HIGH_MEMORY);
  if (initrd !== undefined) ram.set(initrd, initrdAt);
  ram.set(commandLine, COMMAND_LINE);
  const params = view(ram.subarray(BOOT_PARAMS, BOOT_PARAMS + BOOT_PARAMS_BYTES));
  ram.fill(0, BOOT_PARAMS, BOOT_PARAMS + BOOT_PARAMS_BYTES);
  ram.set(image.kernel.subarray(Header.setupSects, header.headerEnd), BOOT_PARAMS + Header.setupSects);
  fillScreenInfo(params, ramBytes);
  params.setUint32(Params.altMemK, (ramBytes - HIGH_MEMORY) / 1024, true);
  if (header.version >= 0x20e) params.setBigUint64(Params.acpiRsdp, BigInt(FIRMWARE_TABLES), true);
  const map = memoryMap(ramBytes);
  params.setUint8(Params.e820Entries, map.length);
  map.forEach((range, k) => {
    const at = Params.e820Table + k * 20;
    params.setBigUint64(at, BigInt(range.base), true);
    params.setBigUint64(at + 8, BigInt(range.length), true);
    params.setUint32(at + 16, range.type, true);
  });
  params.setUint16(Header.vidMode, 0xffff, true);
  params.setUint8(Header.typeOfLoader, 0xff);
  params.setUint8(Header.loadFlags, image.kernel[Header.loadFlags] | CAN_USE_HEAP);
  params.setUint16(Header.heapEnd, 0xfe00, true);
  params.setUint32(Header.ramdiskImage, initrdAt, true);
  params.setUint32(Header.ramdiskSize, initrd?.length ?? 0, true);
  params.setUint32(Header.cmdLinePtr, COMMAND_LINE, true);
  return {
    kind: 'linux',
    segments: 'flat32',
    codeSelector: LINUX_GDT.code,
    dataSelector: LINUX_GDT.data,
    eip: HIGH_MEMORY,
    image: [{ start: HIGH_MEMORY, end: HIGH_MEMORY + header.payload.length }],
    eflags: 2,
    cr0: CR0_PROTECTED,
    gpr: registers({ esi: BOOT_PARAMS }),
    gdt: placeGdt(ram, GDT, LINUX_GDT),
    // As its setup code leaves them, which runs in real mode and masks everything but the cascade.
    picMasks: [0xfb, 0xff],
  };
}
