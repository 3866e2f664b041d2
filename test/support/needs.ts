/** What has to stay possible: `test/fixtures/needs.json`, recorded by `npm run needs`. */
import { readFileSync } from 'node:fs';
import { type Need, needs } from '../fixtures/need.ts';
import type { Asker } from './stack-decisions.ts';

export const needsPath = 'test/fixtures/needs.json';

export const readNeeds = (): readonly Need[] => needs.parse(JSON.parse(readFileSync(needsPath, 'utf8')));

/** Condition keys that follow from who asks, and are not written down. */
export const saidByAsker: ReadonlySet<string> = new Set(['aws:principalarn', 'aws:principalaccount']);

export const askerOf = ({ kind, principal, action, resource, account, context }: Need): Asker => ({
  kind,
  principal,
  action,
  resource,
  context: {
    ...(kind !== 'service' && { 'aws:PrincipalArn': principal, 'aws:PrincipalAccount': principal.split(':')[4] }),
    ...context,
  },
  ...(account !== undefined && { elsewhere: true }),
});
