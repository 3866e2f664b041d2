import { describe, expect, it } from 'vitest';
import { canaryIds } from '../../../functions/isolation/canaries.ts';
import { decideTouch } from '../../../functions/isolation/watch/decide-touch.ts';
import { trailRecord } from '../../../functions/isolation/watch/trail-record.ts';
import { account, elsewhere, onSecret, otherUser, person, record, refused, session, user } from './trail-records.ts';

const reader = session('TenantReader', 'acme');
const ofGlobex = 'cordon/globex/main';
const arn = `arn:aws:secretsmanager:us-east-1:${account}:secret:`;
const found = (of: ReturnType<typeof record>) => decideTouch(of, account).map(({ code, tenantId }) => [code, tenantId]);
const crossing = [['CROSS_TENANT_USE', 'globex']];

describe('T3 a session asks for what is another tenant’s', () => {
  it.each<[what: string, identity: object]>([
    ['the shared reader', reader],
    ['a user’s session', session('TenantReader', `acme.${user}`)],
    ['a worker', session('TenantRevoker', 'acme')],
    ['a tenant whose name begins alike', session('TenantReader', 'globe')],
    ['a dedicated tenant', session('TenantAgent-acme', 'acme')],
    ['another tenant’s own role under the right name', session('TenantAgent-acme', 'globex')],
  ])('reports %s', (_, identity) => {
    expect(found(onSecret('GetSecretValue', ofGlobex, identity))).toEqual(crossing);
  });

  it.each([
    ['by its name', ofGlobex],
    ['by its ARN', `${arn}cordon/globex/main-AbCdEf`],
    ['by its ARN without the suffix', `${arn}cordon/globex/main`],
    ['by the ARN it would have', `${arn}cordon/globex/main-??????`],
  ])('knows the secret %s', (_, secretId) => {
    expect(found(onSecret('DescribeSecret', secretId, reader))).toEqual(crossing);
  });

  it('reports what was refused as well, and leaves nothing to do then', () => {
    const [got] = decideTouch(onSecret('GetSecretValue', ofGlobex, reader), account);
    const [denied] = decideTouch(onSecret('GetSecretValue', ofGlobex, reader, refused), account);
    expect(got).toMatchObject({
      message: expect.stringMatching(/tenant acme, asked for GetSecretValue on a secret of tenant globex, and got it$/),
      left: [expect.any(String)],
    });
    expect(denied).toMatchObject({ code: 'CROSS_TENANT_USE', message: expect.stringMatching(/and was refused$/), left: [] });
  });

  it('reads the resource out of the message where a refusal keeps no parameters', () => {
    const message = (resource: string) => ({
      errorCode: 'AccessDenied',
      errorMessage: `User: x is not authorized to perform: secretsmanager:GetSecretValue on resource: ${resource} because no identity-based policy allows it`,
    });
    expect(found(record('secretsmanager', 'GetSecretValue', message(ofGlobex)))).toEqual(crossing);
    expect(found(record('secretsmanager', 'GetSecretValue', message(`${arn}cordon/globex/main-AbCdEf`)))).toEqual(crossing);
    expect(found(record('secretsmanager', 'GetSecretValue', message(`${arn}platform/main-AbCdEf`)))).toEqual([]);
  });

  it('reports every one of many that are asked for at once', () => {
    const secretIdList = [ofGlobex, 'cordon/acme/main', 'cordon/initech/main'];
    expect(found(record('secretsmanager', 'BatchGetSecretValue', { requestParameters: { secretIdList } }))).toEqual([
      ...crossing,
      ['CROSS_TENANT_USE', 'initech'],
    ]);
  });

  it('reports a key that is used for another tenant, or another user', () => {
    const use = (encryptionContext: object, more: object = {}) =>
      record('kms', 'Decrypt', {
        userIdentity: session('TenantSupplier', `acme.${user}`),
        requestParameters: { encryptionContext },
        ...more,
      });
    expect(found(use({ TenantId: 'globex' }))).toEqual(crossing);
    expect(found(use({ TenantId: 'acme', UserId: otherUser }))).toEqual([['CROSS_TENANT_USE', 'acme']]);
    expect(found(use({ TenantId: 'acme', UserId: user }))).toEqual([]);
    expect(found(use({ TenantId: 'acme' }))).toEqual([]);
    // What Secrets Manager asks for on its behalf was seen there.
    const via = { ...session('TenantReader', 'acme'), invokedBy: 'secretsmanager.amazonaws.com' };
    expect(found(use({ SecretARN: `${arn}${ofGlobex}` }, { userIdentity: via }))).toEqual([]);
  });

  it('reports a refused step into another tenant’s own role, and not one into a shared role, which a cut-off refuses too', () => {
    const step = (role: string) => ({
      errorCode: 'AccessDenied',
      errorMessage: `User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::${account}:role/cordon/${role}`,
    });
    expect(found(record('sts', 'AssumeRole', step('TenantAgent-globex')))).toEqual(crossing);
    expect(found(record('sts', 'AssumeRole', step('TenantReader')))).toEqual([]);
    expect(found(record('sts', 'AssumeRole', step('TenantAgent-acme')))).toEqual([]);
  });

  it('reports a session that is named for nobody', () => {
    expect(found(onSecret('GetSecretValue', ofGlobex, session('TenantReader', 'Botocore_1')))).toEqual([['SESSION_DISAGREES', 'globex']]);
  });

  it('does not report what the isolation tests are refused on purpose, and what they get all the same', () => {
    const canary = session('TenantReader', canaryIds.a);
    expect(found(onSecret('GetSecretValue', ofGlobex, canary, refused))).toEqual([]);
    expect(found(onSecret('PutResourcePolicy', `cordon/${canaryIds.b}/x`, canary, refused))).toEqual([]);
    expect(found(onSecret('GetSecretValue', ofGlobex, canary))).toEqual(crossing);
    // Not found is no refusal: IAM let it through.
    expect(found(onSecret('GetSecretValue', ofGlobex, canary, { errorCode: 'ResourceNotFoundException' }))).toEqual(crossing);
    expect(found(onSecret('GetSecretValue', `cordon/${canaryIds.b}/x`, person, refused))).toEqual([['FOREIGN_READER', canaryIds.b]]);
  });
});

describe('T3 somebody who is no tenant asks for a tenant’s secret', () => {
  it.each<[what: string, identity: object]>([
    ['a person', person],
    ['the root user', { type: 'Root', principalId: account, arn: `arn:aws:iam::${account}:root`, accountId: account }],
    ['another account', elsewhere],
    ['a function by its own role', session('RotationFunctionRole', 'rotation', '')],
    ['a role that somebody put beside Cordon’s', session('Backdoor', 'globex')],
    ['a role of the same name under another path', session('TenantReader', 'globex', 'team/')],
    ['a role that is nearly a dedicated tenant’s', session('TenantAgent-globex.admin', 'globex')],
    ['an AWS service', { type: 'AWSService', invokedBy: 'glue.amazonaws.com' }],
  ])('reports %s', (_, identity) => {
    expect(found(onSecret('GetSecretValue', ofGlobex, identity))).toEqual([['FOREIGN_READER', 'globex']]);
    expect(found(onSecret('PutSecretValue', ofGlobex, identity))).toEqual([['FOREIGN_WRITER', 'globex']]);
  });

  it('reports a key that is used by hand', () => {
    const requestParameters = { encryptionContext: { TenantId: 'globex' } };
    expect(found(record('kms', 'Decrypt', { userIdentity: person, requestParameters }))).toEqual([['FOREIGN_READER', 'globex']]);
  });

  it('reports one that was made by hand, by its name', () => {
    expect(found(record('secretsmanager', 'CreateSecret', { userIdentity: person, requestParameters: { name: ofGlobex } }))).toEqual([
      ['FOREIGN_WRITER', 'globex'],
    ]);
  });

  it('is silent on who only describes it', () => {
    expect(found(onSecret('DescribeSecret', ofGlobex, person))).toEqual([]);
    expect(found(onSecret('GetResourcePolicy', ofGlobex, person))).toEqual([]);
  });
});

describe('T3 somebody moves a wall', () => {
  it.each([
    'PutResourcePolicy',
    'DeleteResourcePolicy',
    'UntagResource',
    'TagResource',
    'ReplicateSecretToRegions',
    'RotateSecret',
    'UpdateSecret',
  ])('reports %s on a tenant’s secret, whoever it was', (eventName) => {
    for (const identity of [person, reader, session('TenantWriter', 'globex')])
      expect(found(onSecret(eventName, ofGlobex, identity))).toEqual([['WALL_TOUCHED', 'globex']]);
  });

  it.each(['CreateGrant', 'PutKeyPolicy', 'ReplicateKey'])('reports %s on a key, whoever it was', (eventName) => {
    const keyId = `arn:aws:kms:us-east-1:${account}:key/k1`;
    const [wall] = decideTouch(record('kms', eventName, { userIdentity: person, requestParameters: { keyId } }), account);
    expect(wall).toMatchObject({ code: 'WALL_TOUCHED', tenantId: undefined, message: expect.stringContaining(keyId) });
  });

  it('leaves out what a service of AWS asks for on somebody’s behalf, which the daily audit sees', () => {
    const userIdentity = { ...person, invokedBy: 'cloudformation.amazonaws.com' };
    expect(found(record('kms', 'PutKeyPolicy', { userIdentity, requestParameters: { keyId: 'k1' } }))).toEqual([]);
  });
});

describe('T3 what Cordon does is no finding', () => {
  const own = 'cordon/acme/openai-main';
  it.each([
    ['TenantReader', ['GetSecretValue', 'DescribeSecret']],
    ['TenantWriter', ['DeleteSecret', 'DescribeSecret', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage']],
    ['TenantSupplier', ['PutSecretValue']],
    ['TenantRotator', ['DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage']],
    [
      'TenantRevoker',
      ['DeleteSecret', 'DescribeSecret', 'GetSecretValue', 'ListSecretVersionIds', 'PutSecretValue', 'UpdateSecretVersionStage'],
    ],
    ['TenantAgent-acme', ['GetSecretValue', 'DescribeSecret']],
    ['TenantAgent-acme.writer', ['DeleteSecret', 'PutSecretValue', 'UpdateSecretVersionStage']],
  ])('%s, on its own tenant’s secrets, also where it is refused after a cut-off', (role, names) => {
    for (const name of names) {
      for (const sessionName of ['acme', `acme.${user}`]) {
        expect(found(onSecret(name, own, session(role, sessionName)))).toEqual([]);
        expect(found(onSecret(name, `${arn}${own}-AbCdEf`, session(role, sessionName), refused))).toEqual([]);
      }
    }
    expect(
      found(record('secretsmanager', 'CreateSecret', { userIdentity: session(role, 'acme'), requestParameters: { name: own } })),
    ).toEqual([]);
    expect(found(onSecret('GetSecretValue', 'cordon/a/main', session('TenantReader', 'a.')))).toEqual([]);
  });

  it('and the platform’s own secrets are nobody’s', () => {
    expect(found(onSecret('GetSecretValue', `${arn}OpenAiAdmin-AbCdEf`, session('RotationFunctionRole', 'rotation', '')))).toEqual([]);
  });

  it('reads a record that holds more than is asked for, and refuses one that holds less', () => {
    expect(trailRecord.safeParse({ ...record('sts', 'AssumeRole'), somethingNew: { x: 1 } }).success).toBe(true);
    expect(trailRecord.safeParse({ ...record('sts', 'AssumeRole'), userIdentity: undefined }).success).toBe(false);
  });
});
