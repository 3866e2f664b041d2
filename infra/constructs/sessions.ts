import type { EventBus } from 'aws-cdk-lib/aws-events';
import { Effect, type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { observedDetailTypes as namedDetailTypes } from '../../functions/isolation/honey/events.ts';
import { observedDetailTypes as throttledDetailTypes } from '../../functions/isolation/limits/events.ts';
import type { SessionsEnvVariables } from '../../functions/sessions/env.ts';
import { cordonSource } from '../../functions/shared/event-envelope.ts';
import { mintStatement } from './mint.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';
import { roleArn, type TenantStatementScope } from './tenant-statements.ts';

export interface SessionsProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly registryTable: string;
  /** JSON, as `sessions` takes it. */
  readonly trustedIssuers: string;
}

/** The one function that mints tenant sessions for calls: it verifies the token, and whoever asks becomes what the token names. */
export function sessionsFunction(owner: Construct, id: string, { scope, boundary, bus, ...props }: SessionsProps): ServiceFunction {
  const environment: SessionsEnvVariables = {
    TENANT_READER_ROLE_ARN: roleArn(scope, 'TenantReader'),
    DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
    REGISTRY_TABLE: props.registryTable,
    TRUSTED_ISSUERS: props.trustedIssuers,
    EVENT_BUS_NAME: bus.eventBusName,
  };
  return new ServiceFunction(owner, id, {
    entry: 'sessions/mint-session.lambda.ts',
    environment: { ...environment },
    boundary,
    statements: [
      mintStatement(scope, 'MintReaders', ['TenantReader', 'TenantAgent-*']), // reason: a dedicated tenant's role is made later; its trust admits this function as reader only
      new PolicyStatement({
        sid: 'DenyWriters',
        effect: Effect.DENY,
        actions: ['sts:AssumeRole'],
        resources: [roleArn(scope, 'TenantAgent-*.writer')],
      }),
      // What the broker reports: the tenant in the event is the one of the token verified here.
      putEventsStatement(bus, {
        sid: 'ReportViolations',
        source: cordonSource,
        detailTypes: ['IsolationViolationDetected', ...throttledDetailTypes, ...namedDetailTypes],
      }),
    ],
  });
}
