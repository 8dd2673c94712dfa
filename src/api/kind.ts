// Kinds of values: what an option takes, said once for programs (values of any type, as plain JavaScript gives them) and for the command line (words).
// Whatever is of another kind is a DragomanError BAD_OPTION that names the option and says what is allowed.
import { DragomanError } from './errors.ts';
import { meant } from './similar.ts';

export interface Kind<T> {
  /** What is allowed: "'x' is not WHAT". */
  readonly what: string;
  /** `value` as the machine uses it. Throws BAD_OPTION where it is not of this kind; `name` is the option's. */
  take(value: unknown, name: string): T;
}

/** What is written as one word. */
export interface Readable<T> {
  /** The value that a word of the command line stands for. Throws BAD_OPTION. */
  read(word: string, name: string): T;
}
export type WordKind<T> = Kind<T> & Readable<T>;

/** The T of a Kind<T>. */
export type Taken<K> = K extends Kind<infer T> ? T : never;

export const refuse = (name: string | undefined, message: string): never => {
  throw new DragomanError('BAD_OPTION', message, name);
};

/** '[object Uint8Array]', of another realm as well. */
export const tagOf = (value: unknown): string => Object.prototype.toString.call(value);

/** A value for people: short, and without its contents where it is large. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}...` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return `an object (${tagOf(value).slice(8, -1)})`;
  return String(value);
}

/** Values for which `is` holds. */
export function plain<T>(what: string, is: (value: unknown) => boolean): Kind<T> {
  return { what, take: (value, name) => (is(value) ? (value as T) : refuse(name, `${show(value)} is not ${what}`)) };
}

/** The same of what `parse` makes of a word (undefined: it is none of these). `hint` goes behind the refusal of a word. */
export function word<T>(what: string, is: (value: unknown) => boolean, parse: (word: string) => T | undefined, hint = ''): WordKind<T> {
  return {
    ...plain<T>(what, is),
    read(text, name) {
      const value = parse(text);
      return value !== undefined && is(value) ? value : refuse(name, `'${text}' is not ${what}${hint}`);
    },
  };
}

/** 10, 0x10 or 0X10. */
export const parseInteger = (text: string): number | undefined => (/^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : undefined);
/** 10, 0.5 or .5. */
export const parseDecimal = (text: string): number | undefined => (/^(?:\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : undefined);

/** Integers of a range, both ends included. */
export function integer(what: string, least: number, most: number, range = `${least} to ${most}`): WordKind<number> {
  return word(`${what} (${range})`, (value) => Number.isInteger(value) && Number(value) >= least && Number(value) <= most, parseInteger);
}

/** One of some names. */
export function oneOf<const T extends string>(...names: T[]): WordKind<T> {
  const what = `one of ${names.map((name) => `'${name}'`).join(' and ')}`;
  const check = (value: unknown, name: string): T => {
    if (names.includes(value as T)) return value as T;
    return refuse(name, `${show(value)} is not ${what}${typeof value === 'string' ? meant(value, names) : ''}`);
  };
  return { what, take: check, read: check };
}

/** An array of up to `most`. */
export const list = <T>(kind: Kind<T>, most = Number.POSITIVE_INFINITY): Kind<readonly T[]> => ({
  what: 'an array',
  take(value, name) {
    if (!Array.isArray(value)) return refuse(name, `${show(value)} is not an array`);
    if (value.length > most) refuse(name, `${value.length} are too many: at most ${most}`);
    return value.map((item, n) => kind.take(item, `${name}[${n}]`));
  },
});

/** A property of an object: its kind, and what stands for it where it is undefined. */
export interface Property<T> {
  readonly kind: Kind<T>;
  readonly otherwise: (name: string) => T;
}
export const needed = <T>(kind: Kind<T>): Property<T> => ({ kind, otherwise: (name) => refuse(name, 'is missing') });
export const optional = <T>(kind: Kind<T>): Property<T | undefined> => ({ kind, otherwise: () => undefined });
export const defaults = <T>(kind: Kind<T>, to: T): Property<T> => ({ kind, otherwise: () => to });

type Properties = Readonly<Record<string, Property<unknown>>>;
/** What an object with these properties is taken as. */
export type Shape<P> = { readonly [K in keyof P]: P[K] extends Property<infer T> ? T : never };

/** An object with these properties and no others. */
export function shape<P extends Properties>(properties: P): Kind<Shape<P>> {
  const names = Object.keys(properties);
  const what = `an object with ${names.join(', ')}`;
  return {
    what,
    take(value, name) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return refuse(name || 'options', `${show(value)} is not ${what}`);
      const at = (key: string) => (name === '' ? key : `${name}.${key}`);
      for (const key of Object.keys(value)) {
        const strange = !Object.hasOwn(properties, key) && (value as Record<string, unknown>)[key] !== undefined;
        if (strange) refuse(at(key), `there is no such option${meant(key, names) || `; there are ${names.join(', ')}`}`);
      }
      return takeProperties(properties, value, at) as Shape<P>;
    },
  };
}

/** An object that has these properties and may have any others: it is taken as it is. Properties have no defaults here. */
export function having<T extends object>(properties: { readonly [K in keyof Required<T>]: Property<T[K]> }): Kind<T> {
  const what = `an object with ${Object.keys(properties).join(', ')}`;
  return {
    what,
    take(value, name) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse(name, `${show(value)} is not ${what}`);
      takeProperties(properties as Properties, value, (key) => `${name}.${key}`);
      return value as T;
    },
  };
}

/** An object of one of several kinds, of which each has a property that tells it. `kinds`: by these properties; the first one that the object has. */
export function byProperty<T>(what: string, kinds: Readonly<Record<string, Kind<T>>>): Kind<T> {
  return {
    what,
    take(value, name) {
      const kind = Object.keys(kinds).find((key) => (value as Record<string, unknown> | null | undefined)?.[key] !== undefined);
      return kind === undefined ? refuse(name, `${show(value)} is not ${what}`) : kinds[kind]!.take(value, name);
    },
  };
}

/** A kind whose values become others. */
export const mapped = <T, U>(kind: Kind<T>, to: (value: T, name: string) => U): Kind<U> => ({
  what: kind.what,
  take: (value, name) => to(kind.take(value, name), name),
});

function takeProperties(properties: Properties, value: object, at: (key: string) => string): Record<string, unknown> {
  const taken: Record<string, unknown> = {};
  for (const [key, { kind, otherwise }] of Object.entries(properties)) {
    const item = (value as Record<string, unknown>)[key];
    taken[key] = item === undefined ? otherwise(at(key)) : kind.take(item, at(key));
  }
  return taken;
}
