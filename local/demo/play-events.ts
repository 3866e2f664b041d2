/** Puts the example's events on the bus as the operator would, and waits until Cordon has said what became of each. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { z } from 'zod';
import { userIdOf } from '../../functions/shared/identifiers.ts';
import { failedDetailType, type InboundDetailType, inboundDetailTypes, type OutboundDetailType } from '../../functions/tenants/events.ts';

const exampleEvent = z.strictObject({ detailType: z.string(), detail: z.looseObject({ tenantId: z.string() }) });

export interface ExampleEvent {
  readonly file: string;
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>> & { readonly tenantId: string };
}

/** What Cordon published about an event. */
export interface Outcome {
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
}

const publishedEvent = z.looseObject({ source: z.string(), 'detail-type': z.string(), detail: z.record(z.string(), z.unknown()) });

/** Which event says that one of these was done. */
const doneDetailType: Readonly<Record<InboundDetailType, OutboundDetailType>> = {
  TenantOnboarded: 'TenantProvisioned',
  UserOnboarded: 'UserProvisioned',
  CredentialRequested: 'CredentialProvisioned',
  RoutingRulesChanged: 'RoutingRulesApplied',
  HoneyRequested: 'HoneyPlanted',
};

/**
 * Reads the numbered event files in name order. The issuer's address changes from run to run, so the files write `{{issuer}}`, and
 * `{{userId:name}}` for the user ID that follows from issuer and subject. Throws when a file is no event.
 */
export function readExampleEvents(directory: string, issuer: string): readonly ExampleEvent[] {
  const files = readdirSync(directory)
    .filter((name) => /^\d+-.*\.json$/.test(name))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  if (files.length === 0) throw new Error(`There is no event file (1-….json) in ${directory}.`);
  return files.map((file) => {
    const text = readFileSync(join(directory, file), 'utf8')
      .replaceAll('{{issuer}}', issuer)
      .replaceAll(/\{\{userId:([^}]+)\}\}/g, (_, subject: string) => userIdOf(issuer, subject));
    const event = exampleEvent.safeParse(JSON.parse(text));
    if (!event.success) throw new Error(`${file} is not an event {detailType, detail}: ${z.prettifyError(event.error)}`);
    return { file, ...event.data };
  });
}

export interface PlayDeps {
  readonly events: EventBridgeClient;
  readonly logs: CloudWatchLogsClient;
  readonly eventBusName: string;
  readonly eventLogGroup: string;
}

/** Puts one event and waits for its outcome in the event log. Rejects when the bus refuses it, when it failed, or after `timeoutMs`. */
export async function playEvent(deps: PlayDeps, event: ExampleEvent, timeoutMs = 20_000): Promise<Outcome> {
  const seen = await readEventLog(deps, event.detail.tenantId);
  const eventId = await putEvent(deps, event);
  const deadline = performance.now() + timeoutMs;
  while (performance.now() < deadline) {
    for (const outcome of (await readEventLog(deps, event.detail.tenantId)).slice(seen.length)) {
      if (isFailureOf(outcome, event, eventId))
        throw new Error(`${event.file}: ${outcome.detailType}: ${JSON.stringify(outcome.detail['reason'])}`);
      if (isSuccessOf(outcome, event)) return outcome;
    }
    await sleep(25);
  }
  throw new Error(`${event.file}: no outcome of ${event.detailType} after ${timeoutMs} ms.`);
}

/** Answers the event's ID. Rejects when the bus did not take it. */
async function putEvent(deps: PlayDeps, event: Pick<ExampleEvent, 'detailType' | 'detail'>): Promise<string> {
  const entry = {
    EventBusName: deps.eventBusName,
    Source: 'cordon.platform',
    DetailType: event.detailType,
    Detail: JSON.stringify(event.detail),
  };
  const { Entries } = await deps.events.send(new PutEventsCommand({ Entries: [entry] }));
  const [put] = Entries ?? [];
  if (put?.EventId === undefined) throw new Error(`The event bus refused ${event.detailType}: ${put?.ErrorCode} ${put?.ErrorMessage}`);
  return put.EventId;
}

/** What Cordon has published so far, oldest first: all, or what holds `term` (a tenant ID, an event ID). */
export async function readEventLog(deps: Pick<PlayDeps, 'logs' | 'eventLogGroup'>, term?: string): Promise<readonly Outcome[]> {
  const filterPattern = term === undefined ? undefined : JSON.stringify(term);
  const outcomes: Outcome[] = [];
  let nextToken: string | undefined;
  do {
    const page = await deps.logs.send(new FilterLogEventsCommand({ logGroupName: deps.eventLogGroup, filterPattern, nextToken }));
    for (const { message } of page.events ?? []) {
      const { source, detail, 'detail-type': detailType } = publishedEvent.parse(JSON.parse(message ?? '{}'));
      // What others have asked for lies in the same log.
      if (source === 'cordon') outcomes.push({ detailType, detail });
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return outcomes;
}

function isSuccessOf(outcome: Outcome, event: ExampleEvent): boolean {
  return (
    isInbound(event.detailType) &&
    outcome.detailType === doneDetailType[event.detailType] &&
    outcome.detail['tenantId'] === event.detail.tenantId
  );
}

function isFailureOf(outcome: Outcome, event: ExampleEvent, eventId: string): boolean {
  if (!isInbound(event.detailType) || outcome.detailType !== failedDetailType[event.detailType]) return false;
  const about = z.looseObject({ id: z.string().optional() }).safeParse(outcome.detail['event']);
  return about.success && about.data.id === eventId;
}

function isInbound(detailType: string): detailType is InboundDetailType {
  return (inboundDetailTypes as readonly string[]).includes(detailType);
}
