// Tells whoever runs a machine why its guest saw an I/O error.

/** For the first error of a disk; those behind it are mostly the same. */
export function errorTeller(name: string): (error: unknown) => void {
  let isTold = false;
  return (error) => {
    if (!isTold) console.error(`dragoman: ${name}: the guest got an I/O error: ${error instanceof Error ? error.message : String(error)}`);
    isTold = true;
  };
}
