/**
 * Writes `schemas/events/{DetailType}.v1.json` from the zod schemas: `node schemas/generate.ts`. With `--check` it writes nothing and fails when a file is missing,
 * stale or left over.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import * as byoc from '../functions/byoc/events.ts';
import * as audit from '../functions/isolation/audit/events.ts';
import * as isolation from '../functions/isolation/events.ts';
import * as honey from '../functions/isolation/honey/events.ts';
import * as limits from '../functions/isolation/limits/events.ts';
import * as revocation from '../functions/revocation/events.ts';
import * as rotation from '../functions/rotation/events.ts';
import { cordonSource, platformSource } from '../functions/shared/event-envelope.ts';
import * as tenants from '../functions/tenants/events.ts';

const folder = new URL('events/', import.meta.url);

function fileOf(detailType: string, source: string, schema: z.ZodType): [name: string, text: string] {
  // `input`: what a sender writes, before identifiers are checked and branded.
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', target: 'draft-2020-12' });
  const head = { $schema, title: detailType, description: `Detail of the event ${detailType}, version 1, from source ${source}.` };
  return [`${detailType}.v1.json`, `${JSON.stringify({ ...head, ...rest }, undefined, 2)}\n`];
}

/** Each event is defined in one place; what several capabilities publish is the same schema, and the same file. */
const files = new Map(
  [tenants, byoc, rotation, revocation, isolation, audit].flatMap(({ inboundEvents, outboundEvents }) => [
    ...Object.entries<z.ZodType>(inboundEvents).map(([type, schema]) => fileOf(type, platformSource, schema)),
    ...Object.entries<z.ZodType>(outboundEvents).map(([type, schema]) => fileOf(type, cordonSource, schema)),
  ]),
);
for (const [type, schema] of Object.entries<z.ZodType>({ ...limits.observedEvents, ...honey.observedEvents }))
  files.set(...fileOf(type, cordonSource, schema));
const present = readdirSync(folder).filter((name) => name.endsWith('.json'));
const stale = [...files]
  .filter(([name, text]) => !present.includes(name) || readFileSync(new URL(name, folder), 'utf8') !== text)
  .map(([name]) => name);
const leftOver = present.filter((name) => !files.has(name));

if (process.argv.includes('--check')) {
  for (const name of stale) console.error(`schemas/events/${name} is not what events.ts says: run node schemas/generate.ts`);
  for (const name of leftOver) console.error(`schemas/events/${name} belongs to no event`);
  process.exitCode = stale.length + leftOver.length > 0 ? 1 : 0;
} else {
  for (const name of stale) writeFileSync(new URL(name, folder), files.get(name) ?? '');
  console.log(`${files.size} schemas, ${stale.length} written`);
}
