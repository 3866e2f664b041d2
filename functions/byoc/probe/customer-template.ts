import { createHash } from 'node:crypto';
import type { ServiceName } from '../service-name.ts';

/** The template that customers deploy, as published: text, version and where it lies in the template bucket. */
export interface CustomerTemplate {
  readonly text: string;
  /** First 16 hexadecimal digits of the text's SHA-256: another text has another version and another key. */
  readonly version: string;
  /** `customer-role/{version}.yaml` */
  readonly key: string;
}

/** @param text of `customer-role.template.yaml`: a composition root imports it (`import text from '…/customer-role.template.yaml'`), a test reads the file */
export function customerTemplate(text: string): CustomerTemplate {
  const version = createHash('sha256').update(text).digest('hex').slice(0, 16);
  return { text, version, key: templateKey(version) };
}

export function templateKey(version: string): string {
  return `customer-role/${version}.yaml`;
}

/** Where CloudFormation reads the template. Source: CloudFormation API Reference, CreateStack, `TemplateURL`. */
export function templateUrl({
  region,
  bucket,
  version,
}: {
  readonly region: string;
  readonly bucket: string;
  readonly version: string;
}): string {
  return `https://${bucket}.s3.${region}.amazonaws.com/${templateKey(version)}`;
}

export interface QuickCreate {
  /** The platform's: where the template lies and the stack is offered to be made. */
  readonly region: string;
  readonly bucket: string;
  readonly version: string;
  readonly platformAccountId: string;
  readonly connectorRoleArn: string;
  readonly connection: {
    readonly tenantId: string;
    readonly roleName: string;
    readonly externalId: string;
    readonly services: readonly ServiceName[];
    readonly regions: readonly string[];
  };
}

/** The parameters of the customer's stack by name. */
export function templateParameters({
  platformAccountId,
  connectorRoleArn,
  connection,
}: Pick<QuickCreate, 'platformAccountId' | 'connectorRoleArn' | 'connection'>): Record<string, string> {
  const { roleName, externalId, services, regions } = connection;
  const asked = (service: ServiceName): string => String(services.includes(service));
  return {
    RoleName: roleName,
    ExternalId: externalId,
    PlatformAccountId: platformAccountId,
    ConnectorRoleArn: connectorRoleArn,
    AllowBedrock: asked('bedrock'),
    AllowDynamoDb: asked('dynamodb'),
    AllowS3: asked('s3'),
    AllowSqs: asked('sqs'),
    Regions: regions.join(','),
  };
}

/**
 * A link that opens the customer's CloudFormation console with everything filled in; it holds the external ID, so it is for the tenant's own admin only.
 * Source: CloudFormation User Guide, "Create quick-create links for stacks".
 */
export function quickCreateUrl(options: QuickCreate): string {
  const { region, connection } = options;
  const query = new URLSearchParams({ templateURL: templateUrl(options), stackName: `cordon-${connection.tenantId}` });
  for (const [name, value] of Object.entries(templateParameters(options))) query.set(`param_${name}`, value);
  // The console reads the fragment by decodeURIComponent: a plus stays a plus there.
  const fragment = query.toString().replaceAll('+', '%20');
  return `https://${region}.console.aws.amazon.com/cloudformation/home?region=${region}#/stacks/quickcreate?${fragment}`;
}
