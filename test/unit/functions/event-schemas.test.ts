import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import * as byoc from '../../../functions/byoc/events.ts';
import * as audit from '../../../functions/isolation/audit/events.ts';
import * as isolation from '../../../functions/isolation/events.ts';
import * as honey from '../../../functions/isolation/honey/events.ts';
import * as limits from '../../../functions/isolation/limits/events.ts';
import * as revocation from '../../../functions/revocation/events.ts';
import * as rotation from '../../../functions/rotation/events.ts';
import * as tenants from '../../../functions/tenants/events.ts';

const capabilities = [tenants, byoc, rotation, revocation, isolation, audit];
const inboundDetailTypes: readonly string[] = capabilities.flatMap((events): readonly string[] => events.inboundDetailTypes);
/** What one part of Cordon tells another. */
const observedDetailTypes = [limits, honey].flatMap(({ observedEvents }) => Object.keys(observedEvents));
const outboundDetailTypes = [...new Set([...capabilities.flatMap((events) => Object.keys(events.outboundEvents)), ...observedDetailTypes])];
const root = new URL('../../../', import.meta.url);

describe('P5 the event schemas', () => {
  it('are the checked-in JSON Schemas, one file per detail type', () => {
    expect(() =>
      execFileSync(process.execPath, [fileURLToPath(new URL('schemas/generate.ts', root)), '--check'], { stdio: 'pipe' }),
    ).not.toThrow();
    const files = readdirSync(new URL('schemas/events/', root));
    expect(files.sort()).toEqual([...inboundDetailTypes, ...outboundDetailTypes].map((type) => `${type}.v1.json`).sort());
  });

  it('are listed in full by the lists that rules are made from', () => {
    for (const events of capabilities) expect([...events.inboundDetailTypes].sort()).toEqual(Object.keys(events.inboundEvents).sort());
  });

  it('belong to one capability each, where they come in', () => {
    expect(new Set(inboundDetailTypes).size).toBe(inboundDetailTypes.length);
  });

  it('name no external ID', () => {
    for (const type of [...inboundDetailTypes, ...outboundDetailTypes])
      expect(readFileSync(new URL(`schemas/events/${type}.v1.json`, root), 'utf8')).not.toMatch(/external/i);
  });

  it('admit no member that is not named, at any depth', () => {
    for (const type of inboundDetailTypes) {
      const schema: unknown = JSON.parse(readFileSync(new URL(`schemas/events/${type}.v1.json`, root), 'utf8'));
      const open: string[] = [];
      const walk = (node: unknown, path: string): void => {
        if (typeof node !== 'object' || node === null) return;
        if ('properties' in node && (!('additionalProperties' in node) || node.additionalProperties !== false)) open.push(path);
        for (const [name, child] of Object.entries(node)) walk(child, `${path}/${name}`);
      };
      walk(schema, type);
      expect(open).toEqual([]);
    }
  });
});
