import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { FilterPattern, LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { addAlarm } from './alarm.ts';

export interface EventLogProps {
  readonly bus: EventBus;
  readonly source: string;
  /** What was asked for and takes something away: kept as it was sent, because a restored registry has to be told it again. */
  readonly requests: { readonly source: string; readonly detailTypes: readonly string[] };
  /** Of these a single one alarms: what a person has to look at, by detail type, which is also the heading of its runbook. */
  readonly alarming: Readonly<Record<string, string>>;
  readonly alarmAction: IAlarmAction;
}

/** Where everything that Cordon announces can be read, and what was taken away from whom at whose wish: none of these events holds a secret. */
export class EventLog extends Construct {
  readonly logGroup: LogGroup;

  constructor(parent: Construct, id: string, props: EventLogProps) {
    super(parent, id);
    this.logGroup = new LogGroup(this, 'Events', { retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    // CDK's own log group target brings a custom resource with a function and wide rights; a policy on the group does the same.
    const target: IRuleTarget = { bind: () => ({ arn: this.logGroup.logGroupArn }) };
    const { source, detailTypes } = props.requests;
    const rules = Object.entries({ Outbound: { source: [props.source] }, Inbound: { source: [source], detailType: [...detailTypes] } }).map(
      ([name, eventPattern]) => new Rule(this, name, { eventBus: props.bus, eventPattern, targets: [target] }),
    );
    this.logGroup.addToResourcePolicy(
      new PolicyStatement({
        sid: 'WriteEvents',
        principals: [new ServicePrincipal('events.amazonaws.com'), new ServicePrincipal('delivery.logs.amazonaws.com')],
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rules.map(({ ruleArn }) => ruleArn) } },
      }),
    );
    for (const [detailType, says] of Object.entries(props.alarming)) {
      const filter = this.logGroup.addMetricFilter(detailType, {
        filterPattern: FilterPattern.stringValue('$.detail-type', '=', detailType),
        metricNamespace: 'Cordon',
        metricName: detailType,
      });
      const metric = filter.metric({ statistic: 'Sum', period: Duration.minutes(5) });
      addAlarm(this, `${detailType}Alarm`, { says, runbook: detailType, metric }, props.alarmAction);
    }
  }
}
