import { describe, expect, it } from 'vitest';
import { readTemplate, resourcesOf } from '../support/template.ts';

const template = readTemplate();

interface Route {
  readonly name: string;
  readonly properties: Record<string, unknown>;
}

const refOf = (value: unknown): string => (typeof value === 'object' && value !== null && 'Ref' in value ? String(value.Ref) : '');

/** From the root, as the template's resources are nested. */
function pathOf(resourceId: string): string {
  const { PathPart: part, ParentId: parent } = template.Resources[resourceId]?.Properties ?? {};
  return part === undefined ? '' : `${pathOf(refOf(parent))}/${String(part)}`;
}

const routes: readonly Route[] = resourcesOf(template, 'AWS::ApiGateway::Method').map(([, { Properties: properties }]) => ({
  name: `${String(properties['HttpMethod'])} ${pathOf(refOf(properties['ResourceId']))}`,
  properties,
}));

describe('I11 G1 no way into the API goes past the authorizer (Portkey-AI/gateway#1718)', () => {
  it('but those that show nothing of anybody', () => {
    const open = routes.filter(({ properties }) => properties['AuthorizationType'] !== 'CUSTOM').map(({ name }) => name);
    expect(open.sort()).toEqual(['GET /byoc', 'GET /byoc.js', 'GET /openapi.yaml']);
    expect(routes.length).toBeGreaterThan(open.length);
  });

  it('and each authorizer is the one function that verifies tokens', () => {
    const authorizers = resourcesOf(template, 'AWS::ApiGateway::Authorizer');
    const used = new Set(routes.map(({ properties }) => refOf(properties['AuthorizerId'])).filter((id) => id !== ''));
    expect([...used].sort()).toEqual(authorizers.map(([id]) => id).sort());
    for (const [id, { Properties }] of authorizers) {
      expect(Properties['Type'], id).toBe('REQUEST');
      expect(JSON.stringify(Properties['AuthorizerUri']), id).toContain('BrokerAuthorizerFunction');
    }
  });

  it('and the environment of the broker is the tenant’s that the authorizer names', () => {
    const proxied = routes.filter(({ name }) => name.includes('/proxy/'));
    expect(proxied.length).toBeGreaterThan(1);
    for (const { name, properties } of proxied) {
      expect(properties['Integration'], name).toMatchObject({
        RequestParameters: { 'integration.request.header.X-Amz-Tenant-Id': 'context.authorizer.tenantId' },
      });
    }
  });
});
