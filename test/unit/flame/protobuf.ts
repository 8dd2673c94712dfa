// Reads protocol buffers for tests, without a description: the fields of a message in their order.

export interface Field {
  readonly number: number;
  /** A number, or bytes. */
  readonly value: number | Uint8Array;
}

function varint(bytes: Uint8Array, from: number): [value: number, next: number] {
  let value = 0;
  for (let at = from, scale = 1; ; at++, scale *= 128) {
    if (at >= bytes.length) throw new Error(`a number that begins at ${from} has no end`);
    value += (bytes[at]! & 0x7f) * scale;
    if (bytes[at]! < 0x80) return [value, at + 1];
  }
}

export function fields(bytes: Uint8Array): Field[] {
  const found: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, behindTag] = varint(bytes, at);
    const [value, next] = varint(bytes, behindTag);
    const type = tag & 7;
    if (type !== 0 && type !== 2) throw new Error(`wire type ${type} at ${at}`);
    at = type === 0 ? next : next + value;
    if (at > bytes.length) throw new Error(`a field that begins at ${next} has no end`);
    found.push({ number: tag >>> 3, value: type === 0 ? value : bytes.subarray(next, at) });
  }
  return found;
}

/** The values of the fields of a number, which are messages, or texts. */
export const messages = (all: readonly Field[], number: number): Uint8Array[] =>
  all.filter((field) => field.number === number).map(({ value }) => value as Uint8Array);
/** That of the only field of a number; 0 where there is none. */
export const number = (all: readonly Field[], of: number): number => {
  const found = all.filter((field) => field.number === of);
  if (found.length > 1) throw new Error(`field ${of} is there ${found.length} times`);
  return (found[0]?.value ?? 0) as number;
};
/** Those that are packed in a field. */
export function packed(all: readonly Field[], of: number): number[] {
  const [bytes = new Uint8Array()] = messages(all, of);
  const values: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [value, next] = varint(bytes, at);
    values.push(value);
    at = next;
  }
  return values;
}
