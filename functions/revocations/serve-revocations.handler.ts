import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ApiEvent, serveTenant, type TenantApiDeps } from '../sessions/tenant-api.handler.ts';
import type { VerifiedIdentity } from '../sessions/token-verifier.ts';
import { acceptedAnswer, answer } from '../shared/api-answer.ts';
import { CordonError } from '../shared/errors.ts';
import { parsedBody } from '../shared/request-body.ts';
import { certificateAnswer } from './certificate-answer.ts';
import { demandRole } from './demand-role.ts';
import { listQuery, listRevocations, listRule } from './list-revocations.ts';
import { type OrderDeps, orderBody, orderProblem, orderRevocation, orderRule } from './order-revocation.ts';
import { showRevocation } from './show-revocation.ts';
import type { OpenedTenant } from './tenant-view.ts';

export type RevocationsEvent = ApiEvent<
  'pathParameters' | 'queryStringParameters' | 'multiValueQueryStringParameters' | 'body' | 'isBase64Encoded'
>;
export type RevocationsHandler = (event: RevocationsEvent) => Promise<APIGatewayProxyResult>;

export interface RevocationsDeps extends OrderDeps, TenantApiDeps<OpenedTenant> {}

/** Characters; the largest order there can be, in base64, has room. */
const maxBody = 8 * 1024;

/** `GET|POST /revocations`, `GET /revocations/{revocationId}`, `GET /revocations/{revocationId}/certificate` */
export function createHandler(deps: RevocationsDeps): RevocationsHandler {
  return (event) => serveTenant(deps, event, 'revocations', (caller, tenant) => route(deps, caller, tenant, event));
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
    return acceptedAnswer(await orderRevocation(deps, caller, tenant.tenantId, order));
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
