// `dragoman run --client flame`: where the profile goes at the end of the run.
import { CLIENT } from '../api/clients.ts';
import type { MachineHandle } from '../api/options.ts';
import { flameSettings } from '../clients/flame/options.ts';
import type { Sink } from './sinks.ts';

/** Undefined where the client is not among those that were asked for. */
export function flameFile(clients: readonly string[]): string | undefined {
  const found = clients.map((text) => CLIENT.read(text, '--client')).find(({ name }) => name === 'flame');
  return found && flameSettings(found.options, '--client').file;
}

/** However the run has ended. */
export async function leaveFlame(machine: MachineHandle, sink: Sink): Promise<void> {
  void sink.write(await machine.flame());
}
