import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { RotationEnvVariables } from '../../functions/rotation/env.ts';
import { inboundDetailTypes } from '../../functions/rotation/events.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import type { Development } from '../parameters.ts';
import { EventIntake } from './event-intake.ts';
import { mintStatement } from './mint.ts';
import type { ProviderAdmins } from './provider-admins.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';
import { roleArn, type TenantStatementScope } from './tenant-statements.ts';

export interface RotationProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  readonly admins: ProviderAdmins;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly tenantKeyArn: string;
  readonly development: Development;
}

/** Replaces keys: on schedule, on request, in an emergency. Takes its events and what the sweep finds due. */
export class Rotation extends Construct {
  readonly intake: EventIntake;
  readonly worker: ServiceFunction;

  constructor(parent: Construct, id: string, props: RotationProps) {
    super(parent, id);
    const { scope, bus } = props;
    const timeout = Duration.minutes(2);
    this.intake = new EventIntake(this, 'Queue', {
      bus,
      functionTimeout: timeout,
      alarmAction: props.alarmAction,
      patterns: { RotationEvents: { source: [platformSource], detailType: [...inboundDetailTypes] } },
    });
    const environment: RotationEnvVariables = {
      REGISTRY_TABLE: props.registryTable,
      ATTRIBUTION_TABLE: props.attributionTable,
      EVENT_BUS_NAME: bus.eventBusName,
      ...this.intake.environment,
      TENANT_ROTATOR_ROLE_ARN: roleArn(scope, 'TenantRotator'),
      DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
      TENANT_KEY_ARN: props.tenantKeyArn,
      PLATFORM_ACCOUNT_ID: scope.account,
      PROVIDERS: props.bus.stack.toJsonString(props.admins.configuration),
      ...props.development,
    };
    this.worker = new ServiceFunction(this, 'Function', {
      entry: 'rotation/advance-rotation.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout,
      statements: [
        // reason: a dedicated tenant's roles are made later; each one's trust admits this function
        mintStatement(scope, 'MintRotators', ['TenantRotator', 'TenantAgent-*']),
        ...this.intake.consumerStatements(),
        putEventsStatement(bus, { sid: 'Announce', source: cordonSource }),
        ...props.admins.readStatements(scope.region),
        new PolicyStatement({
          sid: 'DenyOtherTenantRoles',
          effect: Effect.DENY,
          actions: ['sts:AssumeRole'],
          resources: [
            'TenantReader',
            'TenantWriter',
            'TenantSupplier',
            'TenantRevoker',
            'TenantProvisioner',
            'TenantAuditor',
            'ByocConnector',
            'ByocProbe',
          ].map((name) => roleArn(scope, name)),
        }),
      ],
    });
    this.intake.deliverTo(this.worker.function);
  }
}
