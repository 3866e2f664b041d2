import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import { z } from 'zod';
import { tellNamedIn } from '../isolation/honey/tell-named.ts';
import { answer, errorAnswer, isCallersFault } from '../shared/api-answer.ts';
import { bearerOf } from '../shared/bearer-token.ts';
import type { Clock } from '../shared/clock.ts';
import { CordonError } from '../shared/errors.ts';
import type { TenantId } from '../shared/identifiers.ts';
import type { Log } from '../shared/log.ts';
import type { ReportNamed } from '../shared/report-named.ts';
import type { OpenPages } from './attribution-pages.ts';
import { entryFilters } from './entry-filters.ts';
import { cursorOf, positionOf } from './list-cursor.ts';
import { boundAt, type ListRequest, listEntries } from './list-entries.ts';

export type ListEvent = Pick<APIGatewayProxyEvent, 'headers' | 'queryStringParameters' | 'multiValueQueryStringParameters'> & {
  readonly requestContext: Pick<APIGatewayProxyEvent['requestContext'], 'requestId'>;
};
export type ListHandler = (event: ListEvent) => Promise<APIGatewayProxyResult>;

export interface ListDeps {
  readonly clock: Clock;
  readonly log: Log;
  readonly openPages: OpenPages;
  readonly reportNamed: ReportNamed;
}

const dayMs = 86_400_000;
const maxDays = 92;
const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).transform((text) => Date.parse(text));
const listQuery = entryFilters.extend({
  from: instant.optional(),
  to: instant.optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number)
    .pipe(z.number().min(1).max(200))
    .default(50),
  cursor: z.string().max(512).optional(),
});

/** What to write instead; the values that were sent are not repeated. */
const rules: Readonly<Record<string, string>> = {
  from: 'must be a time such as 2026-11-21T12:00:00Z or a day such as 2026-11-21',
  to: 'must be a time such as 2026-11-21T12:00:00Z or a day such as 2026-11-21',
  limit: 'must be a whole number from 1 to 200',
  cursor: 'must be the cursor of the page before',
  user: 'must be a user ID: 26 characters a-z and 2-7',
  credential: 'must be a credential ID',
  provider: `must be one of ${entryFilters.shape.provider.unwrap().options.join(', ')}`,
  outcome: `must be one of ${entryFilters.shape.outcome.unwrap().options.join(', ')}`,
};

/** `GET /attribution` */
export function createHandler(deps: ListDeps): ListHandler {
  return async (event) => {
    const log = deps.log.with({ requestId: event.requestContext.requestId });
    const known: { token?: string } = {};
    const result = await serve({ ...deps, log }, event, known);
    const { token } = known;
    if (token !== undefined) await tellNamedIn(event, (names) => deps.reportNamed(token, names), log);
    return result;
  };
}

/** @param known gets the token once it was accepted */
async function serve(deps: ListDeps, event: ListEvent, known: { token?: string }): Promise<APIGatewayProxyResult> {
  const { log } = deps;
  try {
    const token = bearerOf(event);
    const { tenantId, pages } = await deps.openPages(token);
    known.token = token;
    const { request, query } = requestOf(parametersOf(event), tenantId, deps.clock());
    const page = await listEntries({ pages, clock: deps.clock }, request);
    log.info('entries were listed', { tenantId, entries: page.entries.length });
    const cursor = page.next === undefined ? undefined : cursorOf({ after: page.next, before: request.before }, tenantId, query);
    return answer({ entries: page.entries, cursor });
  } catch (error) {
    const result = errorAnswer(error, event.requestContext.requestId);
    if (error instanceof CordonError && isCallersFault(result)) log.warn('a list was refused', { code: error.code, reason: error.message });
    else log.error('entries could not be listed', error, { code: error instanceof CordonError ? error.code : 'UNEXPECTED' });
    return result;
  }
}

function parametersOf({ queryStringParameters, multiValueQueryStringParameters }: ListEvent): Record<string, string> {
  const parameters: Record<string, string> = {};
  for (const [name, values] of Object.entries(multiValueQueryStringParameters ?? {})) {
    if ((values?.length ?? 0) > 1) throw new CordonError('CALL_INVALID', 'each parameter may be there once');
    if (values?.[0] !== undefined) parameters[name] = values[0];
  }
  for (const [name, value] of Object.entries(queryStringParameters ?? {})) if (value !== undefined) parameters[name] = value;
  return parameters;
}

/** @param now milliseconds since the epoch */
function requestOf(
  parameters: Readonly<Record<string, string>>,
  tenantId: TenantId,
  now: number,
): { request: ListRequest; query: Record<string, string> } {
  const parsed = listQuery.safeParse(parameters);
  if (!parsed.success) throw new CordonError('CALL_INVALID', problemOf(parsed.error));
  const { from, to, limit, cursor, ...filters } = parsed.data;
  const { limit: _limit, cursor: _cursor, ...query } = parameters;
  const position = cursor === undefined ? rangeOf(from, to, now) : positionOf(cursor, tenantId, query);
  return { request: { tenantId, ...position, filters, limit }, query };
}

/** The last day, unless told otherwise. `to` is where the list ends, itself excluded. */
function rangeOf(from: number | undefined, to: number | undefined, now: number): { after: string; before: string } {
  const end = to ?? (from === undefined ? now + 1 : Math.min(now + 1, from + maxDays * dayMs));
  const start = from ?? end - dayMs;
  if (start >= end) throw new CordonError('CALL_INVALID', 'from must be before to, and before now');
  if (end - start > maxDays * dayMs) throw new CordonError('CALL_INVALID', `from and to may be ${maxDays} days apart at most`);
  return { after: boundAt(start), before: boundAt(end) };
}

function problemOf({ issues }: z.ZodError): string {
  const problems = issues.map((issue) => {
    // A name that is not known is the sender's own and not repeated.
    if (issue.code === 'unrecognized_keys')
      return `there are parameters that are not known; known are ${Object.keys(listQuery.shape).join(', ')}`;
    const name = String(issue.path[0]);
    return `${name} ${rules[name] ?? 'must be short plain text'}`;
  });
  return [...new Set(problems)].join('; ');
}
