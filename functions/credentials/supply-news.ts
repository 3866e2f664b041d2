import { setTimeout as delay } from 'node:timers/promises';
import { CordonError } from '../shared/errors.ts';
import { displayText } from '../tenants/credential-spec.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { DoorDeps, DoorStores } from './door-deps.ts';
import type { Supplier } from './door-store.ts';

/** Tries of one run. */
const tries = 3;
const pauseMs = 100;

/**
 * Tells that a credential is active. It is, also when telling fails: then the item says that it is yet to be told, the supply has succeeded all the same, and the
 * next supply of the credential, a repetition of this one too, tells it first.
 *
 * @returns the item as it is then
 */
export async function announceSupply(
  deps: Pick<DoorDeps, 'announcer' | 'log'>,
  { registry }: Pick<DoorStores, 'registry'>,
  supplier: Supplier,
  item: CredentialItem,
): Promise<CredentialItem> {
  const { tenantId, credentialId } = item;
  let told = false;
  for (let n = 1; ; n++) {
    try {
      if (!told) await deps.announcer.announce('CredentialProvisioned', newsOf(supplier, item));
      told = true;
      return await registry.changeCredential(item, { announced: true });
    } catch (error) {
      // A conflict: somebody else has changed the item, and sees what is still to be told of it.
      const again = n < tries && error instanceof CordonError && error.retryable && error.code !== 'CONFLICT';
      if (again) await delay(n * pauseMs);
      else {
        deps.log.error('a supplied credential could not be announced', error, { tenantId, credentialId });
        return item;
      }
    }
  }
}

function newsOf(supplier: Supplier, { tenantId, credentialId, provider, environment, userId }: CredentialItem) {
  return {
    version: 1 as const,
    tenantId,
    // A subject may be longer or odder than what an event shows to people.
    requestedBy: displayText.safeParse(supplier.subject).success ? supplier.subject : supplier.userId,
    credential: {
      ...{ credentialId, provider, environment },
      source: 'customer-supplied' as const,
      status: 'active' as const,
      ...(userId !== undefined && { userId }),
    },
  };
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
      lost: true,
    });
  }
}
