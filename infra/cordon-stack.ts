import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Reference } from '../functions/isolation/audit/reference.ts';
import { toldAgain } from '../functions/revocation/events.ts';
import { cordonSource, platformSource } from '../functions/shared/event-envelope.ts';
import type { TenantsEnvVariables } from '../functions/tenants/env.ts';
import { acknowledgeFindings } from './acknowledged-findings.ts';
import { AccessWatch } from './constructs/access-watch.ts';
import { Alarms } from './constructs/alarms.ts';
import { Broker } from './constructs/broker.ts';
import { Byoc } from './constructs/byoc.ts';
import { CutOff } from './constructs/cut-off.ts';
import { Dashboard } from './constructs/dashboard.ts';
import { EventLog } from './constructs/event-log.ts';
import { FunctionBoundary } from './constructs/function-boundary.ts';
import { HoneyKey } from './constructs/honey-key.ts';
import { takeInventory } from './constructs/inventory.ts';
import { IsolationApi } from './constructs/isolation-api.ts';
import { IsolationTests } from './constructs/isolation-tests.ts';
import { OperatorAccess } from './constructs/operator-access.ts';
import { PolicyAudit } from './constructs/policy-audit.ts';
import { ProviderAdmins } from './constructs/provider-admins.ts';
import { RateLimits } from './constructs/rate-limits.ts';
import { Revocation } from './constructs/revocation.ts';
import { RevocationsApi } from './constructs/revocations.ts';
import { Rotation } from './constructs/rotation.ts';
import { sessionsFunction } from './constructs/sessions.ts';
import { Sweep } from './constructs/sweep.ts';
import { AttributionTable, CutOffsTable, IsolationTable, RegistryTable, ThrottlingsTable } from './constructs/tables.ts';
import { TenantKey } from './constructs/tenant-key.ts';
import { TenantRoles } from './constructs/tenant-roles.ts';
import { roleArn, type TenantStatementScope } from './constructs/tenant-statements.ts';
import { tenantsFunction, tenantsIntake } from './constructs/tenants.ts';
import { addParameters } from './parameters.ts';

export interface CordonStackProps extends StackProps {
  /** What this same stack says of policies, for the audit to carry. @default - nothing, for the synthesis that it is made from */
  readonly synthesizedPolicies?: Reference;
}

/** The whole of Cordon in one cell: what exists, and who may do what to it. */
export class CordonStack extends Stack {
  constructor(app: Construct, id: string, props?: CordonStackProps) {
    super(app, id, props);

    const { trustedIssuers, development } = addParameters(this);

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
    const intake = tenantsIntake(this, 'Tenants', bus, alarmAction);

    // Functions
    const boundary = new FunctionBoundary(this, 'FunctionBoundary', scope, [
      cutOffs.tableArn,
      throttlings.tableArn,
      isolationRuns.tableArn,
      `${isolationRuns.tableArn}/index/byStart`,
    ]).policy;
    const sessions = sessionsFunction(this, 'SessionsFunction', {
      scope,
      boundary,
      bus,
      registryTable: registry.tableName,
      trustedIssuers,
    });
    const tenants = tenantsFunction(this, 'TenantsFunction', { scope, boundary, bus, intake, admins, honeyKey });
    const byoc = new Byoc(this, 'Byoc', {
      scope,
      boundary,
      bus,
      alarmAction,
      sessions,
      registryTable: registry.tableName,
      attributionTable: attribution.tableName,
      trustedIssuers,
    });
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
      trustedIssuers,
    }).server;
    const isolation = new IsolationApi(this, 'IsolationApi', {
      boundary,
      bus,
      sessions,
      table: isolationRuns,
      registryTable: registry.tableName,
      trustedIssuers,
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
      trustedIssuers,
      providerBaseUrls: development.PROVIDER_BASE_URLS,
      allowLoopbackEgress: development.ALLOW_LOOPBACK_EGRESS,
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
      alarmTopic: alarms,
      tenantKeyArn: tenantKey.keyArn,
      ...(props?.synthesizedPolicies && { reference: props.synthesizedPolicies }),
    });
    const functions = {
      Sessions: sessions,
      Tenants: tenants,
      Byoc: byoc.worker,
      Connections: byoc.connections,
      Rotation: rotation.worker,
      Revocation: revocation.worker,
      CutOff: cutOff.writer,
      Sweep: sweep.function,
      Authorizer: broker.authorizer,
      Broker: broker.broker,
      Door: broker.door,
      Evidence: broker.evidence,
      Revocations: revocations,
      Description: broker.description,
      Limits: rateLimits.finder,
      Watch: accessWatch.watcher,
      IsolationApi: isolation,
      Isolation: isolationTests.verifier,
      PolicyAudit: policyAudit.auditor,
    };
    const queues = {
      Tenants: intake,
      Byoc: byoc.intake,
      Rotation: rotation.intake,
      Revocation: revocation.intake,
      CutOff: cutOff,
      Limits: rateLimits.intake,
      Watch: accessWatch.intake,
      Isolation: isolationTests.intake,
      PolicyAudit: policyAudit.intake,
    };
    const operator = new OperatorAccess(this, 'OperatorAccess', {
      scope,
      bus,
      source: platformSource,
      queues: Object.values(queues).flatMap(({ queue, deadLetterQueue }) => [queue, deadLetterQueue]),
      logGroups: [eventLog, ...Object.values(functions)].map(({ logGroup }) => logGroup),
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
      TenantSupplierRoleArn: roles.supplier.attrArn,
      TenantRotatorRoleArn: roles.rotator.attrArn,
      TenantRevokerRoleArn: roles.revoker.attrArn,
      BrokerUrl: broker.api.api.deploymentStage.urlForPath(),
      CutOffsTable: cutOffs.tableName,
      ThrottlingsTable: throttlings.tableName,
      IsolationTable: isolationRuns.tableName,
      IsolationIdentitySecretArn: isolationTests.identitySecretArn,
      RevokedPolicyArn: roles.revoked.managedPolicyArn,
    };
    // Nobody looks for what only tells how the API is called.
    const { Description: _, ...told } = functions;
    for (const [name, { function: its }] of Object.entries(told)) outputs[`Function${name}Arn`] = its.functionArn;
    for (const [name, { queue, deadLetterQueue }] of Object.entries(queues)) {
      outputs[`Queue${name}Url`] = queue.queueUrl;
      outputs[`Queue${name}DlqUrl`] = deadLetterQueue.queueUrl;
    }
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
    // The last there is: it watches everything before it.
    new Alarms(this, 'Operating', { inventory: takeInventory(this), alarmAction, topic: alarms });
    new Dashboard(this, 'Dashboard', { inventory: takeInventory(this) });
    acknowledgeFindings(this);
  }
}
