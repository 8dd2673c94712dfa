// The panel "Network": who else is on the machine's network, and what went over it.
import { network, peers } from '../app/attachments.ts';
import type { Session } from '../app/session.ts';
import { FactTable } from '../parts/fact-table.tsx';
import './network.css';

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export default function Network({ session }: { readonly session: Session }) {
  void session.tick.value;
  const card = network.value;
  if (card === undefined)
    return (
      <p>
        This machine has no network card. Give it a network in its form, by any name: machines in other tabs of this browser whose network
        has the same name are on it, each frame that one of them sends reaches all others, and none leaves the browser. A guest needs a
        driver of virtio's network card; serai has none.
      </p>
    );
  const { name, mac, counts } = card;
  const others = peers.value;
  return (
    <div class="network">
      <p>
        <output id="peers">
          {others.length === 0 ? 'Nobody else is' : others.length === 1 ? '1 other machine is' : `${others.length} other machines are`}
        </output>{' '}
        on the network {name}.{' '}
        <a href={location.href} target="_blank" rel="noopener">
          Open one more in another tab
        </a>
      </p>
      {others.length > 0 && (
        <ul aria-label="Others on the network">
          {others.map(({ id, mac: address }) => (
            <li key={id}>
              <code>{address}</code>
              {address === mac && ' has the same address as this machine: frames for both reach both'}
            </li>
          ))}
        </ul>
      )}
      <FactTable
        caption="This machine's card"
        facts={[
          { name: 'Address', value: mac },
          { name: 'Frames sent', value: whole.format(counts.sent) },
          { name: 'Frames received', value: whole.format(counts.received) },
          { name: 'Frames lost', value: whole.format(counts.lost) },
        ]}
      />
    </div>
  );
}
