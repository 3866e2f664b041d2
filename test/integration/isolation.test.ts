import * as secrets from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { type Neighbours, onboardNeighbours } from '../support/neighbours.ts';
import { operate, secretOperations } from '../support/secret-operations.ts';

type Who = keyof Neighbours['sessions'];

let test: TestCloud;
let on: Neighbours;
let before: unknown;

/** The neighbour's two secrets in full: values as its own session reads them, the rest as an administrator sees it. */
async function stateOfB(): Promise<unknown> {
  const own = test.clients(await test.tenantSession(on.b)).secretsmanager;
  const { secretsmanager } = test.clients(on.administrator);
  const { SecretString } = await own.send(new secrets.GetSecretValueCommand({ SecretId: on.secrets.ofB.arn }));
  const {
    LastAccessedDate: _,
    $metadata: __,
    ...described
  } = await secretsmanager.send(new secrets.DescribeSecretCommand({ SecretId: on.secrets.ofB.arn }));
  const { ResourcePolicy } = await secretsmanager.send(new secrets.GetResourcePolicyCommand({ SecretId: on.secrets.ofB.arn }));
  return { SecretString, described, ResourcePolicy, all: await test.secretsOf(on.b) };
}

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
  before = await stateOfB();
});

const tags = (given: Readonly<Record<string, string>>) => Object.entries(given).map(([Key, Value]) => ({ Key, Value }));

const get =
  (id: () => string, more: Partial<secrets.GetSecretValueCommandInput> = {}): Call =>
  ({ secretsmanager }) =>
    secretsmanager.send(new secrets.GetSecretValueCommand({ SecretId: id(), ...more }));
const create =
  (path: () => string, given: () => Readonly<Record<string, string>>): Call =>
  ({ secretsmanager }) =>
    secretsmanager.send(
      new secrets.CreateSecretCommand({
        Name: `cordon/${path()}`,
        SecretString: 'made by a test',
        KmsKeyId: test.cloud.outputs['TenantKeyArn'],
        Tags: tags(given()),
      }),
    );
const list =
  (input: secrets.ListSecretsCommandInput = {}): Call =>
  ({ secretsmanager }) =>
    secretsmanager.send(new secrets.ListSecretsCommand(input));
const batch =
  (input: () => secrets.BatchGetSecretValueCommandInput): Call =>
  ({ secretsmanager }) =>
    secretsmanager.send(new secrets.BatchGetSecretValueCommand(input()));

describe('I3 the neighbour’s secrets', () => {
  it.each(secretOperations)('no session of a tenant may %s on them', async (name) => {
    for (const who of ['reader', 'ana', 'ben', 'writer'] as const) {
      for (const { arn } of [on.secrets.ofB, on.secrets.ofAnaInB]) {
        await expectDenied(
          test,
          on.sessions[who],
          operate(name, () => arn),
          isolation('DenySecretsOfOtherPaths'),
        );
      }
    }
  });

  it.each<[string, Call, string]>([
    ['by name', get(() => on.secrets.ofB.name), 'DenySecretsOfOtherPaths'],
    ['by ARN without the random suffix', get(() => on.secrets.ofB.arn.slice(0, -7)), 'DenySecretsOfOtherPaths'],
    ['by ARN with a guessed suffix', get(() => `${on.secrets.ofB.arn.slice(0, -6)}AbCdEf`), 'DenySecretsOfOtherPaths'],
    ['by version', get(() => on.secrets.ofB.arn, { VersionId: '00000000-0000-4000-8000-000000000000' }), 'DenySecretsOfOtherPaths'],
    ['by label', get(() => on.secrets.ofB.name, { VersionStage: 'AWSPREVIOUS' }), 'DenySecretsOfOtherPaths'],
    ['that do not exist', get(() => `cordon/${on.b}/none`), 'DenySecretsOfOtherPaths'],
    ['by a name in capitals', get(() => on.secrets.ofB.name.toUpperCase()), 'DenySecretsOfOtherPaths'],
    // The name begins with the tenant's own path, but no secret of that name exists, and so none with the tenant's tag.
    ['by a name that climbs out of its own path', get(() => `cordon/${on.a}/../${on.b}/openai-main`), 'DenySecretsOfOtherTags'],
    ['in a list of all', list(), 'DenySecretsOfOtherPaths'],
    ['in a list by tag', list({ Filters: [{ Key: 'tag-key', Values: ['TenantId'] }] }), 'DenySecretsOfOtherPaths'],
    ['in one batch with its own', batch(() => ({ SecretIdList: [on.secrets.ofA.arn, on.secrets.ofB.arn] })), 'DenySecretsOfOtherPaths'],
    ['in a batch by tag', batch(() => ({ Filters: [{ Key: 'tag-value', Values: [on.b] }] })), 'DenySecretsOfOtherPaths'],
  ])('cannot be read %s', async (_, call, sid) => {
    for (const who of ['reader', 'ana', 'writer'] as const) await expectDenied(test, on.sessions[who], call, isolation(sid));
  });

  it('are refused to the second of two tenants whose names begin alike, too', async () => {
    const session = await test.tenantSession(on.b);
    await expectAllowed(
      test,
      session,
      get(() => on.secrets.ofB.name),
    );
    await expectDenied(
      test,
      session,
      get(() => on.secrets.ofA.name),
      isolation('DenySecretsOfOtherPaths'),
    );
  });

  it('leave their own tenant’s session everything it is for', async () => {
    const { ofA, ofAna } = on.secrets;
    for (const id of [ofA.name, ofA.arn, ofA.arn.slice(0, -7)])
      await expectAllowed(
        test,
        on.sessions.reader,
        get(() => id),
      );
    await expectAllowed(
      test,
      on.sessions.reader,
      get(() => ofA.name, { VersionId: ofA.versionId }),
    );
    await expectAllowed(
      test,
      on.sessions.ana,
      get(() => ofA.name),
    );
    await expectAllowed(
      test,
      on.sessions.ana,
      get(() => ofAna.name),
    );
    for (const who of ['reader', 'writer'] as const)
      await expectAllowed(
        test,
        on.sessions[who],
        operate('DescribeSecret', () => ofA.arn),
      );
  });
});

describe('I3 creating and tagging', () => {
  const own =
    (more: Record<string, string> = {}) =>
    () => ({ TenantId: on.a, Provider: 'openai', Tier: 'pool', ...more });

  it.each<[string, Call, string | RegExp]>([
    ['in the neighbour’s path', create(() => `${on.b}/planted`, own()), isolation('DenySecretsOfOtherPaths')],
    ['in a path that only begins like its own', create(() => `${on.a}x/planted`, own()), isolation('DenySecretsOfOtherPaths')],
    [
      'with the neighbour’s tag',
      create(
        () => `${on.a}/planted`,
        () => ({ TenantId: on.b }),
      ),
      isolation('DenyCreatingForOthers'),
    ],
    [
      'without a tag',
      create(
        () => `${on.a}/planted`,
        () => ({}),
      ),
      isolation('DenyCreatingForOthers'),
    ],
    [
      'with the tag’s name in another case',
      create(
        () => `${on.a}/planted`,
        () => ({ tenantid: on.a }),
      ),
      notGranted,
    ],
    [
      'with a second tenant in another case',
      create(
        () => `${on.a}/planted`,
        () => ({ tenantid: on.b, TenantId: on.a }),
      ),
      /has 2 values where one is expected/,
    ],
    ['with a tag nobody knows', create(() => `${on.a}/planted`, own({ Owner: 'me' })), notGranted],
    [
      'for one of its users',
      create(
        () => `${on.a}/planted`,
        () => ({ TenantId: on.a, UserId: on.ana }),
      ),
      isolation('DenyCreatingForOtherUsers'),
    ],
    [
      'as a dedicated tenant',
      create(() => `${on.a}/planted`, own({ Tier: 'dedicated' })),
      isolation('DenyDedicatedToSharedRolesByRequestTag'),
    ],
  ])('a writer cannot create a secret %s', async (_, call, decidedBy) => {
    await expectDenied(test, on.sessions.writer, call, decidedBy);
  });

  const tag = (given: () => Readonly<Record<string, string>>): Call => {
    return ({ secretsmanager: c }) => c.send(new secrets.TagResourceCommand({ SecretId: on.secrets.ofA.arn, Tags: tags(given()) }));
  };
  const onOwn = (name: string): Call => operate(name, () => on.secrets.ofA.arn);
  it.each<[string, Call, string]>([
    ['give it to the neighbour', tag(() => ({ TenantId: on.b })), 'DenyCreatingForOthers'],
    ['tag it anew as its own', tag(() => ({ TenantId: on.a })), 'DenyRetagging'],
    ['add another tag', tag(() => ({ Team: 'other' })), 'DenyCreatingForOthers'],
    ['take the tag off', onOwn('UntagResource'), 'DenyMovingTheWalls'],
    ['open it by a resource policy', onOwn('PutResourcePolicy'), 'DenyMovingTheWalls'],
    ['drop its resource policy', onOwn('DeleteResourcePolicy'), 'DenyMovingTheWalls'],
    ['copy it to another Region', onOwn('ReplicateSecretToRegions'), 'DenyMovingTheWalls'],
  ])('no session can move the walls of its own secret: %s', async (_, call, sid) => {
    for (const who of ['reader', 'ana', 'writer'] as const) await expectDenied(test, on.sessions[who], call, isolation(sid));
  });

  it('a writer creates, stages and deletes in its own path, and reads nothing', async () => {
    const SecretId = `cordon/${on.a}/made`;
    const { writer } = on.sessions;
    await expectAllowed(
      test,
      writer,
      create(() => `${on.a}/made`, own()),
    );
    for (const name of ['PutSecretValue', 'ListSecretVersionIds'])
      await expectAllowed(
        test,
        writer,
        operate(name, () => SecretId),
      );
    await expectDenied(
      test,
      writer,
      get(() => SecretId),
      notGranted,
    );
    await expectAllowed(test, writer, ({ secretsmanager: c }) => c.send(new secrets.DeleteSecretCommand({ SecretId })));
  });
});

describe('I3 U1 user-owned secrets within a tenant', () => {
  it.each<[string, Who]>([
    ['the tenant’s session', 'reader'],
    ['another user', 'ben'],
  ])('are refused to %s', async (_, who) => {
    for (const name of ['GetSecretValue', 'DescribeSecret']) {
      await expectDenied(
        test,
        on.sessions[who],
        operate(name, () => on.secrets.ofAna.arn),
        isolation('DenySecretsOfOtherUsers'),
      );
    }
  });
});

it('none of all this has changed anything of the neighbour’s', async () => {
  expect(await stateOfB()).toEqual(before);
});
