import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { tellNamedIn } from '../isolation/honey/tell-named.ts';
import { errorAnswer, isCallersFault } from '../shared/api-answer.ts';
import { bearerOf } from '../shared/bearer-token.ts';
import { CordonError } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import type { ReportNamed } from '../shared/report-named.ts';
import { admitCaller, type OpenedForToken } from './admit-caller.ts';
import type { VerifiedIdentity, VerifyIdentity } from './token-verifier.ts';

/** What every operation reads of a request; an API picks what else it reads with `ApiEvent<'body' | …>`. */
export type ApiEvent<More extends keyof APIGatewayProxyEvent = never> = Pick<
  APIGatewayProxyEvent,
  'resource' | 'httpMethod' | 'headers' | More
> & { readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId'> };

export interface TenantApiDeps<Opened extends OpenedForToken> {
  readonly log: Log;
  readonly verify: VerifyIdentity;
  readonly openTenant: (token: string) => Promise<Opened>;
  readonly reportNamed: ReportNamed;
}

/**
 * Serves one request to an API of a tenant's own data: admits the caller, has the request answered, and logs which it was. Every refusal and failure is
 * logged and answered as `errorAnswer` has it; nothing is thrown.
 *
 * @param what the plural of what the API serves, for the log: `connections`
 * @param route answers an admitted caller
 */
export async function serveTenant<Opened extends OpenedForToken>(
  deps: TenantApiDeps<Opened>,
  event: ApiEvent & Parameters<typeof tellNamedIn>[0],
  what: string,
  route: (caller: VerifiedIdentity, tenant: Opened) => Promise<APIGatewayProxyResult>,
): Promise<APIGatewayProxyResult> {
  const { requestId } = event.requestContext;
  const log = deps.log.with({ requestId });
  const known: { tenantId?: string } = {};
  const serve = async (): Promise<APIGatewayProxyResult> => {
    try {
      const { caller, tenant } = await admitCaller(deps, event);
      known.tenantId = tenant.tenantId;
      const result = await route(caller, tenant);
      log.info(`${what} were served`, { ...known, userId: caller.userId, method: event.httpMethod, resource: event.resource });
      return result;
    } catch (error) {
      const result = errorAnswer(error, requestId);
      const fields = { ...known, code: error instanceof CordonError ? error.code : 'UNEXPECTED' };
      if (error instanceof CordonError && isCallersFault(result)) log.warn('a request was refused', { ...fields, reason: error.message });
      else log.error(`${what} could not be served`, error, fields);
      return result;
    }
  };
  const result = await serve();
  if (known.tenantId !== undefined) await tellNamedIn(event, (names) => deps.reportNamed(bearerOf(event), names), log);
  return result;
}
