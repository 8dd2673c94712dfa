// The breakpoints that there are, and a form for another one: by a name, an address, or a register's value.
import { useSignal } from '@preact/signals';
import type { Breakpoint, WatchAccess } from '../../../src/api/index.ts';
import type { Debugger } from '../app/debugger.ts';
import { NumberField } from './number-field.tsx';

type Kind = 'code' | WatchAccess;
const KINDS: Readonly<Record<Kind, string>> = {
  code: 'is executed',
  write: 'is written',
  read: 'is read',
  readwrite: 'is read or written',
};
const kindOf = ({ kind, access }: Breakpoint): string => KINDS[kind === 'code' ? 'code' : access!];

function NewBreakpoint({ of }: { readonly of: Debugger }) {
  const where = useSignal('');
  const kind = useSignal<Kind>('code');
  const length = useSignal(4);
  return (
    <form
      class="line-form"
      onSubmit={(event) => {
        event.preventDefault();
        void of.break(where.value, kind.value, length.value).then((set) => set && (where.value = ''));
      }}
    >
      <label>
        Stop where
        <input
          type="text"
          id="break-at"
          required
          spellcheck={false}
          autocomplete="off"
          autocapitalize="off"
          placeholder="name or address"
          value={where.value}
          onInput={({ currentTarget }) => (where.value = currentTarget.value)}
        />
      </label>
      <label>
        <span class="for-readers">How</span>
        <select value={kind.value} onChange={({ currentTarget }) => (kind.value = currentTarget.value as Kind)}>
          {Object.entries(KINDS).map(([name, text]) => (
            <option key={name} value={name}>
              {text}
            </option>
          ))}
        </select>
      </label>
      {kind.value !== 'code' && (
        <label>
          Bytes
          <NumberField min={1} max={4096} value={length.value} onNumber={(value) => (length.value = value)} />
        </label>
      )}
      <button type="submit">Set</button>
    </form>
  );
}

export function BreakpointList({ of }: { readonly of: Debugger }) {
  const points = of.points.value;
  return (
    <section aria-labelledby="points-title">
      <h3 id="points-title">Breakpoints</h3>
      <NewBreakpoint of={of} />
      {points.length > 0 && (
        <ul class="points">
          {points.map((point) => {
            const name = of.named(point.address);
            return (
              <li key={point}>
                <span>
                  <code>{name}</code> {kindOf(point)}
                  {point.kind === 'data' && ` (${point.length} bytes)`}, met {point.hits === 1 ? 'once' : `${point.hits} times`}
                </span>
                <button type="button" onClick={() => void of.remove(point)}>
                  Remove<span class="for-readers"> the one at {name}</span>
                </button>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}
