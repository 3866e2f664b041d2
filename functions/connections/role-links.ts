import { quickCreateUrl, templateUrl } from '../byoc/probe/customer-template.ts';
import type { ListDeps } from './list-connections.ts';

/** The cell that offers the template. */
export interface TemplatePlace {
  readonly region: string;
  readonly bucket: string;
  readonly platformAccountId: string;
  readonly connectorRoleArn: string;
}

export function createLinksOf({ region, bucket, platformAccountId, connectorRoleArn }: TemplatePlace): ListDeps['linksOf'] {
  return (tenantId, connection) => {
    const { policyVersion: version, roleName, externalId, services, regions } = connection;
    if (version === '') return undefined;
    const place = { region, bucket, version };
    const asked = { tenantId, roleName, externalId, services, regions };
    return {
      quickCreateUrl: quickCreateUrl({ ...place, platformAccountId, connectorRoleArn, connection: asked }),
      templateUrl: templateUrl(place),
    };
  };
}
