/**
 * REQUEST authorizers: a function says who asks and what they may, and its answer holds for a while. Sources: API Gateway Developer Guide, "Use
 * API Gateway Lambda authorizers", "Output from an API Gateway Lambda authorizer", "How API Gateway resource policies affect authorization".
 */
import { z } from 'zod';
import type { Kernel } from '../core/service.ts';
import { type CompiledPolicy, compilePolicy, evaluate, requestContext } from '../iam/evaluate.ts';
import type { PolicyDocument } from '../iam/policy.ts';
import { evaluateExpression } from '../services/apigateway-expressions.ts';
import type { Authorizer, DeployedStage } from '../services/apigateway-model.ts';
import { parsePolicyDocument } from '../services/iam-policy-document.ts';
import { Refusal } from './refusal.ts';
import type { Authorization, RequestFacts } from './request-context.ts';

export interface Authorizers {
  /**
   * Lets the request through or throws Refusal: UNAUTHORIZED (identity missing, or the function said so), ACCESS_DENIED (its policy, or the
   * API's), AUTHORIZER_FAILURE, AUTHORIZER_CONFIGURATION_ERROR. Undefined when the method has no authorizer.
   */
  authorize(deployed: DeployedStage, authorizerId: string | undefined, facts: RequestFacts): Promise<Authorization | undefined>;
}

interface Verdict extends Authorization {
  readonly policy: CompiledPolicy;
}

/** A context value may be text, number or truth value; all reach the integration as text. */
const output = z.object({
  principalId: z.string().min(1),
  policyDocument: z.looseObject({ Statement: z.unknown() }),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])).default({}),
});
const functionError = z.object({ errorMessage: z.string() });

const unusable = (): Refusal => new Refusal('AUTHORIZER_CONFIGURATION_ERROR', 'Internal server error');

export function createAuthorizers(kernel: Kernel): Authorizers {
  const cache = new Map<string, { readonly verdict: Verdict; readonly until: number }>();

  const ask = async ({ api }: DeployedStage, authorizer: Authorizer, facts: RequestFacts): Promise<Verdict> => {
    const SourceArn = `arn:aws:execute-api:${kernel.region}:${api.accountId}:${api.id}/authorizers/${authorizer.id}`;
    const caller = kernel.serviceCaller('apigateway.amazonaws.com', api.accountId, {
      'aws:SourceArn': SourceArn,
      'aws:SourceAccount': api.accountId,
    });
    const event = { type: 'REQUEST', methodArn: facts.methodArn, ...facts.event, requestContext: facts.requestContext };
    const answer = await kernel
      .call(
        caller,
        'lambda',
        'Invoke',
        { FunctionName: authorizer.functionArn, Payload: JSON.stringify(event) },
        { accountId: authorizer.functionArn.split(':')[4] ?? api.accountId },
      )
      .catch(() => {
        throw unusable();
      });
    const payload: unknown = JSON.parse(String(answer['Payload'] ?? 'null'));
    if (answer['FunctionError'] !== undefined) {
      // The one message that means something: any other error is the authorizer's own.
      if (functionError.safeParse(payload).data?.errorMessage === 'Unauthorized') throw new Refusal('UNAUTHORIZED', 'Unauthorized');
      throw new Refusal('AUTHORIZER_FAILURE', 'Internal server error');
    }
    return verdictOf(authorizer, payload);
  };

  const verdictFor = async (deployed: DeployedStage, authorizer: Authorizer, facts: RequestFacts): Promise<Verdict> => {
    const identity = authorizer.identitySources.map((source) => evaluateExpression(source, facts) ?? '');
    // Before the function is asked: what is cached under nobody's name would be everybody's.
    if (identity.includes('')) throw new Refusal('UNAUTHORIZED', 'Unauthorized');
    const key = JSON.stringify([deployed.api.id, deployed.stage.name, authorizer.id, identity]);
    const known = cache.get(key);
    if (known !== undefined && known.until > kernel.clock.now()) return known.verdict;
    cache.delete(key);
    const verdict = await ask(deployed, authorizer, facts);
    if (authorizer.ttlSeconds > 0) cache.set(key, { verdict, until: kernel.clock.now() + authorizer.ttlSeconds * 1000 });
    return verdict;
  };

  return {
    async authorize(deployed, authorizerId, facts) {
      const authorizer = authorizerId === undefined ? undefined : deployed.snapshot.authorizers.get(authorizerId);
      if (authorizerId !== undefined && authorizer === undefined) throw unusable();
      const { policy: apiPolicy } = deployed.snapshot;
      if (apiPolicy !== undefined) assertAllowed(deployed, facts, undefined, apiPolicy, authorizer !== undefined);
      if (authorizer === undefined) return undefined;
      const verdict = await verdictFor(deployed, authorizer, facts);
      assertAllowed(deployed, facts, verdict.policy, apiPolicy, false);
      return { principalId: verdict.principalId, context: verdict.context };
    },
  };
}

function verdictOf(authorizer: Authorizer, payload: unknown): Verdict {
  const parsed = output.safeParse(payload);
  if (!parsed.success) throw unusable();
  const { principalId, policyDocument, context } = parsed.data;
  const texts = Object.entries(context).flatMap(([name, value]) => (value === null ? [] : [[name, String(value)] as const]));
  try {
    const policy = compilePolicy(`authorizer ${authorizer.name}`, 'identity', parsePolicyDocument(JSON.stringify(policyDocument)));
    return { principalId, context: Object.fromEntries(texts), policy };
  } catch {
    // A policy that is not understood may hold a Deny.
    throw unusable();
  }
}

/**
 * Authorizer's and API's policy together, as within one account: a Deny in either refuses, an Allow in either lets in. With `onlyDenies` the
 * API's policy is asked ahead of the authorizer, whose function is then not called for nothing.
 */
function assertAllowed(
  { api }: DeployedStage,
  facts: RequestFacts,
  policy: CompiledPolicy | undefined,
  apiPolicy: PolicyDocument | undefined,
  onlyDenies: boolean,
): void {
  const decision = evaluate({
    // The caller of an API has no name in IAM: a resource policy reaches them by `*` only.
    principal: { kind: 'user', accountId: api.accountId, arn: 'anonymous' },
    action: 'execute-api:Invoke',
    resource: facts.methodArn,
    context: requestContext({ 'aws:SourceIp': facts.context('identity.sourceIp'), 'aws:SecureTransport': 'true' }),
    identity: policy === undefined ? [] : [policy],
    ...(apiPolicy === undefined ? {} : { resourcePolicy: compilePolicy(`API ${api.name}`, 'resource', apiPolicy) }),
    resourceAccountId: api.accountId,
  });
  if (decision.allowed || (onlyDenies && decision.reason === 'implicit-deny')) return;
  const explicitly = decision.reason === 'explicit-deny' ? ' with an explicit deny' : '';
  throw new Refusal('ACCESS_DENIED', `User is not authorized to access this resource${explicitly}`);
}
