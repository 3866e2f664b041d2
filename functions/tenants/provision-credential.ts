import { createHash } from 'node:crypto';
import { attributed, type Intent } from '../attribution/attributed.ts';
import { attemptOf, keyName, type Provider, type ProviderAccount } from '../providers/provider.ts';
import type { Delivery } from '../shared/delivery.ts';
import { CordonError } from '../shared/errors.ts';
import { decideCredential } from './credential-decision.ts';
import type { CredentialSpec } from './credential-spec.ts';
import type { CredentialItem, TenantItem } from './registry.ts';
import { releaseCredential } from './release-lease.ts';
import { scheduledDue } from './rotation-plan.ts';
import type { TenantStores, TenantsDeps } from './tenants-deps.ts';

export interface CredentialWork {
  readonly stores: TenantStores;
  readonly tenant: TenantItem;
  /** The key the secret lies under: the pool's or the tenant's own. */
  readonly kmsKeyArn: string;
  readonly delivery: Delivery;
  readonly requestedBy: string;
  /** True when the credential's own event is to be published; false when its tenant's event tells of it. */
  readonly announceItself: boolean;
  /** The tenant's account at the provider, made if need be. */
  account(provider: Provider): Promise<ProviderAccount>;
}

/**
 * Brings one credential to the state its source asks for. May be repeated after any interruption: the intent and its attempt number are written before
 * anything is made at the provider, what is made carries the number in its name, and a later attempt deletes what earlier ones left. When the credential is
 * active, the stored key is the only one.
 *
 * @param known the credential's item as it was read, if there is one
 * @throws CordonError EVENT_CONTRADICTS, CONFLICT (another worker is at it), and what provider, vault, registry and attribution throw
 */
export async function provisionCredential(
  deps: TenantsDeps,
  work: CredentialWork,
  known: CredentialItem | undefined,
  spec: CredentialSpec,
): Promise<CredentialItem> {
  const decision = decideCredential(known, spec, deps.clock());
  if (decision.next === 'refuse' || decision.next === 'wait') throw decision.error;
  if (decision.next === 'nothing') return decision.item;
  const { registry } = work.stores;
  const write = (change: Pick<CredentialItem, 'status' | 'attempt' | 'leaseUntil' | 'secretMayExist'>): Promise<CredentialItem> => {
    if (known) return registry.changeCredential(known, { ...change, failure: undefined });
    const { tenantId, tier } = work.tenant;
    const rest = { tenantId, tier, requestedBy: work.requestedBy, epoch: 0, announced: !work.announceItself, kind: 'CREDENTIAL' as const };
    return registry.addCredential({ ...spec, ...rest, ...change });
  };
  if (decision.next === 'record') return write({ status: decision.status, attempt: 0, leaseUntil: 0, secretMayExist: false });

  const { attempt, secretMayExist } = decision;
  const item = await write({ status: 'provisioning', attempt, leaseUntil: work.delivery.deadline, secretMayExist });
  const progress = { storing: false };
  try {
    return await issue(deps, work, item, progress);
  } catch (thrown) {
    const error = perhapsNotInForce(work.tenant, thrown);
    await releaseCredential(deps, registry, item, { secretMayExist: secretMayExist || progress.storing });
    throw error;
  }
}

/** Makes the key and stores it; the item's lease is held by the caller. */
async function issue(
  deps: TenantsDeps,
  work: CredentialWork,
  item: CredentialItem,
  progress: { storing: boolean },
): Promise<CredentialItem> {
  const { tenantId, credentialId, attempt, userId } = item;
  const provider = deps.providers[item.provider];
  if (!provider) throw new CordonError('EVENT_INVALID', `keys for ${item.provider} cannot be issued by the platform`);
  const attribution = { ...deps, store: work.stores.attribution };
  const intent = (operation: string, context: Readonly<Record<string, string>>): Intent =>
    intentOf(item, work.requestedBy, operation, { ...context, eventId: work.delivery.eventId });
  // Opened first, so that a session that cannot be had costs no key.
  const vault = await deps.openVault({ tenantId, tier: work.tenant.tier, userId });
  const account = await work.account(provider);
  const revokeStrays = async (kept?: string): Promise<void> => {
    for (const key of await provider.listKeys(account, tenantId, credentialId)) {
      const made = attemptOf(key.name, tenantId, credentialId);
      // A later attempt's key is its own: this worker's lease has ended then.
      if (made === undefined || made > attempt || key.keyId === kept) continue;
      await attributed(attribution, intent('provider.revoke-key', { keyId: key.keyId, keyName: key.name }), async () => ({
        value: await provider.revokeKey(account, key.keyId),
      }));
    }
  };
  if (attempt > 1) await revokeStrays();
  const name = keyName(tenantId, credentialId, attempt);
  const versionId = versionIdOf(name);
  const created = await attributed(attribution, intent('provider.create-key', { keyName: name }), async () => {
    const value = await provider.createKey(account, { tenantId, credentialId, attempt, mayExist: attempt > 1 });
    return { value, credentialVersion: versionId, context: { keyId: value.keyId } };
  });
  // Between us and the provider a request may be repeated or come late: then there is a key that nobody was told of.
  await revokeStrays(created.keyId);
  const place = {
    tenantId,
    credentialId,
    provider: item.provider,
    tier: work.tenant.tier,
    environment: item.environment,
    userId,
    team: item.team,
    useCase: item.useCase,
    kmsKeyArn: work.kmsKeyArn,
  };
  progress.storing = true;
  const stored = await attributed(attribution, intent('vault.store-secret', { keyId: created.keyId }), async () => {
    const value = await vault.store(place, created.apiKey, versionId);
    return { value, credentialVersion: value.versionId };
  });
  return work.stores.registry.changeCredential(item, {
    status: 'active',
    leaseUntil: 0,
    secretMayExist: true,
    keyId: created.keyId,
    ownerId: created.ownerId,
    keyAttempt: attempt,
    secretArn: stored.secretArn,
    secretVersionId: stored.versionId,
    ...scheduledDue(item, deps.clock()),
  });
}

/** A dedicated tenant's role may have been made a moment ago, and IAM takes some time (IAM User Guide, "Changes that I make are not always immediately visible"). */
function perhapsNotInForce(tenant: TenantItem, error: unknown): unknown {
  if (tenant.tier !== 'dedicated' || !(error instanceof CordonError) || error.code !== 'ACCESS_REFUSED') return error;
  return new CordonError('ACCESS_REFUSED', `${error.message}, perhaps because the tenant's roles are not in force yet`, {
    retryable: true,
    cause: error,
  });
}

/** What an attribution entry says of work on a credential. */
export function intentOf(item: CredentialItem, requestedBy: string, operation: string, context: Readonly<Record<string, string>>): Intent {
  const actor = { function: 'tenants', requestedBy, ...(item.userId !== undefined && { userId: item.userId }) };
  const { tenantId, credentialId, provider } = item;
  return { tenantId, actor, credentialId, provider, operation, context };
}

/** A version ID that follows from the key's name: storing the same key twice is one version. 64 characters, the most that Secrets Manager takes. */
export function versionIdOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}
