import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { admitCaller } from '../../sessions/admit-caller.ts';
import type { VerifiedIdentity, VerifyIdentity } from '../../sessions/token-verifier.ts';
import { answer, errorAnswer, isCallersFault } from '../../shared/api-answer.ts';
import { CordonError } from '../../shared/errors.ts';
import type { Log } from '../../shared/log.ts';
import { downloadAnswer, printableAnswer, wantsPage } from '../../shared/printable-answer.ts';
import { resultHtml } from '../verify/result-html.ts';
import { type AskDeps, askVerification } from './ask-verification.ts';
import { fileOf, type ShowDeps, showResults } from './show-results.ts';
import type { OpenedTenant, OpenTenant } from './tenant-view.ts';

export type ResultsEvent = Pick<APIGatewayProxyEvent, 'resource' | 'httpMethod' | 'headers' | 'pathParameters'> & {
  readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId'>;
};
export type ResultsHandler = (event: ResultsEvent) => Promise<APIGatewayProxyResult>;

export interface ResultsDeps extends AskDeps, ShowDeps {
  readonly log: Log;
  readonly verify: VerifyIdentity;
  readonly openTenant: OpenTenant;
}

/** `GET|POST /isolation`, `GET /isolation/{verificationId}` */
export function createHandler(deps: ResultsDeps): ResultsHandler {
  return async (event) => {
    const { requestId } = event.requestContext;
    const log = deps.log.with({ requestId });
    const known: { tenantId?: string } = {};
    try {
      const { caller, tenant } = await admitCaller(deps, event);
      known.tenantId = tenant.tenantId;
      const result = await route(deps, caller, tenant, event);
      log.info('isolation results were served', { ...known, userId: caller.userId, method: event.httpMethod, resource: event.resource });
      return result;
    } catch (error) {
      const result = errorAnswer(error, requestId);
      const fields = { ...known, code: error instanceof CordonError ? error.code : 'UNEXPECTED' };
      if (error instanceof CordonError && isCallersFault(result)) log.warn('a request was refused', { ...fields, reason: error.message });
      else log.error('isolation results could not be served', error, fields);
      return result;
    }
  };
}

async function route(
  deps: ResultsDeps,
  caller: VerifiedIdentity,
  tenant: OpenedTenant,
  event: ResultsEvent,
): Promise<APIGatewayProxyResult> {
  const { httpMethod, resource } = event;
  if (httpMethod === 'POST' && resource === '/isolation')
    return { ...answer(await askVerification(deps, caller, tenant)), statusCode: 202 };
  if (httpMethod === 'GET' && resource === '/isolation') return answer(await showResults(deps, tenant));
  if (httpMethod !== 'GET' || resource !== '/isolation/{verificationId}')
    throw new CordonError('CALL_INVALID', 'there is no such operation');
  const verificationId = event.pathParameters?.['verificationId'] ?? '';
  const file = await fileOf(deps, tenant, verificationId);
  const text = JSON.stringify(file);
  if (wantsPage(event)) return printableAnswer(resultHtml(text, { publicKey: file.publicKey }));
  return downloadAnswer(text, `cordon-isolation-${verificationId.replace(/[^A-Za-z0-9-]/g, '_')}.json`);
}
