import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { CfnRule, type EventBus, Match, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { observedDetailTypes } from '../../functions/isolation/honey/events.ts';
import type { WatchEnvVariables } from '../../functions/isolation/watch/env.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import { addAlarm } from './alarm.ts';
import type { CutOff } from './cut-off.ts';
import { EventIntake } from './event-intake.ts';
import type { HoneyKey } from './honey-key.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';

export interface AccessWatchProps {
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  readonly accountId: string;
  readonly cutOff: CutOff;
  readonly honeyKey: HoneyKey;
}

const vault = ['secretsmanager.amazonaws.com'];
const tenantSecret = [...Match.prefix('cordon/'), ...Match.wildcard('arn:*:secret:cordon/*')];

/**
 * Looks at what CloudTrail says of tenants' secrets, of Cordon's roles and of keys, whoever it was: the one witness that is not Cordon's own code. It needs a trail in the account that logs
 * management events, which is not made here, because most accounts have one. The function reads nothing of a tenant. Where a decoy was named, it has sessions ended.
 */
export class AccessWatch extends Construct {
  readonly intake: EventIntake;
  readonly watcher: ServiceFunction;

  constructor(parent: Construct, id: string, props: AccessWatchProps) {
    super(parent, id);
    const functionTimeout = Duration.seconds(30);
    this.intake = new EventIntake(this, 'Intake', {
      bus: props.bus,
      functionTimeout,
      alarmAction: props.alarmAction,
      patterns: { Named: { source: [cordonSource], detailType: [...observedDetailTypes] } },
    });
    this.#hearCloudTrail();

    const environment: WatchEnvVariables = {
      EVENT_BUS_NAME: props.bus.eventBusName,
      ...this.intake.environment,
      PLATFORM_ACCOUNT_ID: props.accountId,
      HONEY_KEY_SECRET_ARN: props.honeyKey.secretArn,
      ...props.cutOff.environment,
    };
    this.watcher = new ServiceFunction(this, 'Function', {
      entry: 'isolation/watch/watch-access.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout: functionTimeout,
      statements: [
        ...this.intake.consumerStatements(),
        ...props.cutOff.requestStatements(),
        ...props.honeyKey.readStatements(),
        // What names a decoy ends.
        putEventsStatement(props.bus, {
          sid: 'EndWhatNamedDecoys',
          source: platformSource,
          detailTypes: ['AccessSuspended', 'RevocationRequested'],
        }),
        putEventsStatement(props.bus, {
          sid: 'TellFindings',
          source: cordonSource,
          detailTypes: ['EventHandlingFailed', 'IsolationViolationDetected'],
        }),
      ],
    });
    this.intake.deliverTo(this.watcher.function);
    addAlarm(
      this,
      'SilenceAlarm',
      {
        says: 'Nothing was heard of CloudTrail for a day: the account has no trail that logs management events, or the rule is gone.',
        runbook: 'No records of CloudTrail',
        metric: this.watcher.function.metricInvocations({ period: Duration.days(1) }),
        below: 1,
      },
      props.alarmAction,
    );
  }

  /** As narrow as a pattern can be: what is about no tenant never reaches the queue. Where a refusal keeps no parameters, its message names the resource. */
  #hearCloudTrail(): void {
    const rule = new Rule(this, 'Records', {
      description: 'What is asked of tenants’ secrets, of Cordon’s roles and of keys',
      eventPattern: {
        source: ['aws.kms', 'aws.secretsmanager', 'aws.sts'],
        detailType: ['AWS API Call via CloudTrail'],
        detail: {
          $or: [
            { eventSource: vault, requestParameters: { secretId: tenantSecret } },
            { eventSource: vault, requestParameters: { secretIdList: tenantSecret } },
            { eventSource: vault, requestParameters: { name: Match.prefix('cordon/') } },
            { eventSource: ['sts.amazonaws.com'], requestParameters: { roleArn: Match.wildcard('arn:*:role/cordon/*') } },
            { eventSource: [...vault, 'sts.amazonaws.com'], errorMessage: Match.wildcard('*cordon/*') },
            { eventSource: ['kms.amazonaws.com'], requestParameters: { encryptionContext: { TenantId: Match.exists() } } },
            { eventSource: ['kms.amazonaws.com'], eventName: ['CreateGrant', 'PutKeyPolicy', 'ReplicateKey'] },
          ],
        },
      },
      targets: [new SqsQueue(this.intake.queue, { deadLetterQueue: this.intake.deadLetterQueue })],
    });
    const made = rule.node.defaultChild;
    if (!(made instanceof CfnRule)) throw new TypeError('the rule has no resource of its own');
    // An ordinary enabled rule gets no read-only management events, and reading a secret is one (EventBridge API Reference, PutRule).
    made.state = 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS';
  }
}
