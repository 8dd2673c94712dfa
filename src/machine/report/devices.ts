// The state of the devices as text, for people who must find out what went wrong: of each record the fields that are not 0.
import type { Piece } from '../../devices/hub.ts';
import type { FieldSpec, FieldType, Struct } from '../../layout/struct.ts';

/** Longer arrays are contents, not registers. */
const LONGEST = 16;

const READERS: Record<FieldType, (data: DataView, at: number) => number | bigint> = {
  u8: (data, at) => data.getUint8(at),
  u16: (data, at) => data.getUint16(at, true),
  u32: (data, at) => data.getUint32(at, true),
  i32: (data, at) => data.getInt32(at, true),
  u64: (data, at) => data.getBigUint64(at, true),
  f64: (data, at) => data.getFloat64(at, true),
  area: () => 0,
};

/** Times are nanoseconds or ticks, in decimal; all else is hexadecimal. */
function valueText({ type }: FieldSpec, data: DataView, at: number): string {
  const value = READERS[type](data, at);
  return type === 'f64' ? `${value}` : value.toString(16);
}

function fieldText(spec: FieldSpec, data: DataView, at: number): string {
  if (spec.array === undefined) return valueText(spec, data, at);
  const count = spec.bytes / spec.array.stride;
  if (count > LONGEST) return '0';
  const elements = Array.from({ length: count }, (_, n) => valueText(spec, data, at + n * spec.array!.stride));
  return elements.every((text) => text === '0') ? '0' : `[${elements.join(' ')}]`;
}

/** A line for the record, and one for each record in it: those in a row that are the same are one. */
function recordLines(name: string, record: Struct<unknown>, data: DataView, at: number): string[] {
  const values: string[] = [];
  const inner: string[] = [];
  for (const [field, spec] of Object.entries(record.fields)) {
    const start = at + (record.at as Record<string, number>)[field]!;
    const part = spec.array?.record;
    if (part !== undefined) {
      const count = spec.bytes / part.size;
      const texts = Array.from({ length: count }, (_, n) => recordLines('', part, data, start + n * part.size).join('\n'));
      for (let n = 0, end = 0; n < count; n = end) {
        for (end = n + 1; end < count && texts[end] === texts[n]; end++);
        const place = `${name} ${field}[${n}]${end > n + 1 ? ` to [${end - 1}]` : ''}`;
        if (texts[n] !== '') inner.push(...texts[n]!.split('\n').map((text) => place + text));
      }
    } else {
      const text = fieldText(spec, data, start);
      if (text !== '0') values.push(`${field}=${text}`);
    }
  }
  return [...(values.length > 0 ? [`${name}: ${values.join(' ')}`] : []), ...inner];
}

/** `state`: all device state. */
export function dumpDevices(pieces: readonly Piece[], state: DataView): string {
  return ['devices, what is not 0:', ...pieces.flatMap(({ owner, record, at }) => recordLines(`  ${owner}`, record, state, at))].join('\n');
}
