// What threads load when there is a client, in Node. In a bundle for browsers browser-clients.ts is in its place (package.json's `browser` field).
export const importClientCode = (): Promise<typeof import('../clients/client-code.ts')> => import('../clients/client-code.ts');
export { importOwn } from '../clients/own.ts';
