import { Duration, Stack } from 'aws-cdk-lib';
import { type IAlarmAction, type IMetric, MathExpression, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnTable, Operation, type Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern } from 'aws-cdk-lib/aws-logs';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { type AlarmRule, addAlarm } from './alarm.ts';
import { type Inventory, type Named, ruleNameOf, type Scheduled } from './inventory.ts';
import type { ServiceFunction } from './service-function.ts';

export interface AlarmsProps {
  readonly inventory: Inventory;
  readonly alarmAction: IAlarmAction;
  /** Where the action publishes. */
  readonly topic: Topic;
}

interface Rule extends AlarmRule {
  readonly name: string;
}

const fiveMinutes = Duration.minutes(5);
/** Events wait this long at most. */
const backlog = Duration.minutes(15);
/** The operations that Cordon works with. */
const operations: readonly Operation[] = [
  Operation.GET_ITEM,
  Operation.BATCH_GET_ITEM,
  Operation.PUT_ITEM,
  Operation.UPDATE_ITEM,
  Operation.DELETE_ITEM,
  Operation.QUERY,
  Operation.EXECUTE_STATEMENT,
  Operation.TRANSACT_WRITE_ITEMS,
];

/**
 * An alarm for each way in which each function, queue, table, rule, schedule and API can fail, unless the construct it belongs to has made one on the very same
 * metric: those know better when to speak. What a metric costs: $0.10 a month (CloudWatch pricing), one with several metrics as many times.
 */
export class Alarms extends Construct {
  readonly #alarmed: ReadonlySet<string>;

  constructor(parent: Construct, id: string, { inventory, alarmAction, topic }: AlarmsProps) {
    super(parent, id);
    letPublish(topic);
    this.#alarmed = new Set(inventory.alarms.flatMap(({ metric }) => this.#keyOf(metric) ?? []));
    const silent = new Map(inventory.schedules.map(({ thing }) => [thing.function.node.path, thing.everyMinutes]));
    const rules = [
      ...inventory.functions.flatMap((named) => functionRules(named, silent.get(named.thing.function.node.path))),
      ...inventory.schedules.map(scheduleRule),
      ...lostRules(inventory),
      ...inventory.deadLetterQueues.map(({ name, thing }) => ({
        name: `${name} DeadLetters`,
        runbook: 'Dead letters',
        says: `Something could not be handled and lies in ${name} with its reason.`,
        metric: thing.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(1) }),
      })),
      ...inventory.queues.map(({ name, thing }) => ({
        name: `${name} Backlog`,
        runbook: 'Backlog',
        says: `A message in ${name} has waited for more than 15 minutes.`,
        metric: thing.metricApproximateAgeOfOldestMessage({ period: Duration.minutes(1) }),
        above: backlog.toSeconds(),
      })),
      ...inventory.tables.flatMap(tableRules),
      ...inventory.losingRules.map(({ name, thing }) => ({
        name: `${name} Lost`,
        runbook: 'Events lost',
        says: `Events that the rule ${name} took did not reach their target, and nothing keeps them.`,
        metric: new Metric({
          namespace: 'AWS/Events',
          metricName: 'FailedInvocations',
          dimensionsMap: { RuleName: ruleNameOf(thing) },
          statistic: 'Sum',
          period: fiveMinutes,
        }),
      })),
      ...inventory.apis.map(({ name, thing }) => ({
        name: `${name} ServerErrors`,
        runbook: 'Server errors',
        says: `${name} answers with 5xx: ten or more within five minutes, twice in a row.`,
        metric: thing.metricServerError({ statistic: 'Sum', period: fiveMinutes }),
        above: 9,
        periods: 2,
      })),
    ];
    for (const rule of rules) this.#add(rule, alarmAction);
  }

  #add({ name, ...rule }: Rule, action: IAlarmAction): void {
    const key = this.#keyOf(rule.metric);
    if (key !== undefined && this.#alarmed.has(key)) return;
    addAlarm(this, name.replace(/[^A-Za-z0-9]/g, ''), rule, action);
  }

  /** What is measured, without when and how; undefined for a sum of several. */
  #keyOf(metric: IMetric): string | undefined {
    const { metricStat } = metric.toMetricConfig();
    if (metricStat === undefined) return undefined;
    const { namespace, metricName, dimensions } = metricStat;
    return JSON.stringify(Stack.of(this).resolve([namespace, metricName, dimensions]));
  }
}

/**
 * A topic with a policy of its own has none of the default one, which lets the account publish: CloudWatch has to be let in by name, or alarms go off and nobody is told.
 * Source: SNS Developer Guide, "Example cases for access control", CloudWatch alarms.
 */
function letPublish(topic: Topic): void {
  const { account, region, partition } = Stack.of(topic);
  topic.addToResourcePolicy(
    new PolicyStatement({
      sid: 'TellOfAlarms',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
      conditions: {
        StringEquals: { 'aws:SourceAccount': account },
        ArnLike: { 'aws:SourceArn': `arn:${partition}:cloudwatch:${region}:${account}:alarm:*` },
      },
    }),
  );
}

/** Whatever a function says is lost is counted in its log, all of them as one metric. */
function lostRules({ functions }: Inventory): readonly Rule[] {
  const [metric] = functions.map(({ thing }) =>
    thing.logGroup
      .addMetricFilter('Lost', {
        filterPattern: FilterPattern.booleanValue('$.lost', true),
        metricNamespace: 'Cordon',
        metricName: 'Lost',
      })
      .metric({ statistic: 'Sum', period: fiveMinutes }),
  );
  if (metric === undefined) return [];
  return [{ name: 'Lost', runbook: 'Lost', says: 'Something could not be recorded or told, and is not tried again.', metric }];
}

function functionRules({ name, thing }: Named<ServiceFunction>, everyMinutes: number | undefined): readonly Rule[] {
  const { function: lambda, reservedConcurrency, timeout } = thing;
  // One that runs now and then has done nothing at all when a single run fails.
  const rare = everyMinutes !== undefined && everyMinutes >= 60;
  const near = Math.floor(timeout.toMilliseconds() * 0.9);
  return [
    {
      name: `${name} Errors`,
      runbook: 'Function errors',
      says: rare ? `A run of ${name} failed.` : `Three runs or more of ${name} failed within five minutes.`,
      metric: lambda.metricErrors({ period: fiveMinutes }),
      above: rare ? 0 : 2,
    },
    {
      name: `${name} Throttles`,
      runbook: 'Throttled functions',
      // What has room for so many runs waits for them now and then: that is what the room is for.
      ...(reservedConcurrency === undefined
        ? { says: `${name} found no room to run for a quarter of an hour.`, periods: 3 }
        : { says: `${name} has had all the room it may have (${reservedConcurrency}) in use for an hour.`, periods: 12 }),
      metric: lambda.metricThrottles({ period: fiveMinutes }),
    },
    {
      name: `${name} Slow`,
      runbook: 'Slow functions',
      says: `One run in a hundred of ${name} takes nine tenths of its timeout of ${timeout.toSeconds()} s, for a quarter of an hour.`,
      metric: lambda.metricDuration({ statistic: 'p99', period: fiveMinutes }),
      above: near,
      periods: 3,
    },
  ];
}

/** The longest that an alarm can look back, in hours. Source: CloudWatch API Reference, PutMetricAlarm. */
const longestLook = 168;

/** Frequent ones may miss a turn or two; daily ones have two hours. */
function scheduleRule({ name, thing: { function: lambda, everyMinutes } }: Named<Scheduled>): Rule {
  const often = everyMinutes < 60;
  return {
    name: `${name} Silence`,
    runbook: 'Silent schedules',
    says: `${name} was due to run and did not.`,
    metric: lambda.metricInvocations({ period: Duration.minutes(often ? 5 : 60) }),
    below: 1,
    periods: often ? Math.ceil((2 * everyMinutes) / 5) : Math.min(longestLook, Math.ceil(everyMinutes / 60) + 2),
  };
}

function tableRules({ name, thing }: Named<Table>): readonly Rule[] {
  const throttled = [undefined, ...indexesOf(thing)].flatMap((index) => [
    tableMetric(thing, 'ReadThrottleEvents', index),
    tableMetric(thing, 'WriteThrottleEvents', index),
  ]);
  const named = throttled.map((metric, at) => [`m${at}`, metric] as const);
  return [
    {
      name: `${name} Throttled`,
      runbook: 'Throttled tables',
      says: `DynamoDB refused reads or writes of ${name} for a quarter of an hour, for being too many at once.`,
      metric: new MathExpression({
        // No data is no refusal.
        expression: named.map(([id]) => `FILL(${id}, 0)`).join(' + '),
        usingMetrics: Object.fromEntries(named),
        label: 'refused requests',
        period: fiveMinutes,
      }),
      periods: 3,
    },
    {
      name: `${name} SystemErrors`,
      runbook: 'Table errors',
      says: `DynamoDB answered with errors of its own for ${name}.`,
      metric: thing.metricSystemErrorsForOperations({ operations: [...operations], period: fiveMinutes }),
      above: 4,
      periods: 2,
    },
  ];
}

/** Global ones have a throughput of their own; local ones share the table's. */
function indexesOf(table: Table): readonly string[] {
  const resource = table.node.defaultChild;
  const indexes: unknown = resource instanceof CfnTable ? Stack.of(table).resolve(resource.globalSecondaryIndexes) : undefined;
  if (!Array.isArray(indexes)) return [];
  return indexes.flatMap((index: object) => ('indexName' in index && typeof index.indexName === 'string' ? [index.indexName] : []));
}

function tableMetric(table: Table, metricName: string, index: string | undefined): Metric {
  return new Metric({
    namespace: 'AWS/DynamoDB',
    metricName,
    dimensionsMap: { TableName: table.tableName, ...(index !== undefined && { GlobalSecondaryIndexName: index }) },
    statistic: 'Sum',
    period: fiveMinutes,
  });
}
