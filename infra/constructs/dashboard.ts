import { Duration } from 'aws-cdk-lib';
import {
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Inventory } from './inventory.ts';

export interface DashboardProps {
  readonly inventory: Inventory;
}

const period = Duration.minutes(5);
const [third, half, whole] = [8, 12, 24];

/** The state of a cell on one page, for whoever an alarm has woken: what alarms, what waits, what fails, what is slow, what Cordon has found out. Of what there is in the stack. */
export class Dashboard extends Construct {
  readonly dashboard: CloudWatchDashboard;

  constructor(parent: Construct, id: string, { inventory }: DashboardProps) {
    super(parent, id);
    const { functions, queues, deadLetterQueues, tables, apis, countedInLogs, alarms } = inventory;
    const ofFunctions = (of: (named: Inventory['functions'][number]) => IMetric): IMetric[] => functions.map(of);
    // Several logs may count into one metric.
    const counted = new Map(countedInLogs.map(({ thing }) => thing.metric({ statistic: 'Sum', period })).map((of) => [of.metricName, of]));
    this.dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      defaultInterval: Duration.hours(6),
      widgets: [
        [new TextWidget({ width: whole, height: 1, markdown: 'Each alarm names its entry in `docs/runbooks.md`.' })],
        [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: whole, height: 6 })],
        [
          graph('What Cordon has found', [...counted.values()], half),
          graph('Sessions minted for calls, runs of `sessions` (each 1 or 2 calls of STS)', sessionMints(inventory), half),
        ],
        ...apis.map(({ name, thing }): IWidget[] => [
          graph(`${name}: calls`, [thing.metricCount({ statistic: 'Sum', period })], third),
          graph(`${name}: refused and failed`, [thing.metricClientError({ period }), thing.metricServerError({ period })], third),
          graph(
            `${name}: time, streams to their end`,
            ['p50', 'p99'].map((statistic) => thing.metricLatency({ statistic, period })),
            third,
          ),
        ]),
        [
          graph(
            'Age of the oldest message',
            queues.map(({ name, thing }) => thing.metricApproximateAgeOfOldestMessage({ label: name, period })),
            third,
          ),
          graph(
            'Messages waiting',
            queues.map(({ name, thing }) => thing.metricApproximateNumberOfMessagesVisible({ label: name, period })),
            third,
          ),
          graph(
            'Dead letters',
            deadLetterQueues.map(({ name, thing }) => thing.metricApproximateNumberOfMessagesVisible({ label: name, period })),
            third,
          ),
        ],
        [
          graph(
            'Runs',
            ofFunctions(({ name, thing }) => thing.function.metricInvocations({ label: name, period })),
            third,
          ),
          graph(
            'Runs that failed',
            ofFunctions(({ name, thing }) => thing.function.metricErrors({ label: name, period })),
            third,
          ),
          graph(
            'Runs that found no room',
            ofFunctions(({ name, thing }) => thing.function.metricThrottles({ label: name, period })),
            third,
          ),
        ],
        [
          graph(
            'Time of a run, half of them',
            ofFunctions(({ name, thing }) => thing.function.metricDuration({ label: name, statistic: 'p50', period })),
            third,
          ),
          graph(
            'Time of a run, 99 in 100',
            ofFunctions(({ name, thing }) => thing.function.metricDuration({ label: name, statistic: 'p99', period })),
            third,
          ),
          graph(
            'Runs at the same time',
            ofFunctions(({ name, thing }) => concurrency(name, thing.function.functionName)),
            third,
          ),
        ],
        [
          graph(
            'Reads, units',
            tables.map(({ name, thing }) => thing.metricConsumedReadCapacityUnits({ label: name, period })),
            third,
          ),
          graph(
            'Writes, units',
            tables.map(({ name, thing }) => thing.metricConsumedWriteCapacityUnits({ label: name, period })),
            third,
          ),
          graph(
            'Refused by DynamoDB',
            tables.flatMap(({ name, thing }) =>
              ['Read', 'Write'].map(
                (way) =>
                  new Metric({
                    namespace: 'AWS/DynamoDB',
                    metricName: `${way}ThrottleEvents`,
                    dimensionsMap: { TableName: thing.tableName },
                    label: `${name} ${way.toLowerCase()}s`,
                    statistic: 'Sum',
                    period,
                  }),
              ),
            ),
            third,
          ),
        ],
      ],
    });
  }
}

function graph(title: string, left: readonly IMetric[], width: number): GraphWidget {
  return new GraphWidget({ title, left: [...left], width, height: 6, leftYAxis: { min: 0 } });
}

/** AWS documents no metric of how many calls of STS an account has made; this is where those for callers come from. */
function sessionMints({ functions }: Inventory): IMetric[] {
  return functions
    .filter(({ name }) => name === 'SessionsFunction')
    .map(({ name, thing }) => thing.function.metricInvocations({ label: name, period: Duration.minutes(1) }));
}

function concurrency(label: string, FunctionName: string): Metric {
  return new Metric({
    namespace: 'AWS/Lambda',
    metricName: 'ConcurrentExecutions',
    dimensionsMap: { FunctionName },
    label,
    statistic: 'Maximum',
    period,
  });
}
