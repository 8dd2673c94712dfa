// What the client flame is asked for with (docs/clients.md).
import type { ClientOptions } from '../../api/client-names.ts';
import { integer, oneOf, type Readable } from '../../api/kind.ts';
import type { FlameFormat } from '../../api/options.ts';

/** Forms of a profile, with what a file's name ends with. */
const SUFFIXES = { speedscope: 'speedscope.json', pprof: 'pb.gz', folded: 'folded' } as const satisfies Record<FlameFormat, string>;
export const FLAME_FORMAT = oneOf(...(Object.keys(SUFFIXES) as FlameFormat[]));
const LEVEL = oneOf('both', 'kernel', 'user');
const SWITCH = oneOf('on', 'off');
const HZ = integer('a number of samples a second', 1, 10_000);
/** Where nobody says otherwise: a number that no guest's timer has. */
const DEFAULT_HZ = 997;

export interface FlameSettings {
  readonly hz: number;
  readonly format: FlameFormat;
  /** Of which code samples are kept. */
  readonly level: 'kernel' | 'user' | 'both';
  /** Whether what a CPU waits in HLT is in the profile. */
  readonly idle: boolean;
  /** Where the command line leaves it. */
  readonly file: string;
}

/** Throws BAD_OPTION that names the option behind `name`. */
export function flameSettings(texts: ClientOptions<'flame'>, name: string): FlameSettings {
  const read = <T>(kind: Readable<T>, option: keyof typeof texts, otherwise: T): T => {
    const text = texts[option];
    return text === undefined ? otherwise : kind.read(text, `${name}: ${option}`);
  };
  const format = read(FLAME_FORMAT, 'format', 'speedscope');
  return {
    hz: read(HZ, 'hz', DEFAULT_HZ),
    format,
    level: read(LEVEL, 'level', 'both'),
    idle: read(SWITCH, 'idle', 'on') === 'on',
    file: texts.file ?? `flame.${SUFFIXES[format]}`,
  };
}
