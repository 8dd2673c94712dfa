// A VGA's registers as far as text mode needs them (IBM VGA technical reference, "Video Subsystem"): what was written reads back, and the retrace bits
// follow the clock. There is no display: the text at B8000H is RAM (layout/memory.ts), which machine/report/screen.ts shows. Graphics modes have no memory.
import { array, struct, u8, u32 } from '../layout/struct.ts';
import { clear, type View } from '../layout/view.ts';
import type { Device, DeviceContext } from './device.ts';

/** A frame of the 720 x 400 mode at 70 Hz: 449 lines, 400 of them with text; each of 31.78 us, 80% of it with text. */
const LINE_NS = 31778;
const LINES = 449;
const VISIBLE_LINES = 400;
const VISIBLE_NS = 25422;

const STATUS_BLANK = 0x01;
const STATUS_RETRACE = 0x08;

/** Miscellaneous output: bit 0 puts the CRT controller at 3DxH, else it is at 3BxH. */
const MISC_COLOR = 0x01;
/** CRT controller register 11H: registers 0 to 7 are write-protected, but for bit 4 of register 7. */
const PROTECT = 0x80;
const LINE_COMPARE = 0x10;
/** Attribute controller index: the display is on. */
const PALETTE_SOURCE = 0x20;

const PALETTE_BYTES = 768;

const VgaState = struct({
  misc: u32,
  feature: u32,
  sequencerIndex: u32,
  graphicsIndex: u32,
  crtcIndex: u32,
  attributeIndex: u32,
  /** 1: the next write to 3C0H is data. */
  attributeData: u32,
  dacMask: u32,
  /** Bytes into the palette of the next read and write at 3C9H. */
  dacRead: u32,
  dacWrite: u32,
  /** What 3C7H reads: 0 after a write address, 3 after a read address. */
  dacState: u32,
  /** A colour is stored when its third value comes: the two before it. */
  dacFirst: array(2, u8),
  sequencer: array(8, u8),
  graphics: array(16, u8),
  attribute: array(32, u8),
  crtc: array(32, u8),
  palette: array(PALETTE_BYTES, u8),
});

/** Mode 3 as a VGA's BIOS leaves it: 80 x 25, 16 colours. */
const MODE3 = {
  misc: 0x67,
  sequencer: [0x03, 0x00, 0x03, 0x00, 0x02],
  graphics: [0x00, 0x00, 0x00, 0x00, 0x00, 0x10, 0x0e, 0x00, 0xff],
  attribute: [0, 1, 2, 3, 4, 5, 0x14, 7, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x0c, 0x00, 0x0f, 0x08, 0x00],
  crtc: [
    0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0, 0x9c, 0x8e, 0x8f, 0x28, 0x1f, 0x96, 0xb9, 0xa3, 0xff,
  ],
} as const;

export class Vga implements Device {
  readonly name = 'vga';
  readonly #context: DeviceContext;
  readonly #s: View<typeof VgaState>;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#s = context.state(VgaState);
    context.ports.map(0x3c0, 16, { read: (port) => this.#read(port), write: (port, _size, value) => this.#write(port, value) });
    for (const base of [0x3b0, 0x3d0]) {
      const here = () => ((this.#s.misc & MISC_COLOR) !== 0) === (base === 0x3d0);
      for (const at of [base + 4, base + 10]) {
        context.ports.map(at, at === base + 4 ? 2 : 1, {
          read: (port) => (here() ? this.#readCrt(port & 15) : 0xff),
          write: (port, _size, value) => {
            if (here()) this.#writeCrt(port & 15, value);
          },
        });
      }
    }
    if (context.isFirst) this.reset();
  }

  reset(): void {
    const s = this.#s;
    clear(s);
    s.misc = MODE3.misc;
    s.dacMask = 0xff;
    s.attributeIndex = PALETTE_SOURCE;
    s.sequencer.set(MODE3.sequencer);
    s.graphics.set(MODE3.graphics);
    s.attribute.set(MODE3.attribute);
    s.crtc.set(MODE3.crtc);
  }

  /** Of the text that the card shows: characters in a line, and where it begins in text memory, in bytes. */
  get text(): { readonly columns: number; readonly start: number } {
    const s = this.#s;
    return { columns: s.crtc[1] + 1, start: ((s.crtc[0x0c] << 8) | s.crtc[0x0d]) * 2 };
  }

  #read(port: number): number {
    const s = this.#s;
    switch (port) {
      case 0x3c0:
        return s.attributeIndex;
      case 0x3c1:
        return s.attribute[s.attributeIndex & 31];
      case 0x3c4:
        return s.sequencerIndex;
      case 0x3c5:
        return s.sequencer[s.sequencerIndex];
      case 0x3c6:
        return s.dacMask;
      case 0x3c7:
        return s.dacState;
      case 0x3c8:
        return Math.floor(s.dacWrite / 3);
      case 0x3c9: {
        const value = s.palette[s.dacRead];
        s.dacRead = (s.dacRead + 1) % PALETTE_BYTES;
        return value;
      }
      case 0x3ca:
        return s.feature;
      case 0x3cc:
        return s.misc;
      case 0x3ce:
        return s.graphicsIndex;
      case 0x3cf:
        return s.graphics[s.graphicsIndex];
      default:
        // 3C2H, input status 0: no interrupt waits, and the switch that a BIOS looks for a monitor with is open.
        return port === 0x3c2 ? 0 : 0xff;
    }
  }

  #write(port: number, value: number): void {
    const s = this.#s;
    switch (port) {
      case 0x3c0:
        if (s.attributeData === 0) s.attributeIndex = value & 0x3f;
        // The palette can be written while the display does not use it.
        else if ((s.attributeIndex & 31) >= 16 || (s.attributeIndex & PALETTE_SOURCE) === 0) s.attribute[s.attributeIndex & 31] = value;
        s.attributeData ^= 1;
        break;
      case 0x3c2:
        s.misc = value;
        break;
      case 0x3c4:
        s.sequencerIndex = value & 7;
        break;
      case 0x3c5:
        s.sequencer[s.sequencerIndex] = value;
        break;
      case 0x3c6:
        s.dacMask = value;
        break;
      case 0x3c7:
        s.dacRead = value * 3;
        s.dacState = 3;
        break;
      case 0x3c8:
        s.dacWrite = value * 3;
        s.dacState = 0;
        break;
      case 0x3c9:
        this.#writeColor(value & 0x3f);
        break;
      case 0x3ce:
        s.graphicsIndex = value & 15;
        break;
      case 0x3cf:
        s.graphics[s.graphicsIndex] = value;
        break;
    }
  }

  #writeColor(value: number): void {
    const s = this.#s;
    const at = s.dacWrite;
    if (at % 3 === 2) s.palette.set([...s.dacFirst, value], at - 2);
    else s.dacFirst[at % 3] = value;
    s.dacWrite = (at + 1) % PALETTE_BYTES;
  }

  /** `port`: 4 and 5 the CRT controller, 10 input status 1 (which makes 3C0H expect an index). */
  #readCrt(port: number): number {
    const s = this.#s;
    if (port === 4) return s.crtcIndex;
    if (port === 5) return s.crtcIndex <= 0x18 ? s.crtc[s.crtcIndex] : 0;
    s.attributeData = 0;
    const inFrame = this.#context.clock.now() % (LINES * LINE_NS);
    // All of the time without lines counts as retrace, so that a guest that looks seldom finds it.
    if (inFrame >= VISIBLE_LINES * LINE_NS) return STATUS_RETRACE | STATUS_BLANK;
    return inFrame % LINE_NS >= VISIBLE_NS ? STATUS_BLANK : 0;
  }

  #writeCrt(port: number, value: number): void {
    const s = this.#s;
    if (port === 4) s.crtcIndex = value & 0x1f;
    else if (port === 10) s.feature = value & 3;
    else if (s.crtcIndex < 8 && (s.crtc[0x11] & PROTECT) !== 0) {
      if (s.crtcIndex === 7) s.crtc[7] = (s.crtc[7] & ~LINE_COMPARE) | (value & LINE_COMPARE);
    } else if (s.crtcIndex <= 0x18) s.crtc[s.crtcIndex] = value;
  }
}
