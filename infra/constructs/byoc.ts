import { Duration, RemovalPolicy, Tags } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import {
  AccountRootPrincipal,
  AnyPrincipal,
  ArnPrincipal,
  type IManagedPolicy,
  PolicyDocument,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import { Key, KeySpec, KeyUsage } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { ByocEnvVariables } from '../../functions/byoc/env.ts';
import { inboundDetailTypes } from '../../functions/byoc/events.ts';
import type { ConnectionsEnvVariables } from '../../functions/connections/env.ts';
import { cordonSource, platformSource } from '../../functions/shared/event-envelope.ts';
import { EventIntake } from './event-intake.ts';
import { mintStatement } from './mint.ts';
import { putEventsStatement } from './put-events.ts';
import { ServiceFunction } from './service-function.ts';
import { roleArn, type TenantStatementScope } from './tenant-statements.ts';

export interface ByocProps {
  readonly scope: TenantStatementScope;
  readonly boundary: IManagedPolicy;
  readonly bus: EventBus;
  readonly alarmAction: IAlarmAction;
  /** The one function that mints tenant sessions for calls. */
  readonly sessions: ServiceFunction;
  readonly registryTable: string;
  readonly attributionTable: string;
  /** JSON, as `sessions` takes it. */
  readonly trustedIssuers: string;
}

/** Customers' own roles: the template they make them from, the worker that proves them, the key that signs what it found, and the customers' view of it. */
export class Byoc extends Construct {
  readonly intake: EventIntake;
  /** Probes and re-verifies; acts for the tenant that an event or the sweep names. */
  readonly worker: ServiceFunction;
  /** API and page for the customer. */
  readonly connections: ServiceFunction;
  readonly evidenceKey: Key;
  readonly templates: Bucket;

  constructor(parent: Construct, id: string, props: ByocProps) {
    super(parent, id);
    const { scope, boundary, bus } = props;
    const timeout = Duration.minutes(2);
    this.intake = new EventIntake(this, 'Queue', {
      bus,
      functionTimeout: timeout,
      alarmAction: props.alarmAction,
      patterns: { ConnectionEvents: { source: [platformSource], detailType: [...inboundDetailTypes] } },
    });
    this.templates = this.#templateBucket();

    const common = {
      REGISTRY_TABLE: props.registryTable,
      ATTRIBUTION_TABLE: props.attributionTable,
      EVENT_BUS_NAME: bus.eventBusName,
      TEMPLATE_BUCKET: this.templates.bucketName,
      PLATFORM_ACCOUNT_ID: scope.account,
      BYOC_CONNECTOR_ROLE_ARN: roleArn(scope, 'ByocConnector'),
    };
    this.worker = new ServiceFunction(this, 'WorkerFunction', {
      entry: 'byoc/tend-connection.lambda.ts',
      environment: {},
      boundary,
      timeout,
      statements: [
        mintStatement(scope, 'MintWriters', ['TenantWriter']),
        ...this.intake.consumerStatements(),
        putEventsStatement(bus, { sid: 'Announce', source: cordonSource }),
        new PolicyStatement({
          sid: 'PublishTemplate',
          actions: ['s3:PutObject'],
          resources: [this.templates.arnForObjects('customer-role/*')], // reason: each version of the template has a name of its own
        }),
      ],
    });
    this.evidenceKey = this.#signingKey(this.worker);
    const workerEnv: ByocEnvVariables = {
      ...common,
      ...this.intake.environment,
      TENANT_WRITER_ROLE_ARN: roleArn(scope, 'TenantWriter'),
      BYOC_PROBE_ROLE_ARN: roleArn(scope, 'ByocProbe'),
      EVIDENCE_KEY_ARN: this.evidenceKey.keyArn,
    };
    for (const [name, value] of Object.entries(workerEnv)) this.worker.function.addEnvironment(name, value);
    this.intake.deliverTo(this.worker.function);

    const connectionsEnv: ConnectionsEnvVariables = {
      ...common,
      SESSIONS_FUNCTION_NAME: props.sessions.function.functionName,
      TRUSTED_ISSUERS: props.trustedIssuers,
    };
    this.connections = new ServiceFunction(this, 'ConnectionsFunction', {
      entry: 'connections/serve-connections.lambda.ts',
      environment: connectionsEnv,
      boundary,
      timeout: Duration.seconds(29),
      statements: [
        props.sessions.invokeStatement('AskForOwnSession'),
        // What a tenant's administrator asks for: the tenant in the event is the one of the token verified there.
        putEventsStatement(bus, { sid: 'AskForConnections', source: platformSource, detailTypes: [...inboundDetailTypes] }),
      ],
    });
  }

  /** Anyone may read the template: customers' CloudFormation does, from whatever account, and it holds nothing of any tenant. */
  #templateBucket(): Bucket {
    const bucket = new Bucket(this, 'Templates', {
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      versioned: true,
      removalPolicy: RemovalPolicy.RETAIN,
      blockPublicAccess: new BlockPublicAccess({
        blockPublicAcls: true,
        ignorePublicAcls: true,
        blockPublicPolicy: false,
        restrictPublicBuckets: false,
      }),
    });
    bucket.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ReadTemplates',
        principals: [new AnyPrincipal()],
        actions: ['s3:GetObject'],
        resources: [bucket.arnForObjects('customer-role/*')],
      }),
    );
    return bucket;
  }

  /** Signs what was found, so that it can be shown later that it was found then. Who administers the key cannot sign with it. */
  #signingKey(signer: ServiceFunction): Key {
    const key = new Key(this, 'EvidenceKey', {
      description: 'Signs evidence: verifications of customers’ roles',
      keySpec: KeySpec.ECC_NIST_P256,
      keyUsage: KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
      policy: new PolicyDocument({
        minimize: false,
        statements: [
          new PolicyStatement({
            sid: 'AdministerWithoutUse',
            principals: [new AccountRootPrincipal()],
            actions: ['Cancel', 'Describe', 'Disable', 'Enable', 'Get', 'List', 'Put', 'Schedule', 'Tag', 'Untag', 'Update', 'Verify'].map(
              (verb) => `kms:${verb}*`,
            ),
            resources: ['*'], // in a key policy: this key
          }),
          new PolicyStatement({
            sid: 'SignEvidence',
            principals: [new ArnPrincipal(signer.role.roleArn)],
            actions: ['kms:Sign'],
            resources: ['*'],
            conditions: { StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' } },
          }),
        ],
      }),
    });
    // A key that carries a Tier cannot be tagged as a tenant's own.
    Tags.of(key).add('Tier', 'platform');
    return key;
  }
}
