import type { CallerIdentity, ProbeDeps, ProbeInput, ProbeStep, SimulatedUse } from '../../../functions/byoc/probe/probe.ts';
import { tenantId } from '../../../functions/shared/identifier-fields.ts';
import { SecretText } from '../../../functions/shared/secret-text.ts';
import type { SessionCredentials } from '../../../functions/shared/tenant-sessions.ts';
import { compilePolicy, evaluate, requestContext } from '../../../local/iam/evaluate.ts';
import type { PolicyDocument, RequestPrincipal } from '../../../local/iam/policy.ts';

export const platform = '111122223333';
export const customer = '444455556666';
export const connectorArn = `arn:aws:iam::${platform}:role/cordon/ByocConnector`;
export const probeArn = `arn:aws:iam::${platform}:role/cordon/ByocProbe`;
export const roleName = 'cordon.acme.abcdefgh';
export const roleArn = `arn:aws:iam::${customer}:role/${roleName}`;
export const externalId = 'cordon-abcdefghijklmnopqrstuvwxyz234567';
export const anothersId = 'cordon-zyxwvutsrqponmlkjihgfedcba765432';
export const roleId = 'AROACUSTOMERROLE00001';

export const input: ProbeInput = {
  tenantId: tenantId.parse('acme'),
  customerAccountId: customer,
  roleName,
  externalId,
  services: ['bedrock'],
  regions: ['us-east-1'],
};

/** The trust policy of the template. `over` changes its statement. */
export function trust(over: Record<string, unknown> = {}): PolicyDocument {
  const statement = {
    Sid: 'Cordon',
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${platform}:root` },
    Action: 'sts:AssumeRole',
    Condition: { StringEquals: { 'sts:ExternalId': externalId }, ArnEquals: { 'aws:PrincipalArn': connectorArn } },
    ...over,
  };
  return policyOf([statement]);
}

export function policyOf(statements: readonly unknown[]): PolicyDocument {
  return JSON.parse(JSON.stringify({ Version: '2012-10-17', Statement: statements }));
}

export const self = { Sid: 'Self', Effect: 'Allow', Action: ['iam:GetRole', 'iam:SimulatePrincipalPolicy'], Resource: roleArn };
export const bedrock = {
  Sid: 'Bedrock',
  Effect: 'Allow',
  Action: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
  Resource: 'arn:aws:bedrock:*::foundation-model/*',
  Condition: { StringEquals: { 'aws:RequestedRegion': 'us-east-1' } },
};

export function awsError(name: string): Error {
  return Object.assign(new Error(`the message of ${name}`), { name });
}

interface Role {
  trust: PolicyDocument;
  policies: PolicyDocument;
  roleId: string;
}

type Call = ProbeStep | 'trust' | 'simulate' | 'connector' | 'second';

/**
 * AWS as the probe sees it: a customer's account and the platform's two roles, every call decided by the same evaluator as in the local cloud.
 * `fail` makes a call end with an error instead, in the order of the probe's calls.
 */
export function createCustomerAccount(role: Partial<Role> = {}) {
  const roles = new Map<string, Role>([[roleArn, { trust: trust(), policies: policyOf([self, bedrock]), roleId, ...role }]]);
  const failures = new Map<Call, Error>();
  const asked: { readonly from: string; readonly externalId: string | undefined }[] = [];
  const simulated: SimulatedUse[] = [];
  const order: Call[] = ['right', 'missing', 'wrong', 'nearly-right', 'other-tenant', 'second-principal', 'right-again'];

  const principalOf = (session: SessionCredentials): RequestPrincipal => {
    const arn = session.accessKeyId;
    const [, , , , accountId = '', path = ''] = arn.split(':');
    return { kind: 'role-session', accountId, arn: `arn:aws:sts::${accountId}:assumed-role/${path.split('/').at(-1)}/acme`, roleArn: arn };
  };
  const sessionOf = (arn: string): SessionCredentials => ({
    accessKeyId: arn,
    secretAccessKey: new SecretText('secret'),
    sessionToken: new SecretText('token'),
    expiresAt: 0,
  });
  const failing = (call: Call): void => {
    const failure = failures.get(call);
    if (failure !== undefined) throw failure;
  };
  /** By the role's own policies. */
  const may = (arn: string, action: string, resource: string, region?: string): boolean =>
    evaluate({
      principal: principalOf(sessionOf(arn)),
      action,
      resource,
      context: requestContext({ 'aws:RequestedRegion': region }),
      identity: [compilePolicy('role', 'identity', roles.get(arn)?.policies ?? policyOf([]))],
      resourceAccountId: customer,
      simulated: true,
    }).allowed;
  const checked = (arn: string, action: string): Role => {
    const found = roles.get(arn);
    if (found === undefined || !may(arn, action, arn)) throw awsError('AccessDenied');
    return found;
  };

  const deps: ProbeDeps = {
    assumeConnector: async () => {
      failing('connector');
      return sessionOf(connectorArn);
    },
    assumeProbePrincipal: async () => {
      failing('second');
      return sessionOf(probeArn);
    },
    assumeCustomer: async (session, request) => {
      const call = order[asked.length];
      asked.push({ from: session.accessKeyId, externalId: request.externalId });
      if (call !== undefined) failing(call);
      const wanted = roles.get(request.roleArn);
      const decision = evaluate({
        principal: principalOf(session),
        action: 'sts:AssumeRole',
        resource: request.roleArn,
        context: requestContext({
          'sts:ExternalId': request.externalId,
          'aws:PrincipalArn': session.accessKeyId,
          'aws:PrincipalAccount': platform,
        }),
        identity: [compilePolicy('connector', 'identity', connectorPolicy)],
        ...(wanted !== undefined && { resourcePolicy: compilePolicy('trust', 'resource', wanted.trust) }),
        resourceAccountId: request.roleArn.split(':')[4] ?? '',
        resourcePolicyRequired: true,
      });
      if (!decision.allowed) throw awsError('AccessDenied');
      return sessionOf(request.roleArn);
    },
    identityOf: async (session): Promise<CallerIdentity> => {
      failing('identity');
      const { accountId, arn } = principalOf(session);
      return { accountId, arn, userId: `${roles.get(session.accessKeyId)?.roleId}:acme` };
    },
    trustOf: async (session) => {
      failing('trust');
      return JSON.stringify(checked(session.accessKeyId, 'iam:GetRole').trust);
    },
    simulate: async (session, arn, use) => {
      failing('simulate');
      simulated.push(use);
      checked(session.accessKeyId, 'iam:SimulatePrincipalPolicy');
      const pairs = use.actions.flatMap((action) => use.resources.map((resource) => ({ action, resource })));
      return pairs.filter(({ action, resource }) => may(arn, action, resource, use.region));
    },
    newExternalId: () => anothersId,
    randomText: () => '0123456789abcdef0123456789abcdef01abcdef',
    now: () => 1_000,
    platformAccountId: platform,
    connectorRoleArn: connectorArn,
  };
  return {
    deps,
    roles,
    asked,
    simulated,
    fail(call: Call, error: Error): void {
      failures.set(call, error);
    },
  };
}

/** What both of the platform's roles may do. */
const connectorPolicy = policyOf([{ Effect: 'Allow', Action: 'sts:AssumeRole', Resource: 'arn:aws:iam::*:role/cordon.acme.*' }]);
