// Clients that a run is to have from when its console has printed a text (`from`): attached then as a program would, as a kernel must have begun before some can know anything of it.
import { LATE } from '../api/client-names.ts';
import type { ClientRequest } from '../api/clients.ts';
import { DragomanError } from '../api/errors.ts';
import { ConsolePart } from './console-part.ts';

/** Whether a client is none of a machine's yet when that is made. */
export const isLate = ({ name, options }: ClientRequest): boolean => LATE.includes(name) && options.from !== undefined;

/** What a run's late clients see of the console. `attach`: attaches one while the machine runs; `failed`: ends the run with what it rejects with. */
export function lateClients(
  requests: readonly ClientRequest[],
  attach: (request: ClientRequest) => Promise<unknown>,
  failed: (error: unknown) => void,
): ConsolePart[] {
  // A run that is over by then needs none.
  const refused = (error: unknown) => {
    if (!(error instanceof DragomanError && error.code === 'ENDED')) failed(error);
  };
  return requests.filter(isLate).map((request) => {
    const { from, ...options } = request.options;
    return new ConsolePart({ from }, { onBegin: () => void attach({ ...request, options }).catch(refused), onEnd: () => {} });
  });
}
