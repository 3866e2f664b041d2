import { openVersions } from './ending-changes.ts';
import type { EndingDeps, EndingOf } from './ending-deps.ts';

type Announcing = Pick<EndingDeps, 'announcer' | 'clock'>;

/** What every event of an ending says. Never a key. */
function aboutOf({ item, ending }: Pick<EndingOf, 'item' | 'ending'>) {
  const { tenantId, credentialId, provider } = item;
  const { revocationId, requestedBy, reason, incidentId } = ending;
  return {
    ...{ version: 1 as const, tenantId, credentialId, provider, revocationId, requestedBy, reason },
    ...(incidentId !== undefined && { incidentId }),
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Tells that every key is dead and the secret is gone. */
export async function announceEnded({ announcer, clock }: Announcing, of: EndingOf): Promise<void> {
  const { versions } = of.ending;
  const attested = versions.some(({ confirmation }) => confirmation === 'attested');
  await announcer.announce('CredentialRevoked', {
    ...aboutOf(of),
    versionIds: [...new Set(versions.map(({ versionId }) => versionId))],
    confirmedBy: versions.length === 0 ? 'nobody' : attested ? 'person' : 'provider',
    confirmedAt: iso(versions.length === 0 ? clock() : Math.max(...versions.map(({ confirmedAt }) => confirmedAt ?? 0))),
  });
}

/** Tells which keys the provider may accept still. */
export async function announceUnconfirmed({ announcer }: Announcing, of: EndingOf): Promise<void> {
  const { ending } = of;
  await announcer.announce('RevocationUnconfirmed', {
    ...aboutOf(of),
    versionIds: [...new Set(openVersions(ending).map(({ versionId }) => versionId))],
    problem: ending.problem ?? 'KEY_ACCEPTED',
    since: iso(ending.unconfirmedSince ?? ending.since),
  });
}
