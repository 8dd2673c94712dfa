// A client that only a page can load: a Worker has no document.
import type { Client } from '../../src/clients/client.ts';

document.title = 'a client';
export default (): Client => ({ report: () => ({}) });
