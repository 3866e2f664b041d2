/** Powers as text, for people: a right more or less is a line of a diff. */
import { spelled } from './letters.ts';
import type { Power } from './powers.ts';
import type { Things } from './things.ts';

/** E.g. `sqs:DeleteMessage sqs:ReceiveMessage on TenantsQueue`, in order. */
export function linesOf(powers: readonly Power[], things: Things): string[] {
  const byAction = new Map<string, Map<string, string[]>>();
  for (const { action, resource, needs } of powers) {
    const on = byAction.get(action) ?? new Map<string, string[]>();
    const with_ = needs
      .split(/(?<=[=|])|(?= )/)
      .map(shortName)
      .join('');
    on.set(with_, [...(on.get(with_) ?? []), resource]);
    byAction.set(action, on);
  }
  const byWhat = new Map<string, string[]>();
  for (const [action, on] of byAction) {
    const every = things.resourcesOf(action).length;
    for (const [needs, resources] of on) {
      const what = resources.length === every && every > 1 ? 'anything' : [...new Set(resources.map(shortName))].sort().join(' ');
      const text = `on ${what}${needs === '' ? '' : `, with ${needs}`}`;
      byWhat.set(text, [...(byWhat.get(text) ?? []), action]);
    }
  }
  return [...byWhat].map(([what, actions]) => spelled(`${wholeServices(actions, things).join(' ')} ${what}`)).sort();
}

/** `sqs:*` for all actions of a service. */
function wholeServices(actions: readonly string[], things: Things): string[] {
  const services = [...new Set(actions.map((action) => action.split(':')[0] ?? ''))];
  return services
    .flatMap((service) => {
      const isOf = (action: string): boolean => action.startsWith(`${service}:`);
      const those = actions.filter(isOf);
      return those.length > 1 && those.length === things.actions.filter(isOf).length ? [`${service}:*`] : those;
    })
    .sort();
}

/** Without where it is, and without the hashes that generated names end with, which say nothing. */
export const shortName = (name: string): string =>
  name
    .replace(/^arn:aws:[^:]*:[^:]*:[^:]*:/, '')
    .replace(/Cordon-(\w+?)([0-9A-F]{8})?-[0-9A-F]{8}/i, '$1')
    .replace(/[0-9A-F]{8}(?= |$)/, '');
