/** What the revocations of the campaigns are about: who or what is made ready, and which events then come one after the other. */
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { openAiMain } from './broker-calls.ts';
import type { TestCloud } from './cloud.ts';
import { issuedAt, rotatingTenant, simulatorOf, stateOf } from './rotations.ts';
import { pause } from './settle.ts';
import { bringKeyIn } from './supply.ts';

/** Something that is about to be revoked. */
export interface Subject {
  readonly tenantId: string;
  readonly userId?: string;
  /** IDs of the events that came before. */
  readonly before?: readonly string[];
  /** Credentials that it is about. */
  readonly credentials: readonly SubjectCredential[];
}

interface SubjectCredential {
  readonly credentialId: string;
  readonly provider: string;
  /** Of one that the customer has made. */
  readonly key?: string;
}

export interface Step {
  readonly detailType: string;
  detail(test: TestCloud, subject: Subject): Promise<object>;
}

export const kinds = [
  'a credential',
  'a credential of two slots in the grace of a rotation',
  'a user with a credential of their own',
  'a pool tenant',
  'a dedicated tenant',
  'the version in force',
  'a suspension and its end',
  'what a person confirms',
] as const;
export type Kind = (typeof kinds)[number];

export interface Flow {
  readonly kind: Kind;
  /** Events that come before anything goes wrong, each to its end. */
  readonly before: readonly Step[];
  readonly steps: readonly Step[];
  /** Makes so many subjects. */
  prepare(test: TestCloud, count: number): Promise<readonly Subject[]>;
  /** True when a subject is after it what it was before. */
  readonly again?: true;
}

const asked = { version: 1, requestedBy: 'ops@example.com', reason: 'to see it done' };
const credentialOf = ({ credentials }: Subject): string => credentials[0]?.credentialId ?? '';
const range = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

function revoking(scope: string, named: (subject: Subject) => object): Step {
  return {
    detailType: 'RevocationRequested',
    detail: async (_, subject) => ({ ...asked, tenantId: subject.tenantId, scope, ...named(subject) }),
  };
}

export const revokeCredential = revoking('credential', (subject) => ({ credentialId: credentialOf(subject) }));
export const offboardTenant: Step = { detailType: 'TenantOffboarded', detail: async (_, { tenantId }) => ({ ...asked, tenantId }) };
const ofTenant = (detailType: string): Step => ({
  detailType,
  detail: async (_, { tenantId }) => ({ ...asked, tenantId, scope: 'tenant' }),
});
export const [suspendTenant, reinstateTenant, revokeTenant] = [
  ofTenant('AccessSuspended'),
  ofTenant('AccessReinstated'),
  ofTenant('RevocationRequested'),
] as const;
export const offboardUser: Step = {
  detailType: 'UserOffboarded',
  detail: async (_, { tenantId, userId }) => ({ ...asked, tenantId, userId }),
};

/** Each a credential of its own, 25 to a tenant. */
async function openAiCredentials(test: TestCloud, count: number): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  while (subjects.length < count) {
    const wanted = range(Math.min(25, count - subjects.length)).map((n) =>
      issuedAt('openai', { credentialId: `main-${n}`, environment: `env-${n}` }),
    );
    const tenantId = await rotatingTenant(test, wanted, { routing: [] });
    subjects.push(...wanted.map(({ credentialId, provider }) => ({ tenantId, credentials: [{ credentialId, provider }] })));
  }
  return subjects;
}

/** Each a credential that the customer has handed over, 25 to a tenant. */
async function customersCredentials(test: TestCloud, count: number): Promise<readonly Subject[]> {
  const subjects: Subject[] = [];
  while (subjects.length < count) {
    const wanted = range(Math.min(25, count - subjects.length)).map((n) => ({
      ...{ credentialId: `own-${n}`, provider: 'anthropic', source: 'customer-supplied', environment: `env-${n}` },
    }));
    const tenantId = await rotatingTenant(test, wanted, { routing: [] });
    for (const { credentialId, provider } of wanted) {
      const key = await bringKeyIn(test, { tenantId, credentialId, provider });
      subjects.push({ tenantId, credentials: [{ credentialId, provider, key }] });
    }
  }
  return subjects;
}

/** Events that may come together are put together, ten at a time. */
async function putAll(test: TestCloud, events: readonly { detailType: string; detail: object }[]): Promise<void> {
  for (let from = 0; from < events.length; from += 10) {
    await test.putEvents(...events.slice(from, from + 10));
    await pause(test.cloud);
  }
}

async function usersOfOne(test: TestCloud, count: number): Promise<readonly Subject[]> {
  const { issuer } = test.cloud.oidc;
  const tenantId = await rotatingTenant(test, [openAiMain]);
  const users = range(count).map((n) => ({ subject: `user-${n}`, userId: userIdOf(issuer, `user-${n}`), credentialId: `own-${n}` }));
  const common = { version: 1, tenantId, requestedBy: 'test' };
  await putAll(
    test,
    users.map(({ subject }) => ({ detailType: 'UserOnboarded', detail: { ...common, issuer, subject } })),
  );
  await putAll(
    test,
    users.map(({ userId, credentialId }) => ({
      detailType: 'CredentialRequested',
      detail: { ...common, credential: { ...openAiMain, credentialId, userId } },
    })),
  );
  return users.map(({ userId, credentialId }) => ({ tenantId, userId, credentials: [{ credentialId, provider: 'openai' }] }));
}

/** Two keys that Cordon has made at different providers, and one of the customer's own. */
async function tenant(test: TestCloud, tier: 'pool' | 'dedicated'): Promise<Subject> {
  const issued = [openAiMain, issuedAt('mistral')];
  const own = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
  const tenantId = await rotatingTenant(test, tier === 'pool' ? [...issued, own] : issued, { tier, routing: [] });
  const credentials: SubjectCredential[] = issued.map(({ credentialId, provider }) => ({ credentialId, provider }));
  if (tier === 'pool') credentials.push({ ...own, key: await bringKeyIn(test, { ...own, tenantId }) });
  return { tenantId, credentials };
}

async function tenants(test: TestCloud, tier: 'pool' | 'dedicated', count: number): Promise<readonly Subject[]> {
  const made: Subject[] = [];
  for (let n = 0; n < count; n += 1) made.push(await tenant(test, tier));
  return made;
}

async function inTwoSlots(test: TestCloud, count: number): Promise<readonly Subject[]> {
  const made: Subject[] = [];
  for (let n = 0; n < count; n += 1) {
    const rotation = { everyDays: 90, graceHours: 24 };
    const tenantId = await rotatingTenant(test, [issuedAt('azure-openai', { rotation })]);
    made.push({ tenantId, credentials: [{ credentialId: 'azure-openai-main', provider: 'azure-openai' }] });
  }
  return made;
}

/** As the customer does it in the provider's console. */
export function customerRevokes(test: TestCloud, { credentials }: Subject): void {
  for (const { key, provider } of credentials) if (key !== undefined) simulatorOf(test, provider).revokeKey(key);
}

export const flows: Readonly<Record<Kind, Flow>> = {
  'a credential': { kind: 'a credential', before: [], steps: [revokeCredential], prepare: openAiCredentials },
  'a credential of two slots in the grace of a rotation': {
    kind: 'a credential of two slots in the grace of a rotation',
    before: [
      {
        detailType: 'RotationRequested',
        detail: async (_, subject) => ({
          ...{ version: 1, tenantId: subject.tenantId, credentialId: credentialOf(subject) },
          ...{ requestedBy: 'test', why: 'to see it done' },
        }),
      },
    ],
    steps: [revokeCredential],
    prepare: inTwoSlots,
  },
  'a user with a credential of their own': {
    kind: 'a user with a credential of their own',
    before: [],
    steps: [offboardUser],
    prepare: usersOfOne,
  },
  'a pool tenant': { kind: 'a pool tenant', before: [], steps: [offboardTenant], prepare: (test, count) => tenants(test, 'pool', count) },
  'a dedicated tenant': {
    ...{ kind: 'a dedicated tenant', before: [], steps: [offboardTenant] },
    prepare: (test, count) => tenants(test, 'dedicated', count),
  },
  'the version in force': {
    kind: 'the version in force',
    before: [],
    steps: [
      {
        detailType: 'RevocationRequested',
        async detail(test, { tenantId, credentials }) {
          const [{ credentialId = '' } = {}] = credentials;
          const { secretVersionId: versionId } = await stateOf(test, { tenantId, credentialId });
          return { ...asked, tenantId, scope: 'version', credentialId, versionId };
        },
      },
    ],
    prepare: openAiCredentials,
  },
  'a suspension and its end': {
    kind: 'a suspension and its end',
    before: [],
    steps: [suspendTenant, reinstateTenant],
    async prepare(test) {
      const tenantId = await rotatingTenant(test, [openAiMain]);
      return [{ tenantId, credentials: [{ credentialId: 'openai-main', provider: 'openai' }] }];
    },
    again: true,
  },
  'what a person confirms': {
    kind: 'what a person confirms',
    before: [revokeCredential],
    steps: [
      {
        detailType: 'RevocationConfirmed',
        async detail(test, subject) {
          customerRevokes(test, subject);
          return { ...asked, tenantId: subject.tenantId, credentialId: credentialOf(subject) };
        },
      },
    ],
    prepare: customersCredentials,
  },
};
