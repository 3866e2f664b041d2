import { describe, expect, it } from 'vitest';
import { createAssumeCustomerRole } from '../../../functions/broker/customer-session.sts-signed.ts';
import {
  type AssumeCustomerRole,
  type AwsSession,
  createCustomerSessions,
  createTakeCustomerRole,
} from '../../../functions/broker/customer-session.ts';
import { customerSessionPolicy } from '../../../functions/broker/customer-session-policy.ts';
import type { CustomerRole, Epochs } from '../../../functions/broker/gate.ts';
import { IsolationViolation } from '../../../functions/broker/unavailable.ts';
import type { SendSigned } from '../../../functions/shared/aws-signed.ts';
import { CordonError } from '../../../functions/shared/errors.ts';
import { credentialId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import { acme } from './broker-world.ts';
import { account, credential, role, scope, under } from './customer-role-world.ts';

describe('B7 sessions of a customer’s role', () => {
  function taking(tenantId = acme) {
    const time = { now: 0 };
    const asked: { role: CustomerRole; policy: string }[] = [];
    const account = { answer: undefined as undefined | (() => Promise<void>) };
    const assume: AssumeCustomerRole = async (taken, policy) => {
      asked.push({ role: taken, policy });
      const number = asked.length;
      const expiresAt = time.now + 900_000;
      await account.answer?.();
      const value: AwsSession = {
        kind: 'aws-session',
        accessKeyId: `ASIA${number}`,
        secretAccessKey: new SecretText('s'),
        sessionToken: new SecretText('t'),
      };
      return { value, expiresAt };
    };
    const sessions = createCustomerSessions(() => time.now);
    return { time, asked, account, sessions, assume, take: createTakeCustomerRole({ tenantId, sessions, assume }) };
  }

  it('one serves every call under the same epochs, until two minutes before its end', async () => {
    const { time, asked, take } = taking();
    const first = await take(credential, under(), scope);
    time.now = 779_000;
    expect(await take(credential, under({ connection: { ...role } }), { ...scope })).toBe(first);
    time.now = 780_000;
    expect(await take(credential, under(), scope)).not.toBe(first);
    expect(asked).toHaveLength(2);
  });

  it.each<[string, Partial<Epochs>]>([
    ['the tenant’s epoch', { tenant: 2 }],
    ['the user’s epoch', { user: 0 }],
    ['the credential’s epoch', { credential: 3 }],
    ['the connection’s epoch', { connection: { ...role, epoch: 4 } }],
    ['another role', { connection: { ...role, roleArn: `arn:aws:iam::${account}:role/cordon.acme.zzzz2345` } }],
    ['the role made anew', { connection: { ...role, roleId: 'AROAOTHER' } }],
    ['another external ID', { connection: { ...role, externalId: 'cordon-other' } }],
  ])('none serves under %s', async (_what, over) => {
    const { asked, take } = taking();
    const first = await take(credential, under(), scope);
    expect(await take(credential, under(over), scope)).not.toBe(first);
    expect(asked.at(-1)?.role).toEqual(over.connection ?? role);
  });

  it('none serves for another service, another region or another credential', async () => {
    const { asked, take } = taking();
    const first = await take(credential, under(), scope);
    const second = await take(credential, under(), { service: 'dynamodb', region: 'eu-central-1' });
    const third = await take(credential, under(), { service: 's3', region: 'us-east-1' });
    const fourth = await take({ ...credential, credentialId: credentialId.parse('aws-other') }, under(), scope);
    expect(new Set([first, second, third, fourth]).size).toBe(4);
    expect(asked.map(({ policy }) => policy)).toEqual([
      customerSessionPolicy(scope, account),
      customerSessionPolicy({ service: 'dynamodb', region: 'eu-central-1' }, account),
      customerSessionPolicy({ service: 's3', region: 'us-east-1' }, account),
      customerSessionPolicy(scope, account),
    ]);
    expect(await take(credential, under(), scope)).toBe(first);
  });

  it('one that was asked for before a suspension, and comes after, is not found by the calls after it', async () => {
    const { asked, account, take } = taking();
    const held = Promise.withResolvers<void>();
    account.answer = () => held.promise;
    const slow = take(credential, under(), scope);
    account.answer = undefined;
    const later = under({ connection: { ...role, epoch: 5 } });
    const now = await take(credential, later, scope);
    held.resolve();
    expect(await slow).not.toBe(now);
    expect(await take(credential, later, scope)).toBe(now);
    expect(asked).toHaveLength(2);
  });

  it('calls at the same time share one', async () => {
    const { asked, take } = taking();
    const all = await Promise.all([1, 2, 3].map(() => take(credential, under(), scope)));
    expect(new Set(all).size).toBe(1);
    expect(asked).toHaveLength(1);
  });

  it.each(['CUSTOMER_ROLE_REFUSED', 'SESSION_UNAVAILABLE'] as const)('%s is not kept: the next call asks again', async (code) => {
    const { asked, account, take } = taking();
    account.answer = () => Promise.reject(new CordonError(code, 'no'));
    await expect(take(credential, under(), scope)).rejects.toMatchObject({ code });
    account.answer = undefined;
    expect(await take(credential, under(), scope)).toMatchObject({ kind: 'aws-session' });
    expect(asked).toHaveLength(2);
  });

  it.each([
    ['another tenant’s', `arn:aws:iam::${account}:role/cordon.acme-2.abcd2345`],
    ['another account’s', 'arn:aws:iam::999988887777:role/cordon.acme.abcd2345'],
    ['the platform’s own', `arn:aws:iam::${account}:role/cordon/TenantReader`],
    ['one under a path', `arn:aws:iam::${account}:role/x/cordon.acme.abcd2345`],
  ])('are never asked for with %s role: that is a violation', async (_what, roleArn) => {
    const { asked, take } = taking();
    const refused = take(credential, under({ connection: { ...role, roleArn } }), scope);
    await expect(refused).rejects.toThrow(IsolationViolation);
    expect(asked).toEqual([]);
  });

  it('are none for a provider that takes no session, and none without a connection', async () => {
    const { asked, take } = taking();
    await expect(take({ ...credential, provider: 'openai' }, under(), undefined)).rejects.toMatchObject({ code: 'EGRESS_NOT_CONFIGURED' });
    await expect(take(credential, under({ connection: undefined }), scope)).rejects.toMatchObject({ code: 'EGRESS_NOT_CONFIGURED' });
    expect(asked).toEqual([]);
  });
});

describe('B7 taking a customer’s role', () => {
  const connectorRoleArn = 'arn:aws:iam::111122223333:role/cordon/ByocConnector';
  const credentials = { accessKeyId: 'ASIATENANT', secretAccessKey: 's', sessionToken: 't' };
  const sessionOf = (name: string): string =>
    `<R><Credentials><AccessKeyId>ASIA${name}</AccessKeyId><SecretAccessKey>secret-${name}</SecretAccessKey><SessionToken>token-${name}</SessionToken><Expiration>2026-11-22T12:15:00Z</Expiration></Credentials></R>`;
  const errorOf = (code: string): string =>
    `<ErrorResponse><Error><Code>${code}</Code><Message>no: ${role.externalId}</Message></Error></ErrorResponse>`;
  type Answer = readonly [status: number, body: string] | Error;

  /** STS, answering one call after the other. */
  function sts(...answers: readonly Answer[]) {
    const sent: { by: string; parameters: Record<string, string> }[] = [];
    const send: SendSigned = async ({ accessKeyId }, { body }) => {
      sent.push({ by: accessKeyId, parameters: Object.fromEntries(new URLSearchParams(body)) });
      const answer = answers[sent.length - 1] ?? new Error('asked too often');
      if (answer instanceof Error) throw answer;
      return { status: answer[0], headers: {}, body: answer[1] };
    };
    const assume = createAssumeCustomerRole({ send, credentials, tenantId: acme, connectorRoleArn, timeoutMs: 1000 });
    return { sent, take: () => assume(role, 'the policy') };
  }

  it('goes by the connector, tagged with the tenant, and on with the external ID, the policy and no tag', async () => {
    const { sent, take } = sts([200, sessionOf('CONNECTOR')], [200, sessionOf('CUSTOMER')]);
    const { value, expiresAt } = await take();
    expect(value.accessKeyId).toBe('ASIACUSTOMER');
    expect([value.secretAccessKey.reveal(), value.sessionToken.reveal()]).toEqual(['secret-CUSTOMER', 'token-CUSTOMER']);
    expect(JSON.stringify(value)).not.toMatch(/secret-|token-/);
    expect(expiresAt).toBe(Date.parse('2026-11-22T12:15:00Z'));
    const common = { Action: 'AssumeRole', Version: '2011-06-15', RoleSessionName: 'acme', DurationSeconds: '900' };
    expect(sent).toEqual([
      {
        by: 'ASIATENANT',
        parameters: { ...common, RoleArn: connectorRoleArn, 'Tags.member.1.Key': 'TenantId', 'Tags.member.1.Value': 'acme' },
      },
      { by: 'ASIACONNECTOR', parameters: { ...common, RoleArn: role.roleArn, ExternalId: role.externalId, Policy: 'the policy' } },
    ]);
  });

  it('that the customer refuses is said in plain words, is no violation of ours, and shows nothing of AWS’s message', async () => {
    const { sent, take } = sts([200, sessionOf('CONNECTOR')], [403, errorOf('AccessDenied')]);
    const error: unknown = await take().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'CUSTOMER_ROLE_REFUSED', retryable: false, message: expect.stringContaining(account) });
    expect(error).not.toBeInstanceOf(IsolationViolation);
    expect(String(error)).not.toContain(role.externalId);
    expect(sent).toHaveLength(2);
  });

  it('that IAM refuses on our side is a violation, and the customer is not asked', async () => {
    const { sent, take } = sts([403, errorOf('AccessDenied')]);
    await expect(take()).rejects.toThrow(IsolationViolation);
    expect(sent).toHaveLength(1);
  });

  it.each<[string, Answer]>([
    ['throttled', [400, errorOf('Throttling')]],
    ['in trouble', [503, errorOf('ServiceUnavailable')]],
    ['silent', new Error('no answer')],
    ['without credentials', [200, '<R/>']],
    ['without an end', [200, sessionOf('X').replace(/<Expiration>.*<\/Expiration>/, '')]],
    ['not in that region', [403, errorOf('RegionDisabledException')]],
    ['about a session that is over', [403, errorOf('ExpiredToken')]],
  ])('is no refusal when STS is %s, at either step: the call may be repeated', async (_what, answer) => {
    const unavailable = { code: 'SESSION_UNAVAILABLE', retryable: true };
    await expect(sts([200, sessionOf('CONNECTOR')], answer).take()).rejects.toMatchObject(unavailable);
    await expect(sts(answer).take()).rejects.toMatchObject(unavailable);
  });
});
