import { beforeAll, describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../local/iam/policy.ts';
import { refusalOf } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { bedrockAccess, changeTrust, giveAccess, makeRole, newCustomer, trustOf } from '../support/customer-account.ts';
import { askBedrock, bedrockRequestsOf, requestsAnywhere } from '../support/customer-calls.ts';
import { announced, connectionOf, connectionThatIs, offerOf, sweep, tenantWith, tokenOf } from '../support/customers.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
/** A tenant with an offer that nobody follows: its external ID is another tenant's. */
let othersExternalId: string;

beforeAll(async () => {
  test = await testCloud();
  othersExternalId = (await offerOf(test, { tenantId: await tenantWith(test), customerAccountId: newCustomer(test).accountId })).externalId;
});

type Announced = Awaited<ReturnType<typeof announced>>;

const connectorArn = (): string => test.cloud.outputs['ByocConnectorRoleArn'] ?? '';
const onlyConnector = () => ({ ArnEquals: { 'aws:PrincipalArn': connectorArn() } });
/** The template's trust with another condition on the external ID. */
const demanding = (condition: Readonly<Record<string, Readonly<Record<string, string | string[]>>>>): PolicyDocument =>
  trustOf(test, '', { Condition: { ...onlyConnector(), ...condition } });

/** Role, what the customer is told it is called, and what the next step says is to be written instead. */
const weakRoles: readonly (readonly [string, (role: Announced) => PolicyDocument, { code: string; message: RegExp; nextStep: RegExp }])[] =
  [
    [
      'that trusts everyone',
      () => trustOf(test, '', { Principal: { AWS: '*' }, Condition: undefined }),
      {
        code: 'EXTERNAL_ID_NOT_REQUIRED',
        message: /trusts every AWS account/,
        nextStep: /Set "Principal" to \{"AWS": "arn:aws:iam::\d{12}:root"\}/,
      },
    ],
    [
      'that trusts everyone who knows the external ID',
      ({ externalId }) => trustOf(test, '', { Principal: '*', Condition: { StringEquals: { 'sts:ExternalId': externalId } } }),
      {
        code: 'ANY_PRINCIPAL_ACCEPTED',
        message: /trusts every AWS account/,
        nextStep: /Set "Principal" to .*"ArnEquals": \{"aws:PrincipalArn"/,
      },
    ],
    [
      'that trusts the account without an external ID',
      () => demanding({}),
      {
        code: 'EXTERNAL_ID_NOT_REQUIRED',
        message: /has no condition on sts:ExternalId/,
        nextStep: /"StringEquals": \{"sts:ExternalId": "…"\}/,
      },
    ],
    [
      'that trusts the account without naming its connector',
      ({ externalId }) => trustOf(test, '', { Condition: { StringEquals: { 'sts:ExternalId': externalId } } }),
      { code: 'ANY_PRINCIPAL_ACCEPTED', message: /no condition on the calling role/, nextStep: /"ArnEquals": \{"aws:PrincipalArn"/ },
    ],
    [
      'that trusts every role of the account',
      ({ externalId }) =>
        trustOf(test, '', {
          Condition: {
            StringEquals: { 'sts:ExternalId': externalId },
            ArnLike: { 'aws:PrincipalArn': `arn:aws:iam::${test.cloud.accountId}:role/*` },
          },
        }),
      { code: 'ANY_PRINCIPAL_ACCEPTED', message: /fits other roles/, nextStep: /"ArnEquals": \{"aws:PrincipalArn"/ },
    ],
    [
      'with StringLike "*"',
      () => demanding({ StringLike: { 'sts:ExternalId': '*' } }),
      { code: 'EXTERNAL_ID_NOT_CHECKED', message: /StringLike and a wildcard/, nextStep: /"StringEquals": \{"sts:ExternalId"/ },
    ],
    [
      'with StringLike and what every external ID of Cordon begins with',
      () => demanding({ StringLike: { 'sts:ExternalId': 'cordon-*' } }),
      { code: 'ANY_TENANT_ACCEPTED', message: /StringLike and a wildcard/, nextStep: /"StringEquals": \{"sts:ExternalId"/ },
    ],
    [
      'with StringLike and most of the external ID',
      ({ externalId }) => demanding({ StringLike: { 'sts:ExternalId': `${externalId.slice(0, -4)}*` } }),
      { code: 'EXTERNAL_ID_NOT_CHECKED', message: /only a part of it is checked/, nextStep: /"StringEquals": \{"sts:ExternalId"/ },
    ],
    [
      'with ForAnyValue:StringLike "*"',
      () => demanding({ 'ForAnyValue:StringLike': { 'sts:ExternalId': ['*'] } }),
      {
        code: 'EXTERNAL_ID_NOT_CHECKED',
        message: /ForAnyValue:StringLike, a comparison for keys with several values/,
        nextStep: /"StringEquals"/,
      },
    ],
    [
      'that lets everyone of the connector in and denies ForAnyValue:StringNotEquals',
      ({ externalId }) => {
        const allow = demanding({});
        const [statement] = [allow.Statement].flat();
        const denied = { Condition: { 'ForAnyValue:StringNotEquals': { 'sts:ExternalId': externalId } } };
        return {
          ...allow,
          Statement: [...(statement ? [statement] : []), { Effect: 'Deny', Principal: { AWS: '*' }, Action: 'sts:AssumeRole', ...denied }],
        };
      },
      { code: 'EXTERNAL_ID_NOT_REQUIRED', message: /has no condition on sts:ExternalId/, nextStep: /"StringEquals": \{"sts:ExternalId"/ },
    ],
    [
      'with ForAllValues:StringEquals',
      ({ externalId }) => demanding({ 'ForAllValues:StringEquals': { 'sts:ExternalId': [externalId] } }),
      {
        code: 'EXTERNAL_ID_NOT_REQUIRED',
        message: /ForAllValues:StringEquals, which also holds when no external ID is given/,
        nextStep: /"StringEquals"/,
      },
    ],
    [
      'with StringEqualsIfExists',
      ({ externalId }) => demanding({ StringEqualsIfExists: { 'sts:ExternalId': externalId } }),
      {
        code: 'EXTERNAL_ID_NOT_REQUIRED',
        message: /StringEqualsIfExists, which also holds when no external ID is given/,
        nextStep: /"StringEquals"/,
      },
    ],
    [
      "that accepts another tenant's external ID too",
      ({ externalId }) => demanding({ StringEquals: { 'sts:ExternalId': [externalId, othersExternalId] } }),
      {
        code: 'ANY_TENANT_ACCEPTED',
        message: /names an external ID that is not the one of this connection/,
        nextStep: /with the one external ID of this connection/,
      },
    ],
  ];

describe('B2 a role that lets in others than it should', () => {
  it.each(weakRoles)('%s is rejected for just that, and nothing of it is kept or used', async (_, trust, { code, message, nextStep }) => {
    const role = await announced(test);
    const { tenantId, customer, wish, roleName, externalId } = role;
    await makeRole(customer, { roleName, trust: trust(role) });
    await sweep(test);
    const connection = await connectionOf(test, wish);
    expect(connection).toMatchObject({
      status: 'rejected',
      reason: { code, message: expect.stringMatching(message), nextStep: expect.stringMatching(nextStep) },
    });
    expect(connection.roleArn).toBeUndefined();
    const rejected = await test.outcome(['RoleConnectionRejected'], tenantId);
    expect(rejected.detail).toMatchObject({ reason: { code }, nextStep: connection.reason?.nextStep });
    expect(JSON.stringify([rejected, connection.reason])).not.toContain(externalId);
    expect(JSON.stringify([rejected, connection.reason])).not.toContain(othersExternalId);

    // Not even a rule that leads there makes it usable.
    const rule = { match: { provider: 'bedrock', environment: 'production' }, use: `aws-${customer.accountId}-bedrock-us-east-1` };
    await test.putEvents({ detailType: 'RoutingRulesChanged', detail: { version: 1, tenantId, requestedBy: 'test', rules: [rule] } });
    await pause(test.cloud);
    const since = test.cloud.journal.lastSeq;
    const asked = requestsAnywhere(test).length;
    expect(await refusalOf(await askBedrock(test, await tokenOf(test, tenantId)))).toEqual({ status: 403, code: 'CONNECTION_NOT_ACTIVE' });
    expect(requestsAnywhere(test)).toHaveLength(asked);
    expect(test.cloud.journal.since(since).filter(({ resource }) => resource.includes(customer.accountId))).toEqual([]);
    // It is not looked at again by itself.
    await sweep(test, 10);
    expect((await connectionOf(test, wish)).probedAt).toBe(connection.probedAt);
  });

  it('is taken once it is mended and asked for again, with the same external ID', async () => {
    const { tenantId, customer, wish, roleName, externalId } = await announced(test);
    await makeRole(customer, { roleName, trust: demanding({}) });
    await connectionThatIs(test, wish, ['rejected']);
    await changeTrust(customer, roleName, trustOf(test, externalId));
    expect(await offerOf(test, wish)).toMatchObject({ roleName, externalId });
    await connectionThatIs(test, wish, ['active']);
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
  });
});

describe('B2 a role that nobody else can assume', () => {
  it('is accepted with a word about ForAnyValue where it happens to do no harm', async () => {
    const { customer, wish, roleName, externalId } = await announced(test);
    await makeRole(customer, { roleName, trust: demanding({ 'ForAnyValue:StringEquals': { 'sts:ExternalId': [externalId] } }) });
    const { findings } = await connectionThatIs(test, wish, ['active', 'rejected']);
    expect(findings).toEqual([expect.objectContaining({ message: expect.stringContaining('ForAnyValue:StringEquals') })]);
  });

  it('is rejected after five minutes when it may not do what it is for, and says what is missing', async () => {
    const { tenantId, customer, wish, roleName, externalId } = await announced(test);
    const access: PolicyDocument = {
      ...bedrockAccess(customer, roleName),
      Statement: [bedrockAccess(customer, roleName).Statement].flat().slice(0, 1),
    };
    await makeRole(customer, { roleName, trust: trustOf(test, externalId), access });
    await sweep(test);
    // A new role's policies may follow it by a while.
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'pending', reason: { code: 'PERMISSION_MISSING' } });
    const { reason, roleArn } = await connectionThatIs(test, wish, ['rejected'], 12);
    expect(reason).toMatchObject({
      code: 'PERMISSION_MISSING',
      message: expect.stringContaining('bedrock:InvokeModel on foundation models in us-east-1'),
    });
    expect(reason?.nextStep).toContain('Update the stack');
    expect(roleArn).toBeUndefined();
    expect(bedrockRequestsOf(test, customer.accountId)).toEqual([]);
    expect((await test.outcome(['RoleConnectionRejected'], tenantId)).detail).toMatchObject({ reason: { code: 'PERMISSION_MISSING' } });
  });

  it('is accepted when its policies follow the role after some minutes', async () => {
    const { customer, wish, roleName, externalId } = await announced(test);
    const { Statement } = bedrockAccess(customer, roleName);
    await makeRole(customer, { roleName, trust: trustOf(test, externalId), access: { Statement: [Statement].flat().slice(0, 1) } });
    await sweep(test);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'pending', reason: { code: 'PERMISSION_MISSING' } });
    await giveAccess(customer, roleName, bedrockAccess(customer, roleName));
    await connectionThatIs(test, wish, ['active'], 3);
  });

  it('is accepted as an administrator’s, and said to be one', async () => {
    const { tenantId, customer, wish, roleName, externalId } = await announced(test);
    const access: PolicyDocument = { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] };
    await makeRole(customer, { roleName, trust: trustOf(test, externalId), access });
    const { findings } = await connectionThatIs(test, wish, ['active', 'rejected']);
    expect(findings.map(({ code }) => code)).toEqual(['ADMINISTRATOR_WIDE']);
    expect((await test.outcome(['RoleConnectionVerified'], tenantId)).detail).toMatchObject({ findings });
  });
});
