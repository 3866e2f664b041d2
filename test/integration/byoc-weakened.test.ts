import { beforeAll, describe, expect, it } from 'vitest';
import { endedUses, refusalOf } from '../support/broker-calls.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { changeTrust, deleteRole, giveAccess, makeRole, newCustomer, trustOf } from '../support/customer-account.ts';
import { askBedrock, bedrockRequestsOf } from '../support/customer-calls.ts';
import {
  type Connected,
  connect,
  connectionOf,
  connectionThatIs,
  deleteStack,
  followLink,
  offerOf,
  sweep,
  tenantWith,
  tokenOf,
} from '../support/customers.ts';

let test: TestCloud;
beforeAll(async () => {
  test = await testCloud();
});

const day = 24 * 60;
const anyExternalId = () => ({ Condition: { ArnEquals: { 'aws:PrincipalArn': test.cloud.outputs['ByocConnectorRoleArn'] ?? '' } } });
const newConnection = async (): Promise<Connected> => connect(test, { tenantId: await tenantWith(test) });

/** What a caller is told, and that nothing reached the customer's Bedrock. */
async function refusalFor({ tenantId, customer }: Connected): Promise<{ status: number; code: string }> {
  const before = bedrockRequestsOf(test, customer.accountId).length;
  const refusal = await refusalOf(await askBedrock(test, await tokenOf(test, tenantId)));
  expect(bedrockRequestsOf(test, customer.accountId)).toHaveLength(before);
  return refusal;
}

const notActive = { status: 403, code: 'CONNECTION_NOT_ACTIVE' };

/** What a customer may do to a verified role, what the connection is suspended for, and what the customer is told. */
const weakenings: readonly (readonly [string, (connected: Connected) => Promise<void>, string, RegExp])[] = [
  [
    'no longer asks for the external ID',
    ({ customer, offer }) => changeTrust(customer, offer.roleName, trustOf(test, '', anyExternalId())),
    'EXTERNAL_ID_NOT_REQUIRED',
    /has no condition on sts:ExternalId/,
  ],
  [
    'is open to other roles of the platform',
    ({ customer, offer }) =>
      changeTrust(customer, offer.roleName, trustOf(test, '', { Condition: { StringEquals: { 'sts:ExternalId': offer.externalId } } })),
    'ANY_PRINCIPAL_ACCEPTED',
    /no condition on the calling role/,
  ],
  [
    'was deleted with its stack',
    ({ customer, offer }) => deleteStack(test, customer, offer.url),
    'ROLE_GONE',
    /it was deleted, or its trust policy/,
  ],
  [
    'was deleted and made again with the very same trust',
    async ({ customer, offer: { roleName, externalId } }) => {
      await deleteRole(customer, roleName);
      await makeRole(customer, { roleName, trust: trustOf(test, externalId) });
    },
    'ROLE_RECREATED',
    /was deleted and made again/,
  ],
  [
    'may no longer do what it is for',
    ({ customer, offer }) => giveAccess(customer, offer.roleName, { Statement: [{ Effect: 'Deny', Action: 'bedrock:*', Resource: '*' }] }),
    'PERMISSION_MISSING',
    /bedrock:InvokeModel/,
  ],
];

describe('B3 B7 a role that was verified and', () => {
  it.each(weakenings)('%s is suspended five minutes after it was verified', async (_, weaken, code, message) => {
    const connected = await newConnection();
    const { tenantId, wish } = connected;
    await weaken(connected);
    await sweep(test, 5);
    const { status, reason } = await connectionOf(test, wish);
    expect({ status, reason }).toEqual({
      status: 'suspended',
      reason: { code, message: expect.stringMatching(message), nextStep: expect.stringMatching(/connect the account again|connection/i) },
    });
    const suspended = await test.outcome(['RoleConnectionSuspended'], tenantId);
    expect(suspended.detail).toMatchObject({ reason: { code }, nextStep: reason?.nextStep });
    expect(await refusalFor(connected)).toEqual(notActive);
  });

  it('is weakened later is found the day after, and not before', async () => {
    const connected = await newConnection();
    const { customer, offer, wish } = connected;
    await sweep(test, 5);
    const { verifiedAt } = await connectionOf(test, wish);
    await changeTrust(customer, offer.roleName, trustOf(test, '', anyExternalId()));
    await sweep(test, day - 65);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'active', verifiedAt });
    await sweep(test, 130);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'suspended', reason: { code: 'EXTERNAL_ID_NOT_REQUIRED' } });
    expect(await refusalFor(connected)).toEqual(notActive);
  });

  it('stays sound is verified anew every day', async () => {
    const { wish } = await newConnection();
    await sweep(test, 5);
    for (let days = 0; days < 3; days += 1) {
      const { verifiedAt = '' } = await connectionOf(test, wish);
      await sweep(test, day + 60);
      const after = await connectionOf(test, wish);
      expect(after.status).toBe('active');
      expect(Date.parse(after.verifiedAt ?? '')).toBeGreaterThan(Date.parse(verifiedAt));
    }
  });
});

describe('B3 a suspended connection', () => {
  it('is not looked at until it is asked for again; mended it is in use again, with the same external ID', async () => {
    const connected = await newConnection();
    const { tenantId, customer, offer, wish } = connected;
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
    await changeTrust(customer, offer.roleName, trustOf(test, '', anyExternalId()));
    await sweep(test, 5);
    await changeTrust(customer, offer.roleName, trustOf(test, offer.externalId));
    await sweep(test, day + 60);
    expect((await connectionOf(test, wish)).status).toBe('suspended');
    expect(await refusalFor(connected)).toEqual(notActive);

    const again = await offerOf(test, wish);
    expect(again).toEqual(offer);
    expect(await refusalFor(connected)).toEqual(notActive);
    await connectionThatIs(test, wish, ['active']);
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
    expect(
      (await test.published(tenantId)).map(({ detailType }) => detailType).filter((type) => type.startsWith('RoleConnection')),
    ).toEqual([
      'RoleConnectionOffered',
      'RoleConnectionVerified',
      'RoleConnectionSuspended',
      'RoleConnectionOffered',
      'RoleConnectionVerified',
    ]);
  });

  it('takes a role that was made again once it is asked for again, and uses no session of the old one', async () => {
    const connected = await newConnection();
    const { tenantId, customer, offer, wish } = connected;
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
    await deleteStack(test, customer, offer.url);
    await sweep(test, 5);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'suspended', reason: { code: 'ROLE_GONE' } });
    const { url } = await offerOf(test, wish);
    expect(await followLink(test, customer, url)).toBe('CREATE_COMPLETE');
    await connectionThatIs(test, wish, ['active']);
    expect((await askBedrock(test, await tokenOf(test, tenantId))).status).toBe(200);
    const uses = (await endedUses(test, tenantId, 2)).filter(({ outcome }) => outcome.result === 'succeeded');
    const [first, second] = uses.map(({ credentialVersion }) => credentialVersion);
    expect(uses).toHaveLength(2);
    expect(first).toMatch(/^AROA/);
    expect(second).toMatch(/^AROA/);
    expect(second).not.toBe(first);
    const [old, young] = bedrockRequestsOf(test, customer.accountId).map(({ accessKeyId }) => accessKeyId);
    expect(young).not.toBe(old);
  });

  it('cuts the stream that is being read', async () => {
    const connected = await newConnection();
    const { tenantId, customer, offer, wish } = connected;
    test.cloud.world.misbehave('bedrock', { chunkGapMs: 1500 });
    try {
      const answer = await askBedrock(test, await tokenOf(test, tenantId), { operation: 'converse-stream' });
      expect(answer.status).toBe(200);
      const read = answer.text().then(
        (text) => `whole: ${text}`,
        () => 'cut',
      );
      await changeTrust(customer, offer.roleName, trustOf(test, '', anyExternalId()));
      test.cloud.clock.advance(5 * 60_000 + 1000);
      await expect.poll(async () => (await connectionOf(test, wish)).status, { timeout: 10_000 }).toBe('suspended');
      const text = await read;
      expect(text).not.toContain('messageStop');
      const [use] = await endedUses(test, tenantId, 1);
      expect(use?.outcome).toMatchObject({ result: 'cut', code: 'CONNECTION_NOT_ACTIVE' });
    } finally {
      test.cloud.world.misbehave('bedrock');
    }
  });
});

describe('B3 the sweep', () => {
  it('works off what is due of many tenants, and one tenant’s many connections do not keep the others waiting', async () => {
    const [busy, other] = [await tenantWith(test), await tenantWith(test)];
    const wishes = [];
    for (let count = 0; count < 14; count += 1) wishes.push({ tenantId: busy, customerAccountId: newCustomer(test).accountId });
    for (const wish of wishes) await offerOf(test, wish);
    const customer = newCustomer(test);
    const last = { tenantId: other, customerAccountId: customer.accountId };
    const { url } = await offerOf(test, last);
    await followLink(test, customer, url);
    await sweep(test);
    expect((await connectionOf(test, last)).status).toBe('active');
    await sweep(test);
    for (const one of wishes)
      expect(await connectionOf(test, one)).toMatchObject({ status: 'pending', reason: { code: 'ROLE_NOT_REACHABLE' } });
  });
});
