import { beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../../local/core/service.ts';
import { allow, callerOf, customer, makeUser, platform, policy } from '../core/cloud.ts';
import { type DataCloud, own, refusal, startDataCloud, text } from './data-cloud.ts';

const Plaintext = Buffer.from('a secret').toString('base64');
const rootStatement = { Sid: 'Root', Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${platform}:root` }, Action: 'kms:*', Resource: '*' };

let cloud: DataCloud;
let count = 0;
beforeAll(async () => {
  cloud = await startDataCloud();
});

async function makeKey(keyPolicy?: string, tenant?: string): Promise<string> {
  const Tags = tenant === undefined ? {} : { Tags: [{ TagKey: 'TenantId', TagValue: tenant }] };
  const { KeyMetadata } = await cloud.kms(cloud.root, 'CreateKey', { ...(keyPolicy === undefined ? {} : { Policy: keyPolicy }), ...Tags });
  return text(KeyMetadata, 'Arn');
}

describe('encryption context', () => {
  it('opens a ciphertext under the same context in any order, and under no other', async () => {
    const sealed = await cloud.kms(cloud.root, 'Encrypt', {
      KeyId: cloud.keyArn,
      Plaintext,
      EncryptionContext: { TenantId: 'acme', UserId: 'u1' },
    });
    const CiphertextBlob = text(sealed, 'CiphertextBlob');
    expect(await cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob, EncryptionContext: { UserId: 'u1', TenantId: 'acme' } })).toMatchObject(
      { Plaintext },
    );
    for (const EncryptionContext of [
      undefined,
      { TenantId: 'acme' },
      { TenantId: 'globex', UserId: 'u1' },
      { tenantid: 'acme', UserId: 'u1' },
      { TenantId: 'acme', UserId: 'u1', More: '' },
    ]) {
      expect(await refusal(cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob, EncryptionContext }))).toMatchObject({
        code: 'InvalidCiphertextException',
      });
    }
  });

  it('refuses a damaged ciphertext', async () => {
    const { CiphertextBlob } = await cloud.kms(cloud.root, 'Encrypt', { KeyId: cloud.keyArn, Plaintext });
    const bytes = Buffer.from(String(CiphertextBlob), 'base64');
    bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
    for (const damaged of [bytes, Buffer.from('nonsense'), bytes.subarray(0, 20)]) {
      expect(await refusal(cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob: damaged.toString('base64') }))).toMatchObject({
        code: 'InvalidCiphertextException',
      });
    }
  });

  it('binds a tenant to its own context when the set of names is pinned, also against names in another case', async () => {
    const acme = await cloud.tenant('acme', {
      ...allow(['kms:GenerateDataKey', 'kms:Decrypt']),
      Condition: {
        StringEquals: { 'kms:EncryptionContext:TenantId': own },
        'ForAllValues:StringEquals': { 'kms:EncryptionContextKeys': ['TenantId'] },
      },
    });
    const ask = (EncryptionContext?: object): Promise<unknown> =>
      cloud.kms(acme, 'GenerateDataKey', { KeyId: cloud.keyArn, KeySpec: 'AES_256', EncryptionContext });
    await ask({ TenantId: 'acme' });
    for (const context of [
      undefined,
      { TenantId: 'globex' },
      { tenantid: 'acme' },
      { TenantId: 'acme', tenantid: 'globex' },
      { TenantId: 'acme', Other: 'x' },
      { TenantId: 'acme-2' },
    ]) {
      expect(await refusal(ask(context))).toMatchObject({ code: 'AccessDeniedException' });
    }
  });

  it('generates data keys that decrypt to themselves', async () => {
    const pair = await cloud.kms(cloud.root, 'GenerateDataKey', { KeyId: cloud.keyArn, KeySpec: 'AES_256' });
    expect(Buffer.from(text(pair, 'Plaintext'), 'base64')).toHaveLength(32);
    expect(await cloud.kms(cloud.root, 'Decrypt', { CiphertextBlob: text(pair, 'CiphertextBlob') })).toMatchObject({
      Plaintext: text(pair, 'Plaintext'),
    });
    const sealed = await cloud.kms(cloud.root, 'GenerateDataKeyWithoutPlaintext', { KeyId: cloud.keyArn });
    expect(sealed).not.toHaveProperty('Plaintext');
  });

  it('opens nothing when the key named is not the key that sealed it', async () => {
    const { CiphertextBlob } = await cloud.kms(cloud.root, 'Encrypt', { KeyId: cloud.keyArn, Plaintext });
    expect(await refusal(cloud.kms(cloud.root, 'Decrypt', { KeyId: await makeKey(), CiphertextBlob }))).toMatchObject({
      code: 'IncorrectKeyException',
    });
  });
});

describe('I4 the key policy comes first', () => {
  it('refuses a caller with every IAM permission when the key policy hands nothing to the account', async () => {
    const owner = await makeUser(cloud.kernel, `owner${++count}`, policy(allow('kms:*')));
    const onlyOwner = policy({
      Sid: 'OnlyOwner',
      Effect: 'Allow',
      Principal: { AWS: owner.principal.arn },
      Action: 'kms:*',
      Resource: '*',
    });
    const { KeyMetadata } = await cloud.kms(owner, 'CreateKey', { Policy: onlyOwner });
    const KeyId = text(KeyMetadata, 'Arn');
    const other = await cloud.tenant('acme', allow('*'));
    expect(await refusal(cloud.kms(other, 'Encrypt', { KeyId, Plaintext }))).toMatchObject({ code: 'AccessDeniedException' });
    await cloud.kms(owner, 'Encrypt', { KeyId, Plaintext });
  });

  it('needs IAM as well when the key policy names only the account', async () => {
    expect(
      await refusal(cloud.kms(await cloud.tenant('acme', allow('kms:DescribeKey')), 'Encrypt', { KeyId: cloud.keyArn, Plaintext })),
    ).toMatchObject({
      code: 'AccessDeniedException',
    });
  });

  it('lets a tenant change no key policy, and tells who may that no author may lock itself out', async () => {
    const KeyId = await makeKey();
    const acme = await cloud.tenant('acme', allow(['kms:Decrypt', 'kms:GenerateDataKey']));
    const Policy = policy(rootStatement, { Effect: 'Allow', Principal: { AWS: acme.principal.arn }, Action: 'kms:*', Resource: '*' });
    expect(await refusal(cloud.kms(acme, 'PutKeyPolicy', { KeyId, Policy }))).toMatchObject({ code: 'AccessDeniedException' });
    const lockout = policy({ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${customer}:root` }, Action: 'kms:*', Resource: '*' });
    expect(await refusal(cloud.kms(cloud.root, 'PutKeyPolicy', { KeyId, Policy: lockout }))).toMatchObject({
      code: 'MalformedPolicyDocumentException',
    });
    await cloud.kms(cloud.root, 'PutKeyPolicy', { KeyId, Policy: lockout, BypassPolicyLockoutSafetyCheck: true });
    expect(await refusal(cloud.kms(cloud.root, 'DescribeKey', { KeyId }))).toMatchObject({ code: 'AccessDeniedException' });
  });

  it('refuses a key policy the evaluator does not understand', async () => {
    const odd = policy({ ...rootStatement, Condition: { StringSmells: { 'aws:PrincipalArn': 'x' } } });
    expect(await refusal(cloud.kms(cloud.root, 'CreateKey', { Policy: odd }))).toMatchObject({ code: 'MalformedPolicyDocumentException' });
    expect(await refusal(cloud.kms(cloud.root, 'CreateKey', { Policy: 'no json' }))).toMatchObject({
      code: 'MalformedPolicyDocumentException',
    });
  });

  it('lets another account in only when both sides allow', async () => {
    const foreignRoot: Caller = callerOf(cloud.kernel, cloud.kernel.addAccount(customer).accessKeyId);
    const shared = await makeKey(
      policy(rootStatement, {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${customer}:root` },
        Action: ['kms:Encrypt', 'kms:PutKeyPolicy'],
        Resource: '*',
      }),
    );
    const limited = await makeUser(cloud.kernel, `limited${++count}`, policy(allow('kms:DescribeKey')), customer);
    await cloud.kms(foreignRoot, 'Encrypt', { KeyId: shared, Plaintext });
    expect(await refusal(cloud.kms(limited, 'Encrypt', { KeyId: shared, Plaintext }))).toMatchObject({ code: 'AccessDeniedException' });
    expect(await refusal(cloud.kms(foreignRoot, 'Encrypt', { KeyId: cloud.keyArn, Plaintext }))).toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await refusal(cloud.kms(foreignRoot, 'PutKeyPolicy', { KeyId: shared, Policy: policy(rootStatement) }))).toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await refusal(cloud.kms(foreignRoot, 'Encrypt', { KeyId: shared.split('/')[1] ?? '', Plaintext }))).toMatchObject({
      code: 'NotFoundException',
    });
  });

  it('creates a key only with the tags its creator may set, and asks for TagResource too', async () => {
    const tagged = { StringEquals: { 'aws:RequestTag/TenantId': own } };
    const provisioner = await cloud.tenant('acme', allow(['kms:CreateKey', 'kms:TagResource'], '*', { Condition: tagged }));
    const tags = (TagValue: string): object => ({ Tags: [{ TagKey: 'TenantId', TagValue }] });
    await cloud.kms(provisioner, 'CreateKey', tags('acme'));
    expect(await refusal(cloud.kms(provisioner, 'CreateKey', tags('globex')))).toMatchObject({ code: 'AccessDeniedException' });
    expect(await refusal(cloud.kms(provisioner, 'CreateKey', {}))).toMatchObject({ code: 'AccessDeniedException' });
    const untagging = await cloud.tenant('acme', allow('kms:CreateKey', '*', { Condition: tagged }));
    expect((await refusal(cloud.kms(untagging, 'CreateKey', tags('acme')))).message).toContain('kms:TagResource');
  });
});

describe('aliases', () => {
  it('need permission on the alias and on the key', async () => {
    const mine = await makeKey(undefined, 'acme');
    const theirs = await makeKey(undefined, 'globex');
    const provisioner = await cloud.tenant(
      'acme',
      allow('kms:CreateAlias', `arn:aws:kms:us-east-1:${platform}:alias/cordon/${own}`),
      allow(['kms:CreateAlias', 'kms:DescribeKey'], `arn:aws:kms:us-east-1:${platform}:key/*`, {
        Condition: { StringEquals: { 'aws:ResourceTag/TenantId': own } },
      }),
    );
    expect(await refusal(cloud.kms(provisioner, 'CreateAlias', { AliasName: 'alias/cordon/globex', TargetKeyId: mine }))).toMatchObject({
      code: 'AccessDeniedException',
    });
    expect(await refusal(cloud.kms(provisioner, 'CreateAlias', { AliasName: 'alias/cordon/acme', TargetKeyId: theirs }))).toMatchObject({
      code: 'AccessDeniedException',
    });
    await cloud.kms(provisioner, 'CreateAlias', { AliasName: 'alias/cordon/acme', TargetKeyId: mine });
    expect(await cloud.kms(provisioner, 'DescribeKey', { KeyId: 'alias/cordon/acme' })).toMatchObject({ KeyMetadata: { Arn: mine } });
    expect(await refusal(cloud.kms(cloud.root, 'CreateAlias', { AliasName: 'alias/cordon/acme', TargetKeyId: mine }))).toMatchObject({
      code: 'AlreadyExistsException',
    });
  });

  it('can be moved, listed and deleted, and name their key in conditions', async () => {
    const [first, second] = [await makeKey(), await makeKey()];
    const AliasName = `alias/test/${++count}`;
    await cloud.kms(cloud.root, 'CreateAlias', { AliasName, TargetKeyId: first });
    const byAlias = await cloud.tenant(
      'acme',
      allow('kms:Encrypt', '*', { Condition: { StringEquals: { 'kms:RequestAlias': AliasName } } }),
    );
    await cloud.kms(byAlias, 'Encrypt', { KeyId: AliasName, Plaintext });
    expect(await refusal(cloud.kms(byAlias, 'Encrypt', { KeyId: first, Plaintext }))).toMatchObject({ code: 'AccessDeniedException' });
    await cloud.kms(cloud.root, 'UpdateAlias', { AliasName, TargetKeyId: second });
    expect(await cloud.kms(cloud.root, 'ListAliases', { KeyId: second })).toMatchObject({ Aliases: [{ AliasName }] });
    await cloud.kms(cloud.root, 'DeleteAlias', { AliasName });
    expect(await refusal(cloud.kms(cloud.root, 'DescribeKey', { KeyId: AliasName }))).toMatchObject({ code: 'NotFoundException' });
  });
});

describe('a key’s life', () => {
  it('encrypts only while enabled, and is gone with its alias when the deletion window ends', async () => {
    const KeyId = await makeKey();
    const AliasName = `alias/test/${++count}`;
    await cloud.kms(cloud.root, 'CreateAlias', { AliasName, TargetKeyId: KeyId });
    await cloud.kms(cloud.root, 'DisableKey', { KeyId });
    expect(await refusal(cloud.kms(cloud.root, 'Encrypt', { KeyId, Plaintext }))).toMatchObject({ code: 'DisabledException' });
    await cloud.kms(cloud.root, 'EnableKey', { KeyId });
    await cloud.kms(cloud.root, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    expect(await refusal(cloud.kms(cloud.root, 'Encrypt', { KeyId, Plaintext }))).toMatchObject({ code: 'KMSInvalidStateException' });
    await cloud.kms(cloud.root, 'CancelKeyDeletion', { KeyId });
    await cloud.kms(cloud.root, 'EnableKey', { KeyId });
    await cloud.kms(cloud.root, 'Encrypt', { KeyId, Plaintext });
    await cloud.kms(cloud.root, 'ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 });
    cloud.clock.advance(7 * 86_400_000);
    expect(await refusal(cloud.kms(cloud.root, 'DescribeKey', { KeyId }))).toMatchObject({ code: 'NotFoundException' });
    expect(await refusal(cloud.kms(cloud.root, 'DescribeKey', { KeyId: AliasName }))).toMatchObject({ code: 'NotFoundException' });
  });

  it('stays in its Region: the same ID elsewhere names nothing', async () => {
    const KeyId = (await makeKey()).replace('us-east-1', 'eu-central-1');
    expect(await refusal(cloud.kms(cloud.root, 'DescribeKey', { KeyId }))).toMatchObject({ code: 'NotFoundException' });
  });

  it('keeps tags, rotation and policy as they were set', async () => {
    const KeyId = await makeKey(undefined, 'acme');
    await cloud.kms(cloud.root, 'TagResource', { KeyId, Tags: [{ TagKey: 'Tier', TagValue: 'dedicated' }] });
    await cloud.kms(cloud.root, 'UntagResource', { KeyId, TagKeys: ['TenantId'] });
    expect(await cloud.kms(cloud.root, 'ListResourceTags', { KeyId })).toMatchObject({ Tags: [{ TagKey: 'Tier', TagValue: 'dedicated' }] });
    await cloud.kms(cloud.root, 'EnableKeyRotation', { KeyId });
    expect(await cloud.kms(cloud.root, 'GetKeyRotationStatus', { KeyId })).toMatchObject({ KeyRotationEnabled: true });
    const Policy = policy(rootStatement);
    await cloud.kms(cloud.root, 'PutKeyPolicy', { KeyId, Policy });
    expect(await cloud.kms(cloud.root, 'GetKeyPolicy', { KeyId })).toEqual({ Policy, PolicyName: 'default' });
  });

  it('refuses a grant to who may not make one', async () => {
    const input = { KeyId: cloud.keyArn, GranteePrincipal: 'x', Operations: ['Decrypt'] };
    expect(await refusal(cloud.kms(await cloud.tenant('acme', allow('kms:Decrypt')), 'CreateGrant', input))).toMatchObject({
      code: 'AccessDeniedException',
    });
  });

  it('lets one principal in by a grant, for its operations and encryption context, until the grant is revoked; a Deny stays above it', async () => {
    const nobody = await cloud.tenant('acme', allow('sts:GetCallerIdentity'));
    const KeyId = await makeKey(undefined, 'acme');
    const GranteePrincipal = nobody.principal.roleArn ?? '';
    const EncryptionContext = { purpose: 'test' };
    const generate = (context: object): Promise<unknown> =>
      cloud.kms(nobody, 'GenerateDataKey', { KeyId, KeySpec: 'AES_256', EncryptionContext: context });
    expect(await refusal(generate(EncryptionContext))).toMatchObject({ code: 'AccessDeniedException' });
    const { GrantId } = await cloud.kms(cloud.root, 'CreateGrant', {
      ...{ KeyId, GranteePrincipal, Operations: ['GenerateDataKey'] },
      Constraints: { EncryptionContextEquals: EncryptionContext },
    });
    expect(await cloud.kms(cloud.root, 'ListGrants', { KeyId })).toMatchObject({
      Grants: [{ GrantId, GranteePrincipal }],
      Truncated: false,
    });
    await expect(generate(EncryptionContext)).resolves.toMatchObject({ KeyId: expect.any(String) });
    for (const other of [{}, { purpose: 'other' }, { ...EncryptionContext, more: 'x' }])
      expect(await refusal(generate(other))).toMatchObject({ code: 'AccessDeniedException' });
    const never = { Sid: 'Never', Effect: 'Deny', Principal: '*', Action: 'kms:GenerateDataKey', Resource: '*' };
    await cloud.kms(cloud.root, 'PutKeyPolicy', { KeyId, Policy: policy(rootStatement, never) });
    expect((await refusal(generate(EncryptionContext))).message).toContain('Never');
    await cloud.kms(cloud.root, 'PutKeyPolicy', { KeyId, Policy: policy(rootStatement) });
    await cloud.kms(cloud.root, 'RevokeGrant', { KeyId, GrantId });
    expect(await refusal(generate(EncryptionContext))).toMatchObject({ code: 'AccessDeniedException' });
    expect(await refusal(cloud.kms(cloud.root, 'RevokeGrant', { KeyId, GrantId }))).toMatchObject({ code: 'NotFoundException' });
  });
});
