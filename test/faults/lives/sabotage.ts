/** What must not be, brought about on purpose at the end of a life: to see that it is noticed. Through AWS and the providers, as somebody with every right could. */
import { asRoot } from '../../support/ground-truth.ts';
import { simulatorOf } from '../../support/rotations.ts';
import { use } from './acts.ts';
import type { LivingCredential, LivingTenant } from './cast.ts';
import type { Life } from './course.ts';

interface Sabotage {
  readonly what: string;
  /** The complaint that it is noticed by. */
  readonly noticed: RegExp;
  /** @param of a tenant in use, with one key that Cordon has made */
  plant(life: Life, of: LivingTenant, credential: LivingCredential): Promise<void>;
}

/** Sets members of a registry item, which is made when there is none. */
async function setItem({ world }: Life, { tenantId }: LivingTenant, sk: string, members: Readonly<Record<string, object>>): Promise<void> {
  const { cloud } = world.test;
  const names = Object.keys(members);
  await asRoot(cloud, 'dynamodb', 'UpdateItem', {
    TableName: cloud.outputs['RegistryTable'],
    Key: { pk: { S: `TENANT#${tenantId}#` }, sk: { S: sk } },
    UpdateExpression: `SET ${names.map((name) => `#${name} = :${name}`).join(', ')}`,
    ExpressionAttributeNames: Object.fromEntries(names.map((name) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(names.map((name) => [`:${name}`, members[name]])),
  });
}

export const sabotages: readonly Sabotage[] = [
  {
    what: "a session of the tenant that another one's table lets in",
    noticed: /^1 cross-tenant access: a session of \S+ was allowed secretsmanager:GetResourcePolicy/,
    async plant({ world }, { tenantId }) {
      const { cloud } = world.test;
      const caller = { ...cloud.kernel.rootCaller(cloud.accountId), tags: { TenantId: 'somebody-else' } };
      await cloud.kernel.call(caller, 'secretsmanager', 'GetResourcePolicy', { SecretId: `cordon/${tenantId}/main` });
    },
  },
  {
    what: 'a use that nobody has announced',
    noticed: /^2 use without intent: openai use/,
    async plant({ world }, { tenantId }) {
      world.witness.begins({ tenantId, requestId: 'unheard-of' });
      await world.witness.watch({ service: 'openai', action: 'use' });
    },
  },
  {
    what: 'a key in force that was deleted at its provider',
    noticed: /^3 lost: the key in force of main/,
    async plant({ world }, { tenantId }) {
      const { test } = world;
      const live = new Set(test.cloud.openai.liveKeys(`${tenantId}.`).map(({ fingerprint }) => fingerprint));
      for (const secret of test.cloud.world.plantedSecrets())
        if (live.has(world.fingerprintOf(secret))) simulatorOf(test, 'openai').revokeKey(secret);
    },
  },
  {
    what: 'a key that no credential knows',
    noticed: /^3 orphan: anthropic takes the key/,
    plant: async ({ world }, { tenantId }) => void world.test.cloud.world.issueKey('anthropic', `${tenantId}.main.01-1`),
  },
  {
    what: 'a credential that is said to be revoked, and nothing was done about it',
    noticed: /^4 revoked and usable: openai by main/,
    async plant(life, of, credential) {
      credential.isRevoked = true;
      await use(life, of, credential);
    },
  },
  {
    what: 'work that nobody does',
    noticed: /^5 stuck: USER#nobody/,
    plant: (life, of) => setItem(life, of, 'USER#nobody', { dueAt: { N: '1' }, status: { S: 'active' } }),
  },
  {
    what: 'a message that was put aside and does not say why',
    noticed: /^5 stuck: a message of rotation was put aside without a reason/,
    async plant({ world }) {
      const { cloud } = world.test;
      await asRoot(cloud, 'sqs', 'SendMessage', { QueueUrl: cloud.queues['rotation']?.dlqUrl, MessageBody: '{}' });
    },
  },
  {
    what: 'a key in the registry',
    noticed: /^6 a secret shows in the registry/,
    async plant(life, of) {
      const [secret = ''] = life.world.test.cloud.world.plantedSecrets().slice(-1);
      await setItem(life, of, 'TENANT', { note: { S: `key ${secret}` } });
    },
  },
];
