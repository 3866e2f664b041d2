import type { LocalCloud } from './cloud.ts';
import type { ConnectionFile } from './connection-file.ts';
import type { Control } from './control.ts';

/** What the connection file says of a running cloud, with fresh credentials for the functions. */
export async function connectionOf(cloud: LocalCloud, control: Control): Promise<ConnectionFile> {
  const output = (key: string): string => {
    const value = cloud.outputs[key];
    if (value === undefined) throw new Error(`The stack has no output ${key}.`);
    return value;
  };
  const { issuer, audience, jwksUri } = cloud.oidc;
  return {
    schemaVersion: 1,
    pid: process.pid,
    endpoint: cloud.endpoint,
    region: cloud.region,
    accountId: cloud.accountId,
    eventBusName: output('EventBusName'),
    eventLogGroup: output('EventLogGroup'),
    registryTable: output('RegistryTable'),
    attributionTable: output('AttributionTable'),
    isolationTable: output('IsolationTable'),
    kmsKeyArn: output('TenantKeyArn'),
    templatePath: cloud.templatePath,
    brokerUrl: cloud.brokerUrl,
    oidc: { issuer, audience, jwksUri },
    roles: {
      TenantReader: output('TenantReaderRoleArn'),
      TenantWriter: output('TenantWriterRoleArn'),
      TenantAuditor: output('TenantAuditorRoleArn'),
      ByocConnector: output('ByocConnectorRoleArn'),
    },
    functionArns: cloud.functionArns,
    queues: cloud.queues,
    principals: { operator: cloud.operator, functions: await cloud.functionCredentials() },
    providers: cloud.providers,
    customers: cloud.customers,
    control: { url: control.url, token: control.token },
  };
}
