/** Identities, what lies outside the account, and what else a policy of the stack speaks of. */
import { tenantId } from '../../functions/shared/identifier-fields.ts';
import { dedicatedRoleNames } from '../../functions/tenants/dedicated-tier.ts';
import type { Probe } from './probes.ts';
import { account, region } from './stack.ts';
import { type Stack, tenants } from './stack-model.ts';

const bothTenants = Object.values(tenants);
const customer = '444455556666';

export function accountProbes(stack: Stack): Probe[] {
  return [...identityProbes(stack), ...outsideProbes(), ...storeProbes(stack), ...nothingNamed(stack)];
}

function identityProbes({ roles, policies, boundaries }: Stack): Probe[] {
  const service = 'iam';
  const attaching = policies.map(({ arn }) => ({ 'iam:PolicyARN': arn }));
  const dedicatedNames = bothTenants.flatMap((tenant) =>
    Object.values(dedicatedRoleNames(tenantId.parse(tenant))).map((name) => ({ tenant, name })),
  );
  return [
    ...dedicatedNames.flatMap(({ tenant, name }): Probe[] => {
      const tags = { 'aws:RequestTag/TenantId': tenant, 'aws:RequestTag/Tier': 'dedicated', 'aws:TagKeys': ['TenantId', 'Tier'] };
      const resource = roles.find((role) => role.name === name)?.arn ?? name;
      const under = boundaries.map((arn) => ({ ...tags, 'iam:PermissionsBoundary': arn }));
      return [
        {
          thing: 'dedicated roles of the tenant, under the boundary',
          of: tenant,
          service,
          resource,
          circumstances: [...under, ...attaching],
        },
        {
          thing: 'roles without Cordon’s boundary',
          of: 'all',
          service,
          resource,
          circumstances: [tags],
          only: (action) => /:(CreateRole|DeleteRolePermissionsBoundary|PutRolePermissionsBoundary)$/.test(action),
        },
      ];
    }),
    ...roles
      .filter(({ name }) => !dedicatedNames.some((one) => one.name === name))
      .map(({ arn }): Probe => ({ thing: 'roles of the stack', of: 'all', service, resource: arn, circumstances: [{}, ...attaching] })),
    ...policies.map(({ name, arn }): Probe => ({ thing: `policy ${name}`, of: 'all', service, resource: arn, circumstances: [{}] })),
    ...['role/Somebody', 'user/somebody', 'policy/Anything'].map(
      (name): Probe => ({
        thing: 'identities of the account',
        of: 'all',
        service,
        resource: `arn:aws:iam::${account}:${name}`,
        circumstances: [{}, ...attaching],
      }),
    ),
  ];
}

const becomes = (action: string): boolean => /:(AssumeRole|TagSession)$/.test(action);

/** Of a role in another account our side is asked here. The customer's side is the customer's: Cordon's template and the daily probes see to it. */
function outsideProbes(): Probe[] {
  const outside = { service: 'sts', only: becomes };
  return [
    ...bothTenants.map(
      (tenant): Probe => ({
        ...outside,
        thing: 'customer’s roles for the tenant',
        of: tenant,
        resource: `arn:aws:iam::${customer}:role/cordon.${tenant}.suffix`,
        circumstances: [{}],
      }),
    ),
    { ...outside, thing: 'roles of other accounts', of: 'all', resource: `arn:aws:iam::${customer}:role/Somebody`, circumstances: [{}] },
  ];
}

function storeProbes({ buckets, logGroups, resourcePolicies }: Stack): Probe[] {
  const reads = (action: string): boolean => /:(Get|Describe|Filter|Start|List)/.test(action);
  return [
    ...buckets.flatMap(({ name, arn }): Probe[] => {
      const probe = { service: 's3', circumstances: [{}], resourcePolicy: resourcePolicies.get(arn) };
      // The template that customers make their roles from is for everybody to read. Whoever writes it decides what every customer makes.
      const template = `${arn}/customer-role/template.yaml`;
      return [
        { ...probe, thing: `templates in ${name}`, of: 'platform', resource: template, only: reads },
        { ...probe, thing: `templates in ${name}`, of: 'all', resource: template, only: (action) => !reads(action) },
        ...[arn, `${arn}/anything`].map((resource): Probe => ({ ...probe, thing: `bucket ${name}`, of: 'all', resource })),
      ];
    }),
    ...logGroups.flatMap(({ name, arn }): Probe[] => {
      // Logs say what was done for whom.
      const probe = { service: 'logs', resource: `${arn.replace(/:\*$/, '')}:log-stream:any`, circumstances: [{}] };
      return [
        { ...probe, thing: `log ${name}`, of: 'all', only: reads },
        { ...probe, thing: `log ${name}`, of: 'platform', only: (action) => !reads(action) },
      ];
    }),
    {
      thing: 'stack',
      of: 'platform',
      service: 'cloudformation',
      resource: `arn:aws:cloudformation:${region}:${account}:stack/Cordon/local`,
      circumstances: [{}],
    },
  ];
}

/** Actions that name no resource. */
function nothingNamed({ documents }: Stack): Probe[] {
  const services = new Set(
    documents.flatMap(({ Statement }) =>
      [Statement].flat().flatMap(({ Action }) => [Action ?? []].flat().map((pattern) => pattern.split(':')[0] ?? '')),
    ),
  );
  // Keys have a probe of their own for it.
  for (const none of ['*', 'kms']) services.delete(none);
  const whose: Readonly<Record<string, Probe['of']>> = { xray: 'platform', sts: 'session' };
  const names: Readonly<Record<string, string>> = {
    xray: 'traces',
    sts: 'own identity, shown to others',
    tag: 'names and tags of resources',
  };
  return [...services].map(
    (service): Probe => ({
      thing: names[service] ?? `${service}, naming nothing`,
      of: whose[service] ?? 'all',
      service,
      resource: '*',
      circumstances: [{}],
      only: (action) => !becomes(action),
    }),
  );
}
