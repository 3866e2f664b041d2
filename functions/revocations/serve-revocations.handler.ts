import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { admitCaller } from '../sessions/admit-caller.ts';
import type { VerifiedIdentity, VerifyIdentity } from '../sessions/token-verifier.ts';
import { answer, errorAnswer, isCallersFault } from '../shared/api-answer.ts';
import { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { parsedBody } from '../shared/request-body.ts';
import { certificateAnswer } from './certificate-answer.ts';
import { demandRole } from './demand-role.ts';
import { listQuery, listRevocations, listRule } from './list-revocations.ts';
import { type OrderDeps, orderBody, orderProblem, orderRevocation, orderRule } from './order-revocation.ts';
import { showRevocation } from './show-revocation.ts';
import type { OpenedTenant, OpenTenant } from './tenant-view.ts';

export type RevocationsEvent = Pick<
  APIGatewayProxyEvent,
  | 'resource'
  | 'httpMethod'
  | 'headers'
  | 'pathParameters'
  | 'queryStringParameters'
  | 'multiValueQueryStringParameters'
  | 'body'
  | 'isBase64Encoded'
> & { readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId'> };
export type RevocationsHandler = (event: RevocationsEvent) => Promise<APIGatewayProxyResult>;

export interface RevocationsDeps extends OrderDeps {
  readonly log: Log;
  readonly verify: VerifyIdentity;
  readonly openTenant: OpenTenant;
}

/** Characters; the largest order there can be, in base64, has room. */
const maxBody = 8 * 1024;

/** `GET|POST /revocations`, `GET /revocations/{revocationId}`, `GET /revocations/{revocationId}/certificate` */
export function createHandler(deps: RevocationsDeps): RevocationsHandler {
  return async (event) => {
    const { requestId } = event.requestContext;
    const log = deps.log.with({ requestId });
    const known: { tenantId?: string } = {};
    try {
      const { caller, tenant } = await admitCaller(deps, event);
      known.tenantId = tenant.tenantId;
      const result = await route(deps, caller, tenant, event);
      log.info('revocations were served', { ...known, userId: caller.userId, method: event.httpMethod, resource: event.resource });
      return result;
    } catch (error) {
      const result = errorAnswer(error, requestId);
      const fields = { ...known, code: error instanceof CordonError ? error.code : 'UNEXPECTED' };
      if (error instanceof CordonError && isCallersFault(result)) log.warn('a request was refused', { ...fields, reason: error.message });
      else log.error('revocations could not be served', error, fields);
      return result;
    }
  };
}

async function route(
  deps: RevocationsDeps,
  caller: VerifiedIdentity,
  tenant: OpenedTenant,
  event: RevocationsEvent,
): Promise<APIGatewayProxyResult> {
  demandRole(caller);
  const { httpMethod, resource } = event;
  const revocationId = event.pathParameters?.['revocationId'] ?? '';
  if (httpMethod === 'POST' && resource === '/revocations') {
    const order = parsedBody(event, orderBody, { maxLength: maxBody, rule: orderRule, problemOf: orderProblem });
    return { ...answer(await orderRevocation(deps, caller, tenant.tenantId, order)), statusCode: 202 };
  }
  if (httpMethod === 'GET' && resource === '/revocations') return answer(await listRevocations(tenant, queryOf(event)));
  if (httpMethod === 'GET' && resource === '/revocations/{revocationId}') return answer(await showRevocation(tenant, revocationId));
  if (httpMethod === 'GET' && resource === '/revocations/{revocationId}/certificate') return certificateAnswer(tenant, revocationId, event);
  throw new CordonError('CALL_INVALID', 'there is no such operation');
}

function queryOf({ queryStringParameters, multiValueQueryStringParameters }: RevocationsEvent) {
  const isTwice = Object.values(multiValueQueryStringParameters ?? {}).some((values) => (values?.length ?? 0) > 1);
  const parsed = listQuery.safeParse(queryStringParameters ?? {});
  if (isTwice || !parsed.success) throw new CordonError('CALL_INVALID', listRule);
  return parsed.data;
}
