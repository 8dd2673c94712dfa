// A CPU's registers; those that have changed since the last stop are marked.
import type { RegisterView } from '../app/debugger.ts';

export const RegisterTable = ({ registers, cpu }: { readonly registers: readonly RegisterView[]; readonly cpu: number }) => (
  <dl class="registers" aria-label={`Registers of CPU ${cpu}`}>
    {registers.map(({ name, value, changed }) => (
      <div key={name} class={changed ? 'changed' : ''}>
        <dt>{name}</dt>
        <dd>
          <code>{value.toString(16).padStart(8, '0')}</code>
          {changed && <span class="for-readers"> changed</span>}
        </dd>
      </div>
    ))}
  </dl>
);
