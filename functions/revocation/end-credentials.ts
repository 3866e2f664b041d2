import { CordonError } from '../shared/errors.ts';
import { inParallel } from '../shared/in-parallel.ts';
import type { CredentialItem } from '../tenants/registry.ts';
import { advanceEnding } from './advance-ending.ts';
import type { HeldRevocation } from './carry-out-revocation.ts';
import { endsCredential } from './certificate/in-scope.ts';
import { ends, type Tally } from './decide-revocation.ts';
import { endedCredential } from './ending-changes.ts';
import { createProviderBrake } from './provider-brake.ts';
import type { RevocationDeps } from './revocation-deps.ts';

/** Credentials worked on at a time: a provider's administration is asked about each. */
const width = 8;
/** Somebody else writes a credential at the same time: so often it is read again at once. */
const maxReads = 5;

/** Two functions' clocks differ by less. What was made within this time after a revocation is ended with what was there before: the safer side. */
const skewMs = 60_000;

/** Every credential that the revocation ends, whoever revoked it first; not what a reinstated tenant or user was given later. */
async function credentialsOf(held: HeldRevocation): Promise<readonly CredentialItem[]> {
  const { stores, item } = held;
  const { tenantId, scope, credentialId } = item;
  if (!ends(item)) return [];
  const one = scope === 'credential' && credentialId !== undefined ? await stores.registry.credential(tenantId, credentialId) : undefined;
  const all = scope === 'credential' ? (one ? [one] : []) : await stores.registry.credentials(tenantId);
  const reach = { ...item, inForceAt: (await isShut(held)) ? Number.POSITIVE_INFINITY : item.inForceAt + skewMs };
  return all.filter((credential) => endsCredential(reach, credential));
}

/** Until the tenant or user is let in again nothing can be added: then everything they have was there before, whatever the clocks say. */
async function isShut({ stores, item }: HeldRevocation): Promise<boolean> {
  const { tenantId, userId, scope, marked } = item;
  if (marked || (scope !== 'tenant' && scope !== 'user')) return false;
  const subject = scope === 'tenant' ? await stores.registry.tenant(tenantId) : userId && (await stores.registry.user(tenantId, userId));
  return subject !== undefined && (subject.status === 'suspended' || subject.status === 'offboarded');
}

/**
 * Writes of each credential that it is ended. Nothing can be added any more: the write that put the revocation in force keeps new ones away.
 *
 * @returns false when the time was over before all of them were written
 */
export async function markCredentials(deps: RevocationDeps, held: HeldRevocation): Promise<boolean> {
  const unmarked = (await credentialsOf(held)).filter(({ ending }) => ending === undefined);
  const done = await inParallel(unmarked, width, held.isOver, (item) => mark(deps, held, item));
  return done.length === unmarked.length;
}

async function mark({ clock }: RevocationDeps, { stores, item: by }: HeldRevocation, found: CredentialItem): Promise<void> {
  let item: CredentialItem | undefined = found;
  for (let reads = 1; item !== undefined && item.ending === undefined; reads += 1) {
    try {
      await stores.registry.changeCredential(item, endedCredential(item, by, clock()));
      return;
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'CONFLICT' || reads === maxReads) throw error;
      item = await stores.registry.credential(item.tenantId, item.credentialId);
    }
  }
}

/** Advances what becomes of each credential that is due, and counts. What goes wrong with one holds up no other. */
export async function endCredentials(
  deps: RevocationDeps,
  held: HeldRevocation,
): Promise<{ tally: Tally; problem: CordonError | undefined }> {
  const { stores, item: by, deadline } = held;
  const all = await credentialsOf(held);
  const tenant = all.length === 0 ? undefined : await stores.registry.tenant(by.tenantId);
  const now = deps.clock();
  const due = all.filter(({ ending }) => ending !== undefined && ending.phase !== 'ended' && ending.nextAt <= now);
  const hurried = due.length > width;
  let problem: CordonError | undefined;
  const brake = createProviderBrake(deps.clock);
  const advanced = new Map<string, CredentialItem>();
  if (tenant) {
    await inParallel(due, width, held.isOver, async (item) => {
      const until = brake.until(item.provider);
      if (until !== undefined) {
        advanced.set(item.credentialId, leftUntil(item, until));
        return;
      }
      try {
        const left = await advanceEnding(deps, { stores, tenant, item, deadline, hurried });
        brake.seen(left);
        advanced.set(item.credentialId, left);
      } catch (error) {
        if (!(error instanceof CordonError)) throw error;
        problem ??= error;
      }
    });
  }
  return { tally: tallyOf(all.map((item) => advanced.get(item.credentialId) ?? item)), problem };
}

/** Not written: it stays due, and is looked at when its provider is. */
function leftUntil(item: CredentialItem, nextAt: number): CredentialItem {
  return item.ending === undefined ? item : { ...item, ending: { ...item.ending, nextAt } };
}

/** Pure. */
export function tallyOf(credentials: readonly CredentialItem[]): Tally {
  const endings = credentials.flatMap(({ ending }) => ending ?? []);
  const versions = endings.flatMap((ending) => ending.versions);
  const open = endings.filter(({ phase }) => phase !== 'ended');
  return {
    credentials: credentials.length,
    versions: versions.length,
    confirmed: versions.filter(({ confirmedAt }) => confirmedAt !== undefined).length,
    unconfirmed: open.filter(({ phase }) => phase === 'unconfirmed').length,
    open: open.length,
    nextAt: open.length === 0 ? undefined : Math.min(...open.map(({ nextAt }) => nextAt)),
  };
}
