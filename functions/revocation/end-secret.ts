import type { RevocationVault } from '../credentials/revocation-vault.ts';
import type { VersionListing } from '../credentials/rotation-vault.ts';
import { CordonError } from '../shared/errors.ts';
import type { SecretText } from '../shared/secret-text.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { Ending } from './ending.ts';
import { mayHoldSecret, takenUp } from './ending-changes.ts';
import { type EndingDeps, type EndingOf, type EndingOutcome, onRecord } from './ending-deps.ts';
import { cutShortMs } from './ending-schedule.ts';

function openVault(deps: EndingDeps, { item, tenant }: EndingOf): Promise<RevocationVault> {
  return deps.openVault({ tenantId: item.tenantId, tier: tenant.tier, userId: item.userId });
}

/** True when the secret lies under a key of the customer's own account, which the customer may have taken away. */
function isUnderCustomerKey({ settings }: Pick<CredentialItem, 'settings'>): boolean {
  return settings?.kmsKeyArn !== undefined;
}

/**
 * Reads something of the secret; undefined when there is none. Of a secret that is not there IAM says what it says of one that is another's, so a refusal is taken for that
 * only as long as nobody has ever seen the secret.
 */
async function ifThere<Value>(
  deps: EndingDeps,
  of: EndingOf,
  read: (vault: RevocationVault) => Promise<Value | undefined>,
): Promise<Value | undefined> {
  if (!mayHoldSecret(of.item)) return undefined;
  try {
    return await read(await openVault(deps, of));
  } catch (error) {
    if (error instanceof CordonError && error.code === 'ACCESS_REFUSED' && !wasSeen(of)) return undefined;
    throw error;
  }
}

/** The registry names a version of it, or the vault has shown one. */
function wasSeen({ item, ending }: EndingOf): boolean {
  return item.secretVersionId !== undefined || ending.stagedOutAt !== undefined;
}

/** The versions that the vault holds; none when there is no secret, or none any more. */
export async function versionsThere(deps: EndingDeps, of: EndingOf): Promise<readonly VersionListing[]> {
  const { tenantId, credentialId } = of.item;
  return (await ifThere(deps, of, (vault) => vault.versions(tenantId, credentialId))) ?? [];
}

/**
 * Versions in the vault that nobody knows of and that may hold a live key: those with a label, and those that a run has stored which the revocation has cut short. Of
 * others the key was shown dead when they lost their label. Pure.
 */
export function unknownVersions({ versions, since }: Ending, there: readonly VersionListing[]): readonly string[] {
  const known = new Set(versions.map(({ versionId }) => versionId));
  return there
    .filter(({ versionId, labels, createdAt }) => !known.has(versionId) && (labels.length > 0 || createdAt > since - cutShortMs))
    .map(({ versionId }) => versionId);
}

/** Undefined when the version is not there; `unreadable` when the customer's own KMS key does not let it be read. */
export async function storedKey(deps: EndingDeps, of: EndingOf, versionId: string): Promise<SecretText | 'unreadable' | undefined> {
  const { item } = of;
  try {
    return await ifThere(deps, of, (vault) => vault.readVersion(item.tenantId, item.credentialId, versionId));
  } catch (error) {
    if (!(error instanceof CordonError) || error.code !== 'CUSTOMER_KEY_REFUSED') throw error;
    if (isUnderCustomerKey(item)) return 'unreadable';
    throw new CordonError('ACCESS_REFUSED', 'the KMS key of a secret could not be used', { cause: error });
  }
}

/** Takes every version out of use. One that nobody knew of is written down before, or it could not be found again. */
export async function takeOutSecret(deps: EndingDeps, of: EndingOf): Promise<EndingOutcome> {
  const { item, ending } = of;
  const there = await versionsThere(deps, of);
  if (there.length === 0) return {};
  const unknown = unknownVersions(ending, there);
  if (unknown.length > 0) return { change: takenUp(ending, unknown), again: ['takeOut'] };
  const versionIds = [...new Set(ending.versions.map(({ versionId }) => versionId))];
  const vault = await openVault(deps, of);
  await onRecord(deps, of, 'revocation.stage-out', { versionIds: versionIds.join(' ') }, async () => ({
    value: await vault.takeOut(item.tenantId, item.credentialId, { versionIds, customerKey: isUnderCustomerKey(item) }),
  }));
  return { change: { stagedOutAt: deps.clock() } };
}

/** Has the secret deleted. Every key in it is dead. */
export async function closeSecret(deps: EndingDeps, of: EndingOf): Promise<EndingOutcome> {
  const { tenantId, credentialId } = of.item;
  if (!wasSeen(of) && (await versionsThere(deps, of)).length === 0) return {};
  const vault = await openVault(deps, of);
  await onRecord(deps, of, 'revocation.delete-secret', { step: 'close' }, async () => ({
    value: await vault.close(tenantId, credentialId),
  }));
  return { change: { deletedAt: deps.clock() } };
}

/**
 * Does not wait for the end of the recovery window. A refusal is what IAM answers when the secret is gone already; and were it not, it goes by itself, since it was closed
 * before.
 */
export async function eraseSecret(deps: EndingDeps, of: EndingOf): Promise<EndingOutcome> {
  const { tenantId, credentialId } = of.item;
  const vault = await openVault(deps, of);
  await onRecord(deps, of, 'revocation.delete-secret', { step: 'erase' }, async () => {
    try {
      await vault.erase(tenantId, credentialId);
      return { value: undefined };
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'ACCESS_REFUSED') throw error;
      return { value: undefined, context: { found: 'nothing that could be erased' } };
    }
  });
  return {};
}
