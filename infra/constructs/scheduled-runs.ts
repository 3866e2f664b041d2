import { type Duration, Stack } from 'aws-cdk-lib';
import { PolicyDocument, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, type ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import type { Construct } from 'constructs';
import type { ServiceFunction } from './service-function.ts';

export interface ScheduledRuns {
  readonly function: ServiceFunction;
  readonly every: Duration;
  readonly description: string;
  /** Of the statement that lets the schedule call the function. */
  readonly sid: string;
  /** What the function is called with. @default - the scheduler's own event */
  readonly input?: ScheduleTargetInput;
  /** Of a call that the function was not there for. @default 185 */
  readonly retryAttempts?: number;
}

/** Has a function run again and again. The schedule's role, `ScheduleRole` in the construct that owns it, may call that function and nothing else. */
export function runEvery(owner: Construct, id: string, { function: runs, sid, ...props }: ScheduledRuns): void {
  const role = new Role(owner, 'ScheduleRole', {
    assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
      conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(owner).account } },
    }),
    inlinePolicies: { Schedule: new PolicyDocument({ minimize: false, statements: [runs.invokeStatement(sid)] }) },
  });
  new Schedule(owner, id, {
    description: props.description,
    schedule: ScheduleExpression.rate(props.every),
    target: new LambdaInvoke(runs.function, { role: role.withoutPolicyUpdates(), input: props.input, retryAttempts: props.retryAttempts }),
  });
}
