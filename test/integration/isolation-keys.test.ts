import * as kms from '@aws-sdk/client-kms';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { beforeAll, describe, it } from 'vitest';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { type Call, expectAllowed, expectDenied, isolation } from '../support/decisions.ts';
import { type Neighbours, onboardNeighbours } from '../support/neighbours.ts';

type EncryptionContext = Readonly<Record<string, string>>;

let test: TestCloud;
let on: Neighbours;
let poolKey: string;
let deployedPolicy: string;
/** Under the pool's key, sealed for each tenant by its name, and for the neighbour's secret as Secrets Manager seals it. */
let sealed: Record<'forA' | 'forB' | 'secretOfB' | 'withoutContext' | 'secretOfA', Uint8Array>;

const openToAll = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Sid: 'Planted', Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
});
const putPolicy = (Policy: string) => test.clients(on.administrator).kms.send(new kms.PutKeyPolicyCommand({ KeyId: poolKey, Policy }));

/** As long as `work` takes, the key's policy lets everyone do everything, which is what a careless administrator could do. */
async function withOpenKey<Result>(work: () => Promise<Result>): Promise<Result> {
  await putPolicy(openToAll);
  try {
    return await work();
  } finally {
    await putPolicy(deployedPolicy);
  }
}

beforeAll(async () => {
  test = await testCloud();
  on = await onboardNeighbours(test);
  poolKey = test.cloud.outputs['TenantKeyArn'] ?? '';
  const administrator = test.clients(on.administrator).kms;
  deployedPolicy = (await administrator.send(new kms.GetKeyPolicyCommand({ KeyId: poolKey }))).Policy ?? '';
  const seal = async (EncryptionContext: EncryptionContext): Promise<Uint8Array> => {
    const Plaintext = Buffer.from(`sealed with ${JSON.stringify(EncryptionContext)}`);
    const { CiphertextBlob } = await administrator.send(new kms.EncryptCommand({ KeyId: poolKey, Plaintext, EncryptionContext }));
    return CiphertextBlob ?? new Uint8Array();
  };
  sealed = await withOpenKey(async () => ({
    forA: await seal({ TenantId: on.a }),
    forB: await seal({ TenantId: on.b }),
    secretOfA: await seal(contextOf(on.secrets.ofA)),
    secretOfB: await seal(contextOf(on.secrets.ofB)),
    withoutContext: await seal({}),
  }));
});

const contextOf = ({ arn, versionId }: { arn: string; versionId: string }): EncryptionContext => ({
  SecretARN: arn,
  SecretVersionId: versionId,
});
const decrypt = (blob: () => Uint8Array, context: () => EncryptionContext): Call => {
  return ({ kms: c }) => c.send(new kms.DecryptCommand({ CiphertextBlob: blob(), EncryptionContext: context() }));
};
const dataKey = (context: () => EncryptionContext): Call => {
  return ({ kms: c }) => c.send(new kms.GenerateDataKeyCommand({ KeyId: poolKey, KeySpec: 'AES_256', EncryptionContext: context() }));
};
const encrypt = (context: () => EncryptionContext): Call => {
  return ({ kms: c }) => c.send(new kms.EncryptCommand({ KeyId: poolKey, Plaintext: Buffer.from('x'), EncryptionContext: context() }));
};

const uses: [title: string, call: Call, decidedBy: string | RegExp][] = [
  [
    'opens what is sealed for the neighbour',
    decrypt(
      () => sealed.forB,
      () => ({ TenantId: on.b }),
    ),
    isolation('DenyKeyUseForOtherTenants'),
  ],
  // A name twice, in two cases, is no context that IAM could compare: it is refused before any statement is asked.
  [
    'opens it under two names',
    decrypt(
      () => sealed.forB,
      () => ({ TenantId: on.a, tenantId: on.b }),
    ),
    /has 2 values where one is expected/,
  ],
  [
    'opens what is sealed without a name',
    decrypt(
      () => sealed.withoutContext,
      () => ({}),
    ),
    isolation('DenyKeyUseForOtherTenants'),
  ],
  [
    'opens the neighbour’s secret past Secrets Manager',
    decrypt(
      () => sealed.secretOfB,
      () => contextOf(on.secrets.ofB),
    ),
    isolation('DenyKeyUseForOtherTenants'),
  ],
  [
    'opens its own secret past Secrets Manager',
    decrypt(
      () => sealed.secretOfA,
      () => contextOf(on.secrets.ofA),
    ),
    isolation('DenyKeyUseForOtherTenants'),
  ],
  [
    'names the neighbour’s secret beside itself',
    dataKey(() => ({ TenantId: on.a, SecretARN: on.secrets.ofB.arn })),
    isolation('DenyKeyUseWithOtherNames'),
  ],
  ['writes the name in another case', dataKey(() => ({ tenantid: on.a })), isolation('DenyKeyUseWithOtherNames')],
  ['makes a data key for the neighbour', dataKey(() => ({ TenantId: on.b })), isolation('DenyKeyUseForOtherTenants')],
  ['makes a data key without a name', dataKey(() => ({})), isolation('DenyKeyUseForOtherTenants')],
  ['makes a data key for one of its users', dataKey(() => ({ TenantId: on.a, UserId: on.ana })), isolation('DenyKeyUseForOtherUsers')],
  ['seals something for the neighbour', encrypt(() => ({ TenantId: on.b })), isolation('DenyKeyUseForOtherTenants')],
  [
    'makes a hidden data key for the neighbour',
    ({ kms: c }) =>
      c.send(new kms.GenerateDataKeyWithoutPlaintextCommand({ KeyId: poolKey, KeySpec: 'AES_256', EncryptionContext: { TenantId: on.b } })),
    isolation('DenyKeyUseForOtherTenants'),
  ],
  [
    'seals the neighbour’s anew for itself',
    ({ kms: c }) =>
      c.send(
        new kms.ReEncryptCommand({
          CiphertextBlob: sealed.forB,
          SourceKeyId: poolKey,
          SourceEncryptionContext: { TenantId: on.b },
          DestinationKeyId: poolKey,
          DestinationEncryptionContext: { TenantId: on.a },
        }),
      ),
    isolation('DenyKeyUseForOtherTenants'),
  ],
];

/** Nobody grants these sessions direct use: the Denies stand for the day somebody does, in a policy of the account or of the key. */
describe('I3 the key of the pool', () => {
  it.each(uses)('refuses, with its policy as deployed, a session that %s', async (_, call, decidedBy) => {
    for (const who of ['reader', 'ben', 'writer'] as const) await expectDenied(test, on.sessions[who], call, decidedBy);
  });

  it.each(uses)('refuses, with a policy that lets everyone do everything, a session that %s', async (_, call, decidedBy) => {
    await withOpenKey(async () => {
      for (const who of ['reader', 'ben', 'writer'] as const) await expectDenied(test, on.sessions[who], call, decidedBy);
    });
  });

  it('opens, with such a policy, what is sealed for the session’s own tenant: nothing but the Denies refuse', async () => {
    await withOpenKey(async () => {
      await expectAllowed(
        test,
        on.sessions.reader,
        decrypt(
          () => sealed.forA,
          () => ({ TenantId: on.a }),
        ),
      );
      await expectAllowed(
        test,
        on.sessions.ana,
        dataKey(() => ({ TenantId: on.a, UserId: on.ana })),
      );
    });
  });

  it('serves a session through Secrets Manager for its own secrets, and with whatever policy not for the neighbour’s', async () => {
    const read = (SecretId: string): Call => {
      return ({ secretsmanager: c }) => c.send(new GetSecretValueCommand({ SecretId }));
    };
    await expectAllowed(test, on.sessions.reader, read(on.secrets.ofA.arn));
    await withOpenKey(async () => {
      await expectAllowed(test, on.sessions.reader, read(on.secrets.ofA.arn));
      await expectDenied(test, on.sessions.reader, read(on.secrets.ofB.arn), isolation('DenySecretsOfOtherPaths'));
    });
  });

  it('is refused, as deployed, to the account’s administrator, who may change its policy but not use it', async () => {
    const bySid = (sid: string): RegExp => new RegExp(`^key policy of .*/${sid}$`);
    const named = decrypt(
      () => sealed.forB,
      () => ({ TenantId: on.b }),
    );
    const asSecret = decrypt(
      () => sealed.secretOfB,
      () => contextOf(on.secrets.ofB),
    );
    for (const call of [named, asSecret]) await expectDenied(test, on.administrator, call, bySid('DenyKeyUseForOtherTenants'));
    const read: Call = ({ secretsmanager: c }) => c.send(new GetSecretValueCommand({ SecretId: on.secrets.ofB.arn }));
    await expectDenied(test, on.administrator, read, bySid('DenyKeyUseForOtherPaths'));
  });

  const changes: [string, Call][] = [
    ['put another policy on it', ({ kms: c }) => c.send(new kms.PutKeyPolicyCommand({ KeyId: poolKey, Policy: openToAll }))],
    ['read its policy', ({ kms: c }) => c.send(new kms.GetKeyPolicyCommand({ KeyId: poolKey }))],
    [
      'grant its use',
      ({ kms: c }) =>
        c.send(
          new kms.CreateGrantCommand({
            KeyId: poolKey,
            GranteePrincipal: test.cloud.outputs['TenantReaderRoleArn'],
            Operations: ['Decrypt'],
          }),
        ),
    ],
    ['tag it', ({ kms: c }) => c.send(new kms.TagResourceCommand({ KeyId: poolKey, Tags: [{ TagKey: 'TenantId', TagValue: on.a }] }))],
    ['give it a name', ({ kms: c }) => c.send(new kms.CreateAliasCommand({ TargetKeyId: poolKey, AliasName: `alias/cordon/${on.a}` }))],
    ['disable it', ({ kms: c }) => c.send(new kms.DisableKeyCommand({ KeyId: poolKey }))],
    ['delete it', ({ kms: c }) => c.send(new kms.ScheduleKeyDeletionCommand({ KeyId: poolKey }))],
    ['list all keys', ({ kms: c }) => c.send(new kms.ListKeysCommand({}))],
    ['make a key of its own', ({ kms: c }) => c.send(new kms.CreateKeyCommand({ Tags: [{ TagKey: 'TenantId', TagValue: on.a }] }))],
  ];
  it.each(changes)('is beyond a session’s reach that would %s', async (_, call) => {
    for (const who of ['reader', 'writer'] as const)
      await expectDenied(test, on.sessions[who], call, /^(no identity policy allows it|the resource policy)/);
  });
});
