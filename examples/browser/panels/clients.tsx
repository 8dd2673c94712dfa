// The panel "Clients": what can look at how the guest runs, attached and detached while it does, and what each has found.
import { useId } from 'preact/hooks';
import { type AttachedClients, clientsOf, nameOfWord } from '../app/attached-clients.ts';
import type { Session } from '../app/session.ts';
import { ClientReport } from '../parts/client-report.tsx';
import { ClientSwitch } from '../parts/client-switch.tsx';
import { ErrorBlock } from '../parts/error-block.tsx';
import './clients.css';

interface Offer {
  /** As it is asked for. */
  readonly word: string;
  readonly what: string;
  readonly cost: string;
}

const OFFERS: readonly Offer[] = [
  { word: 'inscount', what: 'Counts instructions, of the kernel and of programs, by CPU.', cost: 'some 2 to 12%' },
  {
    word: 'flame:hz=997,idle=off',
    what: 'Samples the guest’s stacks: where its time goes, as a flame graph; by address where the kernel’s file has no names.',
    cost: 'next to nothing: no code is another',
  },
  { word: 'sharing:granule=4096', what: 'Notes which pages one CPU uses and which several do, read or written.', cost: 'twice the time' },
  {
    word: 'crossings',
    what: 'Counts ways from programs into the kernel: system calls, page faults, interrupts.',
    cost: 'some 0.1 microseconds each',
  },
  { word: 'coverage', what: 'Marks code that was run, and ways that branches went.', cost: 'some 20 to 30%' },
  {
    word: 'trace:what=crossing,records=1024',
    what: 'Keeps the last ways into the kernel and out of it, in their order.',
    cost: 'some 0.1 microseconds each',
  },
  { word: 'races:every=20000', what: 'Looks for data races between CPUs, by watched samples.', cost: 'several times the time' },
  {
    word: 'shadow',
    what: 'Finds uses of the kernel’s heap after free and out of bounds; the kernel’s file needs its names.',
    cost: 'twice the time',
  },
];

interface RowProps {
  readonly session: Session;
  readonly offer: Offer;
  readonly clients: AttachedClients;
  readonly canAttach: boolean;
}

function Row({ session, offer, clients, canAttach }: RowProps) {
  const note = useId();
  const name = nameOfWord(offer.word);
  const attached = clients.of(name);
  return (
    <section class="client" aria-label={name}>
      <div class="client-head">
        <h3>{name}</h3>
        <ClientSwitch
          clients={clients}
          word={offer.word}
          canAttach={canAttach}
          attach={`Attach ${name}`}
          detach={`Detach ${name}`}
          describedBy={note}
        />
      </div>
      <p id={note}>
        {offer.what} <span class="client-cost">Costs {offer.cost}.</span>
      </p>
      {attached !== undefined && <ClientReport session={session} attached={attached} />}
    </section>
  );
}

export default function Clients({ session }: { readonly session: Session }) {
  const clients = clientsOf(session);
  void session.tick.value;
  const canAttach = session.state.value === 'running' || session.state.value === 'paused';
  return (
    <div class="clients">
      <p>
        A client adds to the guest’s code while it is translated. Where one comes or goes the machine stands still for a moment, and its
        code is made anew; without one nothing is different.
      </p>
      {clients.error.value && <ErrorBlock report={clients.error.value} takesFocus={() => true} onClose={() => clients.forgetError()} />}
      {OFFERS.map((offer) => (
        <Row key={offer.word} session={session} offer={offer} clients={clients} canAttach={canAttach} />
      ))}
    </div>
  );
}
