import { Duration } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { type EventBus, Match } from 'aws-cdk-lib/aws-events';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { inboundDetailTypes as connectionDetailTypes } from '../../functions/byoc/events.ts';
import { inboundDetailTypes as auditDetailTypes } from '../../functions/isolation/audit/events.ts';
import { inboundDetailTypes as isolationDetailTypes } from '../../functions/isolation/events.ts';
import { inboundDetailTypes as revocationDetailTypes } from '../../functions/revocation/events.ts';
import { inboundDetailTypes as rotationDetailTypes } from '../../functions/rotation/events.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import { inboundDetailTypes } from '../../functions/tenants/events.ts';
import { EventIntake } from './event-intake.ts';
import type { HoneyKey } from './honey-key.ts';
import { mintStatement } from './mint.ts';
import type { ProviderAdmins } from './provider-admins.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';
import type { TenantStatementScope } from './tenant-statements.ts';

const timeout = Duration.seconds(60);

/** What is told of tenants, users and credentials; and what nothing else takes: it is taken here, refused, and kept with the reason. */
export function tenantsIntake(owner: Construct, id: string, bus: EventBus, alarmAction: IAlarmAction): EventIntake {
  return new EventIntake(owner, id, {
    bus,
    functionTimeout: timeout,
    alarmAction,
    patterns: {
      TenantEvents: { source: [platformSource], detailType: [...inboundDetailTypes] },
      UnknownTypes: {
        source: [platformSource],
        detailType: Match.anythingBut(
          ...inboundDetailTypes,
          ...connectionDetailTypes,
          ...rotationDetailTypes,
          ...revocationDetailTypes,
          ...isolationDetailTypes,
          ...auditDetailTypes,
        ),
      },
      UnknownSources: { source: Match.anythingBut(platformSource, cordonSource) },
    },
  });
}

export interface TenantsProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly intake: EventIntake;
  readonly admins: ProviderAdmins;
  readonly honeyKey: HoneyKey;
}

/** Provisions tenants, users and credentials. Its environment is the stack's to set: it names roles that admit this very function. */
export function tenantsFunction(owner: Construct, id: string, { scope, bus, intake, ...props }: TenantsProps): ServiceFunction {
  const made = new ServiceFunction(owner, id, {
    entry: 'tenants/apply-tenant-event.lambda.ts',
    environment: {},
    boundary: props.boundary,
    timeout,
    statements: [
      mintStatement(scope, 'MintWriters', ['TenantWriter', 'TenantProvisioner', 'TenantAgent-*.writer']), // reason: a dedicated tenant's role is made later
      ...intake.consumerStatements(),
      putEventsStatement(bus, { sid: 'Announce', source: cordonSource }),
      ...props.admins.readStatements(scope.region),
      ...props.honeyKey.readStatements(),
    ],
  });
  intake.deliverTo(made.function);
  return made;
}
