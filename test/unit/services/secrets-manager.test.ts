import { beforeAll, describe, expect, it } from 'vitest';
import { callerOf, customer, platform, policy } from '../core/cloud.ts';
import { type DataCloud, isOwnTag, own, refusal, startDataCloud, text } from './data-cloud.ts';

const pathOf = (tenant: string): string => `arn:aws:secretsmanager:us-east-1:${platform}:secret:cordon/${tenant}/*`;
const tokenA = 'a'.repeat(32);
const useKey = { Sid: 'UseKey', Effect: 'Allow', Action: ['kms:GenerateDataKey', 'kms:Decrypt'], Resource: '*' };
const read = { Sid: 'ReadOwn', Effect: 'Allow', Action: 'secretsmanager:GetSecretValue', Resource: pathOf(own), Condition: isOwnTag };
const denyOthers = {
  Sid: 'DenyOtherTenants',
  Effect: 'Deny',
  Action: 'secretsmanager:*',
  Resource: '*',
  Condition: { StringNotEquals: { 'aws:ResourceTag/TenantId': own } },
};

let cloud: DataCloud;
let count = 0;
beforeAll(async () => {
  cloud = await startDataCloud();
});

async function makeSecret(tenant: string, value = 'sk-value', token = tokenA): Promise<{ name: string; arn: string }> {
  const name = `cordon/${tenant}/credential${++count}`;
  const Tags = [{ Key: 'TenantId', Value: tenant }];
  const answer = await cloud.secrets(cloud.root, 'CreateSecret', {
    Name: name,
    SecretString: value,
    KmsKeyId: cloud.keyArn,
    ClientRequestToken: token,
    Tags,
  });
  return { name, arn: text(answer, 'ARN') };
}

describe('I1 a tenant reads its own secrets and no neighbour’s', () => {
  it('lets a session read the secret under its path and tag', async () => {
    const { name, arn } = await makeSecret('acme', 'sk-acme');
    const acme = await cloud.tenant('acme', read, useKey, denyOthers);
    expect(await cloud.secrets(acme, 'GetSecretValue', { SecretId: name })).toMatchObject({
      ARN: arn,
      SecretString: 'sk-acme',
      VersionStages: ['AWSCURRENT'],
    });
  });

  it('refuses a session whose tenant name is a prefix of the owner’s', async () => {
    const { name } = await makeSecret('acme-2');
    const acme = await cloud.tenant('acme', read, useKey);
    expect(await refusal(cloud.secrets(acme, 'GetSecretValue', { SecretId: name }))).toMatchObject({ code: 'AccessDeniedException' });
  });

  it('tells an unauthorised caller nothing about whether a secret exists, and an authorised one that it does not', async () => {
    const acme = await cloud.tenant('acme', { ...read, Condition: undefined }, useKey);
    expect(await refusal(cloud.secrets(acme, 'GetSecretValue', { SecretId: 'cordon/globex/none' }))).toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await refusal(cloud.secrets(acme, 'GetSecretValue', { SecretId: 'cordon/acme/none' }))).toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('is let in past an Allow-only rule by a resource policy, and shut out by the Deny twin', async () => {
    const { name } = await makeSecret('globex', 'sk-globex');
    const allowOnly = await cloud.tenant('acme', read, useKey);
    const withTwin = await cloud.tenant('acme', read, useKey, denyOthers);
    const AWS = [allowOnly.principal.arn, withTwin.principal.arn];
    const letIn = policy({ Sid: 'LetIn', Effect: 'Allow', Principal: { AWS }, Action: 'secretsmanager:GetSecretValue', Resource: '*' });
    await cloud.secrets(cloud.root, 'PutResourcePolicy', { SecretId: name, ResourcePolicy: letIn });
    expect(await cloud.secrets(allowOnly, 'GetSecretValue', { SecretId: name })).toMatchObject({ SecretString: 'sk-globex' });
    const denied = await refusal(cloud.secrets(withTwin, 'GetSecretValue', { SecretId: name }));
    expect(denied.message).toContain('DenyOtherTenants');
    await cloud.secrets(cloud.root, 'DeleteResourcePolicy', { SecretId: name });
    expect(await refusal(cloud.secrets(allowOnly, 'GetSecretValue', { SecretId: name }))).toMatchObject({ code: 'AccessDeniedException' });
  });

  it('lets nobody re-tag a neighbour’s secret when the rule looks at the resource’s tag, and shows the theft when it does not', async () => {
    const { name } = await makeSecret('globex');
    const retag = {
      Sid: 'Retag',
      Effect: 'Allow',
      Action: 'secretsmanager:TagResource',
      Resource: '*',
      Condition: { StringEquals: { 'aws:RequestTag/TenantId': own } },
    };
    const input = { SecretId: name, Tags: [{ Key: 'TenantId', Value: 'acme' }] };
    expect(await refusal(cloud.secrets(await cloud.tenant('acme', retag, denyOthers), 'TagResource', input))).toMatchObject({
      code: 'AccessDeniedException',
    });
    await cloud.secrets(await cloud.tenant('acme', retag), 'TagResource', input);
    expect(await cloud.secrets(cloud.root, 'DescribeSecret', { SecretId: name })).toMatchObject({
      Tags: [{ Key: 'TenantId', Value: 'acme' }],
    });
  });

  it('decides creation on the ARN about to be made and the tags asked for, TagResource included', async () => {
    const create = {
      Sid: 'Create',
      Effect: 'Allow',
      Action: 'secretsmanager:CreateSecret',
      Resource: pathOf(own),
      Condition: { StringEquals: { 'aws:RequestTag/TenantId': own } },
    };
    const tag = {
      ...create,
      Sid: 'TagNew',
      Action: 'secretsmanager:TagResource',
      Condition: { Null: { 'aws:ResourceTag/TenantId': 'true' } },
    };
    const input = (tenant: string, tagged: string): object => ({
      Name: `cordon/${tenant}/new${++count}`,
      SecretString: 'x',
      KmsKeyId: cloud.keyArn,
      Tags: [{ Key: 'TenantId', Value: tagged }],
    });
    const acme = await cloud.tenant('acme', create, tag, useKey);
    await cloud.secrets(acme, 'CreateSecret', input('acme', 'acme'));
    for (const wrong of [input('globex', 'acme'), input('acme', 'globex'), input('acme-2', 'acme')]) {
      expect(await refusal(cloud.secrets(acme, 'CreateSecret', wrong))).toMatchObject({ code: 'AccessDeniedException' });
    }
    const untagging = await cloud.tenant('acme', create, useKey);
    expect((await refusal(cloud.secrets(untagging, 'CreateSecret', input('acme', 'acme')))).message).toContain(
      'secretsmanager:TagResource',
    );
  });

  it('cannot bind listing and batch reading to a resource, but asks for each secret of a batch', async () => {
    const mine = await makeSecret('acme', 'sk-mine');
    const theirs = await makeSecret('globex', 'sk-theirs');
    const acme = await cloud.tenant('acme', read, useKey, { Effect: 'Allow', Action: 'secretsmanager:BatchGetSecretValue', Resource: '*' });
    const answer = await cloud.secrets(acme, 'BatchGetSecretValue', { SecretIdList: [mine.name, theirs.arn] });
    expect(answer).toMatchObject({
      SecretValues: [{ SecretString: 'sk-mine' }],
      Errors: [{ SecretId: theirs.arn, ErrorCode: 'AccessDeniedException' }],
    });
    expect(JSON.stringify(answer)).not.toContain('sk-theirs');
    const scoped = await cloud.tenant('acme', { ...read, Action: 'secretsmanager:*' }, useKey);
    expect(await refusal(cloud.secrets(scoped, 'BatchGetSecretValue', { SecretIdList: [mine.name] }))).toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await refusal(cloud.secrets(scoped, 'ListSecrets', {}))).toMatchObject({ code: 'AccessDeniedException' });
  });

  it('finds a secret by name, full ARN and ARN without its suffix, and by no other suffix', async () => {
    const { name, arn } = await makeSecret('acme');
    for (const SecretId of [name, arn, arn.slice(0, -7)]) {
      expect(await cloud.secrets(cloud.root, 'DescribeSecret', { SecretId })).toMatchObject({ ARN: arn });
    }
    const SecretId = `${arn.slice(0, -6)}XXXXXX`;
    expect(await refusal(cloud.secrets(cloud.root, 'DescribeSecret', { SecretId }))).toMatchObject({ code: 'ResourceNotFoundException' });
    expect(arn).toMatch(new RegExp(`:secret:${name}-[A-Za-z0-9]{6}$`));
  });

  it('refuses replication to who may not, and says NotImplemented to who may', async () => {
    const { name } = await makeSecret('globex');
    const input = { SecretId: name, AddReplicaRegions: [{ Region: 'eu-central-1' }] };
    expect(await refusal(cloud.secrets(await cloud.tenant('acme', read), 'ReplicateSecretToRegions', input))).toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await refusal(cloud.secrets(cloud.root, 'ReplicateSecretToRegions', input))).toMatchObject({ code: 'NotImplemented' });
  });
});

describe('the key is a second wall', () => {
  it('refuses a reader whom the secret’s rules let in but the key’s do not', async () => {
    const { name } = await makeSecret('acme');
    const pinned = {
      ...useKey,
      Condition: {
        StringLike: { 'kms:EncryptionContext:SecretARN': pathOf(own) },
        StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' },
      },
    };
    const anySecret = { ...read, Resource: '*', Condition: undefined };
    const globex = await cloud.tenant('globex', anySecret, pinned);
    expect((await refusal(cloud.secrets(globex, 'GetSecretValue', { SecretId: name }))).message).toContain('kms:Decrypt');
    const acme = await cloud.tenant('acme', anySecret, pinned);
    expect(await cloud.secrets(acme, 'GetSecretValue', { SecretId: name })).toMatchObject({ SecretString: 'sk-value' });
    const EncryptionContext = { SecretARN: pathOf('acme') };
    expect(await refusal(cloud.kms(acme, 'GenerateDataKey', { KeyId: cloud.keyArn, KeySpec: 'AES_256', EncryptionContext }))).toMatchObject(
      { code: 'AccessDeniedException' },
    );
  });

  it('demands both GenerateDataKey and Decrypt of whoever creates a secret', async () => {
    const create = { Effect: 'Allow', Action: ['secretsmanager:CreateSecret', 'kms:GenerateDataKey'], Resource: '*' };
    const writer = await cloud.tenant('acme', create);
    const input = { Name: `cordon/acme/key${++count}`, SecretString: 'x', KmsKeyId: cloud.keyArn };
    expect((await refusal(cloud.secrets(writer, 'CreateSecret', input))).message).toContain('kms:Decrypt');
    expect(await refusal(cloud.secrets(cloud.root, 'DescribeSecret', { SecretId: input.Name }))).toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('opens a secret to another account only when secret and key both let it in, and only by full ARN', async () => {
    const admin = callerOf(cloud.kernel, cloud.kernel.addAccount(customer).accessKeyId);
    const both = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${customer}:root` }, Resource: '*' };
    const owner = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${platform}:root` }, Action: 'kms:*', Resource: '*' };
    const { KeyMetadata } = await cloud.kms(cloud.root, 'CreateKey', {});
    const KeyId = text(KeyMetadata, 'Arn');
    const Name = `shared${++count}`;
    const SecretId = text(
      await cloud.secrets(cloud.root, 'CreateSecret', { Name, SecretString: 'shared', KmsKeyId: text(KeyMetadata, 'KeyId') }),
      'ARN',
    );
    expect(await refusal(cloud.secrets(admin, 'GetSecretValue', { SecretId }))).toMatchObject({ code: 'AccessDeniedException' });
    const ResourcePolicy = policy({ ...both, Action: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'] });
    await cloud.secrets(cloud.root, 'PutResourcePolicy', { SecretId, ResourcePolicy });
    expect((await refusal(cloud.secrets(admin, 'GetSecretValue', { SecretId }))).message).toContain('kms:Decrypt');
    await cloud.kms(cloud.root, 'PutKeyPolicy', {
      KeyId,
      Policy: policy(owner, { ...both, Action: ['kms:Decrypt', 'kms:GenerateDataKey'] }),
    });
    expect(await cloud.secrets(admin, 'GetSecretValue', { SecretId })).toMatchObject({ SecretString: 'shared' });
    await cloud.secrets(admin, 'PutSecretValue', { SecretId, SecretString: 'theirs' });
    expect(await refusal(cloud.secrets(admin, 'GetSecretValue', { SecretId: Name }))).toMatchObject({ code: 'ResourceNotFoundException' });
  });

  it('makes no secret under the account’s shared default key', async () => {
    const error = await refusal(cloud.secrets(cloud.root, 'CreateSecret', { Name: `plain${++count}`, SecretString: 'x' }));
    expect(error).toMatchObject({ code: 'NotImplemented', message: expect.stringContaining('aws/secretsmanager') });
  });

  it('reads nothing while the key is disabled', async () => {
    const { KeyMetadata } = await cloud.kms(cloud.root, 'CreateKey', {});
    const Name = `cordon/acme/disabled${++count}`;
    await cloud.secrets(cloud.root, 'CreateSecret', { Name, SecretString: 'x', KmsKeyId: text(KeyMetadata, 'KeyId') });
    await cloud.kms(cloud.root, 'DisableKey', { KeyId: text(KeyMetadata, 'KeyId') });
    expect(await refusal(cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: Name }))).toMatchObject({ code: 'DisabledException' });
  });
});

describe('deletion', () => {
  it('makes a secret unreadable at once, brings it back on request, and removes it when the window ends', async () => {
    const { name } = await makeSecret('acme');
    await cloud.secrets(cloud.root, 'DeleteSecret', { SecretId: name, RecoveryWindowInDays: 7 });
    expect(await refusal(cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name }))).toMatchObject({
      code: 'InvalidRequestException',
    });
    await cloud.secrets(cloud.root, 'RestoreSecret', { SecretId: name });
    expect(await cloud.secrets(cloud.root, 'GetSecretValue', { SecretId: name })).toMatchObject({ SecretString: 'sk-value' });
    await cloud.secrets(cloud.root, 'DeleteSecret', { SecretId: name, RecoveryWindowInDays: 7 });
    cloud.clock.advance(7 * 86_400_000);
    expect(await refusal(cloud.secrets(cloud.root, 'DescribeSecret', { SecretId: name }))).toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });

  it('forces without recovery, also when nothing is there', async () => {
    const { name } = await makeSecret('acme');
    const forced = { SecretId: name, ForceDeleteWithoutRecovery: true };
    await cloud.secrets(cloud.root, 'DeleteSecret', forced);
    await cloud.secrets(cloud.root, 'DeleteSecret', forced);
    expect(await refusal(cloud.secrets(cloud.root, 'DeleteSecret', { SecretId: name }))).toMatchObject({
      code: 'ResourceNotFoundException',
    });
  });
});

it('answers NotImplemented to a parameter it does not know instead of ignoring it', async () => {
  const { name } = await makeSecret('acme');
  const error = await refusal(
    cloud.secrets(cloud.root, 'PutResourcePolicy', { SecretId: name, ResourcePolicy: policy(), BlockPublicPolicy: true }),
  );
  expect(error).toMatchObject({ code: 'NotImplemented', message: expect.stringContaining('BlockPublicPolicy') });
});
