/**
 * The last word on where a credential is sent: https to a listed host whose every address is public, on a connection to one of the very addresses that were
 * checked. A name that resolves differently a moment later (DNS rebinding) is not asked again.
 */
import { lookup as systemLookup } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { CordonError } from '../shared/errors.ts';

export interface EgressGuard {
  /**
   * @param hosts the adapter's list, `host` or `host:port`
   * @throws CordonError EGRESS_REFUSED
   */
  check(url: URL, hosts: readonly string[]): void;
  /** For the `lookup` option of `node:https` agents and requests: yields checked addresses only, else fails with CordonError EGRESS_REFUSED. */
  readonly lookup: LookupFunction;
}

/** As `dns.lookup` with `all`. */
export type ResolveAll = (
  hostname: string,
  family: number,
  done: (error: Error | null, addresses: readonly { readonly address: string; readonly family: number }[]) => void,
) => void;

const resolveBySystem: ResolveAll = (hostname, family, done) => {
  systemLookup(hostname, { all: true, family }, (error, addresses) => done(error, addresses));
};

/**
 * @param allowLoopback development only: `http` or `https` to 127.0.0.1, ::1 or localhost passes, whatever the list says
 */
export function createEgressGuard(options: { allowLoopback: boolean; resolve?: ResolveAll }): EgressGuard {
  const { allowLoopback, resolve = resolveBySystem } = options;
  return {
    check(url, hosts) {
      if (url.username !== '' || url.password !== '' || url.hash !== '') throw refused('the address has parts that it may not have');
      if (allowLoopback && isLoopbackName(url.hostname) && /^https?:$/.test(url.protocol)) return;
      if (url.protocol !== 'https:') throw refused('only https is used');
      // An address is no name of a provider's; and `lookup` is not asked about it.
      if (isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0) throw refused('an address takes the place of a host name');
      // `host` leaves the default port out, and a URL's host name is in lower case; a trailing dot makes it another text.
      if (!hosts.includes(url.host)) throw refused('the host is none of the credential’s');
    },
    lookup(hostname, options, callback) {
      const family = options.family === 4 || options.family === 'IPv4' ? 4 : options.family === 6 || options.family === 'IPv6' ? 6 : 0;
      resolve(hostname, family, (error, addresses) => {
        const [first] = addresses ?? [];
        if (error !== null) return callback(error, '', 0);
        if (first === undefined) return callback(refused('the host has no address'), '', 0);
        const loopback = allowLoopback && isLoopbackName(hostname);
        // One bad address is enough: a list of both is what an attempt at rebinding looks like.
        const bad = addresses.some(({ address }) => (loopback ? !isLoopbackAddress(address) : !isPublicAddress(address)));
        if (bad) return callback(refused('the host has an address that is not public'), '', 0);
        if (options.all) return callback(null, [...addresses]);
        callback(null, first.address, first.family);
      });
    },
  };
}

function refused(why: string): CordonError {
  return new CordonError('EGRESS_REFUSED', `Nothing was sent: ${why}.`);
}

const isLoopbackName = (hostname: string): boolean => hostname === 'localhost' || hostname === '127.0.0.1' || hostname === '[::1]';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isLoopbackAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && loopback.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** Not globally reachable. Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890); multicast and the reserved block (RFC 1112) besides. */
const special4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
];

/** Inside 2000::/3, of which alone addresses are given out (RFC 4291): protocol assignments with Teredo, documentation, 6to4, which wraps an IPv4 address. */
const special6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const blocked = new BlockList();
for (const [network, prefix] of special4) blocked.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of special6) blocked.addSubnet(network, prefix, 'ipv6');
const unicast6 = new BlockList();
unicast6.addSubnet('2000::', 3, 'ipv6');

/** True for an address that packets reach over the internet. IPv4 inside IPv6 (`::ffff:10.0.0.1`, `64:ff9b::…`) is not: nobody needs it to reach a provider. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !blocked.check(address, 'ipv4');
  // A zone (`fe80::1%eth0`) is local by nature.
  return family === 6 && !address.includes('%') && unicast6.check(address, 'ipv6') && !blocked.check(address, 'ipv6');
}

/**
 * What to do with an answer's redirect. None is followed. One that names another place is not passed on either: a client would carry its token there, past
 * Cordon. `none`: the status is no redirect, or names no place.
 */
export function redirectOf(status: number, location: string | undefined, url: URL): 'none' | 'same-host' | 'foreign' {
  if (status < 300 || status > 399 || location === undefined) return 'none';
  if (!URL.canParse(location, url.href)) return 'foreign';
  const to = new URL(location, url);
  return to.origin === url.origin && to.username === '' && to.password === '' ? 'same-host' : 'foreign';
}
