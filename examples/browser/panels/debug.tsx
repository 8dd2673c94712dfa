// The panel "Debug": a machine is paused, stepped and looked at: registers, code with names, memory, calls, breakpoints.
import { type Signal, useSignal, useSignalEffect } from '@preact/signals';
import type { Machine } from '../../../src/api/index.ts';
import { type Debugger, type DebugView, debuggerOf } from '../app/debugger.ts';
import type { Session } from '../app/session.ts';
import { BreakpointList } from '../parts/breakpoint-list.tsx';
import { CodeListing } from '../parts/code-listing.tsx';
import { ErrorBlock } from '../parts/error-block.tsx';
import { MemoryRows } from '../parts/memory-rows.tsx';
import { NumberField } from '../parts/number-field.tsx';
import { asAddress } from '../parts/numbers.ts';
import { RegisterTable } from '../parts/register-table.tsx';
import './debug.css';

function Controls({ session, of }: { readonly session: Session; readonly of: Debugger }) {
  const count = useSignal(1);
  const state = session.state.value;
  const paused = state === 'paused';
  const stepping = of.isStepping.value;
  return (
    <form
      class="line-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (paused) void of.step(count.value);
      }}
    >
      <button type="button" disabled={!paused && state !== 'running'} onClick={() => void (paused ? session.resume() : session.pause())}>
        {paused ? 'Go on' : 'Pause'}
      </button>
      {/* Not disabled while it steps: it would lose the focus. */}
      <button type="submit" id="step" disabled={!paused} aria-disabled={!paused || stepping}>
        Step CPU {of.cpu.value}
      </button>
      <label>
        <span class="for-readers">Instructions of a step</span>
        <NumberField min={1} max={100_000_000} value={count.value} onNumber={(value) => (count.value = value)} />
      </label>
      <span class="muted">instructions</span>
      {stepping && (
        <button type="button" onClick={() => of.endSteps()}>
          End the step
        </button>
      )}
    </form>
  );
}

const Cpus = ({ view, of }: { readonly view: DebugView; readonly of: Debugger }) => (
  <fieldset class="cpus">
    <legend>CPU</legend>
    {view.cpus.map(({ index, address, symbol, level }) => (
      <label key={index}>
        <input type="radio" name="debug-cpu" checked={of.cpu.value === index} onChange={() => (of.cpu.value = index)} />
        <span>
          {index}: <code>{asAddress(address)}</code> {symbol} <span class="muted">level {level}</span>
        </span>
      </label>
    ))}
  </fieldset>
);

/** A place that somebody may change. */
function PlaceField({
  id,
  label,
  place,
  hint,
}: {
  readonly id: string;
  readonly label: string;
  readonly place: Signal<string>;
  readonly hint: string;
}) {
  const typed = useSignal(place.value);
  return (
    <form
      class="line-form"
      onSubmit={(event) => {
        event.preventDefault();
        place.value = typed.value;
      }}
    >
      <label for={id}>{label}</label>
      <input
        type="text"
        id={id}
        spellcheck={false}
        autocomplete="off"
        autocapitalize="off"
        placeholder={hint}
        value={typed.value}
        onInput={({ currentTarget }) => (typed.value = currentTarget.value)}
      />
      <button type="submit">
        Show<span class="for-readers"> {label.toLowerCase()} there</span>
      </button>
    </form>
  );
}

const Why = ({ children }: { readonly children: string }) => <p class="why">{children}</p>;

function Calls({ frames }: { readonly frames: DebugView['frames'] }) {
  if (typeof frames === 'string') return <Why>{frames}</Why>;
  return (
    <ol class="calls" start={0}>
      {frames.map(({ address, symbol, frame }) => (
        <li key={frame}>
          <code>{asAddress(address)}</code> {symbol}
        </li>
      ))}
    </ol>
  );
}

function Seen({ view, of }: { readonly view: DebugView; readonly of: Debugger }) {
  return (
    <>
      <Cpus view={view} of={of} />
      <section aria-labelledby="code-title">
        <h3 id="code-title">Code</h3>
        <PlaceField id="code-at" label="From" place={of.codeAt} hint="the next instruction" />
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard. */}
        <div class="scrolls" tabIndex={0}>
          {typeof view.code === 'string' ? <Why>{view.code}</Why> : <CodeListing lines={view.code} onToggle={(line) => of.toggle(line)} />}
        </div>
      </section>
      <section aria-labelledby="registers-title">
        <h3 id="registers-title">Registers</h3>
        <RegisterTable registers={view.registers} cpu={of.cpu.value} />
      </section>
      <section aria-labelledby="calls-title">
        <h3 id="calls-title">Calls, innermost first</h3>
        <Calls frames={view.frames} />
      </section>
      <section aria-labelledby="memory-title">
        <h3 id="memory-title">Memory</h3>
        <PlaceField id="memory-at" label="Memory" place={of.memoryAt} hint="name, address, register" />
        <label class="check">
          <input
            type="checkbox"
            checked={of.isPhysical.value}
            onChange={({ currentTarget }) => (of.isPhysical.value = currentTarget.checked)}
          />
          physical addresses
        </label>
        {typeof view.memory === 'string' ? <Why>{view.memory}</Why> : <MemoryRows {...view.memory} />}
      </section>
    </>
  );
}

function Names({ session, of }: { readonly session: Session; readonly of: Debugger }) {
  return (
    <details class="names">
      <summary>Names of the kernel</summary>
      <p class="muted">They come from the kernel’s file where that has some. A Linux kernel has them in its memory, too.</p>
      <div class="buttons">
        <button type="button" disabled={session.state.value !== 'paused'} onClick={() => void of.loadGuestNames()}>
          Out of Linux’s memory
        </button>
        <label>
          System.map or ELF file{' '}
          <input
            type="file"
            onChange={({ currentTarget: { files } }) => {
              if (files?.[0] !== undefined) void of.loadNames(files[0]);
            }}
          />
        </label>
      </div>
    </details>
  );
}

function Debugged({ session, machine }: { readonly session: Session; readonly machine: Machine }) {
  const of = debuggerOf(session, machine);
  useSignalEffect(() => {
    for (const one of [session.state, of.cpu, of.codeAt, of.memoryAt, of.isPhysical]) void one.value;
    // Four times a second nothing changes of a machine that runs.
    if (session.state.value !== 'running') void session.tick.value;
    void of.look();
  });
  const view = of.view.value;
  return (
    <div class="debug">
      <Controls session={session} of={of} />
      <p role="status" class="said">
        {of.said.value}
      </p>
      {of.error.value !== undefined && <ErrorBlock report={of.error.value} onClose={() => (of.error.value = undefined)} />}
      <BreakpointList of={of} />
      {view === undefined ? <p class="muted">A machine that is paused can be looked at.</p> : <Seen view={view} of={of} />}
      <Names session={session} of={of} />
    </div>
  );
}

export default function Debug({ session }: { readonly session: Session }) {
  const machine = session.machine.value;
  if (machine === undefined) return <p>When a machine runs, it can be stopped and looked at here.</p>;
  return <Debugged key={machine} session={session} machine={machine} />;
}
