import { beforeAll, describe, expect, it } from 'vitest';
import { chat, endedUses, openAiMain, refusalOf, toOpenAiMain } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { changeTrust, newCustomer, trustOf } from '../support/customer-account.ts';
import { askBedrock, bedrockRequestsOf, requestsAnywhere } from '../support/customer-calls.ts';
import {
  askConnections,
  type Connected,
  connect,
  connectionOf,
  deleteStack,
  offerOf,
  sweep,
  tenantWith,
  tokenOf,
} from '../support/customers.ts';
import { pause } from '../support/settle.ts';
import { bringKeyIn } from '../support/supply.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

describe('B7 BYOC in name only is impossible', () => {
  const stagingKey = { credentialId: 'bedrock-staging', provider: 'bedrock', source: 'customer-supplied', environment: 'staging' };
  const inStaging = { 'x-cordon-environment': 'staging' };
  const inProduction = { 'x-cordon-environment': 'production' };

  /** A tenant with a verified role for production, a key of the platform's for OpenAI and a Bedrock key of its own for staging, both usable. */
  async function wellSupplied(): Promise<Connected> {
    const tenantId = await tenantWith(test, {
      credentials: [openAiMain, { ...stagingKey, settings: { region: 'us-east-1' } }],
      routing: [toOpenAiMain, { match: { provider: 'bedrock', environment: 'staging' }, use: 'bedrock-staging' }],
    });
    await bringKeyIn(test, { tenantId, credentialId: 'bedrock-staging', provider: 'bedrock' });
    return connect(test, { tenantId });
  }

  const breaches: readonly (readonly [string, (connected: Connected) => Promise<void>, { code: string; status: number }])[] = [
    [
      'whose role was deleted a moment ago',
      ({ customer, offer }) => deleteStack(test, customer, offer.url),
      { code: 'CUSTOMER_ROLE_REFUSED', status: 403 },
    ],
    [
      'whose role was deleted and is suspended for it',
      async ({ customer, offer }) => {
        await deleteStack(test, customer, offer.url);
        await sweep(test, 5);
      },
      { code: 'CONNECTION_NOT_ACTIVE', status: 403 },
    ],
    [
      'whose role now demands another external ID',
      ({ customer, offer }) => changeTrust(customer, offer.roleName, trustOf(test, 'another')),
      { code: 'CUSTOMER_ROLE_REFUSED', status: 403 },
    ],
    [
      'that was ended by the tenant',
      async ({ tenantId, customer }) => {
        await askConnections(test, await tokenOf(test, tenantId), { method: 'DELETE', path: `/${customer.accountId}` });
        await pause(test.cloud);
      },
      { code: 'CONNECTION_NOT_ACTIVE', status: 403 },
    ],
    [
      'that is asked for anew and not verified yet',
      async ({ tenantId, wish, customer, offer }) => {
        await deleteStack(test, customer, offer.url);
        await sweep(test, 5);
        await offerOf(test, wish);
        expect(await connectionOf(test, wish)).toMatchObject({ status: 'pending' });
        expect(tenantId).toBe(wish.tenantId);
      },
      { code: 'CONNECTION_NOT_ACTIVE', status: 403 },
    ],
  ];

  it.each(breaches)('a connection %s fails with that reason; no other credential is tried', async (_, breakIt, refusal) => {
    const own = await wellSupplied();
    const { tenantId, customer } = own;
    await breakIt(own);
    const holder = await tokenOf(test, tenantId);
    // The others work, and could have been taken.
    expect((await askBedrock(test, holder, { headers: inStaging })).status).toBe(200);
    expect((await chat(test, holder)).status).toBe(200);
    await test.settled();

    const asked = requestsAnywhere(test).length;
    const since = test.cloud.journal.lastSeq;
    for (const headers of [inProduction, inProduction])
      expect(await refusalOf(await askBedrock(test, holder, { headers }))).toEqual(refusal);
    expect(requestsAnywhere(test)).toHaveLength(asked);
    expect(bedrockRequestsOf(test, customer.accountId)).toEqual([]);
    const done = test.cloud.journal.since(since);
    expect(done.filter(({ action }) => action.startsWith('secretsmanager:'))).toEqual([]);
    expect(
      done.filter(
        ({ action, resource, decision }) => action === 'sts:AssumeRole' && decision === 'allow' && !resource.includes(':role/cordon/'),
      ),
    ).toEqual([]);
    for (const { intent } of (await endedUses(test, tenantId, 2)).slice(2))
      expect(intent.credentialId).toBe(`aws-${customer.accountId}-bedrock-us-east-1`);
  });

  it('a connection whose role was never made fails for want of a credential; no other credential is tried', async () => {
    const tenantId = await tenantWith(test, { credentials: [openAiMain], routing: [toOpenAiMain] });
    await offerOf(test, { tenantId, customerAccountId: newCustomer(test).accountId });
    await sweep(test);
    const holder = await tokenOf(test, tenantId);
    expect((await chat(test, holder)).status).toBe(200);
    const asked = requestsAnywhere(test).length;
    expect(await refusalOf(await askBedrock(test, holder))).toEqual({ status: 404, code: 'NO_CREDENTIAL' });
    expect(requestsAnywhere(test)).toHaveLength(asked);
  });

  it('a role that is deleted under a warm session is refused by the customer’s account and by nobody else', async () => {
    const own = await wellSupplied();
    const { tenantId, customer, offer } = own;
    const holder = await tokenOf(test, tenantId);
    expect((await askBedrock(test, holder, { headers: inProduction })).status).toBe(200);
    await deleteStack(test, customer, offer.url);
    const asked = requestsAnywhere(test).length;
    const answer = await askBedrock(test, holder, { headers: inProduction });
    expect(answer.status).toBe(403);
    expect(requestsAnywhere(test).length - asked).toBe(1);
    expect(bedrockRequestsOf(test, customer.accountId)).toMatchObject([{ status: 200 }, { status: 403 }]);
  });
});
