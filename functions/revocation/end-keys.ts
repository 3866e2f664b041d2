import { attemptOf, type ListedKey, type Provider, type ProviderAccount } from '../providers/provider.ts';
import { failureOf } from '../shared/consume-message.ts';
import { CordonError } from '../shared/errors.ts';
import { versionIdOf } from '../tenants/provision-credential.ts';
import { unknownVersions, versionsThere } from './end-secret.ts';
import type { Ending } from './ending.ts';
import { allRevoked, keyRevoked, openVersions, takenUp, withStray } from './ending-changes.ts';
import { type EndingDeps, type EndingOf, type EndingOutcome, onRecord } from './ending-deps.ts';

/** Where a credential's keys were made, as far as it can be reached. */
export interface Issuer {
  readonly provider: Provider;
  /** Undefined when the provider knows no account of the tenant: then there is no key of it either. */
  readonly account: ProviderAccount | undefined;
}

/**
 * Undefined for what the customer made: there Cordon may ask and not revoke.
 *
 * @throws CordonError PROVIDER_REFUSED when no adapter serves the provider, and as `Provider`
 */
export async function issuerOf({ providers }: Pick<EndingDeps, 'providers'>, { item, tenant }: EndingOf): Promise<Issuer | undefined> {
  if (item.source !== 'platform-issued') return undefined;
  const provider = providers[item.provider];
  if (!provider) throw new CordonError('PROVIDER_REFUSED', `keys for ${item.provider} cannot be revoked: no adapter makes them`);
  const known = tenant.accounts[item.provider]?.accountId;
  return { provider, account: known === undefined ? await provider.findAccount(item.tenantId) : { accountId: known } };
}

/** Has the provider revoke every key that is known and was not revoked yet. How far it came is kept when one fails. */
export async function revokeKnownKeys(deps: EndingDeps, of: EndingOf): Promise<EndingOutcome> {
  let { ending } = of;
  try {
    const { provider, account } = await reached(deps, of);
    // The two slots of a resource may be another credential's by now: then there is nothing of this one left in them.
    const own = isTwoSlot(provider)
      ? new Set((await provider.listKeys(account, of.item.tenantId, of.item.credentialId)).map(keyIdOf))
      : undefined;
    const known = new Set(
      openVersions(ending).flatMap(({ keyId, revokedAt }) => (keyId === undefined || revokedAt !== undefined ? [] : [keyId])),
    );
    for (const keyId of known) {
      if (own?.has(keyId) === false) continue;
      await revokeKey(deps, of, { provider, account }, keyId);
      ending = { ...ending, ...keyRevoked(ending, keyId, deps.clock()) };
    }
    return { change: { versions: ending.versions } };
  } catch (error) {
    return { change: { versions: ending.versions }, failure: failureOf(error) };
  }
}

/**
 * Looks, when nobody can be making a key any more, for what nobody knows of: keys that the provider lists for this credential, whichever attempt has made them, and versions that a run
 * has stored which the revocation has overtaken. What is found is written down, to be revoked and asked about with the others.
 */
export async function lookForStrays(deps: EndingDeps, of: EndingOf): Promise<EndingOutcome> {
  const issuer = await issuerOf(deps, of);
  const withKeys: Ending = {
    ...of.ending,
    ...(issuer?.account === undefined ? {} : await straysAt(deps, of, issuer.provider, issuer.account)),
  };
  const unknown = takenUp(withKeys, unknownVersions(withKeys, await versionsThere(deps, of)));
  return {
    change: {
      ...{ versions: withKeys.versions, ...unknown, straysAt: deps.clock() },
      ...(of.ending.phase === 'revoking' && { phase: 'confirming' }),
    },
    again: ['revoke', 'takeOut'],
  };
}

async function straysAt(deps: EndingDeps, of: EndingOf, provider: Provider, account: ProviderAccount): Promise<Pick<Ending, 'versions'>> {
  const { tenantId, credentialId } = of.item;
  let { ending } = of;
  const listed = await provider.listKeys(account, tenantId, credentialId);
  if (isTwoSlot(provider)) {
    for (const key of listed) if (!wasRenewed(ending, key)) await revokeKey(deps, of, { provider, account }, key.keyId);
    // Whichever slot a key was in, or was to be in: both hold another value now.
    return listed.length === 0 ? ending : allRevoked(ending, deps.clock());
  }
  for (const { keyId, name } of listed)
    if (attemptOf(name, tenantId, credentialId) !== undefined)
      ending = { ...ending, ...withStray(ending, { versionId: versionIdOf(name), keyId }) };
  return ending;
}

function revokeKey(
  deps: EndingDeps,
  of: EndingOf,
  { provider, account }: { readonly provider: Provider; readonly account: ProviderAccount },
  keyId: string,
): Promise<void> {
  return onRecord(deps, of, 'revocation.revoke-key', { keyId }, async () => ({ value: await provider.revokeKey(account, keyId) }));
}

async function reached(deps: EndingDeps, of: EndingOf): Promise<{ provider: Provider; account: ProviderAccount }> {
  const issuer = await issuerOf(deps, of);
  if (issuer?.account !== undefined) return { provider: issuer.provider, account: issuer.account };
  throw new CordonError('PROVIDER_REFUSED', `${of.item.provider} has no account of tenant ${of.item.tenantId}`);
}

export function isTwoSlot({ capabilities }: Provider): boolean {
  return capabilities.rotation === 'two-slot';
}

const keyIdOf = ({ keyId }: ListedKey): string => keyId;

/** A slot that was renewed when nobody could renew it any more holds a value that nobody has. */
function wasRenewed({ versions, heldUntil }: Ending, { keyId }: ListedKey): boolean {
  return versions.some((one) => one.keyId === keyId && one.revokedAt !== undefined && one.revokedAt >= heldUntil);
}
