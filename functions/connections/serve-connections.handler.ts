import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { z } from 'zod';
import { roleConnectionRequested } from '../byoc/events.ts';
import { admitCaller } from '../sessions/admit-caller.ts';
import type { VerifiedIdentity, VerifyIdentity } from '../sessions/token-verifier.ts';
import { answer, errorAnswer, isCallersFault } from '../shared/api-answer.ts';
import { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { parsedBody } from '../shared/request-body.ts';
import { type ChangeDeps, type ConnectionWish, requestConnection, requestDisconnection } from './change-connections.ts';
import { type ListDeps, listConnections } from './list-connections.ts';
import { type PageText, pageAnswers } from './page-answer.ts';
import type { OpenedTenant, OpenTenant } from './tenant-view.ts';

export type ConnectionsEvent = Pick<
  APIGatewayProxyEvent,
  'resource' | 'path' | 'httpMethod' | 'headers' | 'pathParameters' | 'body' | 'isBase64Encoded'
> & { readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId'> };
export type ConnectionsHandler = (event: ConnectionsEvent) => Promise<APIGatewayProxyResult>;

export interface ConnectionsDeps extends ListDeps, ChangeDeps {
  readonly log: Log;
  readonly verify: VerifyIdentity;
  readonly openTenant: OpenTenant;
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
    const { requestId } = event.requestContext;
    const log = deps.log.with({ requestId });
    const known: { tenantId?: string } = {};
    try {
      const { caller, tenant } = await admitCaller(deps, event);
      known.tenantId = tenant.tenantId;
      const result = await route(deps, caller, tenant, event);
      log.info('connections were served', { ...known, userId: caller.userId, method: event.httpMethod, resource: event.resource });
      return result;
    } catch (error) {
      const result = errorAnswer(error, requestId);
      const fields = { ...known, code: error instanceof CordonError ? error.code : 'UNEXPECTED' };
      if (error instanceof CordonError && isCallersFault(result)) log.warn('a request was refused', { ...fields, reason: error.message });
      else log.error('connections could not be served', error, fields);
      return result;
    }
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
  if (resource === '/connections' && httpMethod === 'POST') return accepted(await requestConnection(deps, caller, tenant, wishOf(event)));
  if (resource === '/connections/{accountId}' && httpMethod === 'DELETE')
    return accepted(await requestDisconnection(deps, caller, tenant, event.pathParameters?.['accountId'] ?? ''));
  throw new CordonError('CALL_INVALID', 'there is no such operation');
}

function accepted(body: object): APIGatewayProxyResult {
  return { ...answer(body), statusCode: 202 };
}

function wishOf(event: ConnectionsEvent): ConnectionWish {
  return parsedBody(event, wishBody, { maxLength: maxBody, rule: bodyRule, problemOf });
}

function problemOf({ issues }: z.ZodError): string {
  return [...new Set(issues.map(({ path: [member] }) => rules[String(member)] ?? bodyRule))].join('; ');
}
