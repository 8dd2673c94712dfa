// Ethernet addresses and frames as people give them: what is none, or cannot reach a guest, is a DragomanError that says why.
import { DragomanError } from '../../api/errors.ts';

/** Lengths in bytes, from the destination address on, without the checksum: a header; what fits in 1500 bytes, header and VLAN tag. */
export const SMALLEST_FRAME = 14;
export const LARGEST_FRAME = 1518;

const GROUP = 1;

/** A MAC address as text ('52:54:00:12:34:56'); undefined where it is none. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16));
}

/** The text of an address that a card may have. Throws BAD_OPTION for anything else; `where` names the option. */
export function checkMac(text: unknown, where: string): string {
  const mac = typeof text === 'string' ? parseMac(text) : undefined;
  const bad = (why: string): never => {
    throw new DragomanError('BAD_OPTION', `'${text}' ${why}`, where);
  };
  if (mac === undefined) return bad("is not a MAC address such as '52:54:00:12:34:56'");
  if ((mac[0] & GROUP) !== 0) return bad('is a group address (its first byte is odd): a card cannot have it');
  if (mac.every((byte) => byte === 0)) return bad('is no address: all bytes are 0');
  return text as string;
}

/** Throws BAD_FRAME where `frame` is no Ethernet frame that every guest has room for. */
export function checkFrame(frame: unknown): void {
  if (!(frame instanceof Uint8Array)) throw new DragomanError('BAD_FRAME', 'a frame is a Uint8Array');
  const bytes = frame.length;
  if (bytes < SMALLEST_FRAME) throw new DragomanError('BAD_FRAME', `a frame of ${bytes} bytes: its header alone has ${SMALLEST_FRAME}`);
  if (bytes > LARGEST_FRAME) throw new DragomanError('BAD_FRAME', `a frame of ${bytes} bytes: at most ${LARGEST_FRAME}`);
}
