import { describe, expect, it } from 'vitest';
import type { ProbeDeps, ProbeStep } from '../../../functions/byoc/probe/probe.ts';
import { probeRole } from '../../../functions/byoc/probe/probe-role.ts';
import type { PolicyDocument } from '../../../local/iam/policy.ts';
import { anothersId, awsError, createCustomerAccount, customer, input, probeArn, roleArn, roleId, trust } from './customer-account.ts';
import { byArn, byId, withId } from './unsound-roles.ts';

describe('B2 a role that is not what was announced', () => {
  it.each([
    ['does not exist yet', (account: Account) => account.roles.clear()],
    ['is in another account', (account: Account) => move(account, roleArn.replace(customer, '777788889999'))],
    ['has another name', (account: Account) => move(account, `${roleArn}2`)],
    ["demands another tenant's external ID", (account: Account) => retrust(account, withId('StringEquals', anothersId))],
    ['trusts another account', (account: Account) => retrust(account, trust({ Principal: { AWS: 'arn:aws:iam::777788889999:root' } }))],
    [
      'trusts another role of the platform',
      (account: Account) => retrust(account, trust({ Condition: { ...byId, ArnEquals: { 'aws:PrincipalArn': probeArn } } })),
    ],
  ])('is out of reach when it %s, and the message names what it can be', async (_, change) => {
    const account = createCustomerAccount();
    change(account);
    const result = await probeRole(account.deps, input);
    expect(result).toMatchObject({
      verdict: 'unreachable',
      reason: { code: 'ROLE_NOT_REACHABLE' },
      steps: [{ step: 'right', answer: 'refused' }],
    });
    expect(result.roleArn).toBeUndefined();
    expect(result.reason?.message).toMatch(/not made yet.*another account.*another name.*another account, role or external ID/);
    expect(result.reason?.message).toContain(customer);
  });

  it('is gone when it was verified and refuses twice', async () => {
    const account = createCustomerAccount();
    account.roles.clear();
    const result = await probeRole(account.deps, { ...input, expectedRoleId: roleId });
    expect(result).toMatchObject({ verdict: 'unsound', reason: { code: 'ROLE_GONE' } });
    expect(result.steps.map(({ step }) => step)).toEqual(['right', 'right-again']);
  });

  it('is not called gone when only our own session was cut off: it is asked again by a new one', async () => {
    const account = createCustomerAccount();
    let [opened, tried] = [0, 0];
    const deps: ProbeDeps = {
      ...account.deps,
      assumeConnector: async (tenantId) => {
        opened += 1;
        return { ...(await account.deps.assumeConnector(tenantId)), expiresAt: opened };
      },
      assumeCustomer: async (session, request) => {
        tried += 1;
        if (session.expiresAt === 1) throw awsError('AccessDenied');
        return account.deps.assumeCustomer(session, request);
      },
    };
    const result = await probeRole(deps, { ...input, expectedRoleId: roleId });
    expect({ verdict: result.verdict, opened, tried }).toEqual({ verdict: 'no-answer', opened: 2, tried: 2 });
  });

  it('is not called gone when the second try is let in or has no answer', async () => {
    for (const failure of ['AccessDenied', 'ThrottlingException']) {
      const account = createCustomerAccount();
      account.fail('right', awsError('AccessDenied'));
      if (failure !== 'AccessDenied') account.fail('missing', awsError(failure));
      expect(await probeRole(account.deps, { ...input, expectedRoleId: roleId })).toMatchObject({
        verdict: 'no-answer',
        reason: { code: 'NO_ANSWER' },
      });
    }
  });

  it('was deleted and made again when its unique ID is another one', async () => {
    const account = createCustomerAccount({ roleId: 'AROACUSTOMERROLE00002' });
    const result = await probeRole(account.deps, { ...input, expectedRoleId: roleId });
    expect(result).toMatchObject({ verdict: 'unsound', roleId: 'AROACUSTOMERROLE00002', reason: { code: 'ROLE_RECREATED' } });
    expect(result.reason?.message).toMatch(/deleted and made again/);
  });

  it.each([
    ['another account', { accountId: '777788889999' }],
    ['another role', { arn: `arn:aws:sts::${customer}:assumed-role/cordon.acme-2.abcdefgh/acme` }],
  ])('is refused when its session is one of %s', async (_, over) => {
    const { deps } = createCustomerAccount();
    const identityOf: typeof deps.identityOf = async (session) => ({ ...(await deps.identityOf(session)), ...over });
    const result = await probeRole({ ...deps, identityOf }, input);
    expect(result).toMatchObject({ verdict: 'unsound', reason: { code: 'WRONG_ACCOUNT' } });
    expect(result.roleId).toBeUndefined();
  });
});

describe('B3 no answer is not a refusal', () => {
  const names = [
    'ThrottlingException',
    'Throttling',
    'AbortError',
    'TimeoutError',
    'ServiceUnavailable',
    'InternalFailure',
    'NoSuchEntity',
    'ValidationError',
    'AccessDeniedException',
    'ExpiredToken',
  ];
  const steps: readonly ProbeStep[] = [
    'right',
    'identity',
    'missing',
    'wrong',
    'nearly-right',
    'other-tenant',
    'second-principal',
    'right-again',
  ];

  it.each(steps)('knows nothing when the step %s goes unanswered, whatever the error', async (step) => {
    for (const name of names) {
      const account = createCustomerAccount();
      account.fail(step, awsError(name));
      const result = await probeRole(account.deps, { ...input, expectedRoleId: roleId });
      expect(result).toMatchObject({ verdict: 'no-answer', reason: { code: 'NO_ANSWER' } });
      expect(result.reason?.message).toContain(`${step}: ${name}`);
      expect(result.steps).toContainEqual({ step, answer: 'none', code: name });
    }
  });

  it('knows nothing when a step fails without saying how', async () => {
    const { deps } = createCustomerAccount();
    const result = await probeRole({ ...deps, assumeCustomer: () => Promise.reject('odd') }, input);
    expect(result).toMatchObject({ verdict: 'no-answer', steps: [{ step: 'right', answer: 'none', code: 'Unknown' }] });
  });

  it.each(['trust', 'simulate'] as const)('knows nothing when %s is throttled', async (call) => {
    const account = createCustomerAccount();
    account.fail(call, awsError('Throttling'));
    expect(await probeRole(account.deps, input)).toMatchObject({ verdict: 'no-answer', reason: { code: 'NO_ANSWER' } });
  });

  it('does not take a right ID that is refused at the end for proof', async () => {
    const account = createCustomerAccount();
    account.fail('right-again', awsError('AccessDenied'));
    expect(await probeRole(account.deps, input)).toMatchObject({ verdict: 'no-answer' });
  });

  it.each(['wrong', 'right-again', 'trust'] as const)('stands by an acceptance that it saw although %s goes unanswered', async (call) => {
    const account = createCustomerAccount({ trust: trust({ Condition: byArn }) });
    account.fail(call, awsError('Throttling'));
    expect(await probeRole(account.deps, input)).toMatchObject({ verdict: 'unsound', reason: { code: 'EXTERNAL_ID_NOT_REQUIRED' } });
  });

  it.each(['connector', 'second'] as const)("does not read a refusal of Cordon's own session (%s) as the customer's", async (call) => {
    for (const name of ['AccessDenied', 'Throttling']) {
      const account = createCustomerAccount();
      account.fail(call, awsError(name));
      const result = await probeRole(account.deps, { ...input, expectedRoleId: roleId });
      expect(result).toMatchObject({ verdict: 'no-answer', steps: [], reason: { code: 'PROBE_UNAVAILABLE' } });
      expect(result.reason?.message).toContain(name);
      expect(account.asked).toEqual([]);
    }
  });
});

type Account = ReturnType<typeof createCustomerAccount>;

function move({ roles }: Account, arn: string): void {
  const role = roles.get(roleArn);
  roles.clear();
  if (role !== undefined) roles.set(arn, role);
}

function retrust({ roles }: Account, document: PolicyDocument): void {
  const role = roles.get(roleArn);
  if (role !== undefined) roles.set(roleArn, { ...role, trust: document });
}
