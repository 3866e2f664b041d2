import type { NewRevocation, Revocation } from '../../../functions/revocation/revocation.ts';
import type { RevocationStore, SubjectChange, Tombstone } from '../../../functions/revocation/revocation-store.ts';
import type { Clock, NextId } from '../../../functions/shared/clock.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import {
  credentialId as credentialIdField,
  tenantId as tenantIdField,
  userId as userIdField,
} from '../../../functions/shared/identifier-fields.ts';
import type { Registry } from '../../../functions/tenants/registry.ts';

/** Revocations in memory, next to a memory registry that knows the same tombstones. */
export function createMemoryRevocationStore({
  registry,
  tombstones,
  clock,
  nextId,
}: {
  registry: Registry;
  /** The same set that the registry has: which tombstones are in force. */
  tombstones: Set<string>;
  clock: Clock;
  nextId: NextId;
}): RevocationStore {
  const revocations = new Map<string, Revocation>();
  const stones = new Map<string, Tombstone>();
  const now = (): string => new Date(clock()).toISOString();
  const keyOf = (tenantId: string, of: string, id: string | undefined): string =>
    of === 'TENANT' ? `${tenantId}#REVOKED#TENANT` : `${tenantId}#REVOKED#${of}#${id ?? ''}`;
  const conflict = (): CordonError => new CordonError('CONFLICT', 'it is not as it was read', { retryable: true });

  async function apply(subject: SubjectChange): Promise<void> {
    if (subject.of === 'TENANT') await registry.changeTenant(subject.item, subject.change);
    if (subject.of === 'USER') await registry.changeUser(subject.item, subject.change);
    if (subject.of === 'CREDENTIAL') await registry.changeCredential(subject.item, subject.change);
    if (subject.of !== 'TOMBSTONE') return;
    const { tombstone, known } = subject;
    const key = keyOf(tombstone.tenantId, tombstone.of, tombstone.id);
    if (stones.get(key)?.version !== known?.version) throw conflict();
    if (known === undefined && (await exists(subject))) throw conflict();
    stones.set(key, { ...tombstone, version: (known?.version ?? 0) + 1, writeId: nextId(), createdAt: now(), updatedAt: now() });
    if (tombstone.lifted) tombstones.delete(key);
    else tombstones.add(key);
  }

  async function exists({ tombstone: { tenantId, of, id = '' } }: Extract<SubjectChange, { of: 'TOMBSTONE' }>): Promise<boolean> {
    const found = [
      of === 'TENANT' && (await registry.tenant(tenantIdField.parse(tenantId))),
      of === 'USER' && (await registry.user(tenantIdField.parse(tenantId), userIdField.parse(id))),
      of === 'CREDENTIAL' && (await registry.credential(tenantIdField.parse(tenantId), credentialIdField.parse(id))),
    ];
    return found.some((one) => one !== false && one !== undefined);
  }

  return {
    revocation: async (tenantId, id) => structuredClone(revocations.get(`${tenantId}#${id}`)),
    revocations: async (tenantId) =>
      [...revocations.values()]
        .filter((item) => item.tenantId === tenantId)
        .sort((a, b) => (a.revocationId < b.revocationId ? -1 : 1))
        .map((item) => structuredClone(item)),
    tombstone: async (tenantId, of, id) => structuredClone(stones.get(keyOf(tenantId, of, id))),
    async begin(begun: NewRevocation, subject) {
      const key = `${begun.tenantId}#${begun.revocationId}`;
      if (revocations.has(key)) throw conflict();
      await apply(subject);
      const item: Revocation = { ...begun, version: 1, writeId: nextId(), createdAt: now(), updatedAt: now() };
      revocations.set(key, structuredClone(item));
      return item;
    },
    async changeRevocation(item, change) {
      const key = `${item.tenantId}#${item.revocationId}`;
      if (revocations.get(key)?.version !== item.version) throw conflict();
      const changed = { ...item, ...change, version: item.version + 1, writeId: nextId(), updatedAt: now() };
      revocations.set(key, structuredClone(changed));
      return changed;
    },
    async postpone(tenantId, id, { dueAt, until }) {
      const item = revocations.get(`${tenantId}#${id}`);
      if (item?.dueAt !== dueAt) return false;
      revocations.set(`${tenantId}#${id}`, { ...item, dueAt: until });
      return true;
    },
  };
}
