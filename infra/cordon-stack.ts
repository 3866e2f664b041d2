import { CfnOutput, CfnParameter, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EventBus, Match } from 'aws-cdk-lib/aws-events';
import { Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { inboundDetailTypes as connectionDetailTypes } from '../functions/byoc/events.ts';
import { inboundDetailTypes as auditDetailTypes } from '../functions/isolation/audit/events.ts';
import type { Reference } from '../functions/isolation/audit/reference.ts';
import { inboundDetailTypes as isolationDetailTypes } from '../functions/isolation/events.ts';
import { observedDetailTypes as namedDetailTypes } from '../functions/isolation/honey/events.ts';
import { observedDetailTypes } from '../functions/isolation/limits/events.ts';
import { inboundDetailTypes as revocationDetailTypes, toldAgain } from '../functions/revocation/events.ts';
import { inboundDetailTypes as rotationDetailTypes } from '../functions/rotation/events.ts';
import type { SessionsEnvVariables } from '../functions/sessions/env.ts';
import { cordonSource, platformSource } from '../functions/shared/event-envelope.ts';
import type { TenantsEnvVariables } from '../functions/tenants/env.ts';
import { inboundDetailTypes } from '../functions/tenants/events.ts';
import { acknowledgeFindings } from './acknowledged-findings.ts';
import { AccessWatch } from './constructs/access-watch.ts';
import { Alarms } from './constructs/alarms.ts';
import { Broker } from './constructs/broker.ts';
import { Byoc } from './constructs/byoc.ts';
import { CutOff } from './constructs/cut-off.ts';
import { Dashboard } from './constructs/dashboard.ts';
import { EventIntake } from './constructs/event-intake.ts';
import { EventLog } from './constructs/event-log.ts';
import { FunctionBoundary } from './constructs/function-boundary.ts';
import { HoneyKey } from './constructs/honey-key.ts';
import { takeInventory } from './constructs/inventory.ts';
import { IsolationApi } from './constructs/isolation-api.ts';
import { IsolationTests } from './constructs/isolation-tests.ts';
import { OperatorAccess } from './constructs/operator-access.ts';
import { PolicyAudit } from './constructs/policy-audit.ts';
import { ProviderAdmins } from './constructs/provider-admins.ts';
import { putEventsStatement } from './constructs/put-events.ts';
import { RateLimits } from './constructs/rate-limits.ts';
import { Revocation } from './constructs/revocation.ts';
import { RevocationsApi } from './constructs/revocations.ts';
import { Rotation } from './constructs/rotation.ts';
import { ServiceFunction } from './constructs/service-function.ts';
import { Sweep } from './constructs/sweep.ts';
import { AttributionTable, CutOffsTable, IsolationTable, RegistryTable, ThrottlingsTable } from './constructs/tables.ts';
import { TenantKey } from './constructs/tenant-key.ts';
import { TenantRoles } from './constructs/tenant-roles.ts';
import { roleArn, type TenantStatementScope } from './constructs/tenant-statements.ts';

export interface CordonStackProps extends StackProps {
  /** What this same stack says of policies, for the audit to carry. @default - nothing, for the synthesis that it is made from */
  readonly synthesizedPolicies?: Reference;
}

/** The whole of Cordon in one cell: what exists, and who may do what to it. */
export class CordonStack extends Stack {
  constructor(app: Construct, id: string, props?: CordonStackProps) {
    super(app, id, props);

    const trustedIssuers = new CfnParameter(this, 'TrustedIssuers', {
      description: 'JSON array of {issuer, audiences, jwksUri, claims?}: whose tokens name a tenant and a user',
      default: '[]',
    });
    const providerBaseUrls = new CfnParameter(this, 'ProviderBaseUrls', {
      description: 'For development: JSON object of provider base URLs; without effect in a deployed function',
      default: '{}',
    });
    const providerAdminBaseUrls = new CfnParameter(this, 'ProviderAdminBaseUrls', {
      description: 'For development: JSON object of base URLs of providers’ administrations; without effect in a deployed function',
      default: '{}',
    });
    const providerTokenUrls = new CfnParameter(this, 'ProviderTokenUrls', {
      description: 'For development: JSON object of providers’ token endpoints; without effect in a deployed function',
      default: '{}',
    });
    const allowLoopbackEgress = new CfnParameter(this, 'AllowLoopbackEgress', {
      description: 'For development: lets calls go to loopback addresses; without effect in a deployed function',
      default: 'false',
      allowedValues: ['true', 'false'],
    });

    // State
    const registry = new RegistryTable(this, 'Registry').table;
    const attribution = new AttributionTable(this, 'Attribution').table;
    const cutOffs = new CutOffsTable(this, 'CutOffs').table;
    const throttlings = new ThrottlingsTable(this, 'Throttlings').table;
    const isolationRuns = new IsolationTable(this, 'IsolationRuns').table;
    const scope: TenantStatementScope = {
      partition: this.partition,
      region: this.region,
      account: this.account,
      registryTableArn: registry.tableArn,
      attributionTableArn: attribution.tableArn,
      isolationTableArn: isolationRuns.tableArn,
    };
    const tenantKey = new TenantKey(this, 'TenantKey', scope).key;
    const admins = new ProviderAdmins(this, 'ProviderAdmins');
    const honeyKey = new HoneyKey(this, 'HoneyKey', { admins, region: this.region });

    // Events
    const bus = new EventBus(this, 'Bus');
    const alarms = new Topic(this, 'Alarms', { enforceSSL: true });
    const tenantsTimeout = Duration.seconds(60);
    const alarmAction = new SnsAction(alarms);
    const eventLog = new EventLog(this, 'EventLog', {
      bus,
      source: cordonSource,
      requests: { source: platformSource, detailTypes: Object.values(toldAgain).flat() },
      alarmAction,
      alarming: {
        CredentialUnproven: 'A provider still accepts a key that was to be dead a day ago.',
        IsolationViolationDetected:
          'IAM refused what a tenant’s own session asked for, or a check found a wall that is not as it has to be: a bug, or somebody where they should not be.',
        RevocationUnconfirmed: 'A provider still accepts a key that was revoked.',
        RoleConnectionSuspended: 'A customer’s role is no longer safe, or gone: its tenant’s calls to that account are refused.',
      },
    });
    const intake = new EventIntake(this, 'Tenants', {
      bus,
      functionTimeout: tenantsTimeout,
      alarmAction,
      patterns: {
        TenantEvents: { source: [platformSource], detailType: [...inboundDetailTypes] },
        // What nothing else takes is taken here, refused, and kept with the reason.
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

    // Functions
    const boundary = new FunctionBoundary(this, 'FunctionBoundary', scope, [
      cutOffs.tableArn,
      throttlings.tableArn,
      isolationRuns.tableArn,
      `${isolationRuns.tableArn}/index/byStart`,
    ]).policy;
    const mint = (sid: string, roles: string[]): PolicyStatement =>
      new PolicyStatement({ sid, actions: ['sts:AssumeRole', 'sts:TagSession'], resources: roles.map((name) => roleArn(scope, name)) });

    const sessionsEnv: SessionsEnvVariables = {
      TENANT_READER_ROLE_ARN: roleArn(scope, 'TenantReader'),
      DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
      REGISTRY_TABLE: registry.tableName,
      TRUSTED_ISSUERS: trustedIssuers.valueAsString,
      EVENT_BUS_NAME: bus.eventBusName,
    };
    const sessions = new ServiceFunction(this, 'SessionsFunction', {
      entry: 'sessions/mint-session.lambda.ts',
      environment: sessionsEnv,
      boundary,
      statements: [
        mint('MintReaders', ['TenantReader', 'TenantAgent-*']), // reason: a dedicated tenant's role is made later; its trust admits this function as reader only
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
          detailTypes: ['IsolationViolationDetected', ...observedDetailTypes, ...namedDetailTypes],
        }),
      ],
    });

    const tenants = new ServiceFunction(this, 'TenantsFunction', {
      entry: 'tenants/apply-tenant-event.lambda.ts',
      environment: {},
      boundary,
      timeout: tenantsTimeout,
      statements: [
        mint('MintWriters', ['TenantWriter', 'TenantProvisioner', 'TenantAgent-*.writer']), // reason: a dedicated tenant's role is made later
        ...intake.consumerStatements(),
        putEventsStatement(bus, { sid: 'Announce', source: cordonSource }),
        ...admins.readStatements(this.region),
        ...honeyKey.readStatements(),
      ],
    });
    intake.deliverTo(tenants.function);

    const byoc = new Byoc(this, 'Byoc', {
      scope,
      boundary,
      bus,
      alarmAction,
      sessions,
      registryTable: registry.tableName,
      attributionTable: attribution.tableName,
      trustedIssuers: trustedIssuers.valueAsString,
    });
    /** Where providers are in the local cloud. */
    const development = {
      PROVIDER_BASE_URLS: providerBaseUrls.valueAsString,
      PROVIDER_ADMIN_BASE_URLS: providerAdminBaseUrls.valueAsString,
      PROVIDER_TOKEN_URLS: providerTokenUrls.valueAsString,
      ALLOW_LOOPBACK_EGRESS: allowLoopbackEgress.valueAsString,
    };
    const rotation = new Rotation(this, 'Rotation', {
      scope,
      boundary,
      bus,
      alarmAction,
      admins,
      registryTable: registry.tableName,
      attributionTable: attribution.tableName,
      tenantKeyArn: tenantKey.keyArn,
      development,
    });
    const cutOff = new CutOff(this, 'CutOff', { scope, boundary, table: cutOffs, alarmAction });
    const revocation = new Revocation(this, 'Revocation', {
      scope,
      boundary,
      bus,
      alarmAction,
      admins,
      cutOff,
      honeyKey,
      registryTable: registry.tableName,
      attributionTable: attribution.tableName,
      evidenceKey: byoc.evidenceKey,
      development,
    });
    const revocations = new RevocationsApi(this, 'RevocationsApi', {
      boundary,
      bus,
      sessions,
      registryTable: registry.tableName,
      trustedIssuers: trustedIssuers.valueAsString,
    }).server;
    const isolation = new IsolationApi(this, 'IsolationApi', {
      boundary,
      bus,
      sessions,
      table: isolationRuns,
      registryTable: registry.tableName,
      trustedIssuers: trustedIssuers.valueAsString,
    }).server;
    const accessWatch = new AccessWatch(this, 'AccessWatch', { boundary, bus, alarmAction, accountId: this.account, cutOff, honeyKey });
    const rateLimits = new RateLimits(this, 'RateLimits', { boundary, bus, alarmAction, table: throttlings });
    const sweep = new Sweep(this, 'Sweep', {
      scope,
      boundary,
      registryTable: registry.tableName,
      alarmAction,
      queues: { CONNECTION: byoc.intake.queue, CREDENTIAL: rotation.intake.queue, REVOCATION: revocation.intake.queue },
    });

    const broker = new Broker(this, 'Broker', {
      scope,
      boundary,
      bus,
      sessions,
      registryTable: registry.tableName,
      attributionTable: attribution.tableName,
      tenantKeyArn: tenantKey.keyArn,
      connections: byoc.connections,
      revocations,
      isolation,
      trustedIssuers: trustedIssuers.valueAsString,
      providerBaseUrls: providerBaseUrls.valueAsString,
      allowLoopbackEgress: allowLoopbackEgress.valueAsString,
    });

    const isolationTests = new IsolationTests(this, 'IsolationTests', {
      scope,
      boundary,
      bus,
      alarmAction,
      admins,
      sessions,
      table: isolationRuns,
      registryTable: registry.tableName,
      attributionTable: attribution.tableName,
      tenantKeyArn: tenantKey.keyArn,
      evidenceKey: byoc.evidenceKey,
      brokerUrl: broker.api.api.deploymentStage.urlForPath(),
    });

    const roles = new TenantRoles(this, 'TenantRoles', {
      scope,
      sessionsRole: sessions.role,
      eventWorkerRoles: [tenants.role, byoc.worker.role],
      provisioningRole: tenants.role,
      doorRole: broker.door.role,
      rotationRole: rotation.worker.role,
      revocationRole: revocation.worker.role,
    });
    const tenantsEnv: TenantsEnvVariables = {
      REGISTRY_TABLE: registry.tableName,
      ATTRIBUTION_TABLE: attribution.tableName,
      EVENT_BUS_NAME: bus.eventBusName,
      ...intake.environment,
      TENANT_WRITER_ROLE_ARN: roleArn(scope, 'TenantWriter'),
      TENANT_PROVISIONER_ROLE_ARN: roleArn(scope, 'TenantProvisioner'),
      DEDICATED_ROLE_ARN_PREFIX: roleArn(scope, 'TenantAgent-'),
      TENANT_KEY_ARN: tenantKey.keyArn,
      TENANT_BOUNDARY_ARN: roles.boundary.managedPolicyArn,
      TENANT_ISOLATION_POLICY_ARN: roles.isolation.managedPolicyArn,
      TENANT_REVOKED_POLICY_ARN: roles.revoked.managedPolicyArn,
      TENANT_READER_POLICY_ARN: roles.readerAccess.managedPolicyArn,
      TENANT_WRITER_POLICY_ARN: roles.writerAccess.managedPolicyArn,
      SESSIONS_ROLE_ARN: sessions.role.roleArn,
      TENANTS_ROLE_ARN: tenants.role.roleArn,
      DOOR_ROLE_ARN: broker.door.role.roleArn,
      ROTATION_ROLE_ARN: rotation.worker.role.roleArn,
      REVOCATION_ROLE_ARN: revocation.worker.role.roleArn,
      HONEY_KEY_SECRET_ARN: honeyKey.secretArn,
      TENANT_SUPPLIER_ROLE_ARN: roles.supplier.attrArn,
      PROVIDERS: this.toJsonString(admins.configuration),
      ...development,
    };
    for (const [name, value] of Object.entries(tenantsEnv)) tenants.function.addEnvironment(name, value);

    const policyAudit = new PolicyAudit(this, 'PolicyAudit', {
      scope,
      bus,
      alarmAction,
      tenantKeyArn: tenantKey.keyArn,
      ...(props?.synthesizedPolicies && { reference: props.synthesizedPolicies }),
    });
    const operator = new OperatorAccess(this, 'OperatorAccess', {
      scope,
      bus,
      source: platformSource,
      queues: [
        intake,
        byoc.intake,
        rotation.intake,
        revocation.intake,
        cutOff,
        rateLimits.intake,
        accessWatch.intake,
        isolationTests.intake,
        policyAudit.intake,
      ].flatMap(({ queue, deadLetterQueue }) => [queue, deadLetterQueue]),
      logGroups: [
        eventLog.logGroup,
        ...[
          ...[sessions, tenants, byoc.worker, byoc.connections, rotation.worker, revocation.worker, cutOff.writer, sweep.function],
          ...[
            broker.authorizer,
            broker.broker,
            broker.door,
            broker.evidence,
            revocations,
            broker.description,
            rateLimits.finder,
            accessWatch.watcher,
            isolation,
            isolationTests.verifier,
            policyAudit.auditor,
          ],
        ].map(({ logGroup }) => logGroup),
      ],
    }).policy;

    const outputs: Record<string, string> = {
      EventBusName: bus.eventBusName,
      EventLogGroup: eventLog.logGroup.logGroupName,
      AlarmTopicArn: alarms.topicArn,
      RegistryTable: registry.tableName,
      AttributionTable: attribution.tableName,
      TenantKeyArn: tenantKey.keyArn,
      ...Object.fromEntries(Object.entries(admins.secretArns).map(([name, arn]) => [`${name}AdminSecretArn`, arn])),
      OperatorPolicyArn: operator.managedPolicyArn,
      TenantReaderRoleArn: roles.reader.attrArn,
      TenantWriterRoleArn: roles.writer.attrArn,
      TenantProvisionerRoleArn: roles.provisioner.attrArn,
      TenantAuditorRoleArn: roles.auditor.attrArn,
      ByocConnectorRoleArn: roles.connector.attrArn,
      ByocProbeRoleArn: roles.probe.attrArn,
      EvidenceKeyArn: byoc.evidenceKey.keyArn,
      TemplateBucket: byoc.templates.bucketName,
      FunctionSessionsArn: sessions.function.functionArn,
      TenantSupplierRoleArn: roles.supplier.attrArn,
      TenantRotatorRoleArn: roles.rotator.attrArn,
      TenantRevokerRoleArn: roles.revoker.attrArn,
      BrokerUrl: broker.api.api.deploymentStage.urlForPath(),
      FunctionAuthorizerArn: broker.authorizer.function.functionArn,
      FunctionBrokerArn: broker.broker.function.functionArn,
      FunctionDoorArn: broker.door.function.functionArn,
      FunctionEvidenceArn: broker.evidence.function.functionArn,
      FunctionTenantsArn: tenants.function.functionArn,
      FunctionRotationArn: rotation.worker.function.functionArn,
      FunctionByocArn: byoc.worker.function.functionArn,
      FunctionConnectionsArn: byoc.connections.function.functionArn,
      FunctionRevocationsArn: revocations.function.functionArn,
      FunctionRevocationArn: revocation.worker.function.functionArn,
      FunctionCutOffArn: cutOff.writer.function.functionArn,
      FunctionSweepArn: sweep.function.function.functionArn,
      FunctionWatchArn: accessWatch.watcher.function.functionArn,
      FunctionLimitsArn: rateLimits.finder.function.functionArn,
      QueueTenantsUrl: intake.queue.queueUrl,
      QueueTenantsDlqUrl: intake.deadLetterQueue.queueUrl,
      QueueRotationUrl: rotation.intake.queue.queueUrl,
      QueueRotationDlqUrl: rotation.intake.deadLetterQueue.queueUrl,
      QueueByocUrl: byoc.intake.queue.queueUrl,
      QueueByocDlqUrl: byoc.intake.deadLetterQueue.queueUrl,
      QueueRevocationUrl: revocation.intake.queue.queueUrl,
      QueueRevocationDlqUrl: revocation.intake.deadLetterQueue.queueUrl,
      QueueCutOffUrl: cutOff.queue.queueUrl,
      QueueCutOffDlqUrl: cutOff.deadLetterQueue.queueUrl,
      QueueWatchUrl: accessWatch.intake.queue.queueUrl,
      QueueWatchDlqUrl: accessWatch.intake.deadLetterQueue.queueUrl,
      QueueLimitsUrl: rateLimits.intake.queue.queueUrl,
      QueueLimitsDlqUrl: rateLimits.intake.deadLetterQueue.queueUrl,
      FunctionPolicyAuditArn: policyAudit.auditor.function.functionArn,
      QueuePolicyAuditUrl: policyAudit.intake.queue.queueUrl,
      QueuePolicyAuditDlqUrl: policyAudit.intake.deadLetterQueue.queueUrl,
      CutOffsTable: cutOffs.tableName,
      ThrottlingsTable: throttlings.tableName,
      QueueIsolationUrl: isolationTests.intake.queue.queueUrl,
      QueueIsolationDlqUrl: isolationTests.intake.deadLetterQueue.queueUrl,
      FunctionIsolationArn: isolationTests.verifier.function.functionArn,
      FunctionIsolationApiArn: isolation.function.functionArn,
      IsolationTable: isolationRuns.tableName,
      IsolationIdentitySecretArn: isolationTests.identitySecretArn,
      RevokedPolicyArn: roles.revoked.managedPolicyArn,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
    // The last there is: it watches everything before it.
    new Alarms(this, 'Operating', { inventory: takeInventory(this), alarmAction, topic: alarms });
    new Dashboard(this, 'Dashboard', { inventory: takeInventory(this) });
    acknowledgeFindings(this);
  }
}
