import { CordonError } from '../shared/errors.ts';
import { displayText } from '../tenants/credential-spec.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { DoorDeps, DoorStores } from './door-deps.ts';
import type { Supplier } from './door-store.ts';

/**
 * Tells that a credential is active. It is, also when telling fails: then the item says that it is yet to be told, and the supply has succeeded all the same.
 */
export async function announceSupply(deps: DoorDeps, { registry }: DoorStores, supplier: Supplier, item: CredentialItem): Promise<void> {
  const { tenantId, credentialId, provider, source, environment, userId } = item;
  // A subject may be longer or odder than what an event shows to people.
  const requestedBy = displayText.safeParse(supplier.subject).success ? supplier.subject : supplier.userId;
  try {
    await deps.announcer.announce('CredentialProvisioned', {
      version: 1,
      tenantId,
      requestedBy,
      credential: { credentialId, provider, source, environment, status: 'active', ...(userId !== undefined && { userId }) },
    });
    await registry.changeCredential(item, { announced: true });
  } catch (error) {
    deps.log.error('a supplied credential could not be announced', error, { tenantId, credentialId });
  }
}

/** IAM refused what a tenant's own session asked for: a bug, or worse. Never in the way of the answer. */
export async function announceViolation(
  deps: Pick<DoorDeps, 'announcer' | 'log'>,
  tenantId: CredentialItem['tenantId'],
  error: CordonError,
): Promise<void> {
  try {
    await deps.announcer.announce('IsolationViolationDetected', {
      version: 1,
      tenantId,
      event: {},
      reason: { code: error.code, message: error.message },
      left: [],
    });
  } catch (failed) {
    deps.log.error('a refusal by IAM could not be announced', failed, {
      tenantId,
      code: failed instanceof CordonError ? failed.code : 'UNEXPECTED',
    });
  }
}
