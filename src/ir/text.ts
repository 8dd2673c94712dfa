// The text of an operation, from its line in operations.ts: a line of text to print by, and a pattern to read by.
import { lineOf, OPERATIONS, type Op, type OpKind } from './operations.ts';
import { resultType } from './operators.ts';
import type { Type, Value } from './types.ts';

type Piece = { readonly literal: string } | { readonly field: string; readonly between: string } | { readonly group: readonly Piece[] };

function pieces(text: string): Piece[] {
  const out: Piece[] = [];
  for (const [, group, field, between = ', ', literal] of text.matchAll(/\[((?:[^[\]])*)\]|\{(\w+)(?:\|([^}]*))?\}|([^[{]+)/g))
    if (group !== undefined) out.push({ group: pieces(group) });
    else if (field !== undefined) out.push({ field, between });
    else out.push({ literal: literal! });
  return out;
}

const VALUE = '%\\d+|cpu|(?:i64:|f32:|f64:)?-?(?:0x[0-9a-f]+|[\\d.]+)(?:e[+-]?\\d+)?|v128:[0-9a-f]{32}';
const escaped = (text: string) => text.replace(/[^\w ,:]/g, '\\$&');

interface Form {
  readonly kind: OpKind;
  readonly pieces: readonly Piece[];
  readonly pattern: RegExp;
  /** In the order of the pattern's groups. */
  readonly fields: readonly { readonly field: string; readonly between: string }[];
}

function form(kind: OpKind): Form {
  const { text, values, immediates } = lineOf(kind);
  const fields: { field: string; between: string }[] = [];
  const pattern = (list: readonly Piece[]): string =>
    list
      .map((piece) => {
        if ('literal' in piece) return escaped(piece.literal);
        if ('group' in piece) return `(?:${pattern(piece.group)})?`;
        fields.push(piece);
        const want = values[piece.field];
        if (want === undefined) return `(${immediates[piece.field]!.pattern})`;
        return want.includes('*') ? `((?:(?:${VALUE})(?:${escaped(piece.between)}(?:${VALUE}))*)?)` : `(${VALUE})`;
      })
      .join('');
  const parsed = pieces(text);
  return { kind, pieces: parsed, pattern: new RegExp(`^${pattern(parsed)}$`), fields };
}

const FORMS = new Map((Object.keys(OPERATIONS) as OpKind[]).map((kind) => [kind, form(kind)]));

type Fields = Record<string, unknown>;

/** One operation, without its number; `value`: how a value is written. */
export function writeOp(op: Op, value: (v: Value) => string): string {
  const { values, immediates } = lineOf(op.kind);
  const fields = op as unknown as Fields;
  const write = (list: readonly Piece[]): string =>
    list
      .map((piece) => {
        if ('literal' in piece) return piece.literal;
        if ('group' in piece) return piece.group.every((x) => !('field' in x) || fields[x.field] !== undefined) ? write(piece.group) : '';
        const v = fields[piece.field];
        const want = values[piece.field];
        if (v === undefined) return '';
        if (want === undefined) return immediates[piece.field]!.print(v, op);
        return want.includes('*') ? (v as Value[]).map(value).join(piece.between) : value(v as Value);
      })
      .join('');
  return write(FORMS.get(op.kind)!.pieces);
}

/** Type of the value that an operation gives where its text does not say so. */
export function impliedType(op: Op, typeOfValue: (v: Value) => Type): Type | undefined {
  if (op.kind === 'pure') return resultType(op.name, op.args, typeOfValue);
  if (op.kind === 'getx' && op.lane === undefined) return 'v128';
  if (op.kind === 'load' || op.kind === 'ldstate' || op.kind === 'ldstack') return op.bytes <= 4 ? 'i32' : op.bytes === 8 ? 'i64' : 'v128';
  const { result } = lineOf(op.kind);
  return result === 'any' || result === 'any?' ? 'i32' : result;
}

/** An operation from its text; `value`: the value that is written so. Its `type` may be missing. */
export function readOp(text: string, value: (name: string) => Value): Op {
  const first = /^[a-zA-Z]+/.exec(text)?.[0] ?? '';
  const kind = (/^(\w+\.|select )/.test(text) ? 'pure' : FORMS.has(first as OpKind) ? first : undefined) as OpKind | undefined;
  if (kind === undefined) throw new Error(`no operation: ${text}`);
  const { pattern, fields } = FORMS.get(kind)!;
  const { values, immediates, result } = lineOf(kind);
  const found = pattern.exec(text);
  if (found === null) throw new Error(`not as ${lineOf(kind).text}: ${text}`);
  const out: Fields = { kind };
  if (result !== undefined && !result.startsWith('any')) out.type = result;
  fields.forEach(({ field, between }, k) => {
    const part = found[k + 1];
    if (part === undefined) return;
    const want = values[field];
    if (want === undefined) out[field] = immediates[field]!.read(part);
    else out[field] = want.includes('*') ? part.split(between).filter(Boolean).map(value) : value(part);
  });
  return out as unknown as Op;
}
