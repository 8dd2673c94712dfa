// Addresses of the network that the guest sees, as QEMU's user network has them. An IPv4 address is a number here, its first byte the highest.

const ip = (a: number, b: number, c: number, d: number): number => ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;

export const GATEWAY = ip(10, 0, 2, 2);
export const NAME_SERVER = ip(10, 0, 2, 3);
/** What DHCP gives. */
export const GUEST = ip(10, 0, 2, 15);
export const NETMASK = ip(255, 255, 255, 0);
export const BROADCAST = ip(255, 255, 255, 255);
export const ANY = 0;

/** Hardware address of both that we are; the last four bytes are the gateway's address. */
export const OUR_MAC = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
export const BROADCAST_MAC = new Uint8Array(6).fill(0xff);

export const isOurs = (address: number): boolean => address === GATEWAY || address === NAME_SERVER;
export const isOnNetwork = (address: number): boolean => (address & NETMASK) >>> 0 === (GATEWAY & NETMASK) >>> 0;
/** One that the guest may have: of its network, neither ours nor those of the network itself. */
export const isGuest = (address: number): boolean =>
  isOnNetwork(address) && (address & 0xff) !== 0 && (address & 0xff) !== 0xff && !isOurs(address);
/** An address that one host somewhere may have: not this network (0), a loopback, a group, reserved or broadcast. */
export const isUnicast = (address: number): boolean => {
  const first = address >>> 24;
  return first !== 0 && first !== 127 && first < 224;
};

export const formatIp = (address: number): string => [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
