import type { DoorKey, DoorStore, NonceItem } from '../../../functions/credentials/door-store.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import type { NewCredential, Registry } from '../../../functions/tenants/registry.ts';
import { afterSupply } from '../../../functions/tenants/rotation-plan.ts';

export interface MemoryDoorStore extends DoorStore {
  readonly nonces: ReadonlyMap<string, NonceItem>;
  /** A tombstone, e.g. `AGENT#support`. */
  revoke(what: string): void;
}

/** What the door keeps, in memory, beside a registry whose credentials it changes. */
export function createMemoryDoorStore(registry: Pick<Registry, 'changeCredential'>): MemoryDoorStore {
  const keys = new Map<string, DoorKey>();
  const nonces = new Map<string, NonceItem>();
  const revoked = new Set<string>();
  const change = (nonce: NonceItem, changes: Partial<NonceItem>): NonceItem => {
    const changed = { ...nonce, ...changes, version: nonce.version + 1 };
    nonces.set(nonce.value, structuredClone(changed));
    return changed;
  };
  const unchanged = (nonce: NonceItem): void => {
    if (nonces.get(nonce.value)?.version !== nonce.version) throw new CordonError('CONFLICT', 'the nonce was changed', { retryable: true });
  };
  return {
    nonces,
    revoke: (what) => void revoked.add(what),
    doorKey: async (tenantId, month) => structuredClone(keys.get(`${tenantId} ${month}`)),
    async addDoorKey(key) {
      const name = `${key.tenantId} ${key.month}`;
      const kept = keys.get(name) ?? key;
      keys.set(name, structuredClone(kept));
      return structuredClone(kept);
    },
    nonce: async (tenantId, value) => {
      const found = nonces.get(value);
      return found?.tenantId === tenantId ? structuredClone(found) : undefined;
    },
    addNonce: async (nonce) => void nonces.set(nonce.value, structuredClone(nonce)),
    isRevoked: async (_tenantId, { agentId, sessionId }) => revoked.has(`AGENT#${agentId}`) || revoked.has(`SESSION#${sessionId}`),
    async claim(nonce, credential, { digest, leaseUntil }) {
      unchanged(nonce);
      const attempt = credential.attempt + 1;
      const held = await registry.changeCredential(credential, { attempt, leaseUntil });
      return {
        nonce: change(nonce, { status: 'claimed', claim: { digest, credentialId: credential.credentialId, attempt } }),
        credential: held,
      };
    },
    async settle({ nonce, credential }, settlement) {
      unchanged(nonce);
      const stored: Partial<NewCredential> =
        settlement.result === 'stored'
          ? {
              status: 'active',
              secretMayExist: true,
              secretArn: settlement.secretArn,
              secretVersionId: settlement.secretVersionId,
              suppliedAt: settlement.at,
              ...afterSupply(credential, settlement),
              announced: false,
            }
          : {};
      const settled = await registry.changeCredential(credential, { ...stored, leaseUntil: 0 });
      change(nonce, { status: 'used' });
      return settled;
    },
  };
}
