// A button that attaches a client to the machine, or detaches it.
import { type AttachedClients, nameOfWord } from '../app/attached-clients.ts';

interface Props {
  readonly clients: AttachedClients;
  /** As it is asked for. */
  readonly word: string;
  /** Whether there is a machine that could have it. */
  readonly canAttach: boolean;
  readonly attach?: string;
  readonly detach?: string;
  readonly describedBy?: string;
}

export function ClientSwitch({ clients, word, canAttach, attach = 'Attach', detach = 'Detach', describedBy }: Props) {
  const name = nameOfWord(word);
  const isAttached = clients.of(name) !== undefined;
  const busy = clients.busy.value.includes(name);
  const press = () => {
    if (canAttach && !busy) void (isAttached ? clients.detach(name) : clients.attach(word));
  };
  return (
    <button type="button" aria-disabled={!canAttach || busy} aria-describedby={describedBy} onClick={press}>
      {isAttached ? detach : attach}
    </button>
  );
}
