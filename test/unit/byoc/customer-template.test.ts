import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { newExternalId, newRoleName } from '../../../functions/byoc/external-id.ts';
import {
  customerTemplate,
  type QuickCreate,
  quickCreateUrl,
  templateParameters,
  templateUrl,
} from '../../../functions/byoc/probe/customer-template.ts';
import { probeRole } from '../../../functions/byoc/probe/probe-role.ts';
import { type ServiceName, serviceName } from '../../../functions/byoc/service-name.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { resolve } from '../../../local/template/intrinsics.ts';
import { parametersOf } from '../../../local/template/parameters.ts';
import { lookupFor, parseTemplate, type Template } from '../../../local/template/template.ts';
import { templateFromText } from '../../../local/template/template-text.ts';
import {
  connectorArn,
  createCustomerAccount,
  customer,
  externalId,
  input,
  platform,
  policyOf,
  roleArn,
  roleName,
} from './customer-account.ts';

let text: string;
let template: Template;
beforeAll(async () => {
  text = await readFile(new URL('../../../functions/byoc/customer-role.template.yaml', import.meta.url), 'utf8');
  template = parseTemplate(templateFromText(text));
});

const offer: QuickCreate = {
  region: 'us-east-1',
  bucket: 'cordon-template-bucket',
  version: '0123456789abcdef',
  platformAccountId: platform,
  connectorRoleArn: connectorArn,
  connection: { tenantId: 'acme', roleName, externalId, services: ['bedrock'], regions: ['us-east-1'] },
};
const offering = (over: Partial<QuickCreate['connection']>): QuickCreate => ({ ...offer, connection: { ...offer.connection, ...over } });

interface Made {
  readonly AssumeRolePolicyDocument: { Statement: object[] };
  readonly Policies: readonly { readonly PolicyName: string; readonly PolicyDocument: { Statement: object[] } }[];
}

/** The role that CloudFormation makes of the template with these parameters. */
function made(offered: QuickCreate): Made {
  const identity = { stackName: 'cordon-acme', accountId: customer, region: 'us-east-1' };
  const nothing = { refOf: () => undefined, attributeOf: () => undefined };
  const lookup = lookupFor(template, identity, parametersOf(template, templateParameters(offered)), nothing);
  return JSON.parse(JSON.stringify(resolve(template.Resources['Role']?.Properties, lookup)));
}

const subsets: readonly (readonly ServiceName[])[] = Array.from({ length: 16 }, (_, bits) =>
  serviceName.options.filter((_service, index) => (bits & (1 << index)) !== 0),
);

describe('B1 the template for the customer', () => {
  it.each(subsets.map((services) => ({ services })))('makes a sound role for $services that may do nothing else', async ({ services }) => {
    const { AssumeRolePolicyDocument, Policies } = made(offering({ services, regions: ['us-east-1', 'eu-west-1'] }));
    expect(Policies.map(({ PolicyName }) => PolicyName)).toEqual(['describe-itself', ...services.map((service) => `use-${service}`)]);
    const account = createCustomerAccount({
      trust: policyOf(AssumeRolePolicyDocument.Statement),
      policies: policyOf(Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement)),
    });
    const asked = { ...input, services, regions: ['us-east-1', 'eu-west-1'] };
    expect(await probeRole(account.deps, asked)).toMatchObject({ verdict: 'sound', findings: [] });
    for (const other of serviceName.options.filter((service) => !services.includes(service))) {
      const wider = await probeRole(createCustomerAccountLike(account).deps, { ...asked, services: [other] });
      expect(wider).toMatchObject({ verdict: 'unsound', reason: { code: 'PERMISSION_MISSING' } });
    }
    if (services.length === 0) return;
    const elsewhere = await probeRole(createCustomerAccountLike(account).deps, { ...asked, regions: ['ap-southeast-2'] });
    expect(elsewhere).toMatchObject({ verdict: 'unsound', reason: { code: 'PERMISSION_MISSING' } });
  });

  it('trusts one role of one account with one external ID, for one action', () => {
    expect(made(offer).AssumeRolePolicyDocument.Statement).toEqual([
      {
        Sid: 'CordonConnectorWithExternalId',
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${platform}:root` },
        Action: 'sts:AssumeRole',
        Condition: { StringEquals: { 'sts:ExternalId': externalId }, ArnEquals: { 'aws:PrincipalArn': connectorArn } },
      },
    ]);
  });

  it('lets the role describe itself and no other', () => {
    expect(made(offer).Policies[0]?.PolicyDocument.Statement).toEqual([
      { Sid: 'DescribeItself', Effect: 'Allow', Action: ['iam:GetRole', 'iam:SimulatePrincipalPolicy'], Resource: roleArn },
    ]);
  });

  it('takes the names that Cordon makes, of the shortest and the longest tenant', () => {
    const bytes = (size: number): Uint8Array => new Uint8Array(size).map((_, index) => index * 37);
    for (const tenant of ['a', 'acme', 'a2', `a${'-'.repeat(30)}z`]) {
      const offered = offering({ roleName: newRoleName(tenantId.parse(tenant), bytes), externalId: newExternalId(bytes) });
      expect(() => made(offered)).not.toThrow();
    }
  });

  it.each([
    ['another role name', { roleName: 'admin' }],
    ['a role name that holds a wildcard', { roleName: 'cordon.*.abcdefgh' }],
    ['another form of external ID', { externalId: 'cordon-*' }],
    ['no external ID', { externalId: '' }],
    ['a Region that is none', { regions: ['*'] }],
    ['no Region', { regions: [] }],
  ])('refuses %s', (_, over) => {
    expect(() => made(offering(over))).toThrow(/must match pattern/);
  });

  it('has its version from its text and its key from its version', () => {
    const { version, key } = customerTemplate(text);
    expect(version).toBe(createHash('sha256').update(text).digest('hex').slice(0, 16));
    expect(key).toBe(`customer-role/${version}.yaml`);
    expect(customerTemplate(`${text}\n`).version).not.toBe(version);
  });

  it('is small enough for a stack to take it as text', () => {
    expect(Buffer.byteLength(text)).toBeLessThan(51_200);
  });
});

describe('B1 the quick-create link', () => {
  it('opens the console on the template with every parameter filled in', () => {
    const url = new URL(quickCreateUrl(offering({ services: ['s3', 'bedrock'], regions: ['us-east-1', 'eu-west-1'] })));
    expect(`${url.origin}${url.pathname}${url.search}`).toBe(
      'https://us-east-1.console.aws.amazon.com/cloudformation/home?region=us-east-1',
    );
    const [path, query] = url.hash.split('?');
    expect(path).toBe('#/stacks/quickcreate');
    const given = Object.fromEntries(new URLSearchParams(query));
    expect(given).toEqual({
      templateURL: 'https://cordon-template-bucket.s3.us-east-1.amazonaws.com/customer-role/0123456789abcdef.yaml',
      stackName: 'cordon-acme',
      param_RoleName: roleName,
      param_ExternalId: externalId,
      param_PlatformAccountId: platform,
      param_ConnectorRoleArn: connectorArn,
      param_AllowBedrock: 'true',
      param_AllowDynamoDb: 'false',
      param_AllowS3: 'true',
      param_AllowSqs: 'false',
      param_Regions: 'us-east-1,eu-west-1',
    });
    expect(given['templateURL']).toBe(templateUrl(offer));
  });

  it("fills in exactly the template's parameters, none of which has a default or is hidden", () => {
    expect(Object.keys(templateParameters(offer)).sort()).toEqual(Object.keys(template.Parameters).sort());
    // The console ignores hidden parameters in a link (CloudFormation User Guide, "Create quick-create links for stacks").
    for (const parameter of Object.values(template.Parameters)) {
      expect(parameter.Default).toBeUndefined();
      expect(parameter.NoEcho).toBeUndefined();
    }
  });
});

/** The same roles, asked from the start. */
function createCustomerAccountLike({ roles }: ReturnType<typeof createCustomerAccount>): ReturnType<typeof createCustomerAccount> {
  return createCustomerAccount(roles.get(roleArn));
}
