import type { APIGatewayProxyResult } from 'aws-lambda';
import { type ApiEvent, serveTenant, type TenantApiDeps } from '../../sessions/tenant-api.handler.ts';
import type { VerifiedIdentity } from '../../sessions/token-verifier.ts';
import { acceptedAnswer, answer } from '../../shared/api-answer.ts';
import { CordonError } from '../../shared/errors.ts';
import { downloadAnswer, printableAnswer, wantsPage } from '../../shared/printable-answer.ts';
import { resultHtml } from '../verify/result-html.ts';
import { type AskDeps, askVerification } from './ask-verification.ts';
import { fileOf, type ShowDeps, showResults } from './show-results.ts';
import type { OpenedTenant } from './tenant-view.ts';

export type ResultsEvent = ApiEvent<'pathParameters'>;
export type ResultsHandler = (event: ResultsEvent) => Promise<APIGatewayProxyResult>;

export interface ResultsDeps extends AskDeps, ShowDeps, TenantApiDeps<OpenedTenant> {}

/** `GET|POST /isolation`, `GET /isolation/{verificationId}` */
export function createHandler(deps: ResultsDeps): ResultsHandler {
  return (event) => serveTenant(deps, event, 'isolation results', (caller, tenant) => route(deps, caller, tenant, event));
}

async function route(
  deps: ResultsDeps,
  caller: VerifiedIdentity,
  tenant: OpenedTenant,
  event: ResultsEvent,
): Promise<APIGatewayProxyResult> {
  const { httpMethod, resource } = event;
  if (httpMethod === 'POST' && resource === '/isolation') return acceptedAnswer(await askVerification(deps, caller, tenant));
  if (httpMethod === 'GET' && resource === '/isolation') return answer(await showResults(deps, tenant));
  if (httpMethod !== 'GET' || resource !== '/isolation/{verificationId}')
    throw new CordonError('CALL_INVALID', 'there is no such operation');
  const verificationId = event.pathParameters?.['verificationId'] ?? '';
  const file = await fileOf(deps, tenant, verificationId);
  const text = JSON.stringify(file);
  if (wantsPage(event)) return printableAnswer(resultHtml(text, { publicKey: file.publicKey }));
  return downloadAnswer(text, `cordon-isolation-${verificationId.replace(/[^A-Za-z0-9-]/g, '_')}.json`);
}
