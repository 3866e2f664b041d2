/** Revocations that come while something else is being done for what is revoked. */
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { openAiMain } from './broker-calls.ts';
import type { TestCloud } from './cloud.ts';
import type { FaultPoint } from './fault-points.ts';
import { letThrough } from './gate-keeping.ts';
import { flows, offboardTenant, offboardUser, revokeCredential, type Step, type Subject } from './revocation-courses.ts';
import { type Remains, remainsOf } from './revocation-facts.ts';
import type { RevocationLab } from './revocation-flow.ts';
import { revocationTrade } from './revocation-worker.ts';
import { rotationTrade } from './rotation-worker.ts';
import { rotatingTenant } from './rotations.ts';
import { pause } from './settle.ts';
import { tenantsTrade } from './tenants-worker.ts';
import type { Effect } from './troubled-line.ts';
import type { Trade } from './worker-craft.ts';
import { eventBody } from './worker-queue.ts';

export interface Race {
  readonly name: string;
  prepare(lab: RevocationLab): Promise<Subject>;
  /** What is being done when the revocation comes. */
  readonly begun: { readonly trade: Trade; readonly step: Step };
  readonly revoked: Step;
}

/** When the revocation comes: while that call is held up, or its answer. */
export interface Meeting {
  readonly point: FaultPoint;
  readonly effect: Effect;
}

/** What is left of it, and what went wrong in between. */
export interface Raced extends Remains {
  readonly through: readonly string[];
  readonly missteps: readonly string[];
}
const minuteMs = 60_000;

/** A tenant with one key. */
export async function oneCredential(test: TestCloud): Promise<Subject> {
  const tenantId = await rotatingTenant(test, [openAiMain]);
  await pause(test.cloud);
  return { tenantId, credentials: [{ credentialId: 'openai-main', provider: 'openai' }] };
}

/** A tenant that has nothing yet. */
async function bareTenant({ test }: RevocationLab): Promise<Subject> {
  const tenantId = await rotatingTenant(test, []);
  await pause(test.cloud);
  return { tenantId, credentials: [{ credentialId: 'openai-main', provider: 'openai' }] };
}

async function withAna(lab: RevocationLab): Promise<Subject> {
  const { test } = lab;
  const { issuer } = test.cloud.oidc;
  const { tenantId } = await bareTenant(lab);
  await test.putEvents({ detailType: 'UserOnboarded', detail: { version: 1, tenantId, issuer, subject: 'ana', requestedBy: 'test' } });
  await pause(test.cloud);
  return { tenantId, userId: userIdOf(issuer, 'ana'), credentials: [{ credentialId: 'ana-own', provider: 'openai' }] };
}

const stranger = async ({ test }: RevocationLab): Promise<Subject> => ({
  tenantId: test.freshTenantId(),
  credentials: [{ credentialId: 'openai-main', provider: 'openai' }],
});

const requestCredential: Step = {
  detailType: 'CredentialRequested',
  detail: async (_, { tenantId, userId, credentials: [{ credentialId } = { credentialId: '' }] }) => ({
    ...{ version: 1, tenantId, requestedBy: 'test' },
    credential: { ...openAiMain, credentialId, ...(userId !== undefined && { userId }) },
  }),
};
const onboardTenant: Step = {
  detailType: 'TenantOnboarded',
  detail: async (_, { tenantId }) => ({
    ...{ version: 1, tenantId, displayName: 'Early', tier: 'pool', requestedBy: 'test', credentials: [openAiMain] },
  }),
};
const onboardUser: Step = {
  detailType: 'UserOnboarded',
  detail: async ({ cloud }: TestCloud, { tenantId }) => ({
    ...{ version: 1, tenantId, issuer: cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' },
  }),
};
const rotate: Step = {
  detailType: 'RotationRequested',
  detail: async (_, { tenantId, credentials: [{ credentialId } = { credentialId: '' }] }) => ({
    ...{ version: 1, tenantId, credentialId, requestedBy: 'test', why: 'to see it done' },
  }),
};

export const races: readonly Race[] = [
  {
    name: 'a credential that is being made',
    prepare: bareTenant,
    begun: { trade: tenantsTrade, step: requestCredential },
    revoked: revokeCredential,
  },
  {
    name: 'a tenant whose credential is being made',
    prepare: bareTenant,
    begun: { trade: tenantsTrade, step: requestCredential },
    revoked: offboardTenant,
  },
  {
    name: 'a user whose credential is being made',
    prepare: withAna,
    begun: { trade: tenantsTrade, step: requestCredential },
    revoked: offboardUser,
  },
  {
    name: 'a tenant that is being onboarded',
    prepare: stranger,
    begun: { trade: tenantsTrade, step: onboardTenant },
    revoked: offboardTenant,
  },
  {
    name: 'a credential of a tenant that is being onboarded',
    prepare: stranger,
    begun: { trade: tenantsTrade, step: onboardTenant },
    revoked: revokeCredential,
  },
  {
    name: 'a user who is being onboarded',
    async prepare(lab) {
      return { ...(await bareTenant(lab)), userId: userIdOf(lab.test.cloud.oidc.issuer, 'ana'), credentials: [] };
    },
    begun: { trade: tenantsTrade, step: onboardUser },
    revoked: offboardUser,
  },
  {
    name: 'a credential that is being rotated',
    prepare: (lab) => lab.take(flows['a credential']),
    begun: { trade: rotationTrade, step: rotate },
    revoked: revokeCredential,
  },
  {
    name: 'a tenant whose credential is being rotated',
    prepare: ({ test }) => oneCredential(test),
    begun: { trade: rotationTrade, step: rotate },
    revoked: offboardTenant,
  },
];

/** Every call of what is being done, when no revocation comes. */
export async function recordRace(lab: RevocationLab, { prepare, begun }: Race): Promise<readonly FaultPoint[]> {
  const of = await lab.begin(await prepare(lab));
  await carryOut(lab, of, begun);
  await lab.settle(of);
  await lab.missteps(of);
  return [...lab.line.calls];
}

type Of = Awaited<ReturnType<RevocationLab['begin']>>;

/** Delivers it until it is dealt with, as a queue does. */
async function carryOut(lab: RevocationLab, { subject }: Of, { trade, step }: Race['begun']): Promise<void> {
  const { cloud } = lab.test;
  const body = JSON.stringify(eventBody(cloud, { detailType: step.detailType, detail: await step.detail(lab.test, subject) }));
  for (let receiveCount = 1; receiveCount <= 10; receiveCount += 1) {
    if ((await lab.crew.handle(trade, { body, receiptHandle: 'none', receiveCount })) === 'done') return;
    cloud.clock.advance(5 * minuteMs);
  }
  throw new Error(`It is delivered in vain again and again.\n${lab.crew.lines().join('\n')}`);
}

/** Has the revocation come at that call, and lets time pass until nothing is left to do. */
export async function runRace(lab: RevocationLab, race: Race, { point, effect }: Meeting): Promise<Raced> {
  const subject = await race.prepare(lab);
  const of = await lab.begin(subject, [
    {
      ...{ point, effect },
      meanwhile: async () => {
        await lab.ask(of, race.revoked, () => lab.crew.deliverOf(revocationTrade));
      },
    },
  ]);
  await carryOut(lab, of, race.begun);
  await lab.settle(of);
  // Whoever asks for it again gets no more than before.
  await carryOut(lab, of, race.begun);
  await lab.settle(of);
  const missteps = await lab.missteps(of);
  return { ...(await remainsOf(lab.test, of)), through: await letThrough(lab.test, subject), missteps };
}
