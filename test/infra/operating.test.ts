import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findingCodes as auditCodes } from '../../functions/isolation/audit/finding.ts';
import { watchCodes } from '../../functions/isolation/watch/finding.ts';
import { readTemplate, resourcesOf } from '../support/template.ts';

const template = readTemplate();
const all = (type: string) => resourcesOf(template, type);
const alarms = all('AWS::CloudWatch::Alarm').map(([id, { Properties }]) => ({ id, text: JSON.stringify(Properties), Properties }));
const runbooks = readFileSync('docs/runbooks.md', 'utf8');

/** Alarms on this metric of this very thing. */
const watching = (logicalId: string, metric: string) =>
  alarms.filter(({ text }) => text.includes(`"${metric}"`) && text.includes(`"${logicalId}"`));
const targetOf = (value: unknown): string => (value as { 'Fn::GetAtt': [string, string] })['Fn::GetAtt'][0];
const section = (title: string): string => runbooks.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? '';
const anchorOf = (heading: string): string => heading.toLowerCase().replaceAll(' ', '-');

describe('P6 the alarms', () => {
  it.each(all('AWS::Lambda::Function').map(([id]) => id))(
    'of the function %s tell when it fails, finds no room, or comes near its timeout',
    (id) => {
      for (const metric of ['Errors', 'Throttles', 'Duration']) expect(watching(id, metric), metric).not.toHaveLength(0);
      const [slow] = watching(id, 'Duration');
      const timeout = Number(template.Resources[id]?.Properties['Timeout']);
      expect(Number(slow?.Properties['Threshold'])).toBe(timeout * 900);
      expect(slow?.Properties['ExtendedStatistic']).toBe('p99');
    },
  );

  it('of every queue tell how long messages wait, and of every dead-letter queue that there is one', () => {
    const queues = all('AWS::SQS::Queue');
    const dead = new Set(queues.flatMap(([, { Properties }]) => deadLettersOf(Properties['RedrivePolicy'])));
    expect(dead.size).toBeGreaterThan(0);
    for (const [id] of queues) {
      const metric = dead.has(id) ? 'ApproximateNumberOfMessagesVisible' : 'ApproximateAgeOfOldestMessage';
      expect(watching(id, metric), id).not.toHaveLength(0);
    }
  });

  it('of every table tell when DynamoDB refuses or fails requests', () => {
    expect(all('AWS::DynamoDB::Table').length).toBeGreaterThan(0);
    for (const [id, { Properties }] of all('AWS::DynamoDB::Table')) {
      for (const metric of ['ReadThrottleEvents', 'WriteThrottleEvents', 'SystemErrors'])
        expect(watching(id, metric), `${id} ${metric}`).toHaveLength(1);
      for (const { IndexName } of (Properties['GlobalSecondaryIndexes'] as { IndexName: string }[] | undefined) ?? [])
        expect(watching(id, 'WriteThrottleEvents')[0]?.text, id).toContain(`"${IndexName}"`);
    }
  });

  it('tell what any function says is lost', () => {
    const lost = alarms.filter(({ Properties }) => Properties['MetricName'] === 'Lost' && Properties['Namespace'] === 'Cordon');
    expect(lost).toMatchObject([{ Properties: { Threshold: 0, ComparisonOperator: 'GreaterThanThreshold', Statistic: 'Sum' } }]);
    const counted = all('AWS::Logs::MetricFilter')
      .filter(([, { Properties }]) => Properties['FilterPattern'] === '{ $.lost IS TRUE }')
      .map(([, { Properties }]) => {
        expect(Properties['MetricTransformations']).toMatchObject([{ MetricNamespace: 'Cordon', MetricName: 'Lost', MetricValue: '1' }]);
        return JSON.stringify(Properties['LogGroupName']);
      });
    const groups = all('AWS::Lambda::Function').map(([, { Properties }]) =>
      JSON.stringify((Properties['LoggingConfig'] as { LogGroup: unknown }).LogGroup),
    );
    expect(counted.sort()).toEqual(groups.sort());
  });

  it('of every schedule tell when what it runs does not run', () => {
    expect(all('AWS::Scheduler::Schedule').length).toBeGreaterThan(0);
    for (const [id, { Properties }] of all('AWS::Scheduler::Schedule')) {
      const silent = watching(targetOf((Properties['Target'] as { Arn: unknown }).Arn), 'Invocations');
      expect(silent, id).toHaveLength(1);
      expect(silent[0]?.Properties, id).toMatchObject({
        TreatMissingData: 'breaching',
        ComparisonOperator: 'LessThanThreshold',
        Threshold: 1,
      });
    }
  });

  it('of every rule that would lose events tell when it does, and of the API when it fails', () => {
    const losing = all('AWS::Events::Rule').filter(([, { Properties }]) =>
      (Properties['Targets'] as { DeadLetterConfig?: unknown }[]).some((target) => target.DeadLetterConfig === undefined),
    );
    expect(losing.length).toBeGreaterThan(0);
    for (const [id] of losing) expect(watching(id, 'FailedInvocations'), id).toHaveLength(1);
    for (const [id] of all('AWS::ApiGateway::RestApi'))
      expect(
        alarms.filter(({ Properties }) => Properties['MetricName'] === '5XXError'),
        id,
      ).toHaveLength(1);
  });

  it('all tell somebody', () => {
    const [topic] = all('AWS::SNS::Topic');
    for (const { id, Properties } of alarms) expect(Properties['AlarmActions'], id).toEqual([{ Ref: topic?.[0] }]);
  });

  it('may tell the topic, whose own policy takes the place of the default one', () => {
    const [topic] = all('AWS::SNS::Topic');
    const [policy] = all('AWS::SNS::TopicPolicy').map(([, { Properties }]) => Properties);
    expect(policy?.['Topics']).toEqual([{ Ref: topic?.[0] }]);
    const document = policy?.['PolicyDocument'] as { Statement: { Effect: string }[] } | undefined;
    expect(document?.Statement.filter(({ Effect }) => Effect === 'Allow')).toEqual([
      expect.objectContaining({
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: { Ref: topic?.[0] },
        Condition: expect.objectContaining({ StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } } }),
      }),
    ]);
  });

  it('look back no longer than CloudWatch does', () => {
    for (const { id, Properties } of alarms) {
      const metrics = (Properties['Metrics'] as { MetricStat?: { Period: number } }[] | undefined) ?? [];
      const period = Number(Properties['Period'] ?? metrics.find(({ MetricStat }) => MetricStat)?.MetricStat?.Period);
      expect(period * Number(Properties['EvaluationPeriods']), id).toBeLessThanOrEqual(period < 3600 ? 86_400 : 604_800);
    }
  });

  it('cost no more than the runbooks say', () => {
    const metrics = alarms.map(({ Properties }) => {
      const several = (Properties['Metrics'] as { MetricStat?: unknown }[] | undefined)?.filter(
        ({ MetricStat }) => MetricStat !== undefined,
      );
      return several?.length ?? 1;
    });
    const [, said] = /At most (\d+) metrics are alarmed on/.exec(runbooks) ?? [];
    expect(metrics.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(Number(said));
  });
});

describe('P6 the runbooks', () => {
  const headings = [...section('Alarms').matchAll(/^### (.+)$/gm)].map(([, heading = '']) => heading);
  const named = alarms.map(({ id, Properties }) => {
    const [, anchor] = / docs\/runbooks\.md#([a-z0-9-]+)$/.exec(String(Properties['AlarmDescription'])) ?? [];
    return [id, anchor ?? ''] as const;
  });

  it('have an entry for every alarm', () => {
    const anchors = new Set(headings.map(anchorOf));
    expect(named.filter(([, anchor]) => !anchors.has(anchor))).toEqual([]);
  });

  it('have none that no alarm leads to', () => {
    const led = new Set(named.map(([, anchor]) => anchor));
    expect(headings.filter((heading) => !led.has(anchorOf(heading)))).toEqual([]);
  });

  it('say of each what it means and what not to do', () => {
    const entries = section('Alarms').split(/^### /m).slice(1);
    for (const entry of entries) {
      expect(entry).toContain('**Means:**');
      expect(entry).toContain('**Do not**');
    }
  });

  it('have a row for every code that a finding can have', () => {
    const rows = [...section('Findings').matchAll(/^\| `([A-Z_]+)` \|.*?(?:\]\(([\w.-]+)[^)]*\) \|)?$/gm)];
    for (const [, code = '', file] of rows)
      if (file !== undefined) expect(readFileSync(`docs/${file}`, 'utf8').includes(code), `${file} speaks of ${code}`).toBe(true);
    expect(rows.map(([, code = '']) => code).sort()).toEqual(
      ['ACCESS_REFUSED', 'ISOLATION_TEST_FAILED', 'SHARED_RATE_LIMIT', ...auditCodes, ...watchCodes].sort(),
    );
  });
});

describe('P6 the dashboard', () => {
  it('shows every function, queue, table, API and alarm there is, and what Cordon counts itself', () => {
    const [dashboard] = all('AWS::CloudWatch::Dashboard');
    const body = JSON.stringify(dashboard?.[1].Properties['DashboardBody']);
    for (const type of ['AWS::Lambda::Function', 'AWS::SQS::Queue', 'AWS::DynamoDB::Table', 'AWS::CloudWatch::Alarm'])
      for (const [id] of all(type)) expect(body, id).toContain(`"${id}"`);
    for (const [id, { Properties }] of all('AWS::Logs::MetricFilter'))
      expect(body, id).toContain((Properties['MetricTransformations'] as { MetricName: string }[])[0]?.MetricName);
    expect(body).toContain('5XXError');
  });
});

function deadLettersOf(redrive: unknown): readonly string[] {
  return redrive === undefined ? [] : [targetOf((redrive as { deadLetterTargetArn: unknown }).deadLetterTargetArn)];
}
