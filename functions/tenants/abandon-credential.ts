import { attributed } from '../attribution/attributed.ts';
import type { ProviderAccount } from '../providers/provider.ts';
import { CordonError } from '../shared/errors.ts';
import { intentOf } from './provision-credential.ts';
import type { CredentialItem, TenantItem } from './registry.ts';
import { notDue } from './rotation-plan.ts';
import type { TenantStores, TenantsDeps } from './tenants-deps.ts';

export interface Abandonment {
  readonly stores: TenantStores;
  readonly tenant: TenantItem;
  readonly requestedBy: string;
  readonly eventId: string;
  /** False when it is certain that no attempt came as far as storing a secret. */
  readonly secretMayExist: boolean;
  /** Why it is given up. */
  readonly error: CordonError;
}

/**
 * Takes back what was made for a credential that will not come to be: its keys at the provider are revoked first, then its secret is deleted, then its item says
 * `failed`. Each step is tried whether or not the one before succeeded.
 *
 * @returns what is left, one sentence each, for the operator; empty when nothing is
 */
export async function abandonCredential(deps: TenantsDeps, of: Abandonment, item: CredentialItem): Promise<string[]> {
  // Then it is the revocation's to end, whoever made what there is of it.
  if (item.status === 'revoked') return [];
  const left: string[] = [];
  const { tenantId, credentialId } = item;
  const attribution = { ...deps, store: of.stores.attribution };
  const attempt = async (sentence: string, step: () => Promise<void>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      left.push(`${sentence} (${codeOf(error)})`);
    }
  };

  if (item.source === 'platform-issued' && item.attempt > 0) {
    await attempt(`keys of ${credentialId} at ${item.provider} may be left: they could not be looked up`, async () => {
      const provider = deps.providers[item.provider];
      if (!provider) return;
      const known = of.tenant.accounts[item.provider]?.accountId;
      const account: ProviderAccount | undefined = known === undefined ? await provider.findAccount(tenantId) : { accountId: known };
      if (!account) return;
      for (const key of await provider.listKeys(account, tenantId, credentialId)) {
        await attempt(`key ${key.name} at ${item.provider} is left: it could not be revoked`, () =>
          attributed(
            attribution,
            intentOf(item, of.requestedBy, 'provider.revoke-key', { keyId: key.keyId, keyName: key.name, eventId: of.eventId }),
            async () => ({
              value: await provider.revokeKey(account, key.keyId),
            }),
          ),
        );
      }
    });
    // Without a tag of the tenant's on it, IAM refuses to delete a secret that does not exist: so only what may exist is asked for.
    if (of.secretMayExist) {
      await attempt(`the secret of ${credentialId} may be left: it could not be deleted`, async () => {
        const vault = await deps.openVault({ tenantId, tier: of.tenant.tier, userId: item.userId });
        await attributed(attribution, intentOf(item, of.requestedBy, 'vault.delete-secret', { eventId: of.eventId }), async () => ({
          value: await vault.remove(tenantId, credentialId),
        }));
      });
    }
  }
  await attempt(`the registry still shows ${credentialId} as ${item.status}`, async () => {
    const { code, message } = of.error;
    const gone =
      left.length === 0
        ? {
            secretMayExist: false,
            keyId: undefined,
            ownerId: undefined,
            keyAttempt: undefined,
            secretArn: undefined,
            secretVersionId: undefined,
          }
        : {};
    await of.stores.registry.changeCredential(item, {
      ...gone,
      // Nothing of it is rotated.
      ...notDue,
      status: 'failed',
      leaseUntil: 0,
      failure: { code, message, left: [...left] },
    });
  });
  return left;
}

export function codeOf(error: unknown): string {
  return error instanceof CordonError ? error.code : 'UNEXPECTED';
}
