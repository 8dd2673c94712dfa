// Looks whether a thread can load what a client needs, where not every one can load what the machine's can (a browser's Workers have no document): who attaches the client is told, and no CPU
// meets it.
import { loadClient } from '../../clients/load.ts';
import { host } from '../../host/node.ts';
import { importClientCode, importOwn } from '../../host/node-clients.ts';
import type { ClientWorkerData, ClientWorkerMessage } from './messages.ts';

const { module } = await host.workerData<ClientWorkerData>();
let message: ClientWorkerMessage = {};
try {
  await importClientCode();
  await loadClient(module, importOwn);
} catch (error) {
  message = { error: (error as Error).message };
}
host.post(message);
host.workerEnds();
