/** Keys of a simulated provider without an administration of its own: issued by the test, found by their fingerprints. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import { fingerprintOf } from './openai-organization.ts';

export interface SimulatedKey {
  readonly id: string;
  readonly fingerprint: string;
  /** `token`: given for an identity, not issued. */
  readonly kind: 'key' | 'token';
  readonly createdAt: string;
  readonly expiresAt: string | undefined;
  readonly revokedAt: string | undefined;
}

export interface SimulatedKeys {
  /** Answers the secret once. */
  issue(options?: { kind?: SimulatedKey['kind']; expiresInSeconds?: number; prefix?: string }): string;
  /** The key is refused from now on. */
  revoke(secret: string): void;
  /** The key behind a secret, if it is still accepted. */
  accepted(secret: string): SimulatedKey | undefined;
  all(): readonly SimulatedKey[];
  /** Every secret ever issued: for searches in tests of the same process. */
  plantedSecrets(): readonly string[];
}

export function createKeys(clock: Clock, prefix: string): SimulatedKeys {
  const keys = new Map<string, SimulatedKey & { endsAt: number | undefined }>();
  const planted: string[] = [];
  const shown = ({ endsAt: _, ...key }: SimulatedKey & { endsAt: number | undefined }): SimulatedKey => key;
  return {
    issue(options = {}) {
      const secret = `${options.prefix ?? prefix}${randomBytes(30).toString('base64url')}`;
      const now = clock.now();
      const endsAt = options.expiresInSeconds === undefined ? undefined : now + options.expiresInSeconds * 1000;
      const fingerprint = fingerprintOf(secret);
      planted.push(secret);
      keys.set(fingerprint, {
        id: `key_${randomBytes(9).toString('hex')}`,
        fingerprint,
        kind: options.kind ?? 'key',
        createdAt: new Date(now).toISOString(),
        expiresAt: endsAt === undefined ? undefined : new Date(endsAt).toISOString(),
        revokedAt: undefined,
        endsAt,
      });
      return secret;
    },
    revoke(secret) {
      const key = keys.get(fingerprintOf(secret));
      if (key !== undefined) keys.set(key.fingerprint, { ...key, revokedAt: new Date(clock.now()).toISOString() });
    },
    accepted(secret) {
      const key = keys.get(fingerprintOf(secret));
      if (key === undefined || key.revokedAt !== undefined || (key.endsAt !== undefined && clock.now() >= key.endsAt)) return undefined;
      return shown(key);
    },
    all: () => [...keys.values()].map(shown),
    plantedSecrets: () => [...planted],
  };
}
