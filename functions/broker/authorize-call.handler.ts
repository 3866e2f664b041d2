import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import type { VerifyIdentity } from '../sessions/token-verifier.ts';
import { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { authorizeCall, type CallToAuthorize } from './authorize-call.ts';

export type AuthorizeHandler = (event: APIGatewayRequestAuthorizerEvent) => Promise<APIGatewayAuthorizerResult>;

/**
 * A REQUEST authorizer. The answer holds for the whole stage, because API Gateway gives it to every resource of this authorizer for as long as it caches; what a
 * caller may reach is decided behind it, by IAM, for its tenant. Source: API Gateway Developer Guide, "Output from an API Gateway Lambda authorizer".
 *
 * @throws Error `Unauthorized`, the word that API Gateway answers with 401; any other error is a 500, so that what is only down is not called a refusal
 */
export function createHandler({ verify, log }: { verify: VerifyIdentity; log: Log }): AuthorizeHandler {
  return async (event) => {
    const { requestId } = event.requestContext;
    try {
      const context = await authorizeCall(verify, callOf(event));
      log.info('a call was authorized', { requestId, tenantId: context.tenantId, userId: context.userId });
      return {
        principalId: `${context.tenantId}.${context.userId}`,
        policyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource: stageOf(event.methodArn) }],
        },
        context: { ...context },
      };
    } catch (error) {
      if (!(error instanceof CordonError) || error.code !== 'TOKEN_REFUSED') {
        log.error('a call could not be authorized', error, { requestId });
        throw new Error('Unavailable');
      }
      // The reason is for the log; the caller learns none.
      log.warn('a call was refused', { requestId, code: error.code, reason: error.message });
      throw new Error('Unauthorized');
    }
  };
}

function callOf({ headers, multiValueHeaders, pathParameters, requestContext }: APIGatewayRequestAuthorizerEvent): CallToAuthorize {
  const all = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(headers ?? {})) if (value !== undefined) all.set(name, [value]);
  // `headers` has only the last of several values.
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) if (values !== undefined) all.set(name, values);
  return { resourcePath: requestContext.resourcePath, provider: decoded(pathParameters?.['provider']), headers: all };
}

function decoded(segment: string | undefined): string | undefined {
  if (segment === undefined) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new CordonError('TOKEN_REFUSED', 'the path is not well formed');
  }
}

/** `arn:…:{api}/{stage}/{method}/{path}` → `arn:…:{api}/{stage}/*` */
function stageOf(methodArn: string): string {
  const [api, stage] = methodArn.split('/');
  if (!api || !stage) throw new CordonError('AWS_REFUSED', 'the call has no method ARN');
  return `${api}/${stage}/*`;
}
