import { CreateAccessKeyCommand, CreateUserCommand } from '@aws-sdk/client-iam';
import { CreateKeyCommand } from '@aws-sdk/client-kms';
import { CreateSecretCommand, DeleteSecretCommand, PutResourcePolicyCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { expectAllowed, expectDenied, isolation, notGranted } from '../support/decisions.ts';
import { type Neighbours, onboardNeighbours } from '../support/neighbours.ts';
import { operate, resourcePolicyFor } from '../support/secret-operations.ts';

let test: TestCloud;
let on: Neighbours;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
});

describe('I3 resource policies that an administrator plants', () => {
  const plant = (SecretId: string, principal: unknown) =>
    test
      .clients(on.administrator)
      .secretsmanager.send(new PutResourcePolicyCommand({ SecretId, ResourcePolicy: resourcePolicyFor(principal) }));
  const sessionArn = (role: string): string => `arn:aws:sts::${test.cloud.accountId}:assumed-role/${role}/${on.a}`;

  it.each<[string, () => unknown]>([
    ['everyone', () => '*'],
    ['its sessions by their ARNs', () => ({ AWS: [sessionArn('TenantReader'), sessionArn('TenantWriter')] })],
    ['its roles', () => ({ AWS: [test.cloud.outputs['TenantReaderRoleArn'], test.cloud.outputs['TenantWriterRoleArn']] })],
    ['the account', () => ({ AWS: `arn:aws:iam::${test.cloud.accountId}:root` })],
  ])('let no session in on the neighbour’s secret when they name %s', async (_, principal) => {
    const { ofB } = on.secrets;
    await plant(ofB.arn, principal());
    try {
      for (const who of ['reader', 'writer'] as const) {
        for (const name of ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'TagResource', 'DeleteSecret']) {
          await expectDenied(
            test,
            on.sessions[who],
            operate(name, () => ofB.arn),
            isolation('DenySecretsOfOtherPaths'),
          );
        }
      }
    } finally {
      await expectAllowed(
        test,
        on.administrator,
        operate('DeleteResourcePolicy', () => ofB.arn),
      );
    }
  });

  it('do let in somebody without such a Deny', async () => {
    const { iam } = test.clients(on.administrator);
    const UserName = `bystander-of-${on.a}`;
    await iam.send(new CreateUserCommand({ UserName }));
    const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
    const bystander = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' };
    const describeIt = operate('DescribeSecret', () => on.secrets.ofB.arn);
    await expectDenied(test, bystander, describeIt, notGranted);
    await plant(on.secrets.ofB.arn, '*');
    await expectAllowed(test, bystander, describeIt);
    await expectAllowed(
      test,
      on.administrator,
      operate('DeleteResourcePolicy', () => on.secrets.ofB.arn),
    );
  });
});

const tags = (given: Readonly<Record<string, string>>) => Object.entries(given).map(([Key, Value]) => ({ Key, Value }));

describe('I3 each wall by itself, with a resource policy that lets everyone in', () => {
  /** Made by an administrator under a key of its own, so that nothing but path and tags can refuse. */
  async function planted(path: string, given: Readonly<Record<string, string>>): Promise<string> {
    const { secretsmanager, kms } = test.clients(on.administrator);
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    const { ARN = '' } = await secretsmanager.send(
      new CreateSecretCommand({ Name: `cordon/${path}`, SecretString: 'stray', KmsKeyId: KeyMetadata?.Arn, Tags: tags(given) }),
    );
    await secretsmanager.send(new PutResourcePolicyCommand({ SecretId: ARN, ResourcePolicy: resourcePolicyFor('*') }));
    return ARN;
  }
  const unplant = (SecretId: string) =>
    test.clients(on.administrator).secretsmanager.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));

  it.each<[string, () => readonly [string, Readonly<Record<string, string>>], string]>([
    ['the neighbour’s tag in its own path', () => [`${on.a}/stray-1`, { TenantId: on.b }], 'DenySecretsOfOtherTags'],
    ['no tag in its own path', () => [`${on.a}/stray-2`, {}], 'DenySecretsOfOtherTags'],
    ['an empty tag in its own path', () => [`${on.a}/stray-3`, { TenantId: '' }], 'DenySecretsOfOtherTags'],
    ['its own tag in the neighbour’s path', () => [`${on.b}/stray-4`, { TenantId: on.a }], 'DenySecretsOfOtherPaths'],
    ['its own tag outside every tenant’s path', () => ['stray-5', { TenantId: on.a }], 'DenySecretsOfOtherPaths'],
    ['another user’s tag', () => [`${on.a}/stray-6`, { TenantId: on.a, UserId: on.ana }], 'DenySecretsOfOtherUsers'],
    ['the dedicated tier', () => [`${on.a}/stray-7`, { TenantId: on.a, Tier: 'dedicated' }], 'DenyDedicatedToSharedRolesByResourceTag'],
  ])('refuses a secret with %s', async (_, what, sid) => {
    const arn = await planted(...what());
    for (const name of ['GetSecretValue', 'DescribeSecret', 'PutSecretValue', 'DeleteSecret']) {
      await expectDenied(
        test,
        on.sessions.reader,
        operate(name, () => arn),
        isolation(sid),
      );
    }
    await unplant(arn);
  });

  it('lets in where path and tag are the tenant’s own', async () => {
    const arn = await planted(`${on.a}/stray-8`, { TenantId: on.a });
    await expectAllowed(
      test,
      on.sessions.reader,
      operate('GetSecretValue', () => arn),
    );
    await unplant(arn);
  });
});
