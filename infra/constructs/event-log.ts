import { RemovalPolicy } from 'aws-cdk-lib';
import { type EventBus, type IRuleTarget, Rule } from 'aws-cdk-lib/aws-events';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** Where everything that Cordon announces can be read: outbound events hold no secret. */
export class EventLog extends Construct {
  readonly logGroup: LogGroup;

  constructor(parent: Construct, id: string, props: { readonly bus: EventBus; readonly source: string }) {
    super(parent, id);
    this.logGroup = new LogGroup(this, 'Events', { retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    // CDK's own log group target brings a custom resource with a function and wide rights; a policy on the group does the same.
    const target: IRuleTarget = { bind: () => ({ arn: this.logGroup.logGroupArn }) };
    const rule = new Rule(this, 'Outbound', { eventBus: props.bus, eventPattern: { source: [props.source] }, targets: [target] });
    this.logGroup.addToResourcePolicy(
      new PolicyStatement({
        sid: 'WriteOutboundEvents',
        principals: [new ServicePrincipal('events.amazonaws.com'), new ServicePrincipal('delivery.logs.amazonaws.com')],
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [this.logGroup.logGroupArn],
        conditions: { ArnEquals: { 'aws:SourceArn': rule.ruleArn } },
      }),
    );
  }
}
