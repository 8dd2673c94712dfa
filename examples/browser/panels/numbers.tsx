// The panel "Numbers": the machine's statistics as tables.
import type { MachineStats } from '../../../src/api/index.ts';
import type { Session } from '../app/session.ts';
import { type Fact, FactTable } from '../parts/fact-table.tsx';
import './numbers.css';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const rounded = new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 });

const count = (value: number): string => whole.format(value);
/** What was estimated from samples is not given to the last digit. */
const estimate = (value: number | null): string => (value === null ? 'not counted' : rounded.format(value));
const time = (ms: number | null): string => (ms === null ? 'not measured' : `${(ms / 1000).toFixed(2)} s`);

function tables(stats: MachineStats): Readonly<Record<string, readonly Fact[]>> {
  const { translator, engines, installs } = stats;
  return {
    'The run': [
      { name: 'Time', value: time(stats.wallMs) },
      { name: 'Instructions', value: estimate(stats.instructions) },
      { name: 'In translated code', value: time(engines.jit.ms) },
      { name: 'In the interpreter', value: time(engines.interpreter.ms) },
      { name: 'Waiting in HLT', value: time(stats.idleMs) },
    ],
    'The translator': [
      { name: 'Regions', value: count(translator.regions) },
      { name: 'Modules', value: count(translator.modules) },
      { name: 'Bytes of WebAssembly', value: count(translator.bytes) },
      { name: 'Time translating', value: time(translator.ms) },
      { name: 'Encoder', value: translator.encoder ?? 'none' },
      { name: 'Taken from runs before', value: count(translator.cacheHits) },
      { name: 'All dropped', value: `${count(translator.flushes)} times` },
      { name: 'Modules installed by CPUs', value: count(installs.modules) },
    ],
    'What interrupts code': [
      { name: 'Interrupts', value: count(stats.interrupts) },
      { name: 'Faults', value: count(stats.faults) },
      { name: 'TLB misses', value: count(stats.tlbMisses) },
    ],
    'Exits of the run loop': Object.entries(stats.exits)
      .filter(([, number]) => number > 0)
      .map(([name, number]) => ({ name, value: count(number) })),
  };
}

export default function Numbers({ session }: { readonly session: Session }) {
  void session.tick.value;
  const machine = session.machine.value;
  if (machine === undefined) return <p>Here are the numbers of a machine when one runs.</p>;
  return (
    <div class="numbers">
      {Object.entries(tables(machine.stats())).map(([caption, facts]) => (
        <FactTable key={caption} caption={caption} facts={facts} />
      ))}
    </div>
  );
}
