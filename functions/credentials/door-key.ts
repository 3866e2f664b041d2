import { createHash, createPublicKey } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { TenantItem } from '../tenants/registry.ts';
import type { DoorKey, DoorStore, Supplier } from './door-store.ts';
import type { KeyPairs, SealedKeyPair } from './key-pairs.ts';
import { sealAlgorithm } from './seal-secret.ts';

/** As long as it takes a person to paste a key, with a second try. */
export const nonceLifeMs = 10 * 60_000;

export interface DoorKeyDeps {
  readonly clock: Clock;
  /** 24 bytes that nobody can guess. */
  readonly randomBytes: () => Buffer;
  /** The key of all pool tenants. */
  readonly poolKeyArn: string;
  readonly door: DoorStore;
  readonly keyPairs: KeyPairs;
}

/** What a client needs to seal one secret. */
export interface DoorKeyAnswer {
  /** The tenant's public key as JWK (RFC 7517); a list, so that there may be two. */
  readonly keys: readonly (DoorKey['publicKey'] & { readonly kid: string; readonly alg: string; readonly use: 'enc' })[];
  /** `expiresAt`: ISO 8601. */
  readonly nonce: { readonly value: string; readonly expiresAt: string };
}

/**
 * Gives out the tenant's public key of this month, made when it is first asked for, and a nonce that permits this caller one supply.
 *
 * @throws CordonError ACCESS_REFUSED | AWS_UNAVAILABLE | AWS_REFUSED | ITEM_NOT_UNDERSTOOD
 */
export async function giveDoorKey(deps: DoorKeyDeps, tenant: TenantItem, supplier: Supplier): Promise<DoorKeyAnswer> {
  const { tenantId } = tenant;
  const month = new Date(deps.clock()).toISOString().slice(0, 7);
  const key = (await deps.door.doorKey(tenantId, month)) ?? (await makeDoorKey(deps, tenant, month));
  const value = deps.randomBytes().toString('base64url');
  const expiresAt = deps.clock() + nonceLifeMs;
  await deps.door.addNonce({ tenantId, value, userId: supplier.userId, kid: key.kid, expiresAt, status: 'open', version: 1 });
  return {
    keys: [{ ...key.publicKey, kid: key.kid, alg: sealAlgorithm, use: 'enc' }],
    nonce: { value, expiresAt: new Date(expiresAt).toISOString() },
  };
}

async function makeDoorKey(deps: DoorKeyDeps, tenant: TenantItem, month: string): Promise<DoorKey> {
  const kmsKeyArn = secretKeyArn(deps.poolKeyArn, tenant);
  const pair = await deps.keyPairs.make(tenant.tenantId, kmsKeyArn);
  return deps.door.addDoorKey(doorKeyOf(tenant.tenantId, month, kmsKeyArn, pair));
}

/** The key that a tenant's secrets and key pairs lie under. */
export function secretKeyArn(poolKeyArn: string, tenant: Pick<TenantItem, 'tier' | 'keyArn' | 'tenantId'>): string {
  if (tenant.tier === 'pool') return poolKeyArn;
  if (tenant.keyArn === undefined) throw new CordonError('ITEM_NOT_UNDERSTOOD', 'the dedicated tenant has no key', { retryable: true });
  return tenant.keyArn;
}

const ecJwk = z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() });

function doorKeyOf(tenantId: TenantId, month: string, kmsKeyArn: string, pair: SealedKeyPair): DoorKey {
  const key = createPublicKey({ key: Buffer.from(pair.publicKey), format: 'der', type: 'spki' });
  const publicKey = ecJwk.parse(key.export({ format: 'jwk' }));
  const privateKey = Buffer.from(pair.privateKey).toString('base64');
  return { tenantId, month, kid: `${month}.${thumbprintOf(publicKey)}`, publicKey, privateKey, kmsKeyArn };
}

/** Source: RFC 7638, section 3: the required members in lexical order. */
function thumbprintOf({ crv, kty, x, y }: DoorKey['publicKey']): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}
