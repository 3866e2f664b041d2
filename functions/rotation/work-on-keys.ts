import { attributed, type Intent, type WorkResult } from '../attribution/attributed.ts';
import type { Provider, ProviderAccount } from '../providers/provider.ts';
import { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { RotationStrategy } from '../tenants/rotation-fields.ts';
import type { Held, RotationDeps } from './rotation-deps.ts';

/** Where a credential's keys are made. */
export interface KeyMaker {
  readonly provider: Provider;
  readonly account: ProviderAccount;
}

/**
 * How a credential gets its next key.
 *
 * @throws CordonError PROVIDER_REFUSED when no adapter makes keys at its provider
 */
export function strategyOf({ providers }: Pick<RotationDeps, 'providers'>, { source, provider }: CredentialItem): RotationStrategy {
  if (source === 'federated' || source === 'customer-role') return 'mint';
  if (source === 'customer-supplied') return 'customer-next';
  const capabilities = providers[provider]?.capabilities;
  if (capabilities?.rotation === 'overlap' || capabilities?.rotation === 'two-slot') return capabilities.rotation;
  throw new CordonError('PROVIDER_REFUSED', `keys for ${provider} cannot be rotated: no adapter makes them`);
}

/**
 * The provider and the tenant's account there; undefined for what the customer made, where Cordon may make and revoke nothing.
 *
 * @throws CordonError PROVIDER_REFUSED, and as `Provider`
 */
export async function keyMakerOf({ providers }: Pick<RotationDeps, 'providers'>, { item, tenant }: Held): Promise<KeyMaker | undefined> {
  if (item.source !== 'platform-issued') return undefined;
  const provider = providers[item.provider];
  if (!provider) throw new CordonError('PROVIDER_REFUSED', `keys for ${item.provider} cannot be rotated: no adapter makes them`);
  const known = tenant.accounts[item.provider]?.accountId;
  const account = known === undefined ? await provider.findAccount(item.tenantId) : { accountId: known };
  if (!account) throw new CordonError('PROVIDER_REFUSED', `${item.provider} has no account of tenant ${item.tenantId}`);
  return { provider, account };
}

/**
 * Does one thing outside, between an intent and an outcome on record: who asked for the rotation, and why, are in both.
 *
 * @throws CordonError CONFLICT when the hold has ended meanwhile, and as `attributed`
 */
export function onRecord<Value>(
  deps: Pick<RotationDeps, 'clock' | 'nextId'>,
  held: Held,
  operation: string,
  context: Readonly<Record<string, string>>,
  work: () => Promise<WorkResult<Value>>,
): Promise<Value> {
  const { stores, item } = held;
  const { tenantId, credentialId, provider, userId, rotating } = item;
  const intent: Intent = {
    ...{ tenantId, credentialId, provider, operation },
    actor: { function: 'rotation', requestedBy: rotating?.requestedBy ?? item.requestedBy, ...(userId !== undefined && { userId }) },
    context: {
      ...(rotating && { rotationId: rotating.rotationId, reason: rotating.reason }),
      ...(rotating?.why !== undefined && { why: rotating.why }),
      ...context,
    },
  };
  return attributed({ ...deps, store: stores.attribution }, intent, () => {
    // Looked at as late as can be: another run may be at work once the hold has ended.
    stillHeld(deps, held);
    return work();
  });
}

/** Throws CordonError CONFLICT when the hold has ended. */
export function stillHeld({ clock }: Pick<RotationDeps, 'clock'>, { item, deadline }: Held): void {
  if (clock() < deadline) return;
  throw new CordonError('CONFLICT', `the hold on credential ${item.credentialId} has ended`, { retryable: true });
}
