import { beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../local/core/clock.ts';
import type { LocalKernel } from '../../../local/core/kernel.ts';
import type { Caller } from '../../../local/core/service.ts';
import { allow, assume, customer, echoService, makeRole, makeUser, platform, policy, startCloud, trust } from './cloud.ts';

const secret = 'arn:aws:secretsmanager:us-east-1:111122223333:secret:cordon/acme/key-AbCdEf';
let kernel: LocalKernel;
let clock: Clock;
let admin: Caller;
let root: Caller;
let echo: ReturnType<typeof echoService>;

beforeEach(() => {
  ({ kernel, clock, admin, root } = startCloud());
  echo = echoService();
  kernel.register(echo);
});

const get = (caller: Caller, SecretId = secret) => kernel.call(caller, 'secretsmanager', 'GetSecretValue', { SecretId });

describe('a call', () => {
  it('does the work when IAM allows it, and names the statement in the journal', async () => {
    const before = kernel.journal.lastSeq;
    await expect(get(admin)).resolves.toMatchObject({ ARN: secret });
    expect(kernel.journal.since(before)).toEqual([
      expect.objectContaining({
        principal: `arn:aws:iam::${platform}:user/admin`,
        action: 'secretsmanager:GetSecretValue',
        resource: secret,
        decision: 'allow',
        statement: 'Administrator/Everything',
        service: 'secretsmanager',
        operation: 'GetSecretValue',
      }),
    ]);
  });

  it('does nothing when IAM denies it, and tells who, what and which statement', async () => {
    const deny = { Sid: 'NoSecrets', Effect: 'Deny', Action: 'secretsmanager:*', Resource: '*' };
    const user = await makeUser(kernel, 'eve', policy(allow('*'), deny));
    await expect(get(user)).rejects.toMatchObject({
      code: 'AccessDeniedException',
      message: expect.stringMatching(
        /^User: arn:aws:iam::111122223333:user\/eve is not authorized to perform: secretsmanager:GetSecretValue on resource: arn:.* because .*Own\/NoSecrets/,
      ),
    });
    expect(echo.done).toEqual([]);
    expect(kernel.journal.since().at(-1)).toMatchObject({ decision: 'deny', statement: 'Own/NoSecrets' });
  });

  it('is denied by default to a user without policies, in the code of the query protocol for IAM', async () => {
    const user = await makeUser(kernel, 'nobody', undefined);
    await expect(get(user)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(kernel.call(user, 'iam', 'ListRoles', {})).rejects.toMatchObject({ code: 'AccessDenied', status: 403 });
  });

  it('of an unknown operation or service is NotImplemented, also for names that every object has', async () => {
    await expect(kernel.call(admin, 'secretsmanager', 'RotateSecret', {})).rejects.toMatchObject({ code: 'NotImplemented' });
    await expect(kernel.call(admin, 'secretsmanager', 'constructor', {})).rejects.toMatchObject({ code: 'NotImplemented' });
    await expect(kernel.call(admin, 's3', 'GetObject', {})).rejects.toMatchObject({ code: 'NotImplemented' });
  });

  it('with a key that was deleted since is refused', async () => {
    const user = await makeUser(kernel, 'gone', policy(allow('*')));
    await get(user);
    await kernel.call(root, 'iam', 'DeleteAccessKey', { UserName: 'gone', AccessKeyId: user.accessKeyId });
    await expect(get(user)).rejects.toMatchObject({ code: 'InvalidClientTokenId' });
    expect(kernel.callerOf(user.accessKeyId)).toBeUndefined();
  });

  it('never leaves its input in the journal', async () => {
    await makeRole(kernel, 'Canary', trust({ AWS: platform }), policy(allow('*')), { Description: 'canary-in-input' });
    expect(JSON.stringify(kernel.journal.since())).not.toContain('canary-in-input');
  });

  it('on whose policy a Deny cannot be read is refused', async () => {
    const document = JSON.parse(
      policy({ Effect: 'Deny', Principal: '*', Action: '*', Condition: { NoSuchOperator: { 'aws:userid': 'x' } } }),
    );
    const guarded = echoService({
      signingName: 'guarded',
      operations: {
        Read: {
          needs: () => [{ action: 'secretsmanager:GetSecretValue', resource: secret, resourcePolicy: { name: 'Odd', document } }],
          run: () => ({}),
        },
      },
    });
    kernel.register(guarded);
    await expect(kernel.call(admin, 'guarded', 'Read', {})).rejects.toMatchObject({ message: expect.stringContaining('Odd') });
  });

  it('can ask for more while it runs, and is stopped there', async () => {
    const stages: string[] = [];
    const staged = echoService({
      signingName: 'staged',
      operations: {
        Two: {
          needs: () => [{ action: 'secretsmanager:DescribeSecret', resource: secret }],
          run: (_, scope) => {
            stages.push('described');
            scope.authorize({ action: 'secretsmanager:GetSecretValue', resource: secret });
            stages.push('read');
            return {};
          },
        },
      },
    });
    kernel.register(staged);
    const user = await makeUser(kernel, 'half', policy(allow('secretsmanager:DescribeSecret')));
    await expect(kernel.call(user, 'staged', 'Two', {})).rejects.toMatchObject({ code: 'AccessDeniedException' });
    expect(stages).toEqual(['described']);
  });
});

describe("a call made on a caller's behalf", () => {
  const viaSecretsManager = { StringEquals: { 'kms:ViaService': 'secretsmanager.us-east-1.amazonaws.com' } };
  const onBehalf = {
    'ForAnyValue:StringEquals': { 'aws:CalledVia': 'secretsmanager.amazonaws.com' },
    Bool: { 'aws:ViaAWSService': 'true' },
    Null: { 'aws:SourceIp': 'true' },
  };

  it("is decided by the caller's own policies, with the service named", async () => {
    const via = startCloud();
    const key = 'arn:aws:kms:us-east-1:111122223333:key/1';
    via.kernel.register(
      echoService({
        signingName: 'kms',
        operations: { Decrypt: { needs: () => [{ action: 'kms:Decrypt', resource: key }], run: () => ({ Plaintext: 'x' }) } },
      }),
    );
    via.kernel.register(
      echoService({
        operations: { GetSecretValue: { needs: () => [], run: async (_, scope) => ({ got: await scope.callVia('kms', 'Decrypt', {}) }) } },
      }),
    );
    const user = await makeUser(
      via.kernel,
      'reader',
      policy(allow('kms:Decrypt', '*', { Condition: { ...viaSecretsManager, ...onBehalf } })),
    );
    await expect(via.kernel.call(user, 'kms', 'Decrypt', {})).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await expect(via.kernel.call(user, 'secretsmanager', 'GetSecretValue', {})).resolves.toEqual({ got: { Plaintext: 'x' } });
    const other = await makeUser(via.kernel, 'other', policy(allow('secretsmanager:*')));
    await expect(via.kernel.call(other, 'secretsmanager', 'GetSecretValue', {})).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});

describe('an injected fault', () => {
  const set = (mode: 'before' | 'after' | 'delay' | 'duplicate' | 'crash', delayMs?: number) =>
    kernel.faults.add({ service: 'secretsmanager', action: 'GetSecretValue', nth: 1, mode, ...(delayMs === undefined ? {} : { delayMs }) });

  it('`before` fails with 500 and nothing is done; the next call works', async () => {
    set('before');
    await expect(get(admin)).rejects.toMatchObject({ status: 500 });
    expect(echo.done).toEqual([]);
    await get(admin);
    expect(echo.done).toEqual([secret]);
  });

  it('`after` loses the answer of work that was done', async () => {
    set('after');
    await expect(get(admin)).rejects.toMatchObject({ status: 500 });
    expect(echo.done).toEqual([secret]);
  });

  it("`crash` names the caller's access key once the work is done", async () => {
    const crashed: string[] = [];
    const stop = kernel.onCrash((accessKeyId) => crashed.push(`${accessKeyId} after ${echo.done.length}`));
    set('crash');
    await expect(get(admin)).rejects.toMatchObject({ status: 500 });
    expect(crashed).toEqual([`${admin.accessKeyId} after 1`]);
    stop();
    set('crash');
    await expect(get(admin)).rejects.toMatchObject({ status: 500 });
    expect(crashed).toHaveLength(1);
  });

  it('`delay` waits before the work', async () => {
    set('delay', 60);
    const started = performance.now();
    await get(admin);
    expect(performance.now() - started).toBeGreaterThanOrEqual(55);
  });

  it('`duplicate` does the work twice, or tells a service that delivers to deliver twice', async () => {
    set('duplicate');
    await expect(get(admin)).resolves.toMatchObject({ DeliverTwice: false });
    expect(echo.done).toHaveLength(2);
    const queue = echoService({ signingName: 'sqs', deliversTwice: true });
    kernel.register(queue);
    kernel.faults.add({ service: 'sqs', action: 'GetSecretValue', nth: 1, mode: 'duplicate' });
    await expect(kernel.call(admin, 'sqs', 'GetSecretValue', { SecretId: secret })).resolves.toMatchObject({ DeliverTwice: true });
    expect(queue.done).toHaveLength(1);
  });

  it('does not get a denied call past IAM', async () => {
    const user = await makeUser(kernel, 'nobody', undefined);
    for (const mode of ['after', 'crash', 'duplicate', 'delay'] as const) {
      set(mode, mode === 'delay' ? 1 : undefined);
      await expect(get(user)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    }
    expect(echo.done).toEqual([]);
  });
});

describe('the condition keys of a caller', () => {
  const onlyIf = async (name: string, condition: object) =>
    get(await makeUser(kernel, name, policy(allow('*', '*', { Condition: condition }))));

  it('of a user', async () => {
    const arn = `arn:aws:iam::${platform}:user/right`;
    const right = { 'aws:PrincipalArn': arn, 'aws:PrincipalAccount': platform, 'aws:PrincipalType': 'User', 'aws:username': 'right' };
    await expect(onlyIf('right', { StringEquals: right, Null: { 'aws:TokenIssueTime': 'true' } })).resolves.toBeDefined();
    await expect(onlyIf('wrong', { StringEquals: right })).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('of any request: time, Region, transport, address', async () => {
    const now = new Date(clock.now() - 1000).toISOString();
    const condition = {
      DateGreaterThan: { 'aws:CurrentTime': now },
      StringEquals: { 'aws:RequestedRegion': 'us-east-1' },
      Bool: { 'aws:SecureTransport': 'true', 'aws:ViaAWSService': 'false', 'aws:PrincipalIsAWSService': 'false' },
      IpAddress: { 'aws:SourceIp': '127.0.0.0/8' },
    };
    await expect(onlyIf('now', condition)).resolves.toBeDefined();
    await expect(
      onlyIf('later', { DateGreaterThan: { 'aws:CurrentTime': new Date(clock.now() + 60_000).toISOString() } }),
    ).rejects.toThrow();
  });

  it('of the resource: the account that owns it', async () => {
    await expect(onlyIf('here', { StringEquals: { 'aws:ResourceAccount': platform } })).resolves.toBeDefined();
    await expect(onlyIf('there', { StringEquals: { 'aws:ResourceAccount': customer } })).rejects.toMatchObject({
      code: 'AccessDeniedException',
    });
  });

  it('follow the injected clock', async () => {
    const limit = new Date(clock.now() + 3_600_000).toISOString();
    const user = await makeUser(kernel, 'until', policy(allow('*', '*', { Condition: { DateLessThan: { 'aws:CurrentTime': limit } } })));
    await get(user);
    clock.advance(3_600_001);
    await expect(get(user)).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it("of a session: the role, its tags under the session's, when it was issued", async () => {
    const role = await makeRole(
      kernel,
      'Tagged',
      trust({ AWS: platform }),
      policy(
        allow('*', '*', {
          Condition: {
            StringEquals: {
              'aws:PrincipalArn': `arn:aws:iam::${platform}:role/cordon/Tagged`,
              'aws:PrincipalType': 'AssumedRole',
              'aws:PrincipalTag/TenantId': 'acme',
              'aws:PrincipalTag/Tier': 'pool',
            },
            StringLike: { 'aws:userid': 'AROA*:session' },
            DateGreaterThan: { 'aws:TokenIssueTime': new Date(clock.now() - 5000).toISOString() },
          },
        }),
      ),
      {
        Path: '/cordon/',
        Tags: [
          { Key: 'Tier', Value: 'pool' },
          { Key: 'tenantid', Value: 'role' },
        ],
      },
    );
    const session = await assume(kernel, admin, role, { Tags: [{ Key: 'TenantId', Value: 'acme' }] });
    expect(session.tags).toEqual({ Tier: 'pool', TenantId: 'acme' });
    await expect(get(session)).resolves.toBeDefined();
    await expect(get(await assume(kernel, admin, role))).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });
});

describe('policies in force', () => {
  it('change for the very next call', async () => {
    const user = await makeUser(kernel, 'changing', policy(allow('*')));
    await get(user);
    await kernel.call(root, 'iam', 'PutUserPolicy', { UserName: 'changing', PolicyName: 'Own', PolicyDocument: policy(allow('kms:*')) });
    await expect(get(user)).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('are those of the role a session was made from, not of another one made under its name', async () => {
    const role = await makeRole(kernel, 'Again', trust({ AWS: platform }), policy(allow('*')));
    const session = await assume(kernel, admin, role);
    await get(session);
    await kernel.call(root, 'iam', 'DeleteRolePolicy', { RoleName: 'Again', PolicyName: 'Own' });
    await kernel.call(root, 'iam', 'DeleteRole', { RoleName: 'Again' });
    await expect(get(session)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await makeRole(kernel, 'Again', trust({ AWS: platform }), policy(allow('*')));
    await expect(get(session)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    const document = JSON.parse(policy({ Effect: 'Allow', Principal: { AWS: role }, Action: '*', Resource: '*' }));
    const need = { action: 'secretsmanager:GetSecretValue', resource: secret, resourcePolicy: { name: 'NamesTheRole', document } };
    kernel.register(echoService({ signingName: 'open', operations: { Read: { needs: () => [need], run: () => ({}) } } }));
    await expect(kernel.call(session, 'open', 'Read', {})).rejects.toMatchObject({ message: expect.stringContaining('RoleIsGone') });
    await expect(kernel.call(await assume(kernel, admin, role), 'open', 'Read', {})).resolves.toEqual({});
  });

  it("see the role's tags as they are now", async () => {
    const role = await makeRole(kernel, 'Retagged', trust({ AWS: platform }));
    const session = await assume(kernel, admin, role);
    await kernel.call(root, 'iam', 'TagRole', { RoleName: 'Retagged', Tags: [{ Key: 'Tier', Value: 'pool' }] });
    expect(kernel.callerOf(session.accessKeyId)?.tags).toEqual({ Tier: 'pool' });
  });

  it('of a boundary take away from what the role is allowed', async () => {
    const { Policy } = await kernel.call(root, 'iam', 'CreatePolicy', { PolicyName: 'Bound', PolicyDocument: policy(allow('kms:*')) });
    const boundary = Object(Policy).Arn;
    const role = await makeRole(kernel, 'Bounded', trust({ AWS: platform }), policy(allow('*')), { PermissionsBoundary: boundary });
    const session = await assume(kernel, admin, role);
    await expect(get(session)).rejects.toMatchObject({ code: 'AccessDeniedException' });
    await kernel.call(root, 'iam', 'DeleteRolePermissionsBoundary', { RoleName: 'Bounded' });
    await expect(get(session)).resolves.toBeDefined();
  });

  it('of a service principal are none', async () => {
    const events = kernel.serviceCaller('events.amazonaws.com', platform, {
      'aws:SourceArn': 'arn:aws:events:us-east-1:111122223333:rule/r',
    });
    await expect(get(events)).rejects.toMatchObject({ code: 'AccessDeniedException' });
  });

  it('of root reach only its own account', async () => {
    const need = { action: 'secretsmanager:GetSecretValue', resource: secret, resourceAccountId: platform };
    kernel.register(echoService({ signingName: 'across', operations: { Read: { needs: () => [need], run: () => ({}) } } }));
    await expect(kernel.call(kernel.rootCaller(platform), 'across', 'Read', {})).resolves.toEqual({});
    await expect(kernel.call(kernel.rootCaller(customer), 'across', 'Read', {})).rejects.toMatchObject({ code: 'AccessDeniedException' });
    expect(() => kernel.rootCaller('999999999999')).toThrow(RangeError);
  });
});

describe('the kernel', () => {
  it('gives the same keys when an account is added again', () => {
    expect(kernel.addAccount(customer)).toEqual(kernel.addAccount(customer));
    expect(kernel.accounts()).toEqual([platform, customer, '777788889999']);
  });

  it('is idle when no service is busy, and says so when the time is over', async () => {
    let busy = true;
    kernel.register(echoService({ signingName: 'queue', busy: () => busy }));
    await expect(kernel.idle(30)).resolves.toBe(false);
    setTimeout(() => {
      busy = false;
    }, 20);
    await expect(kernel.idle(2000)).resolves.toBe(true);
  });

  it('is idle but for what waits for the clock when no service is working', async () => {
    let working = true;
    kernel.register(echoService({ signingName: 'queue', busy: () => true, working: () => working }));
    await expect(kernel.idle(30, { exceptWaiting: true })).resolves.toBe(false);
    working = false;
    await expect(kernel.idle(30, { exceptWaiting: true })).resolves.toBe(true);
    await expect(kernel.idle(30)).resolves.toBe(false);
  });

  it('refuses a service registered twice', () => {
    expect(() => kernel.register(echoService())).toThrow(/registered twice/);
  });
});
