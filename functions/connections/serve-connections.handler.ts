import type { APIGatewayProxyResult } from 'aws-lambda';
import type { z } from 'zod';
import { roleConnectionRequested } from '../byoc/events.ts';
import { type ApiEvent, serveTenant, type TenantApiDeps } from '../sessions/tenant-api.handler.ts';
import type { VerifiedIdentity } from '../sessions/token-verifier.ts';
import { acceptedAnswer, answer } from '../shared/api-answer.ts';
import { CordonError } from '../shared/errors.ts';
import { parsedBody } from '../shared/request-body.ts';
import { type ChangeDeps, type ConnectionWish, requestConnection, requestDisconnection } from './change-connections.ts';
import { type ListDeps, listConnections } from './list-connections.ts';
import { type PageText, pageAnswers } from './page-answer.ts';
import type { OpenedTenant } from './tenant-view.ts';

export type ConnectionsEvent = ApiEvent<'path' | 'pathParameters' | 'body' | 'isBase64Encoded'>;
export type ConnectionsHandler = (event: ConnectionsEvent) => Promise<APIGatewayProxyResult>;

export interface ConnectionsDeps extends ListDeps, ChangeDeps, TenantApiDeps<OpenedTenant> {
  readonly page: PageText;
}

/** Characters; the largest wish there can be, in base64, has room. */
const maxBody = 8 * 1024;
const wishBody = roleConnectionRequested.omit({ version: true, tenantId: true, requestedBy: true });

/** What to write instead; the values that were sent are not repeated. */
const rules: Readonly<Record<string, string>> = {
  customerAccountId: 'customerAccountId must be the 12 digits of an AWS account ID, as text',
  services: `services must be a list of one or more of ${roleConnectionRequested.shape.services.element.options.join(', ')}, each once`,
  regions: 'regions must be a list of 1 to 10 AWS regions such as eu-central-1, each once',
  environment: 'environment must be a lower-case name such as production',
  dataClasses: 'dataClasses must be a list of at most 16 lower-case names',
};
const bodyRule = `the body must be {${Object.keys(rules).join(', ')}}, of which the last two may be left out, and nothing else`;

/** `GET|POST /connections`, `DELETE /connections/{accountId}`; and the page, `GET /byoc` and `GET /byoc.js`, which is the same for everybody. */
export function createHandler(deps: ConnectionsDeps): ConnectionsHandler {
  const pages = pageAnswers(deps.page);
  return async (event) => {
    if (event.httpMethod === 'GET' && event.resource === '/byoc') return event.path.endsWith('/') ? pages.elsewhere : pages.page;
    if (event.httpMethod === 'GET' && event.resource === '/byoc.js') return pages.script;
    return serveTenant(deps, event, 'connections', (caller, tenant) => route(deps, caller, tenant, event));
  };
}

async function route(
  deps: ConnectionsDeps,
  caller: VerifiedIdentity,
  tenant: OpenedTenant,
  event: ConnectionsEvent,
): Promise<APIGatewayProxyResult> {
  const { httpMethod, resource } = event;
  if (resource === '/connections' && httpMethod === 'GET') return answer(await listConnections(deps, caller, tenant));
  if (resource === '/connections' && httpMethod === 'POST')
    return acceptedAnswer(await requestConnection(deps, caller, tenant, wishOf(event)));
  if (resource === '/connections/{accountId}' && httpMethod === 'DELETE')
    return acceptedAnswer(await requestDisconnection(deps, caller, tenant, event.pathParameters?.['accountId'] ?? ''));
  throw new CordonError('CALL_INVALID', 'there is no such operation');
}

function wishOf(event: ConnectionsEvent): ConnectionWish {
  return parsedBody(event, wishBody, { maxLength: maxBody, rule: bodyRule, problemOf });
}

function problemOf({ issues }: z.ZodError): string {
  return [...new Set(issues.map(({ path: [member] }) => rules[String(member)] ?? bodyRule))].join('; ');
}
