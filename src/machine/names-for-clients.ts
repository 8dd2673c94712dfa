// What clients are told of the names of the guest's kernel: those that somebody gave, or else those that a Linux kernel has in its memory, with those of its modules.
import { knownNames } from '../clients/flame/names.ts';
import type { KernelNames } from '../clients/view.ts';
import type { MachineSymbols } from '../inspect/symbols.ts';

/** `find`: makes the names known that are in the guest's memory, where there are any and the machine stands still. */
export const namesForClients = (symbols: MachineSymbols, find: () => void): KernelNames => ({
  at: (address) => symbols.at(address),
  address: (name) => knownNames(symbols, find).address(name),
  renew() {
    // They are found again, or stay.
    if (symbols.areGuests) knownNames({ areKnown: false }, find);
  },
});
