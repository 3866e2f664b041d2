import { Duration } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { inboundDetailTypes } from '../../functions/revocation/events.ts';
import type { RevocationsEnvVariables } from '../../functions/revocations/env.ts';
import { platformSource } from '../../functions/shared/event-envelope.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';

export interface RevocationsApiProps {
  readonly boundary: IManagedPolicy;
  readonly bus: IEventBus;
  /** The one function that mints tenant sessions for calls. */
  readonly sessions: ServiceFunction;
  readonly registryTable: string;
  /** JSON, as `sessions` takes it. */
  readonly trustedIssuers: string;
}

/** What a tenant's own administrator revokes, sees of it, and gets certified. */
export class RevocationsApi extends Construct {
  readonly server: ServiceFunction;

  constructor(parent: Construct, id: string, props: RevocationsApiProps) {
    super(parent, id);
    const environment: RevocationsEnvVariables = {
      SESSIONS_FUNCTION_NAME: props.sessions.function.functionName,
      REGISTRY_TABLE: props.registryTable,
      EVENT_BUS_NAME: props.bus.eventBusName,
      TRUSTED_ISSUERS: props.trustedIssuers,
    };
    this.server = new ServiceFunction(this, 'Function', {
      entry: 'revocations/serve-revocations.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout: Duration.seconds(29),
      statements: [
        props.sessions.invokeStatement('AskForOwnSession'),
        // What a tenant's administrator asks for: the tenant in the event is the one of the token verified there.
        putEventsStatement(props.bus, {
          sid: 'AskForRevocations',
          source: platformSource,
          detailTypes: inboundDetailTypes.filter((type) => type !== 'CertificateRequested'),
        }),
      ],
    });
  }
}
