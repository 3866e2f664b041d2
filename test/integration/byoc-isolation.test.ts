import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { AssumeRoleCommand } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AwsCredentials } from '../../local/aws-clients.ts';
import { chat, openAiMain, plantItem, refusalOf, toOpenAiMain } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { makeRole, newCustomer, trustOf } from '../support/customer-account.ts';
import { askBedrock, bedrockRequestsOf, requestsAnywhere } from '../support/customer-calls.ts';
import {
  askConnections,
  type Connected,
  connect,
  connectionOf,
  connectionsSeen,
  offerOf,
  requested,
  sweep,
  tenantWith,
  tokenOf,
} from '../support/customers.ts';
import { lettersAbout } from '../support/dead-letters.ts';
import { administratorOf, assumeRole, credentialsOf, writerOf } from '../support/neighbours.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
/** Tenants; the name of `b` begins with that of `a`. Each has an account of its own connected. */
let a: Connected;
let b: Connected;

beforeAll(async () => {
  test = await testCloud();
  const tenantId = await tenantWith(test, { credentials: [openAiMain], routing: [toOpenAiMain] });
  a = await connect(test, { tenantId });
  b = await connect(test, { tenantId: await tenantWith(test, { tenantId: `${tenantId}-2` }) });
});

const roleArnOf = ({ customer, offer }: Connected): string => `arn:aws:iam::${customer.accountId}:role/${offer.roleName}`;

/** A session of one of the platform's roles for customers' accounts, from a session of the tenant. */
function fromTenant(session: AwsCredentials, tenantId: string, role: 'ByocConnector' | 'ByocProbe'): Promise<AwsCredentials> {
  const RoleArn = test.cloud.outputs[`${role}RoleArn`];
  return assumeRole(test.clients(session), { RoleArn, RoleSessionName: tenantId, Tags: [{ Key: 'TenantId', Value: tenantId }] });
}

/** What comes of taking a customer's role with its right external ID. */
function taking(who: AwsCredentials, { customer, offer }: Connected) {
  const RoleArn = `arn:aws:iam::${customer.accountId}:role/${offer.roleName}`;
  return test.attempt(who, ({ sts }) => sts.send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'x1', ExternalId: offer.externalId })));
}

describe('B1 B5 T1 a customer’s role, with its right external ID,', () => {
  it.each(['reader', 'writer'])(
    'is taken by the connector of its own tenant and refused to that of another, by IAM: opened by the %s',
    async (kind) => {
      const own = kind === 'reader' ? await test.tenantSession(a.tenantId) : await writerOf(test, a.tenantId);
      const connector = await fromTenant(own, a.tenantId, 'ByocConnector');
      expect(await taking(connector, a)).toMatchObject({ outcome: 'allowed' });
      const refused = await taking(connector, b);
      expect(refused.outcome).toBe('denied');
      expect(refused.statements.join()).toContain('DenyRolesOfOthers');
    },
  );

  it('is refused to a tenant’s own sessions: only the connector is let in', async () => {
    const { tenantId } = a;
    const ana = { version: 1, tenantId, issuer: test.cloud.oidc.issuer, subject: 'ana', requestedBy: 'test' };
    await test.putEvents({ detailType: 'UserOnboarded', detail: ana });
    await test.settled();
    const sessions = {
      reader: await test.tenantSession(tenantId),
      user: await test.tenantSession(tenantId, 'ana'),
      writer: await writerOf(test, tenantId),
    };
    for (const [name, session] of Object.entries(sessions))
      for (const connected of [a, b])
        expect({ name, outcome: (await taking(session, connected)).outcome }).toEqual({ name, outcome: 'denied' });
  });

  it.each(['broker', 'byoc', 'connections', 'sweep', 'sessions', 'tenants', 'door'])(
    'is refused to the role of the function %s',
    async (name) => {
      expect((await taking(await credentialsOf(test, name), a)).outcome).toBe('denied');
    },
  );

  it('is refused to the operator and to the platform’s administrator', async () => {
    for (const who of [test.cloud.operator, administratorOf(test)]) expect((await taking(who, a)).outcome).toBe('denied');
  });

  it.each<[string, () => Promise<AwsCredentials>]>([
    ['its reader', () => test.tenantSession(a.tenantId)],
    ['its writer', () => writerOf(test, a.tenantId)],
    ['its own connector', async () => fromTenant(await test.tenantSession(a.tenantId), a.tenantId, 'ByocConnector')],
  ])('is not reached by a tenant as the connector of another tenant, from %s', async (_, open) => {
    const session = await open();
    for (const role of ['ByocConnector', 'ByocProbe'] as const)
      await expect(fromTenant(session, b.tenantId, role)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('is refused to the second principal only by the customer’s condition on the calling role: why one without it is rejected', async () => {
    const tenantId = await tenantWith(test);
    const customer = newCustomer(test);
    const wish = { tenantId, customerAccountId: customer.accountId };
    const offer = await offerOf(test, wish);
    const onlyId = { Condition: { StringEquals: { 'sts:ExternalId': offer.externalId } } };
    await makeRole(customer, { roleName: offer.roleName, trust: trustOf(test, '', onlyId) });
    const second = await fromTenant(await writerOf(test, tenantId), tenantId, 'ByocProbe');
    const open: Connected = { tenantId, customer, wish, offer, connection: await connectionOf(test, wish) };
    expect((await taking(second, open)).outcome).toBe('allowed');
    expect((await taking(await fromTenant(await writerOf(test, a.tenantId), a.tenantId, 'ByocProbe'), a)).outcome).toBe('denied');
    await sweep(test);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'rejected', reason: { code: 'ANY_PRINCIPAL_ACCEPTED' } });
  });
});

describe('B1 T1 a tenant that names another tenant’s account', () => {
  it('gets an external ID and a role name of its own, and nothing of what is connected there', async () => {
    const wish = { tenantId: a.tenantId, customerAccountId: b.customer.accountId };
    const offer = await offerOf(test, wish);
    expect(offer.externalId).not.toBe(b.offer.externalId);
    expect(offer.roleName).not.toBe(b.offer.roleName);
    await sweep(test);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'pending', reason: { code: 'ROLE_NOT_REACHABLE' } });

    // The customer's role refuses the other tenant's ID also from its own tenant's connector.
    const connector = await fromTenant(await test.tenantSession(b.tenantId), b.tenantId, 'ByocConnector');
    expect((await taking(connector, { ...b, offer: { ...b.offer, externalId: offer.externalId } })).outcome).toBe('denied');
    expect((await taking(connector, b)).outcome).toBe('allowed');

    const rules = [{ match: { provider: 'bedrock', environment: 'production' }, use: `aws-${b.customer.accountId}-bedrock-us-east-1` }];
    await test.putEvents({
      detailType: 'RoutingRulesChanged',
      detail: { version: 1, tenantId: a.tenantId, requestedBy: 'test', rules: [toOpenAiMain, ...rules] },
    });
    await pause(test.cloud);
    expect(await refusalOf(await askBedrock(test, await tokenOf(test, a.tenantId)))).toEqual({
      status: 403,
      code: 'CONNECTION_NOT_ACTIVE',
    });
    expect(bedrockRequestsOf(test, b.customer.accountId)).toEqual([]);
    expect((await connectionOf(test, b.wish)).status).toBe('active');
  });

  it('sees nothing of the other tenant’s connections, and cannot end them', async () => {
    const text = await (await askConnections(test, await tokenOf(test, b.tenantId))).text();
    for (const mine of [a.customer.accountId, a.offer.roleName, a.offer.externalId]) expect(text).not.toContain(mine);
    const { connections, credentials } = await connectionsSeen(test, await tokenOf(test, b.tenantId));
    expect(connections.map(({ customerAccountId }) => customerAccountId)).toEqual([b.customer.accountId]);
    expect(credentials.map(({ credentialId }) => credentialId)).toEqual([`aws-${b.customer.accountId}-bedrock-us-east-1`]);
    const end = await askConnections(test, await tokenOf(test, b.tenantId), { method: 'DELETE', path: `/${a.customer.accountId}` });
    expect(await refusalOf(end)).toEqual({ status: 404, code: 'CONNECTION_UNKNOWN' });
    await pause(test.cloud);
    expect((await connectionOf(test, a.wish)).status).toBe('active');
  });

  it('cannot say through the API that it is another tenant', async () => {
    const body = { customerAccountId: newCustomer(test).accountId, services: ['bedrock'], regions: ['us-east-1'], tenantId: a.tenantId };
    const answer = await askConnections(test, await tokenOf(test, b.tenantId), { method: 'POST', body });
    expect(await refusalOf(answer)).toEqual({ status: 400, code: 'CALL_INVALID' });
  });

  it('cannot put an event: only the platform may', async () => {
    const { detailType, detail } = requested({ tenantId: b.tenantId, customerAccountId: newCustomer(test).accountId });
    for (const session of [await test.tenantSession(a.tenantId), await writerOf(test, a.tenantId)]) {
      const Entries = [
        {
          EventBusName: test.cloud.outputs['EventBusName'],
          Source: 'cordon.platform',
          DetailType: detailType,
          Detail: JSON.stringify(detail),
        },
      ];
      expect((await test.attempt(session, ({ events }) => events.send(new PutEventsCommand({ Entries })))).outcome).toBe('denied');
    }
  });

  it('cannot end it by an event about itself', async () => {
    const detail = { version: 1, tenantId: b.tenantId, requestedBy: 'test', customerAccountId: a.customer.accountId };
    await test.putEvents({ detailType: 'RoleDisconnectionRequested', detail });
    await pause(test.cloud);
    for (let minute = 0; minute < 60 && (await lettersAbout(test, a.customer.accountId, 'byoc')).length === 0; minute += 1)
      await sweep(test);
    expect(await lettersAbout(test, a.customer.accountId, 'byoc')).toMatchObject([{ reasonCode: 'CONNECTION_UNKNOWN' }]);
    expect((await connectionOf(test, a.wish)).status).toBe('active');
  });
});

describe('B5 T1 a registry item that names another tenant’s role', () => {
  it('is not believed by the broker: the call is refused, the refusal is told, and no AWS account is asked', async () => {
    const victim = await connect(test, { tenantId: await tenantWith(test) });
    const { tenantId, customer } = await connect(test, { tenantId: await tenantWith(test) });
    await plantItem(test, tenantId, `CONNECTION#${customer.accountId}`, {
      roleArn: roleArnOf(victim),
      externalId: victim.offer.externalId,
    });
    const since = test.cloud.journal.lastSeq;
    const asked = requestsAnywhere(test).length;
    expect((await refusalOf(await askBedrock(test, await tokenOf(test, tenantId)))).code).toBe('ACCESS_REFUSED');
    expect(requestsAnywhere(test)).toHaveLength(asked);
    expect(test.cloud.journal.since(since).filter(({ resource }) => resource === roleArnOf(victim))).toEqual([]);
    await test.outcome(['IsolationViolationDetected'], tenantId);
  });

  it('is not believed by the worker either: IAM refuses, and the connection is not taken for verified', async () => {
    const victim = await connect(test, { tenantId: await tenantWith(test) });
    const { tenantId, customer, wish } = await connect(test, { tenantId: await tenantWith(test) });
    await plantItem(test, tenantId, `CONNECTION#${customer.accountId}`, {
      roleName: victim.offer.roleName,
      externalId: victim.offer.externalId,
    });
    const since = test.cloud.journal.lastSeq;
    await sweep(test, 5);
    const tried = test.cloud.journal
      .since(since)
      .filter(({ resource, tags }) => tags['TenantId'] === tenantId && resource.endsWith(`role/${victim.offer.roleName}`));
    expect(tried.length).toBeGreaterThan(0);
    expect(tried.filter(({ decision }) => decision === 'allow')).toEqual([]);
    expect((await connectionOf(test, wish)).status).toBe('suspended');
  });
});

describe('T1 the other credentials of a tenant', () => {
  it('are not touched by its connection, and neither is it by theirs', async () => {
    const token = await tokenOf(test, a.tenantId);
    const since = test.cloud.journal.lastSeq;
    expect((await chat(test, token)).status).toBe(200);
    expect(test.cloud.journal.since(since).filter(({ resource }) => resource.includes(a.customer.accountId))).toEqual([]);
  });
});
