import { createPublicKey, verify } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { usesBy } from '../support/attribution-log.ts';
import { refusalOf } from '../support/broker-calls.ts';
import { sightings, tracesOf } from '../support/canaries.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { makeRole, newCustomer, trustOf } from '../support/customer-account.ts';
import { askBedrock, bedrockRequestsOf } from '../support/customer-calls.ts';
import {
  askConnections,
  connect,
  connectionOf,
  connectionsSeen,
  connectionThatIs,
  followLink,
  linkOf,
  offerOf,
  requested,
  sweep,
  tenantWith,
  tokenOf,
} from '../support/customers.ts';
import { lettersAbout } from '../support/dead-letters.ts';
import { asRoot } from '../support/ground-truth.ts';
import { pause } from '../support/settle.ts';

let test: TestCloud;
/** Every external ID that was made here. */
const externalIds: string[] = [];

beforeAll(async () => {
  test = await testCloud();
});

const eventsAbout = async (tenantId: string): Promise<string[]> =>
  (await test.published(tenantId)).map(({ detailType }) => detailType).filter((type) => type.startsWith('RoleConnection'));

async function offered(wish: Parameters<typeof offerOf>[1]) {
  const offer = await offerOf(test, wish);
  externalIds.push(offer.externalId);
  return offer;
}

describe('B1 B2 B5 from the wish to the first answer', () => {
  it('takes a link and nothing to type: the role is found, verified and used', async () => {
    const tenantId = await tenantWith(test);
    const customer = newCustomer(test);
    const wish = { tenantId, customerAccountId: customer.accountId };
    const { url, roleName, externalId } = await offered(wish);
    expect(externalId).toMatch(/^cordon-[a-z2-7]{32}$/);
    expect(await followLink(test, customer, url)).toBe('CREATE_COMPLETE');
    await sweep(test);

    const roleArn = `arn:aws:iam::${customer.accountId}:role/${roleName}`;
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'active', roleArn, findings: [] });
    const verified = await test.outcome(['RoleConnectionVerified'], tenantId);
    expect(verified.detail).toMatchObject({ tenantId, customerAccountId: customer.accountId, roleArn, findings: [] });

    const answer = await askBedrock(test, await tokenOf(test, tenantId, 'member'));
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ output: { message: { role: 'assistant' } } });
    expect(bedrockRequestsOf(test, customer.accountId)).toMatchObject([
      { status: 200, principalArn: `arn:aws:sts::${customer.accountId}:assumed-role/${roleName}/${tenantId}` },
    ]);
  });

  it('leaves signed evidence of what was tried, which the public key alone can check', async () => {
    const tenantId = await tenantWith(test);
    const { connection, offer, customer } = await connect(test, { tenantId });
    externalIds.push(offer.externalId);
    const uses = (await usesBy(test, tenantId)).filter(({ intent }) => intent.operation === 'connection.verify');
    const { proof, outcome, context } = uses.find((use) => use.proof !== undefined) ?? {};
    expect(outcome).toEqual({ result: 'succeeded' });
    expect(context).toMatchObject({ verdict: 'sound', customerAccountId: customer.accountId });
    expect(proof?.keyArn).toBe(test.cloud.outputs['EvidenceKeyArn']);

    const { PublicKey } = z
      .object({ PublicKey: z.string() })
      .parse(await asRoot(test.cloud, 'kms', 'GetPublicKey', { KeyId: test.cloud.outputs['EvidenceKeyArn'] }));
    const key = createPublicKey({ key: Buffer.from(PublicKey, 'base64'), format: 'der', type: 'spki' });
    const { document = '', signature = '' } = proof ?? {};
    const isSigned = (text: string): boolean => verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'base64'));
    expect(isSigned(document)).toBe(true);
    expect(isSigned(document.replace('"sound"', '"wrong"'))).toBe(false);

    const { steps, ...rest } = z
      .looseObject({ steps: z.array(z.object({ step: z.string(), answer: z.string() })) })
      .parse(JSON.parse(document));
    expect(rest).toMatchObject({ tenantId, customerAccountId: customer.accountId, verdict: 'sound', roleArn: connection.roleArn });
    expect(steps.map(({ step, answer }) => `${step} ${answer}`)).toEqual([
      'right allowed',
      'identity allowed',
      'missing refused',
      'wrong refused',
      'nearly-right refused',
      'other-tenant refused',
      'second-principal refused',
      'right-again allowed',
    ]);
  });

  it('can be wished for through the API by an admin, and by nobody else', async () => {
    const tenantId = await tenantWith(test);
    const { accountId: customerAccountId } = newCustomer(test);
    const body = { customerAccountId, services: ['bedrock'], regions: ['us-east-1'] };
    const refused = await askConnections(test, await tokenOf(test, tenantId, 'member'), { method: 'POST', body });
    expect(await refusalOf(refused)).toEqual({ status: 403, code: 'ROLE_REQUIRED' });
    await pause(test.cloud);
    expect(await eventsAbout(tenantId)).toEqual([]);

    const accepted = await askConnections(test, await tokenOf(test, tenantId), { method: 'POST', body });
    expect(accepted.status).toBe(202);
    expect(await accepted.json()).toEqual({ customerAccountId, status: 'requested' });
    await pause(test.cloud);
    expect(await connectionOf(test, { tenantId, customerAccountId })).toMatchObject({ status: 'pending', services: ['bedrock'] });
    expect(await eventsAbout(tenantId)).toEqual(['RoleConnectionOffered']);
  });
});

describe('B1 T1 the link with the external ID', () => {
  it('is shown to admins while the role is to be made, to no other member, and to nobody once the role works', async () => {
    const tenantId = await tenantWith(test);
    const customer = newCustomer(test);
    const wish = { tenantId, customerAccountId: customer.accountId };
    const { url, externalId } = await offered(wish);
    const asMember = await (await askConnections(test, await tokenOf(test, tenantId, 'member'))).text();
    expect(asMember).toContain(customer.accountId);
    expect(asMember).not.toContain(externalId);
    expect(asMember).not.toContain('quickCreateUrl');

    await followLink(test, customer, url);
    await connectionThatIs(test, wish, ['active']);
    for (const role of ['admin', 'member']) {
      const text = await (await askConnections(test, await tokenOf(test, tenantId, role))).text();
      expect(text).toContain('"active"');
      expect(text).not.toContain(externalId);
    }
  });

  it('is one for a tenant and an account: another for each other tenant and each other account', async () => {
    const [a, b] = [await tenantWith(test), await tenantWith(test)];
    const [one, two] = [newCustomer(test).accountId, newCustomer(test).accountId];
    const offers = [];
    for (const [tenantId, customerAccountId] of [
      [a, one],
      [a, two],
      [b, one],
    ] as const)
      offers.push(await offered({ tenantId, customerAccountId }));
    expect(new Set(offers.map(({ externalId }) => externalId)).size).toBe(3);
    expect(new Set(offers.map(({ roleName }) => roleName)).size).toBe(3);
  });

  it('stays the same when the wish comes twice, is repeated, or is made again after its time', async () => {
    const tenantId = await tenantWith(test);
    const wish = { tenantId, customerAccountId: newCustomer(test).accountId };
    test.cloud.faults.add({ service: 'events', action: 'PutEvents', nth: 1, mode: 'duplicate' });
    const first = await offered(wish);
    expect(test.cloud.faults.list()).toEqual([]);
    await test.putEvents(requested(wish), requested(wish));
    await pause(test.cloud);
    expect(await eventsAbout(tenantId)).toEqual(['RoleConnectionOffered']);
    expect(linkOf((await connectionOf(test, wish)).quickCreateUrl ?? '').parameters['ExternalId']).toBe(first.externalId);

    await sweep(test, 24 * 60);
    expect(await connectionOf(test, wish)).toMatchObject({ status: 'expired', reason: { code: 'ROLE_NOT_REACHABLE' } });
    expect(await offered(wish)).toEqual(first);
    expect(await eventsAbout(tenantId)).toEqual(['RoleConnectionOffered', 'RoleConnectionExpired', 'RoleConnectionOffered']);
  });
});

describe('B2 a role that is not where it was announced', () => {
  it.each(['under another name', 'in another account'])(
    'is not found %s: the connection waits, says what may be the cause, and ends after a day',
    async (where) => {
      const tenantId = await tenantWith(test);
      const [announced, another] = [newCustomer(test), newCustomer(test)];
      const wish = { tenantId, customerAccountId: announced.accountId };
      const { roleName, externalId } = await offered(wish);
      const trust = trustOf(test, externalId);
      if (where === 'in another account') await makeRole(another, { roleName, trust });
      else await makeRole(announced, { roleName: `${roleName}x`, trust });
      await sweep(test);
      await sweep(test);
      const { status, reason, roleArn } = await connectionOf(test, wish);
      expect({ status, code: reason?.code, roleArn }).toEqual({ status: 'pending', code: 'ROLE_NOT_REACHABLE', roleArn: undefined });
      expect(reason?.message).toContain('in another account');
      expect(reason?.message).toContain('another name');
      expect(reason?.nextStep).toContain(announced.accountId);
      expect(await refusalOf(await askBedrock(test, await tokenOf(test, tenantId)))).toEqual({ status: 404, code: 'NO_CREDENTIAL' });

      await sweep(test, 24 * 60);
      expect((await connectionOf(test, wish)).status).toBe('expired');
      // What comes after its time is not looked for.
      if (where === 'under another name') await makeRole(announced, { roleName, trust });
      await sweep(test, 60);
      expect((await connectionOf(test, wish)).status).toBe('expired');
    },
  );
});

describe('B1 B7 disconnecting', () => {
  it('is in force at the next use, and is told', async () => {
    const tenantId = await tenantWith(test);
    const { customer, offer } = await connect(test, { tenantId });
    externalIds.push(offer.externalId);
    const token = await tokenOf(test, tenantId);
    expect((await askBedrock(test, token)).status).toBe(200);
    const asMember = await askConnections(test, await tokenOf(test, tenantId, 'member'), {
      method: 'DELETE',
      path: `/${customer.accountId}`,
    });
    expect(await refusalOf(asMember)).toEqual({ status: 403, code: 'ROLE_REQUIRED' });
    expect((await askConnections(test, token, { method: 'DELETE', path: `/${customer.accountId}` })).status).toBe(202);
    await pause(test.cloud);
    expect(await refusalOf(await askBedrock(test, token))).toEqual({ status: 403, code: 'CONNECTION_NOT_ACTIVE' });
    expect(bedrockRequestsOf(test, customer.accountId)).toHaveLength(1);
    expect((await eventsAbout(tenantId)).at(-1)).toBe('RoleConnectionEnded');
    // Nobody looks at the customer's account any more.
    const since = test.cloud.journal.lastSeq;
    await sweep(test, 26 * 60);
    expect(test.cloud.journal.since(since).filter(({ resource }) => resource.includes(customer.accountId))).toEqual([]);
  });
});

describe('B1 an event that cannot be believed', () => {
  it('is put aside with its reason when its tenant is unknown', async () => {
    const tenantId = test.freshTenantId();
    await test.putEvents(requested({ tenantId, customerAccountId: newCustomer(test).accountId }));
    await pause(test.cloud);
    for (let minute = 0; minute < 90 && (await lettersAbout(test, tenantId, 'byoc')).length === 0; minute += 1) await sweep(test);
    expect(await lettersAbout(test, tenantId, 'byoc')).toMatchObject([{ reasonCode: 'TENANT_UNKNOWN' }]);
    expect(await eventsAbout(tenantId)).toEqual(['RoleConnectionFailed']);
    await expect(connectionsSeen(test, await tokenOf(test, tenantId))).rejects.toThrow();
  });

  it.each([
    ['names the platform’s own account', (_: string) => ({ customerAccountId: test.cloud.accountId })],
    ['names no account', (_: string) => ({ customerAccountId: '1234' })],
    ['asks for a service that is not offered', (customerAccountId: string) => ({ customerAccountId, services: ['iam'] })],
    ['brings an external ID', (customerAccountId: string) => ({ customerAccountId, externalId: 'cordon-mine' })],
  ])('is put aside with its reason when it %s', async (_, change) => {
    const tenantId = await tenantWith(test);
    const { detailType, detail } = requested({ tenantId, customerAccountId: newCustomer(test).accountId });
    await test.putEvents({ detailType, detail: { ...detail, ...change(detail.customerAccountId) } });
    await pause(test.cloud);
    expect(await lettersAbout(test, tenantId, 'byoc')).toMatchObject([{ reasonCode: 'EVENT_INVALID' }]);
    expect(await eventsAbout(tenantId)).toEqual(['RoleConnectionFailed']);
    expect((await connectionsSeen(test, await tokenOf(test, tenantId))).connections).toEqual([]);
  });
});

describe('B1 T1 an external ID', () => {
  it('is written down in the registry and nowhere else: in no event, log, queue, journal or attribution entry', async () => {
    await offered({ tenantId: await tenantWith(test), customerAccountId: newCustomer(test).accountId });
    const all = externalIds.map((secret) => ({ kind: 'an external ID', secret }));
    const where = sightings(await tracesOf(test), all).map((seen) => seen.where);
    expect(where.length).toBeGreaterThan(0);
    expect(where.filter((place) => !/^registry item \S+ CONNECTION#\d{12}$/.test(place))).toEqual([]);
  });
});
