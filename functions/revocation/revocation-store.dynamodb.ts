import { CordonError } from '../shared/errors.ts';
import { createRegistryItems, type RegistryItemsDeps, type WritePart } from '../shared/registry-items.dynamodb.ts';
import { keyOf } from '../tenants/registry.dynamodb.ts';
import { type Revocation, revocation, revocationPrefix } from './revocation.ts';
import { type NewTombstone, type RevocationStore, type SubjectChange, type TombstoneKind, tombstone } from './revocation-store.ts';

/** Kinds that come to have an item of their own. */
const itemKeys: Partial<Record<TombstoneKind, (id: string) => string>> = {
  TENANT: () => 'TENANT',
  USER: (id) => `USER#${id}`,
  CREDENTIAL: (id) => `CREDENTIAL#${id}`,
};

function tombstoneKey(of: TombstoneKind, id: string | undefined): string {
  return of === 'TENANT' ? 'REVOKED#TENANT' : `REVOKED#${of}#${id ?? ''}`;
}

/** @param deps.client a client with the credentials of a session of the one tenant */
export function createRevocationStore(deps: RegistryItemsDeps): RevocationStore {
  const items = createRegistryItems(deps);
  const sk = (revocationId: string): string => `${revocationPrefix}${revocationId}`;

  function partsOf(subject: SubjectChange): WritePart[] {
    if (subject.of === 'NOTHING') return [];
    if (subject.of === 'TOMBSTONE') return tombstoneParts(subject.known, subject.tombstone);
    const { item, change } = subject;
    return [{ change: { ...change, ...items.written(item) }, read: item.version, sk: keyOf(item) }];
  }

  function tombstoneParts(known: Extract<SubjectChange, { of: 'TOMBSTONE' }>['known'], next: NewTombstone): WritePart[] {
    const { of, id = '' } = next;
    const key = tombstoneKey(of, next.id);
    if (known) return [{ change: { ...next, lifted: next.lifted, ...items.written(known) }, read: known.version, sk: key }];
    const own = itemKeys[of]?.(id);
    const unmet = new CordonError('CONFLICT', 'what is revoked has come to be meanwhile', { retryable: true });
    return [{ add: { ...next, ...items.added() }, sk: key }, ...(own === undefined ? [] : [{ demand: 'absent', sk: own, unmet } as const])];
  }

  return {
    revocation: (tenantId, revocationId) => items.get(revocation, tenantId, sk(revocationId)),
    revocations: (tenantId) => items.list(revocation, tenantId, revocationPrefix),
    tombstone: (tenantId, of, id) => items.get(tombstone, tenantId, tombstoneKey(of, id)),
    async begin(begun, subject) {
      const item: Revocation = { ...begun, ...items.added() };
      await items.writeAll(item.tenantId, [{ add: item, sk: sk(item.revocationId) }, ...partsOf(subject)]);
      return item;
    },
    changeRevocation: (item, change) => items.change<Revocation>(sk(item.revocationId), item, change),
    postpone: (tenantId, revocationId, change) => items.postpone(tenantId, sk(revocationId), change),
  };
}
