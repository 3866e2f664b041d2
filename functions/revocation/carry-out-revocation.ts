import { attributed } from '../attribution/attributed.ts';
import type { CordonError } from '../shared/errors.ts';
import { issueCertificate } from './certificate/issue-certificate.ts';
import { counted, ends, longestSessionMs, type Step, type Tally } from './decide-revocation.ts';
import { endCredentials, markCredentials } from './end-credentials.ts';
import { endDecoys } from './end-decoys.ts';
import type { NewRevocation, Revocation } from './revocation.ts';
import type { RevocationDeps, RevocationStores } from './revocation-deps.ts';
import { neverDue } from './revocation-due.ts';
import { replaceVersion, tallyVersion } from './revoke-version.ts';

/** A revocation that this run holds. */
export interface HeldRevocation {
  readonly stores: RevocationStores;
  /** As this run last wrote it. */
  readonly item: Revocation;
  /** Milliseconds since the epoch: by then this run has ended, and so has its hold. */
  readonly deadline: number;
  /** True when nothing more is to be begun. */
  isOver(): boolean;
  /** What this run has last found out. */
  readonly tally: Tally | undefined;
}

/** What a step has come to. */
export interface Outcome {
  /** To be written before anything else is done. */
  readonly change?: Partial<NewRevocation>;
  readonly tally?: Tally;
  /** For an operator; the rest goes on. */
  readonly problem?: CordonError | undefined;
}

type Carried = Exclude<Step, { readonly next: 'wait' | 'rest' }>;

/** Does one step. Each may be repeated after any interruption. Throws CordonError. */
export async function carryOut(deps: RevocationDeps, held: HeldRevocation, step: Carried): Promise<Outcome> {
  const { item, stores } = held;
  const now = deps.clock();
  switch (step.next) {
    case 'tell':
      await tell(deps, held);
      return { change: { told: true } };
    case 'cutOff': {
      const cutOff = { id: item.revocationId, before: item.inForceAt };
      await deps.cutOffs.request({ ...cutOff, tenantId: item.tenantId, ...(item.scope === 'user' && { userId: item.userId }) });
      return { change: { cutOff } };
    }
    case 'mark':
      return (await markCredentials(deps, held)) ? { change: { marked: true } } : {};
    case 'replace':
      await replaceVersion(deps, held);
      return { change: { replacementAsked: true } };
    case 'endConnections':
      await endConnections(deps, held);
      return { change: { connectionsEnded: true } };
    case 'advance': {
      const { tally, problem } = await endingsNow(deps, held, now);
      const cutOff = await cutOffNow(deps, item, now);
      return { tally, problem, ...(cutOff && { change: { cutOff } }) };
    }
    case 'leaveOpen': {
      // What a provider does not confirm may stay open for good.
      await endDecoys(deps, stores, item);
      const change = { ...counted(held.tally), status: 'unconfirmed' as const };
      const certificateId = await certify(deps, stores, { ...item, ...change });
      return { change: { ...change, certificateId }, ...same(held) };
    }
    case 'finish': {
      await endDecoys(deps, stores, item);
      const change = { ...counted(held.tally), status: 'done' as const, doneAt: now };
      const done = { ...item, ...change };
      const certificateId = await certify(deps, stores, done);
      await deps.announcer.announce('RevocationCompleted', {
        ...aboutOf(done),
        counts: done.counts,
        ...(certificateId !== undefined && { certificateId }),
      });
      return { change: { ...change, certificateId, leaseUntil: 0, ...neverDue } };
    }
  }
}

/** A tenant may have thousands of credentials: they are not read again as long as none of them is due, e.g. while only the cut-off is waited for. */
async function endingsNow(deps: RevocationDeps, held: HeldRevocation, now: number): Promise<Required<Pick<Outcome, 'tally'>> & Outcome> {
  const { tally, item } = held;
  if (tally !== undefined && (tally.nextAt === undefined || now < tally.nextAt)) return { tally };
  return item.scope === 'version' ? tallyVersion(deps, held) : endCredentials(deps, held);
}

const same = ({ tally }: HeldRevocation): Pick<Outcome, 'tally'> => (tally === undefined ? {} : { tally });

/** What every event about it says. */
function aboutOf(item: Revocation) {
  const { tenantId, revocationId, requestedBy, reason, incidentId, action, scope, userId, agentId, sessionId, credentialId, versionId } =
    item;
  return {
    ...{ version: 1 as const, tenantId, revocationId, requestedBy, reason, action, scope },
    ...(incidentId !== undefined && { incidentId }),
    ...(userId !== undefined && { userId }),
    ...(agentId !== undefined && { agentId }),
    ...(sessionId !== undefined && { sessionId }),
    ...(credentialId !== undefined && { credentialId }),
    ...(versionId !== undefined && { versionId }),
  };
}

/** It is in force already: what is told late is not in force late. */
async function tell(deps: RevocationDeps, { stores, item }: HeldRevocation): Promise<void> {
  const inForceAt = new Date(item.inForceAt).toISOString();
  const { tenantId, requestedBy, userId, agentId, sessionId, credentialId, versionId, action, scope, reason, incidentId, revocationId } =
    item;
  await deps.announcer.announce('AccessChanged', { ...aboutOf(item), inForceAt });
  const intent = {
    tenantId,
    actor: { function: 'revocation', requestedBy },
    operation: 'revocation.in-force',
    ...(credentialId !== undefined && { credentialId }),
    ...(versionId !== undefined && { credentialVersion: versionId }),
    context: {
      ...{ revocationId, action, scope, reason, inForceAt },
      ...(incidentId !== undefined && { incidentId }),
      ...(userId !== undefined && { userId }),
      ...(agentId !== undefined && { agentId }),
      ...(sessionId !== undefined && { sessionId }),
    },
  };
  await attributed({ ...deps, store: stores.attribution }, intent, async () => ({ value: undefined }));
}

/** Connections to customers' accounts have a worker of their own: it is told to end them. */
async function endConnections({ publish }: RevocationDeps, { stores, item }: HeldRevocation): Promise<void> {
  const { tenantId, requestedBy } = item;
  const ended: ReadonlySet<string> = new Set(['expired', 'disconnected']);
  for (const { customerAccountId, status } of await stores.connections.connections(tenantId)) {
    if (ended.has(status)) continue;
    await publish('RoleDisconnectionRequested', { version: 1, tenantId, requestedBy, customerAccountId });
  }
}

/** How far the cut-off is; undefined when nothing has changed. After the longest session there is none left to cut off. */
async function cutOffNow({ cutOffs }: RevocationDeps, { cutOff }: Revocation, now: number): Promise<Revocation['cutOff']> {
  if (cutOff === undefined || cutOff.appliedAt !== undefined || cutOff.endedAt !== undefined) return undefined;
  const { appliedAt, policyVersionId } = (await cutOffs.state(cutOff)) ?? {};
  if (appliedAt !== undefined) return { ...cutOff, appliedAt, policyVersionId };
  const endedAt = cutOff.before + longestSessionMs;
  return now >= endedAt ? { ...cutOff, endedAt } : undefined;
}

/** A certificate of what it has ended so far; none of what never came to be. */
async function certify(deps: RevocationDeps, stores: RevocationStores, item: Revocation): Promise<string | undefined> {
  if (!ends(item)) return undefined;
  const { tenantId, revocationId, requestedBy } = item;
  const tenant = await stores.registry.tenant(tenantId);
  if (!tenant) return undefined;
  const order = { stores, tenant, of: { revocationId }, requestedBy, revocationId, now: deps.clock() };
  return (await issueCertificate(deps, order)).certificateId;
}
