// The panel "Region": the code of one region, that is chosen here or on the code map.
import { useSignal, useSignalEffect } from '@preact/signals';
import type { CodeRegion } from '../../../src/api/index.ts';
import { codeOf, hex, nameOf } from '../app/code-store.ts';
import type { Session } from '../app/session.ts';
import { RegionCodeView } from '../parts/region-code.tsx';
import './region-inspector.css';

/** Regions that are offered. */
const OFFERED = 40;

const labelOf = (region: CodeRegion): string => `${nameOf(region)} · ${region.codeBytes} bytes`;
const matches = (region: CodeRegion, text: string): boolean =>
  nameOf(region).toLowerCase().includes(text) || hex(region.physical).includes(text);

export default function RegionInspector({ session }: { readonly session: Session }) {
  const store = codeOf(session);
  const machine = session.machine.value;
  useSignalEffect(() => store.follow(session.machine.value, session.tick.value));
  void store.version.value;
  const wanted = useSignal('');
  if (machine === undefined) return <p>Here is the code of a region, when a machine runs.</p>;
  const { selected } = store;
  const text = wanted.value.trim().toLowerCase();
  const heat = ({ id }: CodeRegion) => store.heat.get(id) ?? 0;
  const offered = [...store.regions.values()]
    .filter((region) => text === '' || matches(region, text))
    .sort((a, b) => heat(b) - heat(a) || a.physical - b.physical)
    .slice(0, OFFERED);
  const chosen = selected.value === undefined ? undefined : store.regions.get(selected.value);
  // What is chosen is among them as long as it is there.
  const options = chosen === undefined || offered.includes(chosen) ? offered : [chosen, ...offered];
  return (
    <div class="region-inspector">
      <div class="region-choice">
        <label for="region-name">Name or address</label>
        <input
          id="region-name"
          type="text"
          spellcheck={false}
          autocomplete="off"
          value={wanted.value}
          onInput={({ currentTarget }) => (wanted.value = currentTarget.value)}
        />
        <label for="region-id">Region, the hottest first</label>
        <select
          id="region-id"
          value={selected.value === undefined ? '' : String(selected.value)}
          onChange={({ currentTarget }) => (selected.value = currentTarget.value === '' ? undefined : Number(currentTarget.value))}
        >
          <option value="">{store.regions.size === 0 ? 'none yet' : `choose one of ${store.regions.size}`}</option>
          {options.map((region) => (
            <option key={region.id} value={String(region.id)}>
              {labelOf(region)}
            </option>
          ))}
        </select>
      </div>
      {selected.value === undefined ? (
        <p class="muted">A region is code of the guest that is one function of WebAssembly. Choose one here, or on the code map.</p>
      ) : (
        <RegionCodeView machine={machine} id={selected.value} />
      )}
    </div>
  );
}
