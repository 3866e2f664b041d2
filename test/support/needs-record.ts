/** Keeps what IAM allows while integration tests run, in the words of the synthesized template: `npm run needs` makes a fixture of it. */
import { appendFileSync, readFileSync } from 'node:fs';
import type { LocalCloud } from '../../local/cloud.ts';
import type { Asked } from '../../local/core/kernel.ts';
import { imagine } from '../../local/template/policies.ts';
import { names } from '../fixtures/need.ts';
import { templatePath } from './template.ts';

/** Other ones in every request, and nothing that a policy of the stack speaks of. */
const passing = new Set(['aws:currenttime', 'aws:epochtime', 'aws:tokenissuetime', 'aws:userid', 'sts:rolesessionname']);

/** Listens from now on. `file` gets a line of JSON for each request that was allowed and is unlike those before it. */
export function recordNeeds(cloud: LocalCloud, file: string): void {
  const seen = new Set<string>();
  const standIns = standInsOf(cloud);
  cloud.kernel.onDecision((asked) => {
    const { principal } = asked.caller;
    if (!asked.decision.allowed || principal.kind === 'root') return;
    const line = spelledFor(asked, standIns);
    if (seen.has(line)) return;
    seen.add(line);
    appendFileSync(file, `${line}\n`);
  });
}

/** What the cloud drew lots for, and what the template's reader calls it: keys, platform secrets, and the API with its authorizers in the ARNs of who calls for them. */
function standInsOf(cloud: LocalCloud): (readonly [string, string])[] {
  const { resolved } = imagine(JSON.parse(readFileSync(templatePath, 'utf8')), { accountId: cloud.accountId, region: cloud.region });
  return Object.entries(cloud.resources).flatMap(([id, { type, attributes, physicalId }]) => {
    if (type === 'AWS::KMS::Key') return [[attributes['Arn'] ?? physicalId, String(resolved({ 'Fn::GetAtt': [id, 'Arn'] }))] as const];
    if (type === 'AWS::SecretsManager::Secret') return [[physicalId, String(resolved({ Ref: id }))] as const];
    if (type === 'AWS::ApiGateway::RestApi') return [[`:${physicalId}/`, `:${resolved({ Ref: id })}/`] as const];
    if (type === 'AWS::ApiGateway::Authorizer') return [[`/authorizers/${physicalId}`, `/authorizers/${resolved({ Ref: id })}`] as const];
    return [];
  });
}

function spelledFor({ caller, need, context }: Asked, standIns: readonly (readonly [string, string])[]): string {
  const one = (key: string): string | undefined => context.get(key.toLowerCase())?.[0];
  const tenant = one('aws:PrincipalTag/TenantId') ?? one('aws:RequestTag/TenantId') ?? one('aws:ResourceTag/TenantId');
  const user = one('aws:PrincipalTag/UserId') ?? one('aws:RequestTag/UserId');
  const { kind, arn, roleArn = arn } = caller.principal;
  const tagged = one('aws:ResourceTag/TenantId') !== undefined && /^arn:aws:kms:/.test(need.resource);
  let text = JSON.stringify({
    principal: kind === 'role-session' ? roleArn : arn,
    kind,
    action: need.action,
    resource: need.resource,
    ...(need.resourceAccountId !== undefined && need.resourceAccountId !== caller.accountId && { account: need.resourceAccountId }),
    context: Object.fromEntries([...context].filter(([key]) => !passing.has(key)).sort()),
  });
  for (const [actual, standIn] of standIns) text = text.replaceAll(actual, standIn);
  if (tagged) text = text.replaceAll(/key\/[0-9a-f-]{36}/g, `key/dedicated-${tenant}`);
  if (user) text = text.replaceAll(user, names.user);
  // No part of a longer name.
  if (tenant)
    text = text.replaceAll(
      new RegExp(`(?<![a-z0-9-])${tenant}(?![a-z0-9-]*[a-z0-9])|(?<=TenantAgent-|dedicated-)${tenant}(?![a-z0-9-])`, 'g'),
      names.tenant,
    );
  return text;
}
