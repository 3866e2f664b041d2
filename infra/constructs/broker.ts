import { Duration } from 'aws-cdk-lib';
import type { IEventBus } from 'aws-cdk-lib/aws-events';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { TenancyConfig } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { EvidenceEnvVariables } from '../../functions/attribution/env.ts';
import type { AuthorizeEnvVariables } from '../../functions/broker/authorize-env.ts';
import type { BrokerEnvVariables } from '../../functions/broker/env.ts';
import type { DoorEnvVariables } from '../../functions/credentials/env.ts';
import { observedDetailTypes } from '../../functions/isolation/honey/events.ts';
import { cordonSource } from '../../functions/shared/event-envelope.ts';
import { BrokerApi } from './broker-api.ts';
import { mintStatement } from './mint.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';
import { roleArn, type TenantStatementScope } from './tenant-statements.ts';

export interface BrokerProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: IEventBus;
  /** The one function that mints tenant sessions for calls. */
  readonly sessions: ServiceFunction;
  readonly registryTable: string;
  readonly attributionTable: string;
  readonly tenantKeyArn: string;
  /** Serves customers' connections. */
  readonly connections: ServiceFunction;
  /** Serves what tenants' administrators revoke. */
  readonly revocations: ServiceFunction;
  /** Serves what the isolation tests have found. */
  readonly isolation: ServiceFunction;
  /** JSON, as `sessions` takes it. */
  readonly trustedIssuers: string;
  /** JSON; without effect in a deployed function. */
  readonly providerBaseUrls: string;
  readonly allowLoopbackEgress: string;
}

/** The way of a call: API, authorizer, broker; and beside it the door for customers' own keys and the evidence of what was done. */
export class Broker extends Construct {
  readonly api: BrokerApi;
  readonly authorizer: ServiceFunction;
  readonly broker: ServiceFunction;
  readonly door: ServiceFunction;
  readonly evidence: ServiceFunction;
  readonly description: ServiceFunction;

  constructor(parent: Construct, id: string, props: BrokerProps) {
    super(parent, id);
    const { scope, boundary } = props;
    const invokeSessions = props.sessions.invokeStatement('AskForOwnSession');

    const authorizerEnv: AuthorizeEnvVariables = { TRUSTED_ISSUERS: props.trustedIssuers };
    this.authorizer = new ServiceFunction(this, 'AuthorizerFunction', {
      entry: 'broker/authorize-call.lambda.ts',
      environment: authorizerEnv,
      boundary,
      timeout: Duration.seconds(10),
      statements: [],
    });

    const brokerEnv: BrokerEnvVariables = {
      SESSIONS_FUNCTION_NAME: props.sessions.function.functionName,
      REGISTRY_TABLE: props.registryTable,
      ATTRIBUTION_TABLE: props.attributionTable,
      TENANT_READER_ROLE_ARN: roleArn(scope, 'TenantReader'),
      DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
      BYOC_CONNECTOR_ROLE_ARN: roleArn(scope, 'ByocConnector'),
      PROVIDER_BASE_URLS: props.providerBaseUrls,
      ALLOW_LOOPBACK_EGRESS: props.allowLoopbackEgress,
    };
    this.broker = new ServiceFunction(this, 'BrokerFunction', {
      entry: 'broker/proxy-call.lambda.ts',
      environment: { ...brokerEnv },
      boundary,
      tenancy: TenancyConfig.PER_TENANT,
      timeout: Duration.minutes(15),
      memorySize: 1024,
      statements: [invokeSessions],
    });

    const doorEnv: DoorEnvVariables = {
      REGISTRY_TABLE: props.registryTable,
      ATTRIBUTION_TABLE: props.attributionTable,
      EVENT_BUS_NAME: props.bus.eventBusName,
      TENANT_SUPPLIER_ROLE_ARN: roleArn(scope, 'TenantSupplier'),
      DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
      TENANT_KEY_ARN: props.tenantKeyArn,
      TRUSTED_ISSUERS: props.trustedIssuers,
      PROVIDER_BASE_URLS: props.providerBaseUrls,
      ALLOW_LOOPBACK_EGRESS: props.allowLoopbackEgress,
    };
    this.door = new ServiceFunction(this, 'DoorFunction', {
      entry: 'credentials/supply-secret.lambda.ts',
      // Databases of customers at RDS have certificates of AWS's own authority, which Lambda brings along.
      environment: { ...doorEnv, NODE_EXTRA_CA_CERTS: '/var/runtime/ca-cert.pem' },
      boundary,
      timeout: Duration.seconds(29),
      statements: [
        // reason: a dedicated tenant's role is made later; its trust admits this function as writer only
        mintStatement(scope, 'MintSuppliers', ['TenantSupplier', 'TenantAgent-*.writer']),
        putEventsStatement(props.bus, {
          sid: 'AnnounceSupplied',
          source: cordonSource,
          detailTypes: ['CredentialProvisioned', 'IsolationViolationDetected', ...observedDetailTypes],
        }),
      ],
    });

    const evidenceEnv: EvidenceEnvVariables = {
      SESSIONS_FUNCTION_NAME: props.sessions.function.functionName,
      ATTRIBUTION_TABLE: props.attributionTable,
    };
    this.evidence = new ServiceFunction(this, 'EvidenceFunction', {
      entry: 'attribution/list-entries.lambda.ts',
      environment: evidenceEnv,
      boundary,
      timeout: Duration.seconds(29),
      statements: [invokeSessions],
    });

    this.description = new ServiceFunction(this, 'DescriptionFunction', {
      entry: 'broker/describe-api.lambda.ts',
      environment: {},
      boundary,
      memorySize: 128,
      timeout: Duration.seconds(5),
      statements: [],
    });

    this.api = new BrokerApi(this, 'Api', {
      authorizer: this.authorizer.function,
      broker: this.broker.function,
      door: this.door.function,
      evidence: this.evidence.function,
      connections: props.connections.function,
      revocations: props.revocations.function,
      isolation: props.isolation.function,
      description: this.description.function,
    });
  }
}
