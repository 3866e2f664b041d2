import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { findingCodes } from '../../functions/isolation/audit/finding.ts';
import { failure } from '../../functions/shared/failure-event.ts';
import { type TestCloud, testCloud } from '../support/cloud.ts';
import { cutOff } from '../support/cut-offs.ts';
import { type DedicatedTenants, onboardDedicated } from '../support/dedicated-tenants.ts';
import { type OperatorCommand, operatorCommand } from '../support/operator-command.ts';
import { plantedPolicies } from '../support/planted-policies.ts';
import { plantedResources } from '../support/planted-resources.ts';
import { allow, customer, type Fields, plantingTools } from '../support/planting.ts';
import { requestRotation } from '../support/rotations.ts';

let test: TestCloud;
let on: DedicatedTenants;
let operator: OperatorCommand;

beforeAll(async () => {
  test = await testCloud();
  on = await onboardDedicated(test);
  operator = await operatorCommand(test);
});

interface Found {
  readonly code: string;
  readonly message: string;
  readonly tenantId: string | undefined;
}

const answer = z.object({ eventId: z.string(), findings: z.array(z.object({ code: z.string(), message: z.string() })) });

/** Asks for an audit on the command line, as an operator does, and answers what it has found; each finding is an event, too. */
async function audit(exitCode: number): Promise<readonly Found[]> {
  const ran = await operator.cordon(['isolation', 'audit', '--json']);
  expect(ran.exitCode, ran.err).toBe(exitCode);
  const { eventId, findings } = answer.parse(ran.json());
  const told = (await test.published(eventId)).filter(({ detailType }) => detailType === 'IsolationViolationDetected');
  const events = told.map(({ detail }) => {
    const { reason, tenantId } = failure.parse(detail);
    return { ...reason, tenantId };
  });
  expect(events.map(({ code, message }) => ({ code, message }))).toEqual(findings);
  return events;
}

describe('T2 the daily audit of policies', () => {
  it('is silent where nothing was changed: with tenants of both tiers, sessions cut off, and a key replaced', async () => {
    await cutOff(test, { tenantId: on.pool.tenantId });
    await requestRotation(test, { tenantId: on.own.tenantId, credentialId: 'openai-main' });
    // Past the hour in which a tenant's roles may be incomplete.
    test.cloud.clock.advance(2 * 3_600_000);
    await test.cloud.invoke('policyAudit', {});
    for (const code of findingCodes) expect((await test.published(code)).map(({ detail }) => detail)).toEqual([]);
    expect(await test.published('PoliciesAudited')).toHaveLength(1);
  });

  it('says what it could not look at', async () => {
    for (let nth = 1; nth <= 12; nth += 1)
      test.cloud.faults.add({ service: 'events', action: 'DescribeEventBus', nth, mode: 'before', code: 'AccessDeniedException' });
    const found = await audit(3);
    test.cloud.faults.remove({ service: 'events', action: 'DescribeEventBus' });
    expect(found).toMatchObject([{ code: 'AUDIT_INCOMPLETE', message: expect.stringMatching(/^not looked at: event bus \S+: .*refused/) }]);
  });

  it('names whatever somebody does to the topic of alarms, and is silent when it is as it was', async () => {
    const { call, alarmTopic } = plantingTools(test);
    const { arn: Resource, name, statements, say } = await alarmTopic();
    const without = (sid: string): readonly Fields[] => statements.filter(({ Sid }) => Sid !== sid);
    const publish = (Principal: unknown): Fields => allow({ Sid: 'More', Principal, Action: 'sns:Publish', Resource });
    const theirs: Fields = { AWS: `arn:aws:iam::${customer}:root` };
    const changes: readonly (readonly [code: string, says: string, ...policy: Fields[]])[] = [
      ['POLICY_DRIFT', 'grants: , policy: More (Allow) was added; New access', ...statements, publish(theirs)],
      ['POLICY_GRANTS_ACROSS', 'grants: , policy: More (Allow) was added; lets in whoever asks', ...statements, publish('*')],
      [
        'POLICY_DRIFT',
        'grants: , policy: More (Allow) was added; New access',
        ...statements,
        allow({ Sid: 'More', Principal: theirs, Action: 'sns:SetTopicAttributes', Resource }),
      ],
      [
        'POLICY_DRIFT',
        'grants: , policy: TellOfAlarms (Allow) was added; TellOfAlarms (Allow) was taken out or changed; New access',
        ...statements.map(({ Condition, ...rest }) => (rest['Sid'] === 'TellOfAlarms' ? rest : { ...rest, Condition })),
      ],
      [
        'POLICY_DRIFT',
        'grants: , policy: AllowPublishThroughSSLOnly (Deny) was taken out or changed; a refusal',
        ...without('AllowPublishThroughSSLOnly'),
      ],
      // Nobody may do more, and no alarm is told any longer.
      ['POLICY_DRIFT', 'changed: , policy: TellOfAlarms (Allow) was taken out or changed; nothing more', ...without('TellOfAlarms')],
      [
        'POLICY_DRIFT',
        'changed: , policy: Silence (Deny) was added; nothing more',
        ...statements,
        { Sid: 'Silence', Effect: 'Deny', Principal: '*', Action: 'sns:Publish', Resource },
      ],
    ];
    for (const [code, says, ...policy] of changes) {
      await say(...policy);
      const found = await audit(1);
      const message = expect.stringContaining(says.replace(': ,', `: topic ${name},`));
      expect(found, says).toEqual([{ code, message, tenantId: undefined }]);
    }

    // Whoever keeps the audit out is told of as well: nothing is known of what it could not read.
    await say(...statements, { Sid: 'Hide', Effect: 'Deny', Principal: '*', Action: 'sns:GetTopicAttributes', Resource });
    expect(await audit(3)).toMatchObject([
      { code: 'AUDIT_INCOMPLETE', message: expect.stringMatching(`^not looked at: topic ${name}: .*refused`) },
    ]);

    await call('sns', 'DeleteTopic', { TopicArn: Resource });
    expect(await audit(1)).toMatchObject([{ code: 'POLICY_DRIFT', message: expect.stringMatching(`^changed: topic ${name}: is missing`) }]);

    await call('sns', 'CreateTopic', { Name: name });
    expect(await audit(1)).toMatchObject([
      {
        code: 'POLICY_DRIFT',
        message: expect.stringMatching(`^grants: topic ${name}, policy: __default_statement_ID \\(Allow\\) was added`),
      },
    ]);
    await say(...statements);
    expect(await audit(0)).toEqual([]);
    // A dozen audits, one after the other.
  }, 120_000);

  it('names every change that somebody made through AWS’s own APIs, and nothing else', async () => {
    const planted = [...plantedPolicies(test, on), ...plantedResources(test, on)];
    for (const { plant } of planted) await plant();
    const found = await audit(1);
    const unseen = planted.filter(
      ({ says, code = 'POLICY_DRIFT' }) => found.filter((one) => one.code === code && says.test(one.message)).length !== 1,
    );
    expect(
      unseen.map(({ what }) => what),
      JSON.stringify(found, undefined, 1),
    ).toEqual([]);
    // The role that was stripped of all its walls is named for each of them too.
    const more = found.filter(({ message }) => !planted.some(({ says }) => says.test(message)));
    expect(more.filter(({ message }) => !message.startsWith('grants: role TenantRevoker, '))).toEqual([]);
    const ofTenant = found.filter(({ message }) => message.includes(`TenantAgent-${on.own.tenantId}`));
    expect(z.array(z.object({ tenantId: z.literal(on.own.tenantId) })).safeParse(ofTenant).success).toBe(true);
  });
});
