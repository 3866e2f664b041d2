import { PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { failedDetailType } from '../../functions/tenants/events.ts';
import { type BadEvent, badDetails, badTenants, contradictions, details, type Known, missing } from '../support/bad-events.ts';
import { badMessages } from '../support/bad-messages.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { asRoot, everything, plantTenantStatus, plantUserStatus, publishedSince } from '../support/ground-truth.ts';
import { suspendSchedules } from '../support/schedules.ts';
import { settle } from '../support/settle.ts';

let test: TestCloud;
let known: Known;
beforeAll(async () => {
  test = await testCloud();
  await suspendSchedules(test.cloud);
  const [active, neighbour, offboarded] = [test.freshTenantId('active'), test.freshTenantId('neighbour'), test.freshTenantId('gone')];
  const { issuer } = test.cloud.oidc;
  const platformIssued = { provider: 'openai', source: 'platform-issued', environment: 'production' };
  const user = (tenantId: string, subject: string) => ({
    detailType: 'UserOnboarded',
    detail: { version: 1, tenantId, issuer, subject, requestedBy: 'test' },
  });
  const awaited = { credentialId: 'anthropic-own', provider: 'anthropic', source: 'customer-supplied', environment: 'production' };
  await test.onboard({ tenantId: active, credentials: [{ credentialId: 'openai-main', ...platformIssued }, awaited] });
  await test.onboard({ tenantId: neighbour, credentials: [{ credentialId: 'neighbours-key', ...platformIssued }] });
  await test.onboard({ tenantId: offboarded });
  await test.putEvents(user(active, 'ana'), user(active, 'gone'), user(neighbour, 'zoe'));
  await test.settled();
  const [ana, offboardedUser, neighboursUser] = ['ana', 'gone', 'zoe'].map((subject) => userIdOf(issuer, subject));
  if (ana === undefined || offboardedUser === undefined || neighboursUser === undefined) throw new Error('unreachable');
  const credential = { credentialId: 'ana-key', ...platformIssued, userId: ana };
  await test.putEvents({ detailType: 'CredentialRequested', detail: { version: 1, tenantId: active, requestedBy: 'test', credential } });
  await test.outcome(['CredentialProvisioned'], active);
  await test.settled();
  await plantTenantStatus(test.cloud, offboarded, 'offboarded');
  await plantUserStatus(test.cloud, active, offboardedUser, 'offboarded');
  known = { fresh: test.freshTenantId('fresh'), active, neighbour, offboarded, ana, offboardedUser, neighboursUser, issuer };
});

const tenants = () => test.cloud.queues['tenants'] ?? { url: '', dlqUrl: '' };
const waiting = z.object({ Attributes: z.object({ ApproximateNumberOfMessages: z.coerce.number() }) });
const deadLettersLeft = async (): Promise<number> =>
  waiting.parse(await asRoot(test.cloud, 'sqs', 'GetQueueAttributes', { QueueUrl: tenants().dlqUrl, AttributeNames: ['All'] })).Attributes
    .ApproximateNumberOfMessages;

interface Refused {
  readonly code: string;
  readonly reason: RegExp;
  readonly failed: string;
  /** Whom the failure event names. */
  readonly tenantId: string | undefined;
}

/**
 * What `send` brings into the queue ends in the dead-letter queue, once, with its body as it was and a reason; one event says so and nothing else is said; and
 * nothing has changed. `term` is something its body holds; `send` answers it.
 */
async function expectRefused(send: () => Promise<string>, expected: Refused, options: { retried?: boolean } = {}) {
  const [before, since] = [await everything(test.cloud), test.cloud.clock.now()];
  const term = await send();
  // What is tried again and again waits for the clock.
  await (options.retried === true ? settle(test.cloud) : test.settled());
  const letter = await test.deadLetter(term, 1000);
  const { ReasonCode, ReasonMessage = '', ...rest } = letter.attributes;
  expect({ ReasonCode, ReasonMessage, rest }).toEqual({
    ReasonCode: expected.code,
    ReasonMessage: expect.stringMatching(expected.reason),
    rest: {},
  });
  const said = await publishedSince(test.cloud, since);
  expect(said).toEqual([
    {
      detailType: expected.failed,
      detail: {
        version: 1,
        ...(expected.tenantId !== undefined && { tenantId: expected.tenantId }),
        event: expect.any(Object),
        reason: { code: expected.code, message: ReasonMessage },
        left: [],
      },
    },
  ]);
  expect(await deadLettersLeft()).toBe(0);
  expect(await everything(test.cloud)).toEqual(before);
  return { letter, said: said[0] };
}

const named = z.looseObject({ tenantId: z.string() });
function expectedOf(row: BadEvent): Refused {
  const failed = Object.entries(failedDetailType).find(([type]) => type === row.detailType)?.[1] ?? 'EventHandlingFailed';
  return {
    code: row.code,
    reason: row.reason,
    failed,
    tenantId: row.anonymous === true ? undefined : named.parse(row.detail(known)).tenantId,
  };
}

/** Puts the event on the bus as the operator does, and has it refused. */
async function expectEventRefused(row: BadEvent, options: { retried?: boolean } = {}): Promise<void> {
  const detail = row.detail(known);
  let eventId = '';
  const { letter, said } = await expectRefused(
    async () => {
      [eventId = ''] = await test.putEvents({ detailType: row.detailType, detail });
      return eventId;
    },
    expectedOf(row),
    options,
  );
  expect(said?.detail['event']).toEqual({ id: eventId, detailType: row.detailType });
  expect(JSON.parse(letter.body)).toMatchObject({ id: eventId, 'detail-type': row.detailType, source: 'cordon.platform' });
  expect(z.looseObject({ detail: z.unknown() }).parse(JSON.parse(letter.body)).detail).toEqual(JSON.parse(JSON.stringify(detail)));
}

describe('P5 an event that cannot be applied ends in the dead-letter queue with a reason, and changes nothing', () => {
  it.each(badTenants)('$detailType with $name', (row) => expectEventRefused(row));
  it.each(badDetails)('$detailType with $name', (row) => expectEventRefused(row));
  it.each(contradictions)('$detailType with $name', (row) => expectEventRefused(row));
  it.each(missing)('$detailType with $name, after it was tried again and again', (row) => expectEventRefused(row, { retried: true }));

  it.each(['TenantErased', 'tenantonboarded', 'TenantOnboarded ', 'Tenant\u200bOnboarded', 'TenantProvisioned', 'toString', '__proto__'])(
    'an event of the unknown type %j',
    (detailType) =>
      expectEventRefused({
        name: '',
        detailType,
        detail: details.TenantOnboarded,
        code: 'EVENT_INVALID',
        reason: /^the detail type is not known$/,
      }),
  );

  it('a detail that would change its own prototype', async () => {
    const detail = JSON.stringify(details.TenantOnboarded(known)).replace(/}$/, ',"__proto__":{"tier":"dedicated"}}');
    const send = async (): Promise<string> => (await test.putEvents({ detailType: 'TenantOnboarded', detail }))[0] ?? '';
    const reason = /it: has 1 member\(s\) that are not known/;
    await expectRefused(send, { code: 'EVENT_INVALID', reason, failed: 'TenantProvisioningFailed', tenantId: known.fresh });
  });
});

describe('P5 an event of another source', () => {
  const put = (source: string) =>
    asRoot(test.cloud, 'events', 'PutEvents', {
      Entries: [
        {
          EventBusName: test.cloud.outputs['EventBusName'],
          Source: source,
          DetailType: 'TenantOnboarded',
          Detail: JSON.stringify(details.TenantOnboarded(known)),
        },
      ],
    });
  const ids = z.object({ Entries: z.tuple([z.object({ EventId: z.string() })]) });

  it.each(['somebody', 'cordon.platform.test', 'Cordon.Platform', 'cordon.'])(
    'is refused when it is %s, whoever put it on the bus',
    async (source) => {
      await expectRefused(async () => ids.parse(await put(source)).Entries[0].EventId, {
        code: 'EVENT_INVALID',
        reason: /^events are taken from source cordon\.platform only$/,
        failed: 'EventHandlingFailed',
        tenantId: known.fresh,
      });
    },
  );

  it("is not acted on when it is Cordon's own", async () => {
    const before = await everything(test.cloud);
    await put('cordon');
    await test.settled();
    expect(await everything(test.cloud)).toEqual(before);
    expect(await deadLettersLeft()).toBe(0);
  });

  it.each(['cordon', 'somebody', 'Cordon.platform', ''])('is refused to the operator by IAM when it is %j', async (source) => {
    const entry = { EventBusName: test.cloud.outputs['EventBusName'], Source: source, DetailType: 'TenantOnboarded', Detail: '{}' };
    const { outcome } = await test.attempt(test.cloud.operator, ({ events }) => events.send(new PutEventsCommand({ Entries: [entry] })));
    expect(outcome).toBe('denied');
  });
});

describe('P5 a message that came into the queue past the event bus', () => {
  it.each(badMessages)('is refused when it is $name', async ({ body, reason, failed = 'EventHandlingFailed', named: isNamed }) => {
    const text = body(known, test.cloud.accountId);
    const send = async (): Promise<string> => {
      await asRoot(test.cloud, 'sqs', 'SendMessage', { QueueUrl: tenants().url, MessageBody: text });
      return text;
    };
    const { letter } = await expectRefused(send, {
      code: 'EVENT_INVALID',
      reason,
      failed,
      tenantId: isNamed === true ? known.fresh : undefined,
    });
    expect(letter.body).toBe(text);
  });
});

describe('P5 what the bus itself does not take', () => {
  it.each(['[]', 'null', '"acme"', '7', '{', ''])('tells its sender at once that %j is no detail', async (detail) => {
    await expect(test.putEvents({ detailType: 'TenantOnboarded', detail })).rejects.toThrow(/Detail is/);
  });
});

describe('P5 a reason names rules, not what was sent', () => {
  it('does not repeat a secret that was put into the wrong place', async () => {
    const secret = `sk-misplaced-${test.freshTenantId()}`;
    test.tokens.add(secret);
    for (const change of [
      { tier: secret },
      { [secret]: 1 },
      { credentials: [{ [secret]: secret, provider: secret }] },
      { tenantId: secret.toUpperCase() },
    ]) {
      const [eventId = ''] = await test.putEvents({ detailType: 'TenantOnboarded', detail: details.TenantOnboarded(known, change) });
      const { attributes } = await test.deadLetter(eventId);
      expect(JSON.stringify([attributes, await test.published(eventId)])).not.toContain(secret.slice(3));
    }
  });
});

describe('P5 what is right at the edge of what is wrong', () => {
  it('applies each event that the rows above spoil, unspoilt', async () => {
    // The events that came before have their failures on record under the other ID.
    const [fresh, active] = [test.freshTenantId(), known.active];
    for (const [detailType, done] of [
      ['TenantOnboarded', 'TenantProvisioned'],
      ['UserOnboarded', 'UserProvisioned'],
      ['CredentialRequested', 'CredentialProvisioned'],
      ['RoutingRulesChanged', 'RoutingRulesApplied'],
    ] as const) {
      const tenantId = detailType === 'TenantOnboarded' ? fresh : active;
      const before = (await test.published(tenantId)).length;
      await test.putEvents({ detailType, detail: details[detailType]({ ...known, fresh }) });
      await test.settled();
      expect((await test.published(tenantId)).slice(before).map((event) => event.detailType)).toEqual([done]);
    }
  });

  it.each(['z', '0', 'a'.repeat(32), `a${'-'.repeat(30)}a`, 'constructor', '1-2'])('takes the tenant ID %s', async (tenantId) => {
    await test.putEvents({ detailType: 'TenantOnboarded', detail: details.TenantOnboarded({ ...known, fresh: tenantId }) });
    await test.settled();
    const said = (await test.published('cordon')).filter(({ detail }) => detail['tenantId'] === tenantId);
    expect(said.map(({ detailType }) => detailType)).toEqual(['TenantProvisioned']);
    expect(await test.secretsOf(tenantId)).toEqual([expect.objectContaining({ name: `cordon/${tenantId}/openai-main` })]);
  });

  it('takes the same onboarding again, described in other words, and does nothing', async () => {
    const { tenantId } = await test.onboard();
    await test.settled();
    const before = await everything(test.cloud);
    await test.onboard({ tenantId, displayName: 'In other words', requestedBy: 'somebody else' });
    await test.settled();
    expect(await everything(test.cloud)).toEqual(before);
    expect(await deadLettersLeft()).toBe(0);
  });
});
