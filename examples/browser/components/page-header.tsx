// The page's head: its name, how it is seen, and its keys.
import type { Signal } from '@preact/signals';
import { SCHEMES, SIZES, scheme, screenReader, textSize } from '../app/preferences.ts';
import { isOpen } from '../app/tour-place.ts';
import { Icon } from '../parts/icon.tsx';
import './page-header.css';

const SCHEME_TITLES = { auto: 'As the system', light: 'Light', dark: 'Dark' };
const SIZE_TITLES = { normal: 'Normal', large: 'Large', largest: 'For a projector' };

interface ChoiceProps<T extends string> {
  readonly legend: string;
  readonly name: string;
  readonly values: readonly T[];
  readonly titles: Readonly<Record<T, string>>;
  readonly chosen: Signal<T>;
}
function Choice<T extends string>({ legend, name, values, titles, chosen }: ChoiceProps<T>) {
  return (
    <fieldset>
      <legend>{legend}</legend>
      {values.map((value) => (
        <label key={value}>
          <input type="radio" name={name} checked={chosen.value === value} onChange={() => (chosen.value = value)} />
          {titles[value]}
        </label>
      ))}
    </fieldset>
  );
}

const ViewSheet = () => (
  <section id="view" class="sheet" popover="auto" aria-labelledby="view-title">
    <h2 id="view-title">View</h2>
    <Choice legend="Colours" name="colours" values={SCHEMES} titles={SCHEME_TITLES} chosen={scheme} />
    <Choice legend="Text" name="text" values={SIZES} titles={SIZE_TITLES} chosen={textSize} />
    <label>
      <input
        type="checkbox"
        id="screen-reader"
        checked={screenReader.value === 'on'}
        onChange={({ currentTarget }) => (screenReader.value = currentTarget.checked ? 'on' : 'off')}
      />
      Terminal for screen readers
    </label>
  </section>
);

const KeysSheet = () => (
  <section id="keys" class="sheet" popover="auto" aria-labelledby="keys-title">
    <h2 id="keys-title">Keys</h2>
    <dl>
      <dt>
        <kbd>F6</kbd>
      </dt>
      <dd>leaves the terminal; leads on from part to part of the page</dd>
      <dt>
        <kbd>Shift</kbd>+<kbd>F6</kbd>
      </dt>
      <dd>leads back</dd>
      <dt>
        <kbd>Tab</kbd>
      </dt>
      <dd>from control to control; in the terminal of a machine that runs, it is the guest's</dd>
      <dt>
        <kbd>←</kbd> <kbd>→</kbd>
      </dt>
      <dd>from panel to panel, on the tabs</dd>
    </dl>
  </section>
);

export const PageHeader = () => (
  <header class="page-header" data-region="">
    <div class="title">
      <h1>Dragoman</h1>
      <p>An x86 kernel on its own PC, translated into WebAssembly while it runs: a thread for each CPU.</p>
    </div>
    <nav aria-label="About the page">
      <button type="button" id="tour-open" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
        <Icon name="tour" />
        Tour
      </button>
      <button type="button" popovertarget="view">
        <Icon name="view" />
        <span class="label">View</span>
      </button>
      <button type="button" popovertarget="keys">
        <Icon name="keys" />
        <span class="label">Keys</span>
      </button>
    </nav>
    <ViewSheet />
    <KeysSheet />
  </header>
);
