// Options as programs in plain JavaScript give them: what is of the wrong type, or misspelt, is a DragomanError that names it.
import { DragomanError } from './errors.ts';
import { type DiskOptions, type LockstepOptions, type MachineOptions, MOST_DISKS, type ModuleOptions, type NetOptions } from './options.ts';

/** Throws BAD_OPTION where `value` is not what `name` takes. */
type Check = (value: unknown, name: string) => void;

const bad = (name: string, message: string): never => {
  throw new DragomanError('BAD_OPTION', message, name);
};

/** A value for people: short, and without its contents where it is large. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}...` : value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return `an object (${Object.prototype.toString.call(value).slice(8, -1)})`;
  return String(value);
}

const takes =
  (what: string, is: (value: unknown) => boolean): Check =>
  (value, name) => {
    if (!is(value)) bad(name, `${show(value)} is not ${what}`);
  };

/** Of another realm as well. */
const isBytes = (value: unknown): boolean => Object.prototype.toString.call(value) === '[object Uint8Array]';
const bytes = takes('a Uint8Array', isBytes);
const text = takes('a string', (value) => typeof value === 'string');
const flag = takes('true or false', (value) => typeof value === 'boolean');
const number = takes('a number', (value) => typeof value === 'number');
const callback = takes('a function', (value) => typeof value === 'function');
const port = takes('an I/O port (0 to 0xffff)', (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff);

const oneOf = (...names: string[]): Check =>
  takes(`one of ${names.map((name) => `'${name}'`).join(' and ')}`, (value) => typeof value === 'string' && names.includes(value));

/** An object with these properties, and alone where it is not `open`; those in `needed` must be there. */
function shape<T>(checks: Required<Record<keyof T, Check>>, needed: readonly (keyof T & string)[] = [], open = false): Check {
  return (value, name) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) bad(name, `${show(value)} is not an object`);
    const at = (key: string) => (name === '' ? key : `${name}.${key}`);
    for (const key of needed) if ((value as T)[key] === undefined) bad(at(key), 'is missing');
    for (const key of open ? Object.keys(checks) : Object.keys(value as object)) {
      const item = (value as T)[key as keyof T];
      if (item === undefined) continue;
      if (!Object.hasOwn(checks, key)) bad(at(key), `there is no such option; there are ${Object.keys(checks).join(', ')}`);
      checks[key as keyof T](item, at(key));
    }
  };
}

function list(check: Check, most = Number.POSITIVE_INFINITY): Check {
  return (value, name) => {
    if (!Array.isArray(value)) return bad(name, `${show(value)} is not an array`);
    if (value.length > most) bad(name, `${value.length} are too many: at most ${most}`);
    value.forEach((item, k) => {
      check(item, `${name}[${k}]`);
    });
  };
}

const path: Check = takes('the path of a file', (value) => typeof value === 'string' && value !== '' && !value.includes('\0'));

const options = shape<MachineOptions>({
  kernel: bytes,
  initrd: bytes,
  append: text,
  kernelName: text,
  modules: list(shape<ModuleOptions>({ data: bytes, string: text }, ['data', 'string'])),
  bios: bytes,
  cpus: number,
  strictOrder: flag,
  lockstep: shape<LockstepOptions>({ seed: number, paced: flag, onRecord: callback, replay: text }),
  timerSlackMs: number,
  memoryBytes: number,
  disks: list(shape<DiskOptions>({ path, readOnly: flag }, ['path']), MOST_DISKS),
  // A back end may be any object. Its address has a check of its own.
  net: shape<NetOptions>({ onFrame: callback, connect: callback, mac: () => {} }, ['onFrame'], true),
  engine: oneOf('jit', 'interpreter'),
  debugExitPort: port,
  testDevice: flag,
  onConsole: callback,
  onVirtioConsole: callback,
  onDebugConsole: callback,
  countInstructions: flag,
  onPost: callback,
  onTrace: callback,
});

/** Throws BAD_OPTION where `given` are no options of a machine. Whether numbers are in range, and files what they should be, is asked later. */
export function checkOptions(given: unknown): asserts given is MachineOptions {
  if (typeof given !== 'object' || given === null) bad('options', `${show(given)} is not an object`);
  options(given, '');
  const { kernel, bios } = given as MachineOptions;
  if (kernel !== undefined && bios !== undefined) bad('bios', 'a ROM starts instead of a kernel: give one of them');
}

/** Throws BAD_OPTION where what `method` was given is not bytes. */
export function checkBytes(given: unknown, method: string): asserts given is Uint8Array {
  bytes(given, method);
}
