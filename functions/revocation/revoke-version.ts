import type { CordonError } from '../shared/errors.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import type { HeldRevocation } from './carry-out-revocation.ts';
import type { Tally } from './decide-revocation.ts';
import type { RevocationDeps } from './revocation-deps.ts';

/** The rotation that takes the version's place is looked at this often. */
const lookMs = 60_000;
/** After this long a version that is not shown to be dead is said to be unconfirmed. */
const expectedMs = 15 * 60_000;

async function credentialOf({ stores, item }: HeldRevocation): Promise<CredentialItem | undefined> {
  return item.credentialId && stores.registry.credential(item.tenantId, item.credentialId);
}

/** The rotation does what is to be done about the key: the one in force is replaced at once, an old one is retired, one that is not in force yet is thrown away. */
export async function replaceVersion({ publish }: RevocationDeps, held: HeldRevocation): Promise<void> {
  const { tenantId, requestedBy, reason, versionId = '' } = held.item;
  const credential = await credentialOf(held);
  if (credential?.status !== 'active') return;
  const about = { version: 1 as const, tenantId, credentialId: credential.credentialId, requestedBy, why: reason };
  if (credential.secretVersionId === versionId) await publish('RotationRequested', { ...about, emergency: true });
  else if (isKept(credential, versionId)) await publish('RotationRequested', { ...about, action: 'demote', versionId });
}

/** How far the rotation is with the version. It is dead when the credential does not know it any more. */
export async function tallyVersion(
  { clock }: RevocationDeps,
  held: HeldRevocation,
): Promise<{ tally: Tally; problem: CordonError | undefined }> {
  const { versionId = '', inForceAt } = held.item;
  const credential = await credentialOf(held);
  const ended = credential?.ending?.versions.find((one) => one.versionId === versionId);
  const alive = credential !== undefined && (ended ? ended.confirmedAt === undefined : isKept(credential, versionId));
  const late = clock() >= inForceAt + expectedMs || credential?.rotating?.phase === 'unproven';
  const count = (is: boolean): number => (is ? 1 : 0);
  return {
    tally: {
      credentials: count(credential !== undefined),
      versions: count(credential !== undefined),
      confirmed: count(credential !== undefined && !alive),
      unconfirmed: count(alive && late),
      open: count(alive),
      nextAt: alive ? clock() + lookMs : undefined,
    },
    problem: undefined,
  };
}

/** Whether the credential has the version still: in force, to come, or not shown to be dead. */
function isKept({ secretVersionId, previous, rotating }: CredentialItem, versionId: string): boolean {
  const kept = [secretVersionId, previous?.versionId, rotating?.pending?.versionId, ...(rotating?.older ?? []).map((one) => one.versionId)];
  return kept.includes(versionId);
}
