// The checksum of the Internet protocols (RFC 1071): the ones' complement of the ones' complement sum of 16-bit words.

/** Adds words to a sum that is not folded yet; an odd last byte counts as if a 0 followed. */
export function addWords(bytes: Uint8Array, sum = 0): number {
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) sum += (bytes[at] << 8) | bytes[at + 1];
  return even === bytes.length ? sum : sum + (bytes[even] << 8);
}

/** The checksum of what was added. Of a message that holds its own checksum: 0 where it is right. */
export function finish(sum: number): number {
  while (sum > 0xffff) sum = (sum % 0x10000) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export const checksum = (bytes: Uint8Array): number => finish(addWords(bytes));

/** What is added for the addresses, protocol and length around a UDP or TCP message (its pseudo header). */
export const pseudoSum = (source: number, destination: number, protocol: number, bytes: number): number =>
  (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + bytes;
