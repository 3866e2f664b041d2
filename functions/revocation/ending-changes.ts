import type { CredentialItem, NewCredential } from '../tenants/registry.ts';
import type { HeldVersion } from '../tenants/rotation-fields.ts';
import { notDue } from '../tenants/rotation-plan.ts';
import type { EndedVersion, Ending } from './ending.ts';
import { lateRequestMs, longestRunMs } from './ending-schedule.ts';

/** What each step of an ending writes. All pure; times are milliseconds since the epoch. */

export interface EndedBy {
  readonly revocationId: string;
  readonly requestedBy: string;
  readonly reason: string;
  readonly incidentId?: string | undefined;
}

/**
 * What revoking a credential writes, in one: it is revoked for good, every key that it is known to have is to end, and nothing of it is rotated or due any more. Nothing for
 * one that is being ended already: the revocation that came first stands.
 */
export function endedCredential(item: CredentialItem, by: EndedBy, now: number): Partial<NewCredential> {
  if (item.ending !== undefined) return {};
  const { revocationId, requestedBy, reason, incidentId } = by;
  const ending: Ending = {
    ...{ revocationId, requestedBy, reason },
    ...(incidentId !== undefined && { incidentId }),
    ...{ since: now, phase: 'revoking', versions: knownVersions(item) },
    heldUntil: item.leaseUntil === 0 ? now : Math.max(now + longestRunMs, item.leaseUntil) + lateRequestMs,
    ...{ nextAt: now, probes: 0, setbacks: 0, announced: false },
  };
  return {
    ...{ status: 'revoked', epoch: item.epoch + 1, ending, leaseUntil: 0 },
    ...{ previous: undefined, rotating: undefined, diverted: undefined },
    ...notDue,
  };
}

/** The key in force, the next one, and the old ones that are not shown to be dead. */
function knownVersions({ secretVersionId, keyId, previous, rotating }: CredentialItem): EndedVersion[] {
  const held: readonly (HeldVersion | undefined)[] = [
    secretVersionId === undefined ? undefined : { versionId: secretVersionId, keyId },
    rotating?.pending,
    previous,
    ...(rotating?.older ?? []),
  ];
  const known: EndedVersion[] = [];
  for (const one of held) {
    if (one === undefined) continue;
    const same = known.findIndex(({ versionId }) => versionId === one.versionId);
    const entry: EndedVersion = { versionId: one.versionId, ...(one.keyId !== undefined && { keyId: one.keyId }) };
    if (same === -1) known.push(entry);
    else if (known[same]?.keyId === undefined) known[same] = entry;
  }
  return known;
}

/**
 * A person's word that the provider refuses every key of the credential that Cordon could not confirm. Undefined when nothing is open.
 *
 * As long as somebody may still be making a key the word is about those that are known: what is found afterwards is confirmed by itself.
 */
export function attestedEnding(
  item: CredentialItem,
  by: { readonly attestedBy: string; readonly reason: string; readonly now: number },
): Partial<NewCredential> | undefined {
  const { ending } = item;
  if (ending === undefined || ending.phase === 'deleting' || ending.phase === 'ended') return undefined;
  const { attestedBy, reason, now } = by;
  const looked = ending.straysAt ?? (now >= ending.heldUntil ? now : undefined);
  if (openVersions(ending).length === 0 && looked === ending.straysAt) return undefined;
  const versions = ending.versions.map((one): EndedVersion => {
    if (one.confirmedAt !== undefined) return one;
    return { ...one, confirmedAt: now, confirmation: 'attested', attestedBy, attestation: reason };
  });
  return { ending: { ...ending, versions, straysAt: looked, nextAt: now, setbacks: 0 } };
}

export function openVersions({ versions }: Pick<Ending, 'versions'>): readonly EndedVersion[] {
  return versions.filter(({ confirmedAt }) => confirmedAt === undefined);
}

/** Whether a secret may lie in the vault: one that was never stored cannot even be asked about (IAM compares the tag of what is there). */
export function mayHoldSecret({ source, secretVersionId, secretMayExist, attempt }: CredentialItem): boolean {
  if (source === 'federated' || source === 'customer-role') return false;
  // A supply, or an attempt at a first key, that died halfway has counted up and perhaps stored, and nobody wrote it down.
  return secretVersionId !== undefined || secretMayExist || attempt > 0;
}

/** The provider was told to revoke the key. */
export function keyRevoked({ versions }: Ending, keyId: string, now: number): Pick<Ending, 'versions'> {
  return { versions: versions.map((one) => (one.keyId === keyId ? { ...one, revokedAt: one.revokedAt ?? now } : one)) };
}

/** Wherever a key was: the provider holds none of them any more. */
export function allRevoked({ versions }: Ending, now: number): Pick<Ending, 'versions'> {
  return { versions: versions.map((one) => ({ ...one, revokedAt: one.revokedAt ?? now })) };
}

/** A key was found at the provider: of a version that is known by its ID only, or of one that nobody knew of. */
export function withStray({ versions }: Ending, found: { readonly versionId: string; readonly keyId: string }): Pick<Ending, 'versions'> {
  if (versions.some(({ keyId }) => keyId === found.keyId)) return { versions };
  const unnamed = versions.findIndex(({ versionId, keyId }) => versionId === found.versionId && keyId === undefined);
  return {
    versions: unnamed === -1 ? [...versions, found] : versions.map((one, index) => (index === unnamed ? { ...one, ...found } : one)),
  };
}

/** Versions that the vault holds and nobody knew of. What was said of all of them is to be said again. */
export function takenUp(ending: Ending, versionIds: readonly string[]): Partial<Ending> {
  if (versionIds.length === 0) return {};
  return { versions: [...ending.versions, ...versionIds.map((versionId) => ({ versionId }))], stagedOutAt: undefined };
}
