/** Keys of a simulated provider: issued by a test or made by the provider's administration, found by their fingerprints. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { fingerprintOf } from './openai-organization.ts';

export interface SimulatedKey {
  readonly id: string;
  readonly name: string;
  readonly fingerprint: string;
  /** Beginning and end of the secret, as providers show it in lists. */
  readonly hint: string;
  /** `token`: given for an identity, not issued. */
  readonly kind: 'key' | 'token';
  /** The workspace, project, account or user it belongs to. */
  readonly owner: string | undefined;
  /** `deleted` is final for the key; whether a deletion can be undone is the administration's to know. */
  readonly status: 'active' | 'inactive' | 'deleted';
  readonly createdAt: string;
  readonly expiresAt: string | undefined;
  /** When it left `active`. The provider may accept it a while longer. */
  readonly revokedAt: string | undefined;
}

/** A key that the provider accepts at this moment. */
export interface LiveKey {
  readonly name: string;
  /** SHA-256 of the key, hex. */
  readonly fingerprint: string;
}

export interface NewKey {
  readonly kind?: SimulatedKey['kind'] | undefined;
  readonly expiresInSeconds?: number | undefined;
  readonly prefix?: string | undefined;
  readonly name?: string | undefined;
  readonly owner?: string | undefined;
  readonly id?: string | undefined;
  readonly secret?: string | undefined;
}

export interface SimulatedKeys {
  /** Answers the secret once. */
  issue(options?: NewKey): string;
  create(options?: NewKey): { readonly key: SimulatedKey; readonly secret: string };
  /** As if it was deleted in the provider's console. */
  revoke(secret: string): void;
  /** Undefined for an unknown ID. A key that dies is still accepted for as long as the provider takes; one that is active again is accepted at once. */
  setStatus(id: string, status: SimulatedKey['status']): SimulatedKey | undefined;
  rename(id: string, name: string): SimulatedKey | undefined;
  byId(id: string): SimulatedKey | undefined;
  /** For providers that show a key's secret again. */
  secretOf(id: string): string | undefined;
  /** The key behind a secret, if it is still accepted. */
  accepted(secret: string): SimulatedKey | undefined;
  all(): readonly SimulatedKey[];
  /** Keys, not tokens, that are accepted now. */
  live(namePrefix?: string): readonly LiveKey[];
  /** Every secret ever issued: for searches in tests of the same process. */
  plantedSecrets(): readonly string[];
}

interface Entry {
  key: SimulatedKey;
  readonly secret: string;
  readonly expiresAt: number | undefined;
  endedAt: number | undefined;
}

/** `deletionDelayMs` is read at each use: how long, by the injected clock, a key that ended is still accepted. */
export function createKeys(clock: Clock, prefix: string, deletionDelayMs: () => number = () => 0): SimulatedKeys {
  const byId = new Map<string, Entry>();
  const byFingerprint = new Map<string, Entry>();
  const isAccepted = ({ expiresAt, endedAt }: Entry): boolean => {
    const now = clock.now();
    return (expiresAt === undefined || now < expiresAt) && (endedAt === undefined || now < endedAt + deletionDelayMs());
  };
  const create = (options: NewKey = {}): { key: SimulatedKey; secret: string } => {
    const secret = options.secret ?? `${options.prefix ?? prefix}${randomBytes(30).toString('base64url')}`;
    const now = clock.now();
    const expiresAt = options.expiresInSeconds === undefined ? undefined : now + options.expiresInSeconds * 1000;
    const key: SimulatedKey = {
      id: options.id ?? `key_${randomBytes(9).toString('hex')}`,
      name: options.name ?? 'made in the console',
      fingerprint: fingerprintOf(secret),
      hint: `${secret.slice(0, (options.prefix ?? prefix).length + 3)}...${secret.slice(-4)}`,
      kind: options.kind ?? 'key',
      owner: options.owner,
      status: 'active',
      createdAt: new Date(now).toISOString(),
      expiresAt: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
      revokedAt: undefined,
    };
    const entry: Entry = { key, secret, expiresAt, endedAt: undefined };
    byId.set(key.id, entry);
    byFingerprint.set(key.fingerprint, entry);
    return { key, secret };
  };
  const setStatus = (id: string, status: SimulatedKey['status']): SimulatedKey | undefined => {
    const entry = byId.get(id);
    if (entry === undefined) return undefined;
    entry.endedAt = status === 'active' ? undefined : (entry.endedAt ?? clock.now());
    entry.key = { ...entry.key, status, revokedAt: entry.endedAt === undefined ? undefined : new Date(entry.endedAt).toISOString() };
    return entry.key;
  };
  return {
    issue: (options) => create(options).secret,
    create,
    revoke(secret) {
      const entry = byFingerprint.get(fingerprintOf(secret));
      if (entry !== undefined) setStatus(entry.key.id, 'deleted');
    },
    setStatus,
    rename(id, name) {
      const entry = byId.get(id);
      if (entry !== undefined) entry.key = { ...entry.key, name };
      return entry?.key;
    },
    byId: (id) => byId.get(id)?.key,
    secretOf: (id) => byId.get(id)?.secret,
    accepted(secret) {
      const entry = byFingerprint.get(fingerprintOf(secret));
      return entry !== undefined && isAccepted(entry) ? entry.key : undefined;
    },
    all: () => [...byId.values()].map(({ key }) => key),
    live: (namePrefix = '') =>
      [...byId.values()]
        .filter((entry) => entry.key.kind === 'key' && entry.key.name.startsWith(namePrefix) && isAccepted(entry))
        .map(({ key: { name, fingerprint } }) => ({ name, fingerprint })),
    plantedSecrets: () => [...byId.values()].map(({ secret }) => secret),
  };
}
