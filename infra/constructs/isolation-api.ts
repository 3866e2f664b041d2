import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import { type IManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { dailyPartition, type ResultsEnvVariables } from '../../functions/isolation/results/env.ts';
import { platformSource } from '../../functions/shared/event-envelope.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';

export interface IsolationApiProps {
  readonly boundary: IManagedPolicy;
  readonly bus: IEventBus;
  /** The one function that mints tenant sessions for calls. */
  readonly sessions: ServiceFunction;
  readonly table: Table;
  readonly registryTable: string;
  /** JSON, as `sessions` takes it. */
  readonly trustedIssuers: string;
}

/** What a tenant sees of the isolation tests, and how its administrator has them run. */
export class IsolationApi extends Construct {
  readonly server: ServiceFunction;

  constructor(parent: Construct, id: string, props: IsolationApiProps) {
    super(parent, id);
    const { table } = props;
    const environment: ResultsEnvVariables = {
      SESSIONS_FUNCTION_NAME: props.sessions.function.functionName,
      REGISTRY_TABLE: props.registryTable,
      ISOLATION_TABLE: table.tableName,
      EVENT_BUS_NAME: props.bus.eventBusName,
      TRUSTED_ISSUERS: props.trustedIssuers,
    };
    this.server = new ServiceFunction(this, 'Function', {
      entry: 'isolation/results/serve-results.lambda.ts',
      environment: { ...environment },
      boundary: props.boundary,
      timeout: Duration.seconds(29),
      statements: [
        props.sessions.invokeStatement('AskForOwnSession'),
        // The daily runs belong to a canary and are for everybody to see. A tenant's own are read in its own session.
        new PolicyStatement({
          sid: 'ReadDailyRuns',
          actions: ['dynamodb:GetItem', 'dynamodb:Query'],
          resources: [table.tableArn, `${table.tableArn}/index/byStart`],
          conditions: {
            'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': [dailyPartition] },
            Null: { 'dynamodb:LeadingKeys': 'false' },
          },
        }),
        // The tenant in the event is the one of the token verified there.
        putEventsStatement(props.bus, { sid: 'AskForRuns', source: platformSource, detailTypes: 'IsolationVerificationRequested' }),
      ],
    });
  }
}
