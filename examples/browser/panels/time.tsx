// The panel "Time": a lockstep machine goes back and on again through what it has been through, and runs on from there.
import { useSignal } from '@preact/signals';
import type { Machine, MachineStats } from '../../../src/api/index.ts';
import type { Session } from '../app/session.ts';
import { instructions, type TimeTravel, travelOf } from '../app/time-travel.ts';
import { ErrorBlock } from '../parts/error-block.tsx';
import { FactTable } from '../parts/fact-table.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { asAddress, asBytes } from '../parts/numbers.ts';
import './time.css';

type Lockstep = NonNullable<MachineStats['lockstep']>;
type Span = NonNullable<Lockstep['history']>;

/** An arrow key leads so far along the slider, and with Shift. */
const KEY_PARTS = 100;
const FINE_KEY_PARTS = 10_000;

const seconds = (ms: number): string => `${(ms / 1000).toFixed(6)} s`;

function CannotGoBack({ session, machine }: { readonly session: Session; readonly machine: Machine | undefined }) {
  const why =
    machine === undefined
      ? 'No machine runs.'
      : machine.stats().lockstep === undefined
        ? 'The CPUs of this machine are threads, whose order nobody can repeat.'
        : 'This machine runs in lockstep, but keeps no history.';
  return (
    <div class="time">
      <p>
        {why} A machine in lockstep gives its CPUs turns by a seed: the same seed and the same typing give the same run, to the bit. So it
        can go back in time.
      </p>
      <div class="buttons">
        <button
          type="button"
          id="start-lockstep"
          class="primary"
          onClick={() => {
            session.change({ seed: session.settings.value.seed ?? 1, reverse: true });
            void session.start();
          }}
        >
          Start in lockstep to go back in time
        </button>
      </div>
      <p class="muted">
        It interprets each instruction by itself, on the thread of this page, some ten times slower; another seed in the form Machine is
        another run.
      </p>
    </div>
  );
}

function Slider({ span, lockstep, travel }: { readonly span: Span; readonly lockstep: Lockstep; readonly travel: TimeTravel }) {
  /** Where somebody holds it. */
  const held = useSignal<number | undefined>(undefined);
  const at = held.value ?? span.at;
  const go = (to: number) => travel.goTo(Math.min(Math.max(Math.round(to), span.first), span.last));
  return (
    <div class="slider">
      <label for="time-at">Place in the run</label>
      <input
        type="range"
        id="time-at"
        min={span.first}
        max={span.last}
        step="1"
        value={at}
        aria-valuetext={`${instructions(at)} of ${instructions(span.last)}, ${seconds(lockstep.virtualMs)}`}
        onInput={({ currentTarget }) => {
          held.value = currentTarget.valueAsNumber;
          go(held.value);
        }}
        onChange={() => (held.value = undefined)}
        onKeyDown={(event) => {
          const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
          if (way === undefined) return;
          event.preventDefault();
          go(span.at + way * Math.ceil((span.last - span.first) / (event.shiftKey ? FINE_KEY_PARTS : KEY_PARTS)));
        }}
      />
      <div class="ends" aria-hidden="true">
        <span>start</span>
        <span>{span.inPast ? 'present' : 'now'}</span>
      </div>
    </div>
  );
}

function Ways({
  session,
  machine,
  travel,
  span,
}: {
  readonly session: Session;
  readonly machine: Machine;
  readonly travel: TimeTravel;
  readonly span: Span;
}) {
  const cpu = useSignal(0);
  const count = useSignal(1);
  const paused = session.state.value === 'paused';
  const busy = travel.isOnTheWay.value;
  const press = (work: () => void) => () => {
    if (paused && !busy) work();
  };
  return (
    <>
      <div class="buttons">
        <button type="button" onClick={() => void (paused ? session.resume() : session.pause())} aria-disabled={busy}>
          {paused ? (span.inPast ? 'Run on from here' : 'Go on') : 'Pause'}
        </button>
        <button type="button" aria-disabled={!paused || busy} onClick={press(() => travel.goTo(span.first))}>
          To the start
        </button>
        <button type="button" aria-disabled={!paused || busy} onClick={press(() => travel.runBack())}>
          Run back to a breakpoint
        </button>
        <button type="button" aria-disabled={!paused || busy || !span.inPast} onClick={press(() => travel.goTo(span.last))}>
          To the present
        </button>
        {busy && (
          <button type="button" onClick={() => travel.end()}>
            End the way here
          </button>
        )}
      </div>
      <div class="line-form">
        <button type="button" id="step-back" aria-disabled={!paused || busy} onClick={press(() => travel.stepBack(cpu.value, count.value))}>
          Step back
        </button>
        <button type="button" aria-disabled={!paused || busy} onClick={press(() => travel.step(cpu.value, count.value))}>
          Step on
        </button>
        <label>
          CPU
          <select value={cpu.value} onChange={({ currentTarget }) => (cpu.value = Number(currentTarget.value))}>
            {machine.cpus.map(({ index }) => (
              <option key={index}>{index}</option>
            ))}
          </select>
        </label>
        <label>
          by
          <NumberField
            aria-label="Instructions of a step"
            min={1}
            max={100_000_000}
            value={count.value}
            onNumber={(value) => (count.value = value)}
          />
        </label>
      </div>
    </>
  );
}

/** Where the CPUs of a machine that stands still are. */
function Places({ machine }: { readonly machine: Machine }) {
  const facts = machine.cpus.map(({ index, registers }) => {
    const address = (registers.segments.cs.base + registers.eip) >>> 0;
    return { name: `CPU ${index}, level ${registers.cpl}`, value: `${asAddress(address)} ${machine.symbolAt(address) ?? ''}` };
  });
  return <FactTable caption="Next instructions" facts={facts} />;
}

function Travelled({ session, machine }: { readonly session: Session; readonly machine: Machine }) {
  void session.tick.value;
  const travel = travelOf(session, machine);
  const { lockstep } = machine.stats();
  const span = lockstep?.history;
  const state = session.state.value;
  if (state === 'ended') return <p>The run has ended, and with it its history. Pause a machine before it ends.</p>;
  if (lockstep === undefined || span === undefined) return <p>The history is here when the machine has begun.</p>;
  return (
    <div class="time">
      <Slider span={span} lockstep={lockstep} travel={travel} />
      <p class="where">
        {span.inPast ? `In the past, ${instructions(span.last - span.at)} before the present` : 'In the present'}: what is typed{' '}
        {span.inPast ? 'now makes another future' : 'is kept, and comes again'}.
      </p>
      <Ways session={session} machine={machine} travel={travel} span={span} />
      <p role="status">{travel.isOnTheWay.value ? 'On the way' : travel.said.value}</p>
      {travel.error.value !== undefined && <ErrorBlock report={travel.error.value} onClose={() => (travel.error.value = undefined)} />}
      <FactTable
        caption="This place"
        facts={[
          { name: 'Instructions of all CPUs', value: span.at.toLocaleString('en') },
          { name: 'The guest’s time', value: seconds(lockstep.virtualMs) },
          { name: 'Turns', value: lockstep.turns.toLocaleString('en') },
          { name: 'Seed', value: lockstep.seed },
          { name: 'Checkpoints', value: `${span.checkpoints}, ${asBytes(span.bytes / 1024)}` },
        ]}
      />
      {state === 'paused' && !travel.isOnTheWay.value && <Places machine={machine} />}
      <p class="muted">
        The slider leads through all that the machine has executed; arrow keys move it by a hundredth, with Shift by a ten-thousandth. The
        terminal keeps what was printed: nothing is printed twice. Registers and memory of a place are in the panel Debug.
      </p>
    </div>
  );
}

export default function Time({ session }: { readonly session: Session }) {
  void session.state.value;
  const machine = session.machine.value;
  if (machine === undefined || !machine.canGoBack) return <CannotGoBack session={session} machine={machine} />;
  return <Travelled key={machine} session={session} machine={machine} />;
}
