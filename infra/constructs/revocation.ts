import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { RevocationEnvVariables } from '../../functions/revocation/env.ts';
import { inboundDetailTypes } from '../../functions/revocation/events.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import type { Development } from '../parameters.ts';
import type { CutOff } from './cut-off.ts';
import { EventIntake } from './event-intake.ts';
import { letSignCertificates } from './evidence-signing.ts';
import type { HoneyKey } from './honey-key.ts';
import { mintStatement } from './mint.ts';
import type { ProviderAdmins } from './provider-admins.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';
import { roleArn, type TenantStatementScope } from './tenant-statements.ts';

export interface RevocationProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  readonly admins: ProviderAdmins;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly cutOff: CutOff;
  readonly honeyKey: HoneyKey;
  /** Signs certificates. */
  readonly evidenceKey: Key;
  readonly development: Development;
}

/** Ends access: at once in the registry, then everywhere else. Takes its events and what the sweep finds due. */
export class Revocation extends Construct {
  readonly intake: EventIntake;
  readonly worker: ServiceFunction;

  constructor(parent: Construct, id: string, props: RevocationProps) {
    super(parent, id);
    const { scope, bus, cutOff, evidenceKey } = props;
    // A tenant may have thousands of credentials: what one run does not come to is due again at once.
    const timeout = Duration.minutes(5);
    this.intake = new EventIntake(this, 'Queue', {
      bus,
      functionTimeout: timeout,
      alarmAction: props.alarmAction,
      patterns: { RevocationEvents: { source: [platformSource], detailType: [...inboundDetailTypes] } },
    });
    const environment: RevocationEnvVariables = {
      REGISTRY_TABLE: props.registryTable,
      ATTRIBUTION_TABLE: props.attributionTable,
      EVENT_BUS_NAME: bus.eventBusName,
      ...this.intake.environment,
      TENANT_REVOKER_ROLE_ARN: roleArn(scope, 'TenantRevoker'),
      DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
      PLATFORM_ACCOUNT_ID: scope.account,
      EVIDENCE_KEY_ARN: evidenceKey.keyArn,
      HONEY_KEY_SECRET_ARN: props.honeyKey.secretArn,
      ...cutOff.environment,
      PROVIDERS: bus.stack.toJsonString(props.admins.configuration),
      ...props.development,
    };
    this.worker = new ServiceFunction(this, 'Function', {
      entry: 'revocation/revoke.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout,
      statements: [
        // reason: a dedicated tenant's roles are made later; each one's trust admits this function
        mintStatement(scope, 'MintRevokers', ['TenantRevoker', 'TenantAgent-*']),
        ...this.intake.consumerStatements(),
        putEventsStatement(bus, { sid: 'Announce', source: cordonSource }),
        // What others have to do when something is revoked.
        putEventsStatement(bus, {
          sid: 'AskOthers',
          source: platformSource,
          detailTypes: ['RoleDisconnectionRequested', 'RotationRequested'],
        }),
        ...cutOff.requestStatements(),
        ...props.admins.readStatements(scope.region),
        ...props.honeyKey.readStatements(),
        new PolicyStatement({
          sid: 'DenyOtherTenantRoles',
          effect: Effect.DENY,
          actions: ['sts:AssumeRole'],
          resources: [
            'TenantReader',
            'TenantWriter',
            'TenantSupplier',
            'TenantRotator',
            'TenantProvisioner',
            'TenantAuditor',
            'ByocConnector',
            'ByocProbe',
          ].map((name) => roleArn(scope, name)),
        }),
      ],
    });
    letSignCertificates(evidenceKey, this.worker.role);
    // A run that ends thousands of credentials takes minutes: what is urgent is not to wait until it is through.
    this.intake.deliverTo(this.worker.function, { maxConcurrency: 50 });
  }
}
