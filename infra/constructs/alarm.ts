import { Alarm, ComparisonOperator, type IAlarmAction, type IMetric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { runbook } from './runbook.ts';

export interface AlarmRule {
  /** What has happened, as sentences. */
  readonly says: string;
  /** Heading of the runbook. */
  readonly runbook: string;
  readonly metric: IMetric;
  /** More than this alarms. @default 0 */
  readonly above?: number;
  /** Fewer than this alarms, and so does silence. */
  readonly below?: number;
  /** Periods in a row, all of them over the threshold. @default 1 */
  readonly periods?: number;
}

/** An alarm as Cordon makes them all: it says what happened and which runbook to open, and what is not measured is well, unless too few is what alarms. */
export function addAlarm(owner: Construct, id: string, rule: AlarmRule, action: IAlarmAction): void {
  const { metric, above = 0, below, periods = 1 } = rule;
  new Alarm(owner, id, {
    alarmDescription: `${rule.says} ${runbook(rule.runbook)}`,
    metric,
    threshold: below ?? above,
    comparisonOperator: below === undefined ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: periods,
    treatMissingData: below === undefined ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
  }).addAlarmAction(action);
}
